"""The worker: what is due when, and what a failure does."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fakes import FakeClock

from revops.adapters.errors import NoAnswerError
from revops.shell.logs import logger
from revops.shell.worker import Loop, Worker

INTERVAL = 1800


class Desk:
    """
    A worker on a job that a test may make fail or take its time, and what it logs.
    """

    def __init__(self) -> None:
        self.clock = FakeClock(1_795_000_000)
        self.interval = INTERVAL
        self.runs = 0
        self.takes_s = 0
        self.meanwhile: Callable[[], Any] = lambda: None
        self.trouble: Exception | None = None
        self.lines: list[tuple[str, str]] = []
        self.loop = self.loop_of("fees", self._job)
        self.worker = Worker([self.loop], threading.Event())

    def loop_of(self, name: str, job: Callable[[], object]) -> Loop:
        """
        Return a loop on *job*.
        """
        return Loop(
            name=name,
            job=job,
            interval=lambda: self.interval,
            clock=self.clock,
            log=logger(lambda line, level: self.lines.append((level, line))),
        )

    def _job(self) -> None:
        self.runs += 1
        self.clock.pass_by(self.takes_s)
        self.meanwhile()
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
    assert desk.loop.due_in() == 0
    waits = []
    for _ in range(50):
        desk.clock.pass_by(INTERVAL)
        desk.loop.run()
        waits.append(desk.loop.due_in())

    assert 0.9 * INTERVAL <= min(waits) < 0.95 * INTERVAL
    assert 1.05 * INTERVAL < max(waits) <= 1.1 * INTERVAL


def test_a_new_interval_counts_at_once(desk: Desk) -> None:
    """
    Who shortens the interval does not wait for the old one to end.
    """
    desk.loop.run()
    desk.clock.pass_by(120)
    desk.interval = 60

    assert desk.loop.due_in() < 0
    assert desk.loop.state().next_run == desk.clock.now()


@pytest.mark.parametrize(
    ("trouble", "level", "tracebacks"),
    [(NoAnswerError("getinfo: silence"), "unusual", 0), (KeyError("bug"), "broken", 1)],
)
def test_a_failure_is_told_and_tried_again_soon(
    desk: Desk, trouble: Exception, level: str, tracebacks: int
) -> None:
    """
    Whatever goes wrong, the worker goes on: it says so, keeps it for status, and comes back in a
    minute; only what nobody foresaw is broken, and worth a traceback.
    """
    desk.trouble = trouble
    desk.loop.run()
    state = desk.loop.state()

    assert state.last_ok is None
    assert state.last_error == f"{type(trouble).__name__}: {trouble}"
    assert state.next_run <= desk.clock.now() + 60
    [(told_at, line)] = desk.lines
    assert told_at == level
    assert line.count("Traceback") == tracebacks

    desk.trouble = None
    desk.loop.run()

    assert desk.loop.state().last_ok == desk.clock.now()
    assert desk.loop.due_in() > 60


def test_three_intervals_without_success_are_a_stall(desk: Desk) -> None:
    """
    A loop that hangs or only fails is called stalled.
    """
    desk.loop.run()
    desk.trouble = KeyError("bug")
    for _ in range(3):
        desk.clock.pass_by(INTERVAL)
        desk.loop.run()
    assert not desk.loop.state().stalled
    desk.clock.pass_by(1)

    assert desk.loop.state().stalled


def test_a_failure_is_tried_again_a_minute_after_it_was_one(desk: Desk) -> None:
    """
    A run that waits long for an answer and gets none is not followed at once by the next: what
    had no answer rests for that long too.
    """
    desk.trouble = NoAnswerError("getinfo: silence")
    desk.takes_s = 15
    desk.loop.run()

    assert desk.loop.due_in() == 60


def test_a_hurry_makes_it_due_but_no_more_than_once_a_minute(desk: Desk) -> None:
    """
    However many are in a hurry, they get one run, and that a minute after the last one; whoever is
    in a hurry during a run gets one after it.
    """
    desk.loop.run()
    desk.clock.pass_by(20)
    for _ in range(1000):
        desk.worker.hurry("fees")
    assert desk.loop.due_in() == 40

    desk.clock.pass_by(300)
    assert desk.loop.due_in() < 0
    desk.loop.run()
    assert desk.loop.due_in() > 60

    desk.meanwhile = lambda: desk.worker.hurry("fees")
    desk.loop.run()
    assert desk.loop.due_in() == 60


def test_a_hurry_wakes_the_worker(desk: Desk) -> None:
    """
    Who waits for the next interval is waked: the run is due at once when the last is long past.
    """
    desk.loop.run()
    desk.clock.pass_by(61)
    again = threading.Event()
    desk.meanwhile = again.set
    desk.worker.begin()

    def hurry() -> None:
        desk.worker.hurry("fees")
        assert again.wait(2)

    run(desk, meanwhile=hurry)

    assert desk.runs == 2


def test_a_stall_is_told_once_when_it_begins_and_once_when_it_is_over(desk: Desk) -> None:
    """
    Whoever looks after the worker from another thread logs each stall twice, however often it
    looks; one that hangs is told apart from one that fails.
    """
    desk.loop.run()
    hung_at = desk.clock.now()

    def hang() -> None:
        for _ in range(5):
            desk.clock.pass_by(INTERVAL)
            desk.loop.tell_stall()
            assert desk.loop.state().running_since == hung_at

    desk.meanwhile = hang
    desk.loop.run()
    desk.loop.tell_stall()
    desk.loop.tell_stall()

    assert desk.loop.state().running_since is None
    assert desk.lines == [
        (
            "broken",
            "fees: no run has succeeded for three intervals; one is under way and does not end",
        ),
        ("unusual", "fees: a run has succeeded again"),
    ]


def run(desk: Desk, meanwhile: Callable[[], Any]) -> None:
    """
    Let the worker work in its thread, do something *meanwhile*, and stop it.
    """
    thread = threading.Thread(target=desk.worker.run)
    thread.start()
    try:
        meanwhile()
    finally:
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
    desk.loop._job = ran.set
    monkeypatch.setattr("revops.shell.worker.FIRST_BLOCK_WAIT", 0.01)

    run(desk, meanwhile=lambda: ran.wait(2))

    assert ran.is_set()


def test_a_ring_starts_what_is_due_and_nothing_else(desk: Desk) -> None:
    """
    The first block starts the first run; further blocks start none before it is due.
    """
    ran = threading.Event()
    job = desk.loop._job
    desk.loop._job = lambda: (job(), ran.set())

    def ring_thrice() -> None:
        desk.worker.begin()
        assert ran.wait(2)
        desk.worker.ring()
        desk.worker.ring()

    run(desk, meanwhile=ring_thrice)

    assert desk.runs == 1


def test_a_long_piece_of_work_lets_the_others_go_first(desk: Desk) -> None:
    """
    A job that has more to do goes on at once, but whoever is due meanwhile has its turn before.
    """
    turns: list[str] = []

    def long_job() -> bool:
        turns.append("long")
        desk.clock.pass_by(INTERVAL // 4 if len(turns) < 5 else 2 * INTERVAL)
        if len(turns) > 8:
            desk.worker.stop()
        return True

    loops = [
        desk.loop_of("short", lambda: turns.append("short")),
        desk.loop_of("long", long_job),
    ]
    desk.worker = Worker(loops, threading.Event())
    desk.worker.begin()
    desk.worker.run()

    assert turns == ["short", *["long"] * 4, *["short", "long"] * 2]


def test_a_failure_holds_up_no_other_loop(desk: Desk) -> None:
    """
    A loop that fails comes back in a minute, though it said before that there was more to do; the
    others run as ever.
    """
    desk.trouble = KeyError("bug")
    desk.loop._more = True
    others = desk.loop_of("others", desk.meanwhile)
    desk.worker = Worker([desk.loop, others], threading.Event())
    others._job = desk.worker.stop
    desk.worker.begin()
    desk.worker.run()
    fees, rest = desk.worker.states()

    assert (fees.name, fees.failing, fees.next_run) == ("fees", True, desk.clock.now() + 60)
    assert (rest.name, rest.failing, rest.last_ok) == ("others", False, desk.clock.now())


def test_nothing_begins_before_the_first_block_whoever_rings(desk: Desk) -> None:
    """
    A changed option or a new channel has the worker look at what is due, but not before the node's
    height is known.
    """
    worker = threading.Thread(target=desk.worker.run)
    desk.meanwhile = desk.worker.stop
    desk.worker.ring()
    desk.worker.hurry("fees")
    worker.start()
    worker.join(0.1)
    assert (worker.is_alive(), desk.runs) == (True, 0)

    desk.worker.begin()
    worker.join(5)

    assert (worker.is_alive(), desk.runs) == (False, 1)


def test_who_waits_long_holds_up_nobody_beside_it(desk: Desk) -> None:
    """
    A loop on the other thread that hangs delays no loop of this one, and is told apart as stalled;
    whoever is in a hurry wakes the thread that the loop is on.
    """
    hangs, let_go, again = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        let_go.wait(5)

    money = desk.loop_of("money", hang)
    desk.worker = Worker([desk.loop], threading.Event(), beside=[money])
    desk.worker.begin()

    def hurry() -> None:
        assert hangs.wait(2)
        desk.clock.pass_by(4 * INTERVAL)
        desk.meanwhile = again.set
        desk.worker.hurry("fees")
        assert again.wait(2)
        assert [state.stalled for state in desk.worker.states()] == [False, True]
        let_go.set()
        while money.state().running_since is not None:
            pass
        hangs.clear()
        desk.clock.pass_by(61)
        desk.worker.hurry("money")
        assert hangs.wait(2)

    run(desk, meanwhile=hurry)


def test_who_waits_is_served_at_once(desk: Desk) -> None:
    """
    A loop that somebody waits for is due whatever its interval, on a third thread that is woken by
    a ring; once nobody waits, its interval counts.
    """
    waiting, served = threading.Event(), threading.Event()

    def serve() -> None:
        if waiting.is_set():
            waiting.clear()
            served.set()

    hive = Loop("hive", serve, lambda: INTERVAL, desk.clock, desk.loop._log, waiting=waiting.is_set)
    desk.worker = Worker([desk.loop], threading.Event(), neighbours=[hive])
    desk.worker.begin()

    def ask() -> None:
        waiting.set()
        hive.ring()
        assert served.wait(2)
        assert hive.due_in() > 0

    run(desk, meanwhile=ask)


def test_nobody_waits_for_a_neighbour_at_the_end(desk: Desk) -> None:
    """
    While what has to do with neighbours hangs, all other work ends, and so does the run.
    """
    hangs, let_go = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        let_go.wait(5)

    desk.worker = Worker([desk.loop], threading.Event(), neighbours=[desk.loop_of("hive", hang)])
    desk.worker.begin()
    thread = threading.Thread(target=desk.worker.run)
    thread.start()
    assert hangs.wait(2)
    desk.worker.stop()
    thread.join(2)

    assert not thread.is_alive()
    let_go.set()


def test_what_hangs_beside_does_not_keep_the_process(desk: Desk) -> None:
    """
    The work ends when every thread is done with its step; one that hangs is a daemon, and the end
    of the process is its end.
    """
    hangs, let_go = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        let_go.wait(5)

    desk.worker = Worker([desk.loop], threading.Event(), beside=[desk.loop_of("money", hang)])
    desk.worker.begin()
    thread = threading.Thread(target=desk.worker.run)
    thread.start()
    assert hangs.wait(2)
    desk.worker.stop()
    thread.join(0.1)

    assert thread.is_alive()
    assert [other.daemon for other in threading.enumerate() if other.name == "revops-beside"] == [
        True
    ]
    let_go.set()
    thread.join(2)
    assert not thread.is_alive()
