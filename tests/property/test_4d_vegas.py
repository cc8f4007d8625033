"""§4.3 Vegas reflex: while on-chain fees spike, floors rise, and fall again by themselves."""

import math
from statistics import median

import attrs
from hypothesis import assume, example, given
from hypothesis import strategies as st
from property.strategies import (
    OPEN,
    channels,
    configs,
    feerate_samples,
    ratios,
    vegas_memories,
    whole,
)
from property.trails import bounds, codes, fact, fee
from property.world import CLIMBING, START, decided, looked, quiet_channel

from revops.core.config import Config
from revops.core.memory import VegasMemory
from revops.core.reasons import Code
from revops.core.snapshot import FeerateSample, Traffic
from revops.core.units import HOUR

USUAL = 2000
"""8 sat/vB, in sat per 1000 weight."""
INTERVAL = Config().fee_interval


def samples(*latest, usual=USUAL, at=START):
    """
    Return eight samples of *usual*, then the *latest* ones, half an hour apart, the last at *at*.
    """
    rates = [usual] * 8 + list(latest)
    return [
        FeerateSample(at=at - (len(rates) - 1 - place) * INTERVAL, perkw=perkw)
        for place, perkw in enumerate(rates)
    ]


def reflex(feerates, vegas=None, config=None, now=START):
    """
    Return what the node remembers of the reflex after looking at *feerates*, and what it says.
    """
    plan = looked(quiet_channel(), config, vegas=vegas, feerates=feerates, now=now)
    return plan.memory.vegas, [reason.code for reason in plan.node_trail]


@given(feerate_samples(START), vegas_memories(START), configs())
def test_intensity_is_from_none_to_full(feerates, vegas, config):
    """
    Whatever the samples and the memory are, the reflex is from 0 to 1.
    """
    after, _ = reflex(feerates, vegas, config)

    assert 0 <= after.intensity <= 1


@given(
    st.lists(st.tuples(whole(0, 24 * HOUR - 1), whole(1, 10**7)), max_size=8), vegas_memories(START)
)
@example([(age, USUAL) for age in range(5)], VegasMemory())
@example([(age, USUAL) for age in range(6)], VegasMemory())
def test_too_few_samples_are_no_spike(rates, vegas):
    """
    With fewer than six samples of the last day there is no reflex, and the node says so.
    """
    feerates = [FeerateSample(at=START - age, perkw=perkw) for age, perkw in rates]
    blind = reflex(feerates, vegas) == (VegasMemory(), [Code.VEGAS_BLIND])

    assert blind == (len(rates) < 6)


@given(st.lists(whole(1000, 4000), min_size=4, max_size=20))
def test_what_is_usual_is_the_median_of_what_was_before(rates):
    """
    A feerate is held against the median of all samples of the day but the two newest.
    """
    feerates = samples(*rates, USUAL, 20_000)[8:]
    plan = looked(quiet_channel(), feerates=feerates)

    assert dict(plan.node_trail[0].facts)["median"] == median(rates)


@given(ratios(2, 3.99), whole(1, 3))
def test_only_hot_samples_in_a_row_make_a_spike(ratio, calm):
    """
    A doubled feerate that is followed by a usual one begins nothing: the next doubled one is the
    first again.
    """
    hot, vegas, rates = math.ceil(USUAL * ratio), None, []
    for place, perkw in enumerate([USUAL] * 8 + [hot] + [USUAL] * calm + [hot]):
        at = START + place * INTERVAL
        rates.append(FeerateSample(at=at, perkw=perkw))
        vegas, _ = reflex(rates, vegas, now=at)

    assert vegas.intensity == 0


@given(ratios(2, 3.99))
def test_one_doubled_sample_is_no_spike_and_two_are(ratio):
    """
    A feerate of twice to four times the median sets the reflex off when the next sample says so
    too, with (r - 1)/3 of its strength.
    """
    hot = math.ceil(USUAL * ratio)
    once, _ = reflex(samples(hot))
    twice, said = reflex(samples(hot, hot, at=START + INTERVAL), once, now=START + INTERVAL)

    assert once.intensity == 0
    assert math.isclose(twice.intensity, min(1, (hot / USUAL - 1) / 3))
    assert said == [Code.VEGAS_SPIKE]


@given(ratios(4, 1000))
def test_four_times_the_median_is_a_spike_at_once(ratio):
    """
    A feerate of four times the median or more sets the reflex off by itself, in full.
    """
    after, said = reflex(samples(math.ceil(USUAL * ratio)))

    assert after.intensity == 1
    assert said == [Code.VEGAS_SPIKE]


@given(whole(1, 1000), whole(1, 2500))
@example(1000, 1249)
@example(1000, 1250)
def test_a_multiple_of_next_to_nothing_is_no_spike(usual, rise):
    """
    Less than 5 sat/vB above the median is no spike, however many times the median it is.
    """
    hot = usual + rise
    after, _ = reflex(samples(hot, hot, hot, usual=usual), VegasMemory(hot=5))

    assert (after.intensity > 0) == (rise >= 5 * 250)


@given(whole(1, 10**7), whole(0, 10**7), ratios(0, 1))
def test_a_higher_feerate_never_weakens_the_reflex(perkw, more, intensity):
    """
    With a higher newest sample, and all else equal, the reflex is as strong or stronger.
    """
    before = VegasMemory(intensity=intensity, hot=1, sample_at=START - INTERVAL)
    lower, _ = reflex(samples(perkw), before)
    higher, _ = reflex(samples(perkw + more), before)

    assert lower.intensity <= higher.intensity


