"""Fit: the demand that a node's own traffic tells of, as a distribution of what it may be."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from revops.core.snapshot import Channel, Snapshot
from revops.simulate.arena.dice import Dice
from revops.simulate.arena.market import STEPS_A_DAY, Market, ways_of
from revops.simulate.arena.spreads import Array, LogNormal
from revops.simulate.forecast import evidence
from revops.simulate.forecast.amounts import Amounts, amounts_of
from revops.simulate.forecast.beliefs import Beliefs, believed
from revops.simulate.forecast.evidence import Trial

NAME: Final = "forecast"
"""What the streams of chance are keyed by."""
THIN: Final = 20
"""Fewer forwards than these tell next to nothing of a channel's demand."""
_NAMED: Final = 3
_INWARD_SHAPE: Final = 0.5
_MOST_A_DAY: Final = 10_000.0
"""Payments that would leave by a channel if that cost nothing; nobody has seen as many."""
# The most that senders pay at all: evenly spread in its logarithm, and more where somebody did.
_LEAST_BUDGET: Final = 1_000.0
_MOST_BUDGET: Final = 10_000.0
_LEAST_RICH: Final = 0.02
PERKW: Final = 1_250
"""What the chain charges where nothing tells."""


@attrs.frozen(eq=False)
class Fit:
    """
    What may be true of the market that a node is in.

    Attributes:
        beliefs: The demand for each channel.
        inward: Shape and rate of what enters by each channel in a day.
        open: Which channels payments can flow through.
        perkw: What the chain charges.
        warnings: How far all this can be trusted.
        budget_ppm: The most that senders pay at all is drawn from here; no bound unless said.
    """

    beliefs: Beliefs
    inward: tuple[Array, Array]
    amounts: Amounts
    open: npt.NDArray[np.bool_]
    perkw: int
    warnings: tuple[str, ...]
    budget_ppm: tuple[float, float] = (1e7, 1e7)

    def drawn(self, seed: int, days: int) -> Market:
        """
        Return one of the markets that may be the true one, for so many *days*.
        """
        dice, steps = Dice(NAME, seed), days * STEPS_A_DAY
        laws, per_day = self.beliefs.drawn(dice.of("demand"))
        shape, rate = self.inward
        inward = dice.of("inward").standard_gamma(shape) / rate
        flat = np.broadcast_to(1.0, (steps, len(laws)))
        return Market(
            laws=laws,
            per_day=np.where(self.open, np.minimum(per_day, _MOST_A_DAY), 0.0),
            ways=ways_of(np.where(self.open, inward, 0.0)),
            level=flat,
            tempo=flat,
            going_ppm=np.array([law.going_ppm for law in laws]),
            amount_sat=LogNormal(1.0, self.amounts.sd),
            sizes=self.amounts.drawn(dice.of("sizes")),
            budget_ppm=self.budget_ppm,
            perkw=np.full(steps, float(self.perkw)),
        )


def fitted(snapshot: Snapshot) -> Fit:
    """
    Return what the traffic in *snapshot* tells.
    """
    channels = snapshot.channels
    first = evidence.first_day(snapshot)
    memories = {memory.channel_id: memory.fee for memory in snapshot.memory.channels}
    found = [evidence.trials(c, first, memories.get(c.channel_id)) for c in channels]
    paid = max((t.ppm for tried in found for t in tried if t.forwards), default=0.0)
    budget = _LEAST_BUDGET, max(_MOST_BUDGET, 2 * paid)
    able = np.array([evidence.usable(channel) for channel in channels], dtype=np.bool_)
    return Fit(
        beliefs=believed(channels, [_affordable(tried, budget) for tried in found]),
        inward=_inward(channels, first),
        amounts=amounts_of(channels),
        # Who has one channel forwards nothing.
        open=able & (able.sum() > 1),
        perkw=snapshot.feerates[-1].perkw if snapshot.feerates else PERKW,
        budget_ppm=budget,
        warnings=tuple(_warnings(channels, found)),
    )


def _affordable(tried: tuple[Trial, ...], budget: tuple[float, float]) -> tuple[Trial, ...]:
    """
    Return what was *tried* among those who could have paid: a day at a price that a third of the
    senders can pay tells as much of demand as a third of a day.
    """
    low, high = budget
    rich = (math.log(high / max(trial.ppm, low)) / math.log(high / low) for trial in tried)
    return tuple(
        trial._replace(days=trial.days * max(share, _LEAST_RICH))
        for trial, share in zip(tried, rich, strict=True)
    )


def _inward(channels: Sequence[Channel], first: int) -> tuple[Array, Array]:
    days = np.array([evidence.covered(channel, first) for channel in channels])
    count = np.array(
        [sum(day.in_count for day in c.traffic.days) if c.traffic else 0 for c in channels]
    )
    usual = (count.sum() + 1) / max(days.sum(), 1.0)
    return _INWARD_SHAPE + count, _INWARD_SHAPE / usual + days


def _warnings(channels: Sequence[Channel], found: Sequence[tuple[Trial, ...]]) -> Iterator[str]:
    able = [evidence.usable(channel) for channel in channels]
    thin = [
        channel.alias or channel.scid or channel.channel_id
        for channel, usable, tried in zip(channels, able, found, strict=True)
        if usable and evidence.came(tried) < THIN
    ]
    if thin:
        names = ", ".join(thin[:_NAMED])
        more = f" and {len(thin) - _NAMED} more" if len(thin) > _NAMED else ""
        yield (
            f"thin data: fewer than {THIN} forwards by {len(thin)} of {sum(able)} channels"
            f" ({names}{more}), whose demand is little more than a guess"
        )
    if not all(able):
        yield (
            f"{able.count(False)} of {len(channels)} channels cannot be used now,"
            " and stay as they are"
        )
