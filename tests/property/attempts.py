"""Attempts: rebalances as the books may hold them, one by one and in rows."""

from typing import Any

import attrs
from hypothesis import strategies as st
from property.strategies import instants, msats, ratios, whole
from property.world import START, peer

from revops.core.budget import Spend
from revops.core.treasury import FAILURES, Attempt, Ending, Treasury
from revops.core.units import DAY, HOUR

Some = st.SearchStrategy[Any]

PEERS = tuple(peer(number) for number in range(3))
CHANNELS = tuple(f"{number:064x}" for number in range(4))
CHUNK = 100_000_000
AMOUNT = 10 * CHUNK
NEITHER = (Ending.STOPPED, Ending.VANISHED)
"""Endings that say nothing about the way to the peer."""


def tried(number: int = 0, **fields: Any) -> Attempt:
    """
    Return an attempt to fill the first channel with 1 M sat at 500 ppm, an hour before a World
    begins; without *fields* it did.
    """
    at = fields.pop("at", START - HOUR)
    ending = fields.pop("ending", Ending.DONE)
    moved = fields.pop("moved_msat", AMOUNT if ending is Ending.DONE else 0)
    over = {"state": Spend.SETTLED, "ended_at": at, "ending": ending}
    plain = {
        "to_channel": CHANNELS[0],
        "to_peer": PEERS[0],
        "from_channels": CHANNELS[1:2],
        "amount_msat": AMOUNT,
        "chunk_msat": CHUNK,
        "limit_msat": 11 * CHUNK * 500 // 10**6,
        "fee_msat": moved * 500 // 10**6,
    }
    return Attempt(rebalance_id=number, at=at, moved_msat=moved, **(plain | over | fields))


def running(number: int = 0, **fields: Any) -> Attempt:
    """
    Return an attempt that is under way.
    """
    open_ = {"state": Spend.IN_FLIGHT, "ended_at": None, "ending": None, "moved_msat": 0}
    return tried(number, **(open_ | fields))


def at_all(**fields: Some) -> Some:
    """
    Return attempts of which no two fields need to fit; *fields* narrow some of them.
    """
    plain = {
        "rebalance_id": whole(),
        "at": instants(),
        "to_channel": st.sampled_from(CHANNELS),
        "to_peer": st.sampled_from(PEERS),
        "from_channels": st.lists(st.sampled_from(CHANNELS), max_size=3).map(tuple),
        "amount_msat": msats(),
        "chunk_msat": msats(),
        "limit_msat": msats(),
        "before_msat": msats(),
        "state": st.sampled_from(Spend),
        "moved_msat": st.just(0) | msats(),
        "fee_msat": st.just(0) | msats(),
        "moved_at": st.none() | instants(),
        "stopping": st.none() | st.sampled_from(Ending),
        "ending": st.none() | st.sampled_from(Ending),
        "ended_at": st.none() | instants(),
        "sold": st.none() | ratios(0, 1),
        "ordered": st.booleans(),
    }
    return st.builds(Attempt, **(plain | fields))


@st.composite
def rebalances(draw: st.DrawFn, now: int = START, days: int = 90, **fields: Some) -> Attempt:
    """
    Return attempts of the last *days* as they happen, all of which are over.
    """
    ending = draw(st.sampled_from(Ending))
    at = now - draw(st.integers(2 * HOUR, days * DAY))
    ended_at = at + draw(st.integers(0, 2 * HOUR))
    chunks = 0
    if ending is Ending.DONE:
        chunks = 10
    elif ending not in FAILURES:
        chunks = draw(st.integers(int(ending is Ending.PARTIAL), 9))
    moved = chunks * CHUNK
    plain = {
        "rebalance_id": whole(),
        "at": st.just(at),
        "to_channel": st.sampled_from(CHANNELS),
        "to_peer": st.sampled_from(PEERS),
        "from_channels": st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=3).map(tuple),
        "amount_msat": st.just(AMOUNT),
        "chunk_msat": st.just(CHUNK),
        "limit_msat": st.just(11 * CHUNK // 1000),
        "state": st.just(Spend.SETTLED if moved else Spend.RELEASED),
        "moved_msat": st.just(moved),
        "fee_msat": st.integers(0, moved // 1000),
        "moved_at": st.integers(at, ended_at) if moved else st.none(),
        "ending": st.just(ending),
        "ended_at": st.just(ended_at),
        "sold": st.none() | ratios(0, 1) if moved else st.none(),
    }
    return Attempt(**draw(st.fixed_dictionaries(plain | fields)))


def numbered(row: list[Attempt]) -> tuple[Attempt, ...]:
    """
    Return the attempts of *row* as made one after the other.
    """
    return tuple(attrs.evolve(attempt, rebalance_id=n) for n, attempt in enumerate(row))


_REBALANCES = rebalances()


def rows(attempts: Some = _REBALANCES, max_size: int = 8) -> Some:
    """
    Return some attempts, made one after the other.
    """
    return st.lists(attempts, max_size=max_size).map(numbered)


def treasury(*row: Attempt, **fields: Any) -> Treasury:
    """
    Return what a cycle knows that knows of nothing but *row*.
    """
    return Treasury(attempts=numbered(list(row)), **fields)
