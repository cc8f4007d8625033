"""§1 Money: whole millisatoshi, and every remainder has an owner."""

import math
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import msats, ppms, ratios

from revops.core.units import (
    MAX_PPM,
    MILLION,
    fee_msat,
    format_msat,
    from_sats,
    nearest_ppm,
    parse_msat,
    sats_down,
    sats_up,
    split,
)

weights = st.lists(st.integers(0, 2**40), min_size=1, max_size=20).filter(any)


@given(msats(), weights)
def test_splitting_loses_nothing(amount, shares):
    """
    The parts of an amount add up to it exactly.
    """
    assert sum(split(amount, shares)) == amount


@given(msats(), weights)
def test_splitting_is_fair(amount, shares):
    """
    Each part is the exact share, up or down by less than one millisatoshi.
    """
    for part, share in zip(split(amount, shares), shares, strict=True):
        assert abs(part - Fraction(amount * share, sum(shares))) < 1


@given(msats(), weights)
def test_nothing_goes_to_nobody(amount, shares):
    """
    A share of zero gets zero.
    """
    parts = split(amount, shares)

    assert all(part == 0 for part, share in zip(parts, shares, strict=True) if not share)


@given(st.integers(), st.lists(st.integers(max_value=0), max_size=5))
def test_what_cannot_be_split_is_refused(amount, shares):
    """
    A split by weights of which none is positive is refused, whatever the amount.
    """
    with pytest.raises(ValueError, match="cannot split"):
        split(amount, shares)


@given(st.integers())
def test_satoshi_up_and_down_enclose_the_amount(amount):
    """
    Rounded up is never less, rounded down never more than exact, and they differ by at most one.
    """
    exact = Fraction(amount, 1000)

    assert sats_down(amount) <= exact <= sats_up(amount)
    assert sats_up(amount) - sats_down(amount) == (0 if amount % 1000 == 0 else 1)


@given(st.integers())
def test_whole_satoshi_are_exact(sats):
    """
    Satoshi to millisatoshi and back changes nothing, whichever way it is rounded.
    """
    assert sats_up(from_sats(sats)) == sats == sats_down(from_sats(sats))


@given(st.integers())
def test_printing_and_parsing_an_amount_changes_nothing(amount):
    """
    What is printed reads as the same amount.
    """
    assert parse_msat(format_msat(amount)) == amount


@given(
    st.text()
    | st.sampled_from(("1.5msat", "--1msat", "²msat"))
    | st.integers().map(str)
    | st.integers().map("{}msat".format)
)
def test_an_amount_is_digits_and_its_unit(text):
    """
    Text is read as an amount only if it is a whole number and `msat`; nothing is guessed.
    """
    if re.fullmatch(r"-?[0-9]+msat", text):
        assert parse_msat(text) == int(text.removesuffix("msat"))
    else:
        with pytest.raises(ValueError, match="expected an amount"):
            parse_msat(text)


@given(msats(), ppms(), ppms())
def test_a_fee_is_the_exact_one_rounded_down(amount, ppm, base):
    """
    The payer never pays for a fraction of a millisatoshi (BOLT #7), nor is spared a whole one.
    """
    exact = Fraction(amount * ppm, MILLION) + base

    assert 0 <= exact - fee_msat(amount, ppm, base) < 1


@given(msats(), msats(), ppms())
def test_splitting_a_payment_saves_at_most_the_fraction(one, other, ppm):
    """
    Two parts pay together what the whole pays, or one millisatoshi less.
    """
    parts = fee_msat(one, ppm) + fee_msat(other, ppm)

    assert 0 <= fee_msat(one + other, ppm) - parts <= 1


@given(ratios(0, MAX_PPM))
def test_a_rate_becomes_the_nearest_fee(rate):
    """
    No whole ppm is nearer to a rate than the one it becomes.
    """
    assert abs(nearest_ppm(rate) - Fraction(rate)) <= Fraction(1, 2)


def test_no_number_is_no_rate():
    """
    What is not a number becomes no fee; whoever asks is told.
    """
    with pytest.raises(ValueError, match=r"^a fee rate must be a number, was nan$"):
        nearest_ppm(math.nan)


@given(st.floats(allow_nan=False))
def test_a_fee_stays_a_fee(rate):
    """
    Whatever number comes in, infinity included, the fee is from 0 to the highest there is.
    """
    assert 0 <= nearest_ppm(rate) <= MAX_PPM
    assert (nearest_ppm(-math.inf), nearest_ppm(math.inf)) == (0, MAX_PPM)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_higher_rate_is_no_lower_fee(one, other):
    """
    Rounding keeps the order of rates.
    """
    lower, higher = sorted((one, other))

    assert nearest_ppm(lower) <= nearest_ppm(higher)
