"""§4.1 Bounds: between what a channel costs and what anybody pays."""

import math

import attrs
import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st
from property.strategies import (
    OPEN,
    channels,
    configs,
    feerate_samples,
    flow_memories,
    msats,
    optimizers,
    policies,
    ppms,
    ratios,
    traffics,
    whole,
)
from property.trails import bounds, codes, fact, fee, reason
from property.world import (
    CLIMBING,
    HOUR_NOW,
    START,
    decided,
    forwarded,
    look,
    looked,
    peer,
    quiet_channel,
)

from revops.core.config import Config
from revops.core.fees.floors import expected_volume
from revops.core.memory import BeliefMemory, FeeMemory, FlowMemory, FlowState, Price, Window
from revops.core.policy import MULTIPLIERS, Policy, Strategy
from revops.core.reasons import Code
from revops.core.snapshot import FeerateSample, Refills, Traffic
from revops.core.units import DAY, HOUR

open_channels = channels(START, **OPEN)
free = {"paused": st.just(False), "authority": st.just("fees"), "vegas_reflex": st.just(False)}
DRAINED = quiet_channel()
dynamic = policies(strategy=st.just(Strategy.DYNAMIC), expires_at=st.none())


@given(open_channels, configs(), feerate_samples(START), flow_memories(START))
def test_the_floor_is_at_least_the_operators_minimum(channel, config, feerates, flow):
    """
    What a channel costs only ever raises the floor, and a channel that nobody pays for only ever
    lowers the ceiling.
    """
    decision = decided(channel, config, feerates=feerates, flow=flow)
    floor, ceiling = bounds(decision)

    assert floor >= min(config.min_fee_ppm, ceiling)
    assert ceiling <= config.max_fee_ppm


@given(open_channels, configs(**free), dynamic, feerate_samples(START))
def test_the_bounds_of_a_policy_replace_the_nodes(channel, config, policy, feerates):
    """
    A policy's own minimum and maximum count instead of the node's, each by itself.
    """
    policy = attrs.evolve(policy, peer_id=channel.peer_id)
    decision = decided(channel, config, policies=[policy], feerates=feerates)
    lowest = config.min_fee_ppm if policy.min_fee_ppm is None else policy.min_fee_ppm
    highest = config.max_fee_ppm if policy.max_fee_ppm is None else policy.max_fee_ppm
    said = (Code.BOUNDS, Code.POLICY_BOUNDS)

    assert fact(decision, "floor", *said) == lowest
    assert fact(decision, "ceiling", *said) == highest
    own = policy.min_fee_ppm is not None or policy.max_fee_ppm is not None
    assert (Code.POLICY_BOUNDS in codes(decision)) == own


@given(open_channels, configs(**free), dynamic)
def test_where_bounds_cross_the_ceiling_wins(channel, config, policy):
    """
    A floor above the ceiling gives way, and the trail says so.
    """
    policy = attrs.evolve(policy, peer_id=channel.peer_id)
    decision = decided(channel, config, policies=[policy])
    lowest = fact(decision, "floor", Code.BOUNDS, Code.POLICY_BOUNDS)
    _, ceiling = bounds(decision)
    crossed = lowest > ceiling
    event(f"crossed: {crossed}")

    assert (Code.FLOOR_ABOVE_CEILING in codes(decision)) == crossed
    if crossed:
        assert decision.trail[-1].after in (ceiling, channel.fee_ppm)


@given(ppms(0, 10_000), ppms(0, 100_000))
def test_a_floor_that_is_the_ceiling_is_not_above_it(ppm, bound):
    """
    Where floor and ceiling are one, the price is that, and nothing is said to cross.
    """
    policy = Policy(peer_id=peer(0), min_fee_ppm=bound, max_fee_ppm=bound)
    decision = decided(quiet_channel(fee_ppm=ppm), policies=[policy])

    assert reason(decision, Code.POLICY_BOUNDS).after == bound
    assert Code.FLOOR_ABOVE_CEILING not in codes(decision)


