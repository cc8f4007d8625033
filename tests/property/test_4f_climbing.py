"""§4.5 Hill climbing: the price that earns most, found from who came at which price."""

import math
from statistics import pvariance

import attrs
from hypothesis import assume, event, example, given
from hypothesis import strategies as st
from property.strategies import (
    OPEN,
    channels,
    climb_memories,
    configs,
    fee_memories,
    hive_hints,
    msats,
    ppms,
    ratios,
    snapshots,
    whole,
)
from property.trails import bounds, codes, fact, fee, reason
from property.world import CLIMBING, START, World, decided, forwarded, looked, quiet_channel

from revops.core.config import Config
from revops.core.decide import decide
from revops.core.fees.band import dead_band
from revops.core.fees.climb import NARROWEST_STEP, SHORTEST_S, WIDEST_STEP, beside, dispersion
from revops.core.fees.quote import Mode, Quote
from revops.core.memory import (
    MOST_COUNT,
    MOST_LIVE_S,
    ClimbMemory,
    FeeMemory,
    Price,
    VegasMemory,
    Window,
)
from revops.core.reasons import Code
from revops.core.snapshot import FeerateSample, Traffic
from revops.core.tally import size_quantile
from revops.core.units import DAY, HOUR

# Six hours between two looks, so that a window closes at the first one that could.
PATIENT = Config(fee_interval=2 * HOUR, htlc_max=False, **CLIMBING)
STRIDE = 6 * HOUR
climbing = {name: st.just(value) for name, value in CLIMBING.items()}
disturbances = {Code.CONGESTED, Code.CONGESTION_EASES, Code.VEGAS_FLOOR, Code.SCARCITY}


def climb_of(plan):
    """
    Return the search of the only channel.
    """
    return plan.memory.channels[0].fee.climb


def remembered(channel, climb):
    """
    Return the memory of a channel whose search stands at *climb*.
    """
    known = Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)
    return FeeMemory(known=known, climb=climb)


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
    ppms(10, 5000),
    st.lists(st.tuples(whole(600, STRIDE), st.booleans(), whole(0, 2)), min_size=1, max_size=25),
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


@given(
    channels(START, **OPEN, max_htlcs=st.none()),
    configs(scarcity_pricing=st.just(False), **climbing),
    climb_memories(START),
    whole(0, 100),
)
def test_from_any_memory_silence_raises_no_fee(channel, config, climb, before):
    """
    Whatever was learned before: after six days without a payment the search does not go above the
    fee in force, unless the floor is there.
    """
    silent = Traffic(since=0, until=START, last_out_at=START - 6 * DAY, out_count=before)
    channel = attrs.evolve(channel, opened_at=0, traffic=silent)
    climb = attrs.evolve(climb, seen_out_count=before)
    decision = decided(channel, config, fee=remembered(channel, climb))
    floor, _ = bounds(decision)

    assert fee(decision, channel.fee_ppm) <= max(channel.fee_ppm, floor)


@given(ppms(20, 2000), whole(-10, 10), whole(0, 20 * DAY), st.booleans())
@example(500, 0, 6 * DAY, True)
@example(500, 1, 6 * DAY, True)
@example(500, 1, 6 * DAY - 1, True)
def test_only_a_rise_is_held_back_by_silence(ppm, above, idle, ever):
    """
    Without a payment for six days, or ever, a price that the search wants above the one in force
    stays at that; the reason tells for how many days nobody came. Of any other price it tells
    nothing.
    """
    quiet_s = idle if ever else 14 * DAY + idle
    silent = Traffic(since=0, until=START, last_out_at=START - idle if ever else None)
    opened_at = 0 if ever else START - quiet_s
    channel = quiet_channel(fee_ppm=ppm, traffic=silent, opened_at=opened_at)
    climb = ClimbMemory(base_ppm=ppm + above, window=Window(fee_ppm=ppm + above), seen_at=START)
    decision = decided(channel, PATIENT, fee=remembered(channel, climb))
    held = reason(decision, Code.CLIMB_QUIET)

    assert (held is not None) == (above > 0 and quiet_s >= 6 * DAY)
    if held:
        assert (held.before, held.after) == (ppm + above, ppm)
        assert dict(held.facts)["days"] == quiet_s / DAY


