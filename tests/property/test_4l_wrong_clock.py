"""A clock that once was ahead: what it left in memory holds nothing up once the time is right."""

import attrs
from hypothesis import given
from property.strategies import climb_memories, fee_memories, whole
from property.world import START, World, quiet_channel

from revops.core.config import Config
from revops.core.memory import ChannelMemory, FlowMemory, Memory, Pin, Price, VegasMemory
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