@given(
    open_channels,
    configs(**free),
    st.lists(st.tuples(whole(0, 8 * DAY), whole(1, 10**7), whole(0, 10**7)), max_size=6),
    flow_memories(START),
)
def test_a_higher_feerate_never_lowers_the_floor(channel, config, samples, flow):
    """
    With any of the feerates higher and all else equal, the floor is as high or higher.
    """
    low = [FeerateSample(at=START - age, perkw=perkw) for age, perkw, _ in samples]
    high = [FeerateSample(at=START - age, perkw=perkw + up) for age, perkw, up in samples]
    before = decided(channel, config, feerates=low, flow=flow)
    after = decided(channel, config, feerates=high, flow=flow)

    assert bounds(before)[0] <= bounds(after)[0]
    assert bounds(before)[1] == bounds(after)[1]


@given(open_channels, configs(), flow_memories(START))
def test_without_feerates_there_is_no_chain_floor(channel, config, flow):
    """
    When the node gave no feerate in a week, on-chain costs are unknown, which is neither free nor
    dear: no floor is made of them, and the trail says so.
    """
    old = [FeerateSample(at=START - 7 * DAY, perkw=10_000)]
    for feerates in ((), old):
        decision = decided(channel, config, feerates=feerates, flow=flow)
        assert Code.NO_FEERATES in codes(decision)
        assert Code.CHAIN_FLOOR not in codes(decision)


@given(open_channels, configs(**free), feerate_samples(START), flow_memories(START))
def test_who_opened_pays_for_the_opening(channel, config, feerates, flow):
    """
    A channel that the peer opened has no higher floor than one that we opened.
    """
    ours, theirs = (
        decided(attrs.evolve(channel, opener=opener), config, feerates=feerates, flow=flow)
        for opener in ("local", "remote")
    )

    assert bounds(theirs)[0] <= bounds(ours)[0]


