"""What the treasury book tells: attempts, revenue, costs, what was sold."""

from contextlib import closing

import pytest
from unit.adapters.store_examples import NOW, channel, forward, scid, take
from unit.adapters.treasury.examples import CHUNK, PLENTY, about, attempt, begin, read, rows, sides

from revops.adapters.store import Store
from revops.core.budget import Limits
from revops.core.treasury import Ending
from revops.core.units import DAY, HOUR


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
