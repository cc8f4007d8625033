"""How a rebalance ends: it costs what its payments cost, and stays as it ended."""

import pytest
from unit.adapters.store_examples import NOW, scid
from unit.adapters.treasury.examples import CHUNK, LIMIT, attempt, begin, outcome, read, sides

from revops.adapters.errors import StoreError
from revops.core.budget import Spend, Spending
from revops.core.outcomes import Refused, Started
from revops.core.treasury import Ending
from revops.core.units import DAY, HOUR


def test_a_settled_rebalance_costs_what_its_payments_cost(store):
    """
    The rest of the money is free; the journal's open entry says that it ran.
    """
    entry = begin(store, 1)
    store.treasury.lost(entry.entry_id, "silence", NOW)
    read(store, *sides(1, fee=8000), *sides(3, fee=500))
    found = store.treasury.settle(1, Ending.DONE, "all of it arrived", NOW + 60)

    assert found == attempt(store, 1)
    assert (found.state, found.ending, found.ended_at) == (Spend.SETTLED, Ending.DONE, NOW + 60)
    assert (found.moved_msat, found.fee_msat) == (2 * CHUNK, 8500)
    assert store.treasury.spending(NOW + 60) == Spending(day_msat=8500, week_msat=8500)
    assert outcome(store, 1) == Started(rebalance_id=1)
    assert store.treasury.recent(1)[0].why == "all of it arrived"


def test_what_cost_nothing_is_settled_if_it_moved_and_released_if_not(store):
    """
    A refill for free is a refill; without one nothing was spent, and the entry says so.
    """
    begin(store, 1)
    begin(store, 2)
    read(store, *sides(1, fee=0))

    assert store.treasury.settle(1, Ending.PARTIAL, "over", NOW).state is Spend.SETTLED
    assert store.treasury.settle(2, Ending.NO_ROUTE, "no route", NOW).state is Spend.RELEASED
    assert outcome(store, 2) == Refused(error="no route")
    assert store.treasury.spending(NOW) == Spending()


@pytest.mark.parametrize(("fee", "spent"), [(None, LIMIT), (8500, LIMIT), (50_000, 50_000)])
def test_what_nobody_can_tell_counts_in_full(store, fee, spent):
    """
    Given up, a rebalance has cost all that it might, or what is known of it if that is more.
    """
    begin(store, 1)
    read(store, *(() if fee is None else sides(1, fee=fee)))
    found = store.treasury.give_up(1, "no evidence for 4 hours", NOW)

    assert (found.state, found.ending) == (Spend.SETTLED, Ending.VANISHED)
    assert store.treasury.spending(NOW) == Spending(day_msat=spent, week_msat=spent)


def test_what_is_over_stays_as_it_ended(store):
    """
    Settled, given up or cleared again: what stands is returned, and nothing changes.
    """
    begin(store, 1)
    read(store, *sides(1))
    found = store.treasury.settle(1, Ending.DONE, "over", NOW)

    assert store.treasury.settle(1, Ending.PARTIAL, "again", NOW + 5) == found
    assert store.treasury.give_up(1, "again", NOW + 5) == found
    assert store.treasury.release_stale(NOW + DAY, 0) == store.treasury.release_stale(NOW, 0)
    assert store.treasury.recent(1)[0].why == "over"


def test_not_even_a_mistake_changes_what_is_over(store):
    """
    The file itself refuses to touch what was settled.
    """
    begin(store, 1)
    store.treasury.give_up(1, "over", NOW)
    for change in ("state = 'unknown', spent_msat = NULL, settled_at = NULL", "amount_msat = 1"):
        with pytest.raises(StoreError, match="a reservation that is over was to be changed"):
            store._write(lambda books, c=change: books.execute(f"UPDATE reservations SET {c}"))  # noqa: S608 -- the test's own words


def test_the_operator_gets_back_what_never_began(store):
    """
    What is old enough, was never heard of and left no trace is free again; everything else stays,
    each for a reason that is told.
    """
    numbers = range(1, 8)
    entries = {n: begin(store, n, at=NOW - 3 * HOUR) for n in numbers}
    store.treasury.began(entries[1].entry_id, NOW)
    store.treasury.lost(entries[6].entry_id, "silence", NOW)
    begin(store, 10, at=NOW - HOUR)
    read(store, *sides(1, into=2), sides(3, into=3)[0])
    cleared = store.treasury.release_stale(NOW, 2 * HOUR, [scid(4)])

    assert [a.rebalance_id for a in cleared.released] == [5, 6, 7]
    assert {a.state for a in cleared.released} == {Spend.RELEASED}
    assert {a.rebalance_id: why for a, why in cleared.kept} == {
        1: "the rebalancer said that it is at work on it",
        2: "100000000 msat arrived: it is settled when it is over",
        3: "of a payment that may be its own only one side was seen",
        4: "the rebalancer is at work on its channel",
        8: "an answer may come for another 3600 s",
    }
    assert store.treasury.spending(NOW).held_msat == 5 * LIMIT
    assert store.treasury.release_stale(NOW, 2 * HOUR, [scid(4)]).released == ()


def test_nothing_is_released_unread(store):
    """
    Whether something arrived is not known before it was read.
    """
    begin(store, 1, at=NOW)
    for at in (None, NOW):
        if at is not None:
            read(store, at=at)
        ((_, why),) = store.treasury.release_stale(NOW + DAY, HOUR).kept
        assert why == "what moved since it began was not read yet"
    read(store, at=NOW + 1)
    assert store.treasury.release_stale(NOW + DAY, HOUR).kept == ()
