"""§5 EV: a refill is started when it is expected to pay, and never dearer than that."""

import math
import random  # noqa: TID251 -- the world is drawn here, not decisions

import attrs
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from property.money import READY, about, ample, planned, short, starts, told, traders, wishes
from property.strategies import LARGEST, msats, ppms, ratios, whole
from property.test_3_value import drawn
from property.trails import fact, reason
from property.world import START, peer

from revops.core.config import Config
from revops.core.reasons import Code
from revops.core.rebalance.decide import rebalance
from revops.core.rebalance.ev import (
    ATTEMPT_MSAT,
    cost_msat,
    pays,
    prospect,
    terms,
    value_msat,
)
from revops.core.rebalance.inventory import inventory
from revops.core.treasury import Reputation
from revops.core.units import HOUR, from_sats
from revops.core.value import HORIZON_DAYS

CHANCES = ratios(1e-9, 1)
AMOUNTS = msats(1000, 10**12)
MONEY = msats(0, 10**10)
PPM = ppms(0, 5000)
PROSPECTS = st.builds(
    prospect,
    CHANCES,
    PPM,
    PPM,
    wishes(),
    hive=st.booleans(),
    losing=st.booleans(),
)

REFILLS = st.tuples(PROSPECTS, AMOUNTS, MONEY, MONEY)


