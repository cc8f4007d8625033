"""Prepare: what the stages need to see, computed once a cycle."""

import math
from collections.abc import Mapping, Sequence
from operator import attrgetter
from statistics import median_low
from typing import Final

import attrs

from revops.core import flow
from revops.core.amend import amended
from revops.core.config import Config
from revops.core.fees.quote import ChannelView, Context, Inflow, PeerView, Pool, entry_weight
from revops.core.fees.scarcity import AMNESTY_S
from revops.core.fees.standing import settled
from revops.core.fees.vegas import between, reflex
from revops.core.memory import Change, ChannelMemory, FeeMemory, FlowMemory, VegasMemory
from revops.core.plan import FlowView
from revops.core.policy import DEFAULT, in_force
from revops.core.reasons import Reason
from revops.core.snapshot import NORMAL, Channel, FeerateSample, Snapshot
from revops.core.units import DAY, ChannelId, Instant, PeerId, Ppm

# What half of the payments pay, and how many there are a day, before anything is known: the
# middle of what was measured on the public network (reservation prices, forwards of 2-15 a day).
_USUAL_MIDDLE: Final = math.log(80)
_USUAL_RATE: Final = math.log(13)
_USUAL_WEIGHT: Final = 2.0
_MEAN_OVER_MEDIAN: Final = 1.5
_LEAST_PER_DAY: Final = 0.2

# Between the thresholds that enter and leave the class of a single channel.
_PEER_DRAINS: Final = (flow.ENTER + flow.LEAVE) / 2
_perkw: Final = attrgetter("perkw")


@attrs.frozen(kw_only=True)
class Prepared:
    """
    A snapshot, seen as the stages see it.
    """

    context: Context
    views: tuple[ChannelView, ...]
    flows: Mapping[ChannelId, FlowMemory | None]
    vegas: VegasMemory
    trail: tuple[Reason, ...]


def prepared(snapshot: Snapshot, config: Config) -> Prepared:
    """
    Return what the stages need of *snapshot*.
    """
    known = {memory.channel_id: memory for memory in snapshot.memory.channels}
    flows = {
        channel.channel_id: _digested(channel, known.get(channel.channel_id))
        for channel in snapshot.channels
    }
    vegas, reason = reflex(snapshot.memory.vegas, snapshot.feerates, snapshot.now, config)
    peers = _peers(snapshot.channels, flows)
    policies = in_force(snapshot.policies, snapshot.now)
    orders = {pin.channel_id: pin for pin in snapshot.pins}
    views = []
    for channel in snapshot.channels:
        memory = known.get(channel.channel_id)
        before = memory.fee if memory else FeeMemory()
        policy = policies.get(channel.peer_id, DEFAULT)
        fee = settled(before, channel, snapshot.now, orders.get(channel.channel_id), policy)
        woken = snapshot.wake and fee.search is not None and fee.search.resting
        age_s = _age_s(channel, memory, snapshot.now)
        views.append(
            ChannelView(
                channel=channel,
                policy=policy,
                memory=_awake(fee) if woken else fee,
                flow=_flow(channel, flows[channel.channel_id], snapshot.now, config),
                peer=peers[channel.peer_id],
                is_new=_is_new(channel, age_s, snapshot),
                changed_from=_believed(before) if fee.pin is not before.pin else None,
                woken=woken,
                age_s=age_s,
            )
        )
    return Prepared(
        context=_context(snapshot, config, vegas, views),
        views=tuple(views),
        flows=flows,
        vegas=vegas,
        trail=(reason,) if reason else (),
    )


def _context(
    snapshot: Snapshot, config: Config, vegas: VegasMemory, views: Sequence[ChannelView]
) -> Context:
    # The fee that a new channel came with is lightningd's default, and nobody's price.
    charged = [
        view.channel.fee_ppm for view in views if view.channel.state == NORMAL and not view.is_new
    ]
    return Context(
        now=snapshot.now,
        seed=snapshot.seed,
        config=config,
        advanced=snapshot.memory.at is None or snapshot.now > snapshot.memory.at,
        vegas=vegas.intensity,
        week_perkw=_week_perkw(snapshot.feerates, snapshot.now),
        node_ppm=median_low(charged) if charged else None,
        absent=_absent(snapshot),
        inflow=_inflow(views),
        pool=_pool(snapshot),
    )


