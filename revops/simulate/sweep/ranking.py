"""Ranking: what each config earned, and how far beside the base, seed by seed."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import numpy as np

from revops.core.units import Msat
from revops.simulate.arena.measures import Mean, mean_of
from revops.simulate.sweep.cells import Cell, Numbers, Options, Stage
from revops.simulate.sweep.grid import Entry, Grid

TOO_FEW: Final = 5
"""With fewer seeds than that, nobody can say what is luck."""

Found = Mapping[Cell, Numbers]
"""What cells came to."""


@attrs.frozen
class Ahead:
    """
    By how much a config earned more than the base with the same seeds.

    Attributes:
        msat: Where the mean is, is told of enough seeds only.
        wins: Share of the seeds with which it earned more; a tie is half a win.
    """

    msat: Mean
    wins: float


@attrs.frozen(kw_only=True)
class Row:
    """
    What a config came to, on average over stages and seeds.

    Attributes:
        violations: The sum; `None` where nobody counts them.
        ahead: `None` for the base, and where that came to nothing.
    """

    name: str
    options: Options
    net_msat: Msat
    income_msat: Msat
    spent_msat: Msat
    left_msat: Msat
    updates: float
    depleted: float
    saturated: float
    violations: int | None
    ahead: Ahead | None


@attrs.frozen(kw_only=True)
class Standing:
    """
    The configs on some stages together.

    Attributes:
        rows: The one that earned most first, and the base, whatever its place.
        places: How many configs have one: those that came to something with every seed.
    """

    stages: tuple[Stage, ...]
    rows: tuple[Row, ...]
    places: int


def standing_of(grid: Grid, stages: Sequence[Stage], results: Found, top: int) -> Standing:
    """
    Return the *top* entries of *grid* on all of *stages* together, and the base.
    """
    placed = _placed(grid, stages, results)
    base = placed.get(grid.base)
    ranked = sorted(placed, key=lambda entry: -sum(run.net_msat for run in placed[entry]))
    rows = [
        _row(entry, placed[entry], None if entry is grid.base else base)
        for place, entry in enumerate(ranked)
        if place < top or entry is grid.base
    ]
    return Standing(stages=tuple(stages), rows=tuple(rows), places=len(placed))


def _placed(grid: Grid, stages: Sequence[Stage], results: Found) -> dict[Entry, list[Numbers]]:
    """
    Return what those entries came to that came to something on all *stages* with every seed.
    """
    placed = {}
    for entry in grid.entries:
        cells = [Cell(stage, entry.options, seed) for stage in stages for seed in grid.seeds]
        if all(cell in results for cell in cells):
            placed[entry] = [results[cell] for cell in cells]
    return placed


def _row(entry: Entry, runs: Sequence[Numbers], base: Sequence[Numbers] | None) -> Row:
    counted = [run.violations for run in runs if run.violations is not None]
    return Row(
        name=entry.name,
        options=entry.options,
        net_msat=_mean(_nets(runs)),
        income_msat=_mean([run.income_msat for run in runs]),
        spent_msat=_mean([run.spent_msat for run in runs]),
        left_msat=_mean([run.left_msat for run in runs]),
        updates=float(np.mean([run.updates for run in runs])),
        depleted=float(np.mean([run.depleted for run in runs])),
        saturated=float(np.mean([run.saturated for run in runs])),
        violations=sum(counted) if counted else None,
        ahead=None if base is None else _ahead(_nets(runs), _nets(base)),
    )


def _ahead(mine: Sequence[int], theirs: Sequence[int]) -> Ahead:
    gains = [a - b for a, b in zip(mine, theirs, strict=True)]
    gain = mean_of(gains) if len(gains) >= TOO_FEW else Mean(float(np.mean(gains)))
    return Ahead(gain, wins=float(np.mean([(gain > 0) + (gain == 0) / 2 for gain in gains])))


def _nets(runs: Sequence[Numbers]) -> list[int]:
    return [run.net_msat for run in runs]


def _mean(amounts: Sequence[int]) -> Msat:
    return Msat(round(sum(amounts) / len(amounts)))
