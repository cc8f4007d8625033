"""§2 Flow, the estimate: each hour is digested once, in whatever portions it comes."""

import math

import attrs
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import channels, flow_memories, instants, snapshots, traffics
from property.world import HOUR_NOW, START, World, forwarded, look, quiet_channel

from revops.core.config import Config
from revops.core.decide import decide
from revops.core.snapshot import Slice, Traffic
from revops.core.units import DAY, HOUR


def books(hours, until=START):
    """
    Return the books of a channel with these *hours*, which last until *until*.
    """
    return Traffic(since=until - 30 * DAY, until=until, hours=hours)


@st.composite
def some_hours(draw, most=200_000_000):
    """
    Return hours of the last six days with up to ten payments of ordinary size each way.
    """
    ages = draw(st.lists(st.integers(1, 6 * 24), max_size=12, unique=True))
    counts, amounts = st.integers(0, 10), st.integers(1, most)
    return [
        Slice(
            start=HOUR_NOW - age,
            in_count=draw(counts),
            in_msat=draw(amounts),
            out_count=draw(counts),
            out_msat=draw(amounts),
        )
        for age in ages
    ]


@given(some_hours(), st.lists(instants(START - 6 * DAY, START), max_size=4))
def test_portions_make_no_difference(hours, looks):
    """
    Hours seen in several looks give exactly the estimate that they give in one.
    """
    memory, channel = None, quiet_channel()
    for now in sorted(looks):
        seen = [hour for hour in hours if hour.start < now // HOUR]
        _, memory = look(attrs.evolve(channel, traffic=books(seen, now)), memory, now)
    last = attrs.evolve(channel, traffic=books(hours))

    assert look(last, memory) == look(last)


@given(some_hours(), st.data())
def test_order_makes_no_difference(hours, data):
    """
    Hours in any order give the same estimate.
    """
    shuffled = data.draw(st.permutations(hours))
    channel = quiet_channel()

    assert look(attrs.evolve(channel, traffic=books(shuffled))) == look(
        attrs.evolve(channel, traffic=books(hours))
    )


@given(snapshots(min_channels=1))
def test_no_hour_is_digested_twice(snapshot):
    """
    Hours that are shown again change nothing, whatever they and the memory are.
    """
    once = decide(snapshot, Config()).memory
    twice = decide(attrs.evolve(snapshot, memory=once), Config()).memory

    assert [m.flow for m in twice.channels] == [m.flow for m in once.channels]


@given(some_hours(), st.integers(0, HOUR - 1), st.integers(0, 10**9))
def test_an_unfinished_hour_waits(hours, second, amount):
    """
    The hour that is still running says nothing yet.
    """
    until = HOUR_NOW * HOUR + second
    running = Slice(start=HOUR_NOW, out_count=1, out_msat=amount)
    channel = quiet_channel()

    assert look(attrs.evolve(channel, traffic=books([*hours, running], until)), now=until) == look(
        attrs.evolve(channel, traffic=books(hours, until)), now=until
    )


@given(channels(), flow_memories(START), traffics(START))
def test_every_estimate_is_finite(channel, memory, traffic):
    """
    Whatever was remembered and booked, all numbers are finite, shares are shares, and uncertainty
    is not negative.
    """
    view, after = look(attrs.evolve(channel, traffic=traffic), memory)
    numbers = attrs.asdict(view, filter=lambda _, value: isinstance(value, (int, float)))

    assert all(math.isfinite(number) for number in numbers.values())
    assert -1 <= view.direction <= 1
    assert 0 <= view.confidence <= 1
    assert view.turnover >= 0
    assert view.out_msat_per_day >= 0
    assert view.net_ratio_sd >= 0
    assert after.hour >= memory.hour


@given(some_hours())
def test_mirrored_flow_is_the_mirror_image(hours):
    """
    What came in taken for what went out, and ours for theirs, turns every sign and nothing else.
    """
    mirrored = [
        attrs.evolve(
            hour,
            in_count=hour.out_count,
            in_msat=hour.out_msat,
            out_count=hour.in_count,
            out_msat=hour.in_msat,
        )
        for hour in hours
    ]
    view, _ = look(attrs.evolve(quiet_channel(), traffic=books(hours)))
    image, _ = look(attrs.evolve(quiet_channel(), traffic=books(mirrored)))

    assert image.direction == -view.direction
    assert image.net_ratio == -view.net_ratio
    assert image.net_ratio_sd == view.net_ratio_sd
    assert image.hours_to_full == view.hours_to_empty
    assert image.hours_to_empty == view.hours_to_full
    assert image.confidence == view.confidence


@given(st.integers(-8, 8), st.integers(24, 96))
def test_a_steady_flow_is_found(per_hour, length):
    """
    After a day of the same net flow every hour the estimate is within three of its own standard
    deviations of the truth, and uncertainty is smaller than at the start.
    """
    amount = 10_000_000
    hours = [
        Slice(
            start=HOUR_NOW - age,
            in_count=10,
            in_msat=10 * amount,
            out_count=10 + per_hour,
            out_msat=(10 + per_hour) * amount,
        )
        for age in range(1, length + 1)
    ]
    channel = attrs.evolve(quiet_channel(), traffic=books(hours))
    view, _ = look(channel)
    truth = per_hour * amount * 24 / channel.capacity_msat

    assert abs(view.net_ratio - truth) <= 3 * view.net_ratio_sd
    assert view.net_ratio_sd < 1


@given(st.integers(4, 20), st.integers(48, 96))
def test_time_left_is_what_is_there_over_what_leaves(count, length):
    """
    A channel that only drains has hours until it is empty and none until it is full, as many as
    its balance lasts at the estimated flow.
    """
    hours = [forwarded(HOUR_NOW - age, count, 10_000_000) for age in range(1, length + 1)]
    channel = attrs.evolve(quiet_channel(), traffic=books(hours))
    view, _ = look(channel)
    per_hour = view.net_ratio * channel.capacity_msat / 24

    assert view.hours_to_full is None
    assert math.isclose(view.hours_to_empty, channel.spendable_msat / per_hour)


@given(st.integers(10, 20))
def test_a_new_regime_is_noticed(count):
    """
    A channel that was level for four days and then drains every hour is flagged within half a day,
    and a level one never is.
    """
    level = [
        Slice(
            start=HOUR_NOW - age,
            in_count=10,
            in_msat=10 * 10_000_000,
            out_count=10,
            out_msat=10 * 10_000_000,
        )
        for age in range(13, 4 * 24)
    ]
    drained = [forwarded(HOUR_NOW - age, count, 100_000_000) for age in range(1, 13)]
    channel = quiet_channel()
    before, _ = look(attrs.evolve(channel, traffic=books(level)))
    after, _ = look(attrs.evolve(channel, traffic=books(level + drained)))

    assert not before.regime_changed
    assert after.regime_changed
    assert after.net_ratio > 0


@given(st.integers(1, 20), st.integers(2, 20))
def test_silence_is_evidence_too(count, days):
    """
    The longer nothing has moved, the nearer the estimate is to no flow at all.
    """
    hours = [forwarded(HOUR_NOW - 600 - age, count, 10_000_000) for age in range(1, 49)]
    channel = quiet_channel()
    until = (HOUR_NOW - 600) * HOUR
    _, memory = look(attrs.evolve(channel, traffic=books(hours, until)), now=until)
    flows = []
    for later in (until, until + DAY, until + days * DAY):
        silent = attrs.evolve(channel, traffic=books([], later))
        flows.append(abs(look(silent, memory, later)[0].net_ratio))

    assert flows[0] > flows[1] > flows[2]


@given(some_hours(), st.integers(1, 10**15))
def test_unknown_books_say_nothing(hours, capacity):
    """
    While the books cannot be read the flow is unknown, which is not none, and what was learned is
    kept for later.
    """
    channel = attrs.evolve(quiet_channel(capacity_msat=capacity), traffic=books(hours))
    _, memory = look(channel)
    view, kept = look(attrs.evolve(channel, traffic=None), memory)

    assert view is None
    assert kept == memory


@given(some_hours(), st.integers(0, 10**6))
def test_a_splice_keeps_the_history(hours, block):
    """
    Learning is by channel id: another short channel id changes no estimate, and another capacity
    keeps the sums and the class.
    """
    channel = attrs.evolve(quiet_channel(), traffic=books(hours))
    _, memory = look(channel)
    spliced = attrs.evolve(channel, scid=f"{block}x1x0", traffic=books([]))

    assert look(spliced, memory) == look(attrs.evolve(channel, traffic=books([])), memory)
    grown = attrs.evolve(spliced, capacity_msat=2 * channel.capacity_msat)
    assert look(grown, memory)[1] == memory


@given(st.integers(1, 20), st.integers(1, 6))
def test_a_history_is_not_taken_for_an_hour(count, days):
    """
    Days of history seen for the first time are as many days of evidence, not one wild hour: what
    leaves in a day is what left in a day.
    """
    world = World([quiet_channel()])
    (channel_id,) = world.channels
    world.now = START - START % DAY
    for _ in range(days * 24):
        world.wait(HOUR)
        world.forward(channel_id, count, 10_000_000)
    world.since = world.now - days * DAY
    (state,) = world.cycle().states
    truth = count * 10_000_000 * 24

    assert math.isclose(state.flow.out_msat_per_day, truth, rel_tol=0.05)
    assert abs(state.flow.net_ratio - truth / state.capacity_msat) <= 4 * state.flow.net_ratio_sd
