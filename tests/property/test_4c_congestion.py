"""§4.2 Congestion: the last HTLC slots go to those who pay the ceiling."""

import attrs
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import OPEN, channels, configs, fee_memories, ppms, whole
from property.trails import bounds, codes, fee
from property.world import CLIMBING, START, World, decided, looked, quiet_channel

from revops.core.actions import SetFee
from revops.core.config import Config
from revops.core.memory import Change, ClimbMemory, FeeMemory, Price, Window
from revops.core.reasons import Code
from revops.core.snapshot import Traffic
from revops.core.units import HOUR

SLOTS = 100
free = {"paused": st.just(False), "authority": st.just("fees")}
memories = fee_memories(START).map(
    lambda memory: attrs.evolve(memory, asked=None, pin=None, changes=(), congested=False)
)


def settled(channel, memory):
    """
    Return *memory* knowing the price that is in force.
    """
    known = Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)
    return attrs.evolve(memory, known=known)


@given(
    channels(START, **OPEN, max_htlcs=whole(1, 10_000)),
    configs(**free, htlc_congestion_threshold=st.floats(0, 0.99)),
    memories,
    st.booleans(),
)
def test_congestion_means_the_ceiling_at_once(channel, config, memory, inward):
    """
    With more than the threshold of the slots used in either direction the price is the ceiling, in
    one step, from the reserve of the gossip budget, whatever was learned.
    """
    full = {"htlcs_in" if inward else "htlcs_out": channel.max_htlcs}
    channel = attrs.evolve(channel, **full)
    decision = decided(channel, config, fee=settled(channel, memory))
    _, ceiling = bounds(decision)

    assert Code.CONGESTED in codes(decision)
    assert Code.STEP_LIMIT not in codes(decision)
    assert fee(decision, channel.fee_ppm) == ceiling
    assert not isinstance(decision.action, SetFee) or decision.action.urgent


@given(
    channels(START, **OPEN, max_htlcs=whole(1, 10_000)),
    configs(htlc_congestion_threshold=st.floats(0, 1)),
    memories,
)
def test_enough_slots_are_no_congestion(channel, config, memory):
    """
    At the threshold or below it nothing is congested.
    """
    most = int(channel.max_htlcs * config.htlc_congestion_threshold)
    channel = attrs.evolve(
        channel, htlcs_in=min(channel.htlcs_in, most), htlcs_out=min(channel.htlcs_out, most)
    )
    plan = looked(channel, config, fee=settled(channel, memory))

    assert Code.CONGESTED not in codes(plan.decisions[0])
    assert not plan.states[0].congested


@given(channels(START, **OPEN, max_htlcs=st.none()), configs(), memories)
def test_unknown_slots_are_no_congestion(channel, config, memory):
    """
    When the node does not say how many slots there are, nothing is called congested.
    """
    decision = decided(channel, config, fee=settled(channel, memory))

    assert not {Code.CONGESTED, Code.CONGESTION_EASES} & set(codes(decision))


@given(ppms(10, 5000), st.lists(st.integers(0, SLOTS), min_size=1, max_size=12), st.integers(1, 8))
def test_congestion_ends_after_two_quiet_cycles(ppm, used, hours):
    """
    Above 80 % of the slots congestion begins; it ends when at most 60 % are used on two cycles in a
    row, and then the fee is back at what was learned, in one step, and nothing is left of it.
    """
    world = World([quiet_channel(fee_ppm=ppm, max_htlcs=SLOTS)], Config(**CLIMBING))
    (channel_id,) = world.channels
    congested, calm = False, 0
    for slots in used:
        world.wait(hours * HOUR)
        world.forward(channel_id)
        world.change(channel_id, htlcs_in=slots)
        in_force = world.channels[channel_id].fee_ppm
        plan = world.cycle()
        if slots > 80:
            congested, calm = True, 0
        elif congested:
            calm = calm + 1 if slots <= 60 else 0
            congested = calm < 2
        decision = plan.decisions[0]
        assert plan.states[0].congested == congested
        assert congested or plan.memory.channels[0].fee.calm == 0
        if congested and Code.GOSSIP_CHANNEL not in codes(decision):
            assert fee(decision, in_force) == bounds(decision)[1]
        if not congested and Code.GOSSIP_CHANNEL not in codes(decision):
            assert fee(decision, in_force) == ppm


@given(whole(1, 1000), st.booleans(), st.booleans())
def test_three_quarters_of_the_threshold_are_calm(eighths, over, inward):
    """
    A cycle is quiet when at most three quarters of the threshold are in use, and not one slot more.
    """
    used = 3 * eighths + over
    channel = quiet_channel(max_htlcs=8 * eighths, **{"htlcs_in" if inward else "htlcs_out": used})
    memory = settled(channel, FeeMemory(congested=True, calm=1))
    plan = looked(channel, Config(htlc_congestion_threshold=0.5), fee=memory)

    assert plan.states[0].congested == over


@given(ppms(10, 5000), whole(1, 8))
def test_the_way_back_is_as_urgent_as_the_way_there(ppm, most):
    """
    A channel that has used its ordinary budget still leaves the ceiling at once when it may.
    """
    config = Config(max_fee_updates_per_day=most, max_fee_ppm=6000, **CLIMBING)
    made = tuple(Change(at=START - HOUR) for _ in range(most))
    climb = ClimbMemory(base_ppm=ppm, window=Window(fee_ppm=ppm), seen_at=START - HOUR)
    memory = FeeMemory(climb=climb, congested=True, calm=1, changes=made)
    used = Traffic(since=0, until=START, out_count=9, last_out_at=START)
    channel = quiet_channel(fee_ppm=6000, max_htlcs=SLOTS, traffic=used)
    action = decided(channel, config, fee=settled(channel, memory)).action

    assert (action.new_ppm, action.urgent) == (ppm, True)


@given(st.integers(61, 80), st.integers(2, 6))
def test_looking_again_is_no_quiet_cycle(slots, looks):
    """
    Only cycles later in time count as quiet: two looks at one moment end no congestion.
    """
    traffic = Traffic(since=0, until=START, last_out_at=START)
    channel = quiet_channel(max_htlcs=SLOTS, htlcs_out=slots, traffic=traffic)
    world = World([channel])
    (channel_id,) = world.channels
    world.change(channel_id, htlcs_out=SLOTS)
    world.cycle()
    world.change(channel_id, htlcs_out=0)
    for _ in range(looks):
        assert world.cycle().states[0].congested
