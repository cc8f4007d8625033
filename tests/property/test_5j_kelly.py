"""§5 Kelly: what was earned is staked on refills that are likely to be sold, and not too much."""

import math

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from property.attempts import tried
from property.money import READY, ample, node, planned, short, starts, told
from property.obstacles import SHORT
from property.strategies import configs, msats, ratios
from property.world import START, peer

from revops.core.budget import limits
from revops.core.checks import MOST_MSAT
from revops.core.config import Config
from revops.core.policy import Policy, Strategy
from revops.core.prepare import prepared
from revops.core.reasons import Code
from revops.core.rebalance.bets import staked
from revops.core.rebalance.case import cases, scene
from revops.core.rebalance.kelly import kelly_share, stake_msat
from revops.core.units import DAY, from_sats

chances = ratios(0, 1)
amounts = msats(max_value=10**12)
bets = st.integers(-1, 50)
bankrolls = st.integers(-MOST_MSAT, MOST_MSAT)


@given(chances, msats(), msats(), bankrolls, bets, configs())
@example(1.0, 1, 0, 2**53 + 3, 1, Config(kelly_fraction=1.0))
@example(1.0, 1, 0, 0, 1, Config(kelly_fraction=1.0))
def test_a_stake_is_never_more_than_its_fraction(chance, revenue, cost, bankroll, similar, config):
    """
    The share is between 0 and 1, and the stake between 0 and kelly-fraction of the bankroll,
    whatever is asked; what was lost is no bankroll.
    """
    stake = stake_msat(chance, revenue, cost, bankroll, similar, config)

    assert 0 <= kelly_share(chance, revenue, cost) <= 1
    assert 0 <= stake <= max(0, bankroll)
    assert stake <= max(0, bankroll) * config.kelly_fraction * (1 + 1e-15)


@given(chances, amounts, amounts, bankrolls, bets, configs())
@example(0.4, 5, 2, 10**18, 1, Config())
def test_a_bet_that_does_not_pay_gets_nothing(chance, revenue, cost, bankroll, similar, config):
    """
    Where the chance is not above 1/(1 + b), cost over revenue, nothing is staked; above it
    something would be.
    """
    share = kelly_share(chance, revenue, cost)
    if chance * revenue <= cost:
        assert share == 0
        assert stake_msat(chance, revenue, cost, bankroll, similar, config) == 0
    elif chance * revenue > cost * (1 + 1e-12):
        assert share > 0


@given(st.tuples(chances, chances), msats(), msats(), bankrolls, bets, configs())
def test_a_likelier_sale_is_staked_no_less(two, revenue, cost, bankroll, similar, config):
    """
    Share and stake rise with the chance of a sale.
    """
    less, more = sorted(two)

    assert kelly_share(less, revenue, cost) <= kelly_share(more, revenue, cost)
    assert stake_msat(less, revenue, cost, bankroll, similar, config) <= stake_msat(
        more, revenue, cost, bankroll, similar, config
    )


@given(chances, st.tuples(msats(), msats()), msats(), bankrolls, bets, configs())
def test_better_odds_are_staked_no_less(chance, two, cost, bankroll, similar, config):
    """
    Share and stake rise with what a sale brings for the same cost, and fall with the cost.
    """
    less, more = sorted(two)

    assert kelly_share(chance, less, cost) <= kelly_share(chance, more, cost)
    assert kelly_share(chance, cost, more) <= kelly_share(chance, cost, less)
    assert stake_msat(chance, less, cost, bankroll, similar, config) <= stake_msat(
        chance, more, cost, bankroll, similar, config
    )


