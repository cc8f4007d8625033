"""§9 The predecessor: what it was seen to do wrong is what cannot happen here."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import ppms, ratios, whole
from property.trails import codes
from property.world import START, World, peer, quiet_channel

from revops.core.actions import SetFee
from revops.core.config import Config
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code
from revops.core.snapshot import FeerateSample
from revops.core.units import DAY, HOUR, MINUTE

CAPACITY = 5_000_000_000
AT_THE_FLOOR = 12
"""A fee as near to min-fee-ppm as no update brings it nearer."""


def node(fees, config=None, **fields):
    """
    Return a world with a channel for each of *fees*.
    """
    channels = [quiet_channel(n, fee_ppm=ppm, **fields) for n, ppm in enumerate(fees)]
    return World(channels, config or Config())


@given(st.lists(ppms(10, 5000), min_size=1, max_size=30), ratios(0.4, 1))
def test_the_first_cycle_reprices_nothing(fees, share):
    """
    On a node that revops sees for the first time no fee within bounds changes: learning starts from
    what is in force. The predecessor re-priced 59 of 60 channels at random.
    """
    world = node(fees, to_us_msat=int(CAPACITY * share))
    for channel_id in world.channels:
        world.forward(channel_id)
    plan = world.cycle()

    assert not any(isinstance(decision.action, SetFee) for decision in plan.decisions)
    assert all(memory.fee.search for memory in plan.memory.channels)


@given(st.lists(ppms(10, 5000), min_size=1, max_size=5), whole(1, 30))
def test_one_failed_read_deletes_nothing(fees, cycles):
    """
    A cycle that saw no channels at all leaves every memory, and the next one goes on from there.
    The predecessor deleted all of them when listpeerchannels failed once.
    """
    world = node(fees)
    for _ in range(3):
        world.wait(HOUR)
        world.cycle()
    learned = world.memory.channels
    world.hidden = set(world.channels)
    for _ in range(cycles):
        world.wait(HOUR)
        world.cycle()
    kept = world.memory.channels
    world.hidden = set()
    world.wait(HOUR)
    plan = world.cycle()

    assert kept == learned
    assert all(Code.FIRST_CONTACT not in codes(decision) for decision in plan.decisions)


@given(whole(1, 20), whole(2, 7))
def test_the_first_look_at_a_history_is_no_gold_rush(count, days):
    """
    A week of forwards seen for the first time is a week, not an hour: neither fee nor flow jumps.
    The predecessor recorded 168 times the real rate.
    """
    world = node([500])
    (channel_id,) = world.channels
    world.since = world.now = START - START % DAY
    for _ in range(days * 24):
        world.forward(channel_id, count, 10_000_000)
        world.wait(HOUR)
    plan = world.cycle()
    per_day = count * 10_000_000 * 24

    assert plan.states[0].flow.out_msat_per_day == pytest.approx(per_day, rel=0.01)
    assert plan.memory.channels[0].fee.search.window.count == 0
    assert world.channels[channel_id].fee_ppm == 500


@given(ppms(20, 2000))
def test_a_restart_keeps_what_was_learned(ppm):
    """
    Memory is all there is: a search that was stopped between any two cycles goes on as if it had
    not been. The predecessor lost its state at every restart.
    """
    running, restarted = node([ppm]), node([ppm])
    for hour in range(24):
        for world in (running, restarted):
            world.wait(HOUR)
            world.forward(next(iter(world.channels)), hour % 5 + 1)
            world.cycle()
        restarted.memory = attrs.evolve(restarted.memory)
        restarted.cycle()

    assert restarted.memory.channels == running.memory.channels
    assert restarted.channels == running.channels


@given(ppms(100, 2000))
def test_no_channel_freezes(ppm):
    """
    A channel without revenue is not put to sleep at its price: a week later it is cheaper, and the
    price goes on moving. The predecessor's froze for ever after three cycles.
    """
    world = node([ppm], Config(htlc_max=False, fee_interval=2 * HOUR))
    (channel_id,) = world.channels
    seen = []
    for _ in range(2):
        for _ in range(7 * 4):
            world.wait(6 * HOUR)
            world.cycle()
        seen.append(world.channels[channel_id].fee_ppm)

    assert ppm > seen[0] > seen[1] or seen[0] <= AT_THE_FLOOR


@given(whole(10, 300), whole(4, 20))
def test_a_spike_of_on_chain_fees_reaches_the_network(least, times):
    """
    When on-chain fees go to many times their median, a channel at its floor is set to more.
    The predecessor's reflex changed no fee.
    """
    usual = 2000
    world = World([quiet_channel(fee_ppm=least, capacity_msat=10**15)], Config(min_fee_ppm=least))
    (channel_id,) = world.channels
    world.forward(channel_id)
    calm = [FeerateSample(at=START - n * 30 * MINUTE, perkw=usual) for n in range(12)]
    world.feerates = tuple(calm)
    world.cycle()
    before = world.channels[channel_id].fee_ppm
    world.wait(30 * MINUTE)
    world.feerates = (*calm, FeerateSample(at=world.now, perkw=times * usual))
    world.cycle()

    assert before == least
    assert world.channels[channel_id].fee_ppm >= min(2.9 * least, least + 100)


@given(ppms(0, 9), ppms(0, 9), st.booleans())
def test_static_and_hive_fees_are_set_below_the_minimum(static, tariff, with_base):
    """
    Given fees are set as they are, below min-fee-ppm and down to nothing. The predecessor's were
    never set.
    """
    world = node([500, 500], Config(hive_fee_ppm=tariff), base_fee_msat=1000 * with_base)
    world.policies = (
        Policy(peer_id=peer(0), strategy=Strategy.STATIC, fee_ppm=static),
        Policy(peer_id=peer(1), strategy=Strategy.HIVE),
    )
    world.cycle()

    assert [channel.fee_ppm for channel in world.channels.values()] == [static, tariff]
    assert [channel.base_fee_msat for channel in world.channels.values()] == [0, 0]


@given(ratios(0, 0.3), whole(0, 13 * DAY))
def test_an_amnesty_is_an_amnesty(share, age):
    """
    A channel that the peer has just opened, empty on our side, is not priced as scarce. The
    predecessor's amnesty had no effect.
    """
    world = node([500], opener="remote", opened_at=START - age, to_us_msat=int(CAPACITY * share))
    decision = world.price()

    assert Code.AMNESTY in codes(decision)
    assert Code.SCARCITY not in codes(decision)


@given(
    st.lists(whole(0, 30), min_size=8, max_size=8), st.lists(ppms(10, 5000), min_size=3, max_size=3)
)
def test_gossip_is_rare(counts, fees):
    """
    In a day and a half of half-hour cycles on a busy node, no channel has more than four updates a
    day.
    The predecessor made 15.7, of 26 % each.
    """
    world = node(fees, max_htlcs=483)
    for cycle in range(72):
        world.wait(30 * MINUTE)
        for number, channel_id in enumerate(world.channels):
            if count := counts[(cycle + number) % 8]:
                world.forward(channel_id, count)
        world.cycle()
    made = [len(updates) for updates in world.set_at.values()]

    assert all(updates <= 8 for updates in made)
