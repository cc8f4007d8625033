"""Vegas reflex: while on-chain fees spike, liquidity that would be dear to replace is dear."""

import math
from bisect import bisect
from collections.abc import Sequence
from operator import attrgetter
from statistics import median
from typing import Final

from revops.core.amend import amended
from revops.core.config import Config
from revops.core.fees.quote import ChannelView, Context, Mode, Quote
from revops.core.memory import VegasMemory
from revops.core.reasons import Code, Reason, because
from revops.core.snapshot import FeerateSample
from revops.core.units import DAY, Instant, Ppm

FEWEST_SAMPLES: Final = 6
NEWEST_LEFT_OUT: Final = 2
HOT: Final = 2.0
VERY_HOT: Final = 4.0
CALM: Final = 1.5
HOT_SAMPLES: Final = 2
# 5 sat/vB: a doubling of next to nothing is no event.
LEAST_RISE_PERKW: Final = 5 * 250
NEGLIGIBLE: Final = 0.01
WAKES: Final = 0.5
"""Intensity at which channels without a gradient are woken."""
_at: Final = attrgetter("at")


def reflex(
    memory: VegasMemory, samples: Sequence[FeerateSample], now: Instant, config: Config
) -> tuple[VegasMemory, Reason | None]:
    """
    Return how the node reacts after the newest of *samples*, and why; `None` when switched off.
    """
    if not config.vegas_reflex:
        return VegasMemory(), None
    day = between(samples, now - DAY, now)
    if len(day) < FEWEST_SAMPLES:
        return VegasMemory(), because(Code.VEGAS_BLIND, samples=len(day), needed=FEWEST_SAMPLES)
    usual = median(sample.perkw for sample in day[:-NEWEST_LEFT_OUT])
    newest = day[-1]
    ratio = newest.perkw / usual
    if memory.sample_at is None or newest.at > memory.sample_at:
        hot = ratio >= HOT and newest.perkw - usual >= LEAST_RISE_PERKW
        memory = _reacted(memory, newest.at, ratio, hot=hot, config=config)
    return memory, _said(memory, ratio, usual)


def between(samples: Sequence[FeerateSample], since: int, until: int) -> Sequence[FeerateSample]:
    """
    Return those of *samples*, which are in their order, that came after *since*, up to *until*.
    """
    return samples[bisect(samples, since, key=_at) : bisect(samples, until, key=_at)]


def _reacted(
    memory: VegasMemory, at: Instant, ratio: float, *, hot: bool, config: Config
) -> VegasMemory:
    hits = min(memory.hot + 1, HOT_SAMPLES) if hot else 0
    seen = amended(memory, sample_at=at, hot=hits)
    if hot and (hits >= HOT_SAMPLES or ratio >= VERY_HOT):
        intensity = min(1.0, max(memory.intensity, (ratio - 1) / 3))
        return amended(seen, intensity=intensity, spiking=True)
    if ratio > CALM:
        return seen
    intervals = (at - (memory.sample_at or at)) / config.fee_interval
    intensity = memory.intensity * config.vegas_decay**intervals
    return amended(seen, intensity=intensity if intensity >= NEGLIGIBLE else 0.0, spiking=False)


def _said(memory: VegasMemory, ratio: float, usual: float) -> Reason:
    if memory.spiking:
        return because(Code.VEGAS_SPIKE, ratio=ratio, median=usual, intensity=memory.intensity)
    if memory.intensity:
        return because(Code.VEGAS_DECAY, ratio=ratio, intensity=memory.intensity)
    return because(Code.VEGAS_CALM, ratio=ratio)


def multiplier(intensity: float) -> float:
    """
    Return how many times a floor rises at *intensity*: 1 to 3.
    """
    return 1 + 2 * math.sqrt(intensity)


def vegas(quote: Quote, view: ChannelView, context: Context) -> Quote:  # noqa: ARG001 -- the shape of a stage
    """
    Raise the floor while the reflex lasts.
    """
    if quote.mode is not Mode.LEARNED or not context.vegas:
        return quote
    factor = multiplier(context.vegas)
    floor = Ppm(min(math.ceil(quote.floor * factor), quote.ceiling))
    # A price that the raised floor leaves alone goes on being tried out.
    by = "vegas" if quote.price < floor else ""
    facts = {"factor": factor, "floor": floor}
    return quote.because(Code.VEGAS_FLOOR, facts, floor=floor, disturbed=quote.disturbed or by)
