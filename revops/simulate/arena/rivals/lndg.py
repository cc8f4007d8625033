"""LNDg: autofees by steps of five ppm once a day, and auto-rebalance."""

from collections import deque
from typing import Final

import attrs

from revops.core.units import Msat, Ppm
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.play import Observation, Orders
from revops.simulate.arena.rivals.common import shares
from revops.simulate.arena.world import Refill

_WEEK_STEPS: Final = 7 * STEPS_A_DAY
_INCREMENT: Final = 5
_MULTIPLIER: Final = 5
_MOST: Final = 2500
_LOW, _EXCESS = 0.15, 0.95
_FAILED: Final = 25
_ASSISTED: Final = 10


@attrs.define
class _Flow:
    """
    What went through a channel in some time.
    """

    out_msat: int = 0
    in_msat: int = 0
    earned: int = 0
    sourced: int = 0
    refused: int = 0


def adjustment(share: float, week: _Flow, day: _Flow, capacity: Msat) -> float:
    """
    Return by how much the fee should change, in ppm.
    """
    step = _INCREMENT * _MULTIPLIER
    net = (week.out_msat - week.in_msat) / capacity
    idle = not week.out_msat and not week.in_msat
    if share <= _LOW:
        return step if day.refused > _FAILED and not day.in_msat else 0
    if share >= _EXCESS:
        helps = net < 0 and week.sourced > _ASSISTED * week.earned
        return -step if idle or helps else 0
    if idle:
        return -3 * _MULTIPLIER
    return 2 * _MULTIPLIER * (1 + net) if net > 1 else 0


class Lndg:
    """
    LNDg's prices, each day; and its rebalancer where that is asked for.
    """

    FULL: Final = 0.75
    SHORT: Final = 0.10
    DRAINS: Final = 1.1
    SHARE_PERCENT: Final = 65
    MOST_PPM: Final = 500
    CHUNK_PERCENT: Final = 3

    def __init__(self, *, rebalances: bool = False) -> None:
        self._rebalances = rebalances
        self._steps: deque[dict[int, _Flow]] = deque(maxlen=_WEEK_STEPS)
        self._rests: dict[int, int] = {}

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices once a day, and refills.
        """
        self._steps.append(_flows(seen))
        fees = self._fees(seen) if seen.step % STEPS_A_DAY == 0 else {}
        return Orders(fees, self._refills(seen) if self._rebalances else ())

    def _fees(self, seen: Observation) -> dict[int, Ppm]:
        fees = {}
        for channel, share in enumerate(shares(seen)):
            week, day = self._sum(channel, _WEEK_STEPS), self._sum(channel, STEPS_A_DAY)
            old = seen.fee_ppm[channel]
            off = adjustment(share, week, day, seen.capacity[channel])
            new = round((old + off) / _INCREMENT) * _INCREMENT
            if new != old and off:
                fees[channel] = Ppm(min(max(new, 0), _MOST))
        return fees

    def _sum(self, channel: int, steps: int) -> _Flow:
        total = _Flow()
        for step in list(self._steps)[-steps:]:
            if flow := step.get(channel):
                for name in _NAMES:
                    setattr(total, name, getattr(total, name) + getattr(flow, name))
        return total

    def _refills(self, seen: Observation) -> tuple[Refill, ...]:
        """
        Return refills of the channels that drain and are nearly empty, from the fullest one.
        """
        for result in seen.refilled:
            if not result.moved:
                self._rests[result.refill.target] = seen.step + 1
        parts = shares(seen)
        source = max(range(len(parts)), key=parts.__getitem__)
        if parts[source] < self.FULL:
            return ()
        return tuple(
            self._refill(seen, target, source)
            for target, share in enumerate(parts)
            if share <= self.SHORT and self._rests.get(target, 0) <= seen.step
            if self._drains(target)
        )

    def _drains(self, channel: int) -> bool:
        week = self._sum(channel, _WEEK_STEPS)
        return week.out_msat > self.DRAINS * week.in_msat

    def _refill(self, seen: Observation, target: int, source: int) -> Refill:
        amount = Msat(seen.capacity[target] * self.CHUNK_PERCENT // 100)
        own = seen.fee_ppm[target] * self.SHARE_PERCENT // 100
        return Refill(source, target, amount, Ppm(min(self.MOST_PPM, own)))


_NAMES: Final = tuple(field.name for field in attrs.fields(_Flow))


def _flows(seen: Observation) -> dict[int, _Flow]:
    flows: dict[int, _Flow] = {}
    for passed in seen.passed:
        out = flows.setdefault(passed.out, _Flow())
        if passed.status == "local_failed":
            out.refused += 1
        elif passed.status == "settled":
            out.out_msat += passed.amount_msat
            out.earned += passed.fee_msat
            into = flows.setdefault(passed.into, _Flow())
            into.in_msat += passed.amount_msat + passed.fee_msat
            into.sourced += passed.fee_msat
    return flows
