"""Inventory: how much of a peer's channels should be ours, and what may be spared."""

from collections.abc import Callable, Sequence
from typing import Final

import attrs

from revops.core.snapshot import Channel, Traffic
from revops.core.tally import merged
from revops.core.units import DAY, Msat, Ppm
from revops.core.value import HORIZON_DAYS, Demand, demand_of, stock_msat, worth

COVER_DAYS: Final = 3
"""How long a refill should last: sats for later can be bought later, when more is known."""
FULLEST: Final = 0.9
"""Of the capacity, what is never exceeded by a refill."""
SURE: Final = 0.05
"""However cheap a refill is: sats that are sold with less than this chance are not stocked."""
EVEN: Final = 0.5
"""The chance at which the last sat for a member of the hive is sold, whatever it costs."""
KEPT: Final = Msat(10_000_001)
"""sling leaves 10000 sat and a payment in each channel that it takes from."""
DRAWABLE: Final = 0.99
"""Of the capacity, what a source may hold back at most: sling takes a share below 1."""


@attrs.frozen(kw_only=True)
class Inventory:
    """
    Our open channels with one peer, seen as one: what leaves may leave by any of them.

    Attributes:
        demand: What would leave; `None` when nothing tells.
        out_msat, in_msat: What would leave, and what enters, in a day.
        days: How long the books cover.
    """

    capacity_msat: Msat
    to_us_msat: Msat
    demand: Demand | None
    out_msat: float
    in_msat: float
    days: float


def inventory(channels: Sequence[Channel], window_days: int) -> Inventory | None:
    """
    Return the inventory of *channels* with one peer; `None` when the books could not be read.
    """
    books = [channel.traffic for channel in channels if channel.traffic is not None]
    if len(books) < len(channels):
        return None
    traffic = books[0] if len(books) == 1 else _together(books)
    begin = (traffic.until // DAY - window_days) * DAY
    days = max(traffic.until - max(begin, traffic.since), 0) / DAY
    demand = demand_of(traffic, _live_days(channels, days))
    return Inventory(
        capacity_msat=Msat(sum(channel.capacity_msat for channel in channels)),
        to_us_msat=Msat(sum(channel.to_us_msat for channel in channels)),
        demand=demand,
        out_msat=demand.per_day * demand.amount_msat if demand else 0.0,
        in_msat=sum(day.in_msat for day in traffic.days) / max(days, 1.0),
        days=days,
    )


def _live_days(channels: Sequence[Channel], days: float) -> float:
    """
    Return how many of *days* could serve payments: where one channel could not, another may have.
    """
    shares = [channel.live_share for channel in channels]
    known = [share for share in shares if share is not None]
    # Never seen live is no evidence of no demand.
    if len(known) == len(shares) and not any(known):
        return 0.0
    # A rate from less than a day of evidence would promise anything.
    return max(days * (max(known) if len(known) == len(shares) else 1.0), 1.0)


def _together(books: Sequence[Traffic]) -> Traffic:
    starts = sorted({day.start for traffic in books for day in traffic.days})
    return Traffic(
        since=max(traffic.since for traffic in books),
        until=min(traffic.until for traffic in books),
        days=[
            merged((day for traffic in books for day in traffic.days if day.start == start), start)
            for start in starts
        ],
    )


def target_msat(held: Inventory, price: Ppm, cost: Ppm | None) -> Msat:
    """
    Return what should be ours: what is sold within the cover with enough of a chance to be worth
    *cost*, less what comes in by itself, with room for that left. An unknown cost makes nothing
    cheap to spare.
    """
    chance = SURE if cost is None else max(cost / price, SURE) if price else 1.0
    return _stocked(held, chance)


def hive_target_msat(held: Inventory, low: float) -> Msat:
    """
    Return what should be ours with a member of the hive, whatever it costs: it is never short.
    """
    return max(_stocked(held, EVEN), Msat(int(held.capacity_msat * low) + 1))


def _stocked(held: Inventory, chance: float) -> Msat:
    if held.demand is None:
        return Msat(0)
    wanted = stock_msat(held.demand, chance, COVER_DAYS) - int(held.in_msat * COVER_DAYS)
    # Room for what a day brings; a channel that turns over more than that has it by turns.
    room = min(held.in_msat, held.capacity_msat / 2)
    most = min(int(held.capacity_msat - room), int(held.capacity_msat * FULLEST))
    return Msat(max(0, min(wanted, most)))


def spare_msat(held: Inventory, target: Msat, low: float, high: float) -> Msat:
    """
    Return what may be given: all above the target, or above *high* where that is less, as long as
    the channels do not get short themselves.
    """
    floor = max(min(target, int(held.capacity_msat * high)), int(held.capacity_msat * low))
    return Msat(max(0, held.to_us_msat - max(floor, KEPT)))


def moved_by(held: Inventory, price: Ppm) -> Callable[[int], Msat]:
    """
    Return what it changes in value, at *price*, when so much is added to our side, or taken. What
    comes in by itself within the horizon can be sold either way.
    """
    if held.demand is None:
        msg = "the value of an unknown demand is unknown"
        raise ValueError(msg)
    before = Msat(held.to_us_msat + int(held.in_msat * HORIZON_DAYS))
    change = worth(held.demand, price, before)

    def by(amount: int) -> Msat:
        return change(Msat(before + amount))

    return by
