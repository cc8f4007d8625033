"""Marginal: a sat's worth where balances are Brownian motions between empty and full; a rival."""

import math
from collections.abc import Callable
from typing import Final

import attrs

from revops.core.plan import RebalancePlan
from revops.core.rebalance import rebalance
from revops.core.rebalance.inventory import Inventory
from revops.core.snapshot import Snapshot
from revops.core.units import MILLION, Msat, Ppm
from revops.core.value import HORIZON_DAYS, expected_down
from revops.simulate.arena.refilling import RefillingPolicy

_HAZARD: Final = 1 / HORIZON_DAYS
_LARGEST: Final = 700.0
"""Of an exponent, what a float can hold."""


@attrs.frozen
class Motion:
    """
    A balance in [0, *capacity*] that loses *drift* a day, give or take the root of *variance*.
    Where it is empty a sat more brings *price*, where it is full it brings nothing; what is later
    counts less, by *hazard* a day.

    It solves variance/2 v" - drift v' - hazard v = 0, v(0) = price, v(capacity) = 0; what is here
    is v, and its integral.
    """

    capacity: float
    drift: float
    variance: float
    price: float
    hazard: float

    def _parts(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """
        Return the factor, the exponent and the origin of both exponentials.
        """
        root = math.sqrt(self.drift**2 + 2 * self.hazard * self.variance)
        up, down = (self.drift + root) / self.variance, (self.drift - root) / self.variance
        falling = math.exp(max(down * self.capacity, -_LARGEST))
        rising = math.exp(max(-up * self.capacity, -_LARGEST))
        first = self.price / (1 - rising * falling)
        return (-first * falling, up, self.capacity), (first, down, 0.0)

    def value(self, balance: float) -> float:
        """
        Return v: what a sat more is worth.
        """
        return sum(f * math.exp(_kept(e * (balance - o))) for f, e, o in self._parts())

    def gain(self, before: float, after: float) -> float:
        """
        Return what it changes to go from one balance to another: the integral of v.
        """
        return sum(
            f / e * (math.exp(_kept(e * (after - o))) - math.exp(_kept(e * (before - o))))
            for f, e, o in self._parts()
        )


def _kept(exponent: float) -> float:
    return max(exponent, -_LARGEST)


def motion_of(held: Inventory, price: Ppm) -> Motion | None:
    """
    Return how the balance of *held* moves; `None` where nothing leaves.
    """
    demand = held.demand
    if demand is None or not demand.per_day:
        return None
    square = demand.amount_msat * demand.spread
    waits = demand.per_day / (demand.per_day + _HAZARD)
    return Motion(
        capacity=float(held.capacity_msat),
        drift=held.out_msat - held.in_msat,
        variance=square * (held.out_msat * demand.dispersion + held.in_msat),
        price=price / MILLION * waits,
        hazard=_HAZARD,
    )


def marginally(held: Inventory, price: Ppm) -> Callable[[int], Msat]:
    """
    Return what it changes in value, at *price*, when so much is added to our side, or taken.
    """
    motion, before = motion_of(held, price), held.to_us_msat

    def by(amount: int) -> Msat:
        after = min(max(before + amount, 0), held.capacity_msat)
        return expected_down(motion.gain(before, after)) if motion else Msat(0)

    return by


class MarginalPolicy(RefillingPolicy):
    """
    The core, to whom sats are worth what `marginally` says.
    """

    def planned(self, snapshot: Snapshot) -> RebalancePlan:
        """
        Return what the core would refill.
        """
        return rebalance(snapshot, self.config, marginally)
