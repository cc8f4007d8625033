"""The ledger of the books: what is unknown, what a window holds, days, looks and reputations."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from unit.adapters.store_examples import NOW, PEER, channel, channel_id, forward, scid, take

from revops.adapters.store import Closed, Store
from revops.adapters.store.schema import bring_up_to_date, migrations_dir
from revops.core.costs import ChainCost, Closing
from revops.core.ledger import FREE, Balance, Cost, Looks, Splice
from revops.core.snapshot import Slice
from revops.core.treasury import Reputation
from revops.core.units import DAY, HOUR

TODAY = NOW // DAY
TXID = "ab" * 32


@pytest.fixture
def store(tmp_path):
    """
    Return new books that know two channels, the first opened by us.
    """
    with closing(Store.open(tmp_path / "books.db")) as store:
        both = [channel(1, opened_at=NOW - 40 * DAY), channel(2, opener="remote")]
        store.know_channels(both, NOW)
        store.costs.see(both, NOW - 50 * DAY)
        yield store


def account(store, number=1, first=TODAY - 30, last=TODAY):
    """
    Return the account of one channel.
    """
    return store.reports.ledger(NOW, first, last).accounts[number - 1]


def over(number=1, **fields):
    """
    Return the end of a channel, half an hour ago.
    """
    return Closing(
        **{
            "channel_id": channel_id(number),
            "scid": scid(number),
            "peer_id": PEER,
            "opener": "local",
            "capacity_msat": 10_000_000,
            "at": NOW - HOUR // 2,
            "how": "mutual",
        }
        | fields
    )


def test_an_opening_nobody_told_the_cost_of_is_unknown_where_it_was(store):
    """What we opened cost something: unknown in a life, and in a window that the opening is in."""
    assert account(store).life.open_cost is None
    assert account(store).window.open_cost == FREE
    assert account(store, first=TODAY - 41).window.open_cost is None
    assert account(store, 2).life.open_cost == FREE


def test_a_cost_is_of_the_window_it_was_paid_in(store):
    """What bookkeeper told is in the life, and in a window that holds its time."""
    told = ChainCost(kind="open", ref=TXID, at=NOW - 40 * DAY, amount_msat=1234)
    store.costs.take(channel_id(1), [told], NOW)

    assert account(store).life.open_cost == Cost(amount_msat=1234)
    assert account(store).window.open_cost == FREE
    assert account(store, first=TODAY - 40).window.open_cost == Cost(amount_msat=1234)


def test_an_end_is_free_before_it_comes_and_unknown_until_told(store):
    """An open channel has cost nothing to close; a closed one something, estimated or unknown."""
    assert account(store).life.close_cost == FREE
    store.costs.archive([(over(), None)], NOW, resolved=False)
    assert account(store).closed_at == NOW - HOUR // 2
    assert account(store).window.close_cost is None
    assert account(store, last=TODAY - 1).window.close_cost == FREE

    store.costs.archive([(over(), 500)], NOW, resolved=True)
    assert account(store).window.close_cost == Cost(amount_msat=500, estimated=True)


def test_closed_channels_are_listed_as_they_ended(store):
    """Each with how and when, and whether the node has done with it."""
    store.costs.archive([(over(final_to_us_msat=7), 0)], NOW, resolved=False)

    assert store.reports.closed() == (Closed(closing=over(final_to_us_msat=7), resolved=False),)


def test_a_splice_goes_on_with_the_account(store):
    """One channel, two short channel ids: its life is the sum of both."""
    take(store, [forward(1)])
    spliced = channel(2, scid=scid(9), capacity_msat=20_000_000, opener="remote")
    store.know_channels([spliced], NOW)
    store.costs.see([spliced], NOW)
    take(store, [forward(2, out_scid=scid(9))])

    assert account(store, 2).life.out_count == account(store, 2).window.out_count == 2
    assert store.reports.splices() == (
        Splice(
            channel_id=channel_id(2),
            at=NOW,
            old_scid=scid(2),
            new_scid=scid(9),
            old_capacity_msat=10_000_000,
            new_capacity_msat=20_000_000,
        ),
    )


def test_a_life_begun_under_an_older_revops_is_whole(tmp_path):
    """Books from before lives were added up know them after the upgrade."""
    old = tmp_path / "old"
    shutil.copytree(migrations_dir(), old, ignore=shutil.ignore_patterns("000[3-9]*"))
    path = tmp_path / "books.db"
    path.touch()
    bring_up_to_date(path, old)
    with closing(sqlite3.connect(path)) as books:
        row = (scid(2), "day", TODAY - 400, 3, 2, 300, 200, 20, 30, 0, 0, 0, 0)
        books.execute(f"INSERT INTO forward_stats VALUES ({', '.join('?' * 13)})", row)  # noqa: S608 -- places
        books.execute(
            "INSERT INTO forward_totals VALUES (?, 2, ?, NULL, 5)", (scid(2), TODAY * 24 - 9600)
        )
        books.execute("INSERT INTO forward_totals VALUES (?, 0, 1, NULL, NULL)", (scid(3),))
        books.commit()

    with closing(Store.open(path)) as store:
        stray = store.reports.ledger(NOW, 0, TODAY).stray_life
        assert (stray.in_count, stray.out_count, stray.in_msat) == (3, 2, 300)
        assert (stray.out_msat, stray.earned_msat, stray.sourced_msat) == (200, 20, 30)


def test_retention_changes_no_report(store):
    """Without any hour the ledger and the days are the same."""
    take(store, [forward(1), forward(2, at=NOW - 20 * DAY)])
    store.reports.add_up_days(TODAY - 30, TODAY)
    before = store.reports.ledger(NOW, TODAY - 30, TODAY), store.reports.days(0)
    store._write(lambda books: books.execute("DELETE FROM forward_stats WHERE span = 'hour'"))
    store.reports.add_up_days(TODAY - 30, TODAY)

    assert (store.reports.ledger(NOW, TODAY - 30, TODAY), store.reports.days(0)) == before


def test_a_day_added_up_again_keeps_what_was_seen(store):
    """Sums are revised, balances stay as they were seen; a day nobody looked at has none."""
    balance = Balance(at=NOW, channel_msat=5, onchain_msat=None, capacity_msat=9, channel_count=1)
    store.reports.add_up_days(TODAY - 1, TODAY)
    store.reports.see_balance(balance)
    take(store, [forward(1)])
    store.reports.add_up_days(TODAY - 1, TODAY)
    before, today = store.reports.days(TODAY - 1)

    assert (before.balance, before.forward_count) == (None, 0)
    assert (today.balance, today.forward_count, today.earned_msat) == (balance, 1, 1)


def test_looks_add_up_over_the_days_kept(store):
    """Short and live looks of a day add up; days before the oldest are forgotten."""
    one, short = Looks(count=1, short=0, live=1), Looks(count=1, short=1, live=0)
    store.reports.add_looks({channel_id(1): one}, TODAY - 9, 0)
    store.reports.add_looks({channel_id(1): short}, TODAY - 5, 0)
    store.reports.add_looks({channel_id(1): one, channel_id(2): one}, TODAY, TODAY - 5)

    assert store.reports.looks(0) == {channel_id(1): Looks(count=2, short=1, live=1)} | {
        channel_id(2): one
    }
    assert store.reports.looks(TODAY)[channel_id(1)] == one


def test_the_htlcs_of_a_peer_are_those_of_all_its_channels(store):
    """Hours after the last one digested, settled and failed, over the channels with the peer."""
    hour = NOW // HOUR - 1
    take(store, [forward(1), forward(2, status="failed"), forward(3, at=NOW - 5 * HOUR)])
    take(store, [forward(4, out_scid=scid(1))])

    assert store.reports.peer_hours(hour - 1, hour) == {
        PEER: [Slice(start=hour, out_count=2, failed_count=1)]
    }
    assert store.reports.peer_hours(hour, hour + 9) == {}


def test_reputations_are_kept_as_they_were(store):
    """What is saved replaces what was known of a peer."""
    first = Reputation(peer_id=PEER, hour=5, successes=1.5, failures=0.25)
    store.reports.save_reputations([first])
    later = Reputation(peer_id=PEER, hour=6, successes=2.5, failures=0.25)
    store.reports.save_reputations([later])

    assert store.reports.reputations() == {PEER: later}
