"""The treasury book: what is reserved, heard, settled and told, and how much of it fits."""

import shutil
import sqlite3
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import attrs
import pytest
from unit.adapters.store_examples import (
    NOW,
    PEER,
    channel,
    channel_id,
    decision,
    forward,
    plan,
    remembered,
    scid,
    take,
)

from revops.adapters.errors import StoreError
from revops.adapters.store import Store
from revops.core.actions import Hold, Source, StartRebalance, StopRebalance
from revops.core.budget import Limits, Spend, Spending
from revops.core.outcomes import Refused, Rehearsed, Started, Unknown
from revops.core.plan import Decision, RebalancePlan
from revops.core.reasons import Code, because
from revops.core.refills import Move, Refill
from revops.core.treasury import Ending
from revops.core.units import DAY, HOUR

CHUNK = 100_000_000
LIMIT = 30_000
PLENTY = Limits(day_msat=10**9, week_msat=10**9)
TRAIL = (because(Code.BOUNDS, floor=1, ceiling=2),)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """
    Return a file of new books.
    """
    path = tmp_path_factory.mktemp("empty") / "books.db"
    Store.open(path).close()
    return path


@pytest.fixture
def path(tmp_path, empty):
    """
    Return where new books are.
    """
    return Path(shutil.copy(empty, tmp_path))


@pytest.fixture
def store(path):
    """
    Return new books.
    """
    with closing(Store.open(path)) as store:
        yield store


def start(number, **fields):
    """
    Return what fills a channel from channels 8 and 9 by two chunks, for 30 sats at most.
    """
    return StartRebalance(
        **{
            "channel_id": channel_id(number),
            "scid": scid(number),
            "peer_id": PEER,
            "sources": tuple(Source(channel_id=channel_id(n), scid=scid(n)) for n in (8, 9)),
            "amount_msat": 2 * CHUNK,
            "chunk_msat": CHUNK,
            "max_ppm": 100,
            "max_fee_msat": LIMIT,
            "expected_fee_msat": 5000,
            "keep_share": 0.05,
            "keep_msat": 10**8,
            "to_us_msat": 7000,
            **fields,
        }
    )


def about(number, action=None, **fields):
    """
    Return a decision about a channel, to begin a rebalance unless *action* says otherwise.
    """
    return Decision(
        channel_id=channel_id(number),
        scid=scid(number),
        peer_id=PEER,
        area="rebalance",
        action=action or start(number, **fields),
        trail=TRAIL,
    )


def money_plan(*decisions, at=NOW, limits=PLENTY):
    """
    Return what a cycle decided.
    """
    return RebalancePlan(at=at, decisions=decisions, node_trail=TRAIL, limits=limits)


def begin(store, number, at=NOW, limits=PLENTY, **fields):
    """
    Reserve money for a rebalance and return its entry.
    """
    (entry,) = store.treasury.write_down(
        money_plan(about(number, **fields), at=at, limits=limits), dry_run=False
    )
    return entry


def sides(index, *, into=1, out_of=8, amount=CHUNK, fee=8500, at=NOW, payment=None):  # noqa: PLR0913 -- all that there is to it
    """
    Return the two sides of a circular payment, as lightningd lists them from row *index* on.
    """
    plain = {"at": at, "payment_hash": payment or f"{index:064x}"}
    return (
        Move(
            index=index,
            channel_id=channel_id(into),
            part="0:0",
            credit_msat=amount,
            debit_msat=0,
            fee_msat=0,
            **plain,
        ),
        Move(
            index=index + 1,
            channel_id=channel_id(out_of),
            part="1:0",
            credit_msat=0,
            debit_msat=amount + fee,
            fee_msat=fee,
            **plain,
        ),
    )


def paid(payment, **fields):
    """
    Return a payment as the node's list of payments has it, from nobody knows where to where.
    """
    return Refill(
        **{
            "payment_hash": payment,
            "part": "0",
            "at": NOW,
            "from_channel": None,
            "to_channel": None,
            "amount_msat": CHUNK,
            "fee_msat": 8500,
            **fields,
        }
    )


