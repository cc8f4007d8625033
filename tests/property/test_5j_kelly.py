"""§5 Kelly: what was earned is staked on refills that are likely to be sold, and not too much."""

import math

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from property.strategies import configs, msats, ratios

from revops.core.checks import MOST_MSAT
from revops.core.config import Config
from revops.core.rebalance.kelly import kelly_share, stake_msat

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
