"""Balance: a channel is dearer the less of it is ours, so that its price finds what clears it."""

from typing import Final

from revops.core.fees.quote import ChannelView, Context, Mode, Quote
from revops.core.fees.scarcity import amnesty
from revops.core.reasons import Code

EVEN: Final = 0.5
PULL: Final = 0.5
"""How much of what the channels want that payments come in by counts against the way out."""


def balance(quote: Quote, view: ChannelView, context: Context) -> Quote:
    """
    Multiply the learned price by `B^(need - PULL x need of the ways in)`, a need being 1/2 less
    the share that is ours.

    A sat that leaves here comes in elsewhere: its price is what it is worth here less what it is
    worth there.
    """
    strength = context.config.balance_factor
    if quote.mode is not Mode.LEARNED or strength == 1 or amnesty(view):
        return quote
    share, entry = view.peer.share, context.inflow.share_without(view)
    factor = strength ** ((EVEN - share) - PULL * (EVEN - entry))
    facts = {"share": share, "entry": entry, "factor": factor}
    return quote.because(Code.BALANCE, facts, factor=quote.factor * factor, balance=factor)
