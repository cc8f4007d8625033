"""Tally: what is said of a forward that cannot be, and how large payments are."""

import pytest

from revops.core.snapshot import Slice
from revops.core.tally import Forward, problem_of, size_of, size_quantile

AT = 1_750_000_000
MOST = 2**50
"""No channel holds more millisatoshi, by far."""
SETTLED = {
    "created_index": 7,
    "updated_index": 8,
    "in_scid": "700x1x0",
    "out_scid": "701x1x0",
    "in_msat": 1010,
    "out_msat": 1000,
    "fee_msat": 10,
    "status": "settled",
    "received_at": AT,
    "resolved_at": AT + 1,
}


def test_what_adds_up_has_no_problem():
    """
    What comes in is what goes out and the fee; what never settled needs neither, and what settled
    as much as may be is none too many.
    """
    whole = {"in_msat": MOST, "out_msat": MOST - 10}
    failed = {"status": "failed", "out_msat": None, "fee_msat": None, "resolved_at": None}
    for changes in ({}, whole, failed):
        assert problem_of(Forward(**SETTLED | changes)) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"received_at": 5}, "received_time is 5"),
        ({"status": "failed", "received_at": 5}, "received_time is 5"),
        ({"out_scid": None}, "settled without out_channel"),
        ({"out_msat": None}, "settled without out_msat"),
        ({"fee_msat": None}, "settled without fee_msat"),
        ({"resolved_at": None}, "settled without resolved_time"),
        ({"resolved_at": 5}, "resolved_time is 5"),
        ({"out_msat": 1011, "fee_msat": -1}, None),
        ({"out_msat": 1011}, "out_msat 1011 is above in_msat 1010"),
        ({"out_msat": 1010}, "fee_msat 10 is not in_msat 1010 less out_msat 1010"),
        ({"fee_msat": 9}, "fee_msat 9 is not in_msat 1010 less out_msat 1000"),
        (
            {"in_msat": MOST + 10, "out_msat": MOST},
            f"in_msat {MOST + 10} is more than a channel holds",
        ),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(changes, sentence):
    """
    Who reads of a forward that cannot be sees which one it is, and which value is wrong.
    """
    problem = problem_of(Forward(**SETTLED | changes))

    assert problem == (sentence and f"forward 7 from 700x1x0: {sentence}")


def test_a_forward_without_a_number_is_named_by_where_it_came_from():
    """
    A forward of a node that does not number them is still known by its channel.
    """
    problem = problem_of(Forward(**SETTLED | {"created_index": None, "fee_msat": 9}))

    assert problem.startswith("forward ? from 700x1x0: fee_msat 9")


def test_the_usual_payment_and_the_large_one():
    """
    Of payments of 1 and 4 million, the typical one is 2 million and the 84 % quantile 4 million.
    """
    sizes = [size_of(1_000_000), size_of(4_000_000)]
    part = Slice(
        start=0, out_count=2, size_sum=sum(sizes), size_squares=sum(size**2 for size in sizes)
    )

    assert size_quantile([part], 0) == pytest.approx(2_000_000, rel=0.001)
    assert size_quantile([part], 1) == pytest.approx(4_000_000, rel=0.001)
