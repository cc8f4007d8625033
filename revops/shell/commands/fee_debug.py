"""revenue-fee-debug: what a cycle would decide now, on what is known; nothing is done about it."""

from typing import TYPE_CHECKING, Final

import attrs

from revops.core.actions import Hold, SetFee
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import FeeMemory
from revops.core.plan import ChannelState, Decision, Plan, decisive
from revops.core.policy import DEFAULT, in_force
from revops.core.reasons import sentence
from revops.core.units import HOUR, ChannelId, Instant
from revops.shell.commands.command import Answer, Argument, Command, Given, whole
from revops.shell.commands.look import chosen, known_now, last_look
from revops.shell.commands.reasoning import all_held, bearing, step, told

if TYPE_CHECKING:
    from revops.shell.app import App

_ROWS: Final = 50
_MOST_ROWS: Final = 1_000_000
_STATUSES: Final = ("ready", "waiting", "sleeping", "held", "in_force")
_LEFT_OUT: Final = "what happened since the last look: payments, balances, HTLC slots, feerates"


@attrs.frozen(kw_only=True)
class _Row:
    decision: Decision
    state: ChannelState
    memory: FeeMemory

    @property
    def status(self) -> str:
        """
        Return in a word what the channel is at.
        """
        if self._sleeps:
            return "sleeping"
        if isinstance(self.decision.action, Hold) and self.decision.action.until:
            return "waiting"
        return {"changes": "ready", "as wanted": "in_force"}.get(bearing(self.decision), "held")

    @property
    def _sleeps(self) -> bool:
        return self.memory.search is not None and self.memory.search.resting

    def told(self, now: Instant) -> Answer:
        """
        Return the fields that the predecessor's users know.
        """
        decision, memory = self.decision, self.memory
        held = isinstance(decision.action, Hold)
        updated_at = max((change.at for change in memory.changes), default=None)
        return {
            # Neighbours know a channel by its short channel id, and call that its channel id.
            "channel_id": decision.scid,
            "scid": decision.scid,
            "peer_id": decision.peer_id,
            "status": self.status,
            "skip_reason": sentence(decisive(decision)) if held else None,
            "is_sleeping": self._sleeps,
            "hours_since_update": None if updated_at is None else (now - updated_at) / HOUR,
            "forwards_since_update": memory.search.window.count if memory.search else None,
            "last_broadcast_fee_ppm": self.state.fee_ppm,
            "flow_state": self.state.flow.state.value if self.state.flow else "unknown",
            "may_change_at": decision.action.until if isinstance(decision.action, Hold) else None,
        }


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-fee-debug`.
    """
    limit = whole("limit", given.get("limit", _ROWS), 0, _MOST_ROWS)
    last, config = last_look(app), app.settings.config
    asked_for = {
        channel.channel_id for channel in chosen(last.snapshot.channels, given.get("channel"))
    }
    # What others hold and have taught counts in the price of one.
    seen = known_now(app, last, last.snapshot.channels)
    plan = decide(seen, config)
    rows = _rows(plan, asked_for)
    statuses = [row.status for row in rows]
    policies = in_force(seen.policies, seen.now)
    return {
        "timestamp": seen.now,
        "looked_at": last.plan.at,
        "look_age_s": seen.now - last.plan.at,
        "left_out": [_LEFT_OUT],
        "all_held": all_held(config),
        "config": _config(config),
        "summary": {"total": len(rows), **{word: statuses.count(word) for word in _STATUSES}},
        "node": [step(reason) for reason in plan.node_trail],
        "channels": [
            row.told(seen.now)
            | told(row.decision, config, policies.get(row.decision.peer_id, DEFAULT))
            for row in rows[:limit]
        ],
    }


def _rows(plan: Plan, asked_for: set[ChannelId]) -> list[_Row]:
    """
    Return a row for each channel that was *asked_for*: those with most to change first.
    """
    memories = {memory.channel_id: memory.fee for memory in plan.memory.channels}
    rows = [
        _Row(decision=decision, state=state, memory=memories[decision.channel_id])
        for decision, state in zip(plan.decisions, plan.states, strict=True)
        if decision.channel_id in asked_for
    ]
    return sorted(rows, key=lambda row: (_STATUSES.index(row.status), -_change(row.decision)))


def _change(decision: Decision) -> int:
    action = decision.action
    return abs(action.new_ppm - action.old_ppm) if isinstance(action, SetFee) else 0


def _config(config: Config) -> Answer:
    return {
        "fee_range_ppm": [config.min_fee_ppm, config.max_fee_ppm],
        "fee_interval": config.fee_interval,
        "max_fee_updates_per_day": config.max_fee_updates_per_day,
        "max_node_updates_per_hour": config.max_node_updates_per_hour,
    }


COMMAND = Command(
    name="revenue-fee-debug",
    help="Show what a cycle would decide now about each channel, stage by stage, from the last look"
    " at the node and the settings of this moment. Nothing is set or written.",
    arguments=(
        Argument(
            "channel",
            "a short channel id or channel id, or a peer id; every channel when it is left out",
            aliases=("scid", "channel_id", "peer_id"),
        ),
        Argument("limit", f"at most so many channels, {_ROWS} when it is left out"),
    ),
    run=run,
    examples=("revenue-fee-debug", "revenue-fee-debug 851370x470x1"),
    slow=True,
)
