"""Days: written down once, made up for as far as the books reach, and no further."""

from contextlib import closing

import pytest
from fakes import FakeClock
from unit.adapters.store_examples import NOW, PEER, channel, channel_id, forward, take

from revops.adapters.errors import NoAnswerError
from revops.adapters.store import Store
from revops.core.config import Config
from revops.core.ledger import Looks
from revops.core.reputation import digested
from revops.core.snapshot import Node, Slice, Snapshot
from revops.core.units import DAY, HOUR
from revops.shell.days import LOOKS_KEPT, REVISED, Days

TODAY = NOW // DAY


class Wallet:
    """
    A wallet that says what it holds, or is silent; it counts how often it is asked.
    """

    def __init__(self):
        self.holds = 7_000
        self.silent = False
        self.asked = 0

    def onchain(self):
        """
        Return what is confirmed.
        """
        self.asked += 1
        if self.silent:
            raise NoAnswerError("listfunds", "timed out")
        return self.holds


class Desk:
    """
    Days at work on books of their own.
    """

    def __init__(self, store):
        self.store = store
        self.wallet = Wallet()
        self.clock = FakeClock(NOW)
        self.job = Days(self.wallet, store, self.clock, Config)

    def look(self, *channels, after_s=0):
        """
        Let time pass, look at *channels* and catch up.
        """
        self.clock.pass_by(after_s)
        now = self.clock.now()
        seen = Snapshot(now=now, node=Node(node_id=PEER), channels=channels or [channel(1)])
        return self.job.catch_up(seen)

    def days(self):
        """
        Return what is written down, by the day.
        """
        return {day.number: day for day in self.store.reports.days(0)}


@pytest.fixture
def desk(tmp_path):
    """
    Return books that are complete up to now, with a forward three days ago and one today.
    """
    with closing(Store.open(tmp_path / "books.db")) as store:
        known = [channel(1), channel(2)]
        store.know_channels(known, NOW)
        store.costs.see(known, NOW)
        take(store, [forward(1, at=NOW - 3 * DAY), forward(2)])
        yield Desk(store)


def test_today_is_weighed_once(desk):
    """The wallet is asked once a day, whatever the number of looks."""
    desk.look(channel(1), channel(2, to_us_msat=10))
    desk.look(after_s=HOUR)
    balance = desk.days()[TODAY].balance

    assert desk.wallet.asked == 1
    assert (balance.at, balance.channel_msat, balance.onchain_msat) == (NOW, 5_000_010, 7_000)
    assert (balance.capacity_msat, balance.channel_count) == (20_000_000, 2)


def test_what_the_chain_has_counts_no_more(desk):
    """A channel that closed on-chain is on its way to the wallet: it is not weighed twice."""
    desk.look(channel(1), channel(2, state="ONCHAIN"))

    assert desk.days()[TODAY].balance.channel_msat == 5_000_000
    assert desk.days()[TODAY].balance.channel_count == 1


def test_a_silent_wallet_is_unknown_and_asked_again(desk):
    """Without an answer what is on-chain is null, and the sentence says so; later it is there."""
    desk.wallet.silent = True
    assert "listfunds" in desk.look()[0]
    assert desk.days()[TODAY].balance.onchain_msat is None

    desk.wallet.silent = False
    assert desk.look(after_s=HOUR) == ()
    assert desk.days()[TODAY].balance.onchain_msat == 7_000


def test_days_without_us_have_sums_and_no_balance(desk):
    """After three weeks of absence every day is there: with what the books hold, and no more."""
    desk.look()
    take(desk.store, [forward(3, at=NOW + 10 * DAY)], until=NOW + 21 * DAY)
    desk.look(after_s=21 * DAY)
    days = desk.days()

    assert sorted(days) == list(range(TODAY - 3, TODAY + 22))
    assert [n - TODAY for n, day in days.items() if day.balance] == [0, 21]
    assert [n - TODAY for n, day in days.items() if day.earned_msat] == [-3, 0, 10]


