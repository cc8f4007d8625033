"""Whims: policies that do anything a policy may do, and some things that it may not."""

from functools import cache

from hypothesis import strategies as st

from revops.core.chance import draw
from revops.core.units import Msat, Ppm
from revops.simulate.arena.play import HIGHEST, Observation, Orders
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import Tape, tape_of
from revops.simulate.arena.world import Refill

DAYS = 2
SMALL = tuple(name for name, scenario in SCENARIOS.items() if scenario.channels <= 12)


@cache
def short(name: str, seed: int, days: int = DAYS) -> Tape:
    """
    Return the first days of a kind of tape.
    """
    return tape_of(shortened(SCENARIOS[name], days), seed)


tapes = st.builds(short, st.sampled_from(SMALL), st.integers(0, 3))


class Whim:
    """
    Prices and refills at random, out of bounds now and then; it keeps all that it was shown.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.seen: list[Observation] = []
        self.orders: list[Orders] = []

    def step(self, seen: Observation) -> Orders:
        """
        Return whatever comes to mind.
        """
        self.seen.append(seen)
        count = len(seen.capacity)
        fees = {
            channel: Ppm(int(HIGHEST * 1.05 * self._draw(seen, "fee", channel) ** 4))
            for channel in range(count)
            if self._draw(seen, "change", channel) < 0.1
        }
        limits = {
            channel: Msat(int(seen.capacity[channel] * self._draw(seen, "limit", channel)))
            for channel in fees
            if self._draw(seen, "limited", channel) < 0.3
        }
        refills = tuple(self._refill(seen, target) for target in range(count))
        chosen = tuple(r for r in refills if self._draw(seen, "refills", r.target) < 0.2)
        self.orders.append(Orders(fees, chosen, limits))
        return self.orders[-1]

    def _refill(self, seen: Observation, target: int) -> Refill:
        source = int(self._draw(seen, "source", target) * len(seen.capacity))
        amount = int(seen.capacity[target] * 1.2 * self._draw(seen, "amount", target))
        return Refill(source, target, Msat(amount), Ppm(2000))

    def _draw(self, seen: Observation, *question: object) -> float:
        return draw(self.seed, str(seen.step), *map(str, question))
