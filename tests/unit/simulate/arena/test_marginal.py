"""A sat's marginal worth: the closed form against payments that come one by one."""

import math
from itertools import pairwise

import numpy as np
import pytest

from revops.core.rebalance.inventory import Inventory
from revops.core.units import Msat, Ppm
from revops.core.value import Demand
from revops.simulate.arena.marginal import Motion, marginally

CAPACITY = 5_000_000.0
MEDIAN, SPREAD = 12_000.0, 1.2
MEAN = MEDIAN * math.exp(SPREAD**2 / 2)
SQUARE = MEDIAN**2 * math.exp(2 * SPREAD**2)
HAZARD = 1 / 7
PRICE = 200.0


def motion(out: float, into: float) -> Motion:
    return Motion(CAPACITY, (out - into) * MEAN, (out + into) * SQUARE, PRICE, HAZARD)


def lived(out: float, into: float, before: float, more: float, runs: int = 3000) -> float:
    """
    Return what *more* brings on average, by payments that leave and enter so often a day: sold at
    an empty channel is what there is, and taken by a full one what there is room for.
    """
    rng = np.random.default_rng(0)
    poorer, richer = np.full(runs, before), np.full(runs, before + more)
    at, gained = np.zeros(runs), np.zeros(runs)
    for _ in range(int(8 / HAZARD * (out + into))):
        at += rng.exponential(1 / (out + into), runs)
        amount = rng.lognormal(math.log(MEDIAN), SPREAD, runs)
        leaves = rng.random(runs) * (out + into) < out
        sold = [np.where(leaves, np.minimum(amount, own), 0.0) for own in (poorer, richer)]
        came = [
            np.where(leaves, 0.0, np.minimum(amount, CAPACITY - own)) for own in (poorer, richer)
        ]
        gained += (sold[1] - sold[0]) * np.exp(-HAZARD * at)
        poorer, richer = poorer - sold[0] + came[0], richer - sold[1] + came[1]
    return float(gained.mean()) * PRICE


@pytest.mark.parametrize(("out", "into"), [(20, 5), (12, 12), (5, 20)])
@pytest.mark.parametrize("share", [0.04, 0.2, 0.5, 0.8])
def test_the_closed_form_agrees_with_payments(out: float, into: float, share: float) -> None:
    """
    What 100 k sat more bring is within a tenth of the price of what they bring by payments,
    whether a channel drains, fills or neither.
    """
    before, more = share * CAPACITY, 100_000.0
    expected = motion(out, into).gain(before, before + more)

    assert abs(expected - lived(out, into, before, more)) <= PRICE * more / 10


@pytest.mark.parametrize(("out", "into"), [(20, 5), (12, 12), (5, 20), (1e-3, 1e3), (1e3, 1e-3)])
def test_it_falls_from_the_price_to_nothing(out: float, into: float) -> None:
    """
    The first sat is worth its price, each further one less, and one too many nothing.
    """
    found = motion(out, into)
    values = [found.value(share * CAPACITY) for share in (0, 0.1, 0.3, 0.6, 0.9, 1)]

    assert values[0] == pytest.approx(PRICE)
    assert values[-1] == pytest.approx(0, abs=1e-9 * PRICE)
    assert all(more >= less - 1e-9 for more, less in pairwise(values))


def held(per_day: float) -> Inventory:
    demand = Demand(per_day=per_day, amount_msat=Msat(50_000_000), spread=5.0, dispersion=1.0)
    return Inventory(
        capacity_msat=Msat(5_000_000_000),
        to_us_msat=Msat(200_000_000),
        demand=demand,
        out_msat=per_day * 50_000_000,
        in_msat=10_000_000.0,
        days=7.0,
    )


def test_money_is_whole_and_bounded() -> None:
    """
    No refill is worth more than the price of what it moves, what is taken is missed, and what
    nobody wants is worth nothing.
    """
    by = marginally(held(10.0), Ppm(200))

    for amount in (1, 10**6, 10**9, 10**12):
        assert type(by(amount)) is int
        assert 0 <= by(amount) <= amount * 200 // 1_000_000
        assert by(-amount) <= 0
    assert marginally(held(0.0), Ppm(200))(10**9) == 0
