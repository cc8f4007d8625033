"""Exposure: when each channel could have been paid, at which price, and what came then."""

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from scipy.special import ndtr

from revops.simulate.arena.market import STEP_S, STEPS_A_DAY
from revops.simulate.arena.spreads import Array
from revops.simulate.arena.tape import RESERVE_SHARE
from revops.simulate.backtest.balances import Balances, Whole
from revops.simulate.backtest.history import History, Priced
from revops.simulate.forecast.amounts import Amounts

_PASSES: Final = 20
# A pair of channels that never saw a forward may see one: so many are spread on all ways in.
_UNSEEN: Final = 0.5


@attrs.frozen(eq=False)
class Exposure:
    """
    The time in which channels could have been paid; `[step, channel]`.

    Attributes:
        fee_ppm: The price in force, the base fee of a usual payment included.
        out: Which part of all amounts could have left.
        into: Which part could have entered.
        inward: What enters by each channel, if all are open; the sum is 1.
    """

    fee_ppm: Array
    out: Array
    into: Array
    inward: Array

    @property
    def open(self) -> Array:
        """
        Return which part of what would leave by each channel could have come and left.
        """
        all_in = self.into @ self.inward
        others = np.maximum(1 - self.inward, 1e-9)
        share: Array = (all_in[:, None] - self.into * self.inward) / others
        return self.out * np.clip(share, 0.0, 1.0)


def exposure(
    history: History, prices: Sequence[Sequence[Priced]], held: Balances, amounts: Amounts
) -> Exposure:
    """
    Return when and at which prices the channels of *history* could have been paid.
    """
    steps = np.arange(history.days * STEPS_A_DAY, dtype=np.int64)
    times = history.since + steps * STEP_S
    capacity = np.array([place.capacity_msat for place in history.places])
    floors = capacity // RESERVE_SHARE
    middle = times + STEP_S // 2
    local = np.stack([held.of(c, middle) for c in range(len(history.places))], axis=1)
    opened = np.array([place.opened_at or 0 for place in history.places])
    there = times[:, None] >= opened
    there[:, history.outside] = False
    out = _carried(local - floors, amounts) * there
    into = _carried(capacity - local - floors, amounts) * there
    inward = _inward(history, out, into)
    return Exposure(_fees(prices, times), out, into, inward)


def _carried(room: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]", amounts: Amounts) -> Array:
    """
    Return which part of all *amounts* there is *room* for.
    """
    logs = np.log(np.maximum(room, 1) / (amounts.median_sat * 1000))
    part: Array = ndtr(logs / amounts.sd) * (room > 0)
    return part


def _fees(prices: Sequence[Sequence[Priced]], times: Whole) -> Array:
    fees = np.empty((len(times), len(prices)))
    for channel, changes in enumerate(prices):
        starts = np.array([price.at for price in changes])
        ppm = np.array([price.ppm for price in changes], dtype=np.float64)
        fees[:, channel] = ppm[np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)]
    return fees


def _inward(history: History, out: Array, into: Array) -> Array:
    """
    Return what enters by each channel, if all are open: what did, by how long it could.

    Payments that leave by one channel enter by the others in proportion; both numbers are found
    by turns.
    """
    count = len(history.places)
    pairs = np.full((count, count), _UNSEEN / max(count - 1, 1))
    for forward in history.forwards:
        pairs[forward.into, forward.out] += 1
    np.fill_diagonal(pairs, 0.0)
    pairs[history.outside] = 0.0
    together = into.T @ out / STEPS_A_DAY + 1e-6
    np.fill_diagonal(together, 0.0)
    came, left = pairs.sum(axis=1), pairs.sum(axis=0)
    inward = np.full(count, 1 / count)
    for _ in range(_PASSES):
        outward = left / np.maximum(inward @ together, 1e-9)
        inward = came / np.maximum(together @ outward, 1e-9)
        inward /= inward.sum()
    return inward
