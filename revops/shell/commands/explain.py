"""revenue-explain: what was decided about a channel, step by step, and what would change it."""

from typing import TYPE_CHECKING, Final

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
from revops.core.plan import Area
from revops.core.policy import PolicyBook
from revops.core.units import Instant
from revops.shell.commands import shadowing
from revops.shell.commands.capital import last_of
from revops.shell.commands.command import Answer, Argument, Command, CommandError, Given
from revops.shell.commands.reasoning import all_held, nothing_moves, step, told

if TYPE_CHECKING:
    from revops.adapters.store import Explained
    from revops.shell.app import App

_MOVES: Final[Area] = "rebalance"
_LOOPS: Final[dict[Area, str]] = {"fee": "fees", "rebalance": "rebalance"}


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
    moves = {row.decision.channel_id: row for row in app.store.last_decisions(str(subject), _MOVES)}
    cycle_at, node_trail = cycle
    policies = app.store.policies()
    shadow = shadowing.run_of(app)
    return {
        "all_held": all_held(app.settings.config),
        "cycle_at": cycle_at,
        "next_cycle_at": app.worker.state("fees").next_run,
        "node": [step(reason) for reason in node_trail],
        "rebalancing": _rebalancing(app),
        "shadow_config": shadow.config if shadow else None,
        "channels": [
            {
                **_named(row, cycle_at),
                "fee": _explained(row, policies, app),
                "rebalance": _explained(move, policies, app)
                if (move := moves.get(row.decision.channel_id))
                else None,
                "last_rebalance": last_of(app, row.decision.channel_id),
                **(shadowing.explained(app, row.decision.channel_id) if shadow else {}),
            }
            for row in explained
        ],
    }


def _rebalancing(app: "App") -> Answer:
    cycle_at, node_trail = app.store.last_cycle(_MOVES) or (None, ())
    return {
        "all_held": nothing_moves(app.settings.config),
        "cycle_at": cycle_at,
        "next_cycle_at": app.worker.state("rebalance").next_run,
        "node": [step(reason) for reason in node_trail],
    }


def _nothing_yet(app: "App") -> str:
    trouble = app.worker.state("fees").last_error
    why = f"the last try failed: {trouble}" if trouble else "the first cycle comes with a block"
    return f"channel: nothing is decided yet; {why}"


def _named(row: "Explained", cycle_at: Instant) -> Answer:
    return {
        "scid": row.decision.scid,
        "channel_id": row.decision.channel_id,
        "peer_id": row.decision.peer_id,
        "decided_at": row.at,
        # Not for a channel that closed, or that a node which just started did not list.
        "is_listed": row.at >= cycle_at,
    }


def _explained(row: "Explained", policies: PolicyBook, app: "App") -> Answer:
    decision, outcome = row.decision, row.outcome
    until = decision.action.until if isinstance(decision.action, Hold) else None
    next_cycle = app.worker.state(_LOOPS[decision.area]).next_run
    policy = policies.get(decision.peer_id, app.clock.now())
    return {
        "decided_at": row.at,
        "outcome": _became(outcome) if outcome else None,
        "may_change_at": max(until or 0, next_cycle),
        **told(decision, app.settings.config, policy),
    }


def _became(outcome: Outcome) -> str:  # noqa: RET503 -- assert_never does not return
    match outcome:
        case Applied() | Stopped():
            return "applied"
        case Started():
            return f"begun: rebalance {outcome.rebalance_id}"
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
    help="Explain the last decisions about a channel, its price and whether it is filled, step by"
    " step, and what would change them. Where shadow-config decided otherwise, its steps are beside"
    " them.",
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
