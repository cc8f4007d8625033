"""§4.5 Belief: the price that is expected to earn most, by all that came at the prices so far."""

import math

import attrs
from hypothesis import example, given
from hypothesis import strategies as st
from property.strategies import (
    OPEN,
    belief_memories,
    channels,
    configs,
    optimizers,
    ppms,
    ratios,
    whole,
)
from property.trails import bounds, codes, fact, fee
from property.world import START, World, decided, forwarded, looked, quiet_channel

from revops.core.actions import SetFee
from revops.core.config import Config
from revops.core.demand import MIDDLES, RUNG, SLOPES, Prior, believed, price_on, rung_of
from revops.core.fees.band import dead_band
from revops.core.fees.scarcity import multiplier
from revops.core.memory import (
    MOST_COUNT,
    MOST_LIVE_S,
    BeliefMemory,
    ClimbMemory,
    FeeMemory,
    Pin,
    Price,
    Tried,
    Window,
)
from revops.core.reasons import Code
from revops.core.snapshot import Traffic
from revops.core.units import DAY, HOUR

# The longest time between two looks that is evidence.
PATIENT = Config(fee_interval=2 * HOUR, htlc_max=False)
STRIDE = 6 * HOUR
posterior = st.just("posterior")

priors = st.builds(
    Prior,
    middle=ratios(0, 12),
    middle_sd=ratios(0.1, 3),
    per_day=ratios(0.01, 1e6),
    shape=ratios(0.1, 10),
)
USUAL = Prior(middle=math.log(80), middle_sd=1.0, per_day=20.0, shape=0.5)
anything = st.lists(
    st.builds(Tried, fee_ppm=ppms(), live_s=ratios(0, 1e9), count=ratios(0, 1e9)), max_size=5
)
tries = st.builds(Tried, fee_ppm=ppms(1, 5000), live_s=ratios(0, 60 * DAY), count=ratios(0, 2000))
likely = st.lists(tries, max_size=4)


@given(anything, priors, ratios(1, 10), ppms(), ppms(), ppms())
def test_whatever_came_a_belief_is_a_number(tried, prior, dispersion, ppm, one, other):
    """
    From any evidence, however odd, come finite rates, none below zero, weights that add up to 1,
    and a best price within the bounds it was asked for.
    """
    belief = believed(tried, prior, dispersion)
    lower, upper = sorted((one, other))

    assert math.isclose(math.fsum(belief.weights), 1)
    assert all(0 <= weight <= 1 for weight in belief.weights)
    for number in (belief.per_day(ppm), belief.rate, belief.middle):
        assert math.isfinite(number)
        assert number >= 0
    assert lower <= belief.best(lower, upper) <= upper


@given(likely, priors, ratios(1, 10), tries, ratios(0, 2000))
def test_more_forwards_never_lower_what_is_believed(tried, prior, dispersion, fewer, more):
    """
    The more came at a price in the same time, the more is expected at it - but for the hundredth
    that curves of next to no weight come to.
    """
    ppm, greater = fewer.fee_ppm, attrs.evolve(fewer, count=fewer.count + more)
    before = believed([*tried, fewer], prior, dispersion).per_day(ppm)

    assert believed([*tried, greater], prior, dispersion).per_day(ppm) >= 0.98 * before


@given(likely, priors, ratios(1, 10), ppms(1, 5000))
def test_forwards_that_come_in_bursts_say_less(tried, prior, dispersion, ppm):
    """
    What comes with so many times the variance says what a so-maniest part of it would, had it come
    independently, in that part of the time.
    """
    part = [
        attrs.evolve(each, live_s=each.live_s / dispersion, count=each.count / dispersion)
        for each in tried
    ]
    bursts, smooth = believed(tried, prior, dispersion), believed(part, prior)

    assert math.isclose(bursts.per_day(ppm), smooth.per_day(ppm), rel_tol=1e-6)
    assert math.isclose(bursts.middle, smooth.middle, rel_tol=1e-6)


@given(likely, priors, ratios(1, 10), ppms(1, 5000), ppms(1, 5000))
def test_the_dearer_the_fewer(tried, prior, dispersion, one, other):
    """
    No evidence makes anybody believe that more would come at a higher price.
    """
    belief = believed(tried, prior, dispersion)
    cheap, dear = sorted((one, other))

    assert belief.per_day(dear) <= belief.per_day(cheap) * (1 + 1e-9)