def _inflow(views: Sequence[ChannelView]) -> Inflow:
    carrying = [view for view in views if view.channel.state == NORMAL]
    # fsum: whatever the order of the channels.
    return Inflow(
        weight=math.fsum(map(entry_weight, carrying)),
        ours=math.fsum(entry_weight(view) * view.peer.share for view in carrying),
    )


def _pool(snapshot: Snapshot) -> Pool:
    """
    Return what the channels with evidence say on average, beside what is usual.
    """
    beliefs = [belief for memory in snapshot.memory.channels if (belief := memory.fee.belief)]
    known = [
        (math.log(max(belief.middle_ppm, 1.0)), math.log(max(belief.per_day, _LEAST_PER_DAY)))
        for belief in beliefs
        if belief.middle_ppm is not None and belief.per_day is not None
    ]
    heard = [math.log(max(c.market_ppm, 1)) for c in snapshot.channels if c.market_ppm is not None]
    usual = math.fsum(heard) / len(heard) if heard else _USUAL_MIDDLE
    weight = _USUAL_WEIGHT + len(known)
    middles = math.fsum(middle for middle, _ in known)
    rates = math.fsum(rate for _, rate in known)
    return Pool(
        middle=(_USUAL_WEIGHT * usual + middles) / weight,
        per_day=math.exp((_USUAL_WEIGHT * _USUAL_RATE + rates) / weight) * _MEAN_OVER_MEDIAN,
    )


def _absent(snapshot: Snapshot) -> tuple[Change, ...]:
    listed = {channel.channel_id for channel in snapshot.channels}
    return tuple(
        change
        for memory in snapshot.memory.channels
        if memory.channel_id not in listed
        for change in (*memory.fee.changes, *_asked(memory.fee))
    )


def _asked(memory: FeeMemory) -> tuple[Change, ...]:
    asked = memory.asked
    return (Change(at=asked.at, urgent=asked.urgent),) if asked else ()


def _week_perkw(samples: Sequence[FeerateSample], now: Instant) -> int | None:
    week = between(samples, now - 7 * DAY, now)
    return -(-sum(map(_perkw, week)) // len(week)) if week else None


def _digested(channel: Channel, memory: ChannelMemory | None) -> FlowMemory | None:
    before = memory.flow if memory else None
    if channel.traffic is None:
        return before
    return flow.digest(before, channel.traffic, channel.capacity_msat)


def _flow(
    channel: Channel, memory: FlowMemory | None, now: Instant, config: Config
) -> FlowView | None:
    if channel.traffic is None:
        return None
    return flow.view(memory, channel.traffic, channel, now, config.flow_window_days)


def _peers(
    channels: Sequence[Channel], flows: Mapping[ChannelId, FlowMemory | None]
) -> dict[PeerId, PeerView]:
    groups: dict[PeerId, list[Channel]] = {}
    for channel in channels:
        groups.setdefault(channel.peer_id, []).append(channel)
    return {peer_id: _peer(group, flows) for peer_id, group in groups.items()}


def _peer(group: list[Channel], flows: Mapping[ChannelId, FlowMemory | None]) -> PeerView:
    # A channel that cannot forward offers no liquidity; without any other, it is all there is.
    usable = [channel for channel in group if channel.state == NORMAL] or group
    known = [memory for channel in usable if (memory := flows[channel.channel_id])]
    ours = capacity = 0
    for channel in usable:
        ours += channel.to_us_msat
        capacity += channel.capacity_msat
    return PeerView(
        share=ours / capacity,
        drains=bool(known) and flow.direction(*known) > _PEER_DRAINS,
    )


def _awake(memory: FeeMemory) -> FeeMemory:
    return amended(
        memory,
        climb=memory.climb and amended(memory.climb, resting=False),
        belief=memory.belief and amended(memory.belief, resting=False, quiet_s=0),
    )


def _believed(memory: FeeMemory) -> Ppm | None:
    price = memory.asked.price if memory.asked else memory.known
    return price.fee_ppm if price else None


def _age_s(channel: Channel, memory: ChannelMemory | None, now: Instant) -> int:
    seen_at = memory.first_seen_at if memory else now
    return max(0, now - (seen_at if channel.opened_at is None else channel.opened_at))


def _is_new(channel: Channel, age_s: int, snapshot: Snapshot) -> bool:
    """
    Return whether the channel was opened since revops runs here and nobody has paid for it yet.
    """
    since = snapshot.memory.since
    return (
        channel.traffic is not None
        and channel.traffic.out_count == 0
        and age_s < AMNESTY_S
        and since is not None
        and snapshot.now - age_s >= since
    )
