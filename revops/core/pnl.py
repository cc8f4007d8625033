"""Pnl: profit and loss, added up so that channels come to the node exactly."""

from collections.abc import Iterable
from typing import Final

import attrs

from revops.core.ledger import Account, Activity, Cost, Ledger
from revops.core.units import DAY, Instant, Msat

_YEAR: Final = 365 * DAY
_SUMS: Final = ("in_count", "out_count", "in_msat", "out_msat", "earned_msat", "sourced_msat")
_COSTS: Final = ("open_cost", "close_cost", "splice_cost", "refill_cost")


@attrs.frozen(kw_only=True)
class Total:
    """
    Costs added up.

    Attributes:
        known_msat: All that somebody could tell.
        estimated_msat: How much of it comes from costs that are estimates.
        unknown: How many costs nobody could tell; with any, *known_msat* is only the least.
    """

    known_msat: Msat = Msat(0)
    estimated_msat: Msat = Msat(0)
    unknown: int = 0


# Most costs are one of these two, and a node has thousands.
_NOTHING: Final = Total()
_UNTOLD: Final = Total(unknown=1)


@attrs.frozen(kw_only=True)
class Pnl:
    """
    Profit and loss of a channel, or of several.

    The fields are those of `Activity`. Only *earned_msat* counts toward a profit, so that
    channels add up to the node; *sourced_msat* is the same money, seen from where it came in.
    """

    in_count: int = 0
    out_count: int = 0
    in_msat: Msat = Msat(0)
    out_msat: Msat = Msat(0)
    earned_msat: Msat = Msat(0)
    sourced_msat: Msat = Msat(0)
    open_cost: Total = _NOTHING
    close_cost: Total = _NOTHING
    splice_cost: Total = _NOTHING
    refill_cost: Total = _NOTHING

    @property
    def value_msat(self) -> Msat:
        """
        What the node would have missed without the channel: the larger of earned and sourced.
        """
        return max(self.earned_msat, self.sourced_msat)

    @property
    def costs(self) -> Total:
        """
        Costs of all kinds.
        """
        return _sum((self.open_cost, self.close_cost, self.splice_cost, self.refill_cost))

    @property
    def net_msat(self) -> Msat:
        """
        What was earned beyond every known cost; the most it can be when some are unknown.
        """
        return Msat(self.earned_msat - self.costs.known_msat)

    @property
    def roi(self) -> float:
        """
        Net over costs; without any, 1 for a profit and 0 for none. At best, as `net_msat`.
        """
        return return_on(self.earned_msat, self.costs.known_msat)

    @property
    def operating_margin(self) -> float | None:
        """
        Net over earned; `None` when nothing was earned. At best, as `net_msat`.
        """
        return self.net_msat / self.earned_msat if self.earned_msat else None


@attrs.frozen(kw_only=True)
class Period:
    """
    The P&L of the node over the window of a ledger, as far as the books reach.

    Attributes:
        capacity_msat: What was open, on the average of that time.
        roc: Net over capacity, per year; `None` when nothing was open.
    """

    days: float
    capacity_msat: Msat
    pnl: Pnl
    roc: float | None


def pnl_of(activity: Activity) -> Pnl:
    """
    Return the profit and loss of *activity*.
    """
    sums = {name: getattr(activity, name) for name in _SUMS}
    costs = {name: _total(getattr(activity, name)) for name in _COSTS}
    return Pnl(**sums, **costs)  # type: ignore[arg-type]  # each under its own name


def added(pnls: Iterable[Pnl]) -> Pnl:
    """
    Return the profit and loss of several channels, or several spans, together.
    """
    parts = tuple(pnls)
    sums = {name: sum(getattr(part, name) for part in parts) for name in _SUMS}
    costs = {name: _sum(getattr(part, name) for part in parts) for name in _COSTS}
    return Pnl(**sums, **costs)  # type: ignore[arg-type]  # each under its own name


def period(ledger: Ledger) -> Period:
    """
    Return the P&L of the node over the window of *ledger*.

    A closed channel stays in it: its money was earned and spent all the same.
    """
    start, end = covered(ledger)
    seconds = max(end - start, DAY)
    used = sum(a.capacity_msat * open_seconds(a, start, end) for a in ledger.accounts)
    whole = added(map(pnl_of, (ledger.stray_window, *(a.window for a in ledger.accounts))))
    capacity = Msat(used // max(end - start, 1))
    return Period(
        days=seconds / DAY,
        capacity_msat=capacity,
        pnl=whole,
        roc=annual_return(whole, capacity, seconds) if capacity else None,
    )


def lifetime(ledger: Ledger) -> Pnl:
    """
    Return the P&L of the node as far back as the books reach, closed channels included.
    """
    return added(map(pnl_of, (ledger.stray_life, *(a.life for a in ledger.accounts))))


def covered(ledger: Ledger) -> tuple[Instant, Instant]:
    """
    Return the part of the window that the books hold.
    """
    since = ledger.start if ledger.since is None else ledger.since
    return min(max(ledger.start, since), ledger.end), ledger.end


def open_seconds(account: Account, start: Instant, end: Instant) -> int:
    """
    Return for how much of *start*..*end* the channel was open; an opening unknown was before.
    """
    opened = start if account.opened_at is None else max(start, account.opened_at)
    closed = end if account.closed_at is None else min(end, account.closed_at)
    return max(0, closed - opened)


def annual_return(part: Pnl, capacity: Msat, seconds: int) -> float:
    """
    Return net over *capacity* per year, from what *seconds* brought.
    """
    # What a day brought is the shortest that says anything about a year.
    return part.net_msat / capacity * _YEAR / max(seconds, DAY)


def return_on(earned: Msat, spent: Msat) -> float:
    """
    Return what remains of *earned* over *spent*: without costs 1 for a profit and 0 for none.
    """
    if spent:
        return (earned - spent) / spent
    return 1.0 if earned else 0.0


def _total(cost: Cost | None) -> Total:
    if cost is None:
        return _UNTOLD
    if not cost.amount_msat:
        return _NOTHING
    estimated = cost.amount_msat if cost.estimated else Msat(0)
    return Total(known_msat=cost.amount_msat, estimated_msat=estimated)


def _sum(totals: Iterable[Total]) -> Total:
    known = estimated = unknown = 0
    for total in totals:
        known += total.known_msat
        estimated += total.estimated_msat
        unknown += total.unknown
    return Total(known_msat=Msat(known), estimated_msat=Msat(estimated), unknown=unknown)
