"""Policies: what is refused, and in which words."""

import pytest

from revops.core.checks import FieldError
from revops.core.policy import (
    CHANGES_PER_MINUTE,
    MOST_UPDATES_AT_ONCE,
    Policy,
    PolicyBook,
    PolicyRefusedError,
    Strategy,
    in_force,
)
from revops.core.units import HOUR

NOW = 1_750_000_000
PEER, OTHER = "02" + "ab" * 32, "03" + "cd" * 32


def refusal(*updates, book=None, now=NOW):
    """
    Return the sentence with which *updates* are refused.
    """
    with pytest.raises(PolicyRefusedError) as refused:
        (book or PolicyBook()).updated(updates, now)
    return str(refused.value)


def test_a_static_price_needs_one():
    """
    A fee that is to stay has to be said; zero is one.
    """
    assert Policy(peer_id=PEER, strategy=Strategy.STATIC, fee_ppm=0).fee_ppm == 0
    with pytest.raises(FieldError, match="fee_ppm: strategy static needs it, got none"):
        Policy(peer_id=PEER, strategy=Strategy.STATIC)


@pytest.mark.parametrize(
    ("low", "high", "values"),
    [
        ("min_fee_ppm", "max_fee_ppm", (100, 99)),
        ("fee_multiplier_min", "fee_multiplier_max", (2.0, 1.5)),
    ],
)
def test_bounds_are_in_their_order(low, high, values):
    """
    A lower bound above its upper one is refused by both names; the same one is a fixed value.
    """
    more, less = values
    assert getattr(Policy(peer_id=PEER, **{low: less, high: less}), low) == less
    with pytest.raises(FieldError, match=f"{low}: expected at most {high} {less}, got {more}"):
        Policy(peer_id=PEER, **{low: more, high: less})


def test_a_peer_is_changed_ten_times_a_minute_and_no_more():
    """
    Who asks once more is told how long to wait; other peers, and whoever waited, are not kept.
    """
    book = PolicyBook()
    for fee in range(CHANGES_PER_MINUTE):
        book = book.updated([(PEER, {"min_fee_ppm": fee})], NOW + fee)
    again = (PEER, {"min_fee_ppm": 50})

    words = f"peer {PEER}: {CHANGES_PER_MINUTE} changes in a minute are made, wait 1 s"
    assert refusal(again, book=book, now=NOW + 59) == words
    assert refusal(again, book=book, now=NOW + 9).endswith("wait 51 s")
    assert book.updated([(OTHER, {"min_fee_ppm": 50})], NOW + 59)
    assert in_force(book.updated([again], NOW + 60).policies, NOW)[PEER].min_fee_ppm == 50


def test_so_many_at_once_and_no_more():
    """
    A hundred updates are one change; of a hundred and one, none is made.
    """
    updates = [(f"02{n:064x}", {"min_fee_ppm": 1}) for n in range(MOST_UPDATES_AT_ONCE)]
    assert len(PolicyBook().updated(updates, NOW).policies) == MOST_UPDATES_AT_ONCE
    words = f"updates: expected at most {MOST_UPDATES_AT_ONCE} at once, got 101"
    assert refusal(*updates, (OTHER, {})) == words


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"fee": 1}, "fee: there is no such field of a policy"),
        ({"expires_at": 1}, "expires_at: there is no such field of a policy"),
        ({"strategy": "fast"}, "strategy: expected one of dynamic, static, passive, hive, got "),
        ({"rebalance": 1}, "rebalance: expected one of enabled, disabled, source_only, sink_only"),
        ({"tags": [5, "a"]}, "tags: expected words of 1 to 64 printable letters, got 5"),
        ({"tags": [""]}, "tags: expected words of 1 to 64 printable letters, got ''"),
        ({"tags": ["x" * 65]}, "tags: expected words of 1 to 64 printable letters, got"),
        ({"tags": ["a\nb"]}, "tags: expected words of 1 to 64 printable letters, got"),
        ({"expires_in_hours": 0}, "expires_in_hours: expected a number above 0 up to 720, got 0"),
        ({"expires_in_hours": 721}, "expires_in_hours: expected a number above 0 up to 720"),
        ({"expires_in_hours": True}, "expires_in_hours: expected a number above 0 up to 720"),
        ({"expires_in_hours": "1"}, "expires_in_hours: expected a number above 0 up to 720"),
    ],
)
def test_what_cannot_be_wished_for_is_named(fields, sentence):
    """
    One sentence says which field it is, and what it may hold.
    """
    assert refusal((PEER, fields)).startswith(sentence)


def test_a_tag_may_be_as_long_as_any_name():
    """
    Sixty-four letters are a tag; twice the same is once.
    """
    assert Policy(peer_id=PEER, tags=["x" * 64, "a", "a"]).tags == ("a", "x" * 64)


def test_a_change_says_whether_it_deleted():
    """
    Of a change remains which peer, when, and whether there was a policy after it.
    """
    book = PolicyBook().updated([(PEER, {"min_fee_ppm": 1}), (OTHER, None)], NOW)

    assert [(c.peer_id, c.at, c.deleted) for c in book.changes] == [
        (PEER, NOW, False),
        (OTHER, NOW, True),
    ]


@pytest.mark.parametrize(
    ("hours", "seconds"), [(720, 720 * HOUR), (0.5, HOUR // 2), (1e-9, 1), (1.0, HOUR)]
)
def test_a_policy_ends_when_it_was_said_to(hours, seconds):
    """
    Hours from now, to the second and one at least; from that second on it holds no more.
    """
    book = PolicyBook().updated([(PEER, {"expires_in_hours": hours})], NOW)

    assert PEER in in_force(book.policies, NOW + seconds - 1)
    assert PEER not in in_force(book.policies, NOW + seconds)


def test_who_is_to_stay_for_ever_stays():
    """
    An end that is taken back is none.
    """
    book = PolicyBook().updated([(PEER, {"expires_in_hours": 1})], NOW)
    book = book.updated([(PEER, {"expires_in_hours": None})], NOW + 1)

    assert in_force(book.policies, NOW + 100 * 365 * 24 * HOUR)[PEER].expires_at is None
