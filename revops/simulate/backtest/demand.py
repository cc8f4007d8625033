"""Demand: who would come at which price, as far as the past of a node tells."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from revops.core.units import DAY
from revops.simulate.arena.market import STEP_S, STEPS_A_DAY
from revops.simulate.arena.spreads import Array
from revops.simulate.backtest.exposure import Exposure
from revops.simulate.backtest.history import History
from revops.simulate.forecast.amounts import Amounts
from revops.simulate.forecast.beliefs import believed_of
from revops.simulate.forecast.evidence import Trial
from revops.simulate.forecast.fit import PERKW, Fit

_INWARD_SHAPE: Final = 0.5
# Without evidence forwards come one by one: that counts as much as so many days.
_CALM_DAYS: Final = 5
_MOST_BURSTS: Final = 10.0


def fit_of(
    history: History, seen: Exposure, sizes: Amounts, came: Array, bursts: Sequence[float]
) -> Fit:
    """
    Return the demand for the channels of *history*, as a distribution of what it may be, if so
    many *came* in *bursts* of so many.
    """
    told = np.array([float(place.market_ppm or 0) for place in history.places])
    into = np.bincount([f.into for f in history.forwards], minlength=len(history.places))
    shape: Array = into + np.full(len(into), _INWARD_SHAPE)
    return Fit(
        beliefs=believed_of(trials(seen, came), told, bursts, seen.inward),
        inward=(shape, shape / np.maximum(seen.inward, 1e-12)),
        amounts=sizes,
        open=np.array([not place.outside for place in history.places], dtype=np.bool_),
        perkw=history.perkw or PERKW,
        warnings=(),
    )


def arrivals(history: History) -> Array:
    """
    Return how many forwards left in each step by each channel.
    """
    came = np.zeros((history.days * STEPS_A_DAY, len(history.places)))
    at = np.array([forward.at for forward in history.forwards], dtype=np.int64)
    out = np.array([forward.out for forward in history.forwards], dtype=np.int64)
    np.add.at(came, ((at - history.since) // STEP_S, out), 1)
    return came


def trials(seen: Exposure, came: Array) -> tuple[tuple[Trial, ...], ...]:
    """
    Return what *came* by each channel at each price that it had.
    """
    days = seen.open * (STEP_S / DAY)
    found = []
    for channel in range(came.shape[1]):
        fees, places = np.unique(seen.fee_ppm[:, channel], return_inverse=True)
        lasted = np.bincount(places, days[:, channel], len(fees)).tolist()
        counts = np.bincount(places, came[:, channel], len(fees)).tolist()
        rows = zip(fees.tolist(), lasted, map(int, counts), strict=True)
        found.append(tuple(Trial(*row) for row in rows if row[1] > 0))
    return tuple(found)


def branching(bursts: Sequence[float], came: Array) -> float:
    """
    Return which share of all that *came* was brought about by others, for them to come in such
    *bursts* (Hawkes).
    """
    numbers = came.sum(axis=0)
    usual = float((numbers * bursts).sum() / max(numbers.sum(), 1))
    return 1 - 1 / math.sqrt(max(usual, 1.0))


def bursts(seen: Exposure, came: Array) -> list[float]:
    """
    Return how many forwards of each channel come as if they were one: the variance of their number
    in a day by its mean, at the same price and room.
    """
    found = []
    for channel in range(came.shape[1]):
        fees, places = np.unique(seen.fee_ppm[:, channel], return_inverse=True)
        count = np.bincount(places, came[:, channel], len(fees))
        lasted = np.bincount(places, seen.open[:, channel], len(fees))
        rate = count / np.maximum(lasted, 1e-9)
        usual = (rate[places] * seen.open[:, channel]).reshape(-1, STEPS_A_DAY).sum(axis=1)
        number = came[:, channel].reshape(-1, STEPS_A_DAY).sum(axis=1)
        known = usual > 0
        off = ((number - usual)[known] ** 2 / usual[known]).sum()
        days = max(int(known.sum()) - len(fees), 0)
        burst = (off * days / max(known.sum(), 1) + _CALM_DAYS) / (days + _CALM_DAYS)
        found.append(float(np.clip(burst, 1.0, _MOST_BURSTS)))
    return found
