"""Congestion: the last HTLC slots go to those who pay the ceiling."""

from typing import Final

from revops.core.amend import amended
from revops.core.fees.quote import ChannelView, Context, Mode, Quote
from revops.core.memory import FeeMemory
from revops.core.reasons import Code, Facts

# Leaves well below where it enters, so that one settled HTLC does not flip the price.
LEAVE_SHARE: Final = 0.75
CALM_CYCLES: Final = 2


def congestion(quote: Quote, view: ChannelView, context: Context) -> Quote:
    """
    Price a channel with hardly a free HTLC slot at its ceiling, at once, until slots are free
    again for two cycles.
    """
    channel, memory = view.channel, quote.memory
    if quote.mode is not Mode.LEARNED or channel.max_htlcs is None:
        return quote
    used = max(channel.htlcs_in, channel.htlcs_out)
    threshold = context.config.htlc_congestion_threshold
    if used > threshold * channel.max_htlcs:
        facts = {
            "used": used,
            "slots": channel.max_htlcs,
            "threshold": threshold,
            "ceiling": quote.ceiling,
        }
        congested = amended(memory, congested=True, calm=0)
        return _at_ceiling(quote, Code.CONGESTED, facts, congested)
    if not memory.congested:
        return quote
    calm = memory.calm
    if context.advanced:
        calm = (
            min(calm + 1, CALM_CYCLES) if used <= LEAVE_SHARE * threshold * channel.max_htlcs else 0
        )
    if calm >= CALM_CYCLES:
        # The ceiling was no price that anybody searched for: back in one step.
        over = amended(memory, congested=False, calm=0)
        return quote.amended(memory=over, unlimited=True, urgent=True)
    facts = {"calm": calm, "needed": CALM_CYCLES}
    return _at_ceiling(quote, Code.CONGESTION_EASES, facts, amended(memory, calm=calm))


def _at_ceiling(quote: Quote, code: Code, facts: Facts, memory: FeeMemory) -> Quote:
    return quote.because(
        code,
        facts,
        memory=memory,
        at_ceiling=True,
        urgent=True,
        unlimited=True,
        disturbed="congestion",
    )
