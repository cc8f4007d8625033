"""Worth: what liquidity that a run leaves behind would have earned, by demand as it truly is."""

import math
from typing import Final

import attrs
import numpy as np

from revops.core.units import Msat, Ppm
from revops.core.value import HORIZON_DAYS, Demand, value_msat
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.spreads import Array
from revops.simulate.arena.tape import Tape

PRICES: Final[Array] = np.unique(np.round(np.geomspace(1, 5000, 130)))
"""The prices that oracles think of."""
_MOST_SPREAD: Final = 1000.0
_MOST_DISPERSION: Final = 10.0


@attrs.frozen(eq=False)
class Worth:
    """
    What a sat on our side of each channel is worth when the tape ends: the same for all policies.
    """

    demands: tuple[Demand, ...]
    prices: tuple[Ppm, ...]
    floors: tuple[Msat, ...]

    def of(self, channel: int, local: Msat) -> Msat:
        """
        Return what *local* would earn within the horizon.
        """
        stock = Msat(max(local - self.floors[channel], 0))
        return value_msat(self.demands[channel], self.prices[channel], stock, HORIZON_DAYS)

    def change(self, before: tuple[Msat, ...], after: list[Msat]) -> Msat:
        """
        Return how much more is left to earn *after* than *before*.
        """
        pairs = enumerate(zip(before, after, strict=True))
        return Msat(sum(self.of(c, late) - self.of(c, early) for c, (early, late) in pairs))


def worth_of(tape: Tape) -> Worth:
    """
    Return what liquidity is worth as *tape* ends, sold at the price that earns most.
    """
    market = tape.market
    last = slice(max(len(market.perkw) - HORIZON_DAYS * STEPS_A_DAY, 0), None)
    sigma = market.amount_sat.sd
    amount = market.amount_sat.median * math.exp(sigma * sigma / 2) * 1000
    demands, prices = [], []
    for channel in range(tape.channels):
        shares = market.share(channel, PRICES, last)
        best = int(np.argmax(PRICES * shares))
        tempo = float(market.tempo[last, channel].mean())
        demands.append(
            Demand(
                per_day=float(market.per_day[channel] * tempo * shares[best]),
                amount_msat=Msat(round(amount * float(market.sizes[channel]))),
                spread=min(math.exp(sigma * sigma), _MOST_SPREAD),
                dispersion=min((1 - tape.scenario.branching) ** -2, _MOST_DISPERSION),
            )
        )
        prices.append(Ppm(int(PRICES[best])))
    return Worth(tuple(demands), tuple(prices), tape.floors)
