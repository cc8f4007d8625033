"""§1 Books: each forward is counted once, and no millisatoshi appears or vanishes."""

from itertools import chain

import attrs
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import GENESIS, instants, msats, slices, whole

from revops.core.snapshot import Slice
from revops.core.tally import Forward, by_day, merged, problem_of, size_of, size_quantile, tally
from revops.core.units import HOUR

FIELDS = tuple(field.name for field in attrs.fields(Slice))[1:]
SCIDS = st.sampled_from(("700000x1x0", "700000x2x0", "700001x1x1"))


@st.composite
def forwards(draw):
    """
    Return forwards that a node may list: settled with all that belongs to it, or not settled.
    """
    status = draw(st.sampled_from(("settled", "failed", "local_failed", "offered")))
    received_at = draw(instants(min_value=GENESIS, max_value=GENESIS + 100 * HOUR))
    out_msat = draw(msats(max_value=2**49))
    fee_msat = draw(msats(max_value=2**49))
    settled = status == "settled"
    absent = st.none() if not settled else st.nothing()
    return Forward(
        created_index=draw(st.none() | whole(1)),
        updated_index=draw(st.none() | whole(1)),
        in_scid=draw(SCIDS),
        out_scid=draw(absent | SCIDS),
        in_msat=out_msat + fee_msat,
        out_msat=draw(absent | st.just(out_msat)),
        fee_msat=draw(absent | st.just(fee_msat)),
        status=status,
        received_at=received_at,
        resolved_at=draw(absent | instants(received_at, received_at + 100 * HOUR)),
    )


absurdities = st.sampled_from(
    (
        {"received_at": 0},
        {"resolved_at": 0},
        {"in_msat": 2**50 + 1, "out_msat": 2**50, "fee_msat": 1},
        {"out_scid": None},
        {"out_msat": None},
        {"fee_msat": None},
        {"resolved_at": None},
        {"in_msat": -1},
    )
)


def total(parts, name):
    """
    Return the sum of one field over slices.
    """
    return sum(getattr(part, name) for part in parts)


def summed(*tallies):
    """
    Return what several tallies add up to, by channel and hour.
    """
    keys = set(chain.from_iterable(part.hours for part in tallies))
    return {
        key: merged([part.hours[key] for part in tallies if key in part.hours], key[1])
        for key in keys
    }


@given(st.lists(forwards(), max_size=20))
def test_what_comes_in_goes_out_or_is_earned(rows):
    """
    Over all channels, in - out = earned = sourced = the fees of the settled forwards, to the msat.
    """
    parts = tally(rows).hours.values()
    fees = sum(row.fee_msat for row in rows if row.status == "settled")

    assert total(parts, "in_msat") - total(parts, "out_msat") == fees
    assert total(parts, "earned_msat") == total(parts, "sourced_msat") == fees


@given(st.lists(forwards(), max_size=20))
def test_every_forward_enters_once_and_leaves_once(rows):
    """
    Settled forwards are counted once where they entered and once where they left; failed ones
    only where they would have left.
    """
    parts = tally(rows).hours.values()
    settled = sum(row.status == "settled" for row in rows)

    assert total(parts, "in_count") == total(parts, "out_count") == settled
    for status, name in (("failed", "failed_count"), ("local_failed", "refused_count")):
        ended = sum(row.status == status and row.out_scid is not None for row in rows)
        assert total(parts, name) == ended


@given(st.lists(forwards(), max_size=20), st.data())
def test_pages_and_their_order_change_no_sum(rows, data):
    """
    However the list is shuffled and cut into pages, the books say the same.
    """
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))

    assert summed(tally(shuffled[:cut]), tally(shuffled[cut:])) == dict(tally(rows).hours)


@given(st.lists(forwards(), max_size=10), st.lists(forwards(), min_size=1, max_size=3), st.data())
def test_absurd_rows_are_named_and_counted_nowhere(rows, others, data):
    """
    A row that cannot be changes no sum; a sentence names it.
    """
    absurd = [row._replace(**({"status": "settled"} | data.draw(absurdities))) for row in others]
    absurd = [row for row in absurd if problem_of(row)]
    found = tally(rows + absurd)

    assert found.hours == tally(rows).hours
    assert [misfit[:2] for misfit in found.misfits] == [
        (row.created_index, row.updated_index) for row in absurd
    ]
    assert all(misfit.why.startswith("forward ") for misfit in found.misfits)


@given(st.lists(forwards(), max_size=20))
def test_the_last_forward_is_the_latest(rows):
    """
    A channel's last in and out are the latest times at which one settled there.
    """
    found = tally(rows)
    for scid in {row.in_scid for row in rows}:
        times = [r.resolved_at for r in rows if r.status == "settled" and r.in_scid == scid]
        assert found.last_in_at.get(scid) == max(times, default=None)
    for scid in {row.out_scid for row in rows}:
        times = [r.resolved_at for r in rows if r.status == "settled" and r.out_scid == scid]
        assert found.last_out_at.get(scid) == max(times, default=None)


@given(slices(max_value=2**40, largest=2**56))
def test_days_hold_what_their_hours_hold(hours):
    """
    Adding hours up to days keeps every sum, and each hour is in the day it belongs to.
    """
    days = by_day(hours)

    assert [day.start for day in days] == sorted({hour.start // 24 for hour in hours})
    for name in FIELDS:
        assert total(days, name) == total(hours, name)


@given(st.lists(slices(max_value=2**40, largest=2**56), min_size=2, max_size=3), st.data())
def test_merging_is_associative_and_in_no_order(groups, data):
    """
    Slices merged in parts, in any order, are the same as merged at once.
    """
    parts = data.draw(st.permutations(list(chain.from_iterable(groups))))
    at_once = merged(chain.from_iterable(groups), 0)
    cut = len(parts) // 2

    assert merged([merged(parts[:cut], 0), merged(parts[cut:], 0)], 0) == at_once


@given(msats(min_value=1), st.integers(1, 50))
def test_the_usual_size_of_equal_payments_is_their_size(amount, count):
    """
    When every payment was the same, every quantile is that amount, within a thousandth.
    """
    size = size_of(amount)
    part = Slice(start=0, out_count=count, size_sum=count * size, size_squares=count * size * size)
    typical = size_quantile([part], 0)

    assert abs(typical - amount) <= amount / 1000 + 1
    assert size_quantile([part], 1.28) == typical


@given(slices(max_value=2**40, largest=2**56))
def test_a_quantile_is_unknown_without_payments_and_finite_with(parts):
    """
    No payments say nothing about sizes; any payments give an amount, however odd their sums.
    """
    found = size_quantile(parts, 1.28)

    assert (found is None) == (not total(parts, "out_count"))
    assert found is None or 0 <= found <= 2**62
