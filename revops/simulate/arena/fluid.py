"""The fluid oracle: what no policy can expect to beat, knowing all volumes and demand curves."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import attrs
import numpy as np

from revops.core.units import MILLION, Msat
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.program import Program
from revops.simulate.arena.spreads import Array
from revops.simulate.arena.tape import Tape
from revops.simulate.arena.worth import PRICES, Worth

_UNIT: Final = 1e9
"""Volumes are counted in millions of sats: solvers like numbers near one."""
_PIECES: Final = 12
_SUPPLIES: Final = 8
_MOST_PATHS: Final = 40
"""Channels beyond which it is not written down which payments enter where."""


@attrs.frozen(kw_only=True)
class Bound:
    """
    The most that can be expected of a tape.

    Attributes:
        net_msat: Income less refills and plus what liquidity is worth more at the end than at the
            beginning, where that is asked for.
        base_ppm: The price of each channel, on average over the payments.
    """

    net_msat: float
    base_ppm: tuple[float, ...]


def fluid(tape: Tape, worth: Worth | None = None, *, refills: bool = False) -> Bound:
    """
    Return the fluid bound of *tape*: every payment is divisible, prices may be mixed, volumes are
    known; with *worth* what is left counts, with *refills* the market for them is open.
    """
    work = _Work(tape)
    levels = [float(local) / _UNIT for local in tape.local]
    ends: list[int] = []
    for days in epochs(tape):
        ends = work.epoch(days, ends or None, levels, refills=refills)
    before = sum(_valued(work, worth, ends)) if worth else 0.0
    gain, found = work.program.solved()
    return Bound(net_msat=(gain - before) * _UNIT, base_ppm=work.prices(found))


def epochs(tape: Tape) -> list[range]:
    """
    Return the days of *tape* in stretches in which the market is one and the same.
    """
    market, days = tape.market, tape.scenario.days
    moving = np.stack((market.level, market.tempo * np.ones_like(market.level)))
    by_day = moving.reshape(2, days, STEPS_A_DAY, -1)
    changes = [
        day for day in range(1, days) if not np.array_equal(by_day[:, day], by_day[:, day - 1])
    ]
    starts = [0, *changes, days]
    return [range(first, end) for first, end in pairwise(starts)]


def _hull(prices: Array, shares: Array) -> list[tuple[float, float]]:
    """
    Return the points (share, revenue) that no mixture of others beats.
    """
    points: list[tuple[float, float]] = [(0.0, 0.0)]
    for share, revenue in sorted(zip(shares.tolist(), (prices * shares).tolist(), strict=True)):
        while points and share <= points[-1][0] and revenue >= points[-1][1]:
            points.pop()
        while len(points) > 1 and _below(points[-2], points[-1], (share, revenue)):
            points.pop()
        points.append((share, revenue))
    return points


def _below(
    left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]
) -> bool:
    rise = (right[1] - left[1]) * (middle[0] - left[0])
    return (middle[1] - left[1]) * (right[0] - left[0]) <= rise


class _Work:
    """
    The program while it is written.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.program = Program()
        self._mixtures: list[list[tuple[int, float, float]]] = [[] for _ in range(tape.channels)]

    def epoch(
        self,
        days: range,
        before: Sequence[int] | None,
        levels: Sequence[float],
        *,
        refills: bool,
    ) -> list[int]:
        """
        Write down a stretch of *days* after the balances *before*; return those it ends with.
        """
        volumes = self.tape.volumes[days.start : days.stop].sum(axis=0) / _UNIT
        moves: list[dict[int, float]] = [{} for _ in levels]
        paths = self._paths if self.tape.channels <= _MOST_PATHS else self._pooled
        paths(volumes, [self._priced(out, days, volumes) for out in range(len(levels))], moves)
        if refills:
            self._refilled(days, moves)
        return [
            self._balance(channel, moves[channel], before[channel] if before else None, level)
            for channel, level in enumerate(levels)
        ]

    def _paths(
        self, volumes: Array, sold: list[dict[int, float]], moves: list[dict[int, float]]
    ) -> None:
        """
        Write down what goes which way: no more than would.
        """
        for out, terms in enumerate(sold):
            for into in np.flatnonzero(volumes[:, out]).tolist():
                flow = self.program.variable(float(volumes[into, out]))
                terms[flow] = -1.0
                moves[into][flow] = 1.0
                moves[out][flow] = -1.0
            self.program.exactly.add(terms, 0.0)

    def _pooled(
        self, volumes: Array, sold: list[dict[int, float]], moves: list[dict[int, float]]
    ) -> None:
        """
        Write down what enters and leaves, whichever of it belongs together: more is allowed than
        along the ways, with far fewer variables.
        """
        balanced: dict[int, float] = {}
        for channel, terms in enumerate(sold):
            left = self.program.variable(float(volumes[:, channel].sum()))
            came = self.program.variable(float(volumes[channel].sum()))
            self.program.exactly.add(terms | {left: -1.0}, 0.0)
            moves[channel] = {came: 1.0, left: -1.0}
            balanced |= {came: 1.0, left: -1.0}
        self.program.exactly.add(balanced, 0.0)

    def _priced(self, out: int, days: range, volumes: Array) -> dict[int, float]:
        """
        Write down what a channel may charge; return the terms of what it sells then.
        """
        volume = float(volumes[:, out].sum())
        steps = slice(days.start * STEPS_A_DAY, days.stop * STEPS_A_DAY)
        shares = self.tape.market.share(out, PRICES, steps)
        sold: dict[int, float] = {}
        for share, revenue in _hull(PRICES, shares):
            part = self.program.variable(1.0, volume * revenue / MILLION)
            sold[part] = volume * share
            self._mixtures[out].append((part, volume * share, volume * revenue))
        self.program.at_most.add(dict.fromkeys(sold, 1.0), 1.0)
        return sold

    def _balance(
        self, channel: int, moves: dict[int, float], before: int | None, level: float
    ) -> int:
        """
        Write down what the *moves* of an epoch leave on our side.
        """
        floor = self.tape.floors[channel] / _UNIT
        capacity = self.tape.capacity[channel] / _UNIT
        # A channel that begins beyond the reserve may stay there.
        low, high = min(floor, level), max(capacity - floor, level)
        after = self.program.variable(high, low=low)
        terms = {name: -factor for name, factor in moves.items()} | {after: 1.0}
        if before is None:
            self.program.exactly.add(terms, level)
        else:
            self.program.exactly.add(terms | {before: -1.0}, 0.0)
        return after

    def _refilled(self, days: range, moves: list[dict[int, float]]) -> None:
        """
        Write down the market for refills, its cheapest offers first.
        """
        balanced: dict[int, float] = {}
        steps = slice(days.start * STEPS_A_DAY, days.stop * STEPS_A_DAY)
        costs = np.array(self.tape.refill_ppm[steps])
        depths = np.array(self.tape.refill_msat[steps]) / _UNIT
        for channel, move in enumerate(moves):
            order = np.argsort(costs[:, channel], kind="stable")
            for part in np.array_split(order, _SUPPLIES):
                if len(part):
                    cost = float(costs[part[0], channel])
                    depth = float(depths[part, channel].sum())
                    came = self.program.variable(depth, -cost / MILLION)
                    move[came] = 1.0
                    balanced[came] = 1.0
            left = self.program.variable(float("inf"))
            move[left] = -1.0
            balanced[left] = -1.0
        self.program.exactly.add(balanced, 0.0)

    def prices(self, found: Array) -> tuple[float, ...]:
        """
        Return what each channel charges in the optimum, on average over what it sells.
        """
        answers = []
        for mixture in self._mixtures:
            sold = sum(found[part] * share for part, share, _ in mixture)
            earned = sum(found[part] * revenue for part, _, revenue in mixture)
            answers.append(float(earned / sold) if sold > 0 else float(PRICES[-1]))
        return tuple(answers)


def _valued(work: _Work, worth: Worth, ends: Sequence[int]) -> list[float]:
    """
    Write down what the balances at the *ends* are worth; return what the first ones were.
    """
    tape = work.tape
    before = []
    for channel, end in enumerate(ends):
        capacity = tape.capacity[channel]
        knots = [Msat(capacity * knot // _PIECES) for knot in range(_PIECES + 1)]
        values = [worth.of(channel, knot) / _UNIT for knot in knots]
        pieces = {}
        for (low, high), (less, more) in zip(pairwise(knots), pairwise(values), strict=True):
            width = (high - low) / _UNIT
            pieces[work.program.variable(width, (more - less) / width)] = 1.0
        work.program.at_most.add(pieces | {end: -1.0}, 0.0)
        before.append(worth.of(channel, tape.local[channel]) / _UNIT)
    return before
