"""The rivals' formulas, by hand."""

import pytest
from unit.simulate.arena.looks import CAPACITY, look, paid, refused, start

from revops.core.units import Msat, Ppm
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.rivals.balance import FeeAdjuster, Integral, Proportional
from revops.simulate.arena.rivals.clboss import Clboss, by_balance, by_card
from revops.simulate.arena.rivals.lndg import Lndg
from revops.simulate.arena.rivals.predecessor import Predecessor
from revops.simulate.arena.rivals.seekers import Descending, NaiveClimber
from revops.simulate.arena.rivals.still import GossipMedian, Static
from revops.simulate.arena.world import Refill, Refilled


def test_static_sets_its_price_once() -> None:
    """
    A static policy prices at its first look and never again.
    """
    policy = Static(300)

    assert policy.step(look(0.5, 0.1)).fees == {0: 300, 1: 300}
    assert policy.step(look(0.5, 0.1, step=1)).fees == {}


def test_gossip_median_takes_what_is_known_elsewhere() -> None:
    """
    Where gossip tells nothing of a peer, the median of the others stands in.
    """
    seen = look(0.5, 0.5, 0.5, 0.5, market_ppm=(10, None, 40, 700))

    assert GossipMedian().step(seen).fees == {0: 10, 1: 40, 2: 40, 3: 700}


def test_proportional_is_a_straight_line() -> None:
    """
    charge-lnd: 500 ppm when empty, 10 when full, nothing for a difference below 10 ppm.
    """
    seen = look(0.0, 1.0, 0.5, 0.5, fee_ppm=(100, 100, 246, 264))

    assert Proportional().step(seen).fees == {0: 500, 1: 10}


def test_feeadjuster_is_a_power_of_the_balance() -> None:
    """
    feeadjuster: base x 50^(0.5 - x), again only after the balance has moved by 5 % or 100 000 sat.
    """
    policy = FeeAdjuster(100)

    assert policy.step(look(0.0, 1.0, 0.5)).fees == {0: 707, 1: 14}
    assert policy.step(look(0.019, 0.99, 0.5, step=1)).fees == {}
    assert policy.step(look(0.03, 0.99, 0.5, step=2)).fees == {0: 629}


def test_integral_raises_what_stays_empty() -> None:
    """
    The controller's base grows by its gain a day while a channel is empty and shrinks while it is
    full; half a channel stays.
    """
    policy = Integral(gain_per_day=0.5, steepness=10.0)
    for step in range(STEPS_A_DAY):
        orders = policy.step(look(0.0, 0.5, 1.0, step=step))

    assert orders.fees[0] == pytest.approx(100 * 10**0.5 * 2.718**0.5, rel=0.01)
    assert 1 not in orders.fees
    assert orders.fees[2] == pytest.approx(100 / 10**0.5 / 2.718**0.5, rel=0.02)


def test_clboss_tells_balances_in_bins() -> None:
    """
    CLBOSS: 50^(0.5 - x) at the middle of one of 25 bins of a channel of 5 M sat.
    """
    assert by_balance(0.001, CAPACITY) == by_balance(0.039, CAPACITY) == 50 ** (0.5 - 0.02)
    assert by_balance(1.0, CAPACITY) == 50 ** (0.5 - 0.98)
    assert by_balance(0.5, CAPACITY) == 1.0


def test_clboss_cards_rise_and_fall_by_their_own_factors() -> None:
    """
    A card above zero is a power of 1.2, one below of 0.8.
    """
    assert [by_card(card) for card in (-2, -1, 0, 1, 2)] == pytest.approx(
        [0.64, 0.8, 1.0, 1.2, 1.44]
    )


def test_clboss_moves_to_the_card_that_earned_most() -> None:
    """
    After five cards of two days the one that earned most is the next middle; of those that earned
    nothing, none is.
    """
    policy = Clboss(start(2))
    dearest = 0
    for step in range(5 * 96):
        seen = look(0.5, 0.5, step=step, passed=())
        policy.step(seen)
        cards = {game.card for game in policy._games}
        assert cards <= {-2, -1, 0, 1, 2}
        # Only the dearest card of the first channel is paid for.
        if policy._games[0].card == 2:
            dearest += 1
            policy.step(seen._replace(step=step, passed=(paid(0, 1000),)))
    for step in range(96):
        policy.step(look(0.5, 0.5, step=step))

    assert dearest
    assert policy._games[0].middle == 2
    assert policy._games[1].middle == 0


