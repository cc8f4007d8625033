"""Standing: whether revops has a say about a channel at all, and where its price starts."""

from typing import Final

from revops.core.amend import amended
from revops.core.fees.quote import HIGHEST, ChannelView, Context, Mode, Quote
from revops.core.memory import YIELD_S, Change, FeeMemory, Pin, Price
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code, Facts
from revops.core.snapshot import NORMAL, Channel, FeePin
from revops.core.units import DAY, HOUR, Instant, Msat, Ppm

_FREE: Final = Price(fee_ppm=Ppm(0), base_fee_msat=Msat(0))
"""What members of a hive charge each other, and cl-hive sets itself when a channel opens."""


def settled(
    memory: FeeMemory,
    channel: Channel,
    now: Instant,
    order: FeePin | None,
    policy: Policy,
) -> FeeMemory:
    """
    Return *memory* after a look at what is in force: the operator's *order*; or what we asked for
    came about or not; and a fee that is none of these was set by somebody else, to whom we yield,
    unless it is what cl-hive sets for those whose *policy* is hive.
    """
    price = _in_force(channel, memory.known)
    free = policy.strategy is Strategy.HIVE and price == _FREE
    if free and memory.pin and not memory.pin.ordered:
        # Set before the policy said so.
        memory = amended(memory, pin=None)
    changes = memory.changes
    if changes:
        changes = tuple([change for change in changes if change.at > now - DAY])
    if order and order.price == price:
        return _carried_out(amended(memory, changes=changes), order, now)
    if memory.asked is None and price == memory.known and changes == memory.changes:
        return memory
    asked = memory.asked
    if asked and (price == asked.price or price != memory.known):
        # In force, or it may have been before somebody else changed it: the network was told.
        changes = (*changes, Change(at=asked.at, urgent=asked.urgent))
    seen = amended(memory, known=price, asked=None, changes=changes)
    if asked and price == asked.price:
        return seen
    if memory.known is None or price == memory.known or free:
        return seen
    pin = Pin(price=price, until=Instant(now + YIELD_S))
    # Learning starts anew from the value that was set, once it may.
    return amended(seen, pin=pin, climb=None, belief=None)


def _in_force(channel: Channel, known: Price | None) -> Price:
    fee_ppm, base_fee_msat = channel.fee_ppm, channel.base_fee_msat
    # Mostly what we knew: there is nothing to make.
    if known and known.fee_ppm == fee_ppm and known.base_fee_msat == base_fee_msat:
        return known
    return Price(fee_ppm=fee_ppm, base_fee_msat=base_fee_msat)


def _carried_out(memory: FeeMemory, order: FeePin, now: Instant) -> FeeMemory:
    """
    Return *memory* with *order* in force, whatever we had in mind ourselves.
    """
    asked, changes = memory.asked, memory.changes
    if asked:
        changes = (*changes, Change(at=asked.at, urgent=asked.urgent))
    if order.price != (asked.price if asked else memory.known):
        changes = (*changes, Change(at=min(order.set_at, now)))
    return amended(
        memory,
        known=order.price,
        asked=None,
        pin=Pin(price=order.price, until=order.until, ordered=True),
        changes=changes,
        climb=None,
        belief=None,
    )


def standing(quote: Quote, view: ChannelView, context: Context) -> Quote:
    """
    Hold what is not ours to set, take what the policy gives, and start learning from the rest.
    """
    quote = _ours(quote, view, context)
    if quote.mode is Mode.HELD:
        return quote
    if view.policy.strategy is Strategy.STATIC and view.policy.fee_ppm is not None:
        return _given(quote, Code.STATIC, view.policy.fee_ppm, quote.base_fee_msat)
    if view.policy.strategy is Strategy.HIVE:
        return _given(quote, Code.HIVE, context.config.hive_fee_ppm, Msat(0))
    if quote.memory.search:
        return quote.amended(base_ppm=quote.memory.search.base_ppm)
    return _begun(quote, view, context)


def _ours(quote: Quote, view: ChannelView, context: Context) -> Quote:
    channel, pin = view.channel, quote.memory.pin
    if pin and context.now >= pin.until:
        pin = None
    if pin and pin.ordered:
        # Before the policy: that one speaks of the peer, the order of this very channel.
        return _stays(quote, Code.ORDERED, pin, context)
    if view.policy.strategy is Strategy.PASSIVE:
        return quote.because(Code.PASSIVE, mode=Mode.HELD, until=view.policy.expires_at)
    if channel.state != NORMAL:
        return quote.because(Code.NOT_NORMAL, {"state": channel.state}, mode=Mode.HELD)
    if channel.scid is None:
        return quote.because(Code.NO_SCID, mode=Mode.HELD)
    if pin:
        return _yielded(quote, view, pin, context)
    return quote


def _yielded(quote: Quote, view: ChannelView, pin: Pin, context: Context) -> Quote:
    if view.changed_from is not None:
        facts: Facts = {
            "known_ppm": view.changed_from,
            "fee_ppm": pin.price.fee_ppm,
            "hours": YIELD_S // HOUR,
        }
        return quote.because(Code.MANUAL_CHANGE, facts, mode=Mode.HELD, until=pin.until)
    return _stays(quote, Code.PINNED, pin, context)


def _stays(quote: Quote, code: Code, pin: Pin, context: Context) -> Quote:
    facts = {"fee_ppm": pin.price.fee_ppm, "hours": (pin.until - context.now) / HOUR}
    return quote.because(code, facts, mode=Mode.HELD, until=pin.until)


def _given(quote: Quote, code: Code, fee_ppm: Ppm, base_fee_msat: Msat) -> Quote:
    return quote.because(
        code,
        {"fee_ppm": fee_ppm},
        mode=Mode.GIVEN,
        base_ppm=min(fee_ppm, HIGHEST),
        base_fee_msat=base_fee_msat,
    )


def _begun(quote: Quote, view: ChannelView, context: Context) -> Quote:
    """
    Return where learning begins: the fee in force, or for a new channel what others charge.
    """
    if not view.is_new or quote.memory.pin:
        return quote.because(Code.FIRST_CONTACT)
    source, fee_ppm = next(
        (name, ppm)
        for name, ppm in (
            ("market", view.channel.market_ppm),
            ("node's median", context.node_ppm),
            ("least", Ppm(2 * context.config.min_fee_ppm)),
        )
        if ppm is not None
    )
    return quote.because(
        Code.NEW_CHANNEL,
        {"source": source, "fee_ppm": fee_ppm},
        base_ppm=fee_ppm,
        unlimited=True,
    )
