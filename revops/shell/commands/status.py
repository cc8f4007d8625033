"""revenue-status: whether all is well, what is held and why, and how each channel was seen."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import attrs

from revops import __version__
from revops.core.actions import Hold, SetFee
from revops.core.config import Config
from revops.core.fees.gossip import channel_budget, node_budget
from revops.core.memory import Change, ChannelMemory
from revops.core.outcomes import Applied, Refused, Unknown
from revops.core.plan import ChannelState, Decision, Plan, decisive
from revops.core.reasons import Code, Reason, sentence
from revops.core.snapshot import Channel
from revops.core.units import DAY, HOUR, MINUTE, Instant, Msat, sats_down
from revops.shell.commands.command import Answer, Argument, Command, Given, whole
from revops.shell.commands.reasoning import bearing, settings

if TYPE_CHECKING:
    from revops.adapters.store import FeeChange
    from revops.shell.app import App
    from revops.shell.cycle import Cycled

_RECENT: Final = 10
_EXAMPLES: Final = 5
_MOST_ROWS: Final = 1_000_000
_WAITING: Final = (Code.GOSSIP_CHANNEL, Code.GOSSIP_NODE)


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-status`.
    """
    limit = whole("limit", given.get("limit", _MOST_ROWS), 0, _MOST_ROWS)
    config, last, now = app.settings.config, app.cycle.last, app.clock.now()
    plan = last.plan if last else None
    troubles = _troubles(app, last)
    return {
        "status": "running",
        "summary": _summary(config, plan, now, troubles),
        "troubles": troubles,
        "version": __version__,
        "mode": _mode(config),
        "authority": config.authority,
        "dry_run": config.dry_run,
        "paused": config.paused,
        "config": {
            **attrs.asdict(config),
            "fee_range_ppm": [config.min_fee_ppm, config.max_fee_ppm],
        },
        "loops": [attrs.asdict(app.worker.state())],
        "rpc": [attrs.asdict(circuit) for circuit in app.breaker.states()],
        "last_cycle": _told(last) if last else None,
        "held": _held(plan.decisions) if plan else [],
        "gossip": _gossip(last, config, now) if last else None,
        "channels": _counted(plan) if plan else {},
        "channel_states": _states(last, limit) if last else [],
        "forwards": attrs.asdict(app.store.books()),
        "recent_fee_changes": [_change(change) for change in app.store.fee_changes(_RECENT)],
        "recent_rebalances": [],
        "jobs": [],
        "db": {
            "path": str(app.store.path),
            "schema": app.store.schema_version(),
            "size_bytes": app.store.size_bytes(),
        },
    }


def _mode(config: Config) -> str:
    if config.paused:
        return "paused"
    return "dry-run" if config.dry_run else "live"


# Whether all is well --------------------------------------------------------------------------


def _troubles(app: "App", last: "Cycled | None") -> list[str]:
    loop = app.worker.state()
    troubles = []
    if loop.stalled:
        troubles.append(f"{loop.name}: no cycle has succeeded for three intervals")
    if loop.last_error:
        troubles.append(f"{loop.name}: {loop.last_error}")
    if last:
        troubles += last.problems
        failed = [
            outcome.error for _, outcome in last.done if isinstance(outcome, (Refused, Unknown))
        ]
        if failed:
            troubles.append(f"{len(failed)} prices could not be set: {failed[0]}")
    return troubles


def _summary(config: Config, plan: Plan | None, now: Instant, troubles: list[str]) -> str:
    if plan is None:
        doing = "no cycle yet since the start; the first comes with a block"
    else:
        counts = Counter(map(bearing, plan.decisions))
        doing = (
            f"{len(plan.decisions)} channels {_ago(now - plan.at)} ago: {counts['changes']} prices"
            f" to change, {counts['as wanted']} as wanted, {counts['held']} held"
        )
    if not troubles:
        return f"{_mode(config)}: {doing}; nothing is wrong"
    more = f" (and {len(troubles) - 1} more)" if len(troubles) > 1 else ""
    return f"WRONG: {troubles[0]}{more}; {_mode(config)}: {doing}"


