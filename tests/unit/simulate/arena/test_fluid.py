"""The fluid oracle, where the answer is known."""

import attrs
import numpy as np
import pytest
from unit.simulate.arena.test_world import AMOUNT, COUNT, PLAIN, pay, tape

from revops.core.units import Msat
from revops.simulate.arena import fluid as module
from revops.simulate.arena.fluid import epochs, fluid
from revops.simulate.arena.laws import Logit
from revops.simulate.arena.play import play
from revops.simulate.arena.rivals.still import Static
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import Tape, tape_of


def one_way(*, scarce: bool) -> Tape:
    """
    Return a tape on which 100 M sat would leave by channel 1 at a logit price of slope 2 around
    100 ppm, with all the liquidity it takes or hardly any.
    """
    plain = tape(*(pay(5, amount=AMOUNT * 500) for _ in range(20)))
    market = attrs.evolve(
        plain.market, laws=(Logit(100.0, 2.0),) * COUNT, budget_ppm=(100_000, 100_000)
    )
    capacity = tuple(AMOUNT * (1000 if scarce else 10**6) for _ in range(COUNT))
    return attrs.evolve(
        plain, market=market, capacity=capacity, local=tuple(most // 2 for most in capacity)
    )


def test_with_plenty_it_is_the_optimum_of_the_demand_curve() -> None:
    """
    A logit of slope 2 earns most at its middle, from half of the payments.
    """
    bound = fluid(one_way(scarce=False))

    assert bound.net_msat == pytest.approx(AMOUNT * 10_000 / 2 * 100 / 1e6, rel=0.002)
    assert bound.base_ppm[1] == pytest.approx(100, rel=0.06)


def test_what_no_balance_lets_through_does_not_count() -> None:
    """
    A payment larger than the channel it would leave by is nobody's to earn from.
    """
    known = one_way(scarce=True)
    huge = known.payments[0]._replace(amount_msat=Msat(known.capacity[1]))

    assert (attrs.evolve(known, payments=(*known.payments, huge)).volumes == known.volumes).all()


def test_with_little_it_is_the_price_that_clears() -> None:
    """
    When only 4.9 % can leave, it is sold at the price at which 4.9 % would come.
    """
    bound = fluid(one_way(scarce=True))
    clears = 100 * (1 / 0.049 - 1) ** 0.5

    assert bound.base_ppm[1] == pytest.approx(clears, rel=0.02)
    assert bound.net_msat == pytest.approx(AMOUNT * 490 * clears / 1e6, rel=0.01)


def test_a_market_that_never_moves_is_one_epoch() -> None:
    """
    Days are told apart only where the market is another one.
    """
    assert epochs(PLAIN) == [range(1)]
    assert epochs(tape_of(SCENARIOS["regime_change"], 0)) == [range(30), range(30, 60)]
    assert len(epochs(tape_of(SCENARIOS["seasonal"], 0))) == 60


def test_a_bound_that_pools_is_no_tighter(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    For a large fleet it is not written down which payments enter where: that allows more.
    """
    some = tape_of(SCENARIOS["balanced_20"], 1)
    exact = fluid(some).net_msat
    monkeypatch.setattr(module, "_MOST_PATHS", 0)

    assert exact < fluid(some).net_msat < 1.2 * exact


def test_a_large_fleet_has_a_bound() -> None:
    """
    200 channels are bounded as well, above what they earn at any one price.
    """
    fleet = tape_of(shortened(SCENARIOS["large_fleet"], 3), 0)
    earned = [play(fleet, lambda _, ppm=ppm: Static(ppm)).net_msat for ppm in (50, 300)]

    assert 0 < max(earned) < fluid(fleet).net_msat
    assert np.isfinite(fluid(fleet).base_ppm).all()
