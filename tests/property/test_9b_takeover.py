"""§1, §9 Takeover: what a predecessor counted and what the node lists, each forward once."""

import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from predecessors import DAY, OTHER, SCID, TODAY, Rows, make

from revops.adapters.store import Store
from revops.core.tally import Forward, tally

NOW = TODAY + DAY // 2
KEPT = 8 * DAY
"""For how long the predecessor keeps single forwards."""


@st.composite
def lives(draw):
    """
    Return the forwards of a node: when each was received, how long it took, its fee in msat.
    """
    ages = draw(st.lists(st.integers(1, 20 * DAY // 600), unique=True, max_size=12))
    return [
        (NOW - age * 600, draw(st.sampled_from((1, 3600, 2 * DAY))), draw(st.integers(1, 5000)))
        for age in sorted(ages, reverse=True)
    ]


def as_listed(index, life):
    """
    Return a forward as the node lists it.
    """
    received_at, took, fee = life
    return Forward(
        created_index=index,
        updated_index=index,
        in_scid=SCID,
        out_scid=OTHER,
        in_msat=1_000_000 + fee,
        out_msat=1_000_000,
        fee_msat=fee,
        status="settled",
        received_at=received_at,
        resolved_at=min(received_at + took, NOW),
    )


def as_kept(lives, stopped_at):
    """
    Return what a predecessor's database holds that saw *lives* until it *stopped*.
    """
    rows, days = Rows(), {}
    for received_at, took, fee in lives:
        if received_at + took > stopped_at:
            continue
        amounts = (1_000_000 + fee, 1_000_000, fee)
        if received_at >= stopped_at - KEPT:
            names = ("in_msat", "out_msat", "fee_msat")
            values = dict(zip(names, amounts, strict=True))
            rows.add("forwards", timestamp=received_at, **values)
        else:
            day = days.setdefault(received_at // DAY * DAY, [0, 0, 0, 0])
            for place, amount in enumerate((*amounts, 1)):
                day[place] += amount
    for date, sums in days.items():
        names = ("total_in_msat", "total_out_msat", "total_fee_msat", "forward_count")
        rows.add("daily_forwarding_stats", date=date, **dict(zip(names, sums, strict=True)))
    return rows


@settings(max_examples=40, deadline=None)
@given(lives(), st.integers(0, 20 * DAY), st.integers(0, 20 * DAY), st.data())
def test_no_forward_counts_twice_and_none_of_the_nodes_is_lost(lives, cleaned, stopped, data):
    """
    Whatever the node has cleaned away, whenever the predecessor stopped, and in whatever turns
    the node's list is counted: each forward is counted at most once, every one that the node
    lists is, and of the others all but those of one day at the seam.
    """
    listed = [life for life in lives if min(life[0] + life[1], NOW) >= NOW - cleaned]
    kept = [life for life in lives if life[0] + life[1] <= NOW - stopped]
    cut = data.draw(st.integers(0, len(listed)))
    order = data.draw(st.permutations(listed))

    with tempfile.TemporaryDirectory() as directory:
        theirs = Path(directory, "revenue_ops.db")
        make(theirs, as_kept(lives, NOW - stopped))
        with closing(Store.open(theirs.with_name("revops.db"))) as store:
            store.imports.take(theirs, NOW)
            for turn, until in ((order[:cut], None), (order[cut:], NOW), ([], NOW + 1)):
                forwards = [as_listed(index, life) for index, life in enumerate(turn, start=1)]
                store.take_forwards(tally(forwards), {}, until)
            counted = store.reports.ledger(NOW, 0, 1).stray_life

    seam = min((life[0] for life in listed), default=NOW) // DAY
    before = [life for life in kept if life[0] // DAY < seam]
    due = [*listed, *before]
    assert set(before).isdisjoint(listed)
    assert counted.out_count == len(due)
    assert counted.earned_msat == sum(fee for *_, fee in due)
    assert counted.in_count <= counted.out_count
