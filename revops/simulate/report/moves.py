"""Moves: what would be refilled, what is short and would not be, and why."""

from collections.abc import Mapping

from revops.core.plan import RebalancePlan
from revops.core.reasons import sentence
from revops.core.snapshot import Snapshot
from revops.core.units import Msat, sats_down, sats_up
from revops.simulate import refills
from revops.simulate.refills import Refill
from revops.simulate.report.blocks import Card, Cell, Column, Notes, Row, Section, Table
from revops.simulate.report.trails import facts, key_of, name_cell, share_cell, trails, why_cell

Sides = dict[str, Refill]
"""One channel under each config."""


def moves(snapshot: Snapshot, plans: Mapping[str, RebalancePlan | None]) -> Section:
    """
    Return a row for each channel that is short or would be filled, by side what becomes of it.
    """
    known = {name: plan for name, plan in plans.items() if plan}
    if not known:
        return _section(Notes(sentences=(refills.UNJUDGED,)))
    rows = [sides for sides in _rows(snapshot, known) if _concerns(sides)]
    columns = (
        Column(title="channel"),
        *(
            Column(title="filled" if len(known) == 1 else f"filled, {n}", number=True)
            for n in known
        ),
        Column(title="value, sat", number=True),
        Column(title="why", wide=True),
        Column(title="ours", number=True),
    )
    drawn = Table(
        title="Channels that are short",
        columns=columns,
        rows=tuple(map(_row, sorted(rows, key=_order))),
        only="only what would be filled",
        empty="no channel is short",
    )
    said = dict.fromkeys(sentence(r) for plan in known.values() for r in plan.node_trail)
    return _section(drawn, *([Notes(sentences=tuple(said), quiet=True)] if said else []))


def counted(snapshot: Snapshot, plan: RebalancePlan) -> Card:
    """
    Return how many refills would start, and what they would take.
    """
    starts = [r.start for r in refills.refills_of(snapshot, plan) if r.start]
    amount = sats_down(Msat(sum(start.amount_msat for start in starts)))
    cost = sats_up(Msat(sum(start.expected_fee_msat for start in starts)))
    return Card(
        label="refills that would start now",
        value=f"{len(starts)}",
        note=f"{amount:,} sat for about {cost:,} sat" if starts else "none is worth its cost",
    )


def _section(*blocks: Notes | Table) -> Section:
    return Section(
        title="What it would refill now",
        intro="What a refill is worth is the chance that it goes through, times what the sats will"
        " earn there, less what they would have earned where they are, less what the route costs."
        " Those that are worth enough start, the best first.",
        blocks=blocks,
    )


def _rows(snapshot: Snapshot, plans: Mapping[str, RebalancePlan]) -> list[Sides]:
    by_side = (refills.refills_of(snapshot, plan) for plan in plans.values())
    return [dict(zip(plans, together, strict=True)) for together in zip(*by_side, strict=True)]


def _concerns(sides: Sides) -> bool:
    return any(refill.short or refill.start for refill in sides.values())


def _filled(sides: Sides) -> bool:
    return any(refill.start for refill in sides.values())


def _order(sides: Sides) -> tuple[bool, int]:
    worth = max(refill.pair.get("ev_msat", 0) for refill in sides.values())
    return not _filled(sides), -worth


def _row(sides: Sides) -> Row:
    # The side that fills it has most to tell.
    telling = next((r for r in sides.values() if r.start), next(iter(sides.values())))
    worth = telling.pair.get("ev_msat")
    return Row(
        cells=(
            name_cell(telling.channel),
            *map(_amount, sides.values()),
            Cell(text="" if worth is None else f"{sats_down(worth):,}"),
            _why(sides),
            share_cell(telling.channel),
        ),
        marked=_filled(sides),
        key=key_of(telling.channel),
        facts=facts(telling.channel),
        trails=trails("refill", {name: r.decision for name, r in sides.items()}),
    )


def _amount(refill: Refill) -> Cell:
    start = refill.start
    if start is None:
        return Cell(text="no", tone="quiet")
    return Cell(
        text=f"{sats_down(start.amount_msat):,} sat",
        below=f"≤ {start.max_ppm:,} ppm, about {sats_up(start.expected_fee_msat):,} sat",
        tone="up",
    )


def _why(sides: Sides) -> Cell:
    return why_cell(
        {name: refills.why(refill).plain for name, refill in sides.items()},
        quiet=not _filled(sides),
    )
