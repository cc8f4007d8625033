"""The shadow's books: one run under way, its memory, where it differs, what it would have done."""

import shutil
import sqlite3
from contextlib import closing

import attrs
import pytest
from unit.adapters.store_examples import (
    NOW,
    PEER,
    channel_id,
    decision,
    plan,
    remembered,
    scid,
    set_fee,
)
from unit.adapters.test_store_crash import DELAYS, kill_amid

from revops.adapters.errors import StoreError
from revops.adapters.store import Run, Store
from revops.adapters.store.schema import bring_up_to_date, migrations_dir
from revops.core.actions import Source, StartRebalance
from revops.core.budget import Limits
from revops.core.memory import Price
from revops.core.outcomes import Applied
from revops.core.plan import Decision, RebalancePlan
from revops.core.reasons import Code, because
from revops.core.shadow import Compared, Difference
from revops.core.units import DAY, HOUR

CONFIG = "max-fee-ppm=900"
LIVE = Price(fee_ppm=100, base_fee_msat=0)
OWN = Price(fee_ppm=120, base_fee_msat=0)


@pytest.fixture
def store(tmp_path):
    """
    Return new books.
    """
    with closing(Store.open(tmp_path / "books.db")) as store:
        yield store


def under_way(store):
    """
    Return the run under way and its memory.
    """
    return store.shadow.run(), store.shadow.memory()


def compared(*differing, at=NOW, area="fee", channels=3):
    """
    Return a cycle in which the shadow differed in the *differing* decisions, by 20 ppm each.
    """
    prices = {"live": LIVE, "shadow": OWN} if area == "fee" else {}
    return Compared(
        at=at,
        area=area,
        channels=channels,
        differences=tuple(Difference(decision=found, **prices) for found in differing),
        over_ppm=20 * len(differing),
        apart_ppm=20 * len(differing),
    )


def priced(store, run, *decisions, at=NOW, channels=()):
    """
    Write down a fee cycle whose *decisions* all differ.
    """
    made = plan(*decisions, at=at, channels=channels)
    store.shadow.write_prices(run, compared(*decisions, at=at), made, channels)


def refill(number, at=NOW):
    """
    Return a plan to refill one channel.
    """
    wish = StartRebalance(
        channel_id=channel_id(number),
        scid=scid(number),
        peer_id=PEER,
        sources=(Source(channel_id=channel_id(9), scid="700009x1x0"),),
        amount_msat=100_000,
        chunk_msat=100_000,
        max_ppm=500,
        max_fee_msat=100,
        expected_fee_msat=20,
        keep_share=0.3,
        keep_msat=1_000_000,
        to_us_msat=0,
    )
    decided = Decision(
        channel_id=channel_id(number),
        scid=scid(number),
        peer_id=PEER,
        area="rebalance",
        action=wish,
        trail=(because(Code.REFILL, amount_msat=100_000, max_ppm=500),),
    )
    limits = Limits(day_msat=1, week_msat=1)
    return RebalancePlan(at=at, decisions=(decided,), node_trail=(), limits=limits)


def test_a_run_goes_on_in_books_that_are_opened_again(store):
    """
    What was begun is under way, with the memory of its last cycle, until it is ended.
    """
    assert under_way(store) == (None, None)
    run = store.shadow.begin(CONFIG, NOW)
    assert under_way(store) == (Run(run_id=1, config=CONFIG, began_at=NOW), None)
    made = plan(channels=[remembered(1), remembered(2)])
    store.shadow.write_prices(run, compared(), made, made.memory.channels)
    with closing(Store.open(store.path)) as again:
        assert under_way(again) == (run, made.memory)
    store.shadow.end(NOW)
    assert under_way(store) == (None, None)