def read(store, *moves, at=NOW):
    """
    Take *moves*, to the end of the node's list.
    """
    store.costs.take_moves(moves, moves[-1].index if moves else None, at)


def rows(store, query):
    """
    Return what the file holds.
    """
    return store._read(lambda books: books.execute(query).fetchall())


def outcome(store, number):
    """
    Return what became of the last decision about a channel.
    """
    (explained,) = store.last_decisions(scid(number), "rebalance")
    return explained.outcome


def attempt(store, number):
    """
    Return what the books hold of the rebalance of that number.
    """
    return next(a for a in store.treasury.attempts(0) if a.rebalance_id == number)


# Decisions


def test_what_is_decided_is_reserved_and_written_down_together(store):
    """
    A start gets an entry, a number, a place in the log and its money; a Hold only its decision;
    and both can be explained, as can the cycle.
    """
    entries = store.treasury.write_down(
        money_plan(about(1), about(2, Hold(until=NOW + HOUR))), dry_run=False
    )

    (entry,) = entries
    assert (entry.action, entry.rebalance_id) == (start(1), 1)
    assert store.treasury.spending(NOW) == Spending(held_msat=LIMIT)
    (logged,) = store.treasury.open()
    assert (logged.scid, logged.journal_id) == (scid(1), entry.entry_id)
    assert logged.attempt == attempt(store, 1)
    assert logged.attempt.from_channels == (channel_id(8), channel_id(9))
    assert (logged.attempt.limit_msat, logged.attempt.before_msat) == (LIMIT, 7000)
    assert logged.attempt.state is Spend.RESERVED
    assert [e.decision for e in store.last_decisions(PEER, "rebalance")] == [
        about(1),
        about(2, Hold(until=NOW + HOUR)),
    ]
    assert store.last_cycle("rebalance") == (NOW, TRAIL)
    assert store.last_cycle() is None


def test_what_has_no_room_is_refused_with_the_number_that_would_do(store):
    """
    Of two that are decided by an older look only the first fits; the other's money is not held.
    """
    limits = Limits(day_msat=2 * LIMIT - 1, week_msat=2 * LIMIT - 500)
    entries = store.treasury.write_down(
        money_plan(about(1), about(2), limits=limits), dry_run=False
    )

    assert [entry.action for entry in entries] == [start(1)]
    assert store.treasury.spending(NOW).held_msat == LIMIT
    assert outcome(store, 1) is None
    assert outcome(store, 2) == Refused(
        error="it may cost up to 30 sats and 29 are left of the budget; with daily-budget-sats"
        " ≥ 60 and weekly-budget-sats ≥ 60 it would begin"
    )


def test_only_the_limit_that_is_too_low_is_named(store):
    """
    The sentence names the day's budget when the week's would do.
    """
    limits = Limits(day_msat=LIMIT - 1, week_msat=10**9)

    assert store.treasury.order(about(1), limits, NOW, dry_run=False) is None
    assert "daily-budget-sats ≥ 30 it" in outcome(store, 1).error


def test_a_channel_has_one_rebalance_at_a_time(store):
    """
    As long as the money of a rebalance is not settled, no other of its channel begins.
    """
    begin(store, 1)

    assert store.treasury.order(about(1), PLENTY, NOW, dry_run=False) is None
    assert outcome(store, 1) == Refused(error="rebalance 1 of this channel is not settled yet")
    store.treasury.settle(1, Ending.DONE, "over", NOW)
    assert store.treasury.order(about(1), PLENTY, NOW, dry_run=False).rebalance_id == 2


def test_a_dry_run_reserves_nothing(store):
    """
    It is written down as rehearsed, and there is nothing to do.
    """
    assert store.treasury.write_down(money_plan(about(1)), dry_run=True) == ()
    assert store.treasury.order(about(2), PLENTY, NOW, dry_run=True) is None

    assert outcome(store, 1) == outcome(store, 2) == Rehearsed()
    assert store.treasury.attempts(0) == ()
    assert store.treasury.spending(NOW) == Spending()


