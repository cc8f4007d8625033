"""Budget: money that may be spent is reserved first, and stays reserved until it is known."""

import enum
from collections.abc import Iterable
from typing import Final

import attrs

from revops.core import checks
from revops.core.config import Config
from revops.core.units import DAY, Instant, Msat, from_sats

WEEK: Final = 7 * DAY


class Spend(str, enum.Enum):
    """
    What became of reserved money. `SETTLED` and `RELEASED` are final.
    """

    RESERVED = "reserved"
    IN_FLIGHT = "in_flight"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    RELEASED = "released"


OVER: Final = frozenset({Spend.SETTLED, Spend.RELEASED})
"""What never changes any more."""


@attrs.frozen(kw_only=True)
class Reservation:
    """
    Money that a rebalance may spend, and what became of it.

    Attributes:
        amount_msat: The most that may be spent.
        spent_msat: What was; `None` unless settled.
        settled_at: When that became known; `None` until the end.
    """

    rebalance_id: int = attrs.field(validator=checks.whole())
    amount_msat: Msat = attrs.field(validator=checks.msat())
    state: Spend = Spend.RESERVED
    spent_msat: Msat | None = attrs.field(default=None, validator=checks.msat(optional=True))
    settled_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))


def begun(reservation: Reservation) -> Reservation:
    """
    Return *reservation* once the rebalancer said that it is at work.
    """
    return _unless_over(reservation, state=Spend.IN_FLIGHT)


def lost(reservation: Reservation) -> Reservation:
    """
    Return *reservation* once nobody can tell what is spent of it: it stays reserved.
    """
    return _unless_over(reservation, state=Spend.UNKNOWN)


def settled(reservation: Reservation, spent: Msat, at: Instant) -> Reservation:
    """
    Return *reservation* at its end: *spent* is what it really cost, the rest is free again.
    """
    return _unless_over(reservation, state=Spend.SETTLED, spent_msat=spent, settled_at=at)


def released(reservation: Reservation, at: Instant) -> Reservation:
    """
    Return *reservation* of which nothing can have been spent.
    """
    return _unless_over(reservation, state=Spend.RELEASED, settled_at=at)


def _unless_over(reservation: Reservation, **changes: object) -> Reservation:
    if reservation.state in OVER:
        return reservation
    return attrs.evolve(reservation, **changes)  # type: ignore[arg-type]  # names of its fields


@attrs.frozen(kw_only=True)
class Limits:
    """
    What rebalancing may cost in any 24 hours and in any 7 days.
    """

    day_msat: Msat
    week_msat: Msat


def limits(config: Config, revenue_day: Msat | None, revenue_week: Msat | None) -> Limits:
    """
    Return the limits that *config* sets; revenue that is unknown raises none.
    """
    day = from_sats(config.daily_budget_sats)
    week = from_sats(config.weekly_budget_sats) or Msat(7 * day)
    if config.proportional_budget:
        day = max(day, _share(config, revenue_day))
        week = max(week, _share(config, revenue_week))
    return Limits(day_msat=day, week_msat=week)


def _share(config: Config, revenue: Msat | None) -> Msat:
    return Msat(int((revenue or 0) * config.proportional_budget_pct))


@attrs.frozen(kw_only=True)
class Spending:
    """
    What rebalancing has cost and may yet cost.

    Attributes:
        day_msat, week_msat: Settled in the last 24 hours and 7 days.
        held_msat: Reserved, in flight or unknown, however long ago.
    """

    day_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    week_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    held_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())


def spending(reservations: Iterable[Reservation], now: Instant) -> Spending:
    """
    Return what *reservations* come to at *now*; what a clock that was ahead dated later is counted
    as of now.
    """
    day = week = held = 0
    for reservation in reservations:
        if reservation.state not in OVER:
            held += reservation.amount_msat
        elif reservation.spent_msat and reservation.settled_at is not None:
            age = now - reservation.settled_at
            week += reservation.spent_msat if age < WEEK else 0
            day += reservation.spent_msat if age < DAY else 0
    return Spending(day_msat=Msat(day), week_msat=Msat(week), held_msat=Msat(held))


def room(spent: Spending, most: Limits) -> Msat:
    """
    Return what may be reserved now: never negative.
    """
    day = most.day_msat - spent.day_msat - spent.held_msat
    week = most.week_msat - spent.week_msat - spent.held_msat
    return Msat(max(0, min(day, week)))