@given(ratios(20, 2000), ratios(1.2, 4), ratios(20, 500), ratios(0.25, 0.6))
def test_the_best_price_earns_nearly_the_most(middle, slope, per_day, apart):
    """
    After a fortnight at each of seven prices around the middle of a demand curve, with as many
    forwards as it says, the price that is believed to be best earns nine tenths of what the best
    one does, at the least.
    """

    def rate(ppm):
        return per_day / (1 + (ppm / middle) ** slope)

    prices = [round(middle * math.exp(step * apart)) for step in range(-3, 4)]
    tried = [Tried(fee_ppm=ppm, live_s=14 * DAY, count=14 * rate(ppm)) for ppm in prices]
    best = believed(tried, USUAL).best(1, 20_000)
    most = max(ppm * rate(ppm) for ppm in range(1, 20_000, 5))

    assert best * rate(best) >= 0.9 * most


def belief_of(plan):
    """
    Return what is believed of the only channel.
    """
    return plan.memory.channels[0].fee.belief


def remembered(channel, belief):
    """
    Return the memory of a channel of which this is believed.
    """
    known = Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)
    return FeeMemory(known=known, belief=belief)


def standing(ppm, **fields):
    """
    Return a belief that was made up just now: *ppm* is best.
    """
    plain = {"window": Window(fee_ppm=ppm), "judged_at": START, "seen_at": START, "live": True}
    return BeliefMemory(**({"base_ppm": ppm, "seen_out_count": 0} | plain | fields))


def books(count=0, **fields):
    """
    Return books by which *count* payments have left, the last one just now.
    """
    plain = {"since": 0, "until": START, "out_count": count, "last_out_at": START}
    return Traffic(**(plain | fields))


def lived(world, forwards, stride=STRIDE):
    """
    Let *forwards* payments leave over a stride, and return the plan at its end.
    """
    (channel_id,) = world.channels
    world.wait(stride)
    if forwards:
        world.forward(channel_id, forwards)
    return world.cycle()


@given(
    ppms(10, 100) | ppms(10, 5000),
    st.lists(st.tuples(whole(HOUR, STRIDE), st.booleans(), whole(0, 2)), min_size=10, max_size=25),
    st.booleans(),
)
def test_without_forwards_the_fee_never_rises(ppm, looks, ever):
    """
    However long nobody comes, connected or not, and whatever enters: no look raises the fee.
    """
    world = World([quiet_channel(fee_ppm=ppm)], PATIENT)
    (channel_id,) = world.channels
    if ever:
        world.forward(channel_id)
        world.wait(7 * DAY)
    for seconds, connected, entered in looks:
        world.wait(seconds)
        world.change(channel_id, connected=connected)
        if entered:
            world.receive(channel_id, entered)
        in_force = world.channels[channel_id].fee_ppm
        assert fee(world.price(), in_force) <= in_force


@given(ppms(10, 100), ratios(0.1, 1), st.booleans(), whole(10, 25))
def test_without_forwards_no_scarcity_teaches_a_higher_price(ppm, share, ever, looks):
    """
    However long nobody comes by a channel of which little is ours: its fee is multiplied for that
    once, and no look makes it dearer than so.
    """
    ours = int(5_000_000_000 * share)
    channel = quiet_channel(fee_ppm=ppm, to_us_msat=ours, spendable_msat=ours)
    world = World([channel], PATIENT)
    (channel_id,) = world.channels
    if ever:
        world.forward(channel_id)
        world.wait(7 * DAY)
    scarce = multiplier(share, PATIENT.scarcity_threshold)
    most = ppm * scarce
    for _ in range(looks):
        lived(world, 0)
        # The learned price is a whole number, and multiplied by 5 at the most.
        assert world.channels[channel_id].fee_ppm <= most + 3


@given(
    channels(START, **OPEN, max_htlcs=st.none()),
    configs(scarcity_pricing=st.just(False), fee_optimizer=posterior),
    belief_memories(START),
    whole(0, 100),
)
def test_from_any_memory_silence_raises_no_fee(channel, config, belief, before):
    """
    Whatever is believed, and however little of the channel is ours: after six days without a
    payment the fee does not go above the one in force, or above its floor where that is higher,
    but for what the learned price is rounded by.
    """
    silent = Traffic(since=0, until=START, last_out_at=START - 6 * DAY, out_count=before)
    channel = attrs.evolve(channel, opened_at=0, traffic=silent)
    belief = attrs.evolve(belief, seen_out_count=before)
    decision = decided(channel, config, fee=remembered(channel, belief))
    floor, _ = bounds(decision)
    rounding = (fact(decision, "factor", Code.BALANCE, Code.MULTIPLIER) or 1.0) / 2 + 0.5

    assert fee(decision, channel.fee_ppm) <= max(channel.fee_ppm, floor) + rounding


