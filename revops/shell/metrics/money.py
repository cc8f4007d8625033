"""Money: what the node holds, earns, spends and may spend."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from revops.core import budget
from revops.core.budget import OVER, Spend
from revops.core.pnl import Pnl
from revops.core.treasury import Ending
from revops.shell.metrics.family import Family, Group, Row, number
from revops.shell.metrics.view import View

_COSTS: Final = ("open", "close", "splice", "refill")


def _windows(view: View) -> tuple[tuple[str, Pnl], ...]:
    return ("7d", view.week.period.pnl), ("30d", view.month.period.pnl)


def _costs(pnl: Pnl) -> Iterator[tuple[str, int]]:
    for kind in _COSTS:
        yield kind, getattr(pnl, f"{kind}_cost").known_msat


def _window_earned(view: View) -> Iterable[Row]:
    return [((name,), pnl.earned_msat) for name, pnl in _windows(view)]


def _window_cost(view: View) -> Iterable[Row]:
    return [((name, kind), cost) for name, pnl in _windows(view) for kind, cost in _costs(pnl)]


def _net_profit(view: View) -> Iterable[Row]:
    return [((name,), pnl.net_msat) for name, pnl in _windows(view)]


def _lifetime_cost(view: View) -> Iterable[Row]:
    return [((kind,), cost) for kind, cost in _costs(view.month.lifetime)]


def _limit(view: View) -> Iterable[Row]:
    yield ("day",), view.limits.day_msat
    yield ("week",), view.limits.week_msat


def _spent(view: View) -> Iterable[Row]:
    yield ("day",), view.spending.day_msat
    yield ("week",), view.spending.week_msat


def _jobs(view: View) -> Iterable[Row]:
    counts = Counter(logged.attempt.state for logged in view.opened)
    return [((state.value,), counts[state]) for state in Spend if state not in OVER]


def _oldest(view: View) -> float | None:
    return min((logged.attempt.at for logged in view.opened), default=None)


def _ended(view: View) -> Iterable[Row]:
    treasury = view.moved and view.moved.snapshot.treasury
    if treasury:
        counts = Counter(attempt.ending for attempt in treasury.attempts)
        yield from (((ending.value,), counts[ending]) for ending in Ending)


MONEY: Final = Group(
    title="Money",
    source="Budget and jobs of this minute; what was earned and spent as the worker read the books"
    " after its last cycle; the wallet as the last rebalancing cycle found it.",
    families=(
        number(
            "revops_onchain_msat",
            "What the wallet holds, confirmed and unreserved, in millisatoshi.",
            lambda view: view.moved.snapshot.onchain_msat if view.moved else None,
        ),
        number(
            "revops_earned_msat_total",
            "Fees earned since ever, closed channels included, in millisatoshi.",
            lambda view: view.month.lifetime.earned_msat,
            "counter",
        ),
        number(
            "revops_forwarded_msat_total",
            "What was forwarded since ever, in millisatoshi.",
            lambda view: view.month.lifetime.out_msat,
            "counter",
        ),
        number(
            "revops_forwards_total",
            "Settled forwards since ever.",
            lambda view: view.month.lifetime.out_count,
            "counter",
        ),
        Family(
            name="revops_cost_msat",
            help="Known costs since ever by kind, in millisatoshi; an estimate may be corrected.",
            labels=("kind",),
            rows=_lifetime_cost,
        ),
        number(
            "revops_costs_unknown",
            "Costs that nobody can tell: profits are at most what is shown.",
            lambda view: view.month.lifetime.costs.unknown,
        ),
        Family(
            name="revops_window_earned_msat",
            help="Fees earned in the last days, in millisatoshi.",
            labels=("window",),
            rows=_window_earned,
        ),
        Family(
            name="revops_window_cost_msat",
            help="Known costs of the last days by kind, in millisatoshi.",
            labels=("window", "kind"),
            rows=_window_cost,
        ),
        Family(
            name="revops_net_profit_msat",
            help="Fees earned less known costs of the last days, in millisatoshi.",
            labels=("window",),
            rows=_net_profit,
        ),
        Family(
            name="revops_budget_limit_msat",
            help="What rebalancing may cost in any 24 hours and 7 days, in millisatoshi.",
            labels=("period",),
            rows=_limit,
        ),
        Family(
            name="revops_budget_spent_msat",
            help="What rebalancing cost in the last 24 hours and 7 days, in millisatoshi.",
            labels=("period",),
            rows=_spent,
        ),
        number(
            "revops_budget_reserved_msat",
            "What open rebalances may yet cost, in millisatoshi.",
            lambda view: view.spending.held_msat,
        ),
        number(
            "revops_budget_left_msat",
            "What may be reserved now, in millisatoshi.",
            lambda view: budget.room(view.spending, view.limits),
        ),
        Family(
            name="revops_jobs",
            help="Rebalances whose money is not settled, by what became of it so far.",
            labels=("state",),
            rows=_jobs,
        ),
        number(
            "revops_job_oldest_start_timestamp_seconds",
            "When the oldest of them was decided; without any, there is none.",
            _oldest,
        ),
        Family(
            name="revops_rebalances_lately",
            help="Rebalances of the last 90 days by how they ended.",
            labels=("ending",),
            rows=_ended,
        ),
    ),
)
