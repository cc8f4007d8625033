"""`simulate arena`: who is better, in the forms in which one asks."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from revops.simulate import arena_command
from revops.simulate.__main__ import app
from revops.simulate.arena.policies import CORES, PRICING, REFILLING
from revops.simulate.arena.scenarios import SCENARIOS

TWO = ("--policy", "static-50", "clboss+refills", "--seeds", "1-2", "--days", "8")
LONG = ("--scenario", "mixed_20", "--policy", "clboss", "--seeds", "0-39")
NO_NUMBER = re.compile(r'"cpu_(?:s|us)": [\d.e-]+')


def _hears() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def arena(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["arena", "--jobs", "1", *map(str, words)])


def test_several_words_may_follow_an_option(tmp_path: Path) -> None:
    """
    Names after one option, in a list with commas or each after an option of its own: they are the
    same question, and what is kept is answered without playing again, to the byte.
    """
    kept = ("--store", tmp_path / "kept", "--json")
    first = arena("--scenario", "mixed_5", "mixed_20", *TWO, *kept)
    commas = arena("--scenario", "mixed_5,mixed_20", *TWO, *kept)
    apart = arena("--scenario", "mixed_5", *TWO, "--scenario", "mixed_20", *kept)
    found = json.loads(first.stdout)

    assert (first.exit_code, first.stderr) == (0, "")
    assert [board["scenario"] for board in found["scenarios"]] == ["mixed_5", "mixed_20"]
    assert first.stdout == commas.stdout == apart.stdout


def test_the_same_seed_is_the_same_answer() -> None:
    """
    Played twice, in one process or in several, every number but the CPU's is the same.
    """
    here = arena("--scenario", "mixed_5", *TWO, "--json").stdout
    there = simulate("--scenario", "mixed_5", *TWO, "--json", "--jobs", "2")

    assert NO_NUMBER.sub("", there.stdout) == NO_NUMBER.sub("", here)
    assert there.stderr == ""


def test_machines_are_told_everything() -> None:
    """
    Every cell is there to the msat with its days, beside what the oracles came to; the command
    is the one that plays it again.
    """
    found = json.loads(arena("--scenario", "mixed_5", *TWO, "--json").stdout)
    (board,) = found["scenarios"]
    cells = [cell for standing in board["standings"] for cell in standing["cells"]]

    assert found["command"] == (
        "python -m revops.simulate arena --scenario mixed_5 --policy static-50 clboss+refills"
        " --seeds 1-2 --days 8"
    )
    assert board["seeds"] == [oracle["seed"] for oracle in board["oracles"]] == [1, 2]
    assert len(cells) == 4
    for cell in cells:
        assert cell["net_msat"] == cell["income_msat"] - cell["spent_msat"] + cell["left_msat"]
        assert sum(cell["by_day"]) == cell["income_msat"] - cell["spent_msat"]


def test_people_are_told_what_the_numbers_mean() -> None:
    """
    Under the tables each column has its sentence; what is not a terminal gets no colour.
    """
    page = arena("--scenario", "mixed_5", *TWO).stdout

    assert "\x1b" not in page
    assert SCENARIOS["mixed_5"].about in page
    for head in ("sat/day", "% of O_static", "behind", "updates", "refills", "µs"):
        assert f"\n{head}: " in page
    assert max(map(len, page.splitlines())) <= 120


def test_pages_are_written(tmp_path: Path) -> None:
    """
    The document says how it came about; the browser's page holds all that it shows.
    """
    document, page = tmp_path / "arena.md", tmp_path / "arena.html"
    done = arena("--scenario", "mixed_5", *TWO, "--markdown", document, "--html", page)

    assert done.exit_code == 0
    text = document.read_text("utf-8")
    assert "`python -m revops.simulate arena --scenario mixed_5 --policy static-50" in text
    assert "| static-50 |" in text
    assert "{" not in text
    assert "mixed_5: 12 channels, 8 days, 2 seeds, 1 to 2" in page.read_text("utf-8")


def test_who_can_play_is_listed() -> None:
    """
    Every scenario and every policy has its sentence.
    """
    page = arena("--list").stdout

    for name in (*SCENARIOS, *CORES, *PRICING, *REFILLING):
        assert re.search(rf"^  {re.escape(name)}: \w+", page, re.MULTILINE)


def test_all_is_everyone() -> None:
    """
    `all` stands for every scenario or policy, and further ones may follow.
    """
    climber = "core,fee-optimizer=hill-climb"
    asked = arena_command._Wanted(
        scenarios=arena_command._scenarios(["all"]),
        policies=arena_command._policies(["all", climber]),
        seeds=range(100, 130),
        days=None,
    )

    assert asked.scenarios == tuple(SCENARIOS)
    assert set(asked.policies) == {*CORES, *PRICING, *REFILLING, climber}
    assert asked.command.endswith(f"arena --scenario all --policy all {climber} --seeds 100-129")
    assert len(asked.sittings()) == 30 * len(SCENARIOS)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--scenario", "nowhere"], "--scenario: there is no 'nowhere', but all, balanced_20, "),
        (["--policy", "core", "nobody"], "there is no policy 'nobody', but core, "),
        (["--policy", "core,max-fee=1"], "max-fee: there is no such option"),
        (["--policy", "core,min-fee-ppm=x"], "min-fee-ppm"),
        (["--seeds", "9-1"], "--seeds: expected A-B with at most 1000 seeds, got '9-1'"),
        (["--seeds", "all"], "got 'all'"),
        (["--seeds", "0-5000"], "got '0-5000'"),
        (["--store", "/"], "--store: '/' holds no results"),
        (["--html", "/nowhere/page.html"], "/nowhere/page.html: No such file"),
    ],
)
def test_what_cannot_be_played_is_said(words: list[str], sentence: str) -> None:
    """
    A wrong name or value ends with exit code 2 and one line that names it, before anything plays.
    """
    done = arena(*words)

    assert done.exit_code == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_who_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """
    What was played before the power went is kept as it was; the rest is played then.
    """
    store = tmp_path / "kept"
    with subprocess.Popen(command(*LONG, "--jobs", "1", "--store", store)) as life:
        before = some_kept(store)
        life.send_signal(signal.SIGKILL)
    done = arena(*LONG[:-1], "0-3", "--store", store, "--json")
    (board,) = json.loads(done.stdout)["scenarios"]

    assert len(board["standings"][0]["cells"]) == 4
    assert before.items() <= results(store).items()


def test_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    """
    Ctrl-C ends every process, says how much is kept, and leaves it there.
    """
    store = tmp_path / "kept"
    life = subprocess.Popen(
        command(*LONG, "--jobs", "2", "--store", store),
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests may be deaf to Ctrl-C, which is inherited.
        preexec_fn=_hears,  # noqa: PLW1509 -- no thread runs here
    )
    before = some_kept(store)
    life.send_signal(signal.SIGINT)
    _, told = life.communicate(timeout=30)

    assert life.returncode == 130
    assert re.fullmatch(rf"\d+ of 40 cells are kept in {store}; the same command goes on\n", told)
    assert before.items() <= results(store).items()


def simulate(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, check=True)


def command(*words: str | Path) -> Sequence[str]:
    return (sys.executable, "-m", "revops.simulate", "arena", *map(str, words))


def some_kept(store: Path) -> dict[str, str]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if found := results(store):
            return found
        time.sleep(0.05)
    raise TimeoutError(os.fspath(store))


def results(store: Path) -> dict[str, str]:
    if not store.exists():
        return {}
    with closing(sqlite3.connect(store)) as database:
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return dict(database.execute("SELECT * FROM results")) if tables[0] else {}
