"""Measures: what a run was worth, and whether one policy is better than another."""

import math
from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from scipy.stats import bootstrap, permutation_test

from revops.core.units import Msat
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.play import Run
from revops.simulate.arena.worth import Worth

EARLY_DAYS: Final = 14
RESAMPLES: Final = 10_000
FLIPS: Final = 20_000
CONFIDENCE: Final = 0.95
WORST_PERCENT: Final = 5
# A run that lost money counts as one that earned this share of the bound: ratios need a sign.
LEAST_SHARE: Final = 0.001


@attrs.frozen(kw_only=True)
class Score:
    """
    What one run came to.

    Attributes:
        income_msat, spent_msat: Fees earned, refills paid.
        left_msat: What liquidity is worth more at the end than at the beginning.
        by_day: What each day earned less what it spent on refills.
        worst_msat: The same of a channel and day, averaged over the worst 5 % of them.
        missed_msat: What payments would have paid that came and could not leave.
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
    by_day: tuple[Msat, ...]
    worst_msat: float
    missed_msat: Msat
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

    @property
    def early_msat(self) -> Msat:
        """
        Return what the first days earned, in which there is most to learn.
        """
        return Msat(sum(self.by_day[:EARLY_DAYS]))

    @property
    def late_msat(self) -> Msat:
        """
        Return what the days after those earned.
        """
        return Msat(sum(self.by_day[EARLY_DAYS:]))


def score_of(run: Run, worth: Worth) -> Score:
    """
    Return what *run* came to, with liquidity at its *worth*.
    """
    world, ledger = run.world, run.world.ledger
    days, channels = world.step / STEPS_A_DAY, world.tape.channels
    looks = ledger.steps * channels
    income, spent = ledger.income_by_day, ledger.spent_by_day
    return Score(
        income_msat=ledger.income_msat,
        spent_msat=ledger.spent_msat,
        left_msat=worth.change(world.tape.local, world.local),
        by_day=tuple(Msat(income[day] - spent[day]) for day in range(world.tape.scenario.days)),
        worst_msat=_worst(list(ledger.net_by.values()), channels * world.tape.scenario.days),
        missed_msat=Msat(ledger.missed_msat),
        updates=sum(ledger.updates.values()) / (channels * days),
        most_updates=max(ledger.updates.values(), default=0),
        depleted=sum(ledger.depleted) / looks,
        saturated=sum(ledger.saturated) / looks,
        refills=sum(ledger.refills),
        refused=sum(ledger.refused),
        violations=run.violations,
        held=run.held,
    )


def _worst(moved: list[int], count: int) -> float:
    """
    Return the mean of the worst of *count* channels and days, of which those not in *moved* earned
    and spent nothing.
    """
    worst = max(count * WORST_PERCENT // 100, 1)
    ordered = sorted([*moved, *[0] * (count - len(moved))])
    return sum(ordered[:worst]) / worst


@attrs.frozen
class Mean:
    """
    A mean over tapes.

    Attributes:
        low, high: Where it is with a confidence of 95 %; `None` for a single tape.
    """

    mean: float
    low: float | None = None
    high: float | None = None


@attrs.frozen(kw_only=True)
class Lead:
    """
    By how much one policy is ahead of another on the same tapes.

    Attributes:
        ratio: The logarithm of the ratio of what they earned.
        wins: Share of the tapes on which it earned more; a tie is half a win.
        chance: Of a mean as far from nothing if either policy were as good as the other.
    """

    ratio: Mean
    wins: float
    chance: float


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
    return Lead(ratio=mean_of(ratios), wins=float(np.mean(wins)), chance=chance_of(ratios))


def mean_of(values: Sequence[float]) -> Mean:
    """
    Return the mean of *values* and where it is, by the BCa bootstrap: the same each time.
    """
    return share_of(values, [1.0] * len(values))


def share_of(parts: Sequence[float], wholes: Sequence[float]) -> Mean:
    """
    Return the sum of *parts* over that of *wholes*, and where it is.
    """
    shares = {part / whole for part, whole in zip(parts, wholes, strict=True)}
    share = sum(parts) / sum(wholes)
    if len(shares) == 1:
        return Mean(share, share, share) if len(parts) > 1 else Mean(share)
    found = bootstrap(
        (parts, wholes),
        lambda part, whole, axis: part.sum(axis=axis) / whole.sum(axis=axis),
        paired=True,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Mean(share, float(found.low), float(found.high))


def chance_of(values: Sequence[float]) -> float:
    """
    Return how often the mean of *values* would be as far from nothing if the sign of each were
    chance: all signs are tried, or 20 000 of them, the same each time.
    """
    if len(values) == 1:
        return 1.0
    found = permutation_test(
        (np.array(values),),
        lambda flipped, axis: flipped.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


def holm(chances: Sequence[float]) -> list[float]:
    """
    Return *chances* corrected for how many there are: the k-th smallest of n times n - k + 1, and
    none below a smaller one.
    """
    corrected = [0.0] * len(chances)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        least = max(least, min(chances[place] * (len(chances) - rank), 1.0))
        corrected[place] = least
    return corrected


def marginal_roi(with_refills: Sequence[Score], without: Sequence[Score]) -> Mean | None:
    """
    Return what a sat spent on refills brought beyond itself, tape by tape beside the same policy
    without them; `None` when nothing was spent.
    """
    pairs = [(a, b) for a, b in zip(with_refills, without, strict=True) if a.spent_msat]
    if not pairs:
        return None
    gains = [float(a.net_msat - b.net_msat) for a, b in pairs]
    return share_of(gains, [float(a.spent_msat) for a, _ in pairs])
