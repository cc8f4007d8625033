"""Advice: what could be done about a channel's size, why, and in which words."""

import enum
from typing import Final

import attrs

from revops.core import checks
from revops.core.ledger import Looks
from revops.core.profit import Assessment
from revops.core.reasons import Fact
from revops.core.snapshot import Channel
from revops.core.units import DAY, ChannelId, Msat, Ppm
from revops.core.value import Demand, demand_of

_ENOUGH_LOOKS: Final = 24
"""A day of them, an hour apart."""


class Step(str, enum.Enum):
    """
    What is advised.
    """

    SPLICE_IN = "splice_in"
    LARGER_CHANNEL = "larger_channel"
    SPLICE_OUT = "splice_out"
    CLOSE = "close"


class Remark(str, enum.Enum):
    """
    What speaks for an advice, or for waiting with it.
    """

    REFILLS_PAY = "refills_pay"
    BUSY = "busy"
    RUNS_DRY = "runs_dry"
    WOULD_SELL = "would_sell"
    LOSES = "loses"
    NO_ENTRY = "no_entry"
    IDLE = "idle"
    CHAIN_COST = "chain_cost"
    CHAIN_DEAR = "chain_dear"
    CHAIN_UNKNOWN = "chain_unknown"


REMARKS: Final[dict[Remark, str]] = {
    Remark.REFILLS_PAY: "the marginal ROI of refills is {roi:+.0%}; above {needed:+.0%} a channel"
    " deserves more",
    Remark.BUSY: "{sats} sat left a day (target-flow {target}); {turnover:.1%} of the capacity"
    " moved a day, as much as in the node's top quarter",
    Remark.RUNS_DRY: "{share:.0%} of the time it was short of liquidity (low-liquidity-threshold)",
    Remark.WOULD_SELL: "{sats} sat more would bring {gain_sats} sat in {days} days at {ppm} ppm",
    Remark.LOSES: "{profit_class}: it earned {earned_sats} sat and cost {cost_sats} sat",
    Remark.NO_ENTRY: "forwards that entered here brought {sourced_sats} sat: it does not pay as an"
    " entry either",
    Remark.IDLE: "{sats} sat on our side are more than {days} days would take",
    Remark.CHAIN_COST: "the transaction costs about {sats} sat at {sat_vb:.1f} sat/vB",
    Remark.CHAIN_DEAR: "wait: {sat_vb:.1f} sat/vB is above {limit:.0f}",
    Remark.CHAIN_UNKNOWN: "wait: the node gave no feerates, what the transaction costs is unknown",
}
"""The sentence for each remark."""


@attrs.frozen
class Note:
    """
    A remark with its numbers.
    """

    remark: Remark
    facts: tuple[tuple[str, Fact], ...]


def remarked(remark: Remark, **facts: Fact) -> Note:
    """
    Return a Note with *facts* as they are named.
    """
    return Note(remark, tuple(facts.items()))


def told(note: Note) -> str:
    """
    Return *note* in words.
    """
    return REMARKS[note.remark].format(**dict(note.facts))


@attrs.frozen(kw_only=True)
class Outlook:
    """
    What is known about an open channel beside its books; `None` is unknown.

    Attributes:
        fee_ppm: The price in force.
        short_share: Share of the watched time in which less than low-liquidity-threshold was ours.
        splices: Whether the peer can splice.
    """

    channel_id: ChannelId = attrs.field(validator=checks.hexadecimal(64))
    fee_ppm: Ppm = attrs.field(validator=checks.whole(0, 2**32 - 1))
    demand: Demand | None = None
    short_share: float | None = attrs.field(
        default=None, validator=checks.number(0, 1, optional=True)
    )
    splices: bool | None = None


def outlook_of(channel: Channel, looks: Looks | None, window_days: int) -> Outlook:
    """
    Return what is known about *channel*, of which traffic goes *window_days* back and which
    was found as *looks* say; a few of them say nothing.
    """
    demand = short = None
    if looks is not None and looks.count >= _ENOUGH_LOOKS:
        short = looks.short / looks.count
        if channel.traffic is not None:
            begin = (channel.traffic.until // DAY - window_days) * DAY
            seconds = channel.traffic.until - max(begin, channel.traffic.since)
            demand = demand_of(channel.traffic, seconds / DAY * looks.live / looks.count)
    return Outlook(
        channel_id=channel.channel_id, fee_ppm=channel.fee_ppm, demand=demand, short_share=short
    )


@attrs.frozen(kw_only=True)
class Advice:
    """
    What could be done about one channel, with its numbers.

    Attributes:
        amount_msat: What to add, or what comes free; `None` when unknown.
        gain_msat: What the addition is expected to bring within a horizon; 0 for losers.
        chain_msat: What the transaction costs at the present feerate; `None` when unknown.
        wait: On-chain fees are too high for it, or unknown.
    """

    assessment: Assessment
    step: Step
    amount_msat: Msat | None
    gain_msat: Msat = Msat(0)
    chain_msat: Msat | None
    wait: bool
    notes: tuple[Note, ...]


@attrs.frozen(kw_only=True)
class CapacityReport:
    """
    Winners, the most gain first, and losers, the largest loss first.
    """

    winners: tuple[Advice, ...]
    losers: tuple[Advice, ...]
