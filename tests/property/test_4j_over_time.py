"""§4 Over time: what holds over any sequence of cycles on a node that does what it is told."""

from collections import Counter

import attrs
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import optimizers, ppms, ratios, whole
from property.trails import codes
from property.world import CLIMBING, START, World, quiet_channel

from revops.core.actions import SetFee
from revops.core.config import Config
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code
from revops.core.units import DAY, HOUR, MINUTE

CAPACITY = 5_000_000_000


@st.composite
def lives(draw, channels=2, most=20):
    """
    Return what happens between cycles: how long it takes, and for each channel how many payments
    leave, how much of it is ours and how many HTLC slots are in use.
    """
    happening = st.tuples(whole(0, 40), ratios(0, 1), whole(0, 100))
    return draw(
        st.lists(
            st.tuples(whole(1, DAY // 2), st.tuples(*[happening] * channels)),
            min_size=1,
            max_size=most,
        )
    )


def happened(world, seconds, happenings):
    """
    Let time pass and things happen on each channel.
    """
    world.wait(seconds)
    for channel_id, (count, share, slots) in zip(world.channels, happenings, strict=True):
        if count:
            world.forward(channel_id, count)
        ours = int(CAPACITY * share)
        world.change(channel_id, to_us_msat=ours, spendable_msat=ours, htlcs_out=slots)


def busy_world(config, fees=(500, 800)):
    """
    Return a world of a few channels with a hundred HTLC slots each.
    """
    return World(
        [
            quiet_channel(n, fee_ppm=ppm, max_htlcs=100, htlc_max_msat=CAPACITY)
            for n, ppm in enumerate(fees)
        ],
        config,
    )


def most_within(times, seconds):
    """
    Return how many of *times* fall into the fullest stretch of that many seconds.
    """
    return max((sum(start <= at < start + seconds for at in times) for start in times), default=0)


@given(lives(), whole(1, 6), whole(1, 6))
def test_updates_never_exceed_the_budget(life, daily, hourly):
    """
    Over any sequence of cycles no day of a channel and no hour of the node has more updates than
    the budget, nor more urgent ones than the reserve.
    """
    config = Config(max_fee_updates_per_day=daily, max_node_updates_per_hour=hourly)
    world = busy_world(config)
    for seconds, happenings in life:
        happened(world, seconds, happenings)
        world.cycle()
    for urgent in (False, True):
        made = {
            channel_id: [at for at, how in updates if how is urgent]
            for channel_id, updates in world.set_at.items()
        }
        day = max(1, daily // 2) if urgent else daily
        hour = max(1, hourly // 2) if urgent else hourly
        assert all(most_within(times, DAY) <= day for times in made.values())
        assert most_within([at for times in made.values() for at in times], HOUR) <= hour


@given(lives(channels=1, most=8))
def test_every_fee_ever_set_is_within_the_operators_bounds(life):
    """
    Over any sequence of cycles fees stay from min-fee-ppm to max-fee-ppm.
    """
    world = busy_world(Config(min_fee_ppm=50, max_fee_ppm=900), fees=(500,))
    for seconds, happenings in life:
        happened(world, seconds, happenings)
        world.cycle()
        assert all(50 <= channel.fee_ppm <= 900 for channel in world.channels.values())


@given(lives(channels=2, most=10), st.sampled_from(Strategy).filter(lambda s: s != "dynamic"))
def test_what_is_not_learned_is_never_moved_by_a_learner(life, strategy):
    """
    Over any sequence of cycles a passive channel keeps its fee, and a static or hive channel has
    the one that was given, whatever its forwards, balance and slots.
    """
    world = busy_world(Config(hive_fee_ppm=3))
    held = next(iter(world.channels.values()))
    given = {Strategy.PASSIVE: 500, Strategy.STATIC: 77, Strategy.HIVE: 3}[strategy]
    world.policies = (Policy(peer_id=held.peer_id, strategy=strategy, fee_ppm=77),)
    for seconds, happenings in life:
        happened(world, seconds, happenings)
        world.cycle()
        assert world.channels[held.channel_id].fee_ppm == given


@given(lives(most=8), st.data())
def test_absent_channels_keep_their_memory(life, data):
    """
    A cycle that does not see a channel - a failed read, a splice, a peer being reconnected - leaves
    everything that was learned about it as it is.
    """
    world = busy_world(Config())
    for seconds, happenings in life:
        happened(world, seconds, happenings)
        world.cycle()
    before = {memory.channel_id: memory for memory in world.memory.channels}
    world.hidden = data.draw(st.sets(st.sampled_from(sorted(world.channels)), min_size=1))
    for seconds in data.draw(st.lists(whole(1, 10 * DAY), min_size=1, max_size=5)):
        world.wait(seconds)
        world.cycle()
    after = {memory.channel_id: memory for memory in world.memory.channels}

    assert {channel_id: after[channel_id] for channel_id in world.hidden} == {
        channel_id: before[channel_id] for channel_id in world.hidden
    }


@given(lives(channels=1, most=8), whole(0, 2**23))
def test_a_splice_changes_nothing_that_was_learned(life, block):
    """
    A channel that got another short channel id by a splice goes on where it was.
    """
    world, spliced = busy_world(Config(), fees=(500,)), busy_world(Config(), fees=(500,))
    (channel_id,) = world.channels
    for seconds, happenings in life:
        for one in (world, spliced):
            happened(one, seconds, happenings)
            one.cycle()
        spliced.change(channel_id, scid=f"{block}x1x0")

    assert spliced.memory == world.memory


@given(lives(most=6), whole(1, 3))
def test_looking_twice_is_looking_once(life, looks):
    """
    A cycle repeated at once - a restart, a command - sets no further fee and teaches nothing
    further: a restart keeps what was learned and takes no step twice.
    """
    world = busy_world(Config())
    for seconds, happenings in life:
        happened(world, seconds, happenings)
        world.cycle()
        world.cycle()
        learned = [memory.fee.climb for memory in world.memory.channels]
        for _ in range(looks):
            assert not any(isinstance(d.action, SetFee) for d in world.cycle().decisions)
        assert [memory.fee.climb for memory in world.memory.channels] == learned


@given(lives(most=10))
def test_the_trail_replays_a_whole_life(life):
    """
    From first contact on, the fees that the trails tell are the fees that the channels had.
    """
    world = busy_world(Config())
    for seconds, happenings in life:
        happened(world, seconds, happenings)
        plan = world.cycle()
        for decision in plan.decisions:
            told = decision.trail[-1].after
            assert told == world.channels[decision.channel_id].fee_ppm


@given(st.lists(whole(0, 60), min_size=20, max_size=20), ppms(10, 5000))
def test_a_week_of_half_hours_is_quiet_gossip(counts, ppm):
    """
    Whatever the traffic, a channel is not told about more than four times a day when nothing but
    its fee is in question.
    """
    world = World([quiet_channel(fee_ppm=ppm)])
    (channel_id,) = world.channels
    for half_hour in range(2 * 48):
        world.wait(30 * MINUTE)
        if counts[half_hour % 20]:
            world.forward(channel_id, counts[half_hour % 20])
        world.cycle()
    updates = [at for at, _ in world.set_at.get(channel_id, ())]

    assert most_within(updates, DAY) <= 4


@given(lives(channels=1, most=12))
def test_every_path_has_one_end(life):
    """
    Over any life, each decision ends in exactly one of the few ways a decision can end.
    """
    ends = {
        *(Code.SET, Code.UNCHANGED, Code.DEAD_BAND, Code.GOSSIP_CHANNEL, Code.GOSSIP_NODE),
        *(Code.PINNED, Code.MANUAL_CHANGE),
    }
    world = busy_world(Config(), fees=(500,))
    for seconds, happenings in life:
        happened(world, seconds, happenings)
        path = codes(world.price())
        assert path[-1] in ends
        assert all(count == 1 for count in Counter(path).values())


@given(ppms(10, 5000), whole(0, 3), ratios(0.36, 1), optimizers)
def test_quiet_channels_do_not_freeze(ppm, forwards, share, optimizer):
    """
    A channel that nobody used for a month is not forgotten: it became cheaper on the way, and what
    little comes then is counted.
    """
    config = Config(fee_interval=2 * HOUR, htlc_max=False, **CLIMBING)
    config = attrs.evolve(config, fee_optimizer=optimizer)
    ours = int(CAPACITY * share)
    world = World([quiet_channel(fee_ppm=ppm, to_us_msat=ours, spendable_msat=ours)], config)
    (channel_id,) = world.channels
    for _ in range(120):
        world.wait(6 * HOUR)
        world.cycle()
    quiet = world.channels[channel_id].fee_ppm
    # A price in force may stay a little above the floor: it is not worth an update.
    assert quiet < ppm or quiet <= 12
    seen = world.memory.channels[0].fee.search.seen_out_count
    for _ in range(4):
        world.wait(6 * HOUR)
        world.forward(channel_id, forwards)
        world.cycle()
    search = world.memory.channels[0].fee.search

    assert search.seen_out_count == seen + 4 * forwards
    assert not (forwards and search.resting)
    assert world.now > START
