"""Seen: what a cycle made of all channels, counted and listed once however often it is asked."""

from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import attrs

from revops.core.actions import Hold, SetFee
from revops.core.flow import HALF_LIFE_H
from revops.core.memory import Change, ChannelMemory, FlowState, Pin
from revops.core.outcomes import Applied, Unknown
from revops.core.plan import ChannelState, Decision, FlowView, decisive
from revops.core.reasons import Code, Reason, sentence
from revops.core.snapshot import Channel
from revops.core.units import ChannelId, Instant, Msat, sats_down
from revops.shell.commands.command import Answer
from revops.shell.commands.reasoning import bearing, settings

if TYPE_CHECKING:
    from revops.shell.cycle import Cycled

_EXAMPLES: Final = 5
_TOWARDS: Final = (FlowState.SOURCE, FlowState.SINK)
_LEAST_CONFIDENCE: Final = 0.1
_MOST_VELOCITY: Final = 0.5
_WAITING: Final = (Code.GOSSIP_CHANNEL, Code.GOSSIP_NODE)


@attrs.frozen(kw_only=True)
class Seen:
    """
    What a cycle made of all channels, counted and listed once however often it is asked for.

    Attributes:
        bearings: How many prices are to change, are held, are as wanted.
        waiting: For each channel without budget, when that comes.
        updates: By channel, those that the gossip budget counts.
    """

    bearings: Mapping[str, int] = attrs.field(factory=Counter)
    held: list[Answer] = attrs.field(factory=list)
    waiting: list[Instant] = attrs.field(factory=list)
    updates: list[list[Change]] = attrs.field(factory=list)
    pins: Mapping[ChannelId, Pin] = attrs.field(factory=dict)
    states: Mapping[str, int] = attrs.field(factory=dict)
    rows: list[Answer] = attrs.field(factory=list)


# With a thousand channels it takes longer than all the rest of the answer.
_made: Final[MutableMapping["Cycled", Seen]] = WeakKeyDictionary()


def seen_in(last: "Cycled") -> Seen:
    """
    Return what *last* made of the channels.
    """
    seen = _made.get(last)
    if seen is None:
        rows = _rows(last)
        seen = _made[last] = Seen(
            bearings=Counter(map(bearing, last.plan.decisions)),
            held=_held(last.plan.decisions),
            waiting=_waiting(last.plan.decisions),
            updates=_updates(last),
            pins={m.channel_id: m.fee.pin for m in last.plan.memory.channels if m.fee.pin},
            states=dict(sorted(Counter(row["flow_class"] for row in rows).items())),
            rows=rows,
        )
    return seen


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


def _waiting(decisions: Iterable[Decision]) -> list[Instant]:
    return [
        decision.action.until
        for decision in decisions
        if isinstance(decision.action, Hold)
        and decision.action.until is not None
        and decision.trail[-1].code in _WAITING
    ]


def _updates(last: "Cycled") -> list[list[Change]]:
    made = {m.channel_id: list(m.fee.changes) for m in last.plan.memory.channels}
    for entry, outcome in last.done:
        action = entry.action
        # Without an answer it may be out.
        if isinstance(action, SetFee) and isinstance(outcome, (Applied, Unknown)):
            made[action.channel_id].append(Change(at=last.plan.at, urgent=action.urgent))
    return [changes for changes in made.values() if changes]


def _rows(last: "Cycled") -> list[Answer]:
    channels = {channel.channel_id: channel for channel in last.snapshot.channels}
    memories = {memory.channel_id: memory for memory in last.plan.memory.channels}
    return [
        _row(state, channels[state.channel_id], memories[state.channel_id])
        for state in last.plan.states
    ]


def _row(state: ChannelState, channel: Channel, memory: ChannelMemory) -> Answer:
    days = channel.traffic.days if channel.traffic else ()
    flow = state.flow
    return {
        # Neighbours know a channel by its short channel id, and call that its channel id.
        "channel_id": state.scid,
        "scid": state.scid,
        "peer_id": state.peer_id,
        **_as_neighbours_expect(flow, memory),
        "flow_class": flow.state.value if flow else "unknown",
        "congested": state.congested,
        "flow_ratio": round(flow.direction, 6) if flow else None,
        "turnover": round(flow.turnover, 6) if flow else None,
        "forward_count": flow.forwards if flow else 0,
        "capacity": sats_down(state.capacity_msat),
        "our_balance": sats_down(state.to_us_msat),
        "sats_in": sats_down(Msat(sum(day.in_msat for day in days))),
        "sats_out": sats_down(Msat(sum(day.out_msat for day in days))),
        "fee_ppm": state.fee_ppm,
    }


def _as_neighbours_expect(flow: FlowView | None, memory: ChannelMemory) -> Answer:
    """
    Return what cl-hive looks for, with the words and within the bounds that it knows.
    """
    velocity = memory.flow.velocity if memory.flow else 0.0
    towards = flow.state if flow else None
    return {
        "state": towards.value if towards in _TOWARDS else FlowState.BALANCED.value,
        "confidence": round(max(_LEAST_CONFIDENCE, flow.confidence if flow else 0.0), 6),
        "velocity": round(max(-_MOST_VELOCITY, min(velocity, _MOST_VELOCITY)), 6),
        # A day's forwards count for so much less a day later.
        "ema_decay": round(0.5 ** (24 / HALF_LIFE_H), 4),
        # Nothing is multiplied here by which way a channel flows.
        "flow_multiplier": 1.0,
    }
