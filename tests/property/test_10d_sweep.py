"""A sweep is what its grid says, in whatever order it is written, played or told."""

import itertools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from revops.core.config import changed_options, configured
from revops.core.units import Msat
from revops.simulate.sweep.cells import Cell, Node, Numbers, Scene
from revops.simulate.sweep.grid import Grid
from revops.simulate.sweep.grid_file import read_grid
from revops.simulate.sweep.pages import as_csv, as_json, standings

Axes = Mapping[str, Sequence[int | bool | float]]

VALUES: Axes = {
    "min-fee-ppm": [0, 10, 50],
    "max-fee-ppm": [100, 900, 5000],
    "scarcity-pricing": [True, False],
    "kelly-fraction": [0.1, 0.5, 1],
}
axes_drawn = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.sampled_from(values), min_size=1, unique=True)
        for name, values in VALUES.items()
    },
)
seeds_drawn = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6, unique=True)
scenarios_drawn = st.lists(st.sampled_from(["mixed_5", "mixed_20"]), min_size=1, unique=True)
numbers_drawn = st.builds(
    Numbers,
    income_msat=st.integers(0, 10**9).map(Msat),
    spent_msat=st.integers(0, 10**9).map(Msat),
    left_msat=st.integers(-(10**9), 10**9).map(Msat),
    updates=st.floats(0, 6),
    depleted=st.floats(0, 1),
    saturated=st.floats(0, 1),
    violations=st.integers(0, 9),
    cpu_s=st.floats(0, 99),
)


def toml(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def grid_of(axes: Axes, seeds: Sequence[int], scenarios: Sequence[str]) -> Grid:
    lines = [f"scenario = {scenarios}", f"seeds = {toml(seeds)}", "[grid]"]
    lines += [f"{name} = {toml(values)}" for name, values in axes.items()]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "grid.toml"
        path.write_text("\n".join(lines))
        return read_grid(path)


@given(axes_drawn, seeds_drawn, scenarios_drawn)
def test_every_choice_meets_every_seed_on_every_stage(
    axes: Axes, seeds: Sequence[int], scenarios: Sequence[str]
) -> None:
    """
    A grid has each choice of one value for each option, and no other config but the base.
    """
    grid = grid_of(axes, seeds, scenarios)
    choices = itertools.product(*axes.values()) if axes else ()
    configs = [configured(dict(zip(axes, map(toml, choice), strict=True))) for choice in choices]
    expected = [tuple(sorted(changed_options(config).items())) for config in configs]
    played = {(cell.stage.name, cell.seed, cell.options) for cell in grid.cells()}

    assert [entry.options for entry in grid.entries] == [(), *expected]
    assert played == set(itertools.product(scenarios, seeds, [(), *expected]))
    assert len(list(grid.cells())) == len(played)


@given(st.data(), axes_drawn, seeds_drawn, scenarios_drawn)
def test_the_order_in_a_file_changes_no_cell(
    data: st.DataObject, axes: Axes, seeds: Sequence[int], scenarios: Sequence[str]
) -> None:
    """
    However options, values and seeds are ordered, the same is played and found again.
    """
    names = data.draw(st.permutations(list(axes)))
    shuffled = {name: data.draw(st.permutations(axes[name])) for name in names}
    one = grid_of(axes, seeds, scenarios)
    other = grid_of(shuffled, data.draw(st.permutations(seeds)), scenarios[::-1])

    assert {cell.key("s") for cell in one.cells()} == {cell.key("s") for cell in other.cells()}


@given(st.data(), axes_drawn, seeds_drawn, scenarios_drawn)
def test_the_order_of_playing_changes_no_ranking(
    data: st.DataObject, axes: Axes, seeds: Sequence[int], scenarios: Sequence[str]
) -> None:
    """
    Cells that come back in another order, after an interruption perhaps, make the same pages.
    """
    grid = grid_of(dict(itertools.islice(axes.items(), 2)), seeds[:3], scenarios)
    cells = list(grid.cells())
    results = {cell: data.draw(numbers_drawn) for cell in cells}
    other = {cell: results[cell] for cell in data.draw(st.permutations(cells))}

    assert as_json(grid, standings(grid, results, 9), {}) == as_json(
        grid, standings(grid, other, 9), {}
    )
    assert as_csv(grid, results) == as_csv(grid, other)


stages = st.one_of(
    st.builds(Scene, st.sampled_from(["mixed_5", "mixed_20"]), st.integers(1, 3)),
    st.builds(Node, st.sampled_from(["a", "mixed_5"]), st.integers(1, 3), st.binary(max_size=2)),
)
options_drawn = st.lists(
    st.tuples(st.sampled_from(["a", "b", "a=1"]), st.text("ab=,1", max_size=3)), max_size=2
).map(tuple)
cells_drawn = st.builds(Cell, stages, options_drawn, st.integers(0, 3))


@given(cells_drawn, cells_drawn, st.sampled_from("xy"), st.sampled_from("xy"))
def test_a_key_tells_all_that_decides(one: Cell, other: Cell, mine: str, theirs: str) -> None:
    """
    Two cells have one key if nothing that decides differs; where a snapshot lies decides nothing.
    """
    assert (one.key(mine) == other.key(theirs)) == (
        (deciding(one), mine) == (deciding(other), theirs)
    )


def deciding(cell: Cell) -> tuple[object, ...]:
    stage = cell.stage
    what = stage.page if isinstance(stage, Node) else stage.name
    return type(stage), what, stage.days, cell.options, cell.seed
