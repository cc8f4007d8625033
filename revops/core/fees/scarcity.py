"""Scarcity: the last sats on our side are the dearest."""

from typing import Final

from revops.core.fees.quote import ChannelView, Context, Mode, Quote
from revops.core.policy import MULTIPLIERS
from revops.core.reasons import Code
from revops.core.units import DAY

STEEPNESS: Final = 3.0
"""How many times the price an empty channel charges."""
AMNESTY_FORWARDS: Final = 3
AMNESTY_S: Final = 14 * DAY


def multiplier(share: float, threshold: float) -> float:
    """
    Return `3^((t - s)/t)`: 1 from the threshold up, 3 with nothing left, exponential between.
    """
    return float(STEEPNESS ** ((threshold - share) / threshold)) if share < threshold else 1.0


def scarcity(quote: Quote, view: ChannelView, context: Context) -> Quote:
    """
    Multiply the price of a channel whose peer has most of the liquidity, unless the peer opened
    it lately and nothing could have left yet.
    """
    if quote.mode is not Mode.LEARNED:
        return quote
    share, threshold = view.peer.share, context.config.scarcity_threshold
    if context.config.scarcity_pricing and share < threshold:
        if amnestied(view):
            quote = quote.because(
                Code.AMNESTY,
                {
                    "share": share,
                    "out_count": view.channel.traffic.out_count if view.channel.traffic else 0,
                    "days": (AMNESTY_S - view.age_s) / DAY,
                },
            )
        else:
            factor = multiplier(share, threshold)
            facts = {"share": share, "threshold": threshold, "factor": factor}
            quote = quote.because(
                Code.SCARCITY,
                facts,
                factor=quote.factor * factor,
                disturbed=quote.disturbed or "scarcity",
            )
    return _within_policy(quote, view)


def amnestied(view: ChannelView) -> bool:
    """
    Return whether the peer opened the channel lately, and nothing could have left yet.
    """
    traffic = view.channel.traffic
    return (
        view.channel.opener == "remote"
        # Unknown traffic is no proof that nothing has left.
        and traffic is not None
        and traffic.out_count < AMNESTY_FORWARDS
        and view.age_s < AMNESTY_S
    )


def _within_policy(quote: Quote, view: ChannelView) -> Quote:
    least, most = MULTIPLIERS
    low = view.policy.fee_multiplier_min or least
    high = view.policy.fee_multiplier_max or most
    factor = min(max(quote.factor, low), high)
    if factor == quote.factor:
        return quote
    facts = {"low": low, "high": high, "factor": factor}
    balance = min(max(quote.balance, low), high)
    return quote.because(Code.MULTIPLIER, facts, factor=factor, balance=balance)
