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
_SLOPES: Final[Array] = np.geomspace(1.15, 12.0, 10)
_SLOPE: Final = 1.7
_SLOPE_SD: Final = 0.35
# Some curves fall off a cliff: this part of them is as steep as it likes.
_STEEP_PART: Final = 0.15
_STEEP_SD: Final = 1.0
# What others post is hearsay: the cheapest of them are usually empty.
_HEARSAY_SD: Final = 0.7
# Payments a day at no fee: a Gamma prior whose logarithm has an sd of 1.
_PER_DAY: Final = 20.0
_PER_DAY_SHAPE: Final = 1.4
# Nodes differ from each other as their channels do: around which prices and numbers those of one
# are, in standard deviations of either.
_PLACES: Final[Array] = np.linspace(-2.5, 2.5, 11)
_NODE_SD: Final = 1.0
_LEAST_PPM: Final = 0.1

_F, _K = (grid.ravel() for grid in np.meshgrid(_MIDDLES, _SLOPES, indexing="ij"))
_LN_F: Final[Array] = np.log(_F)
_SLOPE_LOGS: Final[Array] = np.logaddexp(
    *(
        math.log(part / sd) - 0.5 * (np.log(_K / _SLOPE) / sd) ** 2
        for part, sd in ((1 - _STEEP_PART, _SLOPE_SD), (_STEEP_PART, _STEEP_SD))
    )
)
_WIDTH: Final = math.log(_MIDDLES[1] / _MIDDLES[0])
_NODES: Final[Array] = np.stack(np.meshgrid(_PLACES, _PLACES), axis=-1).reshape(-1, 2) * _NODE_SD
_NODE_LOGS: Final[Array] = -0.5 * (_NODES**2).sum(axis=1) / _NODE_SD**2


@attrs.frozen(eq=False)
class Beliefs:
    """
    What may be true of the demand for each channel.

    Attributes:
        likely: What the trials of the channels say.
        told: What others charge toward the peers; 0 where nothing tells.
        nodes: The chance of each of the kinds of node that this may be: the channels of one have
            prices and numbers in common, and if one was taken for another, all others were too.
    """

    likely: "Likelihood"
    told: Array
    nodes: Array

    def drawn(self, rng: np.random.Generator) -> tuple[tuple[Logit, ...], Array]:
        """
        Return a demand curve for each channel, and how many payments a day go with it.
        """
        node = _NODES[rng.choice(len(_NODES), p=self.nodes)]
        logs, rate = _seen(self.likely, self.told, node)
        chances = np.exp(logs - logs.max(axis=1, keepdims=True))
        reached = chances.cumsum(axis=1)
        chance = rng.random((len(logs), 1)) * reached[:, -1:]
        found = np.minimum((reached < chance).sum(axis=1), len(_F) - 1)
        # Anywhere within the cell.
        middles = _F[found] * np.exp(_WIDTH * (rng.random(len(found)) - 0.5))
        shape = _PER_DAY_SHAPE + self.likely.count
        per_day: Array = rng.standard_gamma(shape) / rate[np.arange(len(found)), found]
        return tuple(map(Logit, middles.tolist(), _K[found].tolist())), per_day


def believed(channels: Sequence[Channel], found: Sequence[tuple[Trial, ...]]) -> Beliefs:
    """
    Return what is believed of the demand for *channels* once their trials are *found*.
    """
    told = np.array([channel.market_ppm or 0 for channel in channels], dtype=np.float64)
    bursts = [dispersion(c.traffic) if c.traffic else 1.0 for c in channels]
    return believed_of(found, told, bursts)


def believed_of(
    found: Sequence[tuple[Trial, ...]], told: Array, bursts: Sequence[float]
) -> Beliefs:
    """
    Return what is believed of channels whose trials are *found*, others being *told* to charge so
    much, where forwards come in *bursts* of so many.

    Around which prices and numbers a channel may be expected, the others of its node tell.
    """
    likely = _likelihood(found, bursts)
    logs = np.array([_evidence(likely, told, node) for node in _NODES]) + _NODE_LOGS
    chances = np.exp(logs - logs.max())
    return Beliefs(likely, told, chances / chances.sum())


@attrs.frozen(eq=False)
class Likelihood:
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


def _likelihood(found: Sequence[tuple[Trial, ...]], bursts: Sequence[float]) -> Likelihood:
    size = (len(found), len(_F))
    count, logs, days = np.zeros(size[0]), np.zeros(size), np.zeros(size)
    for number, (burst, tried) in enumerate(zip(bursts, found, strict=True)):
        for ppm, lasted, came in tried:
            log = -np.logaddexp(0.0, _K * (math.log(max(ppm, _LEAST_PPM)) - _LN_F))
            count[number] += came / burst
            logs[number] += log * (came / burst)
            days[number] += np.exp(log) * (lasted / burst)
    return Likelihood(count, logs, days)


def _evidence(likely: Likelihood, told: Array, node: Array) -> float:
    """
    Return the logarithm of the chance of all that was seen on such a *node*.
    """
    logs, _ = _seen(likely, told, node)
    return float(np.logaddexp.reduce(logs, axis=1).sum())


def _seen(likely: Likelihood, told: Array, node: Array) -> tuple[Array, Array]:
    """
    Return the logarithm of the chance of each cell and of what was seen of it, for each channel of
    such a *node*, and the rate of the payments a day that go with it.
    """
    middle, number = math.log(_MIDDLE_PPM) + node[0], math.log(_PER_DAY) + node[1]
    usual = math.exp(digamma(_PER_DAY_SHAPE) - number)
    rate = usual + likely.days
    shape = _PER_DAY_SHAPE + likely.count
    logs = _prior(middle, told) + likely.logs - shape[:, None] * np.log(rate)
    return logs + _PER_DAY_SHAPE * math.log(usual), rate


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
    prior = _SLOPE_LOGS - 0.5 * prices
    normal: Array = prior - np.logaddexp.reduce(prior, axis=1)[:, None]
    return normal
