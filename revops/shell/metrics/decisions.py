"""Decisions: what the last cycles decided and why, what holds it back, and what they lacked."""

import platform
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from revops import __version__
from revops.core.fees.gossip import channel_budget, node_budget
from revops.core.plan import decisive
from revops.core.snapshot import Channel
from revops.core.units import DAY, HOUR
from revops.shell.commands.reasoning import bearing
from revops.shell.metrics.family import Family, Group, Row, number
from revops.shell.metrics.view import View

_RESERVES: Final = (("all", False), ("urgent", True))
"""The gossip budgets: the one that serves all, and the reserve for urgent updates."""
_EVIDENCE: Final[tuple[tuple[str, Callable[[Channel], object]], ...]] = (
    ("traffic", lambda channel: channel.traffic),
    ("refills", lambda channel: channel.refills),
    ("live_share", lambda channel: channel.live_share),
    ("peer_uptime", lambda channel: channel.peer_uptime),
    ("peer_fee", lambda channel: channel.peer_fee_ppm),
    ("htlc_slots", lambda channel: channel.max_htlcs),
    ("opened_at", lambda channel: channel.opened_at),
)


def _build(_: View) -> Iterable[Row]:
    yield (__version__, platform.python_version()), 1


def _node(view: View) -> Iterable[Row]:
    if view.cycled:
        node = view.cycled.snapshot.node
        yield (node.node_id, node.alias, node.network, node.version or ""), 1


def _decisions(view: View) -> Iterable[Row]:
    cycles = (view.cycled, view.moved)
    counts = Counter(
        (decision.area, bearing(decision), decisive(decision).code.value)
        for cycle in cycles
        if cycle
        for decision in cycle.plan.decisions
    )
    return sorted(counts.items())


def _problems(view: View) -> Iterable[Row]:
    if view.cycled:
        yield ("fee",), len(view.cycled.problems)
    if view.moved:
        yield ("rebalance",), len(view.moved.problems)


def _missing(view: View) -> Iterable[Row]:
    if view.cycled:
        channels = view.cycled.snapshot.channels
        for name, read in _EVIDENCE:
            yield (name,), sum(read(channel) is None for channel in channels)
        yield ("feerates",), not view.cycled.snapshot.feerates
    if view.moved:
        treasury = view.moved.snapshot.treasury
        yield ("onchain",), view.moved.snapshot.onchain_msat is None
        yield ("spending",), treasury is None or treasury.spending is None


def _flows(view: View) -> Iterable[Row]:
    counts = Counter(line.flow for line in view.lines)
    return [((flow,), count) for flow, count in sorted(counts.items())]


def _updates(view: View) -> Iterable[Row]:
    made = [change for changes in view.seen.updates for change in changes]
    for name, urgent in _RESERVES:
        lately = [c for c in made if c.at > view.at - HOUR and c.urgent is urgent]
        yield (name,), len(lately)


def _update_limits(view: View) -> Iterable[Row]:
    return [((name,), node_budget(view.config, urgent=urgent)) for name, urgent in _RESERVES]


def _at_daily_limit(view: View) -> float:
    most = channel_budget(view.config, urgent=False)
    made = (
        sum(change.at > view.at - DAY and not change.urgent for change in changes)
        for changes in view.seen.updates
    )
    return sum(count >= most for count in made)


def _pinned(view: View) -> float:
    return sum(pin.until > view.at for pin in view.seen.pins.values())


DECISIONS: Final = Group(
    title="Decisions",
    source="From the last cycles of pricing and rebalancing: what they saw, decided and lacked.",
    families=(
        Family(
            name="revops_build_info",
            help="1; says which revops runs, and on which Python.",
            labels=("version", "python"),
            rows=_build,
        ),
        Family(
            name="revops_node_info",
            help="1; says whose node it is.",
            labels=("node_id", "alias", "network", "lightningd"),
            rows=_node,
        ),
        number(
            "revops_blockheight",
            "Height that the node knew of at the last pricing cycle.",
            lambda view: view.cycled.snapshot.node.blockheight if view.cycled else None,
        ),
        Family(
            name="revops_channels",
            help="Channels by which way their liquidity moves.",
            labels=("flow",),
            rows=_flows,
        ),
        Family(
            name="revops_decisions",
            help="Decisions of the last cycles: whether something changes, is held or is as wanted,"
            " by the code of the decisive reason.",
            labels=("area", "bearing", "code"),
            rows=_decisions,
        ),
        Family(
            name="revops_gossip_updates",
            help="Fee updates that the node made within the last hour, by the budget they used.",
            labels=("budget",),
            rows=_updates,
        ),
        Family(
            name="revops_gossip_updates_limit",
            help="Fee updates that the node may make in an hour.",
            labels=("budget",),
            rows=_update_limits,
        ),
        number(
            "revops_gossip_waiting_channels",
            "Channels whose price waits for the gossip budget.",
            lambda view: len(view.seen.waiting),
        ),
        number(
            "revops_gossip_channels_at_daily_limit",
            "Channels that made all their updates of 24 hours.",
            _at_daily_limit,
        ),
        number(
            "revops_pinned_channels",
            "Channels whose price was set by hand, or by another program, and is left alone.",
            _pinned,
        ),
        number(
            "revops_vegas_intensity",
            "How strongly prices react to a spike of on-chain fees, 0 to 1.",
            lambda view: view.cycled.plan.memory.vegas.intensity if view.cycled else None,
        ),
        Family(
            name="revops_evidence_missing",
            help="Channels of which a kind of evidence is unknown; for feerates, onchain and"
            " spending 1 while it is.",
            labels=("evidence",),
            rows=_missing,
        ),
        Family(
            name="revops_problems",
            help="Things that could not be read in the last cycle; revenue-status has a sentence"
            " for each.",
            labels=("area",),
            rows=_problems,
        ),
        number(
            "revops_forwards_behind",
            "Forwards that are still to be counted, about.",
            lambda view: view.behind,
        ),
        number(
            "revops_forwards_counted_timestamp_seconds",
            "Until when forwards are counted completely.",
            lambda view: view.books.until,
        ),
        number(
            "revops_quarantined_forwards_total",
            "Forwards that cannot be and are left out of all sums.",
            lambda view: view.books.quarantined,
            "counter",
        ),
        number(
            "revops_database_bytes",
            "What the books take on the disk.",
            lambda view: view.database_bytes,
        ),
        number(
            "revops_view_timestamp_seconds",
            "When the worker made these numbers, those of channels and of money.",
            lambda view: view.at,
        ),
    ),
)
