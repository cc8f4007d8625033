"""Processes that end when whoever started them does."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from revops.simulate.workers import workers

LIFE = """
import os, sys, time
from revops.simulate.workers import workers

if __name__ == "__main__":
    with workers(2) as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(20)}, flush=True)
        pool.submit(time.sleep, 600).result()
"""


def test_work_is_done_elsewhere() -> None:
    """
    What is submitted is worked out in another process.
    """
    with workers(1) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
    assert multiprocessing.active_children() == []


def test_who_leaves_early_leaves_nobody_behind() -> None:
    """
    An exception ends the work that is under way at once.
    """
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        leave_early()

    assert multiprocessing.active_children() == []
    assert time.monotonic() - began < 60


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """
    Whoever is killed has no time to end its workers; they see it themselves.
    """
    script = tmp_path / "life.py"
    script.write_text(LIFE, "utf-8")
    life = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert life.stdout
    children = [int(word) for word in life.stdout.readline().split()]
    life.send_signal(signal.SIGKILL)
    life.wait()
    life.stdout.close()

    deadline = time.monotonic() + 30
    while any(is_alive(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children
    assert not any(is_alive(pid) for pid in children)


def leave_early() -> None:
    with workers(1) as pool:
        pool.submit(os.getpid).result()
        pool.submit(time.sleep, 600)
        time.sleep(0.5)  # so that it has begun
        raise KeyboardInterrupt


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
