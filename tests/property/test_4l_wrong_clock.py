"""A clock that once was ahead: what it left in memory holds nothing up once the time is right."""

import attrs
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import (
    channel_memories,
    climb_memories,
    fee_memories,
    vegas_memories,
    whole,
)
from property.world import START, World, quiet_channel

from revops.core.config import Config
from revops.core.memory import (
    YIELD_S,
    ChannelMemory,
    FeeMemory,
    FlowMemory,
    Memory,
    Pin,
    Price,
    VegasMemory,
    recalled,
)
from revops.core.snapshot import FeerateSample
from revops.core.units import DAY, HOUR

PATIENT = Config(fee_interval=2 * HOUR, htlc_max=False)
YEARS = 1000 * DAY


def left_behind(world, ahead, **fields):
    """
    Return the memory of a cycle that ran *ahead* seconds in the future of *world*.
    """
    (channel_id,) = world.channels
    known = ChannelMemory(
        channel_id=channel_id, first_seen_at=0, last_seen_at=START + ahead, **fields
    )
    return Memory(since=0, at=START + ahead, channels=[known])


@given(
    st.lists(channel_memories(START + YEARS), max_size=3, unique_by=lambda known: known.channel_id),
    vegas_memories(START + YEARS),
    st.none() | whole(START - 2, START + YEARS),
)
def test_nothing_that_is_remembered_lies_ahead(known, vegas, at):
    """
    Once the time is right all that was done is as of now at the latest, what is yielded to ends
    within a day, and the hour that runs and a sample of this moment are still to be looked at.
    Whoever was never ahead remembers all as it was.
    """
    memory = Memory(since=0, at=at, vegas=vegas, channels=known)
    after = recalled(memory, START)
    if at is None or at <= START:
        assert after == memory
        return
    assert after.at == START
    assert after.vegas.sample_at == (vegas.sample_at and min(vegas.sample_at, START - 1))
    assert attrs.evolve(after.vegas, sample_at=vegas.sample_at) == vegas
    for was, now in zip(memory.channels, after.channels, strict=True):
        fee, pin = now.fee, was.fee.pin
        flow = was.flow and attrs.evolve(was.flow, hour=min(was.flow.hour, START // HOUR - 1))
        assert now.last_seen_at == min(was.last_seen_at, START)
        assert now.flow == flow
        assert fee.pin == (pin and attrs.evolve(pin, until=min(pin.until, START + YIELD_S)))
        assert [c.at for c in fee.changes] == [min(c.at, START) for c in was.fee.changes]
        assert [c.urgent for c in fee.changes] == [c.urgent for c in was.fee.changes]
        assert attrs.evolve(fee, pin=pin, changes=was.fee.changes) == was.fee
        assert (now.channel_id, now.first_seen_at) == (was.channel_id, was.first_seen_at)


@given(whole(1, YEARS), whole(-YEARS, YEARS), st.booleans())
def test_who_was_yielded_to_in_the_future_is_yielded_to_for_a_day(ahead, left, ordered):
    """
    Of what a clock that was ahead held a price for, a day is left, or less where it ends sooner.
    """
    price = Price(fee_ppm=500, base_fee_msat=0)
    until = max(0, START + ahead + left)
    fee = FeeMemory(known=price, pin=Pin(price=price, until=until, ordered=ordered))
    memory = left_behind(World([quiet_channel()]), ahead, fee=fee)
    (after,) = recalled(memory, START).channels

    assert after.fee.pin == Pin(price=price, until=min(until, START + DAY), ordered=ordered)


@given(whole(0, 3), whole(0, YEARS))
def test_an_order_of_long_is_kept_at_any_later_look(ago, left):
    """
    What was ordered to stay for longer than anybody is yielded to stays that long, also for a
    second look at one moment: only a clock that was ahead cuts it short.
    """
    price = Price(fee_ppm=500, base_fee_msat=0)
    pin = Pin(price=price, until=START + left, ordered=True)
    memory = left_behind(World([quiet_channel()]), -ago, fee=FeeMemory(known=price, pin=pin))

    assert recalled(memory, START) == memory


@given(st.none() | whole(0, START + YEARS), st.none() | whole(START - 2, START + YEARS))
def test_a_cycle_remembers_when_it_was_and_when_the_first_was(since, at):
    """
    When the last cycle ran is as of this one, when revops first ran never changes.
    """
    world = World([quiet_channel()])
    world.memory = Memory(since=since, at=at)
    world.cycle()

    assert world.memory.at == START
    assert world.memory.since == (START if since is None else since)


@given(climb_memories(START + YEARS), fee_memories(START + YEARS), whole(1, YEARS))
def test_no_channel_stays_frozen(climb, memory, ahead):
    """
    A live channel to which payments keep coming tries another price within twelve days, whatever
    pins, updates and looks of the future are left.
    """
    world = World([quiet_channel()], PATIENT)
    (channel_id,) = world.channels
    price = Price(fee_ppm=500, base_fee_msat=0)
    fee = attrs.evolve(
        memory,
        known=price,
        asked=None,
        pin=memory.pin and Pin(price=price, until=START + ahead + DAY),
        climb=attrs.evolve(climb, seen_out_count=0, seen_at=START + ahead),
    )
    world.memory = left_behind(world, ahead, fee=fee)
    world.cycle()
    for _ in range(48):
        world.wait(6 * HOUR)
        world.forward(channel_id, 30)
        world.cycle()
        if world.channels[channel_id].fee_ppm != 500:
            break

    assert world.channels[channel_id].fee_ppm != 500


@given(whole(2, 20_000))
def test_the_reflex_still_fades(ahead):
    """
    A sample that the future saw does not hide today's: a spike still ends.
    """
    world = World([quiet_channel()])
    held = VegasMemory(intensity=1.0, spiking=True, sample_at=START + ahead * HOUR)
    world.memory = attrs.evolve(left_behind(world, ahead * HOUR), vegas=held)
    later = FeerateSample(at=START + ahead * HOUR, perkw=90_000)
    today = [FeerateSample(at=START - 600 * n, perkw=2000) for n in range(12)]
    world.feerates = [*today, later]
    world.cycle()

    assert not world.memory.vegas.spiking


@given(whole(2, 20_000))
def test_hours_are_digested_again(ahead):
    """
    Hours count from the moment at which the clock is right.
    """
    world = World([quiet_channel()])
    (channel_id,) = world.channels
    flow = FlowMemory(hour=START // HOUR + ahead)
    world.memory = left_behind(world, ahead * HOUR, flow=flow)
    for _ in range(3):
        world.forward(channel_id, 5)
        world.wait(HOUR)
        world.cycle()

    assert world.memory.channels[0].flow.out_sum > 0