def test_an_old_look_is_no_balance_of_today(desk):
    """What was seen yesterday is not written down for today."""
    seen = Snapshot(now=NOW, node=Node(node_id=PEER), channels=[channel(1)])
    desk.clock.pass_by(DAY)
    take(desk.store, [], until=NOW + DAY)
    desk.job.catch_up(seen)

    assert desk.days()[TODAY + 1].balance is None
    assert desk.wallet.asked == 0


def test_late_evidence_is_added_up_too(desk):
    """Sums of the last weeks follow what the books learn of them."""
    desk.look()
    take(desk.store, [forward(3, at=NOW - 2 * DAY)])
    desk.look(after_s=HOUR)

    assert desk.days()[TODAY - 2].earned_msat == 1
    assert REVISED > 30


def test_the_past_that_books_grow_into_is_filled_in(desk):
    """Days before the first that was written down come when the books reach back to them."""
    desk.look()
    take(desk.store, [forward(3, at=NOW - 200 * DAY)])
    desk.look(after_s=HOUR)

    assert desk.days()[TODAY - 200].earned_msat == 1
    assert len(desk.days()) == 201


def test_books_behind_are_not_added_up(desk):
    """Days that the books do not hold yet are left for later, and nothing is made of none."""
    desk.look(after_s=5 * DAY)
    assert max(desk.days()) == TODAY

    take(desk.store, [], until=NOW + 5 * DAY)
    desk.look()
    assert max(desk.days()) == TODAY + 5


def test_unknown_books_make_no_days(tmp_path):
    """Before the forwards were ever counted there is no day, and the wallet is left alone."""
    with closing(Store.open(tmp_path / "books.db")) as store:
        desk = Desk(store)
        desk.look()
        assert (desk.days(), desk.wallet.asked) == ({}, 0)


def test_a_look_says_who_is_short_and_who_is_live(desk):
    """Little on our side is short; connected and not short is live; closed ones do not count."""
    desk.look(
        channel(1),
        channel(2, to_us_msat=1_000_000, spendable_msat=1_000_000),
        channel(3, connected=False),
        channel(4, state="ONCHAIN"),
    )
    desk.look(channel(1), after_s=HOUR)

    assert desk.store.reports.looks(0) == {
        channel_id(1): Looks(count=2, short=0, live=2),
        channel_id(2): Looks(count=1, short=1, live=0),
        channel_id(3): Looks(count=1, short=0, live=0),
    }
    desk.look(channel(1), after_s=LOOKS_KEPT * DAY)
    assert desk.store.reports.looks(0) == {channel_id(1): Looks(count=1, short=0, live=1)}


def test_reputations_are_digested_hour_by_hour_and_once(desk):
    """However often and late it is done, it comes to what all hours in a row come to."""
    hours = [Slice(start=NOW // HOUR - n, out_count=1) for n in (72, 1)]
    expected = digested(None, PEER, hours, NOW, Config())
    desk.look()
    desk.look(after_s=60)
    [(peer, found)] = desk.store.reports.reputations().items()

    assert (peer, found.hour) == (PEER, expected.hour)
    assert found.successes == pytest.approx(expected.successes)

    take(desk.store, [forward(3, status="failed", at=NOW + 9 * HOUR)], until=NOW + 90 * DAY)
    desk.look(after_s=90 * DAY)
    assert desk.store.reports.reputations() == {PEER: found}, "long ago counts for nothing"


def test_an_unfinished_hour_waits(desk):
    """The hour that runs is digested when it is over."""
    take(desk.store, [forward(3, status="failed", at=NOW)])
    desk.look()
    assert desk.store.reports.reputations()[PEER].failures == 0

    take(desk.store, [], until=NOW + HOUR)
    desk.look(after_s=HOUR)
    assert desk.store.reports.reputations()[PEER].failures == 1
