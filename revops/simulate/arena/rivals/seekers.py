"""Seekers: prices that are searched for by simple rules."""

from typing import Final

import attrs

from revops.core.units import Ppm
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.play import HIGHEST, Observation, Orders
from revops.simulate.arena.rivals.common import LEAST, earned, priced


class Descending:
    """
    Start at the top, come down until somebody pays, stay while somebody does.
    """

    DAILY_FACTOR: Final = 0.8
    EVERY: Final = STEPS_A_DAY // 2

    def __init__(self, start_ppm: int = HIGHEST) -> None:
        self._start = start_ppm
        self._paid: dict[int, int] = {}

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices that come down.
        """
        if not seen.step:
            return Orders(dict.fromkeys(range(len(seen.capacity)), Ppm(self._start)))
        self._paid |= dict.fromkeys(earned(seen), seen.step)
        if seen.step % self.EVERY:
            return Orders({})
        kept = self.DAILY_FACTOR**0.5
        return Orders(
            {
                channel: priced(ppm * kept)
                for channel, ppm in enumerate(seen.fee_ppm)
                if ppm > LEAST and seen.step - self._paid.get(channel, 0) >= STEPS_A_DAY
            }
        )


@attrs.define
class _Climb:
    """
    Where a naive search stands.
    """

    up: bool = True
    income: int = 0
    before: int = -1


class NaiveClimber:
    """
    What tutorials suggest: a step each window, on in the same direction while the window earned
    more than the one before, else back. A negative control.
    """

    def __init__(self, hours: int = 4, step: float = 0.1) -> None:
        self._steps = hours * STEPS_A_DAY // 24
        self._factor = 1 + step
        self._climbs: dict[int, _Climb] = {}

    def step(self, seen: Observation) -> Orders:
        """
        Return the next price of every channel when a window is over.
        """
        income = earned(seen)
        for channel in range(len(seen.capacity)):
            self._climbs.setdefault(channel, _Climb()).income += income.get(channel, 0)
        if not seen.step or seen.step % self._steps:
            return Orders({})
        return Orders({c: self._moved(climb, seen.fee_ppm[c]) for c, climb in self._climbs.items()})

    def _moved(self, climb: _Climb, ppm: Ppm) -> Ppm:
        if climb.income < climb.before:
            climb.up = not climb.up
        climb.before, climb.income = climb.income, 0
        new = priced(ppm * (self._factor if climb.up else 1 / self._factor))
        # Small prices must be able to move at all.
        return new if new != ppm else priced(ppm + (1 if climb.up else -1))
