"""The breaker: after a call without an answer its group rests, so that nobody queues up behind."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Final, Literal, Protocol

import attrs
from pybreaker import STATE_CLOSED, CircuitBreaker, CircuitBreakerError, CircuitMemoryStorage

from revops.adapters.errors import NoAnswerError, NotAskedError
from revops.adapters.rpc import Call
from revops.core.units import Instant

# Calls that fail together rest together: these, and all of one plugin's; any other is alone.
_PLUGINS: Final = frozenset({"clboss", "hive", "sling"})
_GROUPS: Final = {
    "getinfo": "node",
    "listpeerchannels": "node",
    "listforwards": "forwards",
    "setchannel": "fees",
}


class Clock(Protocol):
    """
    The time, as the shell's clock tells it.
    """

    def now(self) -> Instant:
        """
        Return the time of day.
        """

    def ticks(self) -> float:
        """
        Return seconds that only ever go forward.
        """


@attrs.frozen(kw_only=True)
class CircuitState:
    """
    How a group of calls is doing.

    Attributes:
        state: "open" while it rests, "half-open" when the next call is the trial that closes it.
        retry_at: When the rest ends; `None` unless it rests.
        timeouts: Calls that had no answer since the start.
    """

    group: str
    state: Literal["closed", "open", "half-open"]
    since: Instant
    retry_at: Instant | None
    last_error: str | None
    timeouts: int


class Breaker:
    """
    A call that does not ask while its group rests, after *failures* without an answer in a row:
    *rest* says for how many seconds, 0 for none, and *lever* what an operator would change.
    """

    def __init__(
        self,
        call: Call,
        rest: Callable[[], int],
        clock: Clock,
        *,
        failures: int = 1,
        lever: str = "rpc-circuit-breaker-seconds",
    ) -> None:
        self._call = call
        self._rest = rest
        self._clock = clock
        self._failures = failures
        self._lever = lever
        self._circuits: dict[str, _Circuit] = {}

    def call(self, method: str, params: dict[str, object]) -> object:
        """
        Call *method*; those of one group go one after the other.

        Raises:
            NotAskedError: Its group rests.
            NodeRefusedError, NoAnswerError: As the call itself; only the latter opens the circuit.
        """
        group = _group(method)
        circuit = self._circuits.setdefault(group, _Circuit(self._clock, self._failures))
        circuit.breaker.reset_timeout = rest = self._rest()

        def ask() -> object:
            try:
                return self._call(method, params)
            except NoAnswerError as error:
                circuit.timeouts += 1
                circuit.last_error = str(error)
                raise

        try:
            return circuit.breaker.call(ask)
        except CircuitBreakerError:
            msg = (
                f"{method}: not asked for another {math.ceil(circuit.left(rest))} s"
                f" ({self._lever}), calls of group {group} rest after {circuit.last_error}"
            )
            raise NotAskedError(msg) from None

    def states(self) -> tuple[CircuitState, ...]:
        """
        Return the groups that were called so far, by name; waits for no call.
        """
        rest = self._rest()
        return tuple(
            circuit.told(group, rest) for group, circuit in sorted(self._circuits.copy().items())
        )


def _group(method: str) -> str:
    plugin = method.split("-", maxsplit=1)[0]
    return plugin if plugin in _PLUGINS else _GROUPS.get(method, method)


class _Circuit(CircuitMemoryStorage):
    """
    What one group's circuit remembers.

    pybreaker measures the rest by the time of day: a clock set back would leave it open for hours.
    """

    def __init__(self, clock: Clock, failures: int) -> None:
        super().__init__(STATE_CLOSED)
        self._clock = clock
        self._opened = 0.0
        self._since = clock.now()
        self.timeouts = 0
        self.last_error: str | None = None
        self.breaker = CircuitBreaker(
            fail_max=failures,
            exclude=[lambda error: not isinstance(error, NoAnswerError)],
            state_storage=self,
            throw_new_error_on_trip=False,
        )

    @property
    def state(self) -> str:
        """
        Return it in pybreaker's words.
        """
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        self._state = state
        self._since = self._clock.now()

    @property
    def opened_at(self) -> datetime:
        """
        Return when it opened, as if the clock had not been set since.
        """
        ago = timedelta(seconds=self._clock.ticks() - self._opened)
        return datetime.now(timezone.utc) - ago  # noqa: TID251 -- pybreaker compares with it

    @opened_at.setter
    def opened_at(self, _now: datetime) -> None:
        self._opened = self._clock.ticks()

    def left(self, rest: int) -> float:
        """
        Return the seconds until the next trial.
        """
        return max(0.0, self._opened + rest - self._clock.ticks())

    def told(self, group: str, rest: int) -> CircuitState:
        """
        Return how it is doing.
        """
        closed = self._state == STATE_CLOSED
        left = 0.0 if closed else self.left(rest)
        return CircuitState(
            group=group,
            state="closed" if closed else "open" if left else "half-open",
            since=self._since,
            retry_at=Instant(self._clock.now() + round(left)) if left else None,
            last_error=self.last_error,
            timeouts=self.timeouts,
        )
