"""Refills: the plan of rebalances as people read it, what would start and what would not."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from revops.adapters.strangers import plain
from revops.core.actions import StartRebalance
from revops.core.plan import Decision, RebalancePlan, decisive
from revops.core.reasons import Code, Reason, sentence
from revops.core.snapshot import Channel, Snapshot
from revops.core.units import Msat, sats_down, sats_up, scid_key
from revops.simulate.table import balance, peer

UNJUDGED: Final = (
    "rebalances: nothing is known of money spent, earned and tried (no treasury in this snapshot),"
    " so none can be judged"
)


@attrs.frozen(kw_only=True)
class Refill:
    """
    What is known and decided about the liquidity of one channel.
    """

    channel: Channel
    decision: Decision

    @property
    def start(self) -> StartRebalance | None:
        """
        Return what would be started; `None` for nothing.
        """
        action = self.decision.action
        return action if isinstance(action, StartRebalance) else None

    @property
    def pair(self) -> Mapping[str, Any]:
        """
        Return the terms of the best refill that there is; empty where it did not come to that.
        """
        found = (reason for reason in self.decision.trail if reason.code is Code.PAIR)
        return dict(next(found, Reason(Code.PAIR)).facts)

    @property
    def short(self) -> bool:
        """
        Return whether so little is ours that a refill is thought about.
        """
        return any(reason.code is Code.SHORT for reason in self.decision.trail)

    @property
    def gives(self) -> bool:
        """
        Return whether it has something to spare.
        """
        return any(reason.code is Code.CAN_GIVE for reason in self.decision.trail)


def refills_of(snapshot: Snapshot, plan: RebalancePlan) -> tuple[Refill, ...]:
    """
    Return one for each channel, in the order of their short channel ids.
    """
    channels = {channel.channel_id: channel for channel in snapshot.channels}
    refills = (Refill(channel=channels[d.channel_id], decision=d) for d in plan.decisions)
    return tuple(sorted(refills, key=lambda r: (scid_key(r.channel.scid), r.channel.channel_id)))


def refill_report(snapshot: Snapshot, plan: RebalancePlan | None) -> RenderableType:
    """
    Return what *plan* would start, with all that its value is made of, and which channels are
    short and are not filled, with the reason.
    """
    if plan is None:
        return Text(UNJUDGED, "bold")
    refills = refills_of(snapshot, plan)
    starts = sorted((r for r in refills if r.start), key=lambda r: -r.pair["ev_msat"])
    refused = [refill for refill in refills if refill.short and not refill.start]
    return Group(
        *([_starting(starts)] if starts else []),
        *([_refused(refused)] if refused else []),
        *_node_lines(plan),
        _totals(refills),
    )


def refill_comparison(
    snapshot: Snapshot, plans: Mapping[str, RebalancePlan | None]
) -> RenderableType:
    """
    Return the totals of named *plans*, and every channel that they treat differently.
    """
    known = {name: refills_of(snapshot, plan) for name, plan in plans.items() if plan}
    if len(known) < len(plans):
        return Text(UNJUDGED, "bold")
    rows = [
        pair
        for pair in zip(*known.values(), strict=True)
        if pair[0].decision.action != pair[1].decision.action
    ]
    table = _table("filled differently")
    table.add_column("why", ratio=1)
    for pair in rows:
        whys = (Text(f"{n}: ") + why(r) for n, r in zip(known, pair, strict=True))
        table.add_row(*_channel_cells(pair[0]), Text("\n").join(whys))
    totals = [Text(f"{name}: ") + _totals(refills) for name, refills in known.items()]
    return Group(*([table] if rows else []), *totals)


def refill_trail(refill: Refill, plan: RebalancePlan) -> RenderableType:
    """
    Return the whole trail of one decision about liquidity.
    """
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("step", no_wrap=True)
    table.add_column("why", ratio=1)
    for place, reason in enumerate(refill.decision.trail, 1):
        table.add_row(str(place), reason.code.value, plain(sentence(reason)))
    outcome = "fill it" if refill.start else "do not fill it"
    return Group(*_node_lines(plan), table, Text(outcome, "bold"))


def _table(title: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        expand=True,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("channel", no_wrap=True)
    table.add_column("peer", no_wrap=True, max_width=19, overflow="ellipsis")
    table.add_column("ours", justify="right", no_wrap=True)
    return table


def _channel_cells(refill: Refill) -> tuple[RenderableType, ...]:
    channel = refill.channel
    name = channel.scid or channel.channel_id[:12] + "…"
    return (name, Text(peer(channel)), balance(channel))


def _starting(refills: Iterable[Refill]) -> Table:
    table = _table("would be filled (in sat; value = chance x (gain - loss - cost) - 1)")
    table.add_column("from", ratio=1)
    for heading in ("amount", "ppm", "chance", "gain", "loss", "cost", "value"):
        table.add_column(heading, justify="right", no_wrap=True)
    for refill in refills:
        table.add_row(*_channel_cells(refill), *_terms(refill))
    return table


def _terms(refill: Refill) -> tuple[str, ...]:
    start, pair = refill.start, refill.pair
    assert start is not None  # noqa: S101 -- tells the type checker
    return (
        ", ".join(source.scid for source in start.sources),
        f"{sats_down(start.amount_msat):,}",
        f"{pair['cost_ppm']} ≤ {start.max_ppm}",
        f"{pair['chance']:.2f}",
        f"{sats_down(pair['gain_msat']):,}",
        f"{sats_up(pair['loss_msat']):,}",
        f"{sats_up(pair['cost_msat']):,}",
        f"{sats_down(pair['ev_msat']):,}",
    )


def _refused(refills: Iterable[Refill]) -> Table:
    table = _table("short, and not filled")
    table.add_column("why", ratio=1)
    for refill in refills:
        table.add_row(*_channel_cells(refill), why(refill))
    return table


def why(refill: Refill) -> Text:
    """
    Return what made the difference to *refill*.
    """
    return Text(plain(sentence(decisive(refill.decision))), "" if refill.start else "dim")


def _node_lines(plan: RebalancePlan) -> Iterable[Text]:
    return [Text(f"money: {plain(sentence(reason))}", "italic") for reason in plan.node_trail]


def _totals(refills: Sequence[Refill]) -> Text:
    starts = [refill.start for refill in refills if refill.start]
    amount = Msat(sum(start.amount_msat for start in starts))
    cost = Msat(sum(start.expected_fee_msat for start in starts))
    reserve = Msat(sum(start.max_fee_msat for start in starts))
    moved = (
        f": {sats_down(amount):,} sat for about {sats_up(cost):,} sat,"
        f" {sats_up(reserve):,} sat reserved"
        if starts
        else ""
    )
    short = sum(refill.short for refill in refills) - len(starts)
    givers = sum(refill.gives for refill in refills)
    return Text(
        f"{len(starts)} refills would start{moved}; {short} short channels are not filled,"
        f" {givers} could give",
        "bold",
    )
