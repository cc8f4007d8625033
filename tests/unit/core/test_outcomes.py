"""Outcomes: what a later look shows of an action that nobody answered for."""

from hypothesis import given
from property.strategies import ppms, prices

from revops.core.actions import Hold, SetFee
from revops.core.memory import Price
from revops.core.outcomes import Applied, Refused, shown_by


def ordered(price, htlc_max=None):
    """
    Return an action that asks for *price*.
    """
    return SetFee(
        channel_id="ab" * 32,
        scid="700x1x0",
        peer_id="02" + "cd" * 32,
        old_ppm=1,
        new_ppm=price.fee_ppm,
        old_base_msat=0,
        new_base_msat=price.base_fee_msat,
        htlc_max_msat=htlc_max,
    )


@given(prices())
def test_what_was_asked_for_and_is_in_force_was_done(price):
    """
    The price that is in force as it was asked for was applied, with the size limit asked for.
    """
    assert shown_by(ordered(price, 5), price) == Applied(
        fee_ppm=price.fee_ppm, base_fee_msat=price.base_fee_msat, htlc_max_msat=5
    )


@given(ppms(), ppms(0, 10))
def test_another_price_in_force_is_a_refusal(fee_ppm, base):
    """
    A price that differs in the share or in the base alone is not the one that was asked for.
    """
    asked = ordered(Price(fee_ppm=fee_ppm, base_fee_msat=base))
    for other in (
        Price(fee_ppm=fee_ppm + 1, base_fee_msat=base),
        Price(fee_ppm=fee_ppm, base_fee_msat=base + 1),
    ):
        shown = shown_by(asked, other)
        assert shown == Refused(error="the next look at the channel showed another fee")


def test_what_sets_no_price_leaves_no_trace():
    """
    Of an action that sets no price a look at the price says nothing.
    """
    assert shown_by(Hold(), Price(fee_ppm=1, base_fee_msat=0)) is None
