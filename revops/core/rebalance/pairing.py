"""Pairing: those go together for whom it pays most, for as long as there is money."""

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

import attrs

from revops.core.reasons import Code
from revops.core.rebalance.keep import Keep, kept, suffices
from revops.core.rebalance.market import Market
from revops.core.rebalance.pair import Giver, Pair, Taker
from revops.core.units import ChannelId, Msat, PeerId

MOST_SOURCES: Final = 5
"""How many channels may give for one refill: more hardly make a route likelier."""


@attrs.frozen(eq=False)
class Refused:
    """
    A channel that is not filled.

    Attributes:
        pair: The best that there is; `None` when nobody can give.
        why: What keeps it from being started.
        room_msat: What is left of the budget by then.
    """

    pair: Pair | None
    why: Code
    room_msat: Msat


@attrs.frozen(eq=False)
class Started:
    """
    A channel that is filled.

    Attributes:
        sources: Who gives, the best first.
        keep: What they hold back.
    """

    pair: Pair
    sources: tuple[Giver, ...]
    keep: Keep


def chosen(
    market: Market, takers: Sequence[Taker], slots: int, room: Msat
) -> Mapping[ChannelId, Started | Refused]:
    """
    Return what becomes of each of *takers*: those that pay most come first, until *slots* or *room*
    are used up, and a peer gives to one of them.
    """
    best = {taker.channel.channel_id: market.best(taker) for taker in takers}
    asked = {taker.channel.channel_id: taker for taker in takers}
    pairs: dict[ChannelId, Pair] = {}
    refused: dict[ChannelId, Refused] = {}
    taken: set[PeerId] = set()
    queue = [(-pair.terms.ev_msat, key) for key, pair in best.items() if pair and pair.pays]
    heapify(queue)
    while queue:
        value, key = heappop(queue)
        # What it was worth before others were served is the most that it can still be.
        pair = market.best(asked[key], taken, room) if len(pairs) < slots else None
        if pair is None or not pair.pays:
            why = _missed(market, asked[key], taken) if len(pairs) < slots else Code.OUTBID
            refused[key] = Refused(best[key], why, room)
        elif -pair.terms.ev_msat > value:
            heappush(queue, (-pair.terms.ev_msat, key))
        else:
            pairs[key] = pair
            taken.add(pair.giver.channel.peer_id)
            room = Msat(room - pair.reserve_msat)
    for key, pair in best.items():
        if pair is None or not pair.pays:
            why = pair.terms.bound if pair else _unmatched(market, asked[key])
            refused[key] = Refused(pair, why, room)
    return refused | _started(market, pairs, taken)


def _missed(market: Market, taker: Taker, taken: set[PeerId]) -> Code:
    """
    Return what is missing for what would pay.
    """
    pair = market.best(taker, taken)
    return Code.BUDGET_SHORT if pair and pair.pays else Code.SOURCES_TAKEN


def _unmatched(market: Market, taker: Taker) -> Code:
    """
    Return why nobody gives.
    """
    anyone = attrs.evolve(market, barred=lambda *_: None).best(taker)
    return Code.NO_RETURN if anyone else Code.NO_SOURCE


def _started(
    market: Market, pairs: Mapping[ChannelId, Pair], taken: set[PeerId]
) -> dict[ChannelId, Started]:
    """
    Return *pairs* with what else can give for them: the best one has the first say.
    """
    started = {}
    for key, pair in pairs.items():
        sources = [pair.giver]
        for giver in market.others(pair, taken):
            if len(sources) == MOST_SOURCES:
                break
            if _agree([*sources, giver], pair):
                sources.append(giver)
                taken.add(giver.channel.peer_id)
        keep = kept(sources, pair.amount)
        started[key] = Started(pair, tuple(sources), keep)
    return started


def _agree(sources: Sequence[Giver], pair: Pair) -> bool:
    """
    Say whether all of *sources* can still give when they hold back the same.
    """
    keep = kept(sources, pair.amount)
    return all(suffices(source, pair.amount, keep) for source in sources)
