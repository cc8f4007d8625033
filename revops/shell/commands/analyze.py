"""revenue-analyze: which way each channel's liquidity moves, and how sure that is."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import attrs

from revops.core import flow
from revops.core.memory import FlowMemory
from revops.core.plan import FlowView
from revops.core.snapshot import Channel
from revops.core.units import Instant, sats_down
from revops.shell.commands.command import Answer, Argument, Command, Given, whole
from revops.shell.commands.look import chosen, last_look

if TYPE_CHECKING:
    from revops.shell.app import App
    from revops.shell.cycle import Cycled

_MOST_ROWS: Final = 1_000_000


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-analyze`.
    """
    limit = whole("limit", given.get("limit", _MOST_ROWS), 0, _MOST_ROWS)
    last = last_look(app)
    now = app.clock.now()
    flows = _flows(last, chosen(last.snapshot.channels, given.get("channel")), now)
    return {
        "at": now,
        "looked_at": last.plan.at,
        "window_days": last.config.flow_window_days,
        "books": attrs.asdict(app.store.books()),
        "total": len(flows),
        "channels": [_told(channel, found) for channel, found in flows[:limit]],
    }


def _flows(
    last: "Cycled", channels: Iterable[Channel], now: Instant
) -> list[tuple[Channel, FlowView | None]]:
    """
    Return what flows through each of *channels*, those that will soonest be empty or full first.
    """
    digested = {memory.channel_id: memory.flow for memory in last.plan.memory.channels}
    days = last.config.flow_window_days
    flows = [
        (channel, _flow(channel, digested[channel.channel_id], now, days)) for channel in channels
    ]
    return sorted(flows, key=lambda item: (_hours_left(item[1]), item[0].channel_id))


def _flow(channel: Channel, memory: FlowMemory | None, now: Instant, days: int) -> FlowView | None:
    if channel.traffic is None:
        return None
    return flow.view(memory, channel.traffic, channel, now, days)


def _hours_left(found: FlowView | None) -> float:
    ends = (found.hours_to_empty, found.hours_to_full) if found else ()
    return min((hours for hours in ends if hours is not None), default=float("inf"))


def _told(channel: Channel, found: FlowView | None) -> Answer:
    named = {
        "scid": channel.scid,
        "channel_id": channel.channel_id,
        "peer_id": channel.peer_id,
        "state": "unknown",
    }
    if found is None:
        return named
    return named | {
        "state": found.state.value,
        "direction": found.direction,
        "turnover_per_day": found.turnover,
        "net_ratio_per_day": found.net_ratio,
        "net_ratio_sd": found.net_ratio_sd,
        "hours_to_empty": found.hours_to_empty,
        "hours_to_full": found.hours_to_full,
        "out_sats_per_day": sats_down(found.out_msat_per_day),
        "forwards": found.forwards,
        "confidence": found.confidence,
        "regime_changed": found.regime_changed,
    }


COMMAND = Command(
    name="revenue-analyze",
    help="Analyse which way each channel's liquidity moves, as far as the books go; nothing is"
    " stored. Those that will soonest be empty or full come first.",
    arguments=(
        Argument(
            "channel",
            "a short channel id or channel id, or a peer id; every channel when it is left out",
            aliases=("scid", "channel_id", "peer_id"),
        ),
        Argument("limit", "at most so many channels; all when it is left out"),
    ),
    run=run,
    examples=("revenue-analyze", "revenue-analyze 851370x470x1"),
    slow=True,
)