@given(st.integers(0, 10), st.integers(1, 40), whole(1, 10**6), whole(1, 10**12))
def test_a_busier_channel_needs_no_higher_floor(count, more, perkw, amount):
    """
    The more a channel routes out, the thinner its on-chain costs are spread: the floor does not
    rise.
    """
    floors = []
    for forwards in (count, count + more):
        day = forwarded(START // DAY - 1, forwards, amount)
        traffic = Traffic(since=0, until=START, days=[day], last_out_at=START - DAY)
        channel = quiet_channel(traffic=traffic)
        decision = decided(channel, feerates=[FeerateSample(at=START, perkw=perkw)])
        floors.append(bounds(decision)[0])

    assert floors[0] >= floors[1]


@given(whole(1, 21 * 10**17), whole(1, 90), msats(max_value=10**12))
def test_a_channel_is_expected_to_go_on_as_it_did(capacity, days, daily):
    """
    In a year a channel is expected to route what it did in the days that were looked at, beside 30
    days of what is usual, its capacity once a month; without books, that alone. It is never
    nothing, so that no floor is infinite.
    """
    flow, _ = look(quiet_channel(traffic=Traffic(since=0, until=START)))
    seen = attrs.evolve(flow, out_msat_per_day=daily)
    usual = 12 * capacity
    share = days / (days + 30)
    mixed = share * 365 * daily + (1 - share) * usual

    for flow, expected in ((None, usual), (seen, mixed)):
        volume = expected_volume(flow, capacity, days)
        assert volume >= 1
        assert math.isclose(volume, expected, rel_tol=1e-9, abs_tol=1)


@given(ppms(1, 400), whole(1000, 50_000), ratios(0, 5000), optimizers)
@example(100, 50_000, 5000.0, "posterior")
def test_no_chain_floor_is_above_a_quarter_of_the_believed_middle(ppm, perkw, middle, optimizer):
    """
    What a channel costs is no reason to ask for more than half of the ceiling, or a quarter of the
    price at which half of the payments are believed to come; a middle that nobody learns by any
    more says nothing.
    """
    window = Window(fee_ppm=ppm)
    belief = BeliefMemory(base_ppm=ppm, window=window, judged_at=START, seen_at=START)
    channel = quiet_channel(fee_ppm=ppm, capacity_msat=10**9)
    config = Config(fee_optimizer=optimizer, vegas_reflex=False)
    known = FeeMemory(known=Price(fee_ppm=ppm, base_fee_msat=0), belief=belief)
    feerates = [FeerateSample(at=START, perkw=perkw)]
    alone, beside = (
        bounds(decided(channel, config, fee=attrs.evolve(known, belief=found), feerates=feerates))
        for found in (belief, attrs.evolve(belief, middle_ppm=middle))
    )
    most = int(middle / 4) if optimizer == "posterior" else alone[0]

    assert alone[0] <= config.max_fee_ppm // 2
    assert beside[0] == max(min(alone[0], most), config.min_fee_ppm)
    asked = attrs.evolve(config, min_fee_ppm=alone[0])
    assert Code.CHAIN_FLOOR not in codes(decided(channel, asked, fee=known, feerates=feerates))


@given(ppms(10, 100), whole(1000, 20_000))
def test_what_is_learned_stays_above_what_a_channel_costs(ppm, perkw):
    """
    Not only the price, the search itself stays at the floor: it does not wind up below.
    """
    used = Traffic(since=0, until=START, out_count=1, last_out_at=START)
    channel = quiet_channel(fee_ppm=ppm, capacity_msat=10**9, traffic=used)
    feerates = [FeerateSample(at=START, perkw=perkw)]
    plan = looked(channel, Config(vegas_reflex=False, **CLIMBING), feerates=feerates)
    floor, _ = bounds(plan.decisions[0])

    assert plan.memory.channels[0].fee.climb.base_ppm == max(floor, ppm)


@given(ppms(10, 10_000), whole(3, 20))
def test_what_is_learned_stays_below_what_nobody_pays(ppm, days):
    """
    The search itself stays below a ceiling that was lowered for want of payments.
    """
    idle = Traffic(since=0, until=START, out_count=1, last_out_at=START - days * DAY)
    plan = looked(quiet_channel(fee_ppm=ppm, traffic=idle), Config(**CLIMBING))
    _, ceiling = bounds(plan.decisions[0])

    assert plan.memory.channels[0].fee.climb.base_ppm == min(ppm, ceiling)


@given(
    open_channels.map(lambda channel: attrs.evolve(channel, opened_at=START - 1000 * DAY)),
    configs(**free),
    whole(0, 5),
    whole(0, 10**12),
    ppms(0, 5000),
    st.booleans(),
)
@example(DRAINED, Config(), 2, 10**9, 1000, True)
@example(DRAINED, Config(), 3, 0, 1000, True)
@example(DRAINED, Config(min_fee_ppm=1200), 3, 10**9, 1000, True)
def test_a_drained_channel_earns_its_refills_back(channel, config, count, amount, ppm, drains):
    """
    A channel that drains charges at least 1.2 times what refilling it took, from three refills on
    and never above 0.9 of the ceiling; one that does not drain, or whose refills are few, owes
    nothing.
    """
    cost = amount * ppm // 1_000_000
    refills = Refills(count=count, amount_msat=amount, cost_msat=cost)
    flow = FlowMemory(
        hour=HOUR_NOW - 1,
        out_sum=1e9 if drains else 0.0,
        in_sum=1e9,
        state=FlowState.BALANCED,
    )
    if drains:
        flow = attrs.evolve(flow, in_sum=0.0, state=FlowState.SOURCE)
    decision = decided(attrs.evolve(channel, refills=refills), config, flow=flow)
    floor, ceiling = bounds(decision)
    counted = drains and count >= 3 and amount > 0
    paid = cost * 1_000_000 / amount if amount else 0

    if counted:
        assert floor >= int(min(1.2 * paid, 0.9 * ceiling))
    if Code.REFILL_FLOOR in codes(decision):
        assert counted
        assert config.min_fee_ppm < floor <= max(1.2 * paid, config.min_fee_ppm)
        assert floor <= 0.9 * ceiling


@given(ppms(0, 10_000), whole(0, 20 * DAY), configs(**free), st.booleans())
@example(4000, 3 * DAY, Config(), True)
@example(4000, 7 * DAY, Config(), True)
@example(500, 5 * DAY, Config(max_fee_ppm=500), True)
def test_a_price_that_nobody_pays_has_a_lower_ceiling(ppm, idle, config, ever):
    """
    A channel that nothing left by for three days has three quarters of the ceiling, and half after
    seven, but no less than 500 ppm for that; with traffic, the ceiling is whole, and the price in
    force is all the same. A channel that was never used is idle since it was opened.
    """
    traffic = Traffic(since=0, until=START, last_out_at=START - idle if ever else None)
    opened_at = START - 1000 * DAY if ever else START - idle
    channel = quiet_channel(fee_ppm=ppm, traffic=traffic, opened_at=opened_at)
    decision = decided(channel, config)
    _, ceiling = bounds(decision)
    whole_ceiling = config.max_fee_ppm
    lower = reason(decision, Code.STALE_CEILING)
    lowered = int(whole_ceiling * (0.5 if idle >= 7 * DAY else 0.75))

    if idle < 3 * DAY:
        assert ceiling == whole_ceiling
    else:
        assert ceiling == max(lowered, min(whole_ceiling, 500))
    assert (lower is not None) == (ceiling < whole_ceiling)
    assert lower is None or lower.after <= ceiling


@given(open_channels, configs())
def test_unknown_traffic_is_not_idle(channel, config):
    """
    While the books cannot be read, nobody can say that a price is not paid: the ceiling stays.
    """
    decision = decided(attrs.evolve(channel, traffic=None), config)

    assert Code.STALE_CEILING not in codes(decision)


@given(
    ratios(0.1, 5.0),
    ratios(0, 1),
    ppms(10, 5000),
    st.booleans(),
)
def test_the_multipliers_of_a_policy_bound_the_factor(bound, share, ppm, lowest):
    """
    A policy's multiplier bounds what balance and scarcity make of the price, and scales it where
    they say nothing.
    """
    capacity = 5_000_000_000
    channel = quiet_channel(
        fee_ppm=ppm,
        capacity_msat=capacity,
        to_us_msat=int(capacity * share),
        traffic=Traffic(since=0, until=START, last_out_at=START - HOUR),
    )
    fields = {"fee_multiplier_min" if lowest else "fee_multiplier_max": bound}
    policy = Policy(peer_id=channel.peer_id, **fields)
    decision = decided(channel, Config(), policies=[policy])
    leaning = fact(decision, "factor", Code.BALANCE) or 1.0
    scarce = leaning * (fact(decision, "factor", Code.SCARCITY) or 1.0)
    factor = fact(decision, "factor", Code.MULTIPLIER) or scarce

    least, most = MULTIPLIERS
    wanted = max(scarce, bound) if lowest else min(scarce, bound)
    assert factor == pytest.approx(min(max(wanted, least), most))
    assert bounds(decision)[0] <= fee(decision, ppm) <= bounds(decision)[1]


@given(open_channels, traffics(START), configs())
def test_bounds_need_nobodys_help(channel, traffic, config):
    """
    With any traffic and no other evidence at all, floor and ceiling are from 0 to 100 000 ppm, the
    floor not above the ceiling.
    """
    bare = attrs.evolve(channel, traffic=traffic, refills=None, opened_at=None)
    floor, ceiling = bounds(decided(bare, config))

    assert 0 <= floor <= ceiling <= 100_000