@given(ppms(10, 5000), ppms(1, 10))
def test_silence_leads_to_the_floor_and_then_to_rest(ppm, least):
    """
    A channel that nobody comes to gets cheaper until what is left to its floor is not worth an
    update; there it rests, says so, and makes no more of them.
    """
    world = World([quiet_channel(fee_ppm=ppm)], attrs.evolve(PATIENT, min_fee_ppm=least))
    (channel_id,) = world.channels
    for _ in range(120):
        plan = lived(world, 0)
        if belief_of(plan).resting:
            break
    updates = len(world.set_at.get(channel_id, ()))

    in_force = world.channels[channel_id].fee_ppm
    assert least <= in_force <= max(least * 1.25, least + 1)
    assert updates <= 30
    for _ in range(8):
        assert Code.BELIEF_RESTING in codes(lived(world, 0).decisions[0])
    assert len(world.set_at.get(channel_id, ())) == updates


@given(ppms(10, 2000), whole(1, 60))
def test_silence_of_what_is_not_live_leads_nowhere(ppm, looks):
    """
    That nobody comes by a channel that is not connected says nothing: its fee stays.
    """
    world = World([quiet_channel(fee_ppm=ppm, connected=False)], PATIENT)
    (channel_id,) = world.channels
    for _ in range(looks):
        plan = lived(world, 0)

    assert world.channels[channel_id].fee_ppm == ppm
    assert Code.BELIEF_NOT_LIVE in codes(plan.decisions[0])


@given(ppms(10, 1000), whole(1, 30))
def test_a_payment_wakes_a_resting_channel(ppm, forwards):
    """
    No rest is for ever: with the first payment the silence is over.
    """
    resting = standing(ppm, seen_at=START - STRIDE, quiet_s=30 * DAY, resting=True)
    channel = quiet_channel(fee_ppm=ppm, traffic=books(forwards))
    plan = looked(channel, PATIENT, fee=remembered(channel, resting))
    after = belief_of(plan)

    assert Code.BELIEF_RESTING not in codes(plan.decisions[0])
    assert (after.resting, after.quiet_s, after.news) == (False, 0, forwards)


@given(st.lists(st.tuples(whole(600, STRIDE), st.booleans(), whole(0, 9)), min_size=1, max_size=20))
def test_only_live_time_counts(looks):
    """
    No more time is evidence than the channel was connected with enough to send, as far as anybody
    knows: a stretch counts when it was live at its beginning.
    """
    world = World([quiet_channel(connected=False)], PATIENT)
    (channel_id,) = world.channels
    world.cycle()
    live_s, was_live = 0, False
    for seconds, connected, forwards in looks:
        world.wait(seconds)
        world.change(channel_id, connected=connected)
        world.forward(channel_id, forwards)
        live_s += seconds if was_live else 0
        was_live = connected
        fee_memory = world.cycle().memory.channels[0].fee
        assert fee_memory.belief.live == connected
        assert sum(one.live_s for one in fee_memory.tried) <= live_s


@given(ratios(0, 0.05), whole(0, 10))
def test_an_empty_channel_says_nothing_about_its_price(share, forwards):
    """
    With hardly anything left on our side nobody could have come: that time is no evidence.
    """
    channel = quiet_channel(spendable_msat=int(5_000_000_000 * share))
    world = World([channel], PATIENT)
    world.cycle()
    for _ in range(5):
        after = belief_of(lived(world, forwards))
        assert (after.window.live_s, after.tried, after.quiet_s) == (0, (), 0)


@given(ppms(10, 2000), whole(0, 9), whole(1, 100 * DAY), whole(0, DAY), whole(0, 99))
def test_a_gap_in_the_watch_is_no_evidence(ppm, forwards, gap, live_s, count):
    """
    After a longer time without a look nobody knows whether the channel was live: the stretch is
    left out, and the payments in it, too.
    """
    window = Window(fee_ppm=ppm, live_s=live_s, count=count)
    belief = standing(ppm, window=window, seen_at=START - 3 * PATIENT.fee_interval - gap)
    channel = quiet_channel(fee_ppm=ppm, traffic=books(forwards))

    assert belief_of(looked(channel, PATIENT, fee=remembered(channel, belief))).window == window


