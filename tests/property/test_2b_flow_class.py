"""§2 Flow, the class: who drains and who fills, without flickering."""

import math

import attrs
from hypothesis import assume, event, given
from hypothesis import strategies as st
from property.strategies import flow_memories, whole
from property.world import HOUR_NOW, START, look, quiet_channel

from revops.core import flow
from revops.core.config import Config
from revops.core.memory import FlowMemory, FlowState
from revops.core.snapshot import Slice, Traffic
from revops.core.units import DAY, HOUR

BUSY_DAY = Slice(start=START // DAY, in_count=10, out_count=10, in_msat=10**9, out_msat=10**9)
"""A day that makes no channel of five million satoshi dormant."""
MIRROR = {FlowState.SOURCE: FlowState.SINK, FlowState.SINK: FlowState.SOURCE}


def classified(memory, into, out, day=BUSY_DAY):
    """
    Return the view of a busy channel after one more hour with these amounts.
    """
    hour = Slice(start=HOUR_NOW - 1, in_count=1, in_msat=into, out_count=1, out_msat=out)
    traffic = Traffic(
        since=START - 30 * DAY, until=START, hours=[hour], days=[day], last_out_at=START - HOUR
    )
    return look(attrs.evolve(quiet_channel(), traffic=traffic), memory)[0]


memories = flow_memories(START - 2 * HOUR)
amounts = whole(0, 10**9)


@given(memories, amounts, amounts)
def test_the_class_follows_the_direction_with_hysteresis(memory, into, out):
    """
    Beyond ±0.3 a channel is source or sink, within ±0.2 it is balanced; in between it stays what it
    was, so that a value moving inside the band never flips it.
    """
    view = classified(memory, into, out)
    event(f"{memory.state.value} to {view.state.value}")
    if view.direction > 0.3:
        expected = FlowState.SOURCE
    elif view.direction < -0.3:
        expected = FlowState.SINK
    elif view.direction > 0.2 and memory.state is FlowState.SOURCE:
        expected = FlowState.SOURCE
    elif view.direction < -0.2 and memory.state is FlowState.SINK:
        expected = FlowState.SINK
    else:
        expected = FlowState.BALANCED

    assert view.state == expected


@given(st.floats(1e-12, 1), st.floats(0, 10**9))
def test_a_direction_is_a_share_however_little_is_left(least, much):
    """
    Only out is 1 and only in is -1, be it of less than a msat; of nothing at all there is none.
    """
    gone = FlowMemory(hour=HOUR_NOW, out_sum=least)
    came = FlowMemory(hour=HOUR_NOW, in_sum=least + much)

    assert flow.direction(gone) == 1
    assert flow.direction(came) == -1
    assert flow.direction(FlowMemory(hour=HOUR_NOW)) == 0


@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=7))
def test_turnover_is_all_that_moved_in_the_window(moved):
    """
    In and out, day by day, over the days of the window, as a share of the capacity.
    """
    days = [
        Slice(start=START // DAY - age, in_msat=into, out_msat=out)
        for age, (into, out) in enumerate(moved)
    ]
    traffic = Traffic(since=0, until=START, days=days)
    found = flow.view(None, traffic, quiet_channel(), START, 7)
    all_of_it = sum(into + out for into, out in moved)

    assert math.isclose(found.turnover * 7 * quiet_channel().capacity_msat, all_of_it, abs_tol=1e-3)
    assert found.out_msat_per_day == sum(out for _, out in moved) // 7


@given(st.sampled_from((0.5, 0.25, -0.5)), st.booleans())
def test_what_may_be_nothing_empties_nothing(ratio, more):
    """
    A flow no larger than its own uncertainty gives no time until a channel is empty or full.
    """
    variance = ratio * ratio - (0.01 if more else 0)
    memory = FlowMemory(hour=HOUR_NOW - 1, ratio=ratio, variance=variance)
    found = flow.view(memory, Traffic(since=0, until=START), quiet_channel(), START, 7)

    assert (found.hours_to_empty is not None) == (more and ratio > 0)
    assert (found.hours_to_full is not None) == (more and ratio < 0)


@given(st.floats(0.001, 1), st.integers(1, 48))
def test_a_trend_carries_on_and_fades(velocity, quiet):
    """
    What a trend adds in an hour is itself, and in several the sum of what is left of it in each;
    half of it is gone in a day.
    """
    traffic = Traffic(since=0, until=START)
    at = {"hour": HOUR_NOW - 1 - quiet, "velocity_variance": 0.0}
    steady, trend = (
        flow.view(FlowMemory(**at, **fields), traffic, quiet_channel(), START, 7).net_ratio
        for fields in ({"ratio": 1.0}, {"velocity": velocity})
    )

    assert math.isclose(trend / steady, velocity * sum(0.5 ** (hour / 24) for hour in range(quiet)))


@given(st.lists(st.floats(0.21, 0.29), min_size=1, max_size=8), st.sampled_from(FlowState))
def test_inside_the_band_nothing_flips(directions, state):
    """
    However a direction moves between 0.2 and 0.3, the class is what it was before.
    """
    assume(state is not FlowState.DORMANT)
    memory = FlowMemory(hour=HOUR_NOW - 100, state=state)
    expected = state if state is FlowState.SOURCE else FlowState.BALANCED
    for age, towards in enumerate(directions, 1):
        # Older hours weigh next to nothing beside these amounts.
        scale = 10 ** (6 + age)
        hour = Slice(
            start=HOUR_NOW - 50 + age,
            in_count=1,
            in_msat=int(scale * (1 - towards)),
            out_count=1,
            out_msat=int(scale * (1 + towards)),
        )
        traffic = Traffic(since=0, until=START, hours=[hour], days=[BUSY_DAY])
        view, memory = look(attrs.evolve(quiet_channel(), traffic=traffic), memory)
        assume(0.2 < view.direction <= 0.3)
        assert memory.state == expected


@given(memories, amounts, amounts)
def test_mirrored_flow_mirrors_source_and_sink(memory, into, out):
    """
    What fills one way drains the other way.
    """
    image = attrs.evolve(
        memory,
        in_sum=memory.out_sum,
        out_sum=memory.in_sum,
        ratio=-memory.ratio,
        velocity=-memory.velocity,
        state=MIRROR.get(memory.state, memory.state),
    )
    here, there = classified(memory, into, out), classified(image, out, into)

    assert there.state == MIRROR.get(here.state, here.state)
    assert there.direction == -here.direction
    assert there.net_ratio == -here.net_ratio


@given(memories, amounts, amounts, st.integers(0, 10), st.integers(0, 10), whole(0, 10**10))
def test_few_forwards_or_little_volume_are_dormant(memory, into, out, ins, outs, moved):
    """
    A channel with fewer than three forwards in the window, or that turns over less than 0.1 % of
    its capacity in a day, is dormant; any other one is not.
    """
    day = Slice(start=START // DAY, in_count=ins, out_count=outs, out_msat=moved)
    view = classified(memory, into, out, day)
    dormant = ins + outs < 3 or moved / 7 < 0.001 * quiet_channel().capacity_msat
    event(f"dormant: {dormant}")

    assert (view.state == FlowState.DORMANT) == dormant
    assert view.forwards == ins + outs


@st.composite
def evidence(draw):
    """
    Return traffic of the last week, and the same with more forwards or a later last one.
    """
    days = [
        Slice(start=START // DAY - age, in_count=draw(whole(0, 9)), out_count=draw(whole(0, 9)))
        for age in range(draw(whole(0, 6)))
    ]
    more = [attrs.evolve(day, out_count=day.out_count + draw(whole(0, 9))) for day in days]
    ages = draw(st.lists(whole(0, 30 * DAY), min_size=2, max_size=2))
    less, later = (
        Traffic(since=0, until=START, days=counted, last_out_at=START - age)
        for counted, age in zip((days, more), sorted(ages, reverse=True), strict=True)
    )
    return less, later


@given(evidence())
def test_more_evidence_never_lowers_confidence(both):
    """
    More forwards, or a later last one, leave confidence where it was or raise it.
    """
    less, more = (look(attrs.evolve(quiet_channel(), traffic=t))[0].confidence for t in both)

    assert less <= more


@given(evidence(), whole(0, 30 * DAY))
def test_confidence_fades(both, seconds):
    """
    Without another forward confidence halves every three days.
    """
    traffic, _ = both
    channel = attrs.evolve(quiet_channel(), traffic=traffic)
    # A window long enough to keep all forwards in it.
    config = Config(flow_window_days=90)
    now, _ = look(channel, config=config)
    later, _ = look(channel, now=START + seconds, config=config)

    assert abs(later.confidence - now.confidence * 0.5 ** (seconds / (3 * DAY))) < 1e-9


@given(whole(20, 200))
def test_no_confidence_is_more_than_full(count):
    """
    Twenty forwards are trusted in full while the last is fresh, and more of them no further.
    """
    day = Slice(start=START // DAY, out_count=count)
    traffic = Traffic(since=0, until=START, days=[day], last_out_at=START)

    assert look(attrs.evolve(quiet_channel(), traffic=traffic))[0].confidence == 1


@given(evidence())
def test_never_used_is_never_trusted(both):
    """
    Without any forward ever, confidence is zero.
    """
    for traffic in both:
        unused = attrs.evolve(traffic, last_in_at=None, last_out_at=None)
        assert look(attrs.evolve(quiet_channel(), traffic=unused))[0].confidence == 0
