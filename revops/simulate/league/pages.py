"""Pages: the standings for people, on a terminal, in a document and a browser, and for machines."""

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

import attrs
from rich.console import RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from revops.simulate.arena.measures import EARLY_DAYS
from revops.simulate.arena.policies import CORES, about
from revops.simulate.arena.scenarios import SCENARIOS
from revops.simulate.league.columns import BEHAVED, EARNED, Column, shown
from revops.simulate.league.standings import Board, Standing
from revops.simulate.report import blocks
from revops.simulate.report.document import document

KINDS = (EARNED, BEHAVED)


def terminal(boards: Sequence[Board]) -> Iterator[RenderableType]:
    """
    Return the tables of all *boards*, and what their columns mean.
    """
    for board in boards:
        yield Rule(Text(f"{board.scenario}: {_facts(board)}"), align="left")
        yield Text(SCENARIOS[board.scenario].about)
        for columns in KINDS:
            yield _table(board, shown(columns, board.standings))
            yield Text()
    for head, words in _legend(boards):
        yield Text.assemble((head, "bold"), ": ", words)


def _table(board: Board, columns: tuple[Column, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column.head, justify="right" if number else "left", no_wrap=True)
    for standing in board.standings:
        own = standing.policy == board.reference
        cells = (column.text(standing) for column in columns)
        table.add_row(*cells, style="bold" if own else None)
    return table


def markdown(boards: Sequence[Board], command: str) -> str:
    """
    Return a document with all *boards* and how they were measured by *command*.
    """
    method = resources.files(__package__).joinpath("method.md").read_text(encoding="utf-8")
    policies = {standing.policy for board in boards for standing in board.standings}
    parts = {
        "{command}": command,
        "{comparison}": boards[0].reference,
        "{columns}": "\n".join(f"- **{head}**: {words}" for head, words in _legend(boards)),
        "{policies}": "\n".join(f"- `{name}`: {about(name)}" for name in sorted(policies)),
        "{boards}": "\n\n".join(map(_written, boards)),
    }
    for name, text in parts.items():
        method = method.replace(name, text)
    return method


def _written(board: Board) -> str:
    about_it = SCENARIOS[board.scenario].about
    tables = (_rows(board, shown(columns, board.standings)) for columns in KINDS)
    head = f"### `{board.scenario}`\n\n{about_it} {_facts(board).capitalize()}."
    return "\n\n".join((head, *tables))


def _rows(board: Board, columns: tuple[Column, ...]) -> str:
    lines = [
        [column.head for column in columns],
        ["---", *["---:"] * (len(columns) - 1)],
        *([column.text(standing) for column in columns] for standing in board.standings),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _facts(board: Board) -> str:
    seeds = board.seeds
    count = (
        f"{len(seeds)} seeds, {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    )
    return f"{SCENARIOS[board.scenario].channels} channels, {board.days} days, {count}"


def _legend(boards: Sequence[Board]) -> list[tuple[str, str]]:
    standings = tuple(standing for board in boards for standing in board.standings)
    columns = [column for kind in KINDS for column in shown(kind, standings)]
    return list(dict.fromkeys((column.head, column.about) for column in columns))


def machine(boards: Sequence[Board], command: str) -> str:
    """
    Return everything as JSON, each cell included.
    """
    found = {"command": command, "scenarios": [_board(board) for board in boards]}
    return json.dumps(found, indent=1) + "\n"


def _board(board: Board) -> dict[str, Any]:
    some = board.standings[0].cells
    return {
        "scenario": board.scenario,
        "about": SCENARIOS[board.scenario].about,
        "channels": SCENARIOS[board.scenario].channels,
        "days": board.days,
        "seeds": board.seeds,
        "reference": board.reference,
        "oracles": [{"seed": cell.seed, **attrs.asdict(cell.bounds)} for cell in some],
        "standings": [_standing(standing) for standing in board.standings],
    }


def _standing(standing: Standing) -> dict[str, Any]:
    rated = {"sat_per_day": standing.sat_per_day, "of_fluid": standing.of_fluid}
    maybe = {
        "of_static": standing.of_static,
        "of_regime": standing.of_regime,
        "lead": standing.lead,
        "refill_roi": standing.roi,
    }
    return {
        "policy": standing.policy,
        **{name: attrs.asdict(value) for name, value in rated.items()},
        **{name: attrs.asdict(value) if value else None for name, value in maybe.items()},
        "chance_by_holm": standing.chance,
        f"sat_per_day_until_{EARLY_DAYS}": standing.early_per_day,
        f"sat_per_day_after_{EARLY_DAYS}": standing.late_per_day,
        "cpu_us": standing.cpu_us,
        "regret_sat": standing.regret_sat,
        "cells": [
            {
                "seed": cell.seed,
                "net_msat": cell.score.net_msat,
                **attrs.asdict(cell.score),
                "cpu_s": cell.cpu_s,
            }
            for cell in standing.cells
        ],
    }


def browser(boards: Sequence[Board], command: str) -> str:
    """
    Return one HTML page with all *boards*.
    """
    legend = tuple(f"{head}: {words}" for head, words in _legend(boards))
    closing = blocks.Section(
        title="What the columns mean",
        intro=f"Made by {command}",
        blocks=(blocks.Notes(sentences=legend, quiet=True),),
    )
    facts = [f"all compared with {boards[0].reference}"]
    return document("The arena", facts, [*map(_section, boards), closing])


def _section(board: Board) -> blocks.Section:
    parts: list[blocks.Block] = [
        _sortable(title, board, shown(columns, board.standings))
        for title, columns in zip(("What it earned", "How it behaved"), KINDS, strict=True)
    ]
    for name, words in (("static", "never change"), ("regime", "change with the market")):
        bands = tuple(
            blocks.Band(name=standing.policy, low=line, middle=line, high=line)
            for standing in board.standings
            if standing.policy.partition(",")[0] in (*CORES, board.standings[0].policy)
            and (line := tuple(map(round, standing.regret_sat.get(name, ()))))
        )
        if bands:
            title = f"Earned less so far than the best prices that {words}"
            days = tuple(range(1, board.days + 1))
            parts.append(
                blocks.Lines(title=title, x_title="day", y_title="sat", x=days, bands=bands)
            )
    title = f"{board.scenario}: {_facts(board)}"
    return blocks.Section(title=title, intro=SCENARIOS[board.scenario].about, blocks=tuple(parts))


def _sortable(title: str, board: Board, columns: tuple[Column, ...]) -> blocks.Table:
    return blocks.Table(
        title=title,
        columns=tuple(
            blocks.Column(title=column.head, number=bool(number))
            for number, column in enumerate(columns)
        ),
        rows=tuple(
            blocks.Row(
                cells=tuple(blocks.Cell(text=column.text(standing)) for column in columns),
                key=standing.policy,
            )
            for standing in board.standings
        ),
    )
