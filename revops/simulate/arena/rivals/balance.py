"""Balance: prices that follow what is left on our side, and nothing else."""

import math
from typing import Final

from revops.core.units import Ppm
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.play import HIGHEST, Observation, Orders
from revops.simulate.arena.rivals.common import changed, priced, shares

_HALF: Final = 0.5


class Proportional:
    """
    charge-lnd's `proportional`: a straight line from *most* with nothing left to *least* when
    full, updated when it is off by 10 ppm.
    """

    LEAST_DELTA: Final = 10

    def __init__(self, least: int = 10, most: int = 500) -> None:
        self._least, self._most = least, most

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices that are off.
        """
        wanted = {
            channel: priced(self._least + (1 - share) * (self._most - self._least))
            for channel, share in enumerate(shares(seen))
        }
        return Orders(
            {
                channel: ppm
                for channel, ppm in wanted.items()
                if abs(ppm - seen.fee_ppm[channel]) >= self.LEAST_DELTA
            }
        )


class FeeAdjuster:
    """
    The plugin feeadjuster: a base price times 50^(0.5 - x), looked at again once the balance has
    moved by 5 % of the capacity or 100 000 sat.
    """

    MOVED_SHARE: Final = 0.05
    MOVED_MSAT: Final = 100_000_000

    def __init__(self, base_ppm: int = 100, steepness: float = 50.0) -> None:
        self._base, self._steepness = base_ppm, steepness
        self._last: list[int] | None = None

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices of the channels whose balance has moved.
        """
        if self._last is None:
            self._last = [-most for most in seen.capacity]
        fees: dict[int, Ppm] = {}
        for channel, share in enumerate(shares(seen)):
            moved = abs(seen.local[channel] - self._last[channel])
            if moved > min(seen.capacity[channel] * self.MOVED_SHARE, self.MOVED_MSAT):
                self._last[channel] = seen.local[channel]
                fees[channel] = priced(self._base * self._steepness ** (_HALF - share))
        return Orders(changed(seen, fees))


class Integral:
    """
    An integral controller: each channel's base rises while little is ours and falls while much
    is, and a gentle power of the balance comes on top.
    """

    BAND: Final = 0.1
    ROUNDED: Final = 10
    """Parts of the capacity to which the balance is rounded in the price."""

    def __init__(self, gain_per_day: float = 0.5, steepness: float = 10.0) -> None:
        self._factor = math.exp(2 * gain_per_day / STEPS_A_DAY)
        self._steepness = steepness
        self._bases: list[float] | None = None

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices that are off by a tenth.
        """
        bases = self._bases or [float(max(ppm, 1)) for ppm in seen.fee_ppm]
        fees = {}
        for channel, share in enumerate(shares(seen)):
            base = bases[channel] * self._factor ** (_HALF - share)
            bases[channel] = min(max(base, 1.0), float(HIGHEST))
            rounded = round(share * self.ROUNDED) / self.ROUNDED
            fees[channel] = priced(bases[channel] * self._steepness ** (_HALF - rounded))
        self._bases = bases
        return Orders(changed(seen, fees, self.BAND))
