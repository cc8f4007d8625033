"""Laws: how many payments still come at a price, and the price that each would pay at most."""

import math
from typing import Final, Protocol

import attrs
import numpy as np

from revops.simulate.arena.spreads import Array, Measured

STEEP: Final = 12.0
"""The logit slope at which a demand curve is as good as a step."""


class Law(Protocol):
    """
    A demand curve, and how to draw from it.
    """

    @property
    def going_ppm(self) -> float:
        """
        Return what the other ways cost, as far as there is such a price.
        """

    def share(self, ppm: Array) -> Array:
        """
        Return which share of all payments comes at these prices.
        """

    def reservation(self, chance: Array) -> Array:
        """
        Return the most that payments would pay, for uniform draws from (0, 1).
        """


@attrs.frozen
class Logit:
    """
    A logit share in the logarithm of the price.

    Attributes:
        middle_ppm: At which half of the payments come.
    """

    middle_ppm: float
    slope: float

    @property
    def going_ppm(self) -> float:
        """
        Return the price at which half of the payments come.
        """
        return self.middle_ppm

    def share(self, ppm: Array) -> Array:
        """
        Return which share of all payments comes at these prices.
        """
        return 1 / (1 + (ppm / self.middle_ppm) ** self.slope)

    def reservation(self, chance: Array) -> Array:
        """
        Return the most that payments would pay, for uniform draws from (0, 1).
        """
        return self.middle_ppm * ((1 - chance) / chance) ** (1 / self.slope)


@attrs.frozen
class Two:
    """
    Two kinds of senders.

    Attributes:
        part: Of all payments, those of *one* kind.
    """

    part: float
    one: Law
    other: Law

    @property
    def going_ppm(self) -> float:
        """
        Return the price between those of the two.
        """
        one, other = math.log(self.one.going_ppm), math.log(self.other.going_ppm)
        return math.exp(self.part * one + (1 - self.part) * other)

    def share(self, ppm: Array) -> Array:
        """
        Return which share of all payments comes at these prices.
        """
        return self.part * self.one.share(ppm) + (1 - self.part) * self.other.share(ppm)

    def reservation(self, chance: Array) -> Array:
        """
        Return the most that payments would pay, for uniform draws from (0, 1).
        """
        mine = chance < self.part
        of_one = self.one.reservation(np.where(mine, chance / self.part, 0.5))
        rest = np.where(mine, 0.5, (chance - self.part) / (1 - self.part))
        return np.where(mine, of_one, self.other.reservation(rest))


@attrs.frozen(eq=False)
class Curve:
    """
    A measured demand curve: shares at prices, straight lines in the logarithm of the price between
    them.

    Attributes:
        going_ppm: The price that earns most: just below the cheapest other way.
    """

    going_ppm: float
    ppm: Array
    shares: Array

    def share(self, ppm: Array) -> Array:
        """
        Return which share of all payments comes at these prices.
        """
        return np.interp(np.log(np.maximum(ppm, 1e-9)), np.log(self.ppm), self.shares)

    def reservation(self, chance: Array) -> Array:
        """
        Return the most that payments would pay, for uniform draws from (0, 1).
        """
        logs = np.interp(chance, self.shares[::-1], np.log(self.ppm)[::-1])
        return np.exp(logs)


def measured(best: Array, volume: Array, half: Array, twice: Array) -> tuple[Law, ...]:
    """
    Return curves as they were measured on the public network: one for each row of normal deviates,
    by which the price that earns most, the volume at it, and what half and twice of it earn, are
    drawn.
    """
    peaks = Measured("best_ppm").of(best)
    volumes = Measured("volume_at_best").of(volume)
    halves = Measured("revenue_at_half_best").of(half)
    twices = Measured("revenue_at_twice_best").of(twice)
    return tuple(
        _curve(*map(float, row)) for row in zip(peaks, volumes, halves, twices, strict=True)
    )


def _curve(best: float, volume: float, half: float, twice: float) -> Law:
    # Most of those that pay the best price pay little more: the cliff behind the cheapest rival.
    beyond = max(volume * twice / 2, 1e-4)
    edge = beyond + (volume - beyond) * 0.1 if twice < 0.5 else volume * 0.9  # noqa: PLR2004 -- the median of what was measured
    points = {
        1.0: 1.0,
        best / 2: min(volume * half * 2, 0.98),
        best: volume,
        best * 1.1: edge,
        best * 2: beyond,
        best * 8: 0.0,
    }
    prices = np.array(sorted(points))
    shares = np.minimum.accumulate(np.array([points[price] for price in sorted(points)]))
    # Strictly falling, so that every share has one price.
    return Curve(best, prices, shares - np.arange(len(prices)) * 1e-9)
