"""revenue-explain: why a channel is priced as it is, step by step, and what would change it."""

from typing import TYPE_CHECKING

from revops.core.actions import Hold, assert_never
from revops.core.outcomes import (
    Applied,
    Outcome,
    Refused,
    Rehearsed,
    Started,
    Stopped,
    Unknown,
)
from revops.core.policy import PolicyBook
from revops.core.units import Instant
from revops.shell.commands.command import Answer, Argument, Command, CommandError, Given
from revops.shell.commands.reasoning import all_held, step, told

if TYPE_CHECKING:
    from revops.adapters.store import Explained
    from revops.shell.app import App


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-explain`.
    """
    subject = given["channel"]
    cycle = app.store.last_cycle()
    if cycle is None:
        raise CommandError(_nothing_yet(app))
    explained = app.store.last_decisions(str(subject))
    if not explained:
        msg = (
            "channel: expected a short channel id, channel id or peer id that a cycle has seen as"
            f" one of ours, got {subject!r}"
        )
        raise CommandError(msg)
    cycle_at, node_trail = cycle
    next_cycle, policies = app.worker.state("fees").next_run, app.store.policies()
    return {
        "all_held": all_held(app.settings.config),
        "cycle_at": cycle_at,
        "next_cycle_at": next_cycle,
        "node": [step(reason) for reason in node_trail],
        "channels": [_explained(row, cycle_at, next_cycle, policies, app) for row in explained],
    }


def _nothing_yet(app: "App") -> str:
    trouble = app.worker.state("fees").last_error
    why = f"the last try failed: {trouble}" if trouble else "the first cycle comes with a block"
    return f"channel: nothing is decided yet; {why}"


def _explained(
    row: "Explained", cycle_at: Instant, next_cycle: Instant, policies: PolicyBook, app: "App"
) -> Answer:
    decision, outcome = row.decision, row.outcome
    until = decision.action.until if isinstance(decision.action, Hold) else None
    policy = policies.get(decision.peer_id, app.clock.now())
    return {
        "scid": decision.scid,
        "channel_id": decision.channel_id,
        "peer_id": decision.peer_id,
        "decided_at": row.at,
        # Not for a channel that closed, or that a node which just started did not list.
        "is_listed": row.at >= cycle_at,
        decision.area: {
            "outcome": _became(outcome) if outcome else None,
            "may_change_at": max(until or 0, next_cycle),
            **told(decision, app.settings.config, policy),
        },
    }


def _became(outcome: Outcome) -> str:  # noqa: RET503 -- assert_never does not return
    match outcome:
        case Applied() | Started() | Stopped():
            return "applied"
        case Refused():
            return f"refused: {outcome.error}"
        case Unknown():
            return f"unknown: {outcome.error}"
        case Rehearsed():
            return "rehearsed: dry-run is set"
        case _:
            assert_never(outcome)


COMMAND = Command(
    name="revenue-explain",
    help="Explain the last decision about a channel, step by step, and what would change it.",
    arguments=(
        Argument(
            "channel",
            "a short channel id or channel id, or a peer id for all channels with that peer",
            needed=True,
            aliases=("scid", "channel_id", "peer_id"),
        ),
    ),
    run=run,
    examples=("revenue-explain 851370x470x1",),
)
