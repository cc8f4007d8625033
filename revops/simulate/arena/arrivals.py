"""Arrivals: when payments come, which way, how large they are and what they would pay."""

from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from revops.core.units import DAY, HOUR
from revops.simulate.arena.dice import Dice
from revops.simulate.arena.market import STEP_S, Market
from revops.simulate.arena.scenario import Scenario
from revops.simulate.arena.spreads import Array

Whole = npt.NDArray[np.int64]

_KERNEL_S: Final = HOUR
"""How long after a payment those follow that it has brought about, on average."""
_GENERATIONS: Final = 60
_LEAST_CHANCE: Final = 1e-12


@attrs.frozen(eq=False)
class Came:
    """
    Payments side by side, in no order.

    Attributes:
        at: Seconds since the beginning.
    """

    at: Array
    into: Whole
    out: Whole
    amount_sat: Array
    reservation_ppm: Array


def came(scenario: Scenario, market: Market, dice: Dice) -> Came:
    """
    Return the payments that *market* sends in the time of *scenario*.
    """
    at, out = _times(scenario, market, dice)
    count = len(at)
    chance = np.maximum(dice.of("reservations").random(count), _LEAST_CHANCE)
    level = market.level[(at // STEP_S).astype(np.int64), out]
    wanted = np.empty(count)
    for channel, law in enumerate(market.laws):
        mine = out == channel
        wanted[mine] = law.reservation(chance[mine]) * level[mine]
    low, high = market.budget_ppm
    budget = low * (high / low) ** dice.of("budgets").random(count)
    return Came(
        at=at,
        into=_into(market, out, dice),
        out=out,
        amount_sat=market.amount_sat.of(dice.of("amounts").standard_normal(count))
        * market.sizes[out],
        reservation_ppm=np.minimum(wanted, budget),
    )


def _times(scenario: Scenario, market: Market, dice: Dice) -> tuple[Array, Whole]:
    """
    Return when payments come and by which channel they leave: Poisson, or Hawkes clusters of the
    same mean.
    """
    end = scenario.days * DAY
    rng = dice.of("arrivals")
    most = market.tempo.max(axis=0) * market.per_day * (1 - scenario.branching)
    counts = rng.poisson(most * scenario.days)
    out = np.repeat(np.arange(scenario.channels), counts)
    at = rng.random(len(out)) * end
    # Thinned to the tempo of the moment.
    now = market.tempo[(at // STEP_S).astype(np.int64), out]
    kept = rng.random(len(out)) * market.tempo.max(axis=0)[out] < now
    at, out = at[kept], out[kept]
    ats, outs = [at], [out]
    for _ in range(_GENERATIONS if scenario.branching else 0):
        children = rng.poisson(scenario.branching, len(at))
        at, out = np.repeat(at, children), np.repeat(out, children)
        at = at + rng.exponential(_KERNEL_S, len(at))
        ats.append(at[at < end])
        outs.append(out[at < end])
    return np.concatenate(ats), np.concatenate(outs)


def _into(market: Market, out: Whole, dice: Dice) -> Whole:
    """
    Return by which channels payments enter, that leave by *out*.
    """
    reached = np.cumsum(market.ways, axis=0)
    reached[-1:] = np.maximum(reached[-1:], 1.0)
    chance = dice.of("ways").random(len(out))
    into = np.empty(len(out), dtype=np.int64)
    for channel in range(reached.shape[1]):
        mine = out == channel
        into[mine] = np.searchsorted(reached[:, channel], chance[mine], side="right")
    last: Whole = np.minimum(into, reached.shape[0] - 1)
    return last
