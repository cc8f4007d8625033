"""The static oracle, by hand."""

from bisect import bisect_left

import attrs
import pytest
from unit.simulate.arena.test_world import AMOUNT, CAPACITY, COUNT, FLOOR, at_half, pay, tape

from revops.core.units import DAY, Ppm
from revops.simulate.arena.laws import Logit
from revops.simulate.arena.market import STEP_S
from revops.simulate.arena.payments import START
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.static import Replay, alone, best_static
from revops.simulate.arena.tape import tape_of

MINUTES = DAY // 60
PRICES = (Ppm(100),) * COUNT
EQUAL = (CAPACITY,) * COUNT


@pytest.mark.parametrize(("missing", "earned"), [(0, 1000), (1, 0)])
def test_the_fee_needs_room_as_well(missing: int, earned: int) -> None:
    """
    A payment enters with its fee: a millisatoshi too little room and nothing is earned.
    """
    local = at_half(0, CAPACITY - FLOOR - AMOUNT - 1000 + missing)

    assert Replay(tape(pay(5), local=local)).net_msat(PRICES) == earned


@pytest.mark.parametrize(("missing", "earned"), [(0, 1000), (1, 0)])
def test_the_reserve_stays(missing: int, earned: int) -> None:
    """
    What is needed for the reserve does not leave.
    """
    local = at_half(1, FLOOR + AMOUNT - missing)

    assert Replay(tape(pay(5), local=local)).net_msat(PRICES) == earned


def test_a_start_that_nothing_beats_is_the_answer() -> None:
    """
    Where one payment would pay 70 ppm, nothing earns more than 70 ppm; half of it finds the way.
    """
    one = tape(pay(5, ppm=70))

    assert best_static(one, starts=[[70.0] * COUNT]).ppm[1] == 70
    assert best_static(one, starts=[[70.0] * COUNT]).net_msat == 700
    assert best_static(one, starts=[[35.0] * COUNT]).net_msat > 490


def test_prices_may_change_when_a_day_begins() -> None:
    """
    The second half of the prices holds from the first moment of the day of the change, the first
    half before; the short cut and the world agree.
    """
    payments = (pay(MINUTES - 1, ppm=70), pay(MINUTES, ppm=500))
    blank = tape_of(shortened(SCENARIOS["mixed_5"], 2), 0)
    first = [bisect_left(payments, START + step * STEP_S, key=lambda p: p.at) for step in range(97)]
    two = attrs.evolve(
        blank,
        payments=payments,
        first=tuple(first),
        capacity=EQUAL,
        local=at_half(0, CAPACITY // 2),
    )
    replay = Replay(two, changes=[1])
    low, high = (Ppm(70),) * COUNT, (Ppm(500),) * COUNT

    assert replay.by_day(low + high) == (700, 5000)
    assert replay.net_msat(low + high) == 5700
    assert replay.net_msat(high + low) == 700
    assert best_static(two, starts=[[70.0] * COUNT + [500.0] * COUNT], changes=[1]).net_msat == 5700


def test_alone_is_the_optimum_of_the_demand_curve() -> None:
    """
    Without a limit to liquidity, a logit curve with slope k earns most at middle x (k-1)^(-1/k).
    """
    plain = tape(pay(5))
    laws = (Logit(100.0, 2.0), Logit(100.0, 3.0), *plain.market.laws[2:])
    found = alone(attrs.evolve(plain, market=attrs.evolve(plain.market, laws=laws)))

    assert found[0] == pytest.approx(100, rel=0.06)
    assert found[1] == pytest.approx(100 * 2 ** (-1 / 3), rel=0.06)
