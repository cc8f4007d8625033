"""Beliefs: which demand curves a channel's trials leave likely, seen together with its node's."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import attrs
import numpy as np
from scipy.special import digamma, gammaln

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
# Curves may fall off a cliff behind the cheapest other way: few of a node's do, some, or most.
_STEEP_PARTS: Final = (0.05, 0.3, 0.7)
_STEEP: Final = 4.0
_STEEP_SD: Final = 0.8
# What others post is hearsay: the cheapest of them are usually empty.
_HEARSAY_SD: Final = 0.7
_PER_DAY: Final = 20.0
"""Payments a day at no fee."""
# Nodes differ from each other as their channels do: around which prices and numbers those of one
# are, in standard deviations of either.
_PLACES: Final[Array] = np.linspace(-2.4, 2.4, 9)
_NODE_SD: Final = 1.0
_SAMPLE: Final = 60
"""So many channels tell what kind of node theirs is; more would tell the same more slowly."""
_LEAST_PPM: Final = 0.1
_WANDERS: Final = 0.15
"""No demand is quite a curve, and it does not stay: however many came, how many are to be expected
is known no better than to this part. Measured: without it, bands from pasts with many prices are
too narrow (`docs/backtest.md`)."""

_F, _K = (grid.ravel() for grid in np.meshgrid(_MIDDLES, _SLOPES, indexing="ij"))
_LN_F: Final[Array] = np.log(_F)
_FLAT_LOGS, _STEEP_LOGS = (
    -0.5 * (np.log(_K / usual) / sd) ** 2 - math.log(sd)
    for usual, sd in ((_SLOPE, _SLOPE_SD), (_STEEP, _STEEP_SD))
)
_WIDTH: Final = math.log(_MIDDLES[1] / _MIDDLES[0])


class Node(NamedTuple):
    """
    What the channels of a node have in common.

    Attributes:
        middle, number: The logarithms of their usual middle price, and of the usual number of
            payments a day at no fee.
        kin: By which power of what enters by a channel that number goes up.
        shape: Of the Gamma distribution that the number has around that.
        steep: Part of the demand curves that fall off a cliff.
    """

    middle: float
    number: float
    kin: float
    shape: float
    steep: float


def _nodes(kinds: Sequence[tuple[float, float]]) -> tuple[tuple[Node, ...], Array]:
    """
    Return the kinds of node that there may be, and the logarithm of the chance of each.
    """
    middle, number = math.log(_MIDDLE_PPM), math.log(_PER_DAY)
    places = (_PLACES * _NODE_SD).tolist()
    nodes = [
        (
            Node(middle + one, number + other, kin, shape, steep),
            -0.5 * (one**2 + other**2) / _NODE_SD**2,
        )
        for one in places
        for other in places
        for kin, shape in kinds
        for steep in _STEEP_PARTS
    ]
    return tuple(node for node, _ in nodes), np.array([log for _, log in nodes])


# By which power of what enters payments leave: not at all, as its root, or in proportion; what is
# left to chance has a logarithm with an sd of 1, 0.75 and 0.5.
_STRANGERS: Final = ((0.0, 1.4),)
_RELATED: Final = (*_STRANGERS, (0.5, 2.2), (1.0, 4.5))


@attrs.frozen(eq=False)
class Beliefs:
    """
    What may be true of the demand for each channel.

    Attributes:
        likely: What the trials of the channels say.
        told: What others charge toward the peers; 0 where nothing tells.
        entering: The logarithm of how many times the usual enters by each channel.
        nodes, chances: What kind of node this may be: the channels of one have prices and numbers
            in common, and if one was taken for another, all others were too.
    """

    likely: "Likelihood"
    told: Array
    entering: Array
    nodes: tuple[Node, ...]
    chances: Array

    def drawn(self, rng: np.random.Generator) -> tuple[tuple[Logit, ...], Array]:
        """
        Return a demand curve for each channel, and how many payments a day go with it.
        """
        node = self.nodes[rng.choice(len(self.nodes), p=self.chances)]
        logs, rate = _seen(self.likely, self.told, self.entering, node)
        chances = np.exp(logs - logs.max(axis=1, keepdims=True))
        reached = chances.cumsum(axis=1)
        chance = rng.random((len(logs), 1)) * reached[:, -1:]
        found = np.minimum((reached < chance).sum(axis=1), len(_F) - 1)
        # Anywhere within the cell.
        middles = _F[found] * np.exp(_WIDTH * (rng.random(len(found)) - 0.5))
        shape = node.shape + self.likely.count
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
    found: Sequence[tuple[Trial, ...]],
    told: Array,
    bursts: Sequence[float],
    inward: Array | None = None,
) -> Beliefs:
    """
    Return what is believed of channels whose trials are *found*, others being *told* to charge so
    much, where forwards come in *bursts* of so many.

    Around which prices and numbers a channel may be expected, the others of its node tell. Where
    it is known what comes *inward* by each, that may tell of what leaves.
    """
    likely = _likelihood(found, bursts)
    entering = np.zeros(len(found))
    if inward is not None and inward.any():
        enters = np.log(np.maximum(inward, inward[inward > 0].min()))
        entering = enters - enters.mean()
    nodes, logs = _nodes(_STRANGERS if inward is None else _RELATED)
    some = slice(None, None, len(found) // _SAMPLE + 1)
    sample = Likelihood(likely.count[some], likely.logs[some], likely.days[some])
    logs = logs + [_evidence(sample, told[some], entering[some], node) for node in nodes]
    chances = np.exp(logs - logs.max())
    return Beliefs(likely, told, entering, nodes, chances / chances.sum())


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
    for number, (usual, tried) in enumerate(zip(bursts, found, strict=True)):
        burst = usual + sum(trial.forwards for trial in tried) * _WANDERS**2
        for ppm, lasted, came in tried:
            log = -np.logaddexp(0.0, _K * (math.log(max(ppm, _LEAST_PPM)) - _LN_F))
            count[number] += came / burst
            logs[number] += log * (came / burst)
            days[number] += np.exp(log) * (lasted / burst)
    return Likelihood(count, logs, days)


def _evidence(likely: Likelihood, told: Array, entering: Array, node: Node) -> float:
    """
    Return the logarithm of the chance of all that was seen on such a *node*.
    """
    logs, _ = _seen(likely, told, entering, node)
    shapes = (gammaln(node.shape + likely.count) - gammaln(node.shape)).sum()
    return float(np.logaddexp.reduce(logs, axis=1).sum() + shapes)


def _seen(likely: Likelihood, told: Array, entering: Array, node: Node) -> tuple[Array, Array]:
    """
    Return the logarithm of the chance of each cell and of what was seen of it, for each channel of
    such a *node*, and the rate of the payments a day that go with it.
    """
    usual = np.exp(digamma(node.shape) - node.number - node.kin * entering)[:, None]
    rate = usual + likely.days
    shape = (node.shape + likely.count)[:, None]
    logs = _prior(node, told) + likely.logs - shape * np.log(rate)
    return logs + node.shape * np.log(usual), rate


def _prior(node: Node, told: Array) -> Array:
    """
    Return the logarithm of the chance of each cell before anybody paid, where others are *told* to
    charge so much; 0 for nothing told.
    """
    around, precision = np.full(len(told), node.middle), np.full(len(told), _MIDDLE_SD**-2)
    heard = told > 0
    both = _MIDDLE_SD**-2 + _HEARSAY_SD**-2
    around[heard] += (np.log(told[heard]) - node.middle) * _HEARSAY_SD**-2 / both
    precision[heard] = both
    prices = precision[:, None] * (_LN_F - around[:, None]) ** 2
    flat, steep = math.log(1 - node.steep), math.log(node.steep)
    prior = np.logaddexp(flat + _FLAT_LOGS, steep + _STEEP_LOGS) - 0.5 * prices
    normal: Array = prior - np.logaddexp.reduce(prior, axis=1)[:, None]
    return normal
