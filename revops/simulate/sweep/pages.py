"""Pages: what a sweep found, for people, for machines and for spreadsheets."""

import csv
import io
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from revops.adapters.strangers import plain
from revops.core.config import option_named
from revops.simulate.sweep.cells import Cell, Failed, Stage
from revops.simulate.sweep.grid import Grid
from revops.simulate.sweep.ranking import TOO_FEW, Ahead, Found, Row, Standing, standing_of

Failures = Mapping[Cell, Failed]

_COLUMNS: Final = (
    *("net sat", "beside base", "wins", "income", "refills", "left", "updates", "empty", "full"),
)
_SUMS: Final = ("income_msat", "spent_msat", "left_msat", "net_msat")
_SHARES: Final = ("updates", "depleted", "saturated", "violations")
_MANY: Final = 10
"""Among so many configs, luck alone puts one far ahead."""
_SCREEN: Final = 10


def standings(grid: Grid, results: Found, top: int) -> tuple[Standing, ...]:
    """
    Return the *top* configs on each stage, and on all together if there are several.
    """
    groups = [(stage,) for stage in grid.stages] + ([grid.stages] if len(grid.stages) > 1 else [])
    return tuple(standing_of(grid, stages, results, top) for stages in groups)


# For people ----------------------------------------------------------------------------------


def standing_page(standing: Standing, grid: Grid) -> RenderableType:
    """
    Return the configs of *standing* in a table, the best on top.
    """
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, collapse_padding=True)
    table.add_column("config", overflow="fold")
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for row in standing.rows:
        table.add_row(Text(plain(row.name)), *_words(row), style="" if row.ahead else "bold")
    title = Text(plain(_title(standing.stages, len(grid.seeds))), "bold")
    return Group(title, table, *(Text(note, "italic") for note in _notes(standing, grid)))


def _title(stages: Sequence[Stage], seeds: int) -> str:
    first, *others = stages
    what = f"all {len(stages)} together" if others else f"{first.name}, {first.days} d"
    return f"{what}, mean of {seeds} seed{'s' * (seeds > 1)}"


def _words(row: Row) -> Iterator[str]:
    yield _sats(row.net_msat)
    yield from _compared(row.ahead) if row.ahead else ("", "")
    yield from (_sats(amount) for amount in (row.income_msat, row.spent_msat, row.left_msat))
    yield f"{row.updates:.2f}"
    yield from (f"{share:.0%}" for share in (row.depleted, row.saturated))


def _compared(ahead: Ahead) -> Iterator[str]:
    gain = ahead.msat
    luck = ""
    if gain.low is not None and gain.high is not None:
        luck = f" ({_sats(gain.low, '+')} … {_sats(gain.high, '+')})"
    yield _sats(gain.mean, "+") + luck
    yield f"{ahead.wins:.0%}"


def _sats(msat: float, sign: str = "") -> str:
    return f"{msat / 1000:{sign},.0f}"


def _notes(standing: Standing, grid: Grid) -> Iterator[str]:
    shown, entries = len(standing.rows), len(grid.entries)
    if shown < standing.places:
        yield f"{shown} of {standing.places} configs are shown"
    if standing.places < entries:
        failed = entries - standing.places
        yield f"{failed} of {entries} configs failed with a seed and have no place"
    for row in standing.rows:
        if row.violations:
            yield f"{plain(row.name)}: {row.violations} orders were out of bounds"
    if len(grid.seeds) < TOO_FEW:
        yield f"fewer than {TOO_FEW} seeds do not tell what is luck"
    elif standing.places >= _MANY:
        yield f"the first of {standing.places} was lucky as well: try it and base with other seeds"


def failures_told(grid: Grid, failures: Failures) -> Iterator[str]:
    """
    Return a sentence for each cell that came to nothing, though not for more than a screen holds.
    """
    for stage, config, seed, why in itertools.islice(_failed(grid, failures), _SCREEN):
        yield f"{stage}, seed {seed}, {config}: {why}"
    if len(failures) > _SCREEN:
        yield f"and {len(failures) - _SCREEN} more that came to nothing"


def _failed(grid: Grid, failures: Failures) -> Iterator[tuple[str, str, int, str]]:
    names = {entry.options: entry.name for entry in reversed(grid.entries)}
    for cell in grid.cells():
        if cell in failures:
            yield cell.stage.name, names[cell.options], cell.seed, failures[cell].why


# For machines --------------------------------------------------------------------------------


def as_json(grid: Grid, found: Sequence[Standing], failures: Failures) -> str:
    """
    Return the standings and failures of *grid*, the same text for the same results.
    """
    failed = [
        {"stage": stage, "config": config, "seed": seed, "why": why}
        for stage, config, seed, why in _failed(grid, failures)
    ]
    standings_ = [_standing(standing) for standing in found]
    document = {"seeds": grid.seeds, "standings": standings_, "failed": failed}
    return json.dumps(document, indent=1) + "\n"


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "stages": [{"name": stage.name, "days": stage.days} for stage in standing.stages],
        "places": standing.places,
        "configs": [{**attrs.asdict(row), "options": dict(row.options)} for row in standing.rows],
    }


# For spreadsheets ----------------------------------------------------------------------------


def as_csv(grid: Grid, results: Found) -> str:
    """
    Return a line for each config, stage and seed that came to something, with the value of every
    option that is not the same in all configs' lists.
    """
    options = sorted({name for entry in grid.entries for name, _ in entry.options})
    page = io.StringIO()
    lines = csv.writer(page, lineterminator="\n")
    lines.writerow(["stage", "days", "seed", "config", *options, *_SUMS, *_SHARES])
    for stage in grid.stages:
        for seed in grid.seeds:
            for entry in grid.entries:
                numbers = results.get(Cell(stage, entry.options, seed))
                if numbers is None:
                    continue
                mine = dict(entry.options)
                values = [mine.get(name, _default(name)) for name in options]
                found = [getattr(numbers, name) for name in (*_SUMS, *_SHARES)]
                lines.writerow([stage.name, stage.days, seed, entry.name, *values, *found])
    return page.getvalue()


def _default(name: str) -> str:
    option = option_named(name)
    return option.format(option.default)