def test_a_stop_needs_no_money(store):
    """
    A decision to stop is an entry to be done, whatever the budget.
    """
    stop = StopRebalance(rebalance_id=7, channel_id=channel_id(1), scid=scid(1), peer_id=PEER)
    nothing = Limits(day_msat=0, week_msat=0)
    (entry,) = store.treasury.write_down(money_plan(about(1, stop), limits=nothing), dry_run=False)

    assert (entry.action, entry.rebalance_id) == (stop, None)


def test_a_cycle_of_fees_settles_no_rebalance(store):
    """
    The next look at a channel's fee says nothing about what a rebalance became.
    """
    entry = begin(store, 1)
    store.treasury.lost(entry.entry_id, "silence", NOW)
    seen = remembered(1)
    store.write_down(plan(decision(1), at=NOW + HOUR, channels=(seen,)), (seen,))

    assert outcome(store, 1) == Unknown(error="silence")
    assert attempt(store, 1).state is Spend.UNKNOWN


def test_what_a_wrong_clock_dated_is_of_now(store):
    """
    A clock that was ahead by years holds nothing up: deadlines and windows begin now.
    """
    begin(store, 1, at=NOW + 900 * DAY)
    begin(store, 2, at=NOW + 900 * DAY)
    read(store, *sides(1, into=2))
    store.treasury.settle(2, Ending.PARTIAL, "over", NOW + 900 * DAY)
    begin(store, 3, at=NOW)

    assert [a.at for a in store.treasury.attempts(0)] == [NOW] * 3
    assert attempt(store, 2).ended_at == NOW
    assert store.treasury.spending(NOW + DAY - 1).day_msat == 8500
    assert store.treasury.spending(NOW + DAY).day_msat == 0


# What the rebalancer said


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


# Whose a payment is


def test_payments_are_of_the_rebalance_that_they_look_like(store):
    """
    Target, source and size say whose a payment is; what else moves in a circle is a cost of its
    channel and of no rebalance.
    """
    begin(store, 1)
    begin(store, 2)
    read(
        store,
        *sides(1, into=2, out_of=9, fee=1),
        *sides(3, into=1, out_of=8, fee=20),
        *sides(5, into=1, out_of=7, fee=300),
        *sides(7, into=3, out_of=8, fee=4000),
        *sides(9, into=1, out_of=8, fee=50_000, amount=CHUNK - 1),
    )

    assert [(attempt(store, n).moved_msat, attempt(store, n).fee_msat) for n in (1, 2)] == [
        (CHUNK, 20),
        (CHUNK, 1),
    ]
    assert attempt(store, 1).moved_at == NOW
    assert store.treasury.refill_cost_week(NOW) == 54_321
    assert store.treasury.settle(1, Ending.PARTIAL, "over", NOW + 9).state is Spend.SETTLED
    assert store.treasury.spending(NOW + 9) == Spending(day_msat=20, week_msat=20, held_msat=LIMIT)


def test_what_was_read_before_or_comes_after_is_nobodys(store):
    """
    Only what is first read while a rebalance is open can be of it.
    """
    read(store, *sides(1))
    begin(store, 1)
    read(store, *sides(3, fee=7))
    store.treasury.settle(1, Ending.DONE, "over", NOW)
    read(store, *sides(5))

    assert attempt(store, 1).fee_msat == 7
    assert rows(store, "SELECT count(*) FROM refills WHERE rebalance_id IS NULL") == [(2,)]


def test_a_payment_that_is_listed_again_stays_where_it_was(store):
    """
    After the node's database was restored the same payment may come again: of an older rebalance,
    or of none, it is no payment of the one that is open now.
    """
    read(store, *sides(1, payment="aa" * 32))
    begin(store, 1)
    read(store, *sides(3, payment="bb" * 32))
    store.treasury.settle(1, Ending.DONE, "over", NOW)
    begin(store, 1)
    store.costs.go_back(0)
    read(store, *sides(1, payment="bb" * 32), *sides(3, payment="aa" * 32))

    assert [attempt(store, n).fee_msat for n in (1, 2)] == [8500, 0]
    assert store.treasury.refill_cost_week(NOW) == 2 * 8500