def _ago(seconds: int) -> str:
    for unit, size in (("days", DAY), ("h", HOUR), ("min", MINUTE)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def _told(last: "Cycled") -> Answer:
    return {
        "at": last.plan.at,
        "blockheight": last.snapshot.node.blockheight,
        "channels": len(last.plan.decisions),
        "actions": len(last.done),
        "problems": list(last.problems),
        "node": [sentence(reason) for reason in last.plan.node_trail],
    }


# What waits, and for what ---------------------------------------------------------------------


def _held(decisions: Iterable[Decision]) -> list[Answer]:
    groups: dict[Code, list[tuple[Decision, Reason]]] = {}
    for decision in decisions:
        if bearing(decision) == "held":
            reason = decisive(decision)
            groups.setdefault(reason.code, []).append((decision, reason))
    return [
        {
            "code": code.value,
            "count": len(group),
            "text": sentence(group[0][1]),
            "settings": settings(group[0][1]),
            "scids": [decision.scid or decision.channel_id for decision, _ in group[:_EXAMPLES]],
        }
        for code, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _gossip(last: "Cycled", config: Config, now: Instant) -> Answer:
    made = {memory.channel_id: list(memory.fee.changes) for memory in last.plan.memory.channels}
    for entry, outcome in last.done:
        action = entry.action
        if isinstance(action, SetFee) and isinstance(outcome, (Applied, Unknown)):
            made[action.channel_id].append(Change(at=last.plan.at, urgent=action.urgent))
    updates = [change for changes in made.values() for change in changes]
    daily = channel_budget(config, urgent=False)
    waiting = [
        decision.action.until
        for decision in last.plan.decisions
        if isinstance(decision.action, Hold) and decision.trail[-1].code in _WAITING
    ]
    return {
        "node_per_hour": _budget(updates, config, now, urgent=False),
        "node_reserve_per_hour": _budget(updates, config, now, urgent=True),
        "channels_at_daily_limit": sum(
            sum(c.at > now - DAY and not c.urgent for c in changes) >= daily
            for changes in made.values()
        ),
        "waiting": len(waiting),
        "next_free_at": min(filter(None, waiting), default=None),
    }


def _budget(updates: Iterable[Change], config: Config, now: Instant, *, urgent: bool) -> Answer:
    used = sum(change.at > now - HOUR and change.urgent is urgent for change in updates)
    return {"used": used, "left": max(0, node_budget(config, urgent=urgent) - used)}


# How each channel was seen --------------------------------------------------------------------


def _counted(plan: Plan) -> Answer:
    return dict(sorted(Counter(_flow_state(state) for state in plan.states).items()))


def _flow_state(state: ChannelState) -> str:
    return state.flow.state.value if state.flow else "unknown"


def _states(last: "Cycled", limit: int) -> list[Answer]:
    channels = {channel.channel_id: channel for channel in last.snapshot.channels}
    memories = {memory.channel_id: memory for memory in last.plan.memory.channels}
    return [
        _state(state, channels[state.channel_id], memories[state.channel_id])
        for state in last.plan.states[:limit]
    ]


def _state(state: ChannelState, channel: Channel, memory: ChannelMemory) -> Answer:
    days = channel.traffic.days if channel.traffic else ()
    flow = state.flow
    return {
        # Neighbours know a channel by its short channel id, and call that its channel id.
        "channel_id": state.scid,
        "scid": state.scid,
        "peer_id": state.peer_id,
        "state": _flow_state(state),
        "congested": state.congested,
        "flow_ratio": flow.direction if flow else None,
        "turnover": flow.turnover if flow else None,
        "confidence": flow.confidence if flow else 0.0,
        "velocity": memory.flow.velocity if memory.flow else 0.0,
        "forward_count": flow.forwards if flow else 0,
        "capacity": sats_down(state.capacity_msat),
        "our_balance": sats_down(state.to_us_msat),
        "sats_in": sats_down(Msat(sum(day.in_msat for day in days))),
        "sats_out": sats_down(Msat(sum(day.out_msat for day in days))),
        "fee_ppm": state.fee_ppm,
    }


def _change(change: "FeeChange") -> Answer:
    return {
        "at": change.at,
        "channel_id": change.scid,
        "peer_id": change.peer_id,
        "old_fee_ppm": change.old_ppm,
        "new_fee_ppm": change.new_ppm,
        "reason": "; ".join(sentence(reason) for reason in change.trail),
    }


COMMAND = Command(
    name="revenue-status",
    help="Show whether all is well, what is held and why, and how each channel was last seen.",
    arguments=(Argument("limit", "at most so many channel_states; all when it is left out"),),
    run=run,
    examples=("revenue-status", "revenue-status 5"),
)
