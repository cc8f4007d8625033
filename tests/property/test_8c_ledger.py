"""§8 The ledger: what the books add up to is what a naive model makes of the same events."""

from collections.abc import Iterator
from contextlib import closing

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import channels, msats, whole

from revops.adapters.store import Store
from revops.adapters.store.refills import COMPLETE
from revops.core.checks import FieldError
from revops.core.ledger import FREE, NOTHING, SETTLED, Activity, Cost, Ledger, balance_of
from revops.core.pnl import lifetime, period
from revops.core.tally import Forward, tally
from revops.core.units import DAY, HOUR

EPOCH = 20_000
"""The first of the days."""
DAYS = 40
NOW = (EPOCH + DAYS - 1) * DAY + 5 * HOUR
CHANNELS = ("11" * 32, "22" * 32, "33" * 32)
STRANGER = "99" * 32
# The first channel was spliced; of the last short channel ids nobody knows whose they are.
SCIDS = {"700x1x0": CHANNELS[0], "701x1x0": CHANNELS[0], "702x1x0": CHANNELS[1]}
LOOSE = ("800x1x0", "703x1x0")
KINDS = ("open", "close", "splice")
TABLES = ("forward_stats", "forward_totals", "books", "cursors", "costs", "refills")

_MSAT = whole(0, 3000) | whole(0, 10**12)
_AT = whole(EPOCH * DAY, NOW)


@st.composite
def forwards(draw: st.DrawFn) -> Forward:
    """
    Return a forward that settled, between channels that are known or not.
    """
    out_msat, fee_msat, at = draw(_MSAT), draw(_MSAT), draw(_AT)
    return Forward(
        created_index=1,
        updated_index=1,
        in_scid=draw(st.sampled_from((*SCIDS, *LOOSE))),
        out_scid=draw(st.sampled_from((*SCIDS, *LOOSE))),
        in_msat=out_msat + fee_msat,
        out_msat=out_msat,
        fee_msat=fee_msat,
        status="settled",
        received_at=at,
        resolved_at=at,
    )


COSTS = st.tuples(
    st.sampled_from((*CHANNELS, STRANGER)), st.sampled_from(KINDS), _AT, _MSAT, st.booleans()
)
REFILLS = st.tuples(_AT, st.sampled_from((*CHANNELS, STRANGER, None)), _MSAT, _MSAT)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """
    Return books that know three channels, two of them by their short channel ids.
    """
    with closing(Store.open(tmp_path_factory.mktemp("books") / "books.db")) as store:
        store._write(
            lambda books: (
                books.executemany(
                    "INSERT INTO channels (channel_id, peer_id, opener, capacity_msat,"
                    " first_seen_at, last_seen_at) VALUES (?, ?, 'remote', 1000000, 0, 0)",
                    [(channel_id, "02" * 33) for channel_id in CHANNELS],
                ),
                books.executemany(
                    "INSERT INTO channel_scids VALUES (?, ?, 0)",
                    [*SCIDS.items(), (LOOSE[1], STRANGER)],
                ),
            )
        )
        yield store


def write(store: Store, pages: list[list[Forward]], costs: list, refills: list) -> None:
    """
    Enter all of it in empty books.
    """

    def work(books):
        for table in TABLES:
            books.execute(f"DELETE FROM {table}")  # noqa: S608 -- our own names
        books.executemany(
            "INSERT INTO costs (channel_id, kind, at, msat, estimated, ref)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(*cost, number) for number, cost in enumerate(map(tuple, costs))],
        )
        books.executemany(
            "INSERT INTO refills (at, to_channel, amount_msat, fee_msat, payment_hash, part)"
            " VALUES (?, ?, ?, ?, ?, '')",
            [(*refill, number) for number, refill in enumerate(refills)],
        )
        books.execute("INSERT INTO cursors VALUES (?, ?)", (COMPLETE, NOW))

    store._write(work)
    for page in pages:
        store.take_forwards(tally(page), {}, NOW)


def naive(owner, forwards, costs, refills, first, last) -> Activity:
    """
    Return what *owner* did in the days *first* to *last*, added up one by one.
    """

    def mine(channel_id):
        return (channel_id if channel_id in CHANNELS else None) == owner

    def within(at):
        return first <= at // DAY <= last

    into = [f for f in forwards if mine(SCIDS.get(f.in_scid)) and within(f.resolved_at)]
    out = [f for f in forwards if mine(SCIDS.get(f.out_scid)) and within(f.resolved_at)]
    filled = [r for r in refills if mine(r[1]) and within(r[0])]

    def paid(kind):
        found = [cost for cost in costs if mine(cost[0]) and cost[1] == kind and within(cost[2])]
        return Cost(amount_msat=sum(c[3] for c in found), estimated=any(c[4] for c in found))

    return Activity(
        in_count=len(into),
        out_count=len(out),
        in_msat=sum(f.in_msat for f in into),
        out_msat=sum(f.out_msat for f in out),
        earned_msat=sum(f.fee_msat for f in out),
        sourced_msat=sum(f.fee_msat for f in into),
        open_cost=paid("open"),
        close_cost=paid("close"),
        splice_cost=paid("splice"),
        refill_cost=Cost(amount_msat=sum(r[3] for r in filled)),
        refilled_msat=sum(r[2] for r in filled),
    )