@given(PROSPECTS, AMOUNTS, MONEY, MONEY)
@example(prospect(1e-9, 0, 100, Config(), hive=False, losing=True), 1000, 10**10, 0)
def test_what_is_started_is_expected_to_pay(promised, amount, gain, loss):
    """
    Whatever the route takes up to the most that is offered, the expected value reaches the least
    that is asked for; without exemption that is above 0, and the gain above loss and cost.
    """
    found = terms(promised, amount, gain, loss)
    for ppm in {found.max_ppm, found.max_ppm // 2, promised.cost_ppm}:
        if pays(found, ppm):
            value = value_msat(promised.chance, gain, loss, cost_msat(amount, ppm))
            assert value >= found.least_msat >= -(promised.tolerance_msat or 0)
            if promised.tolerance_msat is None:
                assert value > 0
                assert gain > loss + cost_msat(amount, ppm)


@given(PROSPECTS, AMOUNTS, MONEY, MONEY)
def test_no_more_is_offered_than_the_operator_and_the_market_bear(promised, amount, gain, loss):
    """
    The offer stays within rebalance-max-ppm and, but for a member of the hive, within nine tenths
    of what the channel charges; and what is called the bound is one.
    """
    found = terms(promised, amount, gain, loss)

    assert type(found.max_ppm) is int
    assert 0 <= found.max_ppm <= promised.most_ppm
    if promised.tolerance_msat is None:
        assert found.max_ppm <= promised.price_ppm * 0.9
    if found.bound is Code.DEARER_THAN_ALLOWED:
        assert found.max_ppm == promised.most_ppm
    elif found.bound is Code.DEARER_THAN_SOLD:
        assert found.max_ppm == int(promised.price_ppm * 0.9)
    elif found.ev_msat >= found.least_msat and promised.cost_ppm > found.max_ppm:
        # By what is rounded to our own good.
        assert promised.cost_ppm <= found.max_ppm + 2 + (3 + 3 / promised.chance) / amount * 1e6


def test_the_offer_leaves_what_is_asked_for_and_nothing_beside():
    """
    Where a ppm is a msat, the offer is the last at which the value is the least, but for the one
    msat that floats may take; without a profit to reach that is one msat. To a member of the hive
    it is the loss that is accepted, trying included.
    """
    for sats, least in ((10, 10_000), (0, 1)):
        config = Config(rebalance_min_profit=sats)
        promised = prospect(1.0, 100, 5000, config, hive=False, losing=False)
        found = terms(promised, 10**6, least + 2_000, 100)

        assert found.least_msat == least
        assert found.max_ppm == 2_000 - 100 - ATTEMPT_MSAT - 1
    member = prospect(1.0, 100, 0, Config(), hive=True, losing=False)
    assert terms(member, 10**6, 0, 0).least_msat == from_sats(-50)
    assert terms(member, 10**8, 0, 0).max_ppm == 490


@pytest.mark.parametrize(("price", "most"), [(5000, 1000), (1000, 900)])
def test_of_two_bounds_that_are_alike_the_profit_is_told(price, most):
    """
    What would earn too little if it cost more is said to, though that would be too dear as well.
    """
    promised = prospect(1.0, 100, price, Config(), hive=False, losing=False)
    gain = 10_000 + ATTEMPT_MSAT + 1 + most

    assert terms(promised, 10**6, gain, 0).bound is Code.EARNS_TOO_LITTLE
    assert terms(promised, 10**6, gain, 0).max_ppm == most
    assert terms(promised, 10**6, gain + 1, 0).bound is not Code.EARNS_TOO_LITTLE


@given(REFILLS, MONEY, CHANCES, PPM)
def test_the_value_follows_each_of_its_terms(refill, more, chance, cost):
    """
    The expected value rises with the gain, falls with loss and cost, and rises with the chance of
    what pays at all.
    """
    promised, amount, gain, loss = refill
    found = terms(promised, amount, gain, loss)
    dearer = attrs.evolve(promised, cost_ppm=promised.cost_ppm + cost)
    surer = attrs.evolve(promised, chance=max(chance, promised.chance))

    assert terms(promised, amount, gain + more, loss).ev_msat >= found.ev_msat
    assert terms(promised, amount, gain, loss + more).ev_msat <= found.ev_msat
    assert terms(dearer, amount, gain, loss).ev_msat <= found.ev_msat
    if gain >= loss + found.cost_msat:
        assert terms(surer, amount, gain, loss).ev_msat >= found.ev_msat


@given(REFILLS, MONEY, CHANCES, PPM)
def test_the_offer_follows_each_of_its_terms(refill, more, chance, price):
    """
    What may be paid rises with the gain, the price and the chance, falls with the loss, and does
    not depend on what a route is expected to cost: a cheap route never makes a refill look worse.
    """
    promised, amount, gain, loss = refill
    most = terms(promised, amount, gain, loss).max_ppm
    dearer = attrs.evolve(promised, price_ppm=promised.price_ppm + price)
    surer = attrs.evolve(promised, chance=max(chance, promised.chance))
    cheaper = attrs.evolve(promised, cost_ppm=promised.cost_ppm // 2)

    assert terms(promised, amount, gain + more, loss).max_ppm >= most
    assert terms(promised, amount, gain, loss + more).max_ppm <= most
    assert terms(dearer, amount, gain, loss).max_ppm >= most
    assert terms(surer, amount, gain, loss).max_ppm >= most
    assert terms(cheaper, amount, gain, loss).max_ppm == most


@given(CHANCES, PPM, PPM, wishes(), st.booleans())
def test_while_money_is_lost_more_is_asked_and_nobody_exempt(chance, cost, price, config, hive):
    """
    Three times the profit, in msat and per amount; a loss is accepted for the hive alone, as far as
    the operator does, and not while money is lost.
    """
    plain, lost = (
        prospect(chance, cost, price, config, hive=hive, losing=losing) for losing in (False, True)
    )
    tolerance = from_sats(config.hive_rebalance_tolerance)

    assert plain.profit_msat == from_sats(config.rebalance_min_profit)
    assert plain.profit_ppm == config.rebalance_min_profit_ppm
    assert (lost.profit_msat, lost.profit_ppm) == (3 * plain.profit_msat, 3 * plain.profit_ppm)
    assert plain.tolerance_msat == (tolerance or None if hive else None)
    assert lost.tolerance_msat is None


@given(REFILLS, ppms(0, 3))
def test_a_route_may_take_all_that_is_offered_and_not_more(refill, most):
    """
    A refill for which nothing is offered is not made for nothing either.
    """
    offered = attrs.evolve(terms(*refill), max_ppm=most)

    assert pays(offered, most) == (most > 0)
    assert not pays(offered, most + 1)


def test_a_cheap_route_is_no_reason_to_refuse():
    """
    The predecessor took the whole spread for the cost. At 1000 ppm, with six tenths sold and
    500000 sat to move, it refused a route at 50 ppm (profit -175 sat) and took one at 950 (+275).
    """
    sold = from_sats(500_000) * 1000 // 10**6 * 6 // 10
    values = {}
    for cost in (50, 400, 600, 950):
        promised = prospect(1.0, cost, 1000, Config(), hive=False, losing=False)
        found = terms(promised, from_sats(500_000), sold, 0)
        values[cost] = (found.ev_msat // 1000, pays(found, cost))

    assert values == {50: (274, True), 400: (99, True), 600: (-1, False), 950: (-176, False)}


def best_value(*channels, **fields):
    """
    Return the expected value of the best refill of the first of *channels*.
    """
    return fact(about(planned(*channels, **fields), channels[0]), "ev_msat", Code.PAIR)


@given(st.integers(0, 900), st.integers(0, 900))
def test_a_cheaper_route_is_never_worth_less(one, other):
    """
    Over the whole decision, amount included: the lower the peer's fee, the higher the value.
    """
    low, high = sorted((one, other))
    cheap, dear = (best_value(short(fee_ppm=800, peer_fee_ppm=p), ample()) for p in (low, high))

    assert dear is None or cheap >= dear


@given(st.integers(250, 3000), st.integers(250, 3000))
def test_a_dearer_channel_is_never_worth_less(one, other):
    """
    Over the whole decision: the more the channel charges, the higher the value of filling it.
    """
    low, high = sorted((one, other))
    cheap, dear = (best_value(short(fee_ppm=ppm), ample()) for ppm in (low, high))

    assert cheap is None or dear >= cheap


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_dearer_source_is_never_worth_more(one, other):
    """
    Over the whole decision: the more the channel that gives charges, the lower the value, as far as
    it sells anything.
    """
    low, high = sorted((one, other))
    values = [
        best_value(short(fee_ppm=900), ample(out=25, into=5, fee_ppm=ppm, peer_fee_ppm=None))
        for ppm in (low, high)
    ]

    assert None in values or values[0] >= values[1]


@given(ratios(0, 100), ratios(0, 100))
def test_a_better_record_is_never_worth_less(one, other):
    """
    Over the whole decision: the likelier a route is, the higher the value.
    """
    few, many = sorted((one, other))

    def value(failures):
        record = Reputation(peer_id=peer(0), hour=START // HOUR - 1, successes=9, failures=failures)
        treasury = attrs.evolve(READY, reputations=[record])
        return best_value(short(), ample(), treasury=treasury)

    assert value(few) >= value(many)


@given(traders(), wishes())
def test_every_start_pays_by_its_own_numbers(snapshot, config):
    """
    The trail of each start, and of the best refill that was refused, holds every term of its
    expected value: worked out again from them it is the same, and what is started reaches what is
    asked for.
    """
    plan = rebalance(snapshot, config)
    for decision in plan.decisions:
        pair = reason(decision, Code.PAIR)
        if pair is None:
            continue
        facts = dict(pair.facts)
        left = facts["gain_msat"] - facts["loss_msat"] - facts["cost_msat"]
        assert facts["ev_msat"] == math.floor(facts["chance"] * left) - facts["attempt_msat"]
        assert facts["cost_msat"] == -(-facts["amount_msat"] * facts["cost_ppm"] // 10**6)
        if reason(decision, Code.REFILL):
            assert facts["ev_msat"] >= facts["least_msat"] > 0
            assert facts["ev_msat"] >= from_sats(config.rebalance_min_profit)
            assert facts["ev_msat"] >= facts["amount_msat"] * config.rebalance_min_profit_ppm / 1e6
            assert facts["gain_msat"] > facts["cost_msat"]
            assert facts["cost_ppm"] <= facts["max_ppm"] <= config.rebalance_max_ppm
            assert facts["max_ppm"] <= 0.9 * facts["price_ppm"]
            action = decision.action
            assert (action.max_ppm, action.amount_msat) == (facts["max_ppm"], facts["amount_msat"])
            assert action.expected_fee_msat == facts["cost_msat"]


def test_what_is_refused_says_what_would_pass():
    """
    A route that is too dear, or a profit that is too small, is named beside what is asked for.
    """
    dear, allowed, poor = (
        short(peer_fee_ppm=460),
        short(fee_ppm=3000, peer_fee_ppm=900),
        short(fee_ppm=100, out=2),
    )
    for channel, code, names in (
        (dear, Code.DEARER_THAN_SOLD, {"cost_ppm": 460, "max_ppm": 450}),
        (allowed, Code.DEARER_THAN_ALLOWED, {"cost_ppm": 1050, "max_ppm": 1000}),
        (poor, Code.EARNS_TOO_LITTLE, {"least_msat": 10_000}),
    ):
        plan = planned(channel, ample())
        assert told(plan, channel)[-1] is code
        for name, value in names.items():
            assert fact(about(plan, channel), name, code) == value


def test_more_is_asked_for_where_more_is_wanted():
    """
    rebalance-min-profit and its ppm are both asked for: the larger counts.
    """
    channel = short()
    for config in (Config(rebalance_min_profit=450), Config(rebalance_min_profit_ppm=400)):
        plan = planned(channel, ample(), config=config)
        assert told(plan, channel)[-1] is Code.EARNS_TOO_LITTLE
    assert starts(planned(channel, ample(), config=Config(rebalance_min_profit=300)))


SEEDS = whole(0, LARGEST)


@settings(max_examples=12)
@given(st.integers(2, 40), st.integers(0, 30), st.integers(300, 900), st.integers(0, 900), SEEDS)
def test_the_value_agrees_with_a_node_that_lives_through_it(out, gives, price, source, seed):
    """
    In a Monte Carlo run of both channels' payments, forward by forward, with a refill and without
    it, what is earned more and less comes to the expected value: within 8 % of what is at stake and
    five standard errors.
    """
    taker, giver = short(fee_ppm=price), ample(out=gives, fee_ppm=source)
    taker = attrs.evolve(taker, traffic=short(out=out).traffic)
    plan = planned(taker, giver, config=Config(daily_budget_sats=100_000))
    pair = reason(about(plan, taker), Code.PAIR)
    assume(pair)
    facts = dict(pair.facts)
    demands = [inventory([channel], 7).demand for channel in (taker, giver)]
    chance, amount = facts["chance"], facts["amount_msat"]
    draw = random.Random(seed)

    def lived():
        sold, missed = (
            min(wanted, ours + moved) - min(wanted, ours)
            for wanted, ours, moved in (
                (drawn(draw, demands[0], HORIZON_DAYS), taker.to_us_msat, amount),
                (drawn(draw, demands[1], HORIZON_DAYS), giver.to_us_msat, -amount),
            )
        )
        if draw.random() >= chance:
            return -ATTEMPT_MSAT
        earned = sold * price / 1e6 + missed * source / 1e6
        return earned - facts["cost_msat"] - ATTEMPT_MSAT

    runs = [lived() for _ in range(1500)]
    mean = math.fsum(runs) / len(runs)
    error = math.sqrt(math.fsum((run - mean) ** 2 for run in runs)) / len(runs)
    stake = amount * (price + source) / 1e6

    assert facts["ev_msat"] == pytest.approx(mean, abs=0.08 * stake + 5 * error)
