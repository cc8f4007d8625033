"""Demand: how many payments would come at each price, believed from what came at those tried."""

import math
from collections.abc import Iterable, Sequence
from operator import add, mul
from typing import Final, NamedTuple

import attrs

from revops.core.memory import Tried
from revops.core.units import Ppm

RUNG: Final = 0.1
"""Distance of two rungs, in ln units: prices on one rung are taken for one price."""
RUNGS: Final = 116
"""From 1 ppm up to what no fee exceeds."""
MIDDLES: Final = tuple(0.5 + 0.4 * step for step in range(23))
"""Where half of the payments come, in ln ppm: 2 to 11 000 ppm."""
SLOPES: Final = (1.15, 1.4, 1.7, 2.1, 3.0, 6.0, 12.0)
"""How fast they stay away above it: from the spread that was measured to a cliff."""
USUAL_SLOPE: Final = (math.log(1.7), 0.35)
"""Mean and sd of its logarithm, of curves fitted to the public network."""
_NEGLIGIBLE: Final = 1e-4
_COARSE: Final = 4

_CURVES: Final = tuple((middle, slope) for middle in MIDDLES for slope in SLOPES)
_SHARES: Final = tuple(
    tuple(1 / (1 + math.exp(min(k * (rung * RUNG - middle), 60.0))) for middle, k in _CURVES)
    for rung in range(RUNGS)
)
_LOGS: Final = tuple(tuple(map(math.log, shares)) for shares in _SHARES)
_PRICES: Final = tuple(Ppm(round(math.exp(rung * RUNG))) for rung in range(RUNGS))
_SLOPE_LOGS: Final = tuple(
    -0.5 * ((math.log(slope) - USUAL_SLOPE[0]) / USUAL_SLOPE[1]) ** 2 for _, slope in _CURVES
)
_MIDDLES: Final = tuple(middle for middle, _ in _CURVES)


def rung_of(ppm: int) -> int:
    """
    Return the rung that is nearest to a price.
    """
    return min(round(math.log(max(ppm, 1)) / RUNG), RUNGS - 1)


def price_on(rung: int) -> Ppm:
    """
    Return the price of a rung.
    """
    return _PRICES[rung]


@attrs.frozen(kw_only=True)
class Prior:
    """
    What is believed before anything is seen.

    Attributes:
        middle, middle_sd: Of the logarithm of the price at which half of the payments come, in ppm.
        per_day: How many would come a day for nothing, on average.
        shape: Of the Gamma distribution of that number; the smaller, the less is known.
    """

    middle: float
    middle_sd: float
    per_day: float
    shape: float


class Belief(NamedTuple):
    """
    What is believed of a channel: demand curves `L/(1 + (f/f50)^k)`, each with its weight.

    Attributes:
        weights: Of the curves, adding up to 1; those of next to no weight are left out.
        rates: L of each curve, on average, forwards a day.
        columns: Which curves they are.
        flows: Weight times rate of each, with its column.
    """

    weights: Sequence[float]
    rates: Sequence[float]
    columns: Sequence[int]
    flows: Sequence[tuple[float, int]]

    def on_rung(self, rung: int) -> float:
        """
        Return how many forwards a live day are expected at the price of a rung.
        """
        shares = _SHARES[rung]
        return sum([flow * shares[column] for flow, column in self.flows])

    def per_day(self, fee_ppm: int) -> float:
        """
        Return how many forwards a live day are expected at about *fee_ppm*.
        """
        return self.on_rung(rung_of(fee_ppm))

    def best(self, lower: Ppm, upper: Ppm) -> Ppm:
        """
        Return the price between *lower* and *upper* at which price times forwards is expected to
        be largest.
        """
        low, high = rung_of(lower), rung_of(upper)
        near = max(range(low, high + 1, _COARSE), key=self._earned)
        around = range(max(near - _COARSE + 1, low), min(near + _COARSE, high + 1))
        best = max(around, key=self._earned)
        return min(max(_PRICES[best], lower), max(upper, lower))

    def _earned(self, rung: int) -> float:
        return math.exp(rung * RUNG) * self.on_rung(rung)

    @property
    def middle(self) -> float:
        """
        Return the logarithm of the price at which half of the payments come, on average.
        """
        pairs = zip(self.weights, self.columns, strict=True)
        return sum(weight * _MIDDLES[column] for weight, column in pairs)

    @property
    def rate(self) -> float:
        """
        Return how many forwards a live day would come for nothing, on average.
        """
        return math.fsum(flow for flow, _ in self.flows)


def believed(tried: Iterable[Tried], prior: Prior, dispersion: float = 1.0) -> Belief:
    """
    Return what to believe of a channel after what was *tried*.

    Forwards at a price are Poisson with a log-logit rate, overdispersed by *dispersion* (variance
    over mean of daily counts); their number L has a Gamma prior and is integrated out (Gelman et
    al., Bayesian Data Analysis, ch. 2; the share curve: Talluri and van Ryzin, ch. 7).
    """
    exposure = [0.0] * len(_CURVES)
    logs = list(_SLOPE_LOGS)
    total = 0.0
    for one in tried:
        rung = rung_of(one.fee_ppm)
        days, count = one.live_s / 86_400 / dispersion, one.count / dispersion
        total += count
        # map: a third of the time of a comprehension, and this is done often.
        exposure = list(map(add, exposure, map(days.__mul__, _SHARES[rung])))
        if count:
            logs = list(map(add, logs, map(count.__mul__, _LOGS[rung])))
    shape, scale = prior.shape + total, prior.shape / prior.per_day
    likely = [
        log
        - 0.5 * ((middle - prior.middle) / prior.middle_sd) ** 2
        - shape * math.log(scale + days)
        for log, middle, days in zip(logs, _MIDDLES, exposure, strict=True)
    ]
    return _weighed(likely, [shape / (scale + days) for days in exposure])


def _weighed(likely: Sequence[float], rates: Sequence[float]) -> Belief:
    most = max(likely)
    weights = [math.exp(log - most) for log in likely]
    columns = [column for column, weight in enumerate(weights) if weight > _NEGLIGIBLE]
    total = math.fsum(weights[column] for column in columns)
    kept = [weights[column] / total for column in columns]
    left = [rates[column] for column in columns]
    flows = list(zip(map(mul, kept, left), columns, strict=True))
    return Belief(weights=kept, rates=left, columns=columns, flows=flows)