def test_clboss_refills_what_has_earned() -> None:
    """
    CLBOSS refills a channel below a quarter that has earned, to three quarters, for no more than
    it earned and 1000 ppm.
    """
    policy = Clboss(start(3), rebalances=True)
    policy.step(look(0.1, 0.9, 0.1, step=1, passed=(paid(0, 2_000_000),)))
    asked = [
        refill
        for step in range(2, 40, 2)
        for refill in policy.step(look(0.1, 0.9, 0.1, step=step)).refills
    ]

    assert 0 < len(asked) < 19
    assert set(asked) == {Refill(1, 0, Msat(int(CAPACITY * 0.65)), Ppm(615))}


def test_lndg_steps_once_a_day() -> None:
    """
    LNDg: 15 ppm down after a week without flow, 25 when nearly full; 25 up when empty, with more
    than 25 failures and nothing coming in.
    """
    policy = Lndg()
    many = tuple(refused(2, into=0) for _ in range(26))
    policy.step(look(0.5, 1.0, 0.1, step=1, passed=many))
    orders = policy.step(look(0.5, 1.0, 0.1, step=STEPS_A_DAY))

    assert orders.fees == {0: 85, 1: 75, 2: 125}


def test_lndg_refills_what_drains_for_less_than_it_charges() -> None:
    """
    LNDg: 3 % of the capacity at a time, for 65 % of the own fee, and after a failure half an hour
    of rest.
    """
    policy = Lndg(rebalances=True)
    refill = Refill(1, 0, Msat(CAPACITY * 3 // 100), Ppm(65))
    first = policy.step(look(0.05, 0.9, step=1, passed=(paid(0, 10_000),)))
    failed = (Refilled(refill, moved=False, cost_msat=Msat(0)),)
    second = policy.step(look(0.05, 0.9, step=2, refilled=failed))
    third = policy.step(look(0.05, 0.9, step=3))

    assert first.refills == (refill,)
    assert second.refills == ()
    assert third.refills == (refill,)


def test_descending_comes_down_until_somebody_pays() -> None:
    """
    From the top by a fifth a day, and no further for a day after a payment.
    """
    policy = Descending()
    begun = policy.step(look(0.5, 0.5))
    prices = {"fee_ppm": (Ppm(5000), Ppm(5000))}
    half = policy.step(look(0.5, 0.5, step=24, passed=(paid(0, 100, step=24),), **prices))
    day = policy.step(look(0.5, 0.5, step=48, **prices))

    assert begun.fees == {0: 5000, 1: 5000}
    assert half.fees == {}
    assert day.fees == {1: 4472}


def test_naive_climber_believes_one_window() -> None:
    """
    On while a window earns no less than the one before, back as soon as it earns less.
    """
    policy = NaiveClimber(hours=4, step=0.1)
    first = policy.step(look(0.5, 0.5, step=8, passed=(paid(0, 500),)))
    second = policy.step(look(0.5, 0.5, step=16, passed=(paid(0, 400),), fee_ppm=(110, 110)))

    assert first.fees == {0: 110, 1: 110}
    assert second.fees == {0: 100, 1: 121}


def test_the_predecessor_asks_at_least_1500_ppm_when_nearly_empty() -> None:
    """
    Its floors below a tenth are 500 ppm times 3, whatever it has learned.
    """
    fees = Predecessor(start(2)).step(look(0.05, 0.95)).fees

    assert fees[0] >= 1500
    assert fees[1] < 1500


def test_the_predecessor_draws_around_200_ppm() -> None:
    """
    Before it has seen anything it draws around 200 ppm, whatever is in force.
    """
    drawn = [
        Predecessor(start(1, seed)).step(look(0.5, fee_ppm=(5000,))).fees[0] for seed in range(300)
    ]

    assert sum(drawn) / len(drawn) == pytest.approx(218, abs=25)
    assert len(set(drawn)) > 100


def test_the_predecessor_halves_the_price_of_a_quiet_channel() -> None:
    """
    Hours in which nobody paid count as failures, down to half of what it draws.
    """
    policy = Predecessor(start(1))
    for step in range(0, 200, 2):
        policy.step(look(0.5, step=step))

    assert policy._channels[0].modifier == 0.5
