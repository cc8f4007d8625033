"""§3 Value: a sat is worth the fee it is expected to bring, whichever way it moves."""

import math
import random  # noqa: TID251 -- forwards are drawn here, not decisions

import attrs
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from property.accounts import BALANCES, demands
from property.strategies import LARGEST, msats, ppms, ratios, traffics, whole

from revops.core.checks import MOST_MSAT
from revops.core.snapshot import Slice, Traffic
from revops.core.tally import size_of
from revops.core.units import DAY, MILLION
from revops.core.value import (
    HORIZON_DAYS,
    Demand,
    change_msat,
    demand_of,
    expected_down,
    stock_msat,
    value_msat,
)

PRICES = ppms(0, 5000) | ppms()
HORIZONS = ratios(0, 60)


def slack(balance, ppm):
    """
    Return what floats may be off by: 2 msat of rounding and a few units in the sixteenth digit.
    """
    return 2 + balance * ppm / MILLION * 1e-13


@given(demands(), PRICES, BALANCES, BALANCES, HORIZONS)
@example(Demand(per_day=1, amount_msat=1, spread=1, dispersion=4), 0, 0, 0, 5e-324)
@example(Demand(per_day=1e-9, amount_msat=1, spread=1, dispersion=1), 10**6, 0, 5, 1e-9)
def test_more_liquidity_is_never_worth_less(wanted, ppm, one, other, days):
    """
    V rises with the balance, and from nothing at zero.
    """
    low, high = sorted((one, other))

    assert change_msat(wanted, ppm, low, high, days) >= 0
    assert value_msat(wanted, ppm, low, days) <= value_msat(wanted, ppm, high, days)
    assert value_msat(wanted, ppm, 0, days) == 0


