"""One channel, exactly: the best price at every balance, by dynamic programming."""

from typing import Final

import attrs
import numpy as np

from revops.simulate.arena.laws import Law
from revops.simulate.arena.spreads import Array

_MOST_ROUNDS: Final = 200


@attrs.frozen(kw_only=True, eq=False)
class Single:
    """
    A channel that sells lots one by one and gets them back one by one, both at random times.

    Attributes:
        lots: What it holds when full.
        per_day: Buyers a day if it cost nothing.
        refilled: Lots a day that come in while there is room.
        prices: Those to choose from, rising.
    """

    law: Law
    lots: int = 40
    per_day: float
    refilled: float
    prices: Array

    def income(self, prices: Array) -> float:
        """
        Return what a day earns in the long run, in ppm of a lot, when a channel with `n` lots
        charges `prices[n - 1]`.
        """
        sold = self.per_day * self.law.share(prices)
        # What is n now was n - 1 before a lot came, and will be again: flows both ways are equal.
        logs = np.concatenate(([0.0], np.cumsum(np.log(self.refilled) - np.log(sold))))
        times = np.exp(logs - logs.max())
        times /= times.sum()
        return float((times[1:] * prices * sold).sum())

    def marginal(self, prices: Array) -> Array:
        """
        Return what the n-th lot is worth under these *prices*, beyond what a day earns anyway.
        """
        sold = self.per_day * self.law.share(prices)
        # At every balance, what is sold now less the lot it takes, and the lot that comes in, make
        # what a day earns.
        system = np.diag(np.append(0.0, -sold)) + np.diag(np.full(self.lots, self.refilled), 1)
        system[:, 0] = -1.0
        earns = np.append(0.0, -prices * sold)
        worth: Array = np.linalg.solve(system, earns)[1:]
        return worth

    def best(self) -> tuple[float, Array]:
        """
        Return the most that a day can earn in the long run, and the price at each balance.
        """
        choices = self.per_day * self.law.share(self.prices)
        prices = np.full(self.lots, self.prices[int(np.argmax(self.prices * choices))])
        for _ in range(_MOST_ROUNDS):
            worth = self.marginal(prices)
            gains = choices * (self.prices - worth[:, None])
            better = self.prices[np.argmax(gains, axis=1)]
            if np.array_equal(better, prices):
                break
            prices = better
        return self.income(prices), prices

    def static(self) -> tuple[float, float]:
        """
        Return the most that one price for all balances earns, and that price.
        """
        incomes = [self.income(np.full(self.lots, price)) for price in self.prices]
        return max(incomes), float(self.prices[int(np.argmax(incomes))])

    def by_balance(self, steepness: float) -> float:
        """
        Return the most that a price times `steepness^(0.5 - balance)` earns.
        """
        balance = np.arange(1, self.lots + 1) / self.lots
        return max(self.income(price * steepness ** (0.5 - balance)) for price in self.prices)
