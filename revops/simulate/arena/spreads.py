"""Spreads: what a parameter is drawn from, as a function of a normal deviate."""

import json
from functools import cache
from importlib import resources
from typing import Final, Protocol

import attrs
import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Array = npt.NDArray[np.float64]

_NETWORK: Final = "network_2026-02-03.json"


class Spread(Protocol):
    """
    What values a parameter takes.
    """

    def of(self, normal: Array) -> Array:
        """
        Return the values at these standard normal deviates.
        """


@attrs.frozen
class LogNormal:
    """
    Values whose logarithm is normal, within bounds.

    Attributes:
        sd: Of the logarithm.
    """

    median: float
    sd: float = 0.0
    low: float = 0.0
    high: float = float("inf")

    def of(self, normal: Array) -> Array:
        """
        Return the values at these standard normal deviates.
        """
        return np.clip(self.median * np.exp(self.sd * normal), self.low, self.high)


@attrs.frozen
class Measured:
    """
    Values that were measured on the public network; see `network_2026-02-03.json`.

    Attributes:
        times: In units of the parameter.
    """

    name: str
    times: float = 1.0

    def of(self, normal: Array) -> Array:
        """
        Return the values at these standard normal deviates; beyond the outermost quantiles, those.
        """
        levels, values = quantiles(self.name)
        drawn: Array = np.interp(ndtr(normal), levels, values)
        return drawn * self.times


@cache
def quantiles(name: str) -> tuple[Array, Array]:
    """
    Return the levels and values of the quantiles that were measured of *name*.
    """
    file = resources.files(__package__).joinpath(_NETWORK)
    known = json.loads(file.read_text(encoding="utf-8"))
    return np.array(known["levels"]), np.array(known[name])
