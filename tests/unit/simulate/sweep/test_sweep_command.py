"""`simulate sweep`: what was played stays played, however it ended and wherever it goes on."""

import csv
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from revops.simulate.__main__ import app

COMMAND = (sys.executable, "-m", "revops.simulate", "sweep")
GRID = """
scenario = "mixed_5"
days = 1
seeds = "0-4"

[grid]
max-fee-ppm = [900]
"""
CELLS = 10
PATIENCE = 120


@pytest.fixture(name="grid")
def _grid(tmp_path: Path) -> Path:
    path = tmp_path / "grid.toml"
    path.write_text(GRID)
    return path


def _hears() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def sweep(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["sweep", *map(str, words)])


def kept(grid: Path) -> dict[str, str]:
    """
    Return what is kept beside *grid*: with the time that each cell took, which is never the same.
    """
    if not grid.with_suffix(".sqlite").exists():
        return {}
    with closing(sqlite3.connect(grid.with_suffix(".sqlite"))) as database:
        try:
            return dict(database.execute("SELECT key, value FROM results"))
        except sqlite3.OperationalError:
            return {}


def begin(grid: Path, cells: int) -> subprocess.Popen[str]:
    """
    Return the command as a terminal runs it, when so many cells are kept.
    """
    process = subprocess.Popen(
        (*COMMAND, grid, "--jobs", "2"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever runs the tests may be deaf to Ctrl-C, which is inherited.
        preexec_fn=_hears,  # noqa: PLW1509 -- no thread runs here
    )
    deadline = time.monotonic() + PATIENCE
    while len(kept(grid)) < cells:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def test_configs_are_ranked_beside_the_base(grid: Path) -> None:
    """
    The table has a row for each config, the best on top; the lines say the same, to their owner.
    """
    lines = grid.with_suffix(".csv")
    page = sweep(grid, "--csv", lines, "--jobs", "1")
    told = json.loads(sweep(grid, "--json").stdout)
    rows = list(csv.DictReader(lines.read_text().splitlines()))
    (standing,) = told["standings"]
    nets = [config["net_msat"] for config in standing["configs"]]

    assert (page.exit_code, page.stderr) == (0, "")
    assert "mixed_5, 1 d, mean of 5 seeds" in page.stdout
    assert "max-fee-ppm=900" in page.stdout
    assert nets == sorted(nets, reverse=True)
    assert len(rows) == CELLS
    assert stat.S_IMODE(lines.stat().st_mode) == 0o600
    for config in standing["configs"]:
        mine = [int(row["net_msat"]) for row in rows if row["config"] == config["name"]]
        assert round(sum(mine) / 5) == config["net_msat"]
    assert {row["max-fee-ppm"] for row in rows} == {"5000", "900"}


def test_a_second_sweep_plays_what_is_new(grid: Path) -> None:
    """
    A grid that grew is played where it grew, and what went is not shown.
    """
    sweep(grid, "--jobs", "1")
    before = kept(grid)
    grid.write_text(GRID.replace("900", "900, 40").replace("0-4", "3-5"))
    told = json.loads(sweep(grid, "--json", "--jobs", "1").stdout)
    after = kept(grid)

    assert before.items() <= after.items()
    assert len(before) == CELLS
    assert len(after) == CELLS + 2 + 3
    assert [len(standing["configs"]) for standing in told["standings"]] == [3]


def test_what_other_sources_played_is_not_used(grid: Path) -> None:
    """
    Results of another version of revops stay where they are, beside those of this one.
    """
    grid.write_text(GRID.replace("0-4", "0-1"))
    sweep(grid, "--jobs", "1")
    with closing(sqlite3.connect(grid.with_suffix(".sqlite"))) as database, database:
        database.execute('UPDATE results SET key = replace(key, \'"sweep", "\', \'"sweep", "0\')')
    others = kept(grid)
    sweep(grid, "--jobs", "1")

    assert len(kept(grid)) == 2 * len(others)
    assert others.items() <= kept(grid).items()


def test_what_is_killed_goes_on_where_it_was(grid: Path) -> None:
    """
    A sweep that is killed loses the cells under way and no other, and leaves no process behind; in
    the end it says what an undisturbed one says.
    """
    process = begin(grid, 3)
    process.kill()
    process.communicate(timeout=PATIENCE)
    before = kept(grid)
    resumed = sweep(grid, "--json", "--jobs", "1")
    undisturbed = sweep(grid, "--json", "--jobs", "1", "--store", grid.with_name("other"))

    assert 3 <= len(before) < CELLS
    assert before.items() <= kept(grid).items()
    assert resumed.stdout == undisturbed.stdout
    assert resumed.exit_code == 0
    assert not is_any_left(process.pid)


def test_ctrl_c_keeps_what_is_done(grid: Path) -> None:
    """
    Ctrl-C, which a terminal sends to the workers as well, ends it at once and without a traceback;
    it says how to go on.
    """
    process = begin(grid, 3)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    page, told = process.communicate(timeout=PATIENCE)
    count = len(kept(grid))

    assert process.returncode == 130
    assert page == ""
    place = grid.with_suffix(".sqlite")
    assert (
        told == f"stopped\n{count} of {CELLS} cells are kept in {place}; the same command goes on\n"
    )
    assert 3 <= count < CELLS
    assert time.monotonic() - began < 60
    assert not is_any_left(process.pid)


def test_ctrl_c_at_the_very_beginning_is_no_different(grid: Path) -> None:
    """
    Workers that are just about to start make no noise either.
    """
    process = begin(grid, 0)
    while not grid.with_suffix(".sqlite").exists():
        time.sleep(0.01)
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert "Traceback" not in told


def is_any_left(group: int) -> bool:
    """
    Say whether any process of a *group* is still there after a while.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def test_bad_input_is_told_in_a_sentence(grid: Path, tmp_path: Path) -> None:
    """
    What cannot be played or kept ends with exit code 2 and names what is wrong.
    """
    nowhere = sweep(tmp_path / "none.toml")
    assert (nowhere.exit_code, nowhere.stdout) == (2, "")
    assert nowhere.stderr == f"{tmp_path / 'none.toml'}: No such file or directory\n"

    both = sweep(grid, "--jobs", "1", "--dask", "tcp://127.0.0.1:1")
    assert both.exit_code == 2
    assert "--jobs is for this machine" in both.stderr

    other = sweep(grid, "--store", grid)
    assert other.exit_code == 2
    assert "holds no results" in other.stderr

    grid.write_text(GRID + "[base]\nmin-fee-ppm = -1")
    wrong = sweep(grid)
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith(f"{grid}: [base]: min-fee-ppm: expected a whole number from 0")
