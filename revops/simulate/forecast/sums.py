"""Sums: what the lives of a side come to, as numbers that can be set side by side."""

from collections.abc import Sequence
from typing import Final

import attrs

from revops.core.units import Msat, sats_down, sats_up
from revops.simulate.arena.measures import Mean, mean_of
from revops.simulate.forecast.lives import Forecast, Side

MONTH: Final = 30
_ENOUGH: Final = 10
"""From fewer futures nothing is said of the mean."""

Levels = tuple[float, float, float]
"""What a tenth, half, and nine tenths of the values are not above."""


def levels(values: Sequence[float]) -> Levels:
    """
    Return the p10, p50 and p90 of *values*, each of them one that came out.
    """
    ordered, last = sorted(values), len(values) - 1
    low, middle, high = (ordered[round(last * tenths / 10)] for tenths in (1, 5, 9))
    return low, middle, high


@attrs.frozen(kw_only=True)
class Sums:
    """
    What one side comes to, in sat a month unless it says otherwise.

    Attributes:
        left: What the liquidity at the end is worth more than that at the beginning.
        updates: Fee updates per channel and day.
    """

    earned: Levels
    spent: Levels
    left: Levels
    net: Levels
    net_a_day: Levels
    updates: Levels


def sums_of(side: Side, days: int) -> Sums:
    """
    Return what *side* comes to.
    """
    lives = side.lives
    return Sums(
        earned=levels([sats_down(Msat(sum(life.income_msat))) * MONTH // days for life in lives]),
        spent=levels([sats_up(Msat(sum(life.spent_msat))) * MONTH // days for life in lives]),
        left=levels([sats_down(life.left_msat) * MONTH // days for life in lives]),
        net=levels(by_month(side, days)),
        net_a_day=levels([sats_down(life.net_msat) // days for life in lives]),
        updates=levels([sum(life.updates) / days / max(len(life.paths), 1) for life in lives]),
    )


def by_month(side: Side, days: int) -> list[int]:
    """
    Return the net of each life in a month, in sat.
    """
    return [sats_down(life.net_msat) * MONTH // days for life in side.lives]


@attrs.frozen(kw_only=True)
class Difference:
    """
    How much more one side earns than another in the same futures, in sat a month.

    Attributes:
        better: In how many futures it earns more.
        mean: `None` from too few futures.
    """

    side: str
    other: str
    more: Levels
    better: int
    mean: Mean | None


def differences(found: Forecast) -> list[Difference]:
    """
    Return each pair of sides, as they stand in the forecast.
    """
    sides = found.sides
    pairs = [(one, other) for n, one in enumerate(sides) for other in sides[n + 1 :]]
    return [_difference(one, other, found.days) for one, other in pairs]


def _difference(side: Side, other: Side, days: int) -> Difference:
    pairs = zip(by_month(side, days), by_month(other, days), strict=True)
    more = [mine - theirs for mine, theirs in pairs]
    return Difference(
        side=side.name,
        other=other.name,
        more=levels(more),
        better=sum(value > 0 for value in more),
        mean=mean_of(more) if len(more) >= _ENOUGH else None,
    )
