"""Dead band: what difference is worth an update."""

from typing import Final

from revops.core.units import Ppm

SHARE_PERCENT: Final = 3
SMALL_FEE: Final = 100
LEAST_SMALL: Final = 1
LEAST: Final = 5


def dead_band(ppm: Ppm) -> int:
    """
    Return the smallest difference from *ppm* that is worth telling the network, in ppm.
    """
    least = LEAST_SMALL if ppm < SMALL_FEE else LEAST
    return max(-(-ppm * SHARE_PERCENT // 100), least)
