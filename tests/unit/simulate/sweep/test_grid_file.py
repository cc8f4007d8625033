"""A grid is what its file says, and a file that says nothing sensible is refused in sentences."""

import json
from pathlib import Path

import pytest

from revops.core.config import Config
from revops.core.option import ConfigError
from revops.simulate.sweep.cells import Node, Scene
from revops.simulate.sweep.grid import Grid
from revops.simulate.sweep.grid_file import read_grid

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
SMALL = """
scenario = "mixed_20"
days = 1
seeds = "0-1"
"""


def read(tmp_path: Path, text: str | bytes) -> Grid:
    path = tmp_path / "grid.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_grid(path)


def refused(tmp_path: Path, text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refusal:
        read(tmp_path, text)
    problems = refusal.value.problems
    assert all(problem.startswith(f"{tmp_path / 'grid.toml'}: ") for problem in problems)
    return tuple(problem.removeprefix(f"{tmp_path / 'grid.toml'}: ") for problem in problems)


def test_values_of_options_are_multiplied(tmp_path: Path) -> None:
    """
    The base comes first, then each choice of one value for every option, then what is written out.
    """
    grid = read(
        tmp_path,
        SMALL
        + """
        [base]
        min-fee-ppm = 20
        [grid]
        max-fee-ppm = [500, 2000]
        scarcity-pricing = [true, false]
        [[config]]
        name = "careful"
        kelly-fraction = 0.25
        """,
    )

    assert [entry.name for entry in grid.entries] == [
        "base",
        "max-fee-ppm=500, scarcity-pricing=true",
        "max-fee-ppm=500, scarcity-pricing=false",
        "max-fee-ppm=2000, scarcity-pricing=true",
        "max-fee-ppm=2000, scarcity-pricing=false",
        "careful",
    ]
    assert grid.base.options == (("min-fee-ppm", "20"),)
    assert dict(grid.entries[-1].options) == {"kelly-fraction": "0.25", "min-fee-ppm": "20"}
    assert grid.stages == (Scene("mixed_20", 1),)
    assert grid.seeds == (0, 1)
    assert len(list(grid.cells())) == 2 * 6


def test_without_days_a_scenario_is_played_to_its_end(tmp_path: Path) -> None:
    """
    Scenarios have their own lengths, and so do their cells.
    """
    grid = read(tmp_path, 'scenario = ["mixed_20", "large_fleet"]\nseeds = [7]')

    assert grid.stages == (Scene("mixed_20", 60), Scene("large_fleet", 30))


def test_configs_that_come_to_the_same_are_played_once(tmp_path: Path) -> None:
    """
    What is written out with the defaults is the base, under a name of its own.
    """
    default = Config().min_fee_ppm
    grid = read(tmp_path, SMALL + f"[grid]\nmin-fee-ppm = [{default}, 99]")

    assert len(grid.entries) == 3
    assert len(list(grid.cells())) == 2 * 2


def test_a_snapshot_is_read_beside_the_grid(tmp_path: Path) -> None:
    """
    The configs start from what the snapshot itself says, and its content makes the cell.
    """
    page = json.loads((EXAMPLES / "regtest.json").read_bytes())
    (tmp_path / "node.json").write_text(json.dumps({**page, "config": {"max-fee-ppm": "800"}}))
    grid = read(tmp_path, 'snapshot = "node.json"\ndays = 2\nseeds = [1]\n[base]\nmin-fee-ppm = 5')
    (node,) = grid.stages

    assert isinstance(node, Node)
    assert (node.name, node.days) == ("node.json", 2)
    assert dict(grid.base.options) == {"max-fee-ppm": "800", "min-fee-ppm": "5"}


def test_raw_replies_are_a_node_too(tmp_path: Path) -> None:
    """
    A directory of lightningd's replies is played, and what is taken for granted is said.
    """
    (tmp_path / "replies").symlink_to(EXAMPLES / "regtest")
    grid = read(tmp_path, 'snapshot = "replies"\ndays = 2\nseeds = [1]')

    assert any("taken for granted" in note for note in grid.notes)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"\xff\xfe", "not TOML"),
        ("scenario = ", "not TOML"),
        ("a = " + "[" * 5000, "not TOML"),
        (SMALL + "[grids]", "grids: expected one of scenario, snapshot, days, seeds, base, grid"),
        ('seeds = "0-1"', "scenario, snapshot: expected one of the two"),
        (SMALL + 'snapshot = "a.json"', "scenario, snapshot: expected one of the two"),
        ('scenario = "mixed"\nseeds = [1]', "scenario: expected balanced_20, mixed_20"),
        ("scenario = [1]\nseeds = [1]", "got 1"),
        ("scenario = []\nseeds = [1]", "scenario: expected a list of some, got []"),
        ("scenario = 5\nseeds = [1]", "scenario: expected a list of some, got 5"),
        ('scenario = ["mixed_5", "mixed_5"]\nseeds = [1]', "scenario: 'mixed_5' is there twice"),
        ('scenario = "mixed_5"\ndays = 61\nseeds = [1]', "days: mixed_5 has 60, got 61"),
        ('scenario = "mixed_5"\ndays = 0\nseeds = [1]', "days: expected a whole number from 1"),
        ('scenario = "mixed_5"\ndays = true\nseeds = [1]', "got True"),
        ('snapshot = "a.json"\nseeds = [1]', "days: expected with a snapshot"),
        ("snapshot = 5\ndays = 1\nseeds = [1]", "snapshot: expected a path, got 5"),
        ('scenario = "mixed_5"', 'seeds: expected "FIRST-LAST" or a list'),
        ('scenario = "mixed_5"\nseeds = 3', "got 3"),
        ('scenario = "mixed_5"\nseeds = "5-3"', "got '5-3'"),
        ('scenario = "mixed_5"\nseeds = "0-4294967296"', "got '0-4294967296'"),
        ('scenario = "mixed_5"\nseeds = "many"', "got 'many'"),
        ('scenario = "mixed_5"\nseeds = []', "seeds: expected a list of some, got []"),
        ('scenario = "mixed_5"\nseeds = [1, 1]', "seeds: 1 is there twice"),
        ('scenario = "mixed_5"\nseeds = [-1]', "got [-1]"),
        ('scenario = "mixed_5"\nseeds = [true]', "got [True]"),
        ('scenario = "mixed_5"\nseeds = [0.5]', "got [0.5]"),
        (SMALL + "[base]\nmin-fee = 1", "[base]: min-fee: there is no such option"),
        (
            SMALL + '[base]\nmin-fee-ppm = "x"',
            "[base]: min-fee-ppm: expected a whole number from 0",
        ),
        (SMALL + "[base]\nmin-fee-ppm = 2.5", "got '2.5'"),
        (SMALL + "[base]\nmin-fee-ppm = true", "got 'true'"),
        (SMALL + "[base]\nkelly-fraction = nan", "got 'nan'"),
        (SMALL + "[base]\nkelly-fraction = inf", "got 'inf'"),
        (SMALL + "[base]\nmin-fee-ppm = [1]", "[base] min-fee-ppm: expected a single value"),
        (SMALL + "[base]\nmin-fee-ppm = 1979-05-27", "expected a single value, got datetime.date"),
        ("base = 1\n" + SMALL, "[base]: expected a table of options, got 1"),
        (SMALL + "[base]\nmin-fee-ppm = 6000", "config base: min-fee-ppm"),
        (SMALL + "[grid]\nmin-fee-ppm = 5", "[grid] min-fee-ppm: expected a list of some, got 5"),
        (SMALL + "[grid]\nmin-fee-ppm = []", "[grid] min-fee-ppm: expected a list of some, got []"),
        (SMALL + '[grid]\nmin-fee-ppm = [5, "5"]', "[grid] min-fee-ppm: 5 is there twice"),
        (SMALL + "[grid]\nmin-fee-ppm = [5, [6]]", "expected a single value, got [6]"),
        (SMALL + "[grid]\nmin-fee-ppm=[5]\nmin_fee_ppm=[6]", "[grid]: min-fee-ppm is there twice"),
        (SMALL + "[grid]\nmin-fee-ppm = [6000]", "config min-fee-ppm=6000: min-fee-ppm"),
        ("config = 1\n" + SMALL, "config: expected tables under [[config]], got 1"),
        ("config = [1]\n" + SMALL, "[[config]]: name: expected some text, got nothing"),
        (
            SMALL + "[[config]]\nmin-fee-ppm = 1",
            "[[config]]: name: expected some text, got nothing",
        ),
        (SMALL + "[[config]]\nname = 5", "[[config]]: name: expected some text, got 5"),
        (SMALL + '[[config]]\nname = ""', "[[config]]: name: expected some text, got ''"),
        (SMALL + '[[config]]\nname = "\\u001b[2J"', "[[config]]: name: expected some text"),
        (SMALL + '[[config]]\nname = "base"', "config base: there are two of this name"),
        (SMALL + '[[config]]\nname = "a"\n[[config]]\nname = "a"', "config a: there are two"),
        (SMALL + '[[config]]\nname = "a"\nfee = 1', "[[config]] a: fee: there is no such option"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, text: str | bytes, problem: str
) -> None:
    """
    The sentence names the file, the table, the key and the value.
    """
    (told, *_) = refused(tmp_path, text)

    assert problem in told


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """
    Nobody has to start again for each mistake.
    """
    told = refused(tmp_path, 'seeds = "x"\ndays = -1\n[base]\na = 1\nb = 2\n[grid]\nc = 3')

    assert len(told) == 6


