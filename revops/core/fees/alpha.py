"""The alpha sequence: the stages that make a price, in their order."""

from collections.abc import Callable
from typing import Final

from revops.core.fees.balance import balance
from revops.core.fees.congestion import congestion
from revops.core.fees.floors import bounds
from revops.core.fees.gossip import Proposal
from revops.core.fees.learn import learn
from revops.core.fees.quote import ChannelView, Context, Mode, Quote
from revops.core.fees.rails import proposed, rails
from revops.core.fees.scarcity import scarcity
from revops.core.fees.standing import standing
from revops.core.fees.vegas import vegas
from revops.core.units import Msat

Stage = Callable[[Quote, ChannelView, Context], Quote]

ALPHA: Final[tuple[Stage, ...]] = (
    standing,
    bounds,
    congestion,
    vegas,
    balance,
    scarcity,
    learn,
    rails,
)


def price(view: ChannelView, context: Context) -> Proposal:
    """
    Return what the sequence makes of one channel: a fold over its stages.
    """
    channel, config = view.channel, context.config
    base = channel.base_fee_msat if config.base_fee_msat is None else Msat(config.base_fee_msat)
    quote = Quote(
        mode=Mode.LEARNED,
        in_force=channel.fee_ppm,
        base_ppm=channel.fee_ppm,
        base_fee_msat=base,
        memory=view.memory,
    )
    for stage in ALPHA:
        quote = stage(quote, view, context)
    quote, action = proposed(quote, view, context)
    return Proposal(view=view, quote=quote, action=action)
