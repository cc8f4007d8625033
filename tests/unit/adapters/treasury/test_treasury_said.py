"""What the rebalancer said of a rebalance: kept, and never a reason to free what may be spent."""

import pytest
from unit.adapters.store_examples import NOW
from unit.adapters.treasury.examples import LIMIT, attempt, begin, outcome, read, sides

from revops.adapters.errors import StoreError
from revops.core.budget import Spend, Spending
from revops.core.outcomes import Refused, Started, Unknown
from revops.core.treasury import Ending


def test_what_was_said_is_kept(store):
    """
    Begun is in flight, silence is unknown, and a late answer after silence is in flight again.
    """
    first, second = begin(store, 1), begin(store, 2)
    store.treasury.began(first.entry_id, NOW + 1)
    store.treasury.lost(second.entry_id, "timed out", NOW + 1)

    assert attempt(store, 1).state is Spend.IN_FLIGHT
    assert outcome(store, 1) == Started(rebalance_id=1)
    assert attempt(store, 2).state is Spend.UNKNOWN
    assert outcome(store, 2) == Unknown(error="timed out")
    assert [logged.why for logged in store.treasury.open()] == [None, "timed out"]
    assert store.treasury.spending(NOW).held_msat == 2 * LIMIT

    store.treasury.began(second.entry_id, NOW + 2)
    assert attempt(store, 2).state is Spend.IN_FLIGHT
    assert outcome(store, 2) == Started(rebalance_id=2)


@pytest.mark.parametrize("ending", [Ending.REJECTED, Ending.STOPPED])
def test_what_was_refused_is_free_again(store, ending):
    """
    It ended as rejected, or otherwise when it was not even asked, with the words that were said.
    """
    entry = begin(store, 1)
    store.treasury.refused(entry.entry_id, "Channel not found", NOW + 1, ending)

    found = attempt(store, 1)
    assert (found.state, found.ending, found.ended_at) == (Spend.RELEASED, ending, NOW + 1)
    assert outcome(store, 1) == Refused(error="Channel not found")
    assert store.treasury.spending(NOW + 1) == Spending()
    assert store.treasury.open() == ()
    assert store.treasury.recent(1)[0].why == "Channel not found"


def test_a_refusal_frees_nothing_that_may_be_spent(store):
    """
    After it was heard of, or after something arrived, a refusal is no proof: nobody knows.
    """
    entries = [begin(store, number) for number in (1, 2, 3)]
    store.treasury.began(entries[0].entry_id, NOW)
    store.treasury.lost(entries[1].entry_id, "silence", NOW)
    read(store, *sides(1, into=3))
    for entry in entries:
        store.treasury.refused(entry.entry_id, "no", NOW)

    assert [attempt(store, n).state for n in (1, 2, 3)] == [Spend.UNKNOWN] * 3
    assert store.treasury.spending(NOW).held_msat == 3 * LIMIT


@pytest.mark.parametrize("said", ["began", "refused", "lost"])
def test_words_about_what_is_over_change_nothing(store, said):
    """
    Late answers, and those that come twice, find a rebalance as it ended.
    """
    entry = begin(store, 1)
    store.treasury.settle(1, Ending.NO_ROUTE, "over", NOW)
    before = store.treasury.recent(1), outcome(store, 1)
    words = () if said == "began" else ("late",)
    getattr(store.treasury, said)(entry.entry_id, *words, NOW + 5)

    assert (store.treasury.recent(1), outcome(store, 1)) == before


def test_words_about_nothing_are_told(store):
    """
    A number that nobody gave is an error in one sentence, and so is that of another decision.
    """
    with pytest.raises(StoreError, match="journal entry 5: it begins no rebalance"):
        store.treasury.began(5, NOW)
    with pytest.raises(StoreError, match="rebalance 5: there is none of this number"):
        store.treasury.settle(5, Ending.DONE, "over", NOW)


def test_the_first_reason_to_stop_stays(store):
    """
    Why and since when a rebalance is to stop, and how it will have ended, is known after a
    restart; nothing of it is over yet.
    """
    begin(store, 1)
    store.treasury.stop(1, "priced out", NOW + 1, Ending.TOO_EXPENSIVE)
    store.treasury.stop(1, "paused", NOW + 2)

    (logged,) = store.treasury.open()
    assert (logged.stopping, logged.stopping_at) == ("priced out", NOW + 1)
    assert logged.attempt.stopping is Ending.TOO_EXPENSIVE
    assert logged.attempt.ending is None
    store.treasury.settle(1, Ending.TOO_EXPENSIVE, "over", NOW + 3)
    store.treasury.stop(1, "late", NOW + 4)
    ended = attempt(store, 1)
    assert (ended.stopping, ended.ending) == (None, Ending.TOO_EXPENSIVE)