def test_a_product_does_not_repeat_its_mistake_for_ever(tmp_path: Path) -> None:
    """
    Of many contradictions ten are told, and how many more there are.
    """
    values = ", ".join(map(str, range(6000, 6030)))
    told = refused(tmp_path, SMALL + f"[grid]\nmin-fee-ppm = [{values}]")

    assert len(told) == 11
    assert told[-1] == "and 20 more like these"


@pytest.mark.parametrize("seeds", ['"0-4294967295"', '"0-33333"'])
def test_a_grid_too_large_is_refused_with_its_number(tmp_path: Path, seeds: str) -> None:
    """
    A product that nobody would live to see is not even begun.
    """
    text = f'scenario = "mixed_5"\nseeds = {seeds}\n[grid]\nmin-fee-ppm = [1, 2]'
    (told,) = refused(tmp_path, text)

    assert "100000 is the most" in told
    assert told.startswith(("12884901888 cells: ", "100002 cells: "))


def test_a_snapshot_that_is_none_is_refused(tmp_path: Path) -> None:
    """
    What is wrong with it is told with its name.
    """
    grid = 'snapshot = "node.json"\ndays = 2\nseeds = [1]'
    (tmp_path / "node.json").write_text('{"schema": 1}')
    assert "snapshot node.json: $" in refused(tmp_path, grid)[0]

    page = json.loads((EXAMPLES / "regtest.json").read_bytes())
    (tmp_path / "node.json").write_text(json.dumps({**page, "channels": []}))
    assert "expected a node with channels" in refused(tmp_path, grid)[0]


def test_a_file_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    """
    Neither the grid nor its snapshot is made up.
    """
    with pytest.raises(FileNotFoundError):
        read_grid(tmp_path / "none.toml")
    with pytest.raises(FileNotFoundError):
        read(tmp_path, 'snapshot = "none.json"\ndays = 2\nseeds = [1]')
