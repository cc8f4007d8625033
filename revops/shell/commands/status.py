"""revenue-status: what runs, how it is doing, and how each channel was last seen."""

from typing import TYPE_CHECKING, Any

import attrs

from revops import __version__
from revops.core.config import Config
from revops.core.plan import ChannelState
from revops.core.reasons import sentence
from revops.core.snapshot import Channel
from revops.core.units import Msat, sats_down
from revops.shell.commands.command import Answer, Command, Given

if TYPE_CHECKING:
    from revops.adapters.store import FeeChange
    from revops.shell.app import App
    from revops.shell.cycle import Cycled

_RECENT = 10


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-status`.
    """
    del given
    config, last = app.settings.config, app.cycle.last
    return {
        "status": "running",
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
        "last_cycle": _told(last) if last else None,
        "channel_states": _states(last) if last else [],
        "forwards": attrs.asdict(app.store.books()),
        "recent_fee_changes": [_change(change) for change in app.store.fee_changes(_RECENT)],
        "recent_rebalances": [],
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


def _told(last: "Cycled") -> Answer:
    return {
        "at": last.plan.at,
        "blockheight": last.snapshot.node.blockheight,
        "channels": len(last.plan.decisions),
        "actions": len(last.done),
        "problems": list(last.problems),
        "node": [sentence(reason) for reason in last.plan.node_trail],
    }


def _states(last: "Cycled") -> list[Answer]:
    channels = {channel.channel_id: channel for channel in last.snapshot.channels}
    memories = {memory.channel_id: memory for memory in last.plan.memory.channels}
    rows = []
    for state in last.plan.states:
        flow = memories[state.channel_id].flow if state.channel_id in memories else None
        row = _state(state, channels[state.channel_id])
        rows.append(row | {"velocity": flow.velocity if flow else 0.0})
    return rows


def _state(state: ChannelState, channel: Channel) -> dict[str, Any]:
    days = channel.traffic.days if channel.traffic else ()
    flow = state.flow
    return {
        # Neighbours know a channel by its short channel id, and call that its channel id.
        "channel_id": state.scid,
        "scid": state.scid,
        "peer_id": state.peer_id,
        "state": flow.state if flow else "unknown",
        "congested": state.congested,
        "flow_ratio": flow.direction if flow else None,
        "turnover": flow.turnover if flow else None,
        "confidence": flow.confidence if flow else 0.0,
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
    help="Show what revops is doing, how its loops are, and how each channel was last seen.",
    run=run,
    examples=("revenue-status",),
)