@given(
    channels(START, **OPEN, hive_hint=st.none() | hive_hints()),
    configs(**climbing),
)
def test_the_climber_hears_no_hints(channel, config):
    """
    What the hive thinks of a price is nothing to a search that looks only at what came.
    """
    deaf = attrs.evolve(channel, hive_hint=None)

    assert decided(channel, config) == decided(deaf, config)


@given(ppms(10, 5000), ppms(1, 10))
def test_silence_leads_to_the_floor_and_then_to_rest(ppm, least):
    """
    A channel that nobody comes to gets cheaper step by step down to its floor; there the search
    rests, says so, and makes no more updates.
    """
    config = attrs.evolve(PATIENT, min_fee_ppm=least)
    world = World([quiet_channel(fee_ppm=ppm)], config)
    (channel_id,) = world.channels
    for _ in range(200):
        plan = lived(world, 0)
        if climb_of(plan).resting:
            break
    updates = len(world.set_at.get(channel_id, ()))

    assert world.channels[channel_id].fee_ppm == least
    assert updates <= 60
    for _ in range(8):
        assert Code.CLIMB_RESTING in codes(lived(world, 0).decisions[0])
    assert len(world.set_at.get(channel_id, ())) == updates


@given(ppms(10, 100), st.integers(1, 30))
def test_a_payment_wakes_a_resting_search(ppm, forwards):
    """
    No rest is for ever: the first payment at the floor starts the search again.
    """
    channel = quiet_channel(fee_ppm=ppm)
    resting = ClimbMemory(
        base_ppm=ppm,
        window=Window(fee_ppm=ppm),
        seen_out_count=0,
        seen_at=START - STRIDE,
        live=True,
        resting=True,
    )
    traffic = Traffic(since=0, until=START, out_count=forwards, last_out_at=START)
    config = attrs.evolve(PATIENT, min_fee_ppm=ppm)
    plan = looked(attrs.evolve(channel, traffic=traffic), config, fee=remembered(channel, resting))

    assert Code.CLIMB_WOKE in codes(plan.decisions[0])
    assert not climb_of(plan).resting


searches = climb_memories(START).map(lambda climb: attrs.evolve(climb, seen_out_count=0))


@given(searches, fee_memories(START), ppms(10, 5000), st.sampled_from((24, 60)))
def test_in_a_good_market_every_fee_moves_again(climb, memory, ppm, forwards):
    """
    From any memory, a live channel to which payments keep coming tries another price within ten
    days: no state of the search is absorbing.
    """
    channel = quiet_channel(fee_ppm=ppm)
    known = remembered(channel, climb).known
    memory = attrs.evolve(memory, known=known, asked=None, pin=None, climb=climb, changes=())
    world = World([channel], PATIENT)
    (channel_id,) = world.channels
    plan = looked(attrs.evolve(channel, traffic=Traffic(since=0, until=START)), fee=memory)
    world.memory = plan.memory
    for _ in range(40):
        lived(world, forwards)
        if world.channels[channel_id].fee_ppm != ppm:
            break

    assert world.channels[channel_id].fee_ppm != ppm


@given(snapshots(min_channels=1, **OPEN), configs(**climbing))
def test_bounds_bind_the_search_itself(snapshot, config):
    """
    The learned base, and not only the price, is within the bounds: no search winds up beyond what
    it may charge. A passing spike of on-chain fees moves no base.
    """
    plan = decide(snapshot, config)
    climbs = {memory.channel_id: memory.fee.climb for memory in plan.memory.channels}
    for decision in plan.decisions:
        climb = climbs[decision.channel_id]
        if bounds(decision) and climb:
            _, ceiling = bounds(decision)
            lowest = min(fact(decision, "floor", Code.BOUNDS, Code.POLICY_BOUNDS), ceiling)
            assert lowest <= climb.base_ppm <= ceiling


@given(
    channels(START, **OPEN, traffic=st.just(Traffic(since=0, until=START, out_count=50))),
    configs(**climbing),
    searches,
    whole(0, STRIDE),
)
def test_prices_made_by_other_stages_teach_nothing(channel, config, climb, ago):
    """
    While congestion, Vegas or scarcity makes the price, windows neither open, grow nor close, and
    the learned base stays.
    """
    floor, ceiling = config.min_fee_ppm, config.max_fee_ppm
    base = min(max(climb.base_ppm, floor), ceiling)
    climb = attrs.evolve(
        climb, base_ppm=base, first=None, window=Window(fee_ppm=base), seen_at=START - ago
    )
    plan = looked(channel, config, fee=remembered(channel, climb))
    (decision,) = plan.decisions
    assume(disturbances & set(codes(decision)))
    assume(bounds(decision)[0] <= base <= bounds(decision)[1])
    after = climb_of(plan)

    assert Code.CLIMB_PAUSED in codes(decision)
    assert (after.base_ppm, after.window, after.first) == (base, climb.window, None)


