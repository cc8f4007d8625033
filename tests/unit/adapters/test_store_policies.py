"""Policies and feerates in the books: what is saved is what is read."""

from contextlib import closing

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import policies
from unit.adapters.store_examples import NOW, PEER

from revops.adapters.store import Store
from revops.core.policy import Policy, PolicyBook
from revops.core.snapshot import FeerateSample


@pytest.fixture
def store(tmp_path):
    """
    Return new books.
    """
    with closing(Store.open(tmp_path / "books.db")) as store:
        yield store


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    """
    Return books that many examples are written to, one after the other.
    """
    with closing(Store.open(tmp_path_factory.mktemp("books") / "books.db")) as store:
        yield store


@given(st.lists(policies(), max_size=4, unique_by=lambda policy: policy.peer_id))
def test_policies_are_read_as_they_were_saved(lasting, wanted):
    """Any policies replace any others, and what is read is exactly what was saved."""
    before = lasting.policies()
    book = attrs.evolve(before, policies=tuple(wanted))
    lasting.save_policies(book, before)

    assert lasting.policies() == book


def test_changes_are_kept_in_their_order(store):
    """The changes of a book are all there after it was saved, a deletion marked as one."""
    other = "03" + "cd" * 32
    steps = [
        [(PEER, {"strategy": "static", "fee_ppm": 7, "tags": ["a", "b"]}), (other, {})],
        [(PEER, {"tags": ["b"], "fee_multiplier_max": 1.5}), (other, None)],
        [(PEER, {"expires_in_hours": 1})],
    ]
    for seconds, updates in enumerate(steps):
        before = store.policies(NOW - 1)
        book = before.updated(updates, NOW + seconds)
        store.save_policies(book, before)
        assert store.policies(NOW - 1) == book

    changes = store.policies(NOW - 1).changes
    assert [change.deleted for change in changes] == [False] * 3 + [True, False]


def test_only_the_changes_asked_for_are_read(store):
    """A change of the very second is not after it, and without a time none is read."""
    for seconds in (0, 1, 2):
        before = store.policies()
        store.save_policies(
            before.updated([(PEER, {"tags": [str(seconds)]})], NOW + seconds), before
        )

    assert [change.at for change in store.policies(NOW).changes] == [NOW + 1, NOW + 2]
    assert store.policies().changes == ()


def test_new_books_have_no_policies(store):
    """Nothing was ever wished for at first."""
    assert store.policies() == PolicyBook()


def test_a_deleted_policy_takes_its_tags_along(store):
    """No tag is left of a policy that is gone."""
    book = PolicyBook(policies=(Policy(peer_id=PEER, tags=("a",)),))
    store.save_policies(book, PolicyBook())
    store.save_policies(PolicyBook(), book)

    tags = store._read(lambda books: books.execute("SELECT * FROM policy_tags").fetchall())
    assert tags == []


def test_feerates_are_read_from_a_time_on(store):
    """Samples come in the order of their time, and a second one of the same second replaces it."""
    for at, perkw in ((NOW, 300), (NOW - 60, 253), (NOW - 120, 260), (NOW, 310)):
        store.add_feerate(FeerateSample(at=at, perkw=perkw))

    assert store.feerates(NOW - 60) == (
        FeerateSample(at=NOW - 60, perkw=253),
        FeerateSample(at=NOW, perkw=310),
    )
