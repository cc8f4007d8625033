"""The hive desk: what is known of our hive and told to it, on a thread that nobody waits for."""

import math
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from queue import SimpleQueue
from threading import Event
from typing import Any, Final

import attrs

from revops.adapters.breaker import Breaker, CircuitState
from revops.adapters.errors import NoAnswerError, NodeRefusedError, NotAskedError
from revops.adapters.hive import FAILURES, REST_S, Hive, Member, Membership, method_of
from revops.adapters.rpc import Call
from revops.core.config import Config
from revops.core.hive import Report
from revops.core.snapshot import HiveHint
from revops.core.units import MINUTE, Instant, PeerId
from revops.shell.clock import Clock

LOOK_S: Final = 5 * MINUTE
"""How often it is looked whether cl-hive is there."""
REFRESH_S: Final = 20 * MINUTE
HINTS_LAST_S: Final = 30 * MINUTE
"""What the hive said longer ago is as good as not said."""
ANSWER_S: Final = 1.0
"""How long a rebalance waits to hear whether another member is at the same."""
MOST_WAITING: Final = 500
"""Reports that wait to be told; the oldest go first when there are more."""
_AT_ONCE: Final = 20

Reports = Callable[[], Iterable[Report]]


@attrs.define
class _Question:
    peers: tuple[PeerId, ...]
    contested: tuple[PeerId, ...] = ()
    answered: Event = attrs.field(factory=Event)
    given_up: bool = False


class HiveDesk:
    """
    All that has to do with cl-hive. It is asked by the thread that calls `run`, and by no other:
    the others get what is known, and `contested` waits for a second.

    Attributes:
        membership: `None` when cl-hive is not there, or does not answer.
        trouble: Why it was last not answered as it should have been; empty when it was.
        answered_at: When each method last had an answer.
        told, lost: Reports so far, by the method that takes them; those that were lost were
            refused, or too many.
        ring: Wakes the thread.
    """

    def __init__(
        self,
        call: Call,
        config: Callable[[], Config],
        clock: Clock,
        log: Any,  # noqa: ANN401 -- structlog's loggers have no better type
    ) -> None:
        self._breaker = Breaker(
            call, lambda: REST_S, clock, failures=FAILURES, lever="hive-enabled"
        )
        self._hive = Hive(self._call)
        self._config = config
        self._clock = clock
        self._log = log
        self._due: dict[str, float] = {}
        self._hints: Mapping[PeerId, HiveHint] = {}
        self._hints_since = clock.ticks()
        self._questions: SimpleQueue[_Question] = SimpleQueue()
        self._outbox: deque[Report] = deque()
        self.membership: Membership | None = None
        self.features: Mapping[str, bool] = {}
        self.members: tuple[Member, ...] = ()
        self.trouble = ""
        self.looked_at: Instant | None = None
        self.answered_at: dict[str, Instant] = {}
        self.told: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.reports: Reports = tuple
        self.ring: Callable[[], None] = _nothing

    # What others ask ------------------------------------------------------------------------

    def hints(self) -> Mapping[PeerId, HiveHint]:
        """
        Return what the hive said of fees of late.
        """
        return self._hints if self.hints_age_s() <= HINTS_LAST_S else {}

    def hints_age_s(self) -> int:
        """
        Return how long ago it said so.
        """
        return round(self._clock.ticks() - self._hints_since)

    def contested(self, peers: Collection[PeerId]) -> tuple[PeerId, ...]:
        """
        Return those of *peers* that another member fills channels of; no answer within a second
        is no conflict.
        """
        known = self.membership
        if not peers or known is None or known.tier != "member":
            return ()
        question = _Question(tuple(sorted(peers)))
        self._questions.put(question)
        self.ring()
        question.answered.wait(ANSWER_S)
        question.given_up = True
        return question.contested

    def waiting(self) -> bool:
        """
        Say whether somebody waits for an answer, or a report to be told.
        """
        return not self._questions.empty() or bool(self._outbox)

    @property
    def reports_waiting(self) -> int:
        """
        Return how many reports wait to be told.
        """
        return len(self._outbox)

    def circuit(self) -> CircuitState | None:
        """
        Return how calls of cl-hive are doing; `None` before the first.
        """
        return next((s for s in self._breaker.states() if s.group == "hive"), None)

    # What its own thread does ---------------------------------------------------------------

    def run(self) -> None:
        """
        Look whether cl-hive is there, learn what it knows, answer who asked and tell it what there
        is to tell. Nothing that it does or does not do is an error.
        """
        if self._config().hive_enabled == "false":
            self._leave()
            self._due.clear()
        else:
            self._every(LOOK_S, self._look)
        self._answer()
        if self.membership:
            self._every(math.inf, self._find_features)  # until it was away
            self._every(REFRESH_S, self._find_members)
            self._every(REFRESH_S, self._find_hints)
            self._write_reports()
            self._tell()

    def _call(self, method: str, params: dict[str, object]) -> object:
        reply = self._breaker.call(method, params)
        self.answered_at = {**self.answered_at, method: self._clock.now()}
        return reply

    def _every(self, seconds: float, ask: Callable[[], None]) -> None:
        name = ask.__name__
        if self._clock.ticks() >= self._due.get(name, 0.0):
            done = self._asked(ask)
            self._due[name] = self._clock.ticks() + (seconds if done else MINUTE)

    def _asked(self, ask: Callable[[], None]) -> bool:
        try:
            ask()
        except (NodeRefusedError, NoAnswerError) as error:
            if self.trouble != str(error) and not isinstance(error, NotAskedError):
                self._log.info(f"cl-hive: {error}")
            self.trouble = str(error)
            return False
        return True

    def _look(self) -> None:
        self.looked_at = self._clock.now()
        try:
            found = self._hive.membership()
        except (NodeRefusedError, NoAnswerError):
            self._leave()
            raise
        self.trouble = ""
        if found is None:
            self._leave()
        elif self.membership is None:
            self._log.info("cl-hive is there")
        self.membership = found

    def _leave(self) -> None:
        """
        Forget all that it said: whoever says nothing is not there.
        """
        if self.membership:
            self._log.info("cl-hive is not used any more")
        self.membership, self.features, self.members, self._hints = None, {}, (), {}
        self._due = {name: at for name, at in self._due.items() if name == self._look.__name__}
        self.lost.update(map(method_of, self._outbox))
        self._outbox.clear()

    def _find_features(self) -> None:
        self.features = self._hive.features()

    def _find_members(self) -> None:
        self.members = self._hive.members()

    def _find_hints(self) -> None:
        self._hints, self._hints_since = self._hive.hints(), self._clock.ticks()

    def _answer(self) -> None:
        while not self._questions.empty():
            question = self._questions.get_nowait()
            for peer_id in question.peers:
                if self.membership and not question.given_up:
                    self._asked(partial(self._inquire, question, peer_id))
            question.answered.set()

    def _inquire(self, question: _Question, peer_id: PeerId) -> None:
        if self._hive.contests(peer_id):
            question.contested += (peer_id,)

    def _write_reports(self) -> None:
        self._outbox.extend(self.reports())
        while len(self._outbox) > MOST_WAITING:
            self.lost[method_of(self._outbox.popleft())] += 1

    def _tell(self) -> None:
        for _ in range(min(_AT_ONCE, len(self._outbox))):
            report = self._outbox.popleft()
            done = self._asked(partial(self._hive.tell, report))
            (self.told if done else self.lost)[method_of(report)] += 1
            if not self._questions.empty():
                return  # Who asks has a second, and reports have time.


def _nothing() -> None:
    pass