def test_another_config_begins_with_nothing(store):
    """
    Memory and differences are of the run under way; what the last one did stays its own.
    """
    run = store.shadow.begin(CONFIG, NOW)
    priced(store, run, decision(1, set_fee(1)), channels=[remembered(1)])
    other = store.shadow.begin("min-fee-ppm=5", NOW + 1)

    assert other.run_id != run.run_id
    assert under_way(store) == (other, None)
    assert store.shadow.differences("fee") == ()
    assert store.shadow.sums(other, "fee", 0).cycles == 0
    assert store.shadow.doings(other, 0).shadow_updates == 0
    assert store.shadow.doings(run, 0).shadow_updates == 1


def test_its_memory_is_not_the_live_one(store):
    """
    Neither run nor cycle touches what the live config remembers, decided or has yet to do.
    """
    live = plan(decision(1, set_fee(1)), channels=[remembered(1)])
    store.write_down(live, live.memory.channels)
    before = (store.load_memory(), store.last_decisions(channel_id(1)), store.last_cycle())
    run = store.shadow.begin(CONFIG, NOW)
    priced(store, run, decision(1, set_fee(1, 999)), at=NOW + 1, channels=[remembered(1, NOW + 1)])
    store.shadow.end(NOW + 2)

    assert (store.load_memory(), store.last_decisions(channel_id(1)), store.last_cycle()) == before
    assert store.fee_changes(9) == ()


def test_of_a_run_that_is_over_nothing_is_written(store):
    """
    A cycle that ends after its run was ended leaves no trace in the next one.
    """
    run = store.shadow.begin(CONFIG, NOW)
    store.shadow.begin("min-fee-ppm=5", NOW)
    priced(store, run, decision(1, set_fee(1)), channels=[remembered(1)])
    store.shadow.write_refills(run, compared(area="rebalance"), refill(1), 0)

    assert store.shadow.memory() is None
    assert store.shadow.differences("fee") == ()
    assert store.shadow.doings(run, 0).shadow_refills == ()


def test_only_the_last_cycle_says_where_it_differs(store):
    """
    A difference is told with both prices and the shadow's trail, and is gone with the next cycle
    that has none; the sums keep both.
    """
    run = store.shadow.begin(CONFIG, NOW)
    moved = decision(1, set_fee(1))
    priced(store, run, moved, decision(2), channels=[remembered(1)])
    first, second = store.shadow.differences("fee")

    assert (first.at, first.difference) == (
        NOW,
        Difference(decision=moved, live=LIVE, shadow=OWN),
    )
    assert second.difference.decision == decision(2)
    assert first.live is None
    store.write_down(plan(decision(1)), ())
    assert store.shadow.differences("fee")[0].live == decision(1)
    priced(store, run, at=NOW + HOUR)
    assert store.shadow.differences("fee") == ()
    sums = store.shadow.sums(run, "fee", NOW)
    assert (sums.cycles, sums.channels, sums.differing) == (2, 6, 2)
    assert (sums.over_ppm, sums.apart_ppm) == (40, 40)
    assert store.shadow.sums(run, "fee", NOW + 1).differing == 0


def test_updates_are_prices_that_change(store):
    """
    An action that leaves the price, for htlc_maximum_msat alone, is no update; of the live ones
    those count that the node confirmed.
    """
    run = store.shadow.begin(CONFIG, NOW)
    same = attrs.evolve(set_fee(1, new_ppm=100), new_base_msat=1)
    priced(store, run, decision(1, same), decision(2, set_fee(2)))
    live = plan(decision(1, set_fee(1)), decision(2, set_fee(2)))
    entries = store.write_down(live, ())
    store.settle([(entries[0].entry_id, Applied(fee_ppm=120, base_fee_msat=0))], NOW)
    doings = store.shadow.doings(run, 0)

    assert (doings.live_updates, doings.shadow_updates) == (1, 1)
    assert store.shadow.doings(run, NOW + 1).shadow_updates == 0