@given(
    channels(START, **OPEN, traffic=st.none(), max_htlcs=st.none()),
    configs(fee_optimizer=posterior),
    belief_memories(START),
)
def test_unknown_books_teach_nothing(channel, config, belief):
    """
    While the books cannot be read everything believed stays what it was, and the reason says so.
    """
    plan = looked(channel, config, fee=remembered(channel, belief))

    assert Code.BELIEF_BLIND in codes(plan.decisions[0])
    assert belief_of(plan) == belief


@given(
    st.lists(
        st.tuples(whole(30, 80), ratios(4 * HOUR, 60 * DAY), ratios(0, 1000)),
        min_size=1,
        max_size=5,
        unique_by=lambda one: one[0],
    ),
    ratios(1, 50),
)
def test_evidence_halves_in_a_fortnight(rows, days):
    """
    What came 14 days ago counts half of what comes now, time and payments alike.
    """
    tried = tuple(
        Tried(fee_ppm=price_on(rung), live_s=live_s, count=count) for rung, live_s, count in rows
    )
    ago = START - int(days * DAY)
    channel = quiet_channel(traffic=books())
    belief = standing(500, tried=tried, judged_at=ago, seen_at=ago)
    after = belief_of(looked(channel, PATIENT, fee=remembered(channel, belief)))
    kept = 0.5 ** (int(days * DAY) / (14 * DAY))

    for name in ("live_s", "count"):
        before, left = (sum(getattr(o, name) for o in found) for found in (tried, after.tried))
        assert math.isclose(left, before * kept, abs_tol=1e-9)


@given(ppms(1, 100_000))
@example(1)
@example(100_000)
def test_a_rung_is_one_price(ppm):
    """
    The price that stands for all on its rung is on that rung, so what was written down once is
    found there again; it is a twentieth off, or half a ppm.
    """
    on_rung = price_on(rung_of(ppm))

    assert rung_of(on_rung) == rung_of(ppm)
    assert abs(on_rung - ppm) <= max(0.06 * ppm, 0.5)


@given(
    optimizers,
    ppms(100, 3000),
    ratios(0.1, 1),
    st.lists(whole(0, 20), max_size=8),
)
def test_a_switch_between_optimizers_keeps_the_price(first, ppm, share, forwards):
    """
    Whichever way the best fee was found before: within the bounds, what looks for it now begins at
    the price in force, and does not multiply it by anything once more.
    """
    (second,) = {"posterior", "hill-climb"} - {first}
    ours = int(5_000_000_000 * share)
    channel = quiet_channel(fee_ppm=ppm, to_us_msat=ours, spendable_msat=ours)
    config = attrs.evolve(PATIENT, fee_optimizer=first, min_fee_ppm=1, max_fee_ppm=100_000)
    world = World([channel], config)
    world.cycle()
    for count in forwards:
        lived(world, count)
    (channel_id,) = world.channels
    before = world.channels[channel_id].fee_ppm
    world.config = attrs.evolve(world.config, fee_optimizer=second)
    world.wait(HOUR)
    after = fee(world.price(), before)

    assert abs(after - before) <= 0.2 * before


