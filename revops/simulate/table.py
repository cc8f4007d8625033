"""Table: plans as people read them; every word from outside is shown, none is obeyed."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from revops.adapters.strangers import plain
from revops.core.actions import Hold, SetFee
from revops.core.plan import ChannelState, Decision, Plan
from revops.core.reasons import Code, Reason, sentence
from revops.core.snapshot import Channel, Snapshot
from revops.core.units import Msat, Ppm, sats_down, scid_key

# Said about every channel alike: they explain nothing unless they move the price.
_ROUTINE: Final = {
    Code.BOUNDS,
    Code.POLICY_BOUNDS,
    Code.CLIMB_PAUSED,
    Code.SET,
    Code.UNCHANGED,
}
_BAR: Final = 6


@attrs.frozen(kw_only=True)
class Row:
    """
    What is known and decided of one channel.

    Attributes:
        state: `None` when the plan says nothing about it.
    """

    channel: Channel
    decision: Decision
    state: ChannelState | None

    @property
    def new_ppm(self) -> Ppm:
        """
        Return the fee that is charged from now on.
        """
        action = self.decision.action
        return action.new_ppm if isinstance(action, SetFee) else self.channel.fee_ppm


def rows_of(snapshot: Snapshot, plan: Plan) -> tuple[Row, ...]:
    """
    Return a row for each channel, in the order of their short channel ids.
    """
    channels = {channel.channel_id: channel for channel in snapshot.channels}
    states = {state.channel_id: state for state in plan.states}
    rows = (
        Row(
            channel=channels[decision.channel_id],
            decision=decision,
            state=states.get(decision.channel_id),
        )
        for decision in plan.decisions
    )
    return tuple(sorted(rows, key=lambda row: (scid_key(row.channel.scid), row.channel.channel_id)))


def main_reason(decision: Decision) -> Reason | None:
    """
    Return what best explains *decision*: the step that moved the price most, or where it stays
    the last that had something of its own to say.
    """
    moved = [r for r in decision.trail if _move(r)] if isinstance(decision.action, SetFee) else []
    if moved:
        return max(moved, key=_move)
    telling = [reason for reason in decision.trail if reason.code not in _ROUTINE]
    return next(reversed(telling or decision.trail), None)


def _move(reason: Reason) -> float:
    if reason.before is None or reason.after is None:
        return 0.0
    return abs(math.log((reason.after + 1) / (reason.before + 1)))


def plan_report(snapshot: Snapshot, plan: Plan) -> RenderableType:
    """
    Return what *plan* does about each channel and why: changes first, then what stays.
    """
    rows = rows_of(snapshot, plan)
    table = _table()
    table.add_column("fee ppm", justify="right", no_wrap=True)
    table.add_column("why", ratio=1)
    for row in sorted(rows, key=_stays):
        table.add_row(*_channel_cells(row), _fee_change(row), why(row))
    return Group(table, *_node_lines(plan), _totals(rows))


def comparison_report(snapshot: Snapshot, plans: Mapping[str, Plan]) -> RenderableType:
    """
    Return two named *plans* side by side, channels that they treat differently first.
    """
    mine, other = (rows_of(snapshot, plan) for plan in plans.values())
    pairs = sorted(zip(mine, other, strict=True), key=_alike)
    table = _table()
    for heading in ("now", *plans):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why", ratio=1)
    for pair in pairs:
        style = "dim" if _alike(pair) else "bold"
        fees = (Text(str(row.new_ppm), style) for row in pair)
        whys = _whys(pair, tuple(plans))
        table.add_row(*_channel_cells(pair[0]), str(pair[0].channel.fee_ppm), *fees, whys)
    totals = [
        Text(f"{name}: ") + _totals(rows) for name, rows in zip(plans, (mine, other), strict=True)
    ]
    differing = sum(not _alike(pair) for pair in pairs)
    counted = Text(f"{differing} of {len(pairs)} channels are decided differently", "bold")
    return Group(table, *totals, counted)


def _alike(pair: tuple[Row, Row]) -> bool:
    return pair[0].decision.action == pair[1].decision.action


def _whys(pair: tuple[Row, Row], names: Sequence[str]) -> Text:
    if _alike(pair):
        return why(pair[0])
    lines = (Text(f"{name}: ") + why(row) for name, row in zip(names, pair, strict=True))
    return Text("\n").join(lines)


def trail_report(row: Row, plan: Plan) -> RenderableType:
    """
    Return the whole trail of one decision: each stage, the price before and after, and why.
    """
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("stage", no_wrap=True)
    table.add_column("ppm", justify="right", no_wrap=True)
    table.add_column("why", ratio=1)
    for place, reason in enumerate(row.decision.trail, 1):
        words = sentence(unpriced(reason))
        moved = bool(_move(reason))
        style = "" if moved else "dim"
        table.add_row(str(place), reason.code.value, Text(step(reason), style), plain(words))
    return Group(_channel_line(row), *_node_lines(plan), table, _outcome(row))


def _table() -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, collapse_padding=True)
    table.add_column("channel", no_wrap=True)
    table.add_column("peer", no_wrap=True, max_width=19, overflow="ellipsis")
    table.add_column("ours", justify="right", no_wrap=True)
    table.add_column("flow", no_wrap=True)
    return table


def _channel_cells(row: Row) -> tuple[RenderableType, ...]:
    return (
        row.channel.scid or row.channel.channel_id[:12] + "…",
        Text(peer(row.channel)),
        balance(row.channel),
        _flow(row),
    )


def peer(channel: Channel) -> str:
    """
    Return what the other end of *channel* is called.
    """
    return plain(channel.alias or "") or channel.peer_id[:12] + "…"


def balance(channel: Channel) -> Text:
    """
    Return how much of *channel* is ours, as a bar.
    """
    share = channel.to_us_msat / channel.capacity_msat
    filled = round(share * _BAR)
    return Text("█" * filled + "░" * (_BAR - filled), "cyan") + Text(f" {share:4.0%}")


def _flow(row: Row) -> Text:
    flow = row.state.flow if row.state else None
    return Text("unknown", "dim") if flow is None else Text(flow.state.value)


def _fee_change(row: Row) -> Text:
    old, new = row.channel.fee_ppm, row.new_ppm
    if isinstance(row.decision.action, Hold):
        return Text(f"{old}", "dim")
    style = "bold green" if new > old else "bold yellow" if new < old else "bold"
    return Text(f"{old} → ") + Text(f"{new}", style)


def why(row: Row) -> Text:
    """
    Return what best explains the fee of *row*, for a place where the fee stands already.
    """
    reason = main_reason(row.decision)
    if reason is None:
        return Text("")
    if (reason.before, reason.after) == (row.channel.fee_ppm, row.new_ppm):
        reason = unpriced(reason)
    return Text(plain(sentence(reason)), "dim" if _stays(row) else "")


def unpriced(reason: Reason) -> Reason:
    """
    Return *reason* without its prices, for a place that shows them beside it.
    """
    return attrs.evolve(reason, before=None, after=None)


def _stays(row: Row) -> bool:
    return isinstance(row.decision.action, Hold)


def step(reason: Reason) -> str:
    """
    Return what *reason* made of the price; empty for a reason that is about none.
    """
    if reason.before is None or reason.after is None:
        return ""
    if reason.before == reason.after:
        return f"{reason.after}"
    return f"{reason.before} → {reason.after}"


def _node_lines(plan: Plan) -> Iterable[Text]:
    return [Text(f"node: {plain(sentence(reason))}", "italic") for reason in plan.node_trail]


def _totals(rows: Sequence[Row]) -> Text:
    changes = [row for row in rows if not _stays(row)]
    raised = sum(row.new_ppm > row.channel.fee_ppm for row in changes)
    lowered = sum(row.new_ppm < row.channel.fee_ppm for row in changes)
    capacity = Msat(sum(row.channel.capacity_msat for row in rows))
    ours = Msat(sum(row.channel.to_us_msat for row in rows))
    share = f" ({ours / capacity:.0%} of {sats_down(capacity):,} sat)" if capacity else ""
    return Text(
        f"{len(rows)} channels, {sats_down(ours):,} sat ours{share}: {len(changes)} get an"
        f" update ({raised} up, {lowered} down), {len(rows) - len(changes)} stay",
        "bold",
    )


def _channel_line(row: Row) -> Text:
    channel, flow = row.channel, row.state.flow if row.state else None
    share = channel.to_us_msat / channel.capacity_msat
    words = "flow unknown"
    if flow is not None:
        words = (
            f"{flow.state.value}, direction {flow.direction:+.2f}, turnover"
            f" {flow.turnover:.1%} a day, confidence {flow.confidence:.2f}"
        )
    size = f"{sats_down(channel.capacity_msat):,} sat, {share:.0%} ours"
    name = f"{channel.scid or channel.channel_id}  {peer(channel)}"
    return Text(f"{name} · {size} · {words} · charges {channel.fee_ppm} ppm", "bold")


def _outcome(row: Row) -> Text:
    action = row.decision.action
    if isinstance(action, SetFee):
        limit = "" if action.htlc_max_msat is None else f", htlc max {action.htlc_max_msat} msat"
        return Text(f"set {action.new_ppm} ppm, base {action.new_base_msat} msat{limit}", "bold")
    return Text(f"hold {row.channel.fee_ppm} ppm", "bold")