def test_a_refill_that_is_wanted_on_and_on_is_one(store):
    """
    It counts once within its rest, and again after it; another channel's counts by itself.
    """
    run = store.shadow.begin(CONFIG, NOW)
    for hours, number in ((0, 1), (1, 1), (1, 2), (23, 1), (25, 1)):
        made = refill(number, at=NOW + hours * HOUR)
        cycle = compared(*made.decisions, at=made.at, area="rebalance", channels=1)
        store.shadow.write_refills(run, cycle, made, made.at - 24 * HOUR)

    assert len(store.shadow.doings(run, 0).shadow_refills) == 3
    assert store.shadow.doings(run, NOW + 24 * HOUR).shadow_refills == (
        refill(1).decisions[0].action,
    )
    assert store.shadow.sums(run, "rebalance", 0).cycles == 4
    (differed,) = store.shadow.differences("rebalance")
    assert differed.difference.live is None


def test_what_is_old_goes(store):
    """
    Cycles and doings go by their age, and with the last of them a run that is over; the one under
    way stays, however old.
    """
    run = store.shadow.begin(CONFIG, NOW - 90 * DAY)
    priced(store, run, decision(1, set_fee(1)), at=NOW - 90 * DAY)
    priced(store, run, decision(1, set_fee(1)), at=NOW - DAY)
    store.upkeep.forget(NOW - 30 * DAY)
    assert store.shadow.run() == run
    assert store.shadow.doings(run, 0).shadow_updates == 1
    assert store.shadow.sums(run, "fee", 0).cycles == 1

    store.shadow.end(NOW - DAY)
    store.upkeep.forget(NOW + DAY)
    count = "SELECT count(*) FROM shadow_runs"
    assert store._read(lambda books: books.execute(count).fetchone()) == (0,)


def test_books_of_before_have_no_shadow(tmp_path):
    """
    Books written without shadows are brought up to date, and keep what they held.
    """
    old = tmp_path / "old"
    shutil.copytree(migrations_dir(), old, ignore=shutil.ignore_patterns("000[5-9]*"))
    path = tmp_path / "books.db"
    path.touch()
    bring_up_to_date(path, old)
    with closing(sqlite3.connect(path)) as books:
        books.execute("INSERT INTO feerates VALUES (?, 253)", (NOW,))
        books.commit()

    with closing(Store.open(path)) as store:
        assert [sample.perkw for sample in store.feerates(0)] == [253]
        assert store.shadow.run() is None
        store.shadow.begin(CONFIG, NOW)


def test_a_memory_that_was_changed_is_told(store):
    """
    A row that cannot be read is an error that says so, and no memory of nothing.
    """
    run = store.shadow.begin(CONFIG, NOW)
    priced(store, run, channels=[remembered(1)])
    change = "UPDATE shadow_memory SET data = '{}' WHERE owner != 'node'"
    store._write(lambda books: books.execute(change))

    with pytest.raises(StoreError, match="a row was changed and cannot be read"):
        store.shadow.memory()


def run_shadow(path):
    """
    Write down cycle after cycle of a shadow until killed.
    """
    with closing(Store.open(path)) as store:
        run = store.shadow.run() or store.shadow.begin(CONFIG, NOW)
        memory = store.shadow.memory()
        at = memory.at if memory else 0
        while True:
            at += 1
            channels = [remembered(number, at=at) for number in range(20)]
            decisions = [decision(n, set_fee(n, new_ppm=at + 200)) for n in range(20)]
            priced(store, run, *decisions, at=at, channels=channels)
            print(at, flush=True)  # noqa: T201 -- tells the test that it runs


def test_killed_at_any_moment_it_has_whole_cycles(tmp_path):
    """
    Memory, differences, journal and sums are all of the same cycle, and the run goes on.
    """
    path = tmp_path / "books.db"
    for delay in DELAYS:
        kill_amid(run_shadow, path, delay, "test_store_shadow")

        with closing(Store.open(path)) as store:
            run, memory = under_way(store)
            assert run.run_id == 1
            assert {item.last_seen_at for item in memory.channels} == {memory.at}
            assert {row.at for row in store.shadow.differences("fee")} == {memory.at}
            assert store.shadow.sums(run, "fee", 0).cycles == memory.at
            assert store.shadow.doings(run, 0).shadow_updates == memory.at * 20
