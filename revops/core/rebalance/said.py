"""Said: what is decided about a channel in words and numbers, and the order that follows."""

from revops.core.actions import Source, StartRebalance
from revops.core.reasons import Code, Fact, Reason, because
from revops.core.rebalance.ev import ATTEMPT_MSAT
from revops.core.rebalance.means import Means
from revops.core.rebalance.pair import Pair
from revops.core.rebalance.pairing import Refused, Started
from revops.core.snapshot import Channel
from revops.core.units import Scid, sats_down, sats_up


def proposal(pair: Pair) -> Reason:
    """
    Return all terms of *pair*: from them its expected value can be worked out again.
    """
    terms, prospect = pair.terms, pair.taker.prospect
    return because(
        Code.PAIR,
        source=_named(pair.giver.channel),
        amount_sats=sats_down(pair.amount.total_msat),
        count=pair.amount.count,
        chance=prospect.chance,
        gain_msat=terms.gain_msat,
        loss_msat=terms.loss_msat,
        cost_msat=terms.cost_msat,
        attempt_msat=ATTEMPT_MSAT,
        ev_msat=terms.ev_msat,
        least_msat=terms.least_msat,
        cost_ppm=prospect.cost_ppm,
        max_ppm=terms.max_ppm,
        price_ppm=prospect.price_ppm,
        source_price_ppm=pair.giver.price_ppm,
        amount_msat=terms.amount_msat,
    )


def refusal(refused: Refused, have: Means) -> tuple[Reason, ...]:
    """
    Return why a channel is not filled, beginning with the best that could be done for it.
    """
    pair, why = refused.pair, refused.why
    if pair is None:
        return (because(why),)
    if pair.pays and have.block:
        return (proposal(pair), have.block)
    prospect, facts = pair.taker.prospect, dict[str, Fact]()
    if why is Code.DEARER_THAN_ALLOWED:
        facts = {"cost_ppm": prospect.cost_ppm, "max_ppm": pair.terms.max_ppm}
    elif why is Code.EARNS_TOO_LITTLE:
        facts = {"ev_msat": pair.terms.ev_msat, "least_msat": pair.terms.least_msat}
    elif why is Code.OUTBID:
        facts = {"slots": have.slots}
    elif why is Code.BUDGET_SHORT:
        facts = {
            "reserve_sats": sats_up(pair.reserve_msat),
            "room_sats": sats_down(refused.room_msat),
        }
    return (proposal(pair), Reason(why, tuple(facts.items())))


def start(started: Started) -> StartRebalance:
    """
    Return the order to fill a channel.
    """
    pair, channel = started.pair, started.pair.taker.channel
    return StartRebalance(
        channel_id=channel.channel_id,
        scid=_named(channel),
        peer_id=channel.peer_id,
        sources=tuple(
            Source(channel_id=giver.channel.channel_id, scid=_named(giver.channel))
            for giver in started.sources
        ),
        amount_msat=pair.amount.total_msat,
        chunk_msat=pair.amount.chunk_msat,
        max_ppm=pair.terms.max_ppm,
        max_fee_msat=pair.reserve_msat,
        expected_fee_msat=pair.terms.cost_msat,
        keep_share=started.keep.share,
        keep_msat=started.keep.msat,
        to_us_msat=channel.to_us_msat,
    )


def starting(started: Started) -> tuple[Reason, ...]:
    """
    Return why a channel is filled.
    """
    pair = started.pair
    return (
        proposal(pair),
        because(
            Code.REFILL,
            amount_sats=sats_down(pair.amount.total_msat),
            sources=", ".join(_named(giver.channel) for giver in started.sources),
            max_ppm=pair.terms.max_ppm,
            reserve_sats=sats_up(pair.reserve_msat),
        ),
    )


def giving(started: Started) -> Reason:
    """
    Return what a channel gives, or may have to.
    """
    return because(
        Code.GIVES,
        amount_sats=sats_down(started.pair.amount.total_msat),
        target=_named(started.pair.taker.channel),
    )


def _named(channel: Channel) -> Scid:
    # Channels without one neither give nor are filled.
    return channel.scid or Scid("")
