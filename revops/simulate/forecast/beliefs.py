"""Beliefs: which demand curves a channel's trials leave likely, seen together with its node's."""

import math
from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from scipy.special import digamma

from revops.core.fees.climb import dispersion
from revops.core.snapshot import Channel
from revops.simulate.arena.laws import Logit
from revops.simulate.arena.spreads import Array
from revops.simulate.forecast.evidence import Trial

# Prices at which half of the payments still come, and how steeply they stop coming: what the prior
# says of both was measured on the public network.
_MIDDLES: Final[Array] = np.geomspace(1.0, 20_000.0, 60)
_MIDDLE_PPM: Final = 70.0
_MIDDLE_SD: Final = 1.0
_SLOPES: Final[Array] = 1.7 * np.exp(0.35 * np.array([-1.1, -0.7, -0.3, 0.1, 0.5, 0.9, 1.5, 2.2]))
_SLOPE: Final = 1.7
_SLOPE_SD: Final = 0.35
# What others post is hearsay: the cheapest of them are usually empty.
_HEARSAY_SD: Final = 0.7
# Payments a day at no fee: a Gamma prior whose logarithm has an sd of 1.
_PER_DAY: Final = 20.0
_PER_DAY_SHAPE: Final = 1.4
# What all nodes have in common counts as much as so many channels of this one.
_COMMON: Final = 3.0
_PASSES: Final = 12
_LEAST_PPM: Final = 0.1

_F, _K = (grid.ravel() for grid in np.meshgrid(_MIDDLES, _SLOPES, indexing="ij"))
_LN_F: Final[Array] = np.log(_F)
_WIDTH: Final = math.log(_MIDDLES[1] / _MIDDLES[0])


@attrs.frozen(eq=False)
class Beliefs:
    """
    What may be true of the demand for each channel.

    Attributes:
        cells: The chance of each pair of a middle price and a slope: `cells[channel, cell]`.
        shape, rate: Given that pair, payments a day at no fee are Gamma distributed.
    """

    cells: Array
    shape: Array
    rate: Array

    @property
    def ln_middles(self) -> Array:
        """
        Return the logarithm of the middle price to expect of each channel.
        """
        expected: Array = self.cells @ _LN_F
        return expected

    @property
    def ln_numbers(self) -> Array:
        """
        Return the logarithm of the payments a day to expect for each channel, at no fee.
        """
        logs = digamma(self.shape)[:, None] - np.log(self.rate)
        expected: Array = (self.cells * logs).sum(axis=1)
        return expected

    def drawn(self, rng: np.random.Generator) -> tuple[tuple[Logit, ...], Array]:
        """
        Return a demand curve for each channel, and how many payments a day go with it.
        """
        chance = rng.random((len(self.cells), 1))
        found = np.minimum((self.cells.cumsum(axis=1) < chance).sum(axis=1), len(_F) - 1)
        # Anywhere within the cell.
        middles = _F[found] * np.exp(_WIDTH * (rng.random(len(found)) - 0.5))
        rate = self.rate[np.arange(len(found)), found]
        per_day: Array = rng.standard_gamma(self.shape) / rate
        return tuple(map(Logit, middles.tolist(), _K[found].tolist())), per_day


def believed(channels: Sequence[Channel], found: Sequence[tuple[Trial, ...]]) -> Beliefs:
    """
    Return what is believed of the demand for *channels* once their trials are *found*.

    Around which prices and numbers a channel may be expected, the others tell: each pass knows
    better.
    """
    likely = _likelihood(channels, found)
    told = np.array([channel.market_ppm or 0 for channel in channels], dtype=np.float64)
    known = likely.days.any(axis=1)
    middle, number = math.log(_MIDDLE_PPM), math.log(_PER_DAY)
    for _ in range(_PASSES):
        beliefs = _updated(likely, middle, number, told)
        middle = _pooled(math.log(_MIDDLE_PPM), beliefs.ln_middles[known])
        number = _pooled(math.log(_PER_DAY), beliefs.ln_numbers[known])
    return _updated(likely, middle, number, told)


@attrs.frozen(eq=False)
class _Likelihood:
    """
    What the trials of all channels say of each cell, as far as it does not depend on the prior.

    Attributes:
        count: Forwards, each worth less where they come in bursts.
        logs: The logarithm of the share of payments that paid, summed over those.
        days: How many days at no fee the trials are worth.
    """

    count: Array
    logs: Array
    days: Array


def _likelihood(channels: Sequence[Channel], found: Sequence[tuple[Trial, ...]]) -> _Likelihood:
    size = (len(channels), len(_F))
    count, logs, days = np.zeros(size[0]), np.zeros(size), np.zeros(size)
    for number, (channel, tried) in enumerate(zip(channels, found, strict=True)):
        burst = dispersion(channel.traffic) if channel.traffic else 1.0
        for ppm, lasted, came in tried:
            log = -np.logaddexp(0.0, _K * (math.log(max(ppm, _LEAST_PPM)) - _LN_F))
            count[number] += came / burst
            logs[number] += log * (came / burst)
            days[number] += np.exp(log) * (lasted / burst)
    return _Likelihood(count, logs, days)


def _updated(likely: _Likelihood, middle: float, number: float, told: Array) -> Beliefs:
    shape = _PER_DAY_SHAPE + likely.count
    rate = math.exp(digamma(_PER_DAY_SHAPE) - number) + likely.days
    logs = _prior(middle, told) + likely.logs - shape[:, None] * np.log(rate)
    chances = np.exp(logs - logs.max(axis=1, keepdims=True))
    return Beliefs(chances / chances.sum(axis=1, keepdims=True), shape, rate)


def _prior(middle: float, told: Array) -> Array:
    """
    Return the logarithm of the chance of each cell before anybody paid, where others are *told* to
    charge so much; 0 for nothing told.
    """
    around, precision = np.full(len(told), middle), np.full(len(told), _MIDDLE_SD**-2)
    heard = told > 0
    both = _MIDDLE_SD**-2 + _HEARSAY_SD**-2
    around[heard] += (np.log(told[heard]) - middle) * _HEARSAY_SD**-2 / both
    precision[heard] = both
    prices = precision[:, None] * (_LN_F - around[:, None]) ** 2
    slopes = (np.log(_K / _SLOPE) / _SLOPE_SD) ** 2
    prior: Array = -0.5 * (prices + slopes)
    return prior


def _pooled(common: float, own: Array) -> float:
    return float((_COMMON * common + own.sum()) / (_COMMON + len(own)))
