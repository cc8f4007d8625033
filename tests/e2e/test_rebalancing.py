"""Rebalancing on the recorded node with sling beside it: what is paid, and what it is told by."""

from pathlib import Path

import pytest
from e2e.office import Office
from e2e.thirsty import (
    AMOUNT,
    CHUNK,
    CHUNKS,
    COST,
    DAY,
    FEE,
    HOUR,
    MINUTE,
    SOURCE,
    TARGET,
    Ledger,
    asked,
    attempts,
    make_thirsty,
    refills,
    settle_in,
    until_over,
)
from fake_circular import FAILED, PAID, Fate
from fakes import FakeNode

from revops.adapters.wire import read_snapshot, write_snapshot
from revops.core.budget import Spend
from revops.core.rebalance.decide import rebalance
from revops.core.treasury import Ending

# What a refill is ----------------------------------------------------------------------------


def test_a_refill_is_paid_and_booked_to_the_msat(thirsty: Office, ledger: Ledger) -> None:
    """
    Four payments arrive and cost what the node's own list says; the books know the fees of each,
    the channel bears them, and what was reserved beyond is free again.
    """
    thirsty.move()
    (begun,) = attempts(thirsty)
    ours, before = thirsty.node.channel(TARGET)["to_us_msat"], refills(thirsty, begun.to_channel)
    assert (begun.state, ledger.held) == (Spend.IN_FLIGHT, begun.limit_msat)

    over = until_over(thirsty, ledger)
    spent = thirsty.app.store.treasury.spending(thirsty.clock.now())
    count, cost = refills(thirsty, begun.to_channel)

    assert (over.ending, over.moved_msat, over.fee_msat) == (Ending.DONE, AMOUNT, COST)
    assert thirsty.node.channel(TARGET)["to_us_msat"] == ours + AMOUNT
    assert (ledger.paid, ledger.settled, ledger.held) == (COST, COST, 0)
    assert (spent.day_msat, spent.week_msat) == (COST, COST)
    assert (count, cost) == (before[0] + CHUNKS, before[1] + COST)


