"""The static oracle: the best prices that never change, found with the whole tape in hand."""

from collections.abc import Iterator, Sequence
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from revops.core.units import MILLION, Msat, Ppm
from revops.simulate.arena.payments import Kind
from revops.simulate.arena.play import HIGHEST
from revops.simulate.arena.tape import Tape
from revops.simulate.arena.world import World
from revops.simulate.arena.worth import PRICES, Worth

_FACTORS: Final = (0.5, 0.7, 1.4, 2.0, 3.0)
_MOST_SWEEPS: Final = 10

Whole = npt.NDArray[np.int64]


@attrs.frozen(kw_only=True)
class Vector:
    """
    Prices that never change.

    Attributes:
        net_msat: What they earn, plus what liquidity is worth more at the end where that counts.
    """

    ppm: tuple[Ppm, ...]
    net_msat: Msat


class Replay:
    """
    A tape that is played at prices that never change, in force from its beginning.
    """

    def __init__(self, tape: Tape, worth: Worth | None = None) -> None:
        self._tape = tape
        self._worth = worth
        self._columns = _columns(tape)
        plain = all(payment.kind is Kind.ORDINARY for payment in tape.payments)
        self._plain = plain and not any(tape.anchor_ppm)

    def net_msat(self, ppm: Sequence[Ppm]) -> Msat:
        """
        Return what these prices come to.
        """
        income, local = self._quick(ppm) if self._plain else self._in_full(ppm)
        left = self._worth.change(self._tape.local, local) if self._worth else 0
        return Msat(income + left)

    def _in_full(self, ppm: Sequence[Ppm]) -> tuple[Msat, list[Msat]]:
        world = World(attrs.evolve(self._tape, start_ppm=tuple(ppm)))
        while not world.over:
            world.advance()
        return world.ledger.income_msat, world.local

    def _quick(self, ppm: Sequence[Ppm]) -> tuple[Msat, list[Msat]]:
        """
        Return what `World` would come to, where nobody answers our prices and nobody attacks.
        """
        tape, income = self._tape, 0
        spendable = [a - b for a, b in zip(tape.local, tape.floors, strict=True)]
        room = [
            most - ours - floor
            for most, ours, floor in zip(tape.capacity, tape.local, tape.floors, strict=True)
        ]
        for into, out, amount, fee in self._willing(ppm):
            if room[into] >= amount + fee and spendable[out] >= amount:
                room[into] -= amount + fee
                spendable[into] += amount + fee
                room[out] += amount
                spendable[out] -= amount
                income += fee
        pairs = zip(spendable, tape.floors, strict=True)
        return Msat(income), [Msat(free + floor) for free, floor in pairs]

    def _willing(self, ppm: Sequence[Ppm]) -> Iterator[tuple[int, int, int, int]]:
        into, out, amount, reservation = self._columns
        charged = np.array(ppm, dtype=np.int64)[out]
        comes = reservation >= charged
        fees = amount[comes] * charged[comes] // MILLION
        columns = (into[comes], out[comes], amount[comes], fees)
        return zip(*(column.tolist() for column in columns), strict=True)


def _columns(tape: Tape) -> tuple[Whole, Whole, Whole, Whole]:
    rows = np.array([payment[1:5] for payment in tape.payments], dtype=np.int64).reshape(-1, 4)
    into, out, amount, reservation = rows.T
    return into, out, amount, reservation


def alone(tape: Tape) -> tuple[Ppm, ...]:
    """
    Return the price of each channel that would earn most if it never ran dry.
    """
    steps = slice(0, tape.steps)
    best = (
        int(np.argmax(PRICES * tape.market.share(channel, PRICES, steps)))
        for channel in range(tape.channels)
    )
    return tuple(Ppm(int(PRICES[place])) for place in best)


def best_static(
    tape: Tape, worth: Worth | None = None, starts: Sequence[Sequence[float]] = ()
) -> Vector:
    """
    Return the best vector of prices that coordinate ascent finds from `alone` or one of *starts*.

    It is a strong reference and no bound: it fits the tape when there are few payments, and a
    policy that moves its prices may earn more.
    """
    replay = Replay(tape, worth)
    begin = [alone(tape), *(tuple(Ppm(round(ppm)) for ppm in start) for start in starts)]
    prices = max(begin, key=replay.net_msat)
    best = replay.net_msat(prices)
    for _ in range(_MOST_SWEEPS):
        before = best
        for channel in range(tape.channels):
            for factor in _FACTORS:
                price = Ppm(min(max(round(prices[channel] * factor), 1), HIGHEST))
                other = (*prices[:channel], price, *prices[channel + 1 :])
                earned = replay.net_msat(other)
                if earned > best:
                    best, prices = earned, other
        if best == before:
            break
    return Vector(ppm=prices, net_msat=best)
