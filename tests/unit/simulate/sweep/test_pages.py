"""What a sweep found is told as it is: what failed has no place, and luck is called luck."""

import json

from rich.console import Console

from revops.core.units import Msat
from revops.simulate.sweep.cells import Cell, Failed, Numbers, Scene
from revops.simulate.sweep.grid import Entry, Grid
from revops.simulate.sweep.pages import as_csv, as_json, failures_told, standing_page, standings

WEEK, MONTH = Scene("mixed_5", 7), Scene("steady_sink", 30)
CONFIGS = {"base": 1000, "dear": 3000, "\x1b[2Jcheap": 500, "same": 1000}


def grid_of(seeds: int, *stages: Scene) -> Grid:
    entries = [Entry(name, (("max-fee-ppm", str(net)),)) for name, net in CONFIGS.items()]
    entries[-1] = Entry("same", entries[0].options)
    return Grid(stages or (WEEK,), tuple(range(seeds)), tuple(entries))


def numbers(net_sat: int, violations: int = 0) -> Numbers:
    return Numbers(
        income_msat=Msat(net_sat * 2000),
        spent_msat=Msat(net_sat * 1500),
        left_msat=Msat(net_sat * 500),
        updates=1.25,
        depleted=0.5,
        saturated=0.25,
        violations=violations,
        cpu_s=0,
    )


def found(grid: Grid) -> dict[Cell, Numbers]:
    """
    Return what cells of *grid* came to: more with each seed, and a quarter of all in the month.
    """
    return {
        cell: numbers(
            (int(dict(cell.options)["max-fee-ppm"]) + cell.seed) // (1 + 3 * (cell.stage == MONTH))
        )
        for cell in grid.cells()
    }


def page_of(grid: Grid, results: dict[Cell, Numbers], top: int = 20) -> str:
    console = Console(width=140, color_system=None)
    with console.capture() as capture:
        for standing in standings(grid, results, top):
            console.print(standing_page(standing, grid))
    return capture.get()


def test_a_config_that_failed_with_a_seed_has_no_place() -> None:
    """
    Means over different seeds are not compared; what failed is told, and why.
    """
    grid = grid_of(6)
    results = found(grid)
    lost = Cell(WEEK, grid.entries[1].options, 4)
    del results[lost]
    failures = {lost: Failed("it is too hot")}
    told = json.loads(as_json(grid, standings(grid, results, 20), failures))

    assert [c["name"] for c in told["standings"][0]["configs"]] == ["base", "same", "\x1b[2Jcheap"]
    assert told["failed"] == [
        {"stage": "mixed_5", "config": "dear", "seed": 4, "why": "it is too hot"}
    ]
    assert list(failures_told(grid, failures)) == ["mixed_5, seed 4, dear: it is too hot"]
    assert "1 of 4 configs failed with a seed and have no place" in page_of(grid, results)


def test_without_the_base_nothing_is_compared() -> None:
    """
    Where the base failed, the others are ranked all the same.
    """
    grid = grid_of(6)
    results = found(grid)
    del results[Cell(WEEK, grid.base.options, 0)]
    (standing,) = standings(grid, results, 20)

    assert [row.name for row in standing.rows] == ["dear", "\x1b[2Jcheap"]
    assert [row.ahead for row in standing.rows] == [None, None]


def test_of_many_failures_a_screen_is_told() -> None:
    """
    A thousand sentences would hide the first one.
    """
    grid = grid_of(30)
    told = list(failures_told(grid, dict.fromkeys(grid.cells(), Failed("it is too hot"))))

    assert len(told) == 11
    assert told[-1] == "and 80 more that came to nothing"


def test_the_difference_from_the_base_is_taken_seed_by_seed() -> None:
    """
    With the same luck for both, a config that is always 2000 sat ahead is so without any doubt.
    """
    (standing,) = standings(grid_of(6), found(grid_of(6)), 20)
    dear, base, same, cheap = standing.rows

    assert base.ahead is None
    assert dear.ahead
    assert (dear.ahead.msat.low, dear.ahead.msat.mean, dear.ahead.msat.high) == (2e6,) * 3
    assert dear.ahead.wins == 1
    assert same.ahead
    assert (same.ahead.msat.mean, same.ahead.wins) == (0, 0.5)
    assert cheap.ahead
    assert cheap.ahead.wins == 0


def test_few_seeds_tell_nothing_about_luck() -> None:
    """
    Below five seeds a difference has no interval, and the page says why.
    """
    grid = grid_of(4)
    (standing,) = standings(grid, found(grid), 20)

    assert standing.rows[0].ahead
    assert standing.rows[0].ahead.msat.low is None
    assert "fewer than 5 seeds do not tell what is luck" in page_of(grid, found(grid))


def test_the_base_is_shown_wherever_it_stands() -> None:
    """
    The best are shown, and how many there are.
    """
    page = page_of(grid_of(5), found(grid_of(5)), top=1)

    assert "dear" in page
    assert "base" in page
    assert "same" not in page
    assert "2 of 4 configs are shown" in page


def test_stages_are_ranked_one_by_one_and_together() -> None:
    """
    Two stages make three rankings, the last one over both.
    """
    grid = grid_of(5, WEEK, MONTH)
    week, month, both = standings(grid, found(grid), 20)

    assert (week.stages, month.stages, both.stages) == ((WEEK,), (MONTH,), (WEEK, MONTH))
    assert week.rows[0].net_msat + month.rows[0].net_msat == 2 * both.rows[0].net_msat
    assert "all 2 together, mean of 5 seeds" in page_of(grid, found(grid))


def test_orders_out_of_bounds_are_told() -> None:
    """
    A config that broke a bound may have earned most; that is no secret then.
    """
    grid = grid_of(5)
    results = found(grid) | {Cell(WEEK, grid.entries[1].options, 0): numbers(9999, violations=3)}

    assert "dear: 3 orders were out of bounds" in page_of(grid, results)


def test_a_name_moves_no_cursor() -> None:
    """
    Names are shown as text, whatever is in them.
    """
    assert "\x1b" not in page_of(grid_of(5), found(grid_of(5)))
    assert "�[2Jcheap" in page_of(grid_of(5), found(grid_of(5)))


def test_lines_have_the_value_of_each_option() -> None:
    """
    An option that a config leaves alone has its default there.
    """
    grid = Grid((WEEK,), (0,), (Entry("base", ()), Entry("x", (("max-fee-ppm", "7"),))))
    results = {cell: numbers(1) for cell in grid.cells()}

    assert as_csv(grid, results).splitlines() == [
        (
            "stage,days,seed,config,max-fee-ppm,income_msat,spent_msat,left_msat,net_msat,"
            "updates,depleted,saturated,violations"
        ),
        "mixed_5,7,0,base,5000,2000,1500,500,1000,1.25,0.5,0.25,0",
        "mixed_5,7,0,x,7,2000,1500,500,1000,1.25,0.5,0.25,0",
    ]
