"""Pulse: what is true at the moment of a scrape, from memory alone: loops, breakers, mode."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Literal

from revops.adapters.breaker import CircuitState
from revops.shell.metrics.family import Family, Group, Row
from revops.shell.worker import LoopState

if TYPE_CHECKING:
    from revops.shell.app import App

_MODES: Final = ("live", "dry-run", "paused")
_STATES: Final = ("closed", "half-open", "open")


def _mode(app: "App") -> Iterable[Row]:
    config = app.settings.config
    now = "paused" if config.paused else "dry-run" if config.dry_run else "live"
    return [((mode,), mode == now) for mode in _MODES]


def _loop(
    name: str,
    help_: str,
    read: Callable[[LoopState], float | None],
    kind: Literal["gauge", "counter"] = "gauge",
) -> "Family[App]":
    def rows(app: "App") -> Iterable[Row]:
        for state in app.worker.states():
            value = read(state)
            if value is not None:
                yield (state.name,), value

    return Family(name=name, help=help_, kind=kind, labels=("loop",), rows=rows)


def _failures(app: "App") -> Iterable[Row]:
    for state in app.worker.states():
        for kind, count in state.failures.items():
            yield (state.name, kind), count


def _circuits(app: "App") -> tuple[CircuitState, ...]:
    hive = app.hive.circuit()
    return (*app.breaker.states(), hive) if hive else app.breaker.states()


def _breakers(app: "App") -> Iterable[Row]:
    for circuit in _circuits(app):
        for state in _STATES:
            yield (circuit.group, state), circuit.state == state


def _unanswered(app: "App") -> Iterable[Row]:
    return [((circuit.group,), circuit.timeouts) for circuit in _circuits(app)]


def _prices(app: "App") -> Iterable[Row]:
    return [((outcome,), count) for outcome, count in app.cycle.performer.became.items()]


PULSE: "Final[Group[App]]" = Group(
    title="Pulse",
    source="Of the moment of the scrape, from memory: true while a loop hangs, and before the first"
    " cycle. Counters begin at 0 when the plugin starts.",
    families=(
        Family(
            name="revops_mode",
            help="1 for what the options say: live, dry-run or paused.",
            labels=("mode",),
            rows=_mode,
        ),
        _loop(
            "revops_loop_last_success_timestamp_seconds",
            "When a run of the loop succeeded last; none before the first.",
            lambda state: state.last_ok,
        ),
        _loop(
            "revops_loop_last_run_seconds",
            "How long the last run of the loop took.",
            lambda state: state.took_s,
        ),
        _loop(
            "revops_loop_interval_seconds",
            "Time between two runs of the loop, as it is configured.",
            lambda state: state.interval_s,
        ),
        _loop(
            "revops_loop_running",
            "1 while a run of the loop is under way, else 0.",
            lambda state: state.running_since is not None,
        ),
        _loop(
            "revops_loop_stalled",
            "1 while no run of the loop has succeeded for three intervals, else 0.",
            lambda state: state.stalled,
        ),
        _loop(
            "revops_loop_runs_total",
            "Runs of the loop.",
            lambda state: state.runs,
            "counter",
        ),
        Family(
            name="revops_loop_failures_total",
            help="Runs of the loop that failed, by whose doing it was.",
            kind="counter",
            labels=("loop", "kind"),
            rows=_failures,
        ),
        Family(
            name="revops_breaker_state",
            help="1 for the state of each group of calls: open while it rests after a call without"
            " an answer.",
            labels=("group", "state"),
            rows=_breakers,
        ),
        Family(
            name="revops_rpc_unanswered_total",
            help="Calls that had no answer.",
            kind="counter",
            labels=("group",),
            rows=_unanswered,
        ),
        Family(
            name="revops_prices_total",
            help="Prices that were to be set, by what became of it.",
            kind="counter",
            labels=("outcome",),
            rows=_prices,
        ),
    ),
)
