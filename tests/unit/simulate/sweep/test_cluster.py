"""A Dask cluster plays a sweep as this machine does, and what it lacks is said."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import pytest
from distributed import LocalCluster
from typer.testing import CliRunner, Result

from revops.simulate.__main__ import app
from revops.simulate.sweep.cells import Cell, Failed, Scene
from revops.simulate.sweep.crews import cluster
from revops.simulate.sweep.playing import play_all

GRID = """
scenario = "mixed_5"
days = 1
seeds = "0-3"
"""


@pytest.fixture(name="workers", scope="module")
def _workers() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as workers:
        yield workers


def sweep(grid: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["sweep", str(grid), "--json", *words])


def slow_pid() -> int:
    time.sleep(0.5)
    return os.getpid()


def test_cells_are_played_by_two_processes(workers: LocalCluster) -> None:
    """
    Both workers of the cluster take part, and neither is this process.
    """
    with cluster(workers.scheduler_address) as crew, crew.executor(2) as executor:
        done = wait([executor.submit(slow_pid) for _ in range(2)]).done
        pids = {future.result() for future in done}

        assert crew.hands() == 2
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_a_cluster_comes_to_the_same(workers: LocalCluster, tmp_path: Path) -> None:
    """
    What two machines found is what one would have, to the last digit.
    """
    grid = tmp_path / "grid.toml"
    grid.write_text(GRID)
    there = sweep(grid, "--dask", workers.scheduler_address)
    here = sweep(grid, "--store", str(tmp_path / "other"), "--jobs", "1")

    assert (there.exit_code, there.stderr) == (0, "")
    assert there.stdout == here.stdout
    assert len(there.stdout) > 100


def test_a_worker_of_another_version_is_told(workers: LocalCluster) -> None:
    """
    A cell that other sources would play comes to nothing: no numbers are mixed.
    """
    with cluster(workers.scheduler_address) as crew:
        ((_, result),) = play_all([Cell(Scene("mixed_5", 1), (), 0)], crew, "of another day")

    assert isinstance(result, Failed)
    assert "other sources" in result.why


def test_a_cluster_that_is_not_there_is_said(tmp_path: Path) -> None:
    """
    Nobody waits for ever for a scheduler, and an address that is none is refused.
    """
    grid = tmp_path / "grid.toml"
    grid.write_text(GRID)
    answer = sweep(grid, "--dask", "nonsense")

    assert answer.exit_code == 1
    assert answer.stderr.startswith("--dask nonsense: missing port number")
    assert "0 of 4 cells are kept" in answer.stderr