@given(whole(-2 * HOUR, 9 * HOUR), st.booleans(), whole(0, 9), whole(0, MOST_LIVE_S), st.booleans())
@example(0, True, 5, 0, False)
@example(1, True, 0, 0, False)
@example(6 * HOUR, True, 0, 0, False)
@example(6 * HOUR + 1, True, 5, 0, False)
@example(HOUR, True, 0, 0, True)
@example(HOUR, True, 5, MOST_LIVE_S - 1, False)
def test_what_was_watched_is_in_the_window(elapsed, live, came, live_s, congested):
    """
    The time since the last look, and who came in it, is evidence when the channel was live then,
    the look is no more than three intervals ago and the price is not the ceiling of a congested
    channel; never more than fits. Whoever comes ends the silence.
    """
    window = Window(fee_ppm=500, live_s=live_s, count=MOST_COUNT - 3)
    belief = standing(
        500, window=window, quiet_s=live_s, seen_at=START - elapsed, live=live, news=MOST_COUNT - 3
    )
    slots = {"max_htlcs": 10, "htlcs_in": 10} if congested else {}
    channel = quiet_channel(fee_ppm=500, traffic=books(came), **slots)
    after = belief_of(looked(channel, PATIENT, fee=remembered(channel, belief)))
    watched = live and 0 < elapsed <= 6 * HOUR and not congested
    quiet_s = min(live_s + elapsed * watched, MOST_LIVE_S)

    assert (after.seen_at, after.seen_out_count, after.live) == (START, came, True)
    assert after.window.live_s == quiet_s
    assert after.window.count == min(MOST_COUNT - 3 + came * watched, MOST_COUNT)
    assert after.quiet_s == (0 if came else quiet_s)
    assert after.news == min(MOST_COUNT - 3 + came, MOST_COUNT)


@given(ppms(10, 5000), ppms(10, 5000), whole(0, 2 * DAY), whole(0, 99))
@example(500, 500, DAY, 9)
@example(500, 800, 600, 9)
@example(500, 800, 599, 9)
def test_what_came_at_another_price_is_written_down_at_that(before, now, live_s, count):
    """
    When another price is in force, what came at the one before is kept at that - ten minutes at the
    least - and a new count begins.
    """
    window = Window(fee_ppm=before, live_s=live_s, count=count)
    tried = (Tried(fee_ppm=price_on(rung_of(before)), live_s=HOUR, count=2.0),)
    channel = quiet_channel(fee_ppm=now, traffic=books())
    for known in ((), tried):
        belief = standing(before, window=window, tried=known)
        after = belief_of(looked(channel, PATIENT, fee=remembered(channel, belief)))
        found = {rung_of(one.fee_ppm): (one.live_s, one.count) for one in after.tried}
        sums = (live_s + HOUR * bool(known), count + 2 * bool(known))
        if rung_of(before) == rung_of(now):
            assert (after.window, after.tried) == (window, known)
        else:
            assert after.window == Window(fee_ppm=now)
            assert found == ({rung_of(before): sums} if sums[0] >= 600 else {})


@given(whole(0, 2 * DAY), whole(0, 3), whole(0, 3))
@example(6 * HOUR - 1, 1, 0)
@example(6 * HOUR, 0, 1)
@example(DAY - 1, 0, 0)
@example(DAY, 0, 0)
def test_a_belief_is_made_up_twice_a_day_or_when_somebody_came(ago, news, came):
    """
    What came is thought about after six hours, and silence after a day; until then the price
    stands, and the reason tells how many came.
    """
    belief = standing(
        500, judged_at=START - ago, news=news, tried=(Tried(fee_ppm=500, live_s=DAY),)
    )
    channel = quiet_channel(traffic=books(came))
    plan = looked(channel, PATIENT, fee=remembered(channel, belief))
    after = belief_of(plan)
    judged = ago >= (6 * HOUR if news + came else DAY)

    assert (Code.BELIEF in codes(plan.decisions[0])) == judged
    assert (after.judged_at == START, after.news) == (
        (True, 0) if judged else (ago == 0, news + came)
    )
    assert (after.middle_ppm is not None) == judged
    if not judged:
        assert fact(plan.decisions[0], "count", Code.BELIEF_STANDS) == news + came


@given(whole(DAY, 9 * DAY), whole(0, 599), st.booleans())
def test_who_was_hardly_ever_live_is_told_so(ago, live_s, connected):
    """
    Where no price was in force for ten live minutes there is nothing to judge, and the reason says
    why, also when the channel could forward again by now.
    """
    window = Window(fee_ppm=500, live_s=live_s)
    belief = standing(500, judged_at=START - ago, window=window)
    channel = quiet_channel(traffic=books(), connected=connected)
    plan = looked(channel, PATIENT, fee=remembered(channel, belief))
    why = fact(plan.decisions[0], "why", Code.BELIEF_NOT_LIVE)
    hardly = "there was no price at which it could forward for ten minutes"

    assert why == (hardly if connected else "the peer is not connected")
    assert (belief_of(plan).base_ppm, belief_of(plan).judged_at) == (500, START)


