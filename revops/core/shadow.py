"""Shadow: the node as a config sees it that decides beside the live one and is never obeyed."""

import attrs

from revops.core.actions import SetFee, StartRebalance
from revops.core.config import Config, shadow_of
from revops.core.fees.band import dead_band
from revops.core.memory import BeliefMemory, FeeMemory, Memory, Price
from revops.core.plan import Area, Decision, Plan, RebalancePlan
from revops.core.snapshot import Channel, Snapshot
from revops.core.units import Instant


def second(config: Config) -> Config | None:
    """
    Return the Config that decides beside *config*; `None` when none does.
    """
    shadow = shadow_of(config)
    if shadow and (config.paused or config.authority == "observe"):
        # Nobody sets htlc_maximum_msat then: it would be asked for anew in each cycle.
        return attrs.evolve(shadow, htlc_max=False)
    return shadow


# What it sees ---------------------------------------------------------------------------------


def as_seen(snapshot: Snapshot, own: Memory | None, *, same_search: bool) -> Snapshot:
    """
    Return *snapshot* as a shadow sees it that remembers *own*; as it is before its first cycle.

    A shadow sees each channel at the price that it set there last, as if it had been obeyed, and
    everything else as it is. Where somebody else has set the price it sees that one, and where the
    live config asked for the same, what became of that.

    Traffic came at the prices in force: about others it teaches nothing. While the two differ, the
    search for a price stands where the live one does, if both are of one kind (*same_search*).
    """
    if own is None:
        return snapshot
    live = {memory.channel_id: memory for memory in snapshot.memory.channels}
    kept = {memory.channel_id: memory.fee for memory in own.channels}
    orders = {pin.channel_id: pin.price for pin in snapshot.pins}
    memories = {
        key: attrs.evolve(memory, fee=_kept(memory.fee, kept[key])) if key in kept else memory
        for key, memory in live.items()
    }
    channels = []
    for channel in snapshot.channels:
        key, seen = channel.channel_id, channel
        if key in live and key in kept:
            facts, price = live[key].fee, _price(channel)
            seen_at, fee = _stance(price, facts, memories[key].fee, orders.get(key))
            if abs(seen_at.fee_ppm - price.fee_ppm) >= dead_band(price.fee_ppm):
                fee = _untaught(fee, facts, same_search=same_search)
            memories[key] = attrs.evolve(memories[key], fee=fee)
            seen = _at(channel, seen_at)
        channels.append(seen)
    memory = attrs.evolve(snapshot.memory, vegas=own.vegas, channels=memories.values())
    return attrs.evolve(snapshot, channels=channels, memory=memory)


def _kept(live: FeeMemory, own: FeeMemory) -> FeeMemory:
    """
    Return what a shadow remembers of a channel: what happened there as *live* has it, and its own
    wishes and doings.
    """
    return attrs.evolve(
        live,
        known=own.known,
        asked=own.asked,
        pin=own.pin,
        changes=own.changes,
        congested=own.congested,
        calm=own.calm,
        climb=own.climb,
        belief=_own_price(live, own),
    )


def _own_price(live: FeeMemory, own: FeeMemory) -> BeliefMemory | None:
    """
    Return what came at the prices that were in force, with the price that the shadow made of it.
    """
    if live.belief is None or own.belief is None:
        return own.belief
    return attrs.evolve(live.belief, base_ppm=own.belief.base_ppm, judged_at=own.belief.judged_at)


def _stance(
    price: Price, live: FeeMemory, own: FeeMemory, order: Price | None
) -> tuple[Price, FeeMemory]:
    """
    Return at which price the shadow sees a channel that charges *price*, and what it remembers.
    """
    if (own.known, own.asked) == (live.known, live.asked):
        return price, own
    by_us = price in (live.known, live.asked and live.asked.price)
    if not by_us or price in (order, live.pin and live.pin.price):
        followed = attrs.evolve(
            own,
            known=live.known,
            asked=live.asked,
            pin=live.pin,
            climb=live.climb,
            belief=live.belief,
        )
        return price, followed
    return (own.asked.price if own.asked else own.known) or price, own


def _untaught(own: FeeMemory, live: FeeMemory, *, same_search: bool) -> FeeMemory:
    climb = (live.climb if same_search else None) or own.climb
    return attrs.evolve(
        own,
        climb=climb and attrs.evolve(climb, live=False),
        belief=own.belief and attrs.evolve(own.belief, live=False),
    )


def _price(channel: Channel) -> Price:
    return Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)


def _at(channel: Channel, price: Price) -> Channel:
    return attrs.evolve(channel, fee_ppm=price.fee_ppm, base_fee_msat=price.base_fee_msat)


# Where it differs -----------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Difference:
    """
    What a shadow decided otherwise than the live config did.

    Attributes:
        decision: The shadow's.
        live, shadow: The price after each; `None` for refills.
    """

    decision: Decision
    live: Price | None = None
    shadow: Price | None = None


@attrs.frozen(kw_only=True)
class Compared:
    """
    A cycle of a shadow beside the live one.

    Attributes:
        channels: How many were decided about.
        over_ppm: The sum of what the shadow's prices are above the live ones, less what they are
            below.
        apart_ppm: The sum of what they are above or below.
    """

    at: Instant
    area: Area
    channels: int
    differences: tuple[Difference, ...]
    over_ppm: int = 0
    apart_ppm: int = 0


def prices_compared(looked: Snapshot, live: Plan, seen: Snapshot, shadow: Plan) -> Compared:
    """
    Return where the prices of *shadow*, decided on *seen*, differ from those of *live*, decided on
    *looked*.
    """
    pairs = [
        (own, _after(decision, channel), _after(own, other))
        for decision, channel, own, other in zip(
            live.decisions, looked.channels, shadow.decisions, seen.channels, strict=True
        )
    ]
    apart = [own.fee_ppm - price.fee_ppm for _, price, own in pairs]
    return Compared(
        at=live.at,
        area="fee",
        channels=len(pairs),
        differences=tuple(
            Difference(decision=decision, live=price, shadow=own)
            for decision, price, own in pairs
            if price != own
        ),
        over_ppm=sum(apart),
        apart_ppm=sum(map(abs, apart)),
    )


def _after(decision: Decision, channel: Channel) -> Price:
    action = decision.action
    if isinstance(action, SetFee):
        return Price(fee_ppm=action.new_ppm, base_fee_msat=action.new_base_msat)
    return _price(channel)


def refills_compared(live: RebalancePlan, shadow: RebalancePlan) -> Compared:
    """
    Return where one of the two starts a refill and the other does not, or another one.
    """
    pairs = list(zip(live.decisions, shadow.decisions, strict=True))
    return Compared(
        at=live.at,
        area="rebalance",
        channels=len(pairs),
        differences=tuple(
            Difference(decision=own)
            for decision, own in pairs
            if _started(decision) != _started(own)
        ),
    )


def _started(decision: Decision) -> StartRebalance | None:
    return decision.action if isinstance(decision.action, StartRebalance) else None
