"""Lives: what became of a node in the futures that were drawn for it."""

from collections.abc import Mapping
from typing import Final

import attrs

from revops.core.units import HOUR, Msat, Ppm, Scid

EVERY_S: Final = 6 * HOUR
"""How often a path is looked at."""


@attrs.frozen(kw_only=True)
class Path:
    """
    What became of one channel in one future.

    Attributes:
        fee_ppm, local_share: At the beginning and every `EVERY_S` after it.
        earned_msat: Fees of what left by it, over all days.
        spent_msat: What refilling it cost.
        out_msat, in_msat: What left and what came in.
        updates: Fee updates.
    """

    scid: Scid
    fee_ppm: tuple[Ppm, ...]
    local_share: tuple[float, ...]
    earned_msat: Msat
    spent_msat: Msat
    out_msat: Msat
    in_msat: Msat
    updates: int


@attrs.frozen(kw_only=True)
class Life:
    """
    One drawn future, lived under one config.

    Attributes:
        seed: What it was drawn from: the same for all configs that are compared.
        income_msat, spent_msat: Of the node, by day.
        updates: Fee updates of the node, by day.
        left_msat: What the liquidity at the end is worth more than that at the beginning.
        paths: In the order of the snapshot's channels.
    """

    seed: int
    income_msat: tuple[Msat, ...]
    spent_msat: tuple[Msat, ...]
    updates: tuple[int, ...]
    left_msat: Msat
    paths: tuple[Path, ...]

    @property
    def net_msat(self) -> Msat:
        """
        Return what it earned, less what it spent, with what it leaves behind.
        """
        return Msat(sum(self.income_msat) - sum(self.spent_msat) + self.left_msat)


@attrs.frozen(kw_only=True)
class Side:
    """
    One config in all futures.

    Attributes:
        name: `as set`, `against`, or `as it is` for a node that nobody touches.
        options: What differs from the defaults, as it would be typed.
        lives: In the order of their seeds.
    """

    name: str
    options: Mapping[str, str]
    lives: tuple[Life, ...]


@attrs.frozen(kw_only=True)
class Forecast:
    """
    Configs side by side in the same futures.

    Attributes:
        warnings: Sentences on how far it can be trusted; thin data is said to be thin.
    """

    days: int
    seeds: tuple[int, ...]
    sides: tuple[Side, ...]
    warnings: tuple[str, ...]
