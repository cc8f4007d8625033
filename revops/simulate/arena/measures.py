"""Measures: what a run was worth, and whether one policy is better than another."""

import math
from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from scipy.stats import bootstrap

from revops.core.units import Msat
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.play import Run
from revops.simulate.arena.worth import Worth

EARLY_DAYS: Final = 14
RESAMPLES: Final = 10_000
CONFIDENCE: Final = 0.95
# A run that lost money counts as one that earned this share of the bound: ratios need a sign.
LEAST_SHARE: Final = 0.001


@attrs.frozen(kw_only=True)
class Score:
    """
    What one run came to.

    Attributes:
        income_msat, spent_msat: Fees earned, refills paid.
        left_msat: What liquidity is worth more at the end than at the beginning.
        early_msat: What the first 14 days earned less refills.
        updates: Fee updates a channel and day, on average.
        most_updates: Of one channel in one day.
        depleted, saturated: Share of the time of all channels.
        refused: Payments that came and could not leave.
        violations: Orders out of bounds.
        held: Updates over the limit.
    """

    income_msat: Msat
    spent_msat: Msat
    left_msat: Msat
    early_msat: Msat
    updates: float
    most_updates: int
    depleted: float
    saturated: float
    refills: int
    refused: int
    violations: int
    held: int

    @property
    def net_msat(self) -> Msat:
        """
        Return what the run earned, with what it leaves behind.
        """
        return Msat(self.income_msat - self.spent_msat + self.left_msat)


def score_of(run: Run, worth: Worth) -> Score:
    """
    Return what *run* came to, with liquidity at its *worth*.
    """
    world, ledger = run.world, run.world.ledger
    days, channels = world.step / STEPS_A_DAY, world.tape.channels
    looks = ledger.steps * channels
    early = range(EARLY_DAYS)
    return Score(
        income_msat=ledger.income_msat,
        spent_msat=ledger.spent_msat,
        left_msat=worth.change(world.tape.local, world.local),
        early_msat=Msat(sum(ledger.income_by_day[day] - ledger.spent_by_day[day] for day in early)),
        updates=sum(ledger.updates.values()) / (channels * days),
        most_updates=max(ledger.updates.values(), default=0),
        depleted=sum(ledger.depleted) / looks,
        saturated=sum(ledger.saturated) / looks,
        refills=sum(ledger.refills),
        refused=sum(ledger.refused),
        violations=run.violations,
        held=run.held,
    )


@attrs.frozen(kw_only=True)
class Lead:
    """
    By how much one policy is ahead of another on the same tapes.

    Attributes:
        mean: Of the logarithms of the ratio of what they earned.
        low, high: Where the mean is with a confidence of 95 %.
        wins: Share of the tapes on which it earned more; a tie is half a win.
    """

    mean: float
    low: float
    high: float
    wins: float


def lead(mine: Sequence[float], theirs: Sequence[float], bounds: Sequence[float]) -> Lead:
    """
    Return how far *mine* is ahead of *theirs*, tape by tape; *bounds* are the most that each tape
    allows.
    """
    ratios = [
        math.log(max(a, LEAST_SHARE * bound) / max(b, LEAST_SHARE * bound))
        for a, b, bound in zip(mine, theirs, bounds, strict=True)
    ]
    wins = [(a > b) + (a == b) / 2 for a, b in zip(mine, theirs, strict=True)]
    low, high = interval(ratios)
    return Lead(mean=float(np.mean(ratios)), low=low, high=high, wins=float(np.mean(wins)))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """
    Return where the mean of *values* is, by the BCa bootstrap: the same each time.
    """
    if len(set(values)) == 1:
        return values[0], values[0]
    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def marginal_roi(with_refills: Score, without: Score) -> float | None:
    """
    Return what a sat spent on refills brought beyond itself, on the same tape; `None` when nothing
    was spent.
    """
    if not with_refills.spent_msat:
        return None
    gained = with_refills.net_msat - without.net_msat
    return gained / with_refills.spent_msat
