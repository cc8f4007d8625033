"""Amounts: the steps between the smallest and the largest refill, each of whole payments."""

from typing import Final

import attrs

from revops.core.config import Config
from revops.core.rebalance.ev import cost_msat
from revops.core.units import MILLION, Msat, Ppm, from_sats

STEP: Final = 1.25
"""From one amount to the next: fine enough that what is between them hardly matters."""


@attrs.frozen
class Amount:
    """
    What a refill may move.

    Attributes:
        count, chunk_msat: So many payments of this size.
        total_msat: All of it.
        piece_msat: What leaves the channel that gives by each payment, at rebalance-max-ppm.
    """

    count: int
    chunk_msat: Msat
    total_msat: Msat
    piece_msat: Msat

    def reserve_msat(self, ppm: Ppm) -> Msat:
        """
        Return what has to be reserved at *ppm*: a payment more than are meant to be made, since
        one that the rebalancer counts as failed may still settle.
        """
        return Msat((self.count + 1) * cost_msat(self.chunk_msat, ppm))

    def within_ppm(self, room: Msat) -> Ppm:
        """
        Return the most that it may cost for *room* to hold what has to be reserved.
        """
        return Ppm(room // (self.count + 1) * MILLION // self.chunk_msat)


def amounts(config: Config, *, single: bool) -> tuple[Amount, ...]:
    """
    Return what may be moved, the smallest first; of a *single* payment where they cannot be told
    apart.
    """
    least, most = config.rebalance_min_amount, config.rebalance_max_amount
    found: dict[int, Amount] = {}
    wanted = float(least)
    while wanted <= most:
        _add(found, round(wanted), config)
        wanted *= STEP
    _add(found, most, config)
    return tuple(
        amount for sats, amount in sorted(found.items()) if amount.count == 1 or not single
    )


def _add(found: dict[int, Amount], sats: int, config: Config) -> None:
    """
    Add what comes nearest to *sats* in payments of the same size, as few as may be.
    """
    count = -(-sats // config.rebalance_chunk)
    size = max(sats // count, -(-config.rebalance_min_amount // count))
    if count * size <= config.rebalance_max_amount:
        chunk = from_sats(size)
        piece = Msat(chunk + cost_msat(chunk, config.rebalance_max_ppm))
        found[count * size] = Amount(count, chunk, from_sats(count * size), piece)
