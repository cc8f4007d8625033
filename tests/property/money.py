"""Money: a node in memory that can rebalance, and how to read what it decides."""

from typing import Any

import attrs
from property.trails import codes
from property.world import START, forwarded, peer, quiet_channel

from revops.core.actions import StartRebalance
from revops.core.budget import Spending
from revops.core.config import Config
from revops.core.memory import (
    ChannelMemory,
    ClimbMemory,
    FeeMemory,
    FlowMemory,
    FlowState,
    Memory,
    Price,
    Window,
)
from revops.core.plan import Decision, RebalancePlan
from revops.core.rebalance.decide import rebalance
from revops.core.snapshot import Channel, Node, Snapshot, Traffic
from revops.core.treasury import Engine, Treasury
from revops.core.units import DAY, HOUR, from_sats

CAPACITY = from_sats(5_000_000)
READY = Treasury(
    engine=Engine(version="v4.3.1", jobs=()),
    spending=Spending(),
    revenue_day_msat=from_sats(5_000),
    revenue_week_msat=from_sats(35_000),
    refill_cost_week_msat=0,
    income_month_msat=from_sats(100_000),
)
"""Books, wallet and rebalancer of a node that has spent nothing yet."""


def books(out: int = 0, into: int = 0, amount: int = 50_000_000) -> Traffic:
    """
    Return the books of a week in which *out* forwards left a day, and *into* came in.
    """
    days = [
        attrs.evolve(
            forwarded(START // DAY - day, out, amount), in_count=into, in_msat=into * amount
        )
        for day in range(8)
    ]
    return Traffic(
        since=START - 100 * DAY,
        until=START,
        out_count=1000 * out,
        last_out_at=START - HOUR if out else None,
        days=[day for day in days if day.out_count or day.in_count],
    )


def holding(number: int, share: float, traffic: Traffic | None, **fields: Any) -> Channel:
    """
    Return a channel of 5 M sat, *share* of it ours, by a good peer.
    """
    capacity = fields.pop("capacity_msat", CAPACITY)
    ours = round(capacity * share)
    reserve = capacity // 100
    plain = {
        "to_us_msat": ours,
        "spendable_msat": max(0, ours - reserve),
        "receivable_msat": max(0, capacity - ours - reserve),
        "htlc_max_msat": capacity - reserve,
        "max_htlcs": 30,
        "peer_uptime": 1.0,
        "live_share": 1.0,
        "peer_fee_ppm": 50,
        "peer_base_fee_msat": 0,
        "traffic": traffic,
    }
    return quiet_channel(number, capacity_msat=capacity, **(plain | fields))


def short(number: int = 0, out: int = 20, into: int = 0, **fields: Any) -> Channel:
    """
    Return a channel that sells a lot and is all but empty.
    """
    return holding(number, fields.pop("share", 0.02), books(out, into), **fields)


def ample(number: int = 1, out: int = 0, into: int = 0, **fields: Any) -> Channel:
    """
    Return a channel that is all but full, and by which nothing leaves.
    """
    return holding(number, fields.pop("share", 0.95), books(out, into), **fields)


def remembered(channel: Channel, **fields: Any) -> ChannelMemory:
    """
    Return what is remembered of a channel: its price is learned, and its liquidity drains.
    """
    fee = fields.pop("fee", None) or FeeMemory(
        known=Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat),
        climb=ClimbMemory(
            base_ppm=fields.pop("base_ppm", channel.fee_ppm),
            window=Window(fee_ppm=channel.fee_ppm),
            seen_at=START,
        ),
    )
    state = fields.pop("state", FlowState.SOURCE)
    return ChannelMemory(
        channel_id=channel.channel_id,
        first_seen_at=START - 100 * DAY,
        last_seen_at=START,
        flow=FlowMemory(hour=START // HOUR - 1, out_sum=1e9, count_sum=9, state=state),
        fee=fee,
    )


def node(*channels: Channel, **fields: Any) -> Snapshot:
    """
    Return a node with *channels*, ready to rebalance.
    """
    memory = fields.pop("memory", None) or [remembered(channel) for channel in channels]
    plain = {"treasury": READY, "onchain_msat": from_sats(2_000_000)}
    return Snapshot(
        now=START,
        node=Node(node_id=peer(2**200)),
        channels=channels,
        memory=Memory(since=0, at=START - 900, channels=memory),
        **(plain | fields),
    )


def planned(*channels: Channel, config: Config | None = None, **fields: Any) -> RebalancePlan:
    """
    Return the plan for a node with *channels*.
    """
    return rebalance(node(*channels, **fields), config or Config())


def starts(plan: RebalancePlan) -> list[StartRebalance]:
    """
    Return what a plan starts.
    """
    return [d.action for d in plan.decisions if isinstance(d.action, StartRebalance)]


def about(plan: RebalancePlan, channel: Channel) -> Decision:
    """
    Return what is decided about *channel*.
    """
    (found,) = [d for d in plan.decisions if d.channel_id == channel.channel_id]
    return found


def told(plan: RebalancePlan, channel: Channel) -> list[Any]:
    """
    Return the codes of what is said about *channel*.
    """
    return codes(about(plan, channel))