@given(priors)
def test_of_nothing_that_was_tried_the_prior_is_believed(prior):
    """
    Before anything is seen the rate is the prior's, whatever the curve.
    """
    belief = believed([], prior)

    assert math.isclose(belief.rate, prior.per_day, rel_tol=1e-9)
    assert all(math.isclose(rate, prior.per_day, rel_tol=1e-9) for rate in belief.rates)


@given(ratios(4, 7), ratios(0.5, 1.0))
def test_of_nothing_that_was_tried_the_middle_is_the_priors(middle, sd):
    """
    Where the half of the payments is believed to come has mean and spread of the prior.
    """
    prior = attrs.evolve(USUAL, middle=middle, middle_sd=sd)
    belief = believed([], prior)
    middles = [MIDDLES[column // len(SLOPES)] for column in belief.columns]
    pairs = list(zip(belief.weights, middles, strict=True))
    spread = math.sqrt(sum(weight * (each - belief.middle) ** 2 for weight, each in pairs))

    assert abs(belief.middle - middle) <= 0.05
    assert math.isclose(spread, sd, rel_tol=0.1)


@given(tries, priors, ratios(1, 10))
def test_the_rate_of_each_curve_is_the_mean_of_a_gamma(one, prior, dispersion):
    """
    A Gamma prior and Poisson counts make a Gamma: its shape grows by what came, its rate by the
    days in which it came, as far as the curve says that anybody pays the price.
    """
    belief = believed([one], prior, dispersion)
    shape = prior.shape + one.count / dispersion
    for rate, column in zip(belief.rates, belief.columns, strict=True):
        place, steep = divmod(column, len(SLOPES))
        apart = SLOPES[steep] * (rung_of(one.fee_ppm) * RUNG - MIDDLES[place])
        days = one.live_s / DAY / dispersion / (1 + math.exp(min(apart, 60)))
        assert math.isclose(rate, shape / (prior.shape / prior.per_day + days), rel_tol=1e-9)


@given(ratios(20, 2000), ratios(1.2, 4), ratios(20, 500), ppms(1, 5000), ppms(1, 5000))
@example(100.0, 2.0, 100.0, 1, 5000)
def test_no_price_within_the_bounds_is_expected_to_earn_more(middle, slope, per_day, one, other):
    """
    Of a channel of which much is known, the best price is the best of all rungs that its bounds
    allow, or the bound beside them.
    """
    prices = [round(middle * math.exp(0.4 * step)) for step in range(-3, 4)]
    tried = [
        Tried(fee_ppm=p, live_s=14 * DAY, count=14 * per_day / (1 + (p / middle) ** slope))
        for p in prices
    ]
    lower, upper = sorted((one, other))
    belief = believed(tried, USUAL)
    rungs = range(rung_of(lower), rung_of(upper) + 1)
    best = max(rungs, key=lambda rung: math.exp(rung * RUNG) * belief.on_rung(rung))

    assert belief.best(lower, upper) == min(max(price_on(best), lower), upper)


@given(ppms(100, 2000), whole(0, 30 * DAY), ratios(0.2, 0.8))
@example(500, 4 * DAY, 0.5)
@example(500, 4 * DAY + 1, 0.5)
def test_after_four_silent_days_the_price_declines(ppm, quiet_s, share):
    """
    From the fifth live day without a forward on, what is believed to be best is halved every 33
    hours, down to what comes to the floor; there it rests.
    """
    ours, config = int(5_000_000_000 * share), attrs.evolve(PATIENT, scarcity_pricing=False)
    tried = (Tried(fee_ppm=ppm, live_s=3 * DAY, count=20),)
    belief = standing(ppm, judged_at=START - DAY, tried=tried)
    channel = quiet_channel(fee_ppm=ppm, to_us_msat=ours, traffic=books())
    busy, quiet = (
        looked(channel, config, fee=remembered(channel, attrs.evolve(belief, quiet_s=silent)))
        for silent in (0, quiet_s)
    )
    factor = fact(quiet.decisions[0], "factor", Code.BALANCE) or 1.0
    least = min(10, round(10 / factor))
    days = max(0, quiet_s - 4 * DAY) / DAY
    declined = max(belief_of(busy).base_ppm * math.exp(-0.5 * days), least)

    after, said = belief_of(quiet), codes(quiet.decisions[0])

    assert abs(after.base_ppm - declined) <= 0.5
    assert (Code.BELIEF in said) == (quiet_s <= 4 * DAY)
    assert after.resting == (days > 0 and after.base_ppm == least)
    assert (Code.BELIEF_NOBODY in said) == (days > 0 and not after.resting)


@given(ppms(10, 5000), whole(0, DAY))
def test_a_belief_leaves_nothing_of_what_was_before_it(ppm, ago):
    """
    Once something is believed, a pin that has ended has done its work, and so has another search.
    """
    channel = quiet_channel(fee_ppm=ppm, traffic=books())
    price = Price(fee_ppm=ppm, base_fee_msat=0)
    climb = ClimbMemory(base_ppm=ppm, window=Window(fee_ppm=ppm), seen_at=START)
    memory = FeeMemory(known=price, pin=Pin(price=price, until=START - ago), climb=climb)
    after = looked(channel, PATIENT, fee=memory).memory.channels[0].fee

    assert (after.pin, after.climb) == (None, None)
    assert after.belief is not None


past_days = st.lists(
    st.tuples(whole(1, 40), whole(1, 500), whole(1, 5000)),
    max_size=6,
    unique_by=lambda one: one[0],
)


@given(past_days)
def test_first_contact_begins_with_what_the_books_tell(rows):
    """
    Before the first look at a channel, the days on which payments left by it tell what came at the
    prices that were paid; other days, on which nobody knows the price, tell nothing.
    """
    days = [
        attrs.evolve(
            forwarded(START // DAY - ago, count, 10_000_000),
            earned_msat=count * 10 * ppm,
        )
        for ago, count, ppm in rows
    ]
    traffic = books(sum(day.out_count for day in days), days=days)
    belief = belief_of(looked(quiet_channel(traffic=traffic), PATIENT))
    expected = {}
    for _, count, ppm in rows:
        live_s, before = expected.get(rung_of(ppm), (0, 0))
        expected[rung_of(ppm)] = (live_s + DAY, before + count)

    assert {rung_of(o.fee_ppm): (o.live_s, o.count) for o in belief.tried} == expected


@given(whole(1, 9), whole(0, 9), whole(0, 9))
def test_a_day_of_which_no_price_is_known_tells_nothing(ago, count, amount):
    """
    Without a payment, or without an amount, nobody can say what was paid.
    """
    known = count and amount
    day = attrs.evolve(forwarded(START // DAY - ago, 1, 10**6), out_count=count, out_msat=amount)
    belief = belief_of(looked(quiet_channel(traffic=books(days=[day])), PATIENT))

    assert len(belief.tried) == bool(known)


@given(whole(1, 20), whole(600, DAY - 1), whole(1, 500), ppms(1, 5000))
def test_the_first_day_counts_from_when_the_books_begin(ago, seconds, count, ppm):
    """
    Nobody watched before the books begin: the first day in them lasted from then on.
    """
    today = START // DAY
    day = attrs.evolve(forwarded(today - ago, count, 10_000_000), earned_msat=count * 10 * ppm)
    traffic = books(count, since=(today - ago + 1) * DAY - seconds, days=[day])
    (tried,) = belief_of(looked(quiet_channel(traffic=traffic), PATIENT)).tried

    assert (tried.live_s, tried.count) == (seconds, count)


@given(whole(600, DAY - 1), whole(1, 500), ppms(1, 5000))
def test_today_counts_as_long_as_it_has_lasted(seconds, count, ppm):
    """
    What came since midnight came in the time since midnight, and not in a whole day.
    """
    now = START // DAY * DAY + seconds
    day = attrs.evolve(forwarded(now // DAY, count, 10_000_000), earned_msat=count * 10 * ppm)
    traffic = books(count, until=now, last_out_at=now, days=[day])
    (tried,) = belief_of(looked(quiet_channel(traffic=traffic), PATIENT, now)).tried

    assert (tried.live_s, tried.count) == (seconds, count)


@given(ppms(10, 5000), st.integers(-400, 400))
def test_what_is_nearly_in_force_is_not_told(ppm, difference):
    """
    A price within a fifth of the one in force is not worth an update; one beyond it is made.
    """
    wanted = min(max(ppm + difference, 10), 5000)
    channel = quiet_channel(fee_ppm=ppm, traffic=books())
    decision = decided(channel, PATIENT, fee=remembered(channel, standing(wanted)))
    band = max(dead_band(ppm), int(0.2 * ppm))

    assert isinstance(decision.action, SetFee) == (abs(wanted - ppm) >= band)