def test_a_payment_without_ends_is_known_by_its_size(store):
    """
    Where the node keeps no list of what moved, what is as large as a chunk is of the rebalance
    that is open, and keeps that when the list appears: nothing is counted twice, or anew.
    """
    begin(store, 1)
    store.costs.take_payments([paid("aa" * 32), paid("cc" * 32, amount_msat=5)], 2, NOW)
    assert attempt(store, 1).fee_msat == 8500

    store.treasury.settle(1, Ending.PARTIAL, "over", NOW)
    begin(store, 1)
    read(store, *sides(1, payment="aa" * 32), *sides(3, payment="cc" * 32, amount=5))
    assert [attempt(store, n).fee_msat for n in (1, 2)] == [8500, 0]
    assert store.treasury.refill_cost_week(NOW) == 2 * 8500
    assert store.treasury.spending(NOW) == Spending(day_msat=8500, week_msat=8500, held_msat=LIMIT)


def test_one_side_of_a_payment_is_waited_for(store):
    """
    As long as only one side of what may be a payment of a rebalance is in the books, it is not to
    be settled; sides of other sizes or channels, and those from before, hold nothing up.
    """
    read(store, sides(1)[0])
    begin(store, 1)
    stranger, ours = sides(3, into=2), sides(5)
    read(store, stranger[0], sides(7, amount=5)[0])
    assert not store.treasury.unpaired(attempt(store, 1))

    read(store, ours[0])
    assert store.treasury.unpaired(attempt(store, 1))
    read(store, attrs.evolve(ours[1], index=20))
    assert not store.treasury.unpaired(attempt(store, 1))
    read(store, attrs.evolve(sides(30, out_of=9)[1]))
    assert store.treasury.unpaired(attempt(store, 1))


def test_sides_are_waited_for_where_a_restored_node_counts_anew(store):
    """
    The node's rows begin again below those that were read when the money was reserved.
    """
    read(store, *sides(100, into=3))
    begin(store, 1)
    store.costs.go_back(10)
    read(store, sides(11)[0])

    assert store.treasury.unpaired(attempt(store, 1))


# How it ends


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


# What there is


def test_a_restart_changes_nothing(store, path):
    """
    Whoever opens the books anew finds the same open and ended rebalances, and the same sums.
    """
    begin(store, 1)
    begin(store, 2)
    read(store, *sides(1))
    store.treasury.settle(1, Ending.DONE, "over", NOW)

    def told(books):
        return (books.treasury.attempts(0), books.treasury.open(), books.treasury.spending(NOW))

    before = told(store)
    with closing(Store.open(path)) as again:
        assert told(again) == before


def test_attempts_are_those_since_and_all_that_are_open(store):
    """
    However old, what is open is among them; the latest come first where only some are wanted.
    """
    for number, at in ((1, NOW - 100 * DAY), (2, NOW - 99 * DAY), (3, NOW - DAY), (4, NOW)):
        begin(store, number, at=at)
    for number in (2, 3):
        store.treasury.settle(number, Ending.NO_ROUTE, "over", NOW)

    assert [a.rebalance_id for a in store.treasury.attempts(NOW - 90 * DAY)] == [1, 3, 4]
    assert [logged.attempt.rebalance_id for logged in store.treasury.open()] == [1, 4]
    assert [logged.attempt.rebalance_id for logged in store.treasury.recent(3)] == [4, 3, 2]


def test_revenue_is_of_whole_hours_that_are_counted_through(store):
    """
    The window rolls by the hour; and what is not counted through is not known.
    """
    assert store.treasury.revenue(NOW, DAY) is None
    ages = (0, 1, 23, 24, 25, 24 * 7, 24 * 7 + 1)
    take(
        store,
        [
            forward(n, at=NOW - age * HOUR, in_msat=1000 + 10**n, fee_msat=10**n)
            for n, age in enumerate(ages)
        ],
    )

    assert store.treasury.revenue(NOW, DAY) == 1111
    assert store.treasury.revenue(NOW + HOUR, DAY) == 111
    assert store.treasury.revenue(NOW, 7 * DAY) == 111_111
    assert store.treasury.revenue(NOW + HOUR + 1, DAY) is None