@given(demands(), PRICES, BALANCES, msats(0, MOST_MSAT // 4), HORIZONS)
def test_the_next_sats_are_worth_less_than_the_last(wanted, ppm, balance, amount, days):
    """
    V is concave: the same amount is worth less, the more is there already.
    """
    first = change_msat(wanted, ppm, balance, balance + amount, days)
    second = change_msat(wanted, ppm, balance + amount, balance + 2 * amount, days)

    assert second <= first + slack(balance + 2 * amount, ppm)


@given(demands(), PRICES, BALANCES, BALANCES | st.integers(-1000, 1000), HORIZONS)
@example(Demand(per_day=100, amount_msat=MOST_MSAT // 100), MILLION, 2**60 + 128, 1, 7)
def test_nothing_is_worth_more_than_its_price(wanted, ppm, before, moved, days):
    """
    Neither a gain nor a loss exceeds the fee on the amount that moved, however little that is of
    how much.
    """
    after = max(0, before + moved)
    moved = after - before
    change = change_msat(wanted, ppm, before, after, days)

    assert abs(change) <= -(-abs(moved) * ppm // MILLION)
    assert moved < 0 or 0 <= change <= moved * ppm // MILLION


@given(demands(per_day=st.just(0.0)), PRICES, BALANCES, BALANCES, HORIZONS)
def test_where_nothing_leaves_nothing_is_worth_a_fee(wanted, ppm, before, after, days):
    """
    Without expected outflow every balance is worth nothing, and no refill is worth anything.
    """
    assert change_msat(wanted, ppm, before, after, days) == 0
    assert stock_msat(wanted, 0.5, days) == 0


@given(demands(), PRICES, BALANCES, BALANCES, HORIZONS)
def test_who_gives_and_who_gets_are_valued_by_one_function(wanted, ppm, before, after, days):
    """
    The way back costs what the way there brought, and a msat of rounding at most: to the node's
    loss.
    """
    there = change_msat(wanted, ppm, before, after, days)
    back = change_msat(wanted, ppm, after, before, days)

    assert there + back in (0, -1)


@given(demands(), PRICES, BALANCES, BALANCES, BALANCES, HORIZONS)
def test_a_way_in_two_steps_is_the_same_way(wanted, ppm, one, two, three, days):
    """
    Changes add up: V is a function of the balance and not of how it came about.
    """
    steps = change_msat(wanted, ppm, one, two, days) + change_msat(wanted, ppm, two, three, days)
    whole_way = change_msat(wanted, ppm, one, three, days)

    assert abs(steps - whole_way) <= slack(max(one, two, three), ppm)


@given(demands(), PRICES, PRICES, BALANCES, HORIZONS)
def test_a_dearer_sat_is_worth_more(wanted, one, other, balance, days):
    """
    At the same demand, V rises with the price in force.
    """
    low, high = sorted((one, other))

    assert value_msat(wanted, low, balance, days) <= value_msat(wanted, high, balance, days)


@given(traffics(), ratios(-1, 1e6), PRICES, BALANCES, BALANCES, HORIZONS)
def test_any_traffic_has_a_value(traffic, live_days, ppm, before, after, days):
    """
    Whatever the books hold, the value is a whole number of msat; a channel that never was live
    says nothing about demand.
    """
    wanted = demand_of(traffic, live_days)
    assert (wanted is None) == (live_days <= 0)
    if wanted is not None:
        assert type(change_msat(wanted, ppm, before, after, days)) is int
        assert 0 <= stock_msat(wanted, 0.5, days) <= MOST_MSAT


@given(whole(1, 1000), msats(1, 10**10), ratios(0.1, 30), ratios(1.01, 10))
def test_time_without_liquidity_is_no_want_of_demand(count, amount, live_days, factor):
    """
    The same forwards in less live time mean more demand: rates are per live day, not per calendar
    day.
    """
    size = size_of(amount)
    day = Slice(
        start=20_000,
        out_count=count,
        out_msat=count * amount,
        size_sum=count * size,
        size_squares=count * size * size,
    )
    traffic = Traffic(since=20_000 * DAY, until=20_001 * DAY, days=[day])

    often, rarely = demand_of(traffic, live_days), demand_of(traffic, live_days * factor)
    assert math.isclose(often.per_day, rarely.per_day * factor)
    assert math.isclose(often.per_day * live_days * often.amount_msat, count * amount)


@given(demands(), ratios(0.01, 0.99), ratios(0.01, 0.99), HORIZONS)
def test_a_surer_sale_takes_a_smaller_stock(wanted, one, other, days):
    """
    The more certain the last sat's sale is to be, the fewer sats there may be.
    """
    low, high = sorted((one, other))

    assert stock_msat(wanted, high, days) <= stock_msat(wanted, low, days)


@given(demands(per_day=ratios(0.1, 100), amount_msat=msats(10**6, 10**8)), ratios(0.01, 0.99))
def test_the_last_sat_of_a_stock_sells_with_the_chance_asked_for(wanted, chance):
    """
    Below the stock a little more is worth at least its price times the chance, above it at most.
    """
    stock = stock_msat(wanted, chance)
    assume(10**6 < stock < MOST_MSAT // 4)
    little, ppm = stock // 1000, MILLION

    below = change_msat(wanted, ppm, stock - little, stock)
    above = change_msat(wanted, ppm, stock, stock + little)
    assert above - slack(stock, ppm) <= little * chance <= below + slack(stock, ppm)


@given(ratios(-1e18, 1e18))
def test_an_expectation_becomes_money_to_our_loss(amount):
    """
    What is expected is rounded down: a gain loses the remainder, a loss grows by it.
    """
    money = expected_down(amount)

    assert type(money) is int
    assert money <= amount < money + 1 or abs(amount) > 2**53


@given(demands(per_day=ratios(20, 100), amount_msat=msats(10**6, 10**9), dispersion=ratios(1, 3)))
def test_a_demand_has_the_variance_of_its_forwards(wanted):
    """
    Many forwards come to a mean and a variance of rate x mean square: V of the mean says which.
    """
    count = wanted.per_day * HORIZON_DAYS
    mean = count * wanted.amount_msat
    relative = (wanted.dispersion + wanted.spread - 1) / count
    share = math.erfc(math.sqrt(math.log1p(relative) / 8))

    assert math.isclose(value_msat(wanted, MILLION, int(mean)), mean * share, rel_tol=1e-6)
    assert math.isclose(value_msat(wanted, MILLION, MOST_MSAT), mean, rel_tol=1e-3)


def drawn(draw, wanted, days):
    """
    Return what leaves within *days*, forward by forward: negative binomial many, log-normal each.
    """
    rate = wanted.per_day * days
    if wanted.dispersion > 1:
        excess = wanted.dispersion - 1
        rate = draw.gammavariate(rate / excess, excess)
    sigma = math.sqrt(math.log(wanted.spread))
    mu = math.log(wanted.amount_msat) - sigma * sigma / 2
    total, at = 0.0, draw.expovariate(1)
    while at < rate:
        total += draw.lognormvariate(mu, sigma)
        at += draw.expovariate(1)
    return total


TYPICAL = st.builds(
    Demand,
    per_day=ratios(0.1, 12),
    amount_msat=st.just(50_000_000),
    spread=ratios(1, 20),
    dispersion=st.just(1.0) | ratios(1.2, 5),
)


@settings(max_examples=20)
@given(TYPICAL, st.sampled_from((0.1, 0.3, 1, 2, 4)), whole(0, LARGEST))
def test_the_formula_agrees_with_forwards_drawn_one_by_one(wanted, stock, seed):
    """
    In a Monte Carlo run of the demand itself, a balance sells what V says, within 6 % of the mean
    demand and five standard errors of the run.
    """
    draw = random.Random(seed)
    mean = wanted.per_day * HORIZON_DAYS * wanted.amount_msat
    balance = round(stock * mean)
    runs = [min(drawn(draw, wanted, HORIZON_DAYS), balance) for _ in range(1500)]
    seen = math.fsum(runs) / len(runs)
    error = math.sqrt(math.fsum((run - seen) ** 2 for run in runs)) / len(runs)

    assert abs(value_msat(wanted, MILLION, balance) - seen) <= 0.06 * mean + 5 * error


@given(demands(), BALANCES, PRICES, HORIZONS, ratios(1, 10))
def test_a_longer_horizon_sells_no_less(wanted, balance, ppm, days, factor):
    """
    V rises with the time there is to sell.
    """
    soon, late = (value_msat(wanted, ppm, balance, d) for d in (days, days * factor))

    assert soon <= late + slack(balance, ppm)


def test_every_field_of_a_demand_is_used():
    """
    Rate, amount, spread and dispersion all change what a balance is worth.
    """
    wanted = Demand(per_day=3, amount_msat=50_000_000, spread=5, dispersion=2)
    worth = value_msat(wanted, 300, 10**9)

    for name in ("per_day", "amount_msat", "spread", "dispersion"):
        changed = attrs.evolve(wanted, **{name: getattr(wanted, name) * 2})
        assert value_msat(changed, 300, 10**9) != worth
