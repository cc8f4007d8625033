"""Rails: how far a fee may go at once, and whether it is worth telling the network."""

import math
from typing import Final

from revops.core.actions import Hold, SetFee
from revops.core.fees.band import dead_band
from revops.core.fees.floors import operator_bounds
from revops.core.fees.quote import ChannelView, Context, Mode, Quote
from revops.core.reasons import Code, Facts
from revops.core.snapshot import Channel
from revops.core.units import Msat, Ppm

STEP_SHARE: Final = 0.5
STEP_LEAST: Final = 100
# Down to 1/64 of the capacity: finer rungs would tell the balance of an empty channel.
LOWEST_RUNG: Final = 12
RUNGS_OFF: Final = 2


def rails(quote: Quote, view: ChannelView, context: Context) -> Quote:
    """
    Limit how far the fee goes in one cycle; the bounds have the last word.
    """
    if quote.mode is not Mode.LEARNED or quote.unlimited:
        return quote
    limit = max(int(quote.in_force * STEP_SHARE), STEP_LEAST)
    for change in view.memory.changes:
        if change.at == context.now:
            limit = 0  # The step of this moment is made.
    wanted = quote.price
    limited = min(max(wanted, quote.in_force - limit), quote.in_force + limit)
    limited = quote.bounded(Ppm(limited))
    if limited == wanted:
        return quote
    facts: Facts = {"wanted_ppm": wanted, "step_ppm": limit}
    return quote.because(Code.STEP_LIMIT, facts, base_ppm=limited, factor=1.0)


def ladder(capacity: Msat, rung: int) -> Msat:
    """
    Return *capacity* times 2^(-rung/2), rounded down: exactly, whatever the size.
    """
    return Msat(math.isqrt(capacity * capacity >> rung))


def rung_of(capacity: Msat, amount: Msat) -> int:
    """
    Return the highest rung that does not exceed *amount*, the lowest one for next to nothing.
    """
    # isqrt(c * c >> rung) <= a where c * c < (a + 1) ** 2 << rung: whole numbers, so exact.
    squares = capacity * capacity // (amount + 1) ** 2
    return min(squares.bit_length(), LOWEST_RUNG)


def wanted_htlc_max(view: ChannelView, context: Context) -> tuple[Msat | None, bool]:
    """
    Return the htlc_maximum_msat to set with the fee, and whether it is worth an update alone.
    """
    channel = view.channel
    if not context.config.htlc_max or channel.htlc_max_msat is None:
        return None, False
    rung = rung_of(channel.capacity_msat, channel.spendable_msat)
    wanted = max(ladder(channel.capacity_msat, rung), channel.htlc_min_msat, Msat(1))
    if wanted == channel.htlc_max_msat:
        return None, False
    off = abs(_nearest_rung(channel, wanted) - _nearest_rung(channel, channel.htlc_max_msat))
    return (wanted if off else None), off > RUNGS_OFF


def _nearest_rung(channel: Channel, amount: Msat) -> int:
    # lightningd lowers the top rung to what the reserve leaves: the nearest rung, not the lower.
    return round(-2 * math.log2(max(amount, 1) / channel.capacity_msat))


def proposed(quote: Quote, view: ChannelView, context: Context) -> tuple[Quote, SetFee | Hold]:
    """
    Return what the quote asks of the node, or `Hold` when it is in force or not worth an update.
    """
    channel, price = view.channel, quote.price
    if quote.mode is Mode.HELD or channel.scid is None:
        return quote, Hold(until=quote.until)
    htlc_max, alone = wanted_htlc_max(view, context)
    same_base = quote.base_fee_msat == channel.base_fee_msat
    if same_base and not _worth_telling(quote, view, context):
        if not alone:
            return _held(quote, price)
        price = quote.in_force
        quote = quote.amended(mode=Mode.HELD)
    if htlc_max is not None:
        quote = quote.because(Code.HTLC_MAX, {"htlc_max_msat": htlc_max})
    return quote, SetFee(
        channel_id=channel.channel_id,
        scid=channel.scid,
        peer_id=channel.peer_id,
        old_ppm=channel.fee_ppm,
        new_ppm=price,
        old_base_msat=channel.base_fee_msat,
        new_base_msat=quote.base_fee_msat,
        htlc_max_msat=htlc_max,
        urgent=quote.urgent,
    )


def _worth_telling(quote: Quote, view: ChannelView, context: Context) -> bool:
    if quote.price == quote.in_force:
        return False
    floor, ceiling = operator_bounds(view.policy, context.config)
    in_bounds = min(floor, ceiling) <= quote.in_force <= ceiling
    exact = quote.mode is Mode.GIVEN or quote.urgent or not in_bounds
    return exact or abs(quote.price - quote.in_force) >= _band(quote)


def _band(quote: Quote) -> int:
    return max(dead_band(quote.in_force), int(quote.in_force * quote.tolerance))


def _held(quote: Quote, price: Ppm) -> tuple[Quote, Hold]:
    if price == quote.in_force:
        return quote.because(Code.UNCHANGED), Hold()
    facts: Facts = {"wanted_ppm": price, "band_ppm": _band(quote)}
    return quote.because(Code.DEAD_BAND, facts, mode=Mode.HELD), Hold()