@given(chances, msats(), msats(), bankrolls, st.tuples(bets, bets), configs())
def test_more_bets_at_once_are_smaller_ones(chance, revenue, cost, bankroll, two, config):
    """
    The more bets stand at the same time the less is put on each; a larger share of the full stake,
    or a larger bankroll, puts on no less.
    """
    few, many = sorted(two)
    bolder = attrs.evolve(config, kelly_fraction=min(1.0, config.kelly_fraction * 2))

    def stake(similar, config, bankroll):
        return stake_msat(chance, revenue, cost, bankroll, similar, config)

    assert stake(many, config, bankroll) <= stake(few, config, bankroll)
    assert stake(few, config, bankroll) <= stake(few, bolder, bankroll)
    assert stake(few, config, bankroll // 2) <= stake(few, config, max(bankroll, bankroll // 2))


@given(chances, msats(min_value=1))
def test_what_costs_nothing_is_staked_by_its_chance(chance, revenue):
    """
    Without a cost nothing can be lost: the share is the chance itself.
    """
    assert kelly_share(chance, revenue, 0) == chance


@given(ratios(0.01, 0.99), st.integers(2, 10**6), st.integers(1, 10**6), chances)
def test_no_other_share_grows_a_bankroll_faster(chance, revenue, cost, other):
    """
    The share is where the expected logarithm of what one has after the bet is largest.
    """
    odds = revenue / cost - 1

    def growth(share):
        lost = 1 - share
        if lost <= 0:
            return -math.inf
        return chance * math.log(max(1 + share * odds, 1e-300)) + (1 - chance) * math.log(lost)

    assert growth(other) <= growth(kelly_share(chance, revenue, cost)) + 1e-9


KNOWN = [
    (0.6, 150, 100, 0.0),
    (0.7, 150, 100, 0.1),
    (0.9, 300, 100, 0.85),
    (1.0, 101, 100, 1.0),
]


@pytest.mark.parametrize(("chance", "revenue", "cost", "share"), KNOWN)
def test_odds_are_net_of_the_stake(chance, revenue, cost, share):
    """
    A bet that loses on average gets nothing, and one that barely wins little: what comes back
    first makes up for what was paid.
    """
    assert kelly_share(chance, revenue, cost) == pytest.approx(share)


def test_half_of_kelly_on_two_bets():
    """
    Half of the full stake of 85 % is put on a bet that stands alone, four fifths of that on each
    of two.
    """
    none, alone, each = (stake_msat(0.9, 300, 100, 10**6, n, Config()) for n in (-3, 1, 2))

    assert (none, alone, each) == (425_000, 425_000, 340_000)


# What a plan stakes


KELLY = Config(enable_kelly=True)
NO_MONEY = Config(enable_kelly=True, daily_budget_sats=0, proportional_budget=False)
OWN, ELSEWHERE = SHORT.channel_id, "ee" * 32


def sold(own, elsewhere):
    """
    Return nine refills of which that share was sold, and five of another channel.
    """
    shares = [(OWN, own)] * 9 + [(ELSEWHERE, elsewhere)] * 5
    return [
        tried(n, sold=share, at=START - 3 * DAY, to_channel=channel_id, to_peer=peer(9))
        for n, (channel_id, share) in enumerate(shares)
        if share is not None
    ]


def may_cost(config=KELLY, policies=(), **money):
    """
    Return what a refill of the short channel may cost at 100 ppm.
    """
    treasury = attrs.evolve(READY, **money)
    snapshot = node(SHORT, treasury=treasury, policies=policies)
    seen = scene(snapshot.channels, treasury, START, config)
    (case,) = cases(prepared(snapshot, config).views, seen)
    most = limits(config, treasury.revenue_day_msat, treasury.revenue_week_msat)
    return staked(seen, treasury, most)(case, 100)


def test_who_did_not_ask_for_kelly_has_no_limit():
    """
    Nothing is limited by a stake unless the operator wants that, and never for a member of the
    hive, who is not filled to be sold.
    """
    member = [Policy(peer_id=peer(0), strategy=Strategy.HIVE)]

    assert may_cost() > 0
    assert may_cost(Config()) is None
    assert may_cost(Config(), policies=member) is may_cost(policies=member) is None


@given(st.none() | st.integers(-(10**12), 10**12), st.integers(0, 10**12), st.integers(0, 10**6))
def test_the_bankroll_is_what_was_earned_or_put_up(income, more, budget):
    """
    What a refill may cost rises with the income of a month from where that is above the budget of a
    day; an income that is unknown, or a loss, leaves the budget.
    """
    config = attrs.evolve(NO_MONEY, daily_budget_sats=budget)
    put_up = may_cost(config, income_month_msat=from_sats(budget))

    assert may_cost(config, income_month_msat=income) >= put_up
    if (income or 0) <= from_sats(budget):
        assert may_cost(config, income_month_msat=income) == put_up
    assert may_cost(config, income_month_msat=(income or 0) + more) >= may_cost(
        config, income_month_msat=income
    )
    assert may_cost(NO_MONEY, income_month_msat=None) == 0


@given(st.integers(2, 100))
def test_refills_that_may_run_at_once_share_the_stake(jobs):
    """
    The more rebalances may run the less is staked on each; where one runs at a time it has what one
    alone would have.
    """
    many, fewer, alone = (
        attrs.evolve(KELLY, max_concurrent_jobs=count) for count in (jobs, jobs - 1, 1)
    )

    assert may_cost(many) < may_cost(fewer) <= may_cost(alone)
    assert may_cost(many, one_at_a_time=True) == may_cost(alone)


def test_a_channel_is_trusted_by_its_own_sales():
    """
    More is staked on a channel that sold its refills than on one that did not, whatever others did;
    one that has not been refilled is between them.
    """
    good, new, bad = (
        may_cost(attempts=sold(own, others))
        for own, others in ((1.0, 0.0), (None, 1.0), (0.0, 1.0))
    )

    assert good > new > bad


def test_who_may_stake_nothing_is_not_refilled():
    """
    With the Kelly criterion a refill whose odds are poor is not made; it never raises what is paid
    or reserved.
    """
    sold = [tried(n, sold=1.0, to_channel="ee" * 32, to_peer=peer(9)) for n in range(9)]
    unsold = [attrs.evolve(attempt, sold=0.0) for attempt in sold]
    for attempts, refilled in ((sold, True), (unsold, False)):
        treasury = attrs.evolve(READY, attempts=attempts)
        plain = planned(short(), ample(), treasury=treasury)
        sized = planned(short(), ample(), treasury=treasury, config=Config(enable_kelly=True))
        assert bool(starts(sized)) is refilled
        if refilled:
            assert starts(sized)[0].amount_msat <= starts(plain)[0].amount_msat
            assert starts(sized)[0].max_ppm <= starts(plain)[0].max_ppm + 1
        else:
            assert told(sized, short())[-1] is Code.KELLY


def test_a_small_bankroll_makes_small_refills():
    """
    What is staked on one refill follows what was earned in a month.
    """

    def amount(income):
        treasury = attrs.evolve(READY, income_month_msat=income)
        config = Config(enable_kelly=True, daily_budget_sats=500, proportional_budget=False)
        return sum(
            s.amount_msat
            for s in starts(planned(short(), ample(), treasury=treasury, config=config))
        )

    assert amount(None) == amount(-1) == amount(0) <= amount(from_sats(100_000))
