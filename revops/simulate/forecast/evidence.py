"""Evidence: how often a channel was paid, at which prices, while it could have been."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from revops.core.memory import FeeMemory
from revops.core.snapshot import NORMAL, Channel, Slice, Snapshot, Traffic
from revops.core.units import DAY, MILLION

_USUAL_WINDOW: Final = 7
_LONGEST_WINDOW: Final = 90
_USUAL_MSAT: Final = 50_000_000
# More than anybody was ever paid, yet a number that can be worked with.
_MOST: Final = 1e9
# Who was paid could pay: then the looks at it came at bad moments.
_LEAST_LIVE: Final = 0.05


class Trial(NamedTuple):
    """
    What came at one price.

    Attributes:
        ppm: The base fee of a usual payment included.
        days: In which the channel could have carried payments away.
        forwards: Payments that left by it; not whole where what is long ago counts less.
    """

    ppm: float
    days: float
    forwards: float


def usable(channel: Channel) -> bool:
    """
    Return whether payments can flow through *channel* now.
    """
    return channel.state == NORMAL and channel.connected and channel.scid is not None


def price_of(channel: Channel) -> float:
    """
    Return what a usual payment out by *channel* pays now, in ppm, its base fee included.
    """
    days = channel.traffic.days if channel.traffic else ()
    count, moved = sum(day.out_count for day in days), sum(day.out_msat for day in days)
    usual = moved / count if count else _USUAL_MSAT
    return channel.fee_ppm + channel.base_fee_msat * MILLION / usual


def first_day(snapshot: Snapshot) -> int:
    """
    Return the first day that the books of *snapshot* still tell apart.
    """
    today = snapshot.now // DAY
    days = [day.start for c in snapshot.channels if c.traffic for day in c.traffic.days]
    return max(min(days, default=today - _USUAL_WINDOW), today - _LONGEST_WINDOW)


def trials(channel: Channel, first: int, memory: FeeMemory | None = None) -> tuple[Trial, ...]:
    """
    Return what came by *channel* at each price: since the day *first*, or what its *memory* holds
    of the prices that were tried, whichever is more time.
    """
    by_day = _by_day(channel, first)
    base = price_of(channel) - channel.fee_ppm
    tried = tuple(
        Trial(one.fee_ppm + base, min(one.live_s / DAY, _LONGEST_WINDOW), min(one.count, _MOST))
        for one in (memory.tried if memory else ())
        if one.live_s
    )
    return max(by_day, tried, key=lambda found: sum(trial.days for trial in found))


def _by_day(channel: Channel, first: int) -> tuple[Trial, ...]:
    """
    Return what came since the day *first*.

    The price of a day is what those paid who came; of a day on which nobody did, what the next
    ones paid, or the price in force now.
    """
    traffic = channel.traffic
    if traffic is None:
        return ()
    days = {day.start: day for day in traffic.days}
    live = 1.0 if channel.live_share is None else channel.live_share
    if any(day.out_count for day in days.values()):
        live = max(live, _LEAST_LIVE)
    sums: dict[float, tuple[float, int]] = {}
    ppm = price_of(channel)
    # From the latest day back.
    for start in reversed(range(first, traffic.until // DAY + 1)):
        day = days.get(start)
        paid = _paid(day)
        ppm = ppm if paid is None else paid
        lasted, count = sums.get(ppm, (0.0, 0))
        came = day.out_count if day else 0
        sums[ppm] = lasted + live * _covered(traffic, start), count + came
    return tuple(Trial(ppm, lasted, came) for ppm, (lasted, came) in sums.items() if lasted > 0)


def _paid(day: Slice | None) -> float | None:
    if day is None or not day.out_msat:
        return None
    return float(round(day.earned_msat * MILLION / day.out_msat))


def _covered(traffic: Traffic, day: int) -> float:
    """
    Return which part of a *day* the books know.
    """
    begin = max(day * DAY, traffic.since)
    end = min((day + 1) * DAY, traffic.until)
    return max(end - begin, 0) / DAY


def covered(channel: Channel, first: int) -> float:
    """
    Return of how many days since the day *first* the books of *channel* know.
    """
    traffic = channel.traffic
    if traffic is None:
        return 0.0
    return max(traffic.until - max(first * DAY, traffic.since), 0) / DAY


def came(found: Iterable[Trial]) -> float:
    """
    Return how many payments left in all.
    """
    return sum(trial.forwards for trial in found)
