"""The breaker: what opens a circuit, what a rest is, and what closes it again."""

import threading
from typing import Any

import pytest
from fakes import FakeClock

from revops.adapters import breaker as breakers
from revops.adapters.breaker import Breaker, CircuitState
from revops.adapters.errors import NoAnswerError, NodeRefusedError, NotAskedError

REST = 60


class Line:
    """
    A breaker on a node that a test may silence, and every method that reached the node.
    """

    def __init__(self) -> None:
        self.clock = FakeClock(1_795_000_000)
        self.rest = REST
        self.trouble: Exception | None = None
        self.asked: list[str] = []
        self.breaker = Breaker(self._answer, lambda: self.rest, self.clock)

    def _answer(self, method: str, _params: dict[str, object]) -> object:
        self.asked.append(method)
        if self.trouble:
            raise self.trouble
        return method

    def call(self, method: str) -> Any:
        """
        Ask the node through the breaker.
        """
        return self.breaker.call(method, {})

    def go_silent(self, method: str = "getinfo") -> None:
        """
        Answer nothing from now on, to a first call of *method*.
        """
        self.trouble = NoAnswerError(f"{method}: silence")
        with pytest.raises(NoAnswerError) as caught:
            self.call(method)
        assert caught.value is self.trouble

    def state(self, group: str) -> CircuitState:
        """
        Return what is told of *group*.
        """
        return next(state for state in self.breaker.states() if state.group == group)


@pytest.fixture
def line() -> Line:
    """
    A node that answers.
    """
    return Line()


def test_a_call_without_an_answer_lets_its_group_rest_and_no_other(line: Line) -> None:
    """
    After one silence nothing of the group is asked; other groups are, and so is an unknown method.
    """
    line.go_silent("getinfo")
    line.trouble = None
    with pytest.raises(NotAskedError) as refused:
        line.call("listpeerchannels")
    for method in ("listforwards", "feerates", "setchannel", "sling-stats"):
        assert line.call(method) == method

    assert line.asked == ["getinfo", "listforwards", "feerates", "setchannel", "sling-stats"]
    assert str(refused.value) == (
        "listpeerchannels: not asked for another 60 s (rpc-circuit-breaker-seconds),"
        " calls of group node rest after getinfo: silence"
    )


def test_all_calls_of_sling_rest_together(line: Line) -> None:
    """
    They wait for one lock: whichever was silent, none is asked, and lightningd itself is.
    """
    line.go_silent("sling-stop")
    line.trouble = None
    for method in ("sling-stats", "sling-once", "sling-stop"):
        with pytest.raises(NotAskedError, match="calls of group sling rest after sling-stop"):
            line.call(method)

    assert line.call("listsendpays") == "listsendpays"


def test_as_many_silences_as_are_said_open_it(line: Line) -> None:
    """
    With three failures to be had, two in a row and an answer are forgiven, and the lever is named.
    """
    line.breaker = Breaker(
        line._answer, lambda: line.rest, line.clock, failures=3, lever="hive-enabled"
    )
    for silences in (2, 3):
        for _ in range(silences):
            line.go_silent("hive-status")
        line.trouble = None
        if silences == 2:
            assert line.call("hive-members") == "hive-members"
    with pytest.raises(NotAskedError, match=r"60 s \(hive-enabled\), calls of group hive rest"):
        line.call("hive-members")


@pytest.mark.parametrize(
    "trouble", [NodeRefusedError("getinfo", -1, "no"), KeyError("a bug of ours")]
)
def test_a_refusal_is_an_answer(line: Line, trouble: Exception) -> None:
    """
    What lightningd refuses opens nothing, however often; nor does what is no silence of its.
    """
    line.trouble = trouble
    for _ in range(3):
        with pytest.raises(type(trouble)):
            line.call("getinfo")

    assert len(line.asked) == 3
    assert line.state("node").state == "closed"


def test_one_trial_after_the_rest_decides(line: Line) -> None:
    """
    When the rest is over one call is let through: another silence is another rest, an answer - a
    refusal too - closes the circuit.
    """
    line.go_silent()
    line.clock.pass_by(REST)
    assert line.state("node").state == "half-open"
    line.go_silent()
    with pytest.raises(NotAskedError):
        line.call("getinfo")
    line.clock.pass_by(REST)
    line.trouble = NodeRefusedError("getinfo", -1, "no")
    with pytest.raises(NodeRefusedError):
        line.call("getinfo")
    line.trouble = None

    assert line.call("getinfo") == "getinfo"
    assert len(line.asked) == 4


def test_the_rest_is_as_long_as_configured_now(line: Line) -> None:
    """
    Who shortens the rest does not wait for the old one to end; without a rest every call is asked.
    """
    line.go_silent()
    line.clock.pass_by(10)
    line.rest = 20
    with pytest.raises(NotAskedError, match="for another 10 s"):
        line.call("getinfo")
    line.rest = 0
    line.go_silent()
    line.go_silent()

    assert len(line.asked) == 3


@pytest.mark.parametrize("hours", [-10_000, 10_000])
def test_a_clock_that_is_set_neither_prolongs_nor_ends_a_rest(
    line: Line, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """
    The rest is measured by seconds that go by, whatever the time of day is said to be meanwhile.
    """
    line.go_silent()
    line.trouble = None
    true_time = breakers.datetime

    class Wrong(true_time):
        """
        The time of day after somebody set it.
        """

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return true_time.now(tz) + breakers.timedelta(hours=hours)

    monkeypatch.setattr("pybreaker.datetime", Wrong)
    monkeypatch.setattr(breakers, "datetime", Wrong)
    line.clock.pass_by(REST - 1)
    with pytest.raises(NotAskedError, match="for another 1 s"):
        line.call("getinfo")
    line.clock.pass_by(1)

    assert line.call("getinfo") == "getinfo"


def test_the_state_tells_what_is_the_matter(line: Line) -> None:
    """
    Since when a group rests, until when, why, and how often it was silent, by name of the group;
    nothing is told of what was never called.
    """
    assert line.breaker.states() == ()
    born = line.clock.now()
    line.call("setchannel")
    line.go_silent()
    line.clock.pass_by(20)

    assert line.breaker.states() == (
        CircuitState(
            group="fees", state="closed", since=born, retry_at=None, last_error=None, timeouts=0
        ),
        CircuitState(
            group="node",
            state="open",
            since=born,
            retry_at=born + REST,
            last_error="getinfo: silence",
            timeouts=1,
        ),
    )

    line.clock.pass_by(REST)
    line.trouble = None
    line.call("getinfo")

    assert line.state("node") == CircuitState(
        group="node",
        state="closed",
        since=born + 20 + REST,
        retry_at=None,
        last_error="getinfo: silence",
        timeouts=1,
    )


def test_the_state_waits_for_no_call(line: Line) -> None:
    """
    While a call hangs the state is told, and who waits behind it is not asked once it fails.
    """
    silence = NoAnswerError("getinfo: silence")
    asked, hung_up = threading.Event(), threading.Event()

    def hang(_method: str, _params: dict[str, object]) -> object:
        asked.set()
        assert hung_up.wait(5)
        raise silence

    line.breaker = Breaker(hang, lambda: REST, line.clock)
    caught: list[Exception] = []

    def call() -> None:
        try:
            line.call("getinfo")
        except NoAnswerError as error:
            caught.append(error)

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    assert asked.wait(5)
    assert line.state("node").state == "closed"
    hung_up.set()
    for caller in callers:
        caller.join(5)

    assert {type(error) for error in caught} == {NoAnswerError, NotAskedError}
