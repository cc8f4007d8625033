"""Decisions about rebalances: reserved and written down together, or refused with a reason."""

from unit.adapters.store_examples import NOW, PEER, channel_id, decision, plan, remembered, scid
from unit.adapters.treasury.examples import (
    LIMIT,
    PLENTY,
    TRAIL,
    about,
    attempt,
    begin,
    money_plan,
    outcome,
    read,
    sides,
    start,
)

from revops.core.actions import Hold, StopRebalance
from revops.core.budget import Limits, Spend, Spending
from revops.core.outcomes import Refused, Rehearsed, Unknown
from revops.core.treasury import Ending
from revops.core.units import DAY, HOUR


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
