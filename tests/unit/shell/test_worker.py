"""The worker: what is due when, and what a failure does."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fakes import FakeClock

from revops.adapters.errors import NoAnswerError
from revops.shell.logs import logger
from revops.shell.worker import Worker

INTERVAL = 1800


class Desk:
    """
    A worker on a job that a test may make fail, and what it logs.
    """

    def __init__(self) -> None:
        self.clock = FakeClock(1_795_000_000)
        self.interval = INTERVAL
        self.runs = 0
        self.trouble: Exception | None = None
        self.lines: list[tuple[str, str]] = []
        self.stopping = threading.Event()
        self.worker = Worker(
            name="fees",
            job=self._job,
            interval=lambda: self.interval,
            clock=self.clock,
            log=logger(lambda line, level: self.lines.append((level, line))),
            stopping=self.stopping,
        )

    def _job(self) -> None:
        self.runs += 1
        if self.trouble:
            raise self.trouble


@pytest.fixture
def desk() -> Desk:
    """
    A worker that has not run yet.
    """
    return Desk()


def test_the_next_run_is_an_interval_later_ten_percent_more_or_less(desk: Desk) -> None:
    """
    Runs are spread so that nodes do not move in step, and not all by the same share.
    """
    assert desk.worker.due_in() == 0
    waits = []
    for _ in range(50):
        desk.clock.pass_by(INTERVAL)
        desk.worker.run_once()
        waits.append(desk.worker.due_in())

    assert 0.9 * INTERVAL <= min(waits) < 0.95 * INTERVAL
    assert 1.05 * INTERVAL < max(waits) <= 1.1 * INTERVAL


def test_a_new_interval_counts_at_once(desk: Desk) -> None:
    """
    Who shortens the interval does not wait for the old one to end.
    """
    desk.worker.run_once()
    desk.clock.pass_by(120)
    desk.interval = 60

    assert desk.worker.due_in() < 0
    assert desk.worker.state().next_run == desk.clock.now()


@pytest.mark.parametrize(
    ("trouble", "tracebacks"), [(NoAnswerError("getinfo: silence"), 0), (KeyError("bug"), 1)]
)
def test_a_failure_is_told_and_tried_again_soon(
    desk: Desk, trouble: Exception, tracebacks: int
) -> None:
    """
    Whatever goes wrong, the worker goes on: it says so, keeps it for status, and comes back in a
    minute; only what nobody foresaw is worth a traceback.
    """
    desk.trouble = trouble
    desk.worker.run_once()
    state = desk.worker.state()

    assert state.last_ok is None
    assert state.last_error == f"{type(trouble).__name__}: {trouble}"
    assert state.next_run <= desk.clock.now() + 60
    [(level, line)] = desk.lines
    assert level == "broken"
    assert line.count("Traceback") == tracebacks

    desk.trouble = None
    desk.worker.run_once()

    assert desk.worker.state().last_ok == desk.clock.now()
    assert desk.worker.due_in() > 60


def test_three_intervals_without_success_are_a_stall(desk: Desk) -> None:
    """
    A loop that hangs or only fails is called stalled.
    """
    desk.worker.run_once()
    desk.trouble = KeyError("bug")
    for _ in range(3):
        desk.clock.pass_by(INTERVAL)
        desk.worker.run_once()
    assert not desk.worker.state().stalled
    desk.clock.pass_by(1)

    assert desk.worker.state().stalled


def run(desk: Desk, meanwhile: Callable[[], Any]) -> None:
    """
    Let the worker work in its thread, do something *meanwhile*, and stop it.
    """
    thread = threading.Thread(target=desk.worker.run)
    thread.start()
    meanwhile()
    desk.worker.stop()
    thread.join(2)
    assert not thread.is_alive()


def test_a_stop_ends_the_waiting_at_once(desk: Desk) -> None:
    """
    Waiting for the first block, the worker stops without having run.
    """
    run(desk, meanwhile=lambda: None)

    assert desk.runs == 0


def test_without_a_block_the_first_run_comes_by_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A node that waits long for a block is priced all the same.
    """
    ran = threading.Event()
    desk.worker._job = ran.set
    monkeypatch.setattr("revops.shell.worker.FIRST_BLOCK_WAIT", 0.01)

    run(desk, meanwhile=lambda: ran.wait(2))

    assert ran.is_set()


def test_a_ring_starts_what_is_due_and_nothing_else(desk: Desk) -> None:
    """
    The first block starts the first run; further blocks start none before it is due.
    """
    ran = threading.Event()
    job = desk.worker._job
    desk.worker._job = lambda: (job(), ran.set())

    def ring_thrice() -> None:
        desk.worker.ring()
        assert ran.wait(2)
        desk.worker.ring()
        desk.worker.ring()

    run(desk, meanwhile=ring_thrice)

    assert desk.runs == 1