@given(ratios(0.02, 1), ratios(0, 1), ratios(0.1, 3), whole(1, 6))
@example(0.5, 0.5, 1.5, 1)
@example(0.02, 0.5, 1.0, 1)
def test_the_reflex_holds_until_calm_and_then_fades(intensity, decay, ratio, intervals):
    """
    Above 1.5 times the median a reflex holds; at or below, each fee interval leaves vegas-decay of
    it, and hardly anything is nothing.
    """
    newest = max(1, round(USUAL * ratio))
    assume(newest < 2 * USUAL)
    before = VegasMemory(intensity=intensity, spiking=True, sample_at=START - intervals * INTERVAL)
    after, _ = reflex(samples(newest), before, Config(vegas_decay=decay))
    faded = intensity * decay**intervals

    assert after.spiking is (newest > 1.5 * USUAL)
    if after.spiking:
        assert after.intensity == intensity
    else:
        assert math.isclose(after.intensity, faded if faded >= 0.01 else 0.0)


@given(st.lists(st.sampled_from((USUAL, 2 * USUAL, 5 * USUAL)), max_size=4), whole(0, HOUR))
def test_no_sample_is_reacted_to_twice(latest, seconds):
    """
    Looking again before the next sample changes nothing.
    """
    feerates = samples(*latest)
    once, _ = reflex(feerates)

    assert reflex(feerates, once, now=START + seconds) == (once, reflex(feerates)[1])


@given(st.lists(st.sampled_from((USUAL, 3 * USUAL, 9 * USUAL)), max_size=6))
def test_every_spike_ends(latest):
    """
    After any feerates, two days at the usual level leave no reflex.
    """
    vegas, rates = None, []
    for place, perkw in enumerate([USUAL] * 8 + latest + [USUAL] * 96):
        at = START + place * INTERVAL
        rates.append(FeerateSample(at=at, perkw=perkw))
        vegas, _ = reflex(rates[-48:], vegas, now=at)

    assert vegas.intensity == 0
    assert not vegas.spiking


def floor_at(intensity, channel, config):
    """
    Return the decision about *channel* while the reflex is at *intensity*.
    """
    held = VegasMemory(intensity=intensity, sample_at=START)
    return decided(channel, config, vegas=held, feerates=samples())


@given(channels(START, **OPEN), configs(vegas_reflex=st.just(True)), ratios(0, 1), ratios(0, 1))
def test_a_stronger_reflex_never_lowers_the_floor(channel, config, one, other):
    """
    The floor rises with the reflex, one to three times, and never above the ceiling.
    """
    calm = bounds(floor_at(0.0, channel, config))[0]
    raised = [floor_at(intensity, channel, config) for intensity in sorted((one, other))]
    weak, strong = (bounds(decision) for decision in raised)

    assert calm <= weak[0] <= strong[0] <= min(3 * calm, strong[1])
    for decision in raised:
        assert (fact(decision, "floor", Code.VEGAS_FLOOR) or 0) <= bounds(decision)[1]


@given(ratios(0.1, 1), whole(1, 300))
def test_the_reflex_reaches_the_fee(intensity, least):
    """
    A channel at its floor charges more while on-chain fees spike, and the same as before after.
    """
    traffic = Traffic(since=0, until=START, last_out_at=START)
    # A channel so large that its own on-chain costs are nothing.
    channel = quiet_channel(fee_ppm=least, traffic=traffic, capacity_msat=10**15)
    config = Config(min_fee_ppm=least)
    decision = floor_at(intensity, channel, config)
    raised = fact(decision, "floor", Code.VEGAS_FLOOR)

    assert raised > least
    assert decision.trail[-1].after in (raised, least)
    assert fee(floor_at(1.0, channel, config), least) > least


@given(whole(10, 300), whole(-200, 200))
@example(100, 0)
@example(100, -1)
def test_a_price_that_the_raised_floor_leaves_alone_goes_on_being_tried(least, above):
    """
    Only where the raised floor makes the price does the search pause.
    """
    ppm = max(3 * least + above, 1)
    traffic = Traffic(since=0, until=START, last_out_at=START)
    channel = quiet_channel(fee_ppm=ppm, traffic=traffic, capacity_msat=10**15)
    decision = floor_at(1.0, channel, Config(min_fee_ppm=least, **CLIMBING))

    assert fact(decision, "floor", Code.VEGAS_FLOOR) == 3 * least
    assert (Code.CLIMB_PAUSED in codes(decision)) == (ppm < 3 * least)


@given(
    channels(START, **OPEN),
    configs(vegas_reflex=st.just(False)),
    vegas_memories(START),
    feerate_samples(START),
)
def test_switched_off_there_is_no_reflex(channel, config, vegas, feerates):
    """
    With vegas-reflex off no floor rises, and a spike that was on is forgotten.
    """
    plan = looked(channel, config, vegas=vegas, feerates=feerates)

    assert plan.memory.vegas == VegasMemory()
    assert plan.node_trail == ()
    assert Code.VEGAS_FLOOR not in codes(plan.decisions[0])


@given(whole(0, 10**5))
def test_the_two_newest_samples_do_not_judge_themselves(extra):
    """
    The median leaves out the two newest samples: what they say is compared with what was before.
    """
    one, _ = reflex(samples(USUAL, 8 * USUAL))
    other, _ = reflex(samples(USUAL + extra, 8 * USUAL))

    assert attrs.evolve(one, hot=0) == attrs.evolve(other, hot=0)