def test_revenue_needs_no_hours_that_are_gone(store):
    """
    Days stand for their hours in the middle of a window.
    """
    take(store, [forward(n, at=NOW - n * DAY) for n in range(1, 40)])
    before = store.treasury.revenue(NOW, 30 * DAY)
    store._write(lambda books: books.execute("DELETE FROM forward_stats WHERE span = 'hour'"))

    assert before == 30
    assert store.treasury.revenue(NOW, 30 * DAY) == 29


def test_costs_and_income_are_unknown_until_both_were_read(store):
    """
    All circular payments cost, whoever made them; a month's income is what they leave of fees.
    """
    assert store.treasury.refill_cost_week(NOW) is None
    take(store, [forward(1, in_msat=101_000, fee_msat=100_000)])
    assert store.treasury.income_month(NOW) is None

    read(
        store,
        *sides(1, at=NOW - 8 * DAY, fee=700),
        *sides(3, at=NOW - 6 * DAY, fee=30),
        *sides(5, at=NOW + 5, fee=1),
    )
    assert store.treasury.refill_cost_week(NOW) == 31
    assert store.treasury.income_month(NOW) == 100_000 - 731
    read(store, at=NOW - DAY - 1)
    assert store.treasury.refill_cost_week(NOW) is None


def test_what_was_sold_is_known_when_the_horizon_is_over(store):
    """
    What left in the horizon beyond what was there before, as a share of what arrived, under every
    short channel id of the channel; written down once.
    """
    store.know_channels([channel(1)], NOW)
    store.know_channels([channel(1, scid=scid(7))], NOW)
    begin(store, 1)
    begin(store, 2)
    read(store, *sides(1))
    for number in (1, 2):
        store.treasury.settle(number, Ending.PARTIAL, "over", NOW)
    ago = [(CHUNK // 4 + 7000, NOW + 3 * DAY), (CHUNK // 4, NOW + 6 * DAY), (CHUNK, NOW + 8 * DAY)]
    listed = [
        forward(n, at=at, out_scid=scid(1 if n else 7), in_msat=sold, out_msat=sold, fee_msat=0)
        for n, (sold, at) in enumerate([*ago, (CHUNK, NOW)])
    ]
    take(store, listed, until=NOW + 7 * DAY)
    store.treasury.mature(NOW + 9 * DAY, 7)
    assert attempt(store, 1).sold is None

    take(store, [], until=NOW + 9 * DAY)
    store.treasury.mature(NOW + 6 * DAY, 7)
    assert attempt(store, 1).sold is None
    store.treasury.mature(NOW + 9 * DAY, 7)
    assert attempt(store, 1).sold == 0.5
    assert attempt(store, 2).sold is None

    take(store, [forward(9, at=NOW + 2 * DAY, out_scid=scid(1), in_msat=CHUNK, out_msat=CHUNK)])
    store.treasury.mature(NOW + 9 * DAY, 7)
    assert attempt(store, 1).sold == 0.5


@pytest.mark.parametrize(("left", "sold"), [(0, 0.0), (6000, 0.0), (10**10, 1.0)])
def test_a_share_is_a_share(store, left, sold):
    """
    Nothing beyond what was there is none of it; more than all of it is all of it.
    """
    store.know_channels([channel(1)], NOW)
    begin(store, 1)
    read(store, *sides(1))
    store.treasury.settle(1, Ending.PARTIAL, "over", NOW)
    some = [forward(1, at=NOW + DAY, out_scid=scid(1), in_msat=left, out_msat=left, fee_msat=0)]
    take(store, some, until=NOW + 8 * DAY)
    store.treasury.mature(NOW + 8 * DAY, 7)

    assert attempt(store, 1).sold == sold


def test_a_channel_that_nobody_knows_has_sold_nobody_knows_what(store):
    """
    Without a short channel id there is nothing to look its forwards up by.
    """
    begin(store, 1)
    read(store, *sides(1))
    store.treasury.settle(1, Ending.PARTIAL, "over", NOW)
    take(store, [], until=NOW + 9 * DAY)
    store.treasury.mature(NOW + 9 * DAY, 7)

    assert attempt(store, 1).sold is None


def test_what_is_forgotten_changes_no_sum(store):
    """
    After years the journal forgets rebalances that are over, and refusals; what is open stays
    whole, and so do the log, the money and every report.
    """
    store.know_channels([channel(1)], NOW)
    begin(store, 1)
    begin(store, 2)
    store.treasury.order(about(3), Limits(day_msat=0, week_msat=0), NOW, dry_run=False)
    store.treasury.order(about(3), PLENTY, NOW, dry_run=True)
    store.treasury.began(2, NOW)
    read(store, *sides(1, into=1), *sides(3, into=2))
    store.treasury.settle(1, Ending.PARTIAL, "over", NOW)

    def told():
        return (
            store.treasury.attempts(0),
            store.treasury.spending(NOW),
            store.treasury.refill_cost_week(NOW),
            store.reports.ledger(NOW, 0, NOW // DAY),
        )

    before = told()
    while store.upkeep.forget(NOW + 1):
        pass

    assert told() == before
    assert rows(store, "SELECT id, state FROM journal") == [(2, "applied")]
    assert [logged.journal_id for logged in store.treasury.recent(2)] == [2, None]
    store.treasury.settle(1, Ending.DONE, "again", NOW)
    assert store.treasury.settle(2, Ending.PARTIAL, "over", NOW).fee_msat == 8500


# Together


def compete(path, first, barrier=None):
    """
    Order rebalances of fifty channels, and return how many may begin.
    """
    with closing(Store.open(path)) as store:
        if barrier:
            barrier.wait()
        limits = Limits(day_msat=20 * LIMIT, week_msat=10**9)
        return sum(
            store.treasury.order(about(number), limits, NOW, dry_run=False) is not None
            for number in range(first, first + 50)
        )


def test_threads_that_race_reserve_no_more_than_there_is(store, path):
    """
    Four workers with books of their own together begin what fits, exactly.
    """
    begun = []
    barrier = threading.Barrier(4)
    workers = [
        threading.Thread(target=lambda n=n: begun.append(compete(path, n * 100, barrier)))
        for n in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(begun) == 20
    assert store.treasury.spending(NOW).held_msat == 20 * LIMIT


def test_processes_that_race_reserve_no_more_than_there_is(store, path):
    """
    So do two processes.
    """
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        begun = list(processes.map(compete, [path] * 2, [100, 200]))

    assert sum(begun) == 20
    assert store.treasury.spending(NOW).held_msat == 20 * LIMIT


def steps(store, ask):
    """
    Return how SQLite goes about what *ask* asks for.
    """

    def listen(books, statements=None):
        books.set_trace_callback(statements.append if statements is not None else None)

    asked = []
    store._read(listen, asked)
    ask()
    store._read(listen)
    queries = [query for query in asked if query.lstrip().startswith("SELECT")]
    assert queries
    return [step for query in queries for *_, step in rows(store, f"EXPLAIN QUERY PLAN {query}")]


def test_years_of_rebalances_are_no_burden(store):
    """
    What commands and cycles ask for is looked up: nothing goes through all that ever was.
    """
    begin(store, 1)
    book = store.treasury
    asked = [
        *steps(store, book.open),
        *steps(store, lambda: book.attempts(NOW)),
        *steps(store, lambda: book.spending(NOW)),
        *steps(store, lambda: book.unpaired(attempt(store, 1))),
    ]
    scans = {step for step in asked if step.startswith("SCAN")}

    assert scans == {"SCAN reservations USING INDEX reservations_open"}
    (scan,) = (s for s in steps(store, lambda: book.recent(5)) if s.startswith("SCAN"))
    assert scan == "SCAN rebalance_log"  # from its end, as far as it is asked


def test_books_from_before_rebalancing_know_no_rebalance(path):
    """
    Refills that were in the books belong to none, and stay what they were.
    """
    with closing(Store.open(path)) as store:
        read(store, *sides(1))
    with closing(sqlite3.connect(path)) as books:
        assert books.execute("SELECT rebalance_id, fee_msat FROM refills").fetchall() == [
            (None, 8500)
        ]
