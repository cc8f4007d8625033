"""Common: what rivals read from an observation in the same way."""

import math
from collections.abc import Iterable, Mapping
from typing import Final

from revops.core.units import Ppm
from revops.simulate.arena.play import HIGHEST, Observation
from revops.simulate.arena.world import Passed

LEAST: Final = Ppm(1)
UNKNOWN: Final = Ppm(100)
"""What a rival takes for the going price where gossip tells nothing at all."""


def shares(seen: Observation) -> list[float]:
    """
    Return how much of each channel is ours.
    """
    return [ours / most for ours, most in zip(seen.local, seen.capacity, strict=True)]


def priced(rate: float, least: int = LEAST, most: int = HIGHEST) -> Ppm:
    """
    Return a price as a node can set it.
    """
    return Ppm(min(max(round(rate), least), most))


def changed(seen: Observation, wanted: Mapping[int, Ppm], band: float = 0.0) -> dict[int, Ppm]:
    """
    Return those of the *wanted* prices that are another one by more than *band*, in ln units.
    """
    return {
        channel: ppm
        for channel, ppm in wanted.items()
        if ppm != (old := seen.fee_ppm[channel])
        and abs(math.log(max(ppm, 1) / max(old, 1))) >= band
    }


def going(seen: Observation) -> list[Ppm]:
    """
    Return what others charge toward each peer; where gossip tells nothing, the median elsewhere.
    """
    known = sorted(ppm for ppm in seen.market_ppm if ppm is not None)
    usual = known[len(known) // 2] if known else UNKNOWN
    return [priced(usual if ppm is None else ppm) for ppm in seen.market_ppm]


def earned(seen: Observation) -> dict[int, int]:
    """
    Return the fees that each channel out has earned since the last look.
    """
    sums: dict[int, int] = {}
    for passed in settled(seen):
        sums[passed.out] = sums.get(passed.out, 0) + passed.fee_msat
    return sums


def settled(seen: Observation) -> Iterable[Passed]:
    """
    Return the forwards that settled since the last look.
    """
    return (passed for passed in seen.passed if passed.status == "settled")
