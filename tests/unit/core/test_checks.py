"""Checks: what a field refuses, to the last value that it takes."""

import math
from operator import itemgetter
from types import SimpleNamespace

import pytest

from revops.core import checks
from revops.core.checks import MOST_MSAT, FieldError

FIELD = SimpleNamespace(name="it")
SCID = "16777215x16777215x65535"


def takes(check, *values):
    """
    Tell whether *check* takes each of *values*.
    """
    for value in values:
        check(None, FIELD, value)
    return True


def refusal(check, value):
    """
    Return what *check* says of *value*.
    """
    with pytest.raises(FieldError) as refused:
        check(None, FIELD, value)
    error = refused.value
    assert (error.field, str(error)) == ("it", f"it: {error.problem}")
    return error.problem


def test_a_whole_number_is_within_its_bounds():
    """
    An integer, both bounds included; neither a switch nor a float is one, and none is one only
    where it may be missing.
    """
    assert takes(checks.whole(), 0, 2**63 - 1)
    assert takes(checks.whole(2, 5), 2, 5)
    assert takes(checks.whole(2, 5, optional=True), None, 2)
    assert refusal(checks.whole(2, 5), 1) == "expected an integer from 2 to 5, got 1"
    assert refusal(checks.whole(2, 5, optional=True), 6).endswith("from 2 to 5, got 6")
    assert refusal(checks.whole(), -1) == "expected an integer ≥ 0, got -1"
    assert refusal(checks.whole(), 2**63) == f"expected an integer ≥ 0, got {2**63}"
    for other in (True, 1.0, "1", None):
        assert refusal(checks.whole(), other) == f"expected an integer ≥ 0, got {other!r}"


def test_an_amount_is_between_nothing_and_all_there_is():
    """
    Not negative, and not above 21 million bitcoin.
    """
    assert takes(checks.msat(), 0, MOST_MSAT)
    assert takes(checks.msat(optional=True), None)
    words = f"expected an integer from 0 to {MOST_MSAT}, got "
    assert refusal(checks.msat(), None) == f"{words}None"
    for amount in (-1, MOST_MSAT + 1):
        assert refusal(checks.msat(optional=True), amount) == f"{words}{amount}"


def test_a_number_is_finite_and_within_its_bounds():
    """
    Whole or not, both bounds included; no switch, no text, and never infinite.
    """
    assert takes(checks.number(0, 1), 0, 0.5, 1)
    assert takes(checks.number(), -1e300, 10**300)
    assert takes(checks.number(0, 1, optional=True), None, 1.0)
    for value in (-0.01, 1.01, math.nan, math.inf, True, "1", None):
        words = f"expected a number from 0 to 1, got {value!r}"
        assert refusal(checks.number(0, 1), value) == words
    for value in (math.inf, -math.inf, math.nan):
        words = f"expected a number from -inf to inf, got {value!r}"
        assert refusal(checks.number(optional=True), value) == words


def test_an_id_is_so_many_digits():
    """
    Lower-case hex digits, as many as it has and no others.
    """
    assert takes(checks.hexadecimal(4), "00ff", "abcd")
    for value in ("00f", "00fff", "00FF", "00fg", 1234, None, ["0", "0", "f", "f"]):
        assert refusal(checks.hexadecimal(4), value) == f"expected 4 hex digits, got {value!r}"


def test_a_short_channel_id_fits_into_its_bytes():
    """
    Three numbers of 3, 3 and 2 bytes (BOLT #7).
    """
    assert takes(checks.scid(), "0x0x0", SCID)
    assert takes(checks.scid(optional=True), None, SCID)
    wrong = ("16777216x0x0", "0x16777216x0", "0x0x65536", "0x0", "0x0x0x0", "0:0:0", 5, "")
    for value in wrong:
        words = f"expected a short channel id like 700000x1x0, got {value!r}"
        assert refusal(checks.scid(), value) == words
        assert refusal(checks.scid(optional=True), value) == words
    assert refusal(checks.scid(), None).endswith("got None")


def test_nothing_stands_twice():
    """
    The first that stands there again is named, by the name of what it is.
    """
    check = checks.unique("key", itemgetter(0))

    assert takes(check, (), ((1, 2), (2, 2)))
    assert refusal(check, ((1, 2), (3, 1), (3, 2), (1, 3))) == "key 3 stands there twice"


@pytest.mark.parametrize(
    ("order", "fields", "values"),
    [
        (checks.by_start, ("start",), [(1,), (2,)]),
        (checks.by_time, ("at", "perkw"), [(1, 1), (1, 2), (2, 1)]),
        (checks.by_channel, ("channel_id",), [("aa",), ("bb",)]),
        (checks.by_peer, ("peer_id",), [("aa",), ("bb",)]),
    ],
)
def test_what_comes_in_any_order_is_kept_in_one(order, fields, values):
    """
    Slices by their start, feerates by time and height, the rest by whom it belongs to.
    """
    items = [SimpleNamespace(**dict(zip(fields, each, strict=True))) for each in values]

    assert order(reversed(items)) == tuple(items)