def test_sling_is_told_what_it_may_do_and_nothing_is_left_to_it(thirsty: Office) -> None:
    """
    One bounded job with named candidates, a price limit, both keeps: what is not said, sling would
    choose.
    """
    thirsty.move()
    (order,) = asked(thirsty, "sling-once")
    (begun,) = attempts(thirsty)

    assert order["candidates"][0] == SOURCE
    assert TARGET not in order["candidates"]
    assert (order["amount"], order["onceamount"]) == (CHUNK // 1000, begun.amount_msat // 1000)
    most = -(-CHUNK * order["maxppm"] // 1_000_000)
    assert begun.limit_msat == (CHUNKS + 1) * most
    assert {"depleteuptopercent", "depleteuptoamount", "maxhops"} <= order.keys()
    assert not {"target", "outppm"} & order.keys()
    assert asked(thirsty, "sling-job") == asked(thirsty, "sling-go") == []


def test_a_refill_leaves_one_line_at_its_start_and_one_at_its_end(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    Each says how many sats, at what cost; no line ever holds a preimage.
    """
    thirsty.move()
    until_over(thirsty, ledger)
    lines = [line for level, line in thirsty.logs if level != "debug" and "rebalance " in line]
    paid = [row for row in thirsty.node.books.payments if row["status"] == "complete"]
    hidden = [row["payment_preimage"] for row in paid]

    assert [line.split(" scid=")[0] for line in lines] == [
        "rebalance begun",
        "rebalance over rebalance=1",
    ]
    assert "sats=400000 max_ppm=" in lines[0]
    assert "ending=done sats=400000 of_sats=400000 fee_msat=40000" in lines[1]
    assert not [secret for secret in hidden for _, line in thirsty.logs if secret in line]


def test_a_money_cycle_replays_offline_to_the_identical_plan(thirsty: Office) -> None:
    """
    What it saw, written as JSON and read again, decides to the plan that was made live, with what
    was spent, with sling and with the wallet in it.
    """
    for _ in range(3):
        thirsty.move(after_s=15 * MINUTE)
        last = thirsty.app.money.last
        snapshot, config = read_snapshot(write_snapshot(last.snapshot, last.config))

        assert snapshot.treasury.engine.version == "4.3.1"
        assert snapshot.onchain_msat
        assert rebalance(snapshot, config) == last.plan


def test_a_money_cycle_reads_what_a_fee_cycle_writes(thirsty: Office) -> None:
    """
    Feerates are sampled, forwards counted and peers watched by the fee cycle alone: money reads
    what is there, and counts nothing twice.
    """
    before = thirsty.app.store.uptime(0, 30_000)
    thirsty.move(after_s=5 * MINUTE)
    thirsty.move(after_s=5 * MINUTE)

    assert asked(thirsty, "feerates") == asked(thirsty, "listforwards") == []
    assert thirsty.app.store.uptime(0, 30_000) == before
    assert all(c.traffic for c in thirsty.app.money.last.snapshot.channels)


def test_a_money_cycle_settles_what_is_over_before_it_looks(thirsty: Office) -> None:
    """
    Its own plan knows what the last refill cost, and what is free again.
    """
    for _ in range(3):
        thirsty.move(after_s=MINUTE)
    treasury = thirsty.app.money.last.snapshot.treasury

    assert [a.ending for a in treasury.attempts] == [Ending.DONE]
    assert (treasury.spending.day_msat, treasury.spending.held_msat) == (COST, 0)


def test_what_is_begun_is_looked_after_within_a_minute(thirsty: Office) -> None:
    """
    As long as nothing is open there is little to look after; a start changes that at once.
    """
    thirsty.tend()
    jobs = thirsty.app.worker.state("jobs")
    assert jobs.next_run > thirsty.clock.now() + 8 * MINUTE

    thirsty.move(after_s=MINUTE)
    assert thirsty.app.worker.state("jobs").next_run <= thirsty.clock.now() + MINUTE
    thirsty.tend()
    assert thirsty.app.worker.state("jobs").next_run <= thirsty.clock.now() + MINUTE


def test_what_was_sold_again_is_known_when_its_time_is_over(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    A week after a refill the books know how much of it left again: here, nothing.
    """
    thirsty.move()
    until_over(thirsty, ledger)
    assert attempts(thirsty)[0].sold is None

    thirsty.clock.pass_by(8 * DAY)
    thirsty.cycle()
    thirsty.move()

    assert attempts(thirsty)[0].sold == 0.0


def test_stale_forwards_are_no_evidence(thirsty: Office) -> None:
    """
    Where forwards were counted up to more than an hour ago, nobody knows what a channel sells.
    """
    thirsty.move(after_s=2 * HOUR)

    assert [c.traffic for c in thirsty.app.money.last.snapshot.channels] == [None] * 7
    assert thirsty.app.money.last.snapshot.treasury.revenue_day_msat is None
    assert attempts(thirsty) == ()


def test_how_often_a_channel_was_live_is_known_after_a_day_of_looks(thirsty: Office) -> None:
    """
    Both cycles know it, from the looks of the books; fewer than a day of them say nothing.
    """
    for _ in range(22):
        thirsty.keep_books(after_s=HOUR)
    thirsty.cycle()
    assert {c.live_share for c in thirsty.app.cycle.last.snapshot.channels} == {None}

    thirsty.keep_books(after_s=HOUR)
    thirsty.cycle()
    thirsty.move()
    shares = [
        {c.scid: c.live_share for c in last.snapshot.channels}
        for last in (thirsty.app.cycle.last, thirsty.app.money.last)
    ]

    assert shares[0] == shares[1]
    assert (shares[0][TARGET], shares[0][SOURCE]) == (0.0, 1.0)


# How it may end ------------------------------------------------------------------------------


def test_what_ends_half_way_costs_what_moved(thirsty: Office, ledger: Ledger) -> None:
    """
    After three payments there is no route any more: when that has lasted for 20 minutes the job is
    stopped and settled at three fees, and it is no failure.
    """
    sling, left = thirsty.node.sling, iter([PAID] * 3)
    sling.fate = lambda _pair: next(left, FAILED)
    thirsty.move()
    thirsty.pass_by(3 * MINUTE)
    sling.usual_ppm = None

    over = until_over(thirsty, ledger, minutes=30)

    assert (over.ending, over.moved_msat, over.fee_msat) == (Ending.PARTIAL, 3 * CHUNK, 3 * FEE)
    assert over.ended_at - over.at < 30 * MINUTE
    assert len(asked(thirsty, "sling-stop")) == 1
    assert (ledger.paid, ledger.settled, ledger.held) == (3 * FEE, 3 * FEE, 0)


def test_what_is_not_done_in_two_hours_is_ended(thirsty: Office, ledger: Ledger) -> None:
    """
    Payments that fail again and again move one chunk and no more: the deadline ends the job, with
    what it moved.
    """
    left = iter([PAID])
    thirsty.node.sling.fate = lambda _pair: next(left, Fate(settles=False, arrives_s=5))
    thirsty.move()

    over = until_over(thirsty, ledger, minutes=130)

    assert (over.ending, over.moved_msat, over.fee_msat) == (Ending.PARTIAL, CHUNK, FEE)
    assert 2 * HOUR <= over.ended_at - over.at <= 2 * HOUR + 5 * MINUTE


@pytest.mark.parametrize(("ppm", "ending"), [(9000, Ending.TOO_EXPENSIVE), (None, Ending.NO_ROUTE)])
def test_a_market_that_says_no_is_left_alone_and_remembered(
    thirsty: Office, ledger: Ledger, ppm: int | None, ending: Ending
) -> None:
    """
    No route, or none below the limit, for 20 minutes: the job is stopped, its money is free, and
    the failure counts toward the peer.
    """
    thirsty.node.sling.usual_ppm = ppm
    thirsty.move()
    over = until_over(thirsty, ledger, minutes=30)

    assert (over.ending, over.moved_msat, ledger.held, ledger.settled) == (ending, 0, 0, 0)
    assert 20 * MINUTE <= over.ended_at - over.at <= 24 * MINUTE


def test_a_payment_that_hangs_costs_at_most_one_chunk_more(thirsty: Office, ledger: Ledger) -> None:
    """
    After two minutes sling takes a payment for failed and pays again, and it may arrive an hour
    later. The job is stopped before that, and its money is held until nothing is under way.
    """
    fates = iter([PAID, Fate(arrives_s=100, returns_s=HOUR)])
    thirsty.node.sling.fate = lambda _pair: next(fates, PAID)
    thirsty.move()
    thirsty.live(50 * MINUTE, ledger.check)
    assert ledger.held == attempts(thirsty)[0].limit_msat
    assert thirsty.node.sling.circulation.under_way

    over = until_over(thirsty, ledger, minutes=30)

    assert (over.ending, over.moved_msat, over.fee_msat) == (Ending.STOPPED, 2 * CHUNK, 2 * FEE)
    assert (ledger.paid, ledger.settled, ledger.held) == (2 * FEE, 2 * FEE, 0)


@pytest.mark.parametrize(
    "fate",
    [
        Fate(arrives_s=2, credited_s=300),
        Fate(arrives_s=2, returns_s=1, debited_s=300),
        Fate(arrives_s=2, credited_s=300, returns_s=1, debited_s=600),
    ],
)
def test_what_the_node_books_late_is_waited_for(
    thirsty: Office, ledger: Ledger, fate: Fate
) -> None:
    """
    A payment is complete minutes before the node writes down one side of it, or both: the job is
    over, and its money stays reserved until the cost of every payment is known.
    """
    thirsty.node.sling.fate = lambda _pair: fate
    thirsty.move()
    over = until_over(thirsty, ledger, minutes=60)

    assert over.fee_msat == ledger.paid == ledger.settled > 0
    assert over.moved_msat == over.fee_msat // FEE * CHUNK


def test_a_budget_is_used_where_it_pays(tmp_path: Path, node: FakeNode) -> None:
    """
    With channels that sell all day what they are filled with, nine tenths of a day's budget are
    spent, and never a msat more than all of it.
    """
    targets = (TARGET, "150x4x0", "150x5x0")
    for target in targets:
        make_thirsty(node, target)
    node.sling.usual_ppm = 800
    options = {"daily_budget_sats": "2000", "proportional_budget": "false"}
    office = Office(tmp_path / "busy", node, **options, rebalance_cooldown_hours="0")
    settle_in(office, *targets)
    ledger = Ledger(office)

    def sell() -> None:
        ledger.check()
        for target in targets if office.clock.now() // MINUTE % 30 == 0 else ():
            _sell(office, target)

    office.live(24 * HOUR, sell)

    assert 1_800_000 <= ledger.settled + ledger.held <= 2_000_000
    assert ledger.paid == ledger.settled >= 1_800_000
    office.close()


def _sell(office: Office, target: str, amount: int = 20_000_000) -> None:
    node, at = office.node, float(office.clock.now())
    if node.channel(target)["spendable_msat"] > 2 * amount:
        node.forward(SOURCE, target, amount, at)
        node.channel(SOURCE)["spendable_msat"] += amount
        node.channel(SOURCE)["receivable_msat"] -= amount
        node.channel(target)["receivable_msat"] += amount


def test_a_look_before_forwards_are_counted_is_soon_followed_by_another(
    tmp_path: Path, node: FakeNode
) -> None:
    """
    After a start money looks first: what it could not judge does not wait for a whole interval.
    """
    office = Office(tmp_path, node)
    worker, clock = office.app.worker, office.clock
    worker.run_once("rebalance")
    assert worker.state("rebalance").next_run - clock.now() <= MINUTE

    office.cycle()
    worker.run_once("rebalance")
    assert worker.state("rebalance").next_run - clock.now() > 10 * MINUTE
    office.close()
