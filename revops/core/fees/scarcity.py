"""Scarcity: the last sats on our side are the dearest."""

from typing import Final

from revops.core.fees.quote import ChannelView, Context, Mode, Quote
from revops.core.policy import MULTIPLIERS
from revops.core.reasons import Code, Facts
from revops.core.units import DAY

STEEPNESS: Final = 3.0
"""How many times the price an empty channel charges."""
AMNESTY_FORWARDS: Final = 3
AMNESTY_S: Final = 14 * DAY


def multiplier(share: float, threshold: float) -> float:
    """
    Return `3^((t - s)/t)`: 1 from the threshold up, 3 with nothing left, exponential between.
    """
    return float(STEEPNESS ** max(0.0, (threshold - share) / threshold))


def scarcity(quote: Quote, view: ChannelView, context: Context) -> Quote:
    """
    Multiply the price of a channel whose peer has most of the liquidity, unless the peer opened
    it lately and nothing could have left yet.
    """
    if quote.mode is not Mode.LEARNED:
        return quote
    share, threshold = view.peer.share, context.config.scarcity_threshold
    if context.config.scarcity_pricing and share < threshold:
        spared = amnesty(view)
        if spared:
            quote = quote.because(Code.AMNESTY, {"share": share, **spared})
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


def amnesty(view: ChannelView) -> Facts | None:
    """
    Return what spares a channel that the peer opened lately, and by which nothing could have left
    yet; `None` for any other.
    """
    traffic = view.channel.traffic
    # Unknown traffic is no proof that nothing has left.
    if traffic is None or view.channel.opener != "remote":
        return None
    if traffic.out_count >= AMNESTY_FORWARDS or view.age_s >= AMNESTY_S:
        return None
    return {"out_count": traffic.out_count, "days": (AMNESTY_S - view.age_s) / DAY}


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
