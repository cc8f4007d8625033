"""Market: what payments would pay and how many there are - what no policy is ever told."""

from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from revops.core.units import DAY
from revops.simulate.arena.dice import Dice
from revops.simulate.arena.laws import STEEP, Law, Logit, Two, measured
from revops.simulate.arena.scenario import PerChannel, Scenario
from revops.simulate.arena.spreads import Array, LogNormal

STEP_S: Final = 1800
"""How often a policy looks: the control grid."""
STEPS_A_DAY: Final = DAY // STEP_S

_WANDERING_SD: Final = 0.3
_WANDERING_HALF_LIFE: Final = 5 * STEPS_A_DAY
_SPELL: Final = 12 * 3600 / STEP_S
_EMPTY_RIVAL: Final = 3.0
"""How many times as much payments would pay while the other way has no liquidity."""
_SHIFTED_PRICE_SD: Final = 1.0
_SHIFTED_NUMBER_SD: Final = 0.7


@attrs.frozen(eq=False)
class Market:
    """
    Who would route through the node, and for how much.

    Attributes:
        laws: The demand for each channel out, at its usual level.
        per_day: How many payments would leave by it a day if that cost nothing.
        ways: Of these, the share that comes in by each channel: `ways[in, out]`.
        level: `level[step, channel]`: how many times the usual they would pay.
        tempo: `tempo[step, channel]`: how many times the usual number comes.
        going_ppm: What the other ways cost, at their usual level.
        sizes: How many times as large as usual the payments are that leave by each channel.
        perkw: What the chain charges, by step.
    """

    laws: tuple[Law, ...]
    per_day: Array
    ways: Array
    level: Array
    tempo: Array
    going_ppm: Array
    amount_sat: LogNormal
    sizes: Array
    budget_ppm: tuple[float, float]
    perkw: Array

    def share(self, channel: int, prices: Array, steps: slice) -> Array:
        """
        Return which share of the payments of some *steps* comes at *prices*, on average.
        """
        level, tempo = self.level[steps, channel], self.tempo[steps, channel]
        shares = self.laws[channel].share(prices / level[:, None])
        weights = tempo if tempo.any() else np.ones_like(tempo)
        low, high = self.budget_ppm
        if low == high:
            rich = (prices <= low).astype(np.float64)
        else:
            rich = np.clip(np.log(high / prices) / np.log(high / low), 0.0, 1.0)
        average: Array = np.average(shares, axis=0, weights=weights) * rich
        return average


def market_of(scenario: Scenario, dice: Dice) -> Market:
    """
    Return the market that *dice* make of *scenario*.
    """
    count, steps = scenario.channels, scenario.days * STEPS_A_DAY
    laws = _laws(scenario, dice)
    per_day = scenario.per_day.of(dice.of("per day").standard_normal(count))
    outward = per_day * repeated(scenario.out_factor, count)
    mixing = np.exp(scenario.mixing * dice.of("mixing").standard_normal(count))
    inward = per_day * repeated(scenario.in_factor, count) * mixing
    perkw = _perkw(scenario, steps, dice)
    lift = 1 + scenario.feerates.pull * np.maximum(perkw / scenario.feerates.perkw - 1, 0)
    shift = _shift(scenario, steps, count, dice)
    return Market(
        laws=laws,
        per_day=outward,
        ways=ways_of(inward),
        level=_level(scenario, steps, dice) * lift[:, None] * shift[0],
        tempo=_seasons(scenario, steps)[:, None] * shift[1],
        going_ppm=np.array([law.going_ppm for law in laws]),
        amount_sat=scenario.amount_sat,
        sizes=np.ones(count),
        budget_ppm=scenario.budget_ppm,
        perkw=perkw,
    )


def repeated(values: PerChannel, count: int) -> Array:
    """
    Return *values* as often as it takes for *count* channels.
    """
    return np.resize(np.array(values, dtype=np.float64), count)


def _laws(scenario: Scenario, dice: Dice) -> tuple[Law, ...]:
    count = scenario.channels
    middles = scenario.middle_ppm.of(dice.of("middle price").standard_normal(count))
    slopes = scenario.slope.of(dice.of("slope").standard_normal(count))
    logits = tuple(map(Logit, map(float, middles), map(float, slopes)))
    if scenario.demand == "logit":
        return logits
    if scenario.demand == "measured":
        rows = dice.of("curves").standard_normal((4, count))
        return measured(*rows)
    # By turns: a cliff, two kinds of senders, and the logit that only meets poorer senders.
    cliffs = tuple(Logit(float(middle), STEEP) for middle in middles)
    pairs = tuple(
        Two(0.6, Logit(middle / 2, STEEP), Logit(middle * 3, STEEP))
        for middle in map(float, middles)
    )
    kinds = (cliffs, pairs, logits)
    return tuple(kinds[channel % len(kinds)][channel] for channel in range(count))


