"""Money: nodes in memory that can rebalance, likely ones and any, and how to read their plans."""

from typing import Any

import attrs
from hypothesis import strategies as st
from property.attempts import Some, at_all, rebalances, rows
from property.strategies import configs, peer_ids, ratios, snapshots, whole
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
from revops.core.policy import Policy, RebalanceMode, Strategy
from revops.core.rebalance.decide import rebalance
from revops.core.snapshot import Channel, Node, Snapshot, Traffic
from revops.core.treasury import Engine, Job, Treasury
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


# Likely nodes: most of them have something to refill, and something that keeps it from being done.


def mostly(usual: Any, *others: Any) -> Some:
    """
    Return *usual*, and now and then one of the *others*.
    """
    return st.sampled_from([usual] * 15 * len(others) + list(others))


_RATES = st.sampled_from((0, 1, 5, 20, 40))
_COMING = st.sampled_from((0, 0, 1, 5, 40))
_PRICES = st.sampled_from((500, 1000, 300, 3000, 50, 1, 0))
_LIKELY = {
    "share": st.sampled_from((0.0, 0.02, 0.1, 0.15, 0.19, 0.3, 0.5, 0.81, 0.9, 0.95, 0.98, 1.0)),
    "fee_ppm": _PRICES,
    "peer_fee_ppm": mostly(50, 0, 200, 1000, None),
    "peer_base_fee_msat": mostly(0, 1000),
    "peer_uptime": mostly(1.0, 0.9, 0.5, None),
    "live_share": mostly(1.0, 0.5, 0.1, 0.0, None),
    "connected": mostly(True, False),
    "htlcs_in": mostly(0, 3, 15, 29),
    "htlc_max_msat": mostly(CAPACITY, None, from_sats(150_000)),
    "capacity_msat": mostly(CAPACITY, from_sats(400_000), 3 * CAPACITY),
}
_CAPACITIES = st.integers(400_000, 20_000_000).map(from_sats)
_POLICIES = st.builds(
    dict,
    strategy=st.sampled_from(Strategy),
    rebalance=mostly(*RebalanceMode),
    fee_ppm=_PRICES,
)


@st.composite
def channels(draw: st.DrawFn, number: int, peers: int, **fields: Any) -> Channel:
    """
    Return a channel that may well be short, or have something to spare.
    """
    drawn = {name: draw(strategy) for name, strategy in _LIKELY.items()} | fields
    if "traffic" not in drawn:
        known = draw(mostly(True, False))
        drawn["traffic"] = books(draw(_RATES), draw(_COMING)) if known else None
    return holding(number, drawn.pop("share"), peer_id=peer(number % peers), **drawn)


@st.composite
def nodes(draw: st.DrawFn, most: int = 6, **fields: Any) -> Snapshot:
    """
    Return nodes that may have something to rebalance.
    """
    peers = draw(mostly(most, 1, 2))
    ours = [draw(channels(number, peers)) for number in range(draw(st.integers(1, most)))]
    states = mostly(FlowState.SOURCE, FlowState.SINK)
    memory = [remembered(channel, state=draw(states)) for channel in ours]
    ruled = [
        Policy(peer_id=peer(number), **draw(_POLICIES))
        for number in range(peers)
        if draw(mostly(False, True))
    ]
    plain = {
        "treasury": draw(means()),
        "policies": ruled,
        "onchain_msat": draw(mostly(from_sats(2_000_000), None)),
    }
    return node(*ours, memory=memory, **(plain | fields))


@st.composite
def traders(draw: st.DrawFn, most: int = 4, **fields: Any) -> Snapshot:
    """
    Return nodes with somebody to fill and somebody to give, whom nothing else keeps from it.
    """
    takers = draw(st.integers(1, most))
    givers = draw(st.integers(1, most))
    ours = [
        short(
            number,
            out=draw(st.integers(1, 60)),
            share=draw(ratios(0, 0.19)),
            fee_ppm=draw(st.integers(1, 3000)),
            peer_fee_ppm=draw(st.integers(0, 600)),
            capacity_msat=draw(_CAPACITIES),
        )
        for number in range(takers)
    ] + [
        ample(
            takers + number,
            out=draw(st.integers(0, 60)),
            into=draw(st.integers(0, 60)),
            share=draw(ratios(0.2, 1)),
            fee_ppm=draw(st.integers(0, 3000)),
            capacity_msat=draw(_CAPACITIES),
        )
        for number in range(givers)
    ]
    return node(*ours, **({"treasury": draw(means())} | fields))


def means(**fields: Some) -> Some:
    """
    Return what a node that rebalances may have behind it, and left.
    """
    spent = mostly(0, *map(from_sats, (100, 4_900, 6_000)))
    plain = {
        "spending": st.builds(Spending, day_msat=spent, week_msat=spent, held_msat=spent),
        "attempts": st.just(()) | rows(rebalances()),
        "one_at_a_time": mostly(False, True),
    }
    return st.builds(lambda **changes: attrs.evolve(READY, **changes), **(plain | fields))


def wishes(**fields: Some) -> Some:
    """
    Return what an operator may want of rebalancing.
    """
    plain = {
        "rebalance_min_amount": st.sampled_from((50_000, 1, 300_000)),
        "rebalance_chunk": st.sampled_from((100_000, 30_000, 1_000_000)),
        "rebalance_max_ppm": st.sampled_from((1000, 300, 5000)),
        "rebalance_min_profit": st.sampled_from((10, 0, 100)),
        "rebalance_min_profit_ppm": st.sampled_from((0, 20)),
        "max_concurrent_jobs": st.sampled_from((5, 1, 2)),
        "daily_budget_sats": st.sampled_from((5000, 500, 50, 100_000)),
        "min_wallet_reserve": st.sampled_from((0, 1_000_000)),
        "enable_kelly": mostly(False, True),
        "hive_fee_ppm": st.sampled_from((0, 10, 500)),
        "hive_rebalance_tolerance": st.sampled_from((0, 50, 5000)),
    }
    return st.builds(Config, **(plain | fields))


# Any node at all


def treasuries() -> Some:
    """
    Return whatever the types allow to be known of money.
    """
    money = st.none() | whole()
    spent = st.builds(Spending, day_msat=whole(), week_msat=whole(), held_msat=whole())
    jobs = st.builds(Job, scid=st.just("1x1x1"), partners=st.just(("2x2x2",)))
    engines = st.builds(
        Engine,
        version=st.none() | st.text(max_size=9) | st.just("v4.3.1"),
        trouble=st.just("") | st.text(max_size=9),
        jobs=st.none() | st.lists(jobs, max_size=1).map(tuple),
    )
    return st.builds(
        Treasury,
        engine=st.none() | engines,
        spending=st.none() | spent,
        revenue_day_msat=money,
        revenue_week_msat=money,
        refill_cost_week_msat=money,
        income_month_msat=st.none() | st.integers(-(10**18), 10**18),
        attempts=rows(at_all(), max_size=3),
        one_at_a_time=st.booleans(),
        contested=st.lists(peer_ids(), max_size=2),
    )


def anything() -> Some:
    """
    Return any node with any knowledge of money, and any configuration.
    """
    known = st.builds(
        lambda snapshot, money: attrs.evolve(snapshot, treasury=money),
        snapshots(max_channels=4),
        st.none() | treasuries(),
    )
    return st.tuples(known, configs())
