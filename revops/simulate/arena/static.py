"""The static oracle: the best prices that hardly ever change, found with the whole tape in hand."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from revops.core.units import DAY, MILLION, Msat, Ppm
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.payments import START, Kind
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
    Prices that never change, or on given days alone.

    Attributes:
        ppm: Of each channel; those of the time after a change follow.
        net_msat: What they earn, plus what liquidity is worth more at the end where that counts.
        by_day: What they earn.
    """

    ppm: tuple[Ppm, ...]
    net_msat: Msat
    by_day: tuple[Msat, ...]


class Replay:
    """
    A tape that is played at prices that never change, in force from its beginning - or that change
    as given days begin, and are in force at once.
    """

    def __init__(self, tape: Tape, worth: Worth | None = None, changes: Sequence[int] = ()) -> None:
        self._tape = tape
        self._worth = worth
        self._changes = changes
        self._columns = _columns(tape, changes)
        plain = all(payment.kind is Kind.ORDINARY for payment in tape.payments)
        self._plain = plain and not any(tape.anchor_ppm)

    def net_msat(self, ppm: Sequence[Ppm]) -> Msat:
        """
        Return what these prices come to.
        """
        income, local = self._quick(ppm) if self._plain else self._in_full(ppm)
        left = self._worth.change(self._tape.local, local) if self._worth else 0
        return Msat(income + left)

    def by_day(self, ppm: Sequence[Ppm]) -> tuple[Msat, ...]:
        """
        Return what these prices earn, day by day.
        """
        income = self._played(ppm).ledger.income_by_day
        return tuple(Msat(income[day]) for day in range(self._tape.scenario.days))

    def _in_full(self, ppm: Sequence[Ppm]) -> tuple[Msat, list[Msat]]:
        world = self._played(ppm)
        return world.ledger.income_msat, world.local

    def _played(self, ppm: Sequence[Ppm]) -> World:
        count = self._tape.channels
        world = World(attrs.evolve(self._tape, start_ppm=tuple(ppm[:count])))
        after = {day * STEPS_A_DAY: place for place, day in enumerate(self._changes, start=1)}
        while not world.over:
            if place := after.get(world.step):
                prices = ppm[place * count : (place + 1) * count]
                world.fee_ppm[:], world.known_ppm[:] = prices, prices
            world.advance()
        return world

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
        into, out, place, amount, reservation = self._columns
        charged = np.array(ppm, dtype=np.int64)[place]
        comes = reservation >= charged
        fees = amount[comes] * charged[comes] // MILLION
        columns = (into[comes], out[comes], amount[comes], fees)
        return zip(*(column.tolist() for column in columns), strict=True)


def _columns(tape: Tape, changes: Sequence[int]) -> tuple[Whole, Whole, Whole, Whole, Whole]:
    """
    Return of all payments where they enter and leave, which price they meet, their amounts, and
    what they would pay.
    """
    rows = np.array([payment[:5] for payment in tape.payments], dtype=np.int64).reshape(-1, 5)
    at, into, out, amount, reservation = rows.T
    days = np.array(changes, dtype=np.int64)
    later = np.searchsorted(START + days * DAY, at, side="right")
    return into, out, later * tape.channels + out, amount, reservation


def alone(tape: Tape, changes: Sequence[int] = ()) -> tuple[Ppm, ...]:
    """
    Return the price of each channel that would earn most if it never ran dry.
    """
    steps = (0, *(day * STEPS_A_DAY for day in changes), tape.steps)
    best = (
        int(np.argmax(PRICES * tape.market.share(channel, PRICES, slice(first, end))))
        for first, end in pairwise(steps)
        for channel in range(tape.channels)
    )
    return tuple(Ppm(int(PRICES[place])) for place in best)


def best_static(
    tape: Tape,
    worth: Worth | None = None,
    starts: Sequence[Sequence[float]] = (),
    changes: Sequence[int] = (),
) -> Vector:
    """
    Return the best vector of prices that coordinate ascent finds from `alone` or one of *starts*;
    prices may be others after each day of *changes*.

    It is a strong reference and no bound: it fits the tape when there are few payments, and a
    policy that moves its prices may earn more.
    """
    replay = Replay(tape, worth, changes)
    begin = [alone(tape, changes), *(tuple(Ppm(round(ppm)) for ppm in start) for start in starts)]
    prices = max(begin, key=replay.net_msat)
    best = replay.net_msat(prices)
    for _ in range(_MOST_SWEEPS):
        before = best
        for place in range(len(prices)):
            for factor in _FACTORS:
                price = Ppm(min(max(round(prices[place] * factor), 1), HIGHEST))
                other = (*prices[:place], price, *prices[place + 1 :])
                earned = replay.net_msat(other)
                if earned > best:
                    best, prices = earned, other
        if best == before:
            break
    return Vector(ppm=prices, net_msat=best, by_day=replay.by_day(prices))