@given(
    st.lists(st.lists(forwards(), max_size=4), max_size=3),
    st.lists(COSTS, max_size=5),
    st.lists(REFILLS, max_size=4),
    st.tuples(whole(EPOCH, EPOCH + DAYS - 1), whole(EPOCH, EPOCH + DAYS - 1)).map(sorted),
)
def test_the_books_add_up_to_what_happened(store, pages, costs, refills, window):
    """
    Life and window of every channel, and of what belongs to none, are the sums of single events,
    to the msat; and the node's are the sums of those.
    """
    write(store, pages, costs, refills)
    happened = [forward for page in pages for forward in page]
    ledger = store.reports.ledger(NOW, *window)

    def expected(owner, first, last):
        return naive(owner, happened, costs, refills, first, last)

    for account in ledger.accounts:
        assert account.life == expected(account.channel_id, 0, 2**40)
        assert account.window == expected(account.channel_id, *window)
        latest = [
            forward.resolved_at
            for forward in happened
            if account.channel_id in (SCIDS.get(forward.in_scid), SCIDS.get(forward.out_scid))
        ]
        assert account.last_value_at == max(latest, default=None)
    assert ledger.stray_life == expected(None, 0, 2**40)
    assert ledger.stray_window == expected(None, *window)
    fees = [forward.fee_msat for forward in happened]
    assert lifetime(ledger).earned_msat == lifetime(ledger).sourced_msat == sum(fees)
    assert period(ledger).pnl.costs.known_msat == sum(
        [cost[3] for cost in costs if window[0] <= cost[2] // DAY <= window[1]]
        + [refill[3] for refill in refills if window[0] <= refill[0] // DAY <= window[1]]
    )


@given(
    st.lists(forwards(), max_size=6),
    st.lists(COSTS, max_size=5),
    st.lists(REFILLS, max_size=4),
)
def test_days_add_up_to_the_window(store, happened, costs, refills):
    """
    The days written down come to what a window over them comes to, however often they are made.
    """
    write(store, [happened], costs, refills)
    store._write(lambda books: books.execute("DELETE FROM daily_snapshots"))
    first, last = EPOCH + 3, EPOCH + DAYS - 1
    store.reports.add_up_days(first, last - 5)
    store.reports.add_up_days(last - 20, last)
    days, pnl = store.reports.days(0), period(store.reports.ledger(NOW, first, last)).pnl

    assert [day.number for day in days] == list(range(first, last + 1))
    assert sum(day.earned_msat for day in days) == pnl.earned_msat
    assert sum(day.volume_msat for day in days) == pnl.out_msat
    assert sum(day.forward_count for day in days) == pnl.out_count
    assert sum(day.refill_cost_msat for day in days) == pnl.refill_cost.known_msat
    chain = (pnl.open_cost, pnl.close_cost, pnl.splice_cost)
    assert sum(day.chain_cost_msat for day in days) == sum(cost.known_msat for cost in chain)


def test_what_nobody_looked_for_is_unknown(store):
    """
    Before refills were ever read their cost is unknown, of channels and of what belongs to none;
    a channel that did nothing is known to have cost nothing.
    """
    write(store, [], [], [])
    idle = store.reports.ledger(NOW, EPOCH, EPOCH).accounts[0].life
    store._write(lambda books: books.execute("DELETE FROM cursors"))
    blind = store.reports.ledger(NOW, EPOCH, EPOCH)

    assert idle == attrs.evolve(NOTHING, refilled_msat=0)
    assert blind.accounts[0].life == attrs.evolve(idle, refill_cost=None, refilled_msat=None)
    assert blind.stray_window.refill_cost is None
    assert blind.stray_window.open_cost == FREE
    assert blind.since is None


@given(st.lists(channels(), max_size=4), msats() | st.none())
def test_a_balance_is_what_open_channels_and_the_wallet_hold(held, onchain):
    """
    Each open channel counts once; what closed is on its way to the wallet, and counts there alone.
    """
    over = [attrs.evolve(each, state=state) for each in held for state in sorted(SETTLED)]
    still = [each for each in held if each.state not in SETTLED]
    found = balance_of([*over, *held], onchain, NOW)

    assert found == balance_of(still, onchain, NOW)
    assert found.channel_count == len(still)
    assert found.channel_msat == sum(each.to_us_msat for each in still)
    assert found.capacity_msat == sum(each.capacity_msat for each in still)
    assert (found.onchain_msat, found.at) == (onchain, NOW)


def test_a_window_that_ends_before_it_starts_is_refused():
    """
    A ledger is of days in their order; a window of one moment is one.
    """
    assert Ledger(now=NOW, start=5, end=5).start == 5
    with pytest.raises(FieldError, match="start: expected at most end 4, got 5"):
        Ledger(now=NOW, start=5, end=4)