@given(st.lists(st.tuples(whole(600, STRIDE), st.booleans(), whole(0, 9)), min_size=1, max_size=20))
def test_only_live_time_counts(looks):
    """
    A window never holds more time than the channel was connected with enough to send, as far as
    anybody knows: a stretch counts when it was live at its beginning and at its end.
    """
    world = World([quiet_channel()], PATIENT)
    (channel_id,) = world.channels
    live_s, was_live = 0, False
    for seconds, connected, forwards in looks:
        world.wait(seconds)
        world.change(channel_id, connected=connected)
        world.forward(channel_id, forwards)
        live_s += seconds if was_live and connected else 0
        was_live = connected
        climb = climb_of(world.cycle())
        counted = climb.window.live_s + (climb.first.live_s if climb.first else 0)
        assert counted <= live_s


@given(ratios(0, 0.05), whole(0, 10))
def test_an_empty_channel_says_nothing_about_its_price(share, forwards):
    """
    With hardly anything left on our side nobody could have come: that time is no evidence.
    """
    capacity = 5_000_000_000
    channel = quiet_channel(spendable_msat=int(capacity * share))
    world = World([channel], PATIENT)
    world.cycle()
    for _ in range(5):
        plan = lived(world, forwards)
        why = fact(plan.decisions[0], "why", Code.CLIMB_NOT_LIVE)
        assert why == "too little is on our side for a usual payment"
        assert climb_of(plan).window.live_s == 0


@given(searches, whole(0, 9), whole(1, 100 * DAY))
def test_a_gap_in_the_watch_is_no_evidence(climb, forwards, gap):
    """
    After a longer time without a look nobody knows whether the channel was live: the stretch is
    left out, and the payments in it, too.
    """
    seconds = 3 * PATIENT.fee_interval + gap
    window = Window(fee_ppm=500, live_s=HOUR, count=3)
    climb = attrs.evolve(
        climb, base_ppm=500, first=None, window=window, seen_at=START - seconds, resting=False
    )
    traffic = Traffic(since=0, until=START, out_count=forwards, last_out_at=START)
    channel = quiet_channel(traffic=traffic)
    plan = looked(channel, PATIENT, fee=remembered(channel, climb))

    assert climb_of(plan).window == window


@given(
    channels(START, **OPEN, traffic=st.none()),
    configs(scarcity_pricing=st.just(False), **climbing),
    searches,
)
def test_unknown_books_teach_nothing(channel, config, climb):
    """
    While the books cannot be read the base stays where it was, and the reason says so.
    """
    channel = attrs.evolve(channel, htlcs_in=0, htlcs_out=0)
    base = min(max(climb.base_ppm, config.min_fee_ppm), config.max_fee_ppm)
    climb = attrs.evolve(climb, base_ppm=base, first=None, window=Window(fee_ppm=base))
    plan = looked(channel, config, fee=remembered(channel, climb))
    assume(not disturbances & set(codes(plan.decisions[0])))
    (decision,) = plan.decisions
    assume(bounds(decision)[0] <= base <= bounds(decision)[1])

    assert Code.CLIMB_BLIND in codes(decision)
    assert climb_of(plan) == climb


@given(ppms(100, 4000))
def test_blind_or_not_a_search_stands_where_it_stood(ppm):
    """
    While the books cannot be read nothing of a search changes, its open window included.
    """
    climb = ClimbMemory(base_ppm=ppm, window=Window(fee_ppm=ppm, count=3), seen_at=START - DAY)
    channel = quiet_channel(fee_ppm=ppm, traffic=None)
    plan = looked(channel, PATIENT, fee=remembered(channel, climb))

    assert Code.CLIMB_BLIND in codes(plan.decisions[0])
    assert climb_of(plan) == climb


