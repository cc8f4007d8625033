"""The predecessor: cl_revenue_ops 2.x, which averages the prices it drew at random."""

import math
from collections import deque
from statistics import NormalDist
from typing import Final

import attrs

from revops.core.chance import draw
from revops.core.units import MILLION, Msat, Ppm
from revops.simulate.arena.market import STEP_S
from revops.simulate.arena.play import HIGHEST, Observation, Orders, Start
from revops.simulate.arena.rivals.common import settled, shares

_PRIOR_PPM, _PRIOR_SD = 200.0, 100.0
_FEW: Final = 3
_WIDER_AT_FIRST: Final = 1.5
_WIDER: Final = 1.275
_LEAST_SD: Final = 10.0
_LEAST_WEIGHT: Final = 0.1
_HALF_LIFE_H: Final = 168
_MOST_SEEN: Final = 200
_FLOOR_PPM: Final = 21
_PER_SAT_VB: Final = 3
_BALANCE_FLOORS: Final = ((0.10, 500), (0.25, 200))
_BUCKETS: Final = ((0.1, 3.0), (0.25, 2.0), (0.4, 1.25), (0.6, 1.0), (0.75, 0.85), (0.9, 0.7))
_FULLEST: Final = 0.5
_SCARCE: Final = 0.35
_FAILURES: Final = 3
_SUCCESSES: Final = 10
_TOLD: Final = 0.05
_NORMAL: Final = NormalDist()


@attrs.define
class _Channel:
    """
    What it remembers of a channel.

    Attributes:
        seen: The weights of the prices it tried, each as of hour 0, and those prices.
        sums: Of the weights, and of these times the price and its square.
    """

    seen: deque[tuple[float, float]] = attrs.field(factory=deque)
    sums: list[float] = attrs.field(factory=lambda: [0.0, 0.0, 0.0])
    count: int = 0
    volume: int = 0
    since: float | None = None
    modifier: float = 1.0
    failures: int = 0
    successes: int = 0

    def observe(self, ppm: float, rate: float, hours: float, hour: float) -> None:
        """
        Remember that *ppm* brought *rate* sat an hour, for the last 200 of them.
        """
        weight = max(0.01, min(1, hours / 6) * min(1, (rate + 1) / 100))
        weight *= min(2, (rate + 10) / 50) * 2 ** (hour / _HALF_LIFE_H)
        self.seen.append((weight, ppm))
        self._add(weight, ppm)
        if len(self.seen) > _MOST_SEEN:
            weight, ppm = self.seen.popleft()
            self._add(-weight, ppm)

    def _add(self, weight: float, ppm: float) -> None:
        for power in range(3):
            self.sums[power] += weight * ppm**power

    def succeeded(self) -> None:
        """
        Adjust the modifier to whether anybody paid: up by little, down by much.
        """
        if self.count:
            self.successes, self.failures = self.successes + 1, 0
            if self.successes >= _SUCCESSES and self.modifier < 1:
                self.successes, self.modifier = 0, min(1.5, self.modifier + 0.02)
        else:
            self.failures, self.successes = self.failures + 1, 0
            if self.failures >= _FAILURES:
                self.failures, self.modifier = 0, max(0.5, self.modifier * 0.85)

    def posterior(self, hour: float) -> tuple[float, float]:
        """
        Return the mean and deviation of the prices it tried, weighted by what they brought.
        """
        total, first, second = self.sums
        if total * 0.5 ** (hour / _HALF_LIFE_H) <= _LEAST_WEIGHT:
            return _PRIOR_PPM, _PRIOR_SD
        prior = max(0.1, 1 / (1 + len(self.seen) / 10))
        mean = first / total
        deviation = max(math.sqrt(max(second / total - mean * mean, 0.0)), _LEAST_SD)
        return (
            (1 - prior) * mean + prior * _PRIOR_PPM,
            max((1 - prior) * deviation + prior * _PRIOR_SD, _LEAST_SD),
        )


class Predecessor:
    """
    Its pricing without a hive: each hour a draw around the mean of the prices tried, within floors
    by balance, told when it is off by 5 %.
    """

    HOURS: Final = 1.0

    def __init__(self, start: Start) -> None:
        self._seed = start.seed
        self._channels = [_Channel() for _ in start.capacity]

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices that it would set.
        """
        for passed in settled(seen):
            channel = self._channels[passed.out]
            channel.count += 1
            channel.volume += passed.amount_msat
        hour = seen.step * STEP_S / 3600
        fees = {}
        for number, (channel, share) in enumerate(zip(self._channels, shares(seen), strict=True)):
            if channel.since is not None and hour - channel.since < self.HOURS:
                continue
            new = self._priced(number, share, seen, hour)
            channel.count, channel.volume, channel.since = 0, Msat(0), hour
            old = seen.fee_ppm[number]
            if abs(new - old) > _TOLD * old or old <= 1:
                fees[number] = new
        return Orders(fees)

    def _priced(self, number: int, share: float, seen: Observation, hour: float) -> Ppm:
        channel, old = self._channels[number], seen.fee_ppm[number]
        if channel.since is not None:
            hours = hour - channel.since
            rate = channel.volume * old // MILLION // 1000 / hours
            channel.observe(old, rate, hours, hour)
            channel.succeeded()
        mean, deviation = channel.posterior(hour)
        wider = _WIDER * (_WIDER_AT_FIRST if len(channel.seen) < _FEW else 1.0)
        chance = draw(self._seed, "predecessor", str(number), str(seen.step))
        drawn = mean + deviation * wider * _NORMAL.inv_cdf(min(max(chance, 1e-6), 1 - 1e-6))
        scarce = 1 + 2 * (1 - share / _SCARCE) if share < _SCARCE else 1.0
        floor = _floor(share, seen.perkw)
        return Ppm(min(max(round(drawn * channel.modifier * scarce), floor), HIGHEST))


def _floor(share: float, perkw: int) -> int:
    """
    Return what the chain and the balance ask for at least.
    """
    chain = max(_FLOOR_PPM, round(_PER_SAT_VB * perkw / 250))
    balance = next((ppm for most, ppm in _BALANCE_FLOORS if share < most), 0)
    bucket = next((factor for most, factor in _BUCKETS if share < most), _FULLEST)
    return min(int(max(chain, balance) * bucket), HIGHEST)
