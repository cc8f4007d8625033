"""The worker: what is due on its background threads, and the stop."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError, StoreError
from revops.adapters.strangers import scrubbed
from revops.core.chance import draw
from revops.core.units import Instant
from revops.shell.clock import Clock

FIRST_BLOCK_WAIT: Final = 10.0
RETRY: Final = 60.0
_JITTER: Final = 0.1
_STALLED: Final = 3
_NEIGHBOURS_END: Final = 0.2
"""Seconds at the end for whoever waits for a neighbour: nothing of ours depends on it."""
_KINDS: Final[Mapping[type[Exception], str]] = {
    NodeRefusedError: "refused",
    NoAnswerError: "no answer",
    StoreError: "books",
}
_BUG: Final = "bug"


@attrs.frozen(kw_only=True)
class LoopState:
    """
    How a loop is doing; `None` for what has not been yet.

    Attributes:
        failing: The last run was in vain, with `last_error`.
        running_since: When the run under way began.
        stalled: No run has succeeded for three intervals: they fail, or one hangs.
        took_s: How long the last run took.
        failures: Runs that failed since the start, by whose doing it was.
    """

    name: str
    last_ok: Instant | None
    last_error: str | None
    failing: bool
    next_run: Instant
    running_since: Instant | None
    stalled: bool
    interval_s: int
    took_s: float | None
    runs: int
    failures: Mapping[str, int]


class Loop:
    """
    One job and when it is due: at once, then every interval, 10 % more or less so that nodes do
    not move in step, and sooner after a failure, when somebody is in a hurry, or when the job
    returns `True`: there is more to do, as soon as all others that are due had their turn; or
    while somebody is *waiting*.
    """

    def __init__(
        self,
        name: str,
        job: Callable[[], object],
        interval: Callable[[], int],
        clock: Clock,
        log: Any,  # noqa: ANN401 -- structlog's loggers have no better type
        waiting: Callable[[], bool] = lambda: False,
    ) -> None:
        self.name = name
        self._waiting = waiting
        self._job = job
        self._interval = interval
        self._clock = clock
        self._log = log
        self._born = clock.ticks()
        self._began = clock.now()
        self._last_run: float | None = None
        self._last_end = self._born
        self._last_good = self._born
        self._last_ok: Instant | None = None
        self._last_error: str | None = None
        self._failing = False
        self._running = False
        self._soon = False
        self._more = False
        self._stall_told = False
        self._runs = 0
        self._took_s: float | None = None
        self._failures = dict.fromkeys((*_KINDS.values(), _BUG), 0)
        self.bell = threading.Event()

    def hurry(self) -> None:
        """
        Be due at once, but no sooner than a minute after the last run, however many are in a
        hurry.
        """
        self._soon = True
        self.bell.set()

    def ring(self) -> None:
        """
        Have its thread look at once at what is due.
        """
        self.bell.set()

    def run(self) -> None:
        """
        Do the job now; a failure is logged and told in `state`, and nothing else stops for it.
        """
        self._began = self._clock.now()
        self._last_run = self._clock.ticks()
        self._soon, self._running = False, True
        try:
            self._more = self._job() is True
        except Exception as error:  # noqa: BLE001 -- whatever it is, the next run may be better
            self._more = False
            self._soon = self._failing = True
            self._last_error = scrubbed(f"{type(error).__name__}: {error}")
            kind = next((word for one, word in _KINDS.items() if isinstance(error, one)), _BUG)
            self._failures[kind] += 1
            if kind != _BUG:
                # As whenever lightningd stops; what lasts is told as a stall.
                self._log.warning(f"{self.name}: {self._last_error}")
            else:
                self._log.error(f"{self.name}: {self._last_error}", exc_info=True)
        else:
            self._failing = False
            self._last_ok = self._clock.now()
            self._last_good = self._clock.ticks()
        self._last_end = self._clock.ticks()
        self._took_s = self._last_end - self._last_run
        self._runs += 1
        self._running = False

    def due_in(self) -> float:
        """
        Return the seconds until the job is due, by the interval that is configured now.
        """
        if self._last_run is None or self._more or self._waiting():
            return 0.0
        swing = 1 + _JITTER * (2 * draw(self._began, self.name) - 1)
        wait = self._interval() * swing
        due = self._last_end + min(wait, RETRY) if self._soon else self._last_run + wait
        return due - self._clock.ticks()

    def tell_stall(self) -> None:
        """
        Log that the loop stalls, once when that begins and once when it is over.
        """
        state = self.state()
        if state.stalled == self._stall_told:
            return
        self._stall_told = state.stalled
        if state.stalled:
            hangs = "; one is under way and does not end" if self._running else ""
            self._log.error(f"{self.name}: no run has succeeded for three intervals{hangs}")
        else:
            self._log.warning(f"{self.name}: a run has succeeded again")

    def state(self) -> LoopState:
        """
        Return how the loop is doing.
        """
        return LoopState(
            name=self.name,
            last_ok=self._last_ok,
            last_error=self._last_error,
            failing=self._failing,
            next_run=Instant(self._clock.now() + max(0, round(self.due_in()))),
            running_since=self._began if self._running else None,
            stalled=self._clock.ticks() - self._last_good > _STALLED * self._interval(),
            interval_s=self._interval(),
            took_s=self._took_s,
            runs=self._runs,
            failures=dict(self._failures),
        )


class Worker:
    """
    Runs the loops one at a time, from the first block on (or after 10 s without one): round by
    round, each that is due once, in the order in which they are given. Those that may wait for
    minutes are *beside* them, and what has to do with *neighbours* beside these, on threads of
    their own: none waits for the other.
    """

    def __init__(
        self,
        loops: Sequence[Loop],
        stopping: threading.Event,
        beside: Sequence[Loop] = (),
        neighbours: Sequence[Loop] = (),
    ) -> None:
        self._loops = {loop.name: loop for loop in (*loops, *beside, *neighbours)}
        self._neighbours = neighbours
        self._shifts = [shift for shift in (loops, beside, neighbours) if shift]
        self._stopping = stopping
        self._begun = threading.Event()
        for shift in self._shifts:
            bell = threading.Event()
            for loop in shift:
                loop.bell = bell

    def begin(self) -> None:
        """
        Wait no longer: the node knows of a block.
        """
        self._begun.set()

    def ring(self) -> None:
        """
        Have a look at once at what is due.
        """
        for shift in self._shifts:
            shift[0].bell.set()

    def hurry(self, name: str) -> None:
        """
        Have the loop *name* run at once, but no sooner than a minute after its last run.
        """
        self._loops[name].hurry()

    def stop(self) -> None:
        """
        Ask for the end; the step that is being done is finished, no further one is begun.
        """
        self._stopping.set()
        self._begun.set()
        self.ring()

    def run(self) -> None:
        """
        Work until `stop`.
        """
        # Its height is stale until then, whoever rings before.
        self._begun.wait(FIRST_BLOCK_WAIT)
        ours, *others = self._shifts
        # What hangs in a call must not keep the process: daemons go with it.
        threads = [
            threading.Thread(target=self._work, args=(shift,), name="revops-beside", daemon=True)
            for shift in others
        ]
        for thread in threads:
            thread.start()
        self._work(ours)
        for shift, thread in zip(others, threads, strict=True):
            thread.join(_NEIGHBOURS_END if shift is self._neighbours else None)

    def _work(self, loops: Sequence[Loop]) -> None:
        bell = loops[0].bell
        while True:
            bell.clear()  # before anything is looked at: who rings later is heard
            for loop in loops:
                if loop.due_in() <= 0 and not self._stopping.is_set():
                    loop.run()
            if self._stopping.is_set():
                return
            bell.wait(max(0.0, min(loop.due_in() for loop in loops)))

    def run_once(self, name: str) -> None:
        """
        Run the loop *name* now, due or not.
        """
        self._loops[name].run()

    def tell_stalls(self) -> None:
        """
        Log of each loop when it begins to stall and when that is over; for a thread that does not
        hang with this one.
        """
        for loop in self._loops.values():
            loop.tell_stall()

    def state(self, name: str) -> LoopState:
        """
        Return how the loop *name* is doing.
        """
        return self._loops[name].state()

    def states(self) -> tuple[LoopState, ...]:
        """
        Return how each loop is doing.
        """
        return tuple(loop.state() for loop in self._loops.values())