@given(ppms(100, 4000))
def test_where_a_lower_price_brings_nobody_it_goes_lower_still(ppm):
    """
    A window below the base in which nobody came is no reason to go back up, whatever the base
    brought: the next price is below both.
    """
    lower = Window(fee_ppm=ppm * 4 // 5, live_s=DAY)
    climb = ClimbMemory(
        base_ppm=ppm,
        side=-1,
        first=Window(fee_ppm=ppm, count=9, live_s=DAY),
        window=lower,
        seen_out_count=9,
        seen_at=START - 60,
        live=True,
    )
    quiet = Traffic(since=0, until=START, out_count=9, last_out_at=START - DAY - 60)
    channel = quiet_channel(fee_ppm=lower.fee_ppm, traffic=quiet)
    plan = looked(channel, PATIENT, fee=remembered(channel, climb))

    assert Code.CLIMB_NOBODY in codes(plan.decisions[0])
    assert climb_of(plan).base_ppm < lower.fee_ppm
    assert (climb_of(plan).first, climb_of(plan).side) == (None, -1)


def paused(base=500, price=500, live_s=HOUR, count=0, **fields):
    """
    Return the plan at a look that adds no time to the open window of a search.
    """
    used = Traffic(since=0, until=START, out_count=fields.pop("ever", 9), last_out_at=START)
    climb = ClimbMemory(
        base_ppm=base,
        window=Window(fee_ppm=price, live_s=live_s, count=count),
        seen_out_count=used.out_count,
        seen_at=START,
        live=True,
        **fields,
    )
    channel = quiet_channel(fee_ppm=price, traffic=used)
    return looked(channel, PATIENT, fee=remembered(channel, climb))


@given(whole(0, 30), whole(0, 4 * DAY), st.booleans())
@example(19, 6 * HOUR, True)
@example(20, 6 * HOUR, True)
@example(20, 6 * HOUR - 1, True)
@example(0, 3 * DAY - 1, True)
@example(1, 3 * DAY, True)
@example(0, DAY - 1, False)
@example(0, DAY, False)
def test_a_window_closes_when_it_says_enough(count, live_s, ever):
    """
    The window at the base closes at 20 payments, not before six hours, or after three days; after
    one day where nobody has ever come.
    """
    plan = paused(live_s=live_s, count=count if ever else 0, ever=max(count, 1) if ever else 0)
    enough = ever and count >= 20 and live_s >= 6 * HOUR
    closed = enough or live_s >= (3 * DAY if ever else DAY)

    assert (Code.CLIMB_WAITING not in codes(plan.decisions[0])) == closed
    assert (climb_of(plan).window.live_s == live_s) == (not closed)
    if Code.CLIMB_NOBODY in codes(plan.decisions[0]):
        assert climb_of(plan).side == -1


@given(st.sampled_from((10, 11, 500, 4990, 5000)), st.sampled_from((1, -1)))
def test_at_a_bound_the_other_side_is_tried(ppm, side):
    """
    Where a bound leaves no room on the side whose turn it is, the other one is tried, and its turn
    it is.
    """
    after = climb_of(paused(base=ppm, price=ppm, live_s=DAY, count=20, side=side))
    room = ppm - 10 if side < 0 else 5000 - ppm

    assert after.side == (side if room >= dead_band(ppm) else -side)
    assert (after.window.fee_ppm - ppm) * after.side > 0


@given(whole(6 * HOUR, 4 * DAY), whole(-DAY, DAY), whole(0, 30), st.booleans())
@example(DAY, 0, 3, True)
@example(DAY, -1, 3, True)
def test_two_windows_of_one_length_are_compared(first_s, longer, count, dearer):
    """
    The window beside the base is compared with that at the base as soon as it is as long.
    """
    first = Window(fee_ppm=500, live_s=first_s, count=9)
    live_s = max(0, first_s + longer)
    plan = paused(price=650 if dearer else 370, live_s=live_s, count=count, first=first)

    assert (Code.CLIMB_COMPARING in codes(plan.decisions[0])) == (live_s < first_s)


@given(whole(-2 * HOUR, 9 * HOUR), st.booleans(), whole(0, 9), whole(0, MOST_LIVE_S))
@example(0, True, 5, 0)
@example(1, True, 5, 0)
@example(6 * HOUR, True, 5, 0)
@example(6 * HOUR + 1, True, 5, 0)
@example(HOUR, True, 5, MOST_LIVE_S - 1)
def test_what_was_watched_is_in_the_window(elapsed, live, came, live_s):
    """
    The time since the last look, and who came in it, is added to the open window when the channel
    was live then and the look is no more than three intervals ago; never more than fits.
    """
    window = Window(fee_ppm=500, live_s=live_s, count=MOST_COUNT - 3)
    first = Window(fee_ppm=400, live_s=MOST_LIVE_S, count=1)
    climb = ClimbMemory(
        base_ppm=400,
        first=first,
        window=window,
        seen_out_count=0,
        seen_at=START - elapsed,
        live=live,
    )
    used = Traffic(since=0, until=START, out_count=came, last_out_at=START)
    channel = quiet_channel(fee_ppm=500, traffic=used)
    plan = looked(channel, PATIENT, fee=remembered(channel, climb))
    after = climb_of(plan)
    watched = live and 0 < elapsed <= 6 * HOUR

    assert (after.seen_at, after.seen_out_count, after.live) == (START, came, True)
    if Code.CLIMB_COMPARING in codes(plan.decisions[0]):
        assert after.window.live_s == min(live_s + elapsed * watched, MOST_LIVE_S)
        assert after.window.count == min(MOST_COUNT - 3 + came * watched, MOST_COUNT)
    else:
        assert watched
        assert live_s + elapsed >= MOST_LIVE_S


@given(ppms(10, 5000), ppms(10, 5000))
@example(500, 541)
@example(500, 540)
@example(500, 459)
@example(20, 22)
def test_a_price_that_is_nearly_in_force_is_tried(in_force, wanted):
    """
    A price teaches when the one in force is as good as that: within what is not worth an update.
    """
    climb = ClimbMemory(base_ppm=wanted, window=Window(fee_ppm=wanted), seen_at=START, live=True)
    used = Traffic(since=0, until=START, out_count=9, last_out_at=START)
    channel = quiet_channel(fee_ppm=in_force, traffic=used)
    decision = decided(channel, PATIENT, fee=remembered(channel, climb))
    near = abs(wanted - in_force) < max(dead_band(in_force), int(in_force * 0.08) + 1)

    assert (Code.CLIMB_WAITING in codes(decision)) == near
    if not near:
        assert fact(decision, "why", Code.CLIMB_NOT_LIVE) == f"{wanted} ppm is not in force yet"


@given(whole(1, 10**12), ratios(0, 0.2), st.booleans(), st.lists(msats(1, 10**10), max_size=9))
def test_a_channel_is_live_when_a_usual_payment_could_leave(capacity, share, connected, amounts):
    """
    A channel could forward while its peer is connected and more is ours than a twentieth of the
    capacity, and than nine of ten payments were by what is known of their sizes.
    """
    days = [forwarded(START // DAY - n, 1, amount) for n, amount in enumerate(amounts)]
    used = Traffic(since=0, until=START, days=days, last_out_at=START)
    spendable = int(capacity * share)
    channel = quiet_channel(
        capacity_msat=capacity, spendable_msat=spendable, connected=connected, traffic=used
    )
    usual = size_quantile(days, 1.2816) or 0
    live = connected and spendable > int(capacity * 0.05) and spendable > usual

    assert climb_of(looked(channel, PATIENT)).live == live


@given(ppms(0, 5000), ratios(0.1, 0.6), st.sampled_from((1, -1)), ppms(0, 5000), ppms(0, 5000))
@example(4, 0.1, 1, 0, 5000)
@example(4, 0.1, -1, 0, 5000)
@example(500, 0.3, 1, 10, 515)
@example(500, 0.3, 1, 10, 514)
@example(500, 0.3, -1, 485, 5000)
@example(500, 0.3, -1, 486, 5000)
def test_beside_is_a_step_away_and_worth_an_update(base, distance, side, one, other):
    """
    The price beside another is a step away, or as far as the bounds allow; where those leave less
    than the dead band there is none.
    """
    lower, upper = min(one, other, base), max(one, other, base)
    plain = Price(fee_ppm=base, base_fee_msat=0)
    quote = Quote(
        base_fee_msat=0,
        memory=FeeMemory(known=plain),
        mode=Mode.LEARNED,
        in_force=base,
        base_ppm=base,
        lower=lower,
        upper=upper,
    )
    found = beside(base, distance, side, quote)
    band = dead_band(base)
    room = upper - base if side > 0 else base - lower

    assert (found is None) == (room < band)
    if found is not None:
        step = abs(base * math.exp(side * distance) - base)
        assert (found - base) * side > 0
        assert abs(abs(found - base) - min(max(step, band), room)) <= 0.5


@given(st.lists(whole(0, 40), min_size=1, max_size=40), ppms(20, 4000))
def test_windows_are_paired_and_long_enough(forwards, ppm):
    """
    A price is compared with another only when both were in force for at least six live hours, the
    second as long as the first; what is compared is base and one neighbour.
    """
    world = World([quiet_channel(fee_ppm=ppm)], PATIENT)
    before = climb_of(world.cycle())
    for count in forwards:
        plan = lived(world, count)
        after, said = climb_of(plan), codes(plan.decisions[0])
        if {Code.CLIMB_BETTER, Code.CLIMB_WORSE, Code.CLIMB_UNDECIDED} & set(said):
            event("compared")
            assert before.first is not None
            assert before.first.live_s >= SHORTEST_S
            assert before.window.live_s + STRIDE >= before.first.live_s
            assert before.window.fee_ppm != before.first.fee_ppm == before.base_ppm
        if after.first is not None:
            assert after.first.live_s >= SHORTEST_S
            assert after.first.count > 0
            assert (after.window.fee_ppm - after.base_ppm) * after.side > 0
        before = after


@given(st.lists(whole(0, 60), min_size=1, max_size=40), ppms(20, 4000))
def test_steps_are_neither_timid_nor_wild(forwards, ppm):
    """
    The distance between the prices compared starts at 0.3, grows when moving pays, shrinks when it
    does not, and stays from 0.1 to 0.6.
    """
    world = World([quiet_channel(fee_ppm=ppm)], PATIENT)
    before = climb_of(world.cycle())
    assert before.step == 0.3
    for count in forwards:
        plan = lived(world, count)
        after, said = climb_of(plan), codes(plan.decisions[0])
        assert NARROWEST_STEP <= after.step <= WIDEST_STEP
        if Code.CLIMB_BETTER in said:
            assert math.isclose(after.step, min(0.6, before.step * 1.2))
        elif Code.CLIMB_WORSE in said:
            assert math.isclose(after.step, max(0.1, before.step * 0.8))
        else:
            assert after.step == before.step
        before = after


def demanded(world, limit, forwards):
    """
    Return how many of *forwards* payments come when nobody pays more than *limit*.
    """
    (channel,) = world.channels.values()
    return forwards if channel.fee_ppm <= limit else 0


@given(ppms(50, 2000), ppms(50, 2000), st.integers(30, 60))
def test_the_search_finds_what_the_market_pays(ppm, limit, forwards):
    """
    Where payments come up to some price and stop above it, a month of searching ends within one
    step of that price, from wherever they began.
    """
    world = World([quiet_channel(fee_ppm=ppm)], PATIENT)
    for _ in range(120):
        plan = lived(world, demanded(world, limit, forwards))
    found = climb_of(plan).base_ppm

    assert limit * math.exp(-WIDEST_STEP) * 0.95 <= found <= limit * 1.05


@given(whole(), channels(START, **OPEN), configs(**climbing))
def test_the_first_side_is_a_draw_from_the_seed(seed, channel, config):
    """
    Which price is tried first depends on the seed and the channel alone.
    """
    world = World([channel], config)
    snapshot = attrs.evolve(world.snapshot(), seed=seed)
    (first,) = decide(snapshot, config).memory.channels
    (later,) = decide(attrs.evolve(snapshot, now=START + DAY), config).memory.channels

    assert (first.fee.climb is None) == (later.fee.climb is None)
    assert first.fee.climb is None or first.fee.climb.side == later.fee.climb.side


def test_both_sides_are_drawn():
    """
    Of many seeds about half begin above the price, and of many channels of one seed as well.
    """
    seeds = [attrs.evolve(World([quiet_channel()]).snapshot(), seed=seed) for seed in range(64)]
    nodes = [World([quiet_channel(number)]).snapshot() for number in range(64)]
    for looks in (seeds, nodes):
        sides = [climb_of(decide(look, PATIENT)).side for look in looks]
        assert 16 <= sides.count(1) <= 48


@given(ppms(50, 2000), whole(0, 200), st.booleans(), whole(0, 19), whole(1, DAY - 1))
@example(500, 14, False, 3, HOUR)
@example(500, 15, False, 3, HOUR)
@example(500, 14, True, 3, HOUR)
@example(500, 15, True, 3, HOUR)
def test_a_floor_that_creeps_voids_no_evidence(base, above, beside, count, live_s):
    """
    A floor that lifts the base by less than the dead band leaves what was gathered, at the base or
    beside it; one that lifts it by more makes the search begin anew.
    """
    tried = 2 * base + 200 if beside else base
    window = Window(fee_ppm=tried, live_s=live_s, count=count)
    before = Window(fee_ppm=base, live_s=DAY, count=9) if beside else None
    climb = ClimbMemory(base_ppm=base, first=before, window=window, seen_at=START)
    channel = quiet_channel(fee_ppm=tried, traffic=Traffic(since=0, until=START, last_out_at=START))
    config = attrs.evolve(PATIENT, min_fee_ppm=base + above)
    after = climb_of(looked(channel, config, fee=remembered(channel, climb)))

    assert after.base_ppm == base + above
    if above and above >= dead_band(base):
        assert (after.first, after.window) == (None, Window(fee_ppm=base + above))
    else:
        kept = window if beside else attrs.evolve(window, fee_ppm=base + above)
        assert (after.first, after.window) == (before, kept)


@given(ratios(0, 1), st.booleans())
@example(0.5, True)
def test_a_spike_wakes_who_rests(intensity, resting):
    """
    While another stage makes the price, a search that rests goes on resting, unless on-chain fees
    spike by half or more; no other begins to rest.
    """
    climb = ClimbMemory(
        base_ppm=500, window=Window(fee_ppm=500), seen_at=START - HOUR, resting=resting
    )
    channel = quiet_channel(to_us_msat=0, traffic=Traffic(since=0, until=START))
    held = VegasMemory(intensity=intensity, sample_at=START)
    feerates = [FeerateSample(at=START - age, perkw=2000) for age in range(9)]
    fee = remembered(channel, climb)
    plan = looked(channel, PATIENT, fee=fee, vegas=held, feerates=feerates)

    assert Code.CLIMB_PAUSED in codes(plan.decisions[0])
    assert climb_of(plan).resting == (resting and intensity < 0.5)


days_before = st.lists(
    st.tuples(whole(0, 40), whole(0, 500)), max_size=40, unique_by=lambda d: d[0]
)


@given(days_before, whole(0, 40), whole(0, DAY - 1))
@example([], 40, 0)
@example([(5, 9), (3, 1)], 40, 0)
@example([(4, 9), (3, 1)], 40, 0)
def test_payments_that_come_in_bursts_vary_more_than_they_are(rows, since, second):
    """
    The dispersion is the variance of the payments a day over their mean, by whole days of the last
    thirty from the first that brought any; at least 1, as if they came independently, at most 10,
    and 1 where less than five days are known.
    """
    today = START // DAY
    days = [forwarded(today - ago, count, 50_000_000) for ago, count in rows]
    traffic = Traffic(
        since=(today - since) * DAY + second, until=START, days=[d for d in days if d.out_count]
    )
    counts = {ago: count for ago, count in rows if count}
    first = min(since - (second > 0), max(counts, default=0), 30)
    daily = [counts.get(ago, 0) for ago in range(first, 0, -1)]
    expected = variance_of(daily) if len(daily) >= 5 and sum(daily) else 1.0

    assert math.isclose(dispersion(traffic), min(max(expected, 1.0), 10.0))


def variance_of(daily):
    """
    Return the variance of *daily* over their mean.
    """
    return pvariance(daily) / (sum(daily) / len(daily))


@given(searches, ppms(10, 5000))
def test_a_price_that_is_not_in_force_teaches_nothing(climb, ppm):
    """
    While an update waits or was refused, what comes is not credited to the price that was wanted.
    """
    wanted = 10 + ppm if ppm < 2500 else ppm // 2
    window = Window(fee_ppm=wanted, live_s=HOUR, count=3)
    climb = attrs.evolve(
        climb, base_ppm=wanted, first=None, window=window, seen_at=START - HOUR, resting=False
    )
    assume(abs(wanted - ppm) > 0.05 * ppm + 5)
    traffic = Traffic(since=0, until=START, out_count=5, last_out_at=START)
    channel = quiet_channel(fee_ppm=ppm, traffic=traffic)
    plan = looked(channel, PATIENT, fee=remembered(channel, climb))

    assert climb_of(plan).window == window
    assert Code.CLIMB_NOT_LIVE in codes(decided(channel, PATIENT, fee=remembered(channel, climb)))
