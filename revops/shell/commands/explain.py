"""revenue-explain: why a channel is priced as it is, step by step, as it was decided."""

from typing import TYPE_CHECKING

from revops.core.actions import Action, Hold, SetFee, assert_never
from revops.core.outcomes import Applied, Outcome, Refused, Rehearsed, Unknown
from revops.core.reasons import Reason, sentence
from revops.shell.commands.command import Answer, Argument, Command, CommandError, Given

if TYPE_CHECKING:
    from revops.adapters.store import Explained
    from revops.shell.app import App


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-explain`.
    """
    subject = str(given["channel"])
    cycle = app.store.last_cycle()
    if cycle is None:
        msg = "channel: nothing is decided yet; the first cycle comes with a block"
        raise CommandError(msg)
    explained = app.store.last_decisions(subject)
    if not explained:
        msg = f"channel: expected a short channel id or peer id of ours, got {subject!r}"
        raise CommandError(msg)
    cycle_at, node_trail = cycle
    next_cycle = app.worker.state().next_run
    return {
        "cycle_at": cycle_at,
        "next_cycle_at": next_cycle,
        "node": [_step(reason) for reason in node_trail],
        "channels": [_explained(row, next_cycle) for row in explained],
    }


def _explained(row: "Explained", next_cycle: int) -> Answer:
    decision, outcome = row.decision, row.outcome
    until = decision.action.until if isinstance(decision.action, Hold) else None
    return {
        "scid": decision.scid,
        "channel_id": decision.channel_id,
        "peer_id": decision.peer_id,
        "decided_at": row.at,
        decision.area: {
            **_doing(decision.action),
            "outcome": _became(outcome) if outcome else None,
            "may_change_at": max(until or 0, next_cycle),
            "steps": [_step(reason) for reason in decision.trail],
        },
    }


def _step(reason: Reason) -> Answer:
    return {
        "code": reason.code.value,
        "text": sentence(reason),
        "before_ppm": reason.before,
        "after_ppm": reason.after,
        "facts": dict(reason.facts),
    }


def _doing(action: Action) -> Answer:  # noqa: RET503 -- assert_never does not return
    match action:
        case SetFee():
            return {
                "do": "set_fee",
                "old_fee_ppm": action.old_ppm,
                "new_fee_ppm": action.new_ppm,
                "old_base_fee_msat": action.old_base_msat,
                "new_base_fee_msat": action.new_base_msat,
                "htlc_maximum_msat": action.htlc_max_msat,
            }
        case Hold():
            return {"do": "hold"}
        case _:
            assert_never(action)


def _became(outcome: Outcome) -> str:  # noqa: RET503 -- assert_never does not return
    match outcome:
        case Applied():
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
