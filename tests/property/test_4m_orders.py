"""§4 Orders: what the operator sets by a command stays as long as was said, whatever else holds."""

import attrs
from hypothesis import assume, given
from hypothesis import strategies as st
from property.strategies import (
    OPEN,
    belief_memories,
    channels,
    climb_memories,
    configs,
    fee_memories,
    orders,
    ppms,
    snapshots,
    whole,
)
from property.trails import codes, fact
from property.world import CLIMBING, START, World, looked, quiet_channel

from revops.core.actions import Hold
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import Change, FeeMemory, Pin, Price
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code
from revops.core.snapshot import FeePin, Traffic
from revops.core.units import DAY, HOUR

YIELDED = {Code.MANUAL_CHANGE, Code.PINNED}
USED = Traffic(since=0, until=START, out_count=9, last_out_at=START)
open_channels = channels(START, **OPEN)


def price_of(channel):
    """
    Return the price that a channel shows.
    """
    return Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)


def ordered(channel, set_at=START - 60, hours=0):
    """
    Return the order by which the price of *channel* came into force.
    """
    return FeePin(
        channel_id=channel.channel_id,
        price=price_of(channel),
        set_at=set_at,
        until=set_at + hours * HOUR,
    )


def carried_out(snapshot):
    """
    Return the orders of *snapshot* that are in force, by channel id.
    """
    shown = {channel.channel_id: price_of(channel) for channel in snapshot.channels}
    return {pin.channel_id: pin for pin in snapshot.pins if shown[pin.channel_id] == pin.price}


@given(snapshots(min_channels=1), configs())
def test_an_order_stays_until_it_ends(snapshot, config):
    """
    While its time runs, a fee that the operator ordered is touched by no learner, no congestion, no
    spike, no scarcity and no policy, whatever is remembered; the reason says how long.
    """
    plan = decide(snapshot, config)
    remembered = {memory.channel_id: memory.fee for memory in plan.memory.channels}
    for decision in plan.decisions:
        order = carried_out(snapshot).get(decision.channel_id)
        if order and snapshot.now < order.until:
            fee = remembered[decision.channel_id]
            assert decision.action == Hold(until=order.until)
            assert codes(decision) == [Code.ORDERED]
            assert fee.pin == Pin(price=order.price, until=order.until, ordered=True)
            assert (fee.known, fee.asked, fee.search) == (order.price, None, None)


@given(open_channels, configs(), fee_memories(START))
def test_an_order_comes_before_every_policy(channel, config, memory):
    """
    Dynamic, static, passive or hive: what was ordered for the channel itself stays.
    """
    for strategy in Strategy:
        policy = Policy(peer_id=channel.peer_id, strategy=strategy, fee_ppm=7)
        order = ordered(channel, hours=1)
        plan = looked(channel, config, fee=memory, policies=[policy], pins=[order])
        after = plan.memory.channels[0].fee
        assert codes(plan.decisions[0]) == [Code.ORDERED]
        assert (after.known, after.asked) == (order.price, None)
        assert (after.climb, after.belief) == (None, None)


@given(snapshots(min_channels=1), configs())
def test_an_order_that_is_not_in_force_changes_nothing(snapshot, config):
    """
    An order that the node did not carry out, or that somebody has overruled since, is as good as
    none: the plan is the same without it.
    """
    alive = attrs.evolve(snapshot, pins=carried_out(snapshot).values())

    assert decide(snapshot, config) == decide(alive, config)


@given(open_channels, configs(), fee_memories(START), whole(0, DAY))
def test_an_order_whose_time_is_over_is_nobody_elses_change(channel, config, memory, ago):
    """
    A fee that was ordered to be set and not to stay (`hours=0`), or not until now, is ours: revops
    yields to nobody, and goes on from that very fee.
    """
    plan = looked(channel, config, fee=memory, pins=[ordered(channel, START - ago)])

    assert not YIELDED & set(codes(plan.decisions[0]))
    assert Code.ORDERED not in codes(plan.decisions[0])
    assert plan.memory.channels[0].fee.known == price_of(channel)


@given(ppms(10, 5000), whole(0, 25), st.booleans())
def test_when_an_order_ends_learning_starts_from_its_fee(ppm, hours, new):
    """
    What was learned before an order is void: the search begins at the ordered fee when it has
    ended, also on a channel that would otherwise begin at the market's price.
    """
    world = World([quiet_channel(market_ppm=300)])
    (channel_id,) = world.channels
    if new:
        world.memory = attrs.evolve(world.memory, since=0)
        world.since = START
        world.change(channel_id, opened_at=START - HOUR)
    else:
        world.forward(channel_id)
    world.cycle()
    world.wait(HOUR)
    world.order(channel_id, ppm, hours)
    decision = world.price()
    for _ in range(hours):
        assert codes(decision) == [Code.ORDERED]
        world.wait(HOUR)
        decision = world.price()

    assert codes(decision)[0] is Code.FIRST_CONTACT
    assert world.memory.channels[0].fee.search.base_ppm == ppm
    assert world.memory.channels[0].fee.pin is None


