"""Retention: what is old goes, and no sum that anybody reads changes."""

from contextlib import closing

import pytest
from unit.adapters.store_examples import (
    NOW,
    channel,
    decision,
    digested,
    forward,
    plan,
    scid,
    set_fee,
    take,
)

from revops.adapters.store import Store, retention
from revops.core.memory import Memory, Price
from revops.core.outcomes import Applied, Unknown
from revops.core.policy import PolicyBook
from revops.core.snapshot import FeePin, FeerateSample
from revops.core.tally import tally
from revops.core.units import DAY, HOUR

KEPT = NOW - 30 * DAY
"""Half a day into a day."""


@pytest.fixture
def store(tmp_path):
    """
    Return new books that know two channels.
    """
    with closing(Store.open(tmp_path / "books.db")) as store:
        store.know_channels([channel(1), channel(2)], NOW)
        yield store


def rows(store, table, where="true"):
    """
    Return how many rows of *table* there are.
    """
    query = f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608 -- the test's own words
    return store._read(lambda books: books.execute(query).fetchone()[0])


def forget_all(store):
    """
    Forget what is too old, and return how many turns that took.
    """
    turns = 1
    while store.upkeep.forget(KEPT):
        turns += 1
    return turns


def test_hours_go_and_no_sum_changes(store):
    """
    Hours before the limit go, the one it falls in stays; days, totals, traffic and the ledger say
    what they said.
    """
    times = [KEPT + hours * HOUR for hours in range(-60, 20, 3)]
    take(store, [forward(number, at=at) for number, at in enumerate(times)])
    take(store, [forward(100, at=KEPT, out_scid=scid(9))])
    memory = Memory(channels=(digested(1, KEPT // HOUR), digested(2, KEPT // HOUR)))

    def read():
        return (
            store.books(),
            store.traffic(NOW, 90, memory),
            store.reports.ledger(NOW, KEPT // DAY - 5, NOW // DAY),
        )

    before, days = read(), rows(store, "forward_stats", "span = 'day'")
    forget_all(store)

    assert read() == before
    assert rows(store, "forward_stats", "span = 'day'") == days
    assert rows(store, "forward_stats", f"span = 'hour' AND start < {KEPT // HOUR}") == 0
    assert rows(store, "forward_stats", f"span = 'hour' AND start = {KEPT // HOUR}") == 3


def test_it_goes_piece_by_piece(store, monkeypatch):
    """
    No transaction deletes more than a piece of one table.
    """
    monkeypatch.setattr(retention, "PIECE", 10)
    take(store, [forward(number, at=KEPT - number * HOUR) for number in range(1, 26)])

    assert store.upkeep.forget(KEPT)
    assert rows(store, "forward_stats", "span = 'hour'") == 50 - 10
    assert forget_all(store) == 5
    assert rows(store, "forward_stats", "span = 'hour'") == 0


def test_an_hour_that_is_too_old_is_never_written(store):
    """
    A long past is counted without its hours: the file would not give back their room.
    """
    listed = [forward(1, at=KEPT - HOUR), forward(2, at=KEPT)]
    store.take_forwards(tally(listed), {}, NOW, NOW, KEPT // HOUR)

    assert rows(store, "forward_stats", "span = 'hour'") == 2
    assert store.traffic(NOW, 60, Memory())[channel(2).channel_id].out_count == 2


def test_what_is_settled_and_old_is_forgotten(store):
    """
    Of the journal goes what is old, with its audit; what nobody knows the end of stays, and so
    does an order that is in force, and everything younger.
    """
    old = store.write_down(
        plan(*(decision(number, set_fee(number)) for number in (1, 2)), at=KEPT - 3), ()
    )
    pin = FeePin(
        channel_id=channel(3).channel_id,
        price=Price(fee_ppm=120, base_fee_msat=0),
        set_at=KEPT - 2,
        until=NOW,
    )
    old += store.write_orders([(decision(3, set_fee(3)), pin)], KEPT - 2)
    new = store.write_down(plan(decision(4, set_fee(4)), at=KEPT), ())
    applied = Applied(fee_ppm=120, base_fee_msat=0)
    for entry in (old[0], old[2], *new):
        store.settle([(entry.entry_id, applied)], KEPT)
    store.settle([(old[1].entry_id, Unknown(error="silence"))], KEPT)
    forget_all(store)

    kept = (old[1].entry_id, old[2].entry_id, new[0].entry_id)
    assert rows(store, "journal") == rows(store, "journal", f"id IN {kept}") == 3
    assert len(store.fee_changes(10)) == 2
    assert [p.price for p in store.pins(NOW)] == [pin.price]


def test_samples_changes_and_sentences_go_with_age(store):
    """
    Feerates, changes of policies and what was quarantined are kept as long as everything else;
    that rows were quarantined stays in the count.
    """
    book = PolicyBook()
    for at in (KEPT - 1, KEPT):
        store.add_feerate(FeerateSample(at=at, perkw=253))
        changed = book.updated([(channel(1).peer_id, {"tags": [str(at)]})], at)
        store.save_policies(changed, book)
        book = changed
        odd = tally([forward(1, received_at=0)])
        store.take_forwards(odd, {}, None, at)
    forget_all(store)

    assert [sample.at for sample in store.feerates(0)] == [KEPT]
    assert [change.at for change in store.policies(changes_after=0).changes] == [KEPT]
    assert [row.seen_at for row in store.upkeep.quarantined(10)] == [KEPT]
    assert store.books().quarantined == 2


def test_quarantine_holds_the_newest(store):
    """
    However many rows cannot be, a thousand sentences are kept, and all are counted.
    """
    odd = tally([forward(number, received_at=0) for number in range(1, 2500)])
    store.take_forwards(odd, {}, None, NOW)
    store.take_forwards(tally([]), {}, None, NOW)
    store.take_forwards(tally([forward(9999, out_msat=5000)]), {}, None, NOW + 1)

    assert store.books().quarantined == 2500
    shown = store.upkeep.quarantined(5000)
    assert len(shown) == rows(store, "quarantine") == 1000
    assert shown[0].why == f"forward 9999 from {scid(1)}: out_msat 5000 is above in_msat 1001"
    assert shown[0].seen_at == NOW + 1
