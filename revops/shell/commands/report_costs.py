"""Costs in a report: what each kind came to of late and in all, and which channels had any."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from revops.core.costs import Kind, estimate
from revops.core.ledger import Cost
from revops.core.profit import Assessment
from revops.core.units import DAY, Instant, Msat, sats_down, sats_up
from revops.shell.commands.capital import budget_of
from revops.shell.commands.command import Answer
from revops.shell.commands.money import name_of, told
from revops.shell.readings import Reading

if TYPE_CHECKING:
    from revops.adapters.store import Store
    from revops.shell.app import App

_AGES: Final = (("last_24h", 1), ("last_7d", 7), ("last_30d", 30), ("total", None))
_KINDS: Final[tuple[tuple[str, Kind], ...]] = (
    ("opening_costs", "open"),
    ("closure_costs", "close"),
    ("splice_costs", "splice"),
)
_DEFAULTS: Final[tuple[tuple[str, Kind], ...]] = (
    ("channel_open_sats", "open"),
    ("channel_close_sats", "close"),
    ("splice_sats", "splice"),
)


def costs_by_age(app: "App", reading: Reading) -> Answer:
    """
    Return what each kind of cost came to in the last hours and days, and since ever.
    """
    store, now = app.store, app.clock.now()
    ages = {age: _paid(store, now, days) for age, days in _AGES}
    sums = {
        name: {key: value for age, paid in ages.items() for key, value in _sum(age, paid[name])}
        for name in ages["total"]
    }
    sums["splice_costs"]["summary"] = _splices(store, ages["total"]["splice_costs"].amount_msat)
    if reading.ledger.stray_life.refill_cost is None:  # Nobody ever looked for refills.
        sums["rebalance_costs"] = dict.fromkeys(sums["rebalance_costs"])
    perkw = store.costs.feerate_at(now)
    return {
        **sums,
        "rebalance_budget": budget_of(app),
        # What each would cost at the present feerate; null when that is unknown.
        "estimated_defaults": {
            name: None if perkw is None else sats_up(estimate(kind, perkw))
            for name, kind in _DEFAULTS
        },
    }


def _paid(store: "Store", now: Instant, days: int | None) -> dict[str, Cost]:
    start, end = Instant(0 if days is None else now - days * DAY), Instant(now + 1)
    chain = store.costs.sums(start, end)
    filled = store.costs.refill_sums(start, end).values()
    kinds = {name: [c for (_, k), c in chain.items() if k == kind] for name, kind in _KINDS}
    return {
        name: Cost(
            amount_msat=Msat(sum(cost.amount_msat for cost in costs)),
            estimated=any(cost.estimated for cost in costs),
        )
        for name, costs in kinds.items()
    } | {"rebalance_costs": Cost(amount_msat=Msat(sum(part.cost_msat for part in filled)))}


def _sum(age: str, cost: Cost) -> Iterator[tuple[str, Any]]:
    yield f"{age}_sats", sats_up(cost.amount_msat)
    yield f"{age}_msat", cost.amount_msat
    yield f"{age}_estimated", cost.estimated


def _splices(store: "Store", fees: Msat) -> Answer:
    changes = [
        splice.new_capacity_msat - splice.old_capacity_msat for splice in store.reports.splices()
    ]
    grown = [change for change in changes if change > 0]
    shrunk = [-change for change in changes if change < 0]
    return {
        "splice_count": len(changes),
        "splice_in_count": len(grown),
        "splice_out_count": len(shrunk),
        "total_splice_in_sats": sats_down(Msat(sum(grown))),
        "total_splice_out_sats": sats_down(Msat(sum(shrunk))),
        "total_fees_sats": sats_up(fees),
    }


def dearest(reading: Reading) -> list[Assessment]:
    """
    Return the channels that cost something in the window, or of which that is unknown; the
    dearest first.
    """
    found = [a for a in reading.assessments if a.window.costs.known_msat or a.window.costs.unknown]
    return sorted(found, key=lambda a: (-a.window.costs.known_msat, name_of(a.account)))


def cost_row(assessment: Assessment) -> Answer:
    """
    Return what one channel cost in the window.
    """
    shown = told(assessment.window)
    wanted = (name for name in shown if "cost" in name or name in {"estimated", "unknown"})
    row = {"channel_id": name_of(assessment.account), "peer_id": assessment.account.peer_id}
    return row | {name: shown[name] for name in wanted}