@given(open_channels, configs(), fee_memories(START), st.data())
def test_an_order_is_one_update_of_the_gossip_budget(channel, config, memory, data):
    """
    The update that an order made is counted once, beside one that may have gone out before it.
    """
    order = attrs.evolve(data.draw(orders(channel, START)), price=price_of(channel))
    prices = st.sampled_from((order.price, *filter(None, [memory.known])))
    asked = memory.asked and attrs.evolve(memory.asked, price=data.draw(prices))
    told = order.price != (asked.price if asked else memory.known)
    counted = attrs.evolve(memory, asked=asked, changes=[])
    first = looked(channel, config, fee=counted, pins=[order]).memory.channels[0].fee
    later = attrs.evolve(first, asked=None)
    again = looked(channel, config, fee=later, pins=[order]).memory.channels[0].fee

    assert len(first.changes) == bool(asked) + told
    assert not asked or first.changes[0] == Change(at=asked.at, urgent=asked.urgent)
    assert len(again.changes) <= len(first.changes)


@given(open_channels, configs(), fee_memories(START), whole(1, 100), st.data())
def test_a_change_after_an_order_is_somebody_elses(channel, config, memory, hours, data):
    """
    Whoever changes an ordered fee by hand is yielded to as always.
    """
    now = attrs.evolve(channel, fee_ppm=data.draw(ppms()))
    assume(now.fee_ppm != channel.fee_ppm)
    order = ordered(channel, hours=hours)
    seen = looked(channel, config, fee=memory, pins=[order]).memory.channels[0].fee
    plan = looked(now, config, START + 1, fee=attrs.evolve(seen, asked=None), pins=[order])

    assert codes(plan.decisions[0]) == [Code.MANUAL_CHANGE]
    assert fact(plan.decisions[0], "known_ppm", Code.MANUAL_CHANGE) == channel.fee_ppm


# revenue-wake-all


def climbs(plan):
    """
    Return the searches that *plan* leaves, by channel id.
    """
    return {memory.channel_id: memory.fee.climb for memory in plan.memory.channels}


@given(snapshots(min_channels=1), configs())
def test_waking_all_wakes_those_who_rest_and_nobody_else(snapshot, config):
    """
    Asked to wake all, no search of a listed channel rests that rested before; the others are as if
    nobody had asked.
    """
    before = {memory.channel_id: memory.fee.climb for memory in snapshot.memory.channels}
    woken = climbs(decide(attrs.evolve(snapshot, wake=True), config))
    left = climbs(decide(attrs.evolve(snapshot, wake=False), config))
    listed = {channel.channel_id for channel in snapshot.channels}
    for channel_id, climb in woken.items():
        rested = before.get(channel_id) is not None and before[channel_id].resting
        if rested and channel_id in listed:
            assert climb is None or not climb.resting
        else:
            assert climb == left[channel_id]


@given(climb_memories(START), ppms(10, 5000))
def test_who_is_woken_searches_on_from_where_it_rested(climb, ppm):
    """
    A search that is woken says by whom, and goes on from its price with an empty window.
    """
    channel = quiet_channel(fee_ppm=ppm, traffic=USED)
    climb = attrs.evolve(climb, base_ppm=ppm, resting=True)
    memory = FeeMemory(known=price_of(channel), climb=climb)
    plan = looked(channel, Config(**CLIMBING), fee=memory, wake=True)
    after = plan.memory.channels[0].fee.climb

    assert fact(plan.decisions[0], "by", Code.CLIMB_WOKE) == "revenue-wake-all"
    assert (after.base_ppm, after.window.fee_ppm, after.window.live_s) == (ppm, ppm, 0)
    assert not after.resting


@given(belief_memories(START), ppms(10, 5000))
def test_what_is_believed_outlasts_being_woken(belief, ppm):
    """
    A channel that is woken says by whom; its price stays, and its silence is counted anew.
    """
    channel = quiet_channel(fee_ppm=ppm, traffic=USED)
    belief = attrs.evolve(belief, base_ppm=ppm, resting=True)
    plan = looked(
        channel, Config(), fee=FeeMemory(known=price_of(channel), belief=belief), wake=True
    )
    after = plan.memory.channels[0].fee.belief

    assert fact(plan.decisions[0], "by", Code.CLIMB_WOKE) == "revenue-wake-all"
    assert fact(plan.decisions[0], "base_ppm", Code.CLIMB_WOKE) == ppm
    assert (after.base_ppm, after.quiet_s, after.resting) == (ppm, 0, False)
