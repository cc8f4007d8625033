"""Amounts: how large the payments are that leave by each channel."""

import math
from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from revops.core.snapshot import Channel
from revops.core.tally import size_of
from revops.core.units import Msat
from revops.simulate.arena.spreads import Array

# What is usual on the network counts as much as so many forwards.
_MEDIAN_MSAT: Final = 12_000_000.0
_SD: Final = 1.7
_FORWARDS: Final = 10
_FORWARDS_CERTAIN: Final = 200
"""Few large payments are most of what moves: so many must have been seen to know their part."""
# Whatever the books say, a usual payment has from one to a hundred million sat.
_LOGS: Final = math.log(1_000), math.log(1e11)
_VARIANCES: Final = 0.04, 9.0
_FACTORS: Final = 0.1, 10.0
_UNIT: Final = math.log(2) / size_of(Msat(2))


@attrs.frozen(eq=False)
class Amounts:
    """
    Log-normal amounts.

    Attributes:
        median_sat: Of each channel.
        error: How well its logarithm is known.
        sd: Of the logarithm, on all channels.
    """

    median_sat: Array
    error: Array
    sd: float

    def drawn(self, rng: np.random.Generator) -> Array:
        """
        Return a median for each channel.
        """
        drawn: Array = self.median_sat * np.exp(self.error * rng.standard_normal(len(self.error)))
        return drawn


def amounts_of(channels: Sequence[Channel]) -> Amounts:
    """
    Return the amounts of *channels*; all forwards together move what they moved.
    """
    days = [channel.traffic.days if channel.traffic else () for channel in channels]
    fields = ("out_count", "size_sum", "size_squares", "out_msat")
    count, sums, squares, moved = (
        np.array([float(sum(getattr(day, name) for day in own)) for own in days]) for name in fields
    )
    logs, total = sums * _UNIT, count.sum() + _FORWARDS
    middle = (logs.sum() + _FORWARDS * math.log(_MEDIAN_MSAT)) / total
    weight = count + _FORWARDS
    medians = np.clip((logs + _FORWARDS * middle) / weight, *_LOGS)
    within = squares.sum() * _UNIT**2 - (logs**2 / np.maximum(count, 1)).sum()
    variance = float(np.clip((within + _FORWARDS * _SD**2) / total, *_VARIANCES))
    usual = float((count * np.exp(medians + variance / 2)).sum())
    known = count.sum() / (count.sum() + _FORWARDS_CERTAIN)
    factor = float(np.clip(moved.sum() / usual, *_FACTORS)) if usual else 1.0
    return Amounts(
        np.exp(medians) / 1000 * factor**known,
        np.sqrt(variance / weight),
        math.sqrt(variance),
    )
