"""§1 Rows: a listed forward is read fast or strictly, and either way shows the same."""

from hypothesis import given
from hypothesis import strategies as st

from revops.adapters.errors import WireError
from revops.adapters.replies_forwards import forwards_of, plain, strict
from revops.core.checks import MOST_MSAT
from revops.core.tally import Forward

FIELDS = (
    *("created_index", "updated_index", "in_channel", "out_channel", "in_msat", "out_msat"),
    *("fee_msat", "status", "received_time", "resolved_time"),
)
NUMBERS = (
    st.integers(-2, 2**64)
    | st.sampled_from((MOST_MSAT, MOST_MSAT + 1, 2**40, 2**63 - 1, 2**63))
    | st.floats()
)
TEXTS = st.sampled_from(
    ("700000x1x0", "700000×1×0", "\ud800", "", "settled", "offered", "lost", "12msat", "-1msat")
) | st.text(max_size=3)
MISTAKABLE = (
    *(None, True, False, 0, 1, -1, 1.0, 0.5, -0.5, float("nan"), float("inf"), 1e300),
    *(MOST_MSAT, MOST_MSAT + 1, 2**40, 2**40 - 0.5, 2**63 - 1, 2**63, 2**64),
    *("", "1", "1msat", "settled", "local_failed", "lost", "\ud800", "é", [], [1], {}, {"a": 1}),
)
VALUES = st.none() | st.booleans() | NUMBERS | TEXTS | st.lists(NUMBERS, max_size=1)


@st.composite
def good(draw):
    """
    Return a row as lightningd writes it, settled.
    """
    at = draw(st.floats(1.3e9, 4e9) | st.integers(1_300_000_000, 4_000_000_000))
    out_msat, fee_msat = draw(st.integers(0, 2**40)), draw(st.integers(0, 2**30))
    return {
        "created_index": draw(st.integers(1, 2**32)),
        "updated_index": draw(st.integers(1, 2**32)),
        "in_channel": "700000x1x0",
        "in_htlc_id": 1,
        "out_channel": "700001x1x0",
        "out_htlc_id": 2,
        "in_msat": out_msat + fee_msat,
        "out_msat": out_msat,
        "fee_msat": fee_msat,
        "status": "settled",
        "style": "tlv",
        "received_time": at,
        "resolved_time": at + 1,
    }


@st.composite
def spoilt(draw):
    """
    Return such a row with some fields missing, or holding anything.
    """
    row = draw(good())
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=3)):
        row.pop(name, None)
    row |= draw(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3))
    return row


@given(good())
def test_a_row_as_it_should_be_is_read_fast(row):
    """
    What lightningd writes needs no second look.
    """
    assert plain(row) is not None


@given(good())
def test_whatever_one_field_holds_fast_or_strict_it_shows_the_same(row):
    """
    Each field in turn is missing, or holds what might be mistaken for what belongs there.
    """
    for name in FIELDS:
        others = {key: value for key, value in row.items() if key != name}
        for changed in (others, *({**others, name: value} for value in MISTAKABLE)):
            fast = plain(changed)
            assert fast is None or repr(fast) == repr(strict(changed, "row"))


@given(spoilt() | VALUES)
def test_fast_or_strict_a_row_shows_the_same(row):
    """
    Whatever the fast reading makes of a row, the strict one makes of it, types included; it leaves
    to the strict one what it does not know.
    """
    fast = plain(row)
    try:
        slow = strict(row, "row")
    except WireError:
        slow = None

    if fast is not None:
        assert fast == slow
        assert [type(value) for value in fast] == [type(value) for value in slow]


@given(st.lists(spoilt() | VALUES, max_size=8))
def test_a_row_is_a_forward_or_a_misfit(rows):
    """
    Each row of a page is one or the other, in its order, and keeps the numbers by which it is
    known: none is lost, and none keeps the others from being read.
    """
    forwards, misfits = forwards_of({"forwards": rows})

    assert len(forwards) + len(misfits) == len(rows)
    assert all(type(forward) is Forward for forward in forwards)
    assert all(misfit.why.startswith("forward ") for misfit in misfits)
    listed = [row.get("created_index") if type(row) is dict else None for row in rows]
    numbers = [row.created_index for row in (*forwards, *misfits) if row.created_index is not None]
    assert sorted(numbers) == sorted(
        number for number in listed if type(number) is int and 0 <= number < 2**63
    )
