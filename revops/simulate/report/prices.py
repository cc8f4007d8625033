"""Prices: what every channel would charge, and why."""

import math
from collections.abc import Mapping

from revops.core.actions import Hold
from revops.core.plan import Plan
from revops.core.reasons import sentence
from revops.core.snapshot import Snapshot
from revops.core.units import sats_down
from revops.simulate import table
from revops.simulate.report.blocks import Card, Cell, Column, Notes, Row, Section, Table
from revops.simulate.report.trails import facts, key_of, name_cell, share_cell, trails, why_cell

Sides = dict[str, table.Row]
"""One channel under each config."""


def prices(snapshot: Snapshot, plans: Mapping[str, Plan]) -> Section:
    """
    Return a row for each channel, by side what it would charge: changes first, then what stays.
    """
    rows = sorted(_rows(snapshot, plans), key=_stays)
    columns = (
        Column(title="channel"),
        *(Column(title="ppm" if len(plans) == 1 else f"ppm, {n}", number=True) for n in plans),
        Column(title="why", wide=True),
        Column(title="ours", number=True),
        Column(title="flow", minor=True),
        Column(title="capacity, sat", number=True, minor=True),
    )
    drawn = Table(
        title="Every channel",
        columns=columns,
        rows=tuple(map(_row, rows)),
        only="only what changes",
        empty="this node has no channels",
    )
    said = Notes(sentences=tuple(_node_lines(plans)), quiet=True)
    return Section(
        title="What it would charge now",
        intro="Open a channel to see each step of its decision.",
        blocks=(drawn, *([said] if said.sentences else [])),
    )


def counted(snapshot: Snapshot, plan: Plan) -> Card:
    """
    Return how many fees would change.
    """
    rows = table.rows_of(snapshot, plan)
    raised = sum(row.new_ppm > row.channel.fee_ppm for row in rows)
    lowered = sum(row.new_ppm < row.channel.fee_ppm for row in rows)
    changes = sum(not isinstance(row.decision.action, Hold) for row in rows)
    return Card(
        label="fees that would change now",
        value=f"{changes} of {len(rows)}",
        note=f"{raised} up, {lowered} down",
    )


def _rows(snapshot: Snapshot, plans: Mapping[str, Plan]) -> list[Sides]:
    by_side = (table.rows_of(snapshot, plan) for plan in plans.values())
    return [dict(zip(plans, together, strict=True)) for together in zip(*by_side, strict=True)]


def _stays(sides: Sides) -> bool:
    return all(isinstance(row.decision.action, Hold) for row in sides.values())


def _row(sides: Sides) -> Row:
    row = next(iter(sides.values()))
    channel, flow = row.channel, row.state.flow if row.state else None
    return Row(
        cells=(
            name_cell(channel),
            *map(_fee, sides.values()),
            _why(sides),
            share_cell(channel),
            Cell(text=flow.state.value if flow else "unknown"),
            Cell(text=f"{sats_down(channel.capacity_msat):,}"),
        ),
        marked=not _stays(sides),
        key=key_of(channel),
        facts=facts(channel),
        trails=trails("fee", {name: row.decision for name, row in sides.items()}),
    )


def _fee(row: table.Row) -> Cell:
    old, new = row.channel.fee_ppm, row.new_ppm
    moved = math.log((new + 1) / (old + 1))
    if isinstance(row.decision.action, Hold) or new == old:
        return Cell(text=f"{old:,}", by=0, tone="quiet")
    arrow, tone = ("▲", "up") if new > old else ("▼", "down")
    return Cell(text=f"{old:,} → {new:,} {arrow}", by=round(moved, 6), tone=tone)


def _why(sides: Sides) -> Cell:
    return why_cell(
        {name: table.why(row).plain for name, row in sides.items()}, quiet=_stays(sides)
    )


def _node_lines(plans: Mapping[str, Plan]) -> list[str]:
    # Once, where both sides say the same.
    return list(dict.fromkeys(sentence(r) for plan in plans.values() for r in plan.node_trail))
