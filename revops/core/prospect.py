"""Prospect: what a channel is expected to earn a day at one price and another, and how surely."""

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from revops.core.config import Config
from revops.core.demand import RUNG, RUNGS, Belief, believed
from revops.core.fees.climb import dispersion
from revops.core.fees.posterior import prior_of
from revops.core.fees.quote import ChannelView, Context
from revops.core.memory import Price
from revops.core.prepare import prepared
from revops.core.snapshot import Snapshot, Traffic
from revops.core.units import MILLION, ChannelId, Msat

_LIKELY_SD: Final = 1.2816
"""Four times in five, a normal distribution is so many standard deviations from its mean."""

Prices = tuple[Price, Price]
"""The live one, and the other."""


@attrs.frozen(kw_only=True)
class Prospect:
    """
    What is expected of another price, for each day in which the channel can forward. Four times in
    five the truth is within *low_msat* and *high_msat*, as far as the belief in demand goes.

    Attributes:
        live_msat, other_msat: Income at the live price, and at the other.
        gain_msat: What the other brings more.
    """

    live_msat: Msat
    other_msat: Msat
    gain_msat: Msat
    low_msat: Msat
    high_msat: Msat


@attrs.frozen
class _Gain:
    """
    Expected msat a day, and the variance of their difference.
    """

    live: float
    other: float
    variance: float

    def __add__(self, more: "_Gain") -> "_Gain":
        return _Gain(self.live + more.live, self.other + more.other, self.variance + more.variance)

    def prospect(self) -> Prospect:
        gain, spread = self.other - self.live, _LIKELY_SD * math.sqrt(self.variance)
        return Prospect(
            live_msat=Msat(round(self.live)),
            other_msat=Msat(round(self.other)),
            gain_msat=Msat(round(gain)),
            low_msat=Msat(math.floor(gain - spread)),
            high_msat=Msat(math.ceil(gain + spread)),
        )


def prospects(
    snapshot: Snapshot, config: Config, prices: Mapping[ChannelId, Prices]
) -> tuple[Mapping[ChannelId, Prospect], Prospect]:
    """
    Return what to expect of each channel of *snapshot* at its *prices*, and of all of them
    together, taken for independent; a channel without evidence is left out.
    """
    ready = prepared(snapshot, config)
    found = {
        view.channel.channel_id: gain
        for view in ready.views
        if (pair := prices.get(view.channel.channel_id))
        and (gain := _gain(view, ready.context, pair))
    }
    total = sum(found.values(), start=_Gain(0.0, 0.0, 0.0))
    return {key: gain.prospect() for key, gain in found.items()}, total.prospect()


def _gain(view: ChannelView, context: Context, prices: Prices) -> _Gain | None:
    """
    Return the mean and variance over the demand curves that are believed in; `None` where nothing
    was tried, or nobody came.
    """
    traffic, tried = view.channel.traffic, view.memory.tried
    amount = _amount(traffic) if traffic else None
    if traffic is None or amount is None or not any(one.count for one in tried):
        return None
    prior, spread = prior_of(view, context), dispersion(traffic)
    belief = believed(tried, prior, spread)
    shape = prior.shape + sum(one.count for one in tried) / spread
    live, other = (_incomes(belief, price, amount) for price in prices)
    gains = [after - before for before, after in zip(live, other, strict=True)]
    mean = _mean(belief, gains)
    # The rate of each curve is Gamma distributed: its variance is its mean squared by the shape.
    square = _mean(belief, (gain * gain for gain in gains)) * (1 + 1 / shape)
    return _Gain(_mean(belief, live), _mean(belief, other), max(0.0, square - mean * mean))


def _amount(traffic: Traffic) -> float | None:
    count = sum(day.out_count for day in traffic.days)
    return sum(day.out_msat for day in traffic.days) / count if count else None


def _incomes(belief: Belief, price: Price, amount: float) -> list[float]:
    """
    Return the income a day under each curve of *belief*.
    """
    fee = price.base_fee_msat + amount * price.fee_ppm / MILLION
    # A forward pays base fee and rate together, and prices between two rungs differ as well.
    ppm = max(fee / amount * MILLION, 1.0)
    place = min(math.log(ppm) / RUNG, RUNGS - 1.0)
    below = min(int(place), RUNGS - 2)
    part = place - below
    return [
        fee * rate * (_share(column, below) * (1 - part) + _share(column, below + 1) * part)
        for rate, column in zip(belief.rates, belief.columns, strict=True)
    ]


@functools.cache
def _share(column: int, rung: int) -> float:
    """
    Return the share of all payments that comes at the price of a rung, under one curve.
    """
    return Belief((1.0,), (1.0,), (column,), ((1.0, column),)).on_rung(rung)


def _mean(belief: Belief, values: Iterable[float]) -> float:
    return math.fsum(weight * value for weight, value in zip(belief.weights, values, strict=True))