def ways_of(inward: Array) -> Array:
    """
    Return which share of what leaves by a channel enters by which other.
    """
    ways = np.repeat(inward[:, None], len(inward), axis=1)
    np.fill_diagonal(ways, 0.0)
    sums: Array = ways.sum(axis=0)
    return ways / np.maximum(sums, 1e-12)


def _seasons(scenario: Scenario, steps: int) -> Array:
    day = (np.arange(steps) + 0.5) / STEPS_A_DAY
    tides: Array = (1 + scenario.daily * np.sin(2 * np.pi * day)) * (
        1 + scenario.weekly * np.sin(2 * np.pi * day / 7)
    )
    return tides


def _shift(scenario: Scenario, steps: int, count: int, dice: Dice) -> tuple[Array, Array]:
    """
    Return by how much prices and numbers are others, by step and channel.
    """
    prices = np.exp(_SHIFTED_PRICE_SD * dice.of("shift of prices").standard_normal(count))
    numbers = np.exp(_SHIFTED_NUMBER_SD * dice.of("shift of numbers").standard_normal(count))
    begins = steps if scenario.shift_day is None else scenario.shift_day * STEPS_A_DAY
    later = (np.arange(steps) >= begins)[:, None]
    return np.where(later, prices, 1.0), np.where(later, numbers, 1.0)


def _level(scenario: Scenario, steps: int, dice: Dice) -> Array:
    """
    Return how the price of the other ways moves: exogenous, whoever asks.
    """
    count, rivals = scenario.channels, scenario.rivals
    drift = dice.of("drift").standard_normal((steps, count))
    logs = np.cumsum(drift, axis=0) * scenario.drift / np.sqrt(STEPS_A_DAY)
    affected = np.arange(count) < round(rivals.part * count)
    if rivals.kind == "wandering":
        logs += _wandering(dice.of("rivals").standard_normal((steps, count))) * affected
    elif rivals.kind == "steps":
        logs += _steps(dice, steps, count) * affected
    empty = ~_up(rivals.up, steps, count, dice) & affected
    level: Array = np.exp(logs) * np.where(empty, _EMPTY_RIVAL, 1.0)
    return level


def _wandering(noise: Array) -> Array:
    kept = 0.5 ** (1 / _WANDERING_HALF_LIFE)
    push = _WANDERING_SD * np.sqrt(1 - kept * kept)
    path = np.empty_like(noise)
    path[0] = _WANDERING_SD * noise[0]
    for step in range(1, len(noise)):
        path[step] = kept * path[step - 1] + push * noise[step]
    return path


def _steps(dice: Dice, steps: int, count: int) -> Array:
    """
    Return the logarithms of a price that jumps once, when a rival leaves or enters.
    """
    rng = dice.of("steps")
    when = rng.integers(steps // 4, 3 * steps // 4, count)
    size = np.log(2.0) * rng.choice([-1.0, 1.0], count)
    return np.where(np.arange(steps)[:, None] >= when, size, 0.0)


def _up(up: float, steps: int, count: int, dice: Dice) -> npt.NDArray[np.bool_]:
    """
    Return whether the other way has liquidity: a Markov chain with spells of half a day.
    """
    chance = dice.of("liquidity of rivals").random((steps, count))
    fails = 1 / _SPELL
    returns = fails * up / (1 - up) if up < 1 else 1.0
    state = np.empty((steps, count), dtype=np.bool_)
    now = chance[0] < up
    for step in range(steps):
        now = np.where(now, (chance[step] >= fails) | (up >= 1), chance[step] < returns)
        state[step] = now
    return state


def _perkw(scenario: Scenario, steps: int, dice: Dice) -> Array:
    feerates = scenario.feerates
    noise = np.exp(
        feerates.noise * _wandering(dice.of("feerates").standard_normal((steps, 1)))[:, 0]
    )
    perkw: Array = feerates.perkw * noise
    if feerates.spike:
        hours = np.arange(steps) * STEP_S / 3600 - 20 * 24
        shape = np.interp(hours, [0, 6, 48, 72], [1, 16, 16, 1])
        perkw = perkw * shape
        perkw[40 * STEPS_A_DAY : 40 * STEPS_A_DAY + 1] *= 10
    return np.maximum(perkw, 253.0)
