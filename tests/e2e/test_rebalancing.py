"""Rebalancing on the recorded node with sling beside it: what is paid, and what never is."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from e2e.thirsty import CHUNK, SOURCE, TARGET, make_thirsty, settle_in
from fake_circular import FAILED, PAID, Fate
from fakes import FakeNode, HangUpError, RpcRefusalError

from revops.adapters.store.treasury_book import TreasuryBook
from revops.adapters.wire import read_snapshot, write_snapshot
from revops.core.actions import StartRebalance
from revops.core.outcomes import Refused, Rehearsed, Started, Unknown
from revops.core.rebalance.decide import rebalance
from revops.core.treasury import Attempt, Ending
from revops.core.units import Msat
from revops.shell.rebalancing.mover import Mover

MINUTE = 60
HOUR = 3600
FEE = 10_000
"""What a chunk costs at the 100 ppm that the fake's market asks for."""


class CrashError(BaseException):
    """
    The end of the process, in the middle of whatever it did.
    """


def crash(*_: Any, **__: Any) -> None:
    """
    End here.
    """
    raise CrashError


def hang_up() -> None:
    """
    Answer nothing.
    """
    raise HangUpError


class Ledger:
    """
    What was really paid, by the node's own list, held against what the books say.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._before = self._all_paid()

    def _all_paid(self) -> int:
        us = self._office.node.info["id"]
        return sum(
            row["amount_sent_msat"] - row["amount_msat"]
            for row in self._office.node.books.payments
            if row["status"] == "complete" and row.get("destination") == us
        )

    @property
    def paid(self) -> int:
        """
        Return what circular payments cost since the beginning.
        """
        return self._all_paid() - self._before

    @property
    def settled(self) -> int:
        """
        Return what the books say that they cost.
        """
        with closing(sqlite3.connect(self._office.app.store.path)) as books:
            query = "SELECT ifnull(sum(spent_msat), 0) FROM reservations"
            return books.execute(query).fetchone()[0]

    @property
    def held(self) -> int:
        """
        Return what is reserved and not settled.
        """
        return self._office.app.store.treasury.spending(self._office.clock.now()).held_msat

    def check(self) -> None:
        """
        Nothing was paid that is not held or settled, and no more than the budget allows.
        """
        office = self._office
        spent = office.app.store.treasury.spending(office.clock.now())
        assert self.settled <= self.paid <= self.settled + self.held
        if office.app.money.last:
            limits = office.app.money.last.plan.limits
            assert spent.day_msat + spent.held_msat <= limits.day_msat
            assert spent.week_msat + spent.held_msat <= limits.week_msat


@pytest.fixture
def thirsty(tmp_path: Path, node: FakeNode) -> Iterator[Office]:
    """
    A node of which one channel is worth a refill, known for a day.
    """
    make_thirsty(node)
    office = Office(tmp_path, node)
    settle_in(office)
    yield office
    office.close()


@pytest.fixture
def ledger(thirsty: Office) -> Ledger:
    """
    Its ledger.
    """
    return Ledger(thirsty)


def attempts(office: Office) -> tuple[Attempt, ...]:
    """
    Return all rebalances, the first one first.
    """
    return office.app.store.treasury.attempts(0)


def asked(office: Office, method: str) -> list[dict[str, Any]]:
    """
    Return what sling was asked.
    """
    return office.node.called(method)


def outcomes(office: Office) -> list[type]:
    """
    Return what became of what the last money cycle wanted to begin.
    """
    return [type(outcome) for _, outcome in office.app.money.last.done]


def refills(office: Office, channel_id: str) -> tuple[int, int]:
    """
    Return how many refills a channel had, and what they cost.
    """
    found = office.app.store.costs.refills(office.clock.now())[channel_id]
    return found.count, found.cost_msat


def until_over(office: Office, ledger: Ledger, minutes: int = 10) -> Attempt:
    """
    Live until the last rebalance is over, and return it.
    """
    for _ in range(minutes):
        office.live(MINUTE, ledger.check)
        if not attempts(office)[-1].open:
            return attempts(office)[-1]
    raise AssertionError(attempts(office)[-1])


# What a refill is ----------------------------------------------------------------------------


def test_a_refill_is_paid_and_booked_to_the_msat(thirsty: Office, ledger: Ledger) -> None:
    """
    Eight payments arrive and cost what the node's own list says; the books know the fees of each,
    the channel bears them, and what was reserved beyond is free again.
    """
    thirsty.move()
    (begun,) = attempts(thirsty)
    ours, before = thirsty.node.channel(TARGET)["to_us_msat"], refills(thirsty, begun.to_channel)
    assert ledger.held == begun.limit_msat > 8 * FEE

    over = until_over(thirsty, ledger)
    spent = thirsty.app.store.treasury.spending(thirsty.clock.now())
    count, cost = refills(thirsty, begun.to_channel)

    assert (over.ending, over.moved_msat, over.fee_msat) == (Ending.DONE, 8 * CHUNK, 8 * FEE)
    assert thirsty.node.channel(TARGET)["to_us_msat"] == ours + 8 * CHUNK
    assert (ledger.paid, ledger.settled, ledger.held) == (8 * FEE, 8 * FEE, 0)
    assert (spent.day_msat, spent.week_msat) == (8 * FEE, 8 * FEE)
    assert (count, cost) == (before[0] + 8, before[1] + 8 * FEE)


def test_sling_is_told_what_it_may_do_and_nothing_is_left_to_it(thirsty: Office) -> None:
    """
    One bounded job with named candidates, a price limit, both keeps: what is not said, sling would
    choose.
    """
    thirsty.move()
    (order,) = asked(thirsty, "sling-once")
    (begun,) = attempts(thirsty)

    assert order["candidates"] == [SOURCE]
    assert (order["amount"], order["onceamount"]) == (CHUNK // 1000, begun.amount_msat // 1000)
    assert order["maxppm"] * 9 * order["amount"] // 1_000_000 + 9 >= begun.limit_msat // 1000
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
    assert "sats=800000 max_ppm=" in lines[0]
    assert "ending=done sats=800000 of_sats=800000 fee_msat=80000" in lines[1]
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
    sling takes a payment of two minutes for failed and pays again; the first may arrive an hour
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


# sling in trouble ----------------------------------------------------------------------------


def refuse() -> None:
    """
    Answer with an error.
    """
    raise RpcRefusalError(-32700, "Channel not found")


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (lambda node: setattr(node.sling, "there", False), "sling is not there"),
        (lambda node: setattr(node.sling, "version", "v4.2.1"), "4.2.1"),
        (lambda node: node.before.update({"sling-version": hang_up}), "no answer"),
        (lambda node: node.before.update({"sling-stats": hang_up}), "no answer"),
        (lambda node: node.garbage.update({"sling-stats": lambda _: [{"scid": 5}]}), "sling-stats"),
        (lambda node: node.garbage.update({"sling-version": lambda _: "soon"}), "sling-version"),
        (lambda node: node.garbage.update({"sling-jobsettings": lambda _: []}), "sling-jobset"),
    ],
)
def test_a_sling_that_is_not_to_be_trusted_gets_no_money(
    thirsty: Office, trouble: Callable[[FakeNode], Any], why: str
) -> None:
    """
    It is missing, too old, silent or not to be understood: nothing is reserved or asked for, and
    the plan says why. Prices are set as ever.
    """
    trouble(thirsty.node)
    thirsty.move()
    plan = thirsty.app.money.last.plan

    assert attempts(thirsty) == ()
    assert asked(thirsty, "sling-once") == []
    assert why in str(plan.node_trail) + thirsty.app.money.last.snapshot.treasury.engine.trouble
    assert not thirsty.app.worker.state("rebalance").failing


def test_a_refusal_frees_the_money_and_counts(thirsty: Office, ledger: Ledger) -> None:
    """
    What sling says no to never began: nothing is held, and the peer's record has a failure.
    """
    thirsty.node.before["sling-once"] = refuse
    thirsty.move()

    assert outcomes(thirsty) == [Refused]
    assert [a.ending for a in attempts(thirsty)] == [Ending.REJECTED]
    assert (ledger.held, ledger.paid) == (0, 0)
    assert ("unusual", "Channel not found") in [
        (level, "Channel not found") for level, line in thirsty.logs if "Channel not found" in line
    ]


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_start_without_an_answer_is_looked_into(
    thirsty: Office, ledger: Ledger, *, carried_out: bool
) -> None:
    """
    Whether sling began is not guessed: the money stays reserved, nothing else is begun, and later
    looks find either the job, which then runs and is booked, or none, and the money is free.
    """
    hooks = thirsty.node.after if carried_out else thirsty.node.before
    hooks["sling-once"] = hang_up
    thirsty.move()
    hooks.clear()
    assert outcomes(thirsty) == [Unknown]
    assert ledger.held == attempts(thirsty)[0].limit_msat

    over = until_over(thirsty, ledger)

    assert over.moved_msat == (8 * CHUNK if carried_out else 0)
    assert over.ending is (Ending.DONE if carried_out else Ending.VANISHED)
    assert ledger.settled == ledger.paid == over.fee_msat
    assert len(asked(thirsty, "sling-once")) == 1


def test_a_call_that_waits_for_slings_lock_is_carried_out_when_nobody_waits_any_more(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    sling begins minutes after its answer was given up: an answer to a later question tells, and
    until there is one the money stays reserved.
    """
    sling = thirsty.node.sling
    thirsty.node.before["sling-once"] = lambda: setattr(sling, "lock_held_until", sling.now + 200)
    thirsty.move()
    thirsty.live(3 * MINUTE, ledger.check)
    assert outcomes(thirsty) == [Unknown]
    assert attempts(thirsty)[0].open
    assert ledger.paid == 0

    over = until_over(thirsty, ledger)

    assert (over.ending, over.fee_msat) == (Ending.DONE, 8 * FEE)
    assert (ledger.paid, ledger.settled) == (8 * FEE, 8 * FEE)


def test_sling_dies_in_the_middle_of_a_job(thirsty: Office, ledger: Ledger) -> None:
    """
    Its job dies with it: what moved is settled, what was under way comes back, and a sling that is
    back later is asked anew.
    """
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=20)
    thirsty.move()
    thirsty.pass_by(50)
    thirsty.node.sling.die()
    over = until_over(thirsty, ledger)
    thirsty.node.sling.begin()

    assert (over.ending, over.moved_msat, over.fee_msat) == (Ending.PARTIAL, 2 * CHUNK, 2 * FEE)
    assert (ledger.paid, ledger.settled, ledger.held) == (2 * FEE, 2 * FEE, 0)


def test_a_silent_sling_changes_nothing_until_the_time_of_a_reservation_is_over(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    As long as sling does not tell, all that a job might cost stays reserved; after its deadline and
    reservation-timeout-hours all of it counts as spent, and it is told why.
    """
    thirsty.move()
    (begun,) = attempts(thirsty)
    thirsty.node.before["sling-stats"] = hang_up
    thirsty.live(5 * HOUR, ledger.check)
    assert ledger.held == begun.limit_msat
    assert ledger.paid == 8 * FEE

    thirsty.live(HOUR + 2 * MINUTE)

    assert (ledger.held, ledger.settled) == (0, begun.limit_msat)
    assert any("reservation-timeout-hours are over" in line for _, line in thirsty.logs)


@pytest.mark.parametrize("method", ["listchannelmoves", "listpeerchannels", "listsendpays"])
def test_a_silent_node_changes_nothing(thirsty: Office, ledger: Ledger, method: str) -> None:
    """
    Nothing is begun or settled while the node does not tell what moved, what channels it has or
    what is under way; as soon as it does, all is settled by evidence.
    """
    thirsty.move()
    thirsty.node.before[method] = hang_up
    thirsty.live(7 * HOUR, ledger.check)
    assert attempts(thirsty)[0].open
    assert len(asked(thirsty, "sling-once")) == 1
    assert "jobs" in [state.name for state in thirsty.app.worker.states() if state.failing]

    thirsty.node.before.clear()
    over = until_over(thirsty, ledger)

    assert (over.ending, over.fee_msat, ledger.settled) == (Ending.DONE, 8 * FEE, 8 * FEE)


# Crashes -------------------------------------------------------------------------------------


STAGES = {
    "before the reservation": (TreasuryBook, "write_down"),
    "before sling is asked": (Mover, "start"),
    "before its answer is written down": (TreasuryBook, "began"),
    "before the stop is written down": (TreasuryBook, "stop"),
    "before the stop is asked": (Mover, "stop"),
    "before it is settled": (TreasuryBook, "settle"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_crash_at_any_step_costs_nothing_and_forgets_nothing(
    thirsty: Office, ledger: Ledger, stage: str
) -> None:
    """
    Wherever it is cut off, the next start finds out what became of the money: all that was paid is
    settled to the msat, no job is begun twice, and what never began is free.
    """
    owner, name = STAGES[stage]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, crash)
        with pytest.raises(CrashError):
            thirsty.live(10 * MINUTE)
    ledger.check()
    thirsty.restart()
    thirsty.live(30 * MINUTE, ledger.check)

    assert ledger.held == 0
    assert ledger.settled == ledger.paid == 8 * FEE
    moved = [attempt.moved_msat for attempt in attempts(thirsty)]
    assert sum(moved) == 8 * CHUNK
    assert [a.ending for a in attempts(thirsty) if a.moved_msat] == [Ending.DONE]
    assert FAILURES_NONE.isdisjoint({attempt.ending for attempt in attempts(thirsty)})


FAILURES_NONE = {Ending.NO_ROUTE, Ending.TOO_EXPENSIVE, Ending.REJECTED, Ending.EXPIRED}


@pytest.mark.parametrize("seconds", [1, 30, 59, 61, 119, 125])
def test_a_restart_in_the_middle_of_a_job_takes_it_up_again(
    thirsty: Office, ledger: Ledger, seconds: int
) -> None:
    """
    sling pays on while revops is away; whoever comes next finds the job, or what it left.
    """
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=12)
    thirsty.move()
    thirsty.pass_by(seconds)
    thirsty.restart()
    over = until_over(thirsty, ledger)

    assert (over.ending, over.fee_msat) == (Ending.DONE, 8 * FEE)
    assert (ledger.paid, ledger.settled, ledger.held) == (8 * FEE, 8 * FEE, 0)
    assert len(asked(thirsty, "sling-once")) == 1


def test_the_clock_may_be_set(thirsty: Office, ledger: Ledger) -> None:
    """
    Back by a day, ahead by one and back again, in the middle of jobs: nothing is counted twice or
    forgotten, and nothing stays reserved for ever.
    """
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=12)
    for step in (-24 * HOUR, 24 * HOUR, -24 * HOUR):
        thirsty.move()
        thirsty.pass_by(30)
        thirsty.clock._now += step
        thirsty.live(20 * MINUTE, ledger.check)

    assert ledger.held == 0
    assert ledger.settled == ledger.paid >= 8 * FEE


# Other people's things -----------------------------------------------------------------------


def foreign(node: FakeNode, scid: str, candidate: str) -> None:
    """
    Have the operator keep a job of their own, at work.
    """
    node.answer(
        "sling-job",
        {
            "scid": scid,
            "direction": "pull",
            "amount": 1000,
            "maxppm": 1,
            "candidates": [candidate],
            "depleteuptopercent": 0.1,
            "depleteuptoamount": 1000,
        },
    )
    node.answer("sling-go", {"scid": scid})
    node.calls.clear()


@pytest.mark.parametrize(
    ("scid", "candidate"), [(TARGET, "150x8x0"), (SOURCE, "150x8x0"), ("150x4x0", SOURCE)]
)
def test_a_foreign_job_is_never_touched(thirsty: Office, scid: str, candidate: str) -> None:
    """
    Where the operator has a job on the channel that is to be filled, on the one that is to give, or
    one that takes from it, nothing of ours is begun with it, and theirs goes on.
    """
    foreign(thirsty.node, scid, candidate)
    thirsty.live(3 * HOUR)

    used = {
        c for order in asked(thirsty, "sling-once") for c in (order["scid"], *order["candidates"])
    }
    assert used.isdisjoint({scid} if scid != "150x4x0" else {SOURCE})
    assert asked(thirsty, "sling-stop") == [] or scid not in str(asked(thirsty, "sling-stop"))
    assert scid in thirsty.node.answer("sling-jobsettings", {})


def test_a_job_that_somebody_began_since_the_look_is_left_alone(
    thirsty: Office, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    sling itself refuses a second job on a channel: ours is not begun, and its money is free.
    """
    write_down = TreasuryBook.write_down

    def meanwhile(book: TreasuryBook, *args: Any, **options: Any) -> Any:
        foreign(thirsty.node, TARGET, "150x8x0")
        return write_down(book, *args, **options)

    monkeypatch.setattr(TreasuryBook, "write_down", meanwhile)
    thirsty.move()

    assert outcomes(thirsty) == [Refused]
    assert ledger.held == 0
    assert asked(thirsty, "sling-stop") == asked(thirsty, "sling-deletejob") == []


@pytest.mark.parametrize(
    ("method", "params"), [("sling-stop", {"scid": TARGET}), ("sling-deletejob", {"job": TARGET})]
)
def test_the_operator_may_end_our_job(
    thirsty: Office, ledger: Ledger, method: str, params: dict[str, str]
) -> None:
    """
    Stopped or deleted by hand, the job is over with what it moved, and nobody is to blame.
    """
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=10)
    thirsty.move()
    thirsty.pass_by(25)
    thirsty.node.sling.patience_s = 15
    thirsty.node.answer(method, params)
    over = until_over(thirsty, ledger)

    assert over.ending is Ending.PARTIAL
    assert over.fee_msat == ledger.paid == ledger.settled == over.moved_msat // CHUNK * FEE
    assert over.moved_msat == 3 * CHUNK


def test_what_others_pay_in_circles_is_theirs(thirsty: Office, ledger: Ledger) -> None:
    """
    A refill that the operator makes by hand, of our size and from our source but before ours was
    reserved, and one between other channels meanwhile: neither is counted as ours.
    """
    at = thirsty.clock.now()
    thirsty.node.books.pay(SOURCE, TARGET, CHUNK, at=at, fee=77, name="before")
    thirsty.move()
    thirsty.node.books.pay("150x8x0", "150x4x0", CHUNK, at=at, fee=55, name="meanwhile")
    for _ in range(10):
        thirsty.live(MINUTE)
    (over,) = attempts(thirsty)

    assert (over.ending, over.moved_msat) == (Ending.DONE, over.amount_msat)
    assert over.fee_msat == over.moved_msat // CHUNK * FEE
    assert ledger.paid == ledger.settled + 77 + 55


# What the operator wants ---------------------------------------------------------------------


def test_a_dry_run_changes_nothing(thirsty: Office, ledger: Ledger) -> None:
    """
    Everything is decided and written down; nothing is reserved, asked for or learned.
    """
    thirsty.configure(dry_run="true")
    thirsty.move()
    thirsty.live(HOUR, ledger.check)
    thirsty.move()
    (told,) = thirsty.app.store.last_decisions(TARGET, "rebalance")

    assert isinstance(told.decision.action, StartRebalance)
    assert isinstance(told.outcome, Rehearsed)
    assert outcomes(thirsty) == [Rehearsed]
    assert attempts(thirsty) == ()
    assert {m for m, _ in thirsty.node.calls if m.startswith("sling-")} == {
        "sling-version",
        "sling-jobsettings",
        "sling-stats",
    }


def test_a_dry_run_leaves_a_job_that_runs(thirsty: Office, ledger: Ledger) -> None:
    """
    What began in earnest is watched and settled; it is not stopped, as that would be an action.
    """
    thirsty.move()
    thirsty.configure(dry_run="true", paused="true")
    thirsty.live(30 * MINUTE, ledger.check)
    assert asked(thirsty, "sling-stop") == []
    assert attempts(thirsty)[0].open

    thirsty.configure(dry_run="false")
    over = until_over(thirsty, ledger)

    assert (over.moved_msat, over.fee_msat) == (8 * CHUNK, 8 * FEE)


@pytest.mark.parametrize(
    "wish", [{"paused": "true"}, {"authority": "fees"}, {"rebalancer": "none"}]
)
def test_whoever_forbids_rebalancing_ends_what_runs(
    thirsty: Office, ledger: Ledger, wish: dict[str, str]
) -> None:
    """
    The job is stopped within a minute, gently: the payment under way is waited for, and what moved
    is booked. Nothing new begins, and it is no failure.
    """
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=30)
    thirsty.node.sling.patience_s = 40
    thirsty.move()
    thirsty.pass_by(50)
    thirsty.configure(**wish)
    over = until_over(thirsty, ledger)
    thirsty.live(HOUR, ledger.check)

    assert over.ending is Ending.STOPPED
    assert 0 < over.moved_msat < 8 * CHUNK
    assert over.fee_msat == ledger.paid == ledger.settled
    assert len(asked(thirsty, "sling-once")) == 1


def test_a_budget_that_is_used_up_ends_no_job_and_begins_none(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    The operator lowers the budget below what is held: what runs is bounded and goes on, nothing
    else begins, and the refusal names what would pass.
    """
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=20)
    thirsty.move()
    thirsty.configure(daily_budget_sats="1", proportional_budget="false")
    thirsty.live(5 * MINUTE)
    thirsty.move()

    assert [a.ending for a in attempts(thirsty)] == [Ending.DONE]
    assert ledger.settled == ledger.paid == 8 * FEE
    assert len(asked(thirsty, "sling-once")) == 1


def test_the_books_have_the_last_word_on_the_budget(
    thirsty: Office, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whatever was reserved between the look and the writing counts: what has no room any more is
    refused with the number that would pass, and sling is not asked.
    """
    thirsty.configure(daily_budget_sats="800", proportional_budget="false")
    thirsty.configure(weekly_budget_sats="800")
    write_down = TreasuryBook.write_down

    def meanwhile(book: TreasuryBook, plan: Any, **options: Any) -> Any:
        (start,) = [d for d in plan.decisions if isinstance(d.action, StartRebalance)]
        other = thirsty.node.channel("150x4x0")
        elsewhere = {"channel_id": other["channel_id"], "scid": other["short_channel_id"]}
        evolved = _evolved(start, **elsewhere)
        assert book.order(evolved, plan.limits, thirsty.clock.now(), dry_run=False)
        return write_down(book, plan, **options)

    monkeypatch.setattr(TreasuryBook, "write_down", meanwhile)
    thirsty.move()
    ((_, refused),) = thirsty.app.money.last.done

    assert isinstance(refused, Refused)
    assert "daily-budget-sats ≥ " in refused.error
    assert asked(thirsty, "sling-once") == []
    assert any("rebalance refused" in line for level, line in thirsty.logs if level == "unusual")


def _evolved(decision: Any, **fields: Any) -> Any:
    import attrs

    return attrs.evolve(decision, **fields, action=attrs.evolve(decision.action, **fields))


# Orders --------------------------------------------------------------------------------------


def order(office: Office) -> Any:
    """
    Order by hand what a cycle would begin, and return the entry.
    """
    last = office.app.money.last
    (decision,) = [d for d in last.plan.decisions if isinstance(d.action, StartRebalance)]
    entry = office.app.money.jobs.order(decision, last.plan.limits)
    office.app.worker.hurry("jobs")
    return entry


def test_an_order_is_reserved_at_once_and_begun_by_the_money_thread(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    Whoever orders has a number at once, and sling is asked at the next look at the jobs.
    """
    thirsty.configure(dry_run="true")
    thirsty.move()
    thirsty.configure(dry_run="false")
    entry = order(thirsty)
    assert entry.rebalance_id == 1
    assert ledger.held == entry.action.max_fee_msat
    assert asked(thirsty, "sling-once") == []

    thirsty.tend()
    assert len(asked(thirsty, "sling-once")) == 1

    assert until_over(thirsty, ledger).ending is Ending.DONE
    assert order(thirsty).rebalance_id == 2


def test_an_order_waits_for_nobody_who_settles(thirsty: Office, ledger: Ledger) -> None:
    """
    One that comes while the jobs are looked at is not taken for one that never began.
    """
    thirsty.configure(dry_run="true")
    thirsty.move()
    thirsty.configure(dry_run="false")
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=20)
    order(thirsty)
    ordered: list[Any] = []
    thirsty.app.money.jobs._ordered.clear()  # a crash: it is reserved and nobody remembers

    def meanwhile() -> None:
        if not ordered:
            last = thirsty.app.money.last
            (decision,) = [d for d in last.plan.decisions if isinstance(d.action, StartRebalance)]
            other = thirsty.node.channel("150x5x0")
            there = {"channel_id": other["channel_id"], "scid": other["short_channel_id"]}
            ordered.append(True)
            entry = thirsty.app.money.jobs.order(_evolved(decision, **there), last.plan.limits)
            ordered.append(entry)

    thirsty.node.before["listsendpays"] = lambda: None
    thread = threading.Thread(target=meanwhile)
    thirsty.node.after["sling-stats"] = lambda: (
        (thread.start(), thread.join()) if not ordered else None
    )
    thirsty.tend()
    states = {a.rebalance_id: a.open for a in attempts(thirsty)}

    assert states == {1: False, 2: True}
    thirsty.tend(after_s=60)
    assert [call["scid"] for call in asked(thirsty, "sling-once")] == ["150x5x0"]


# All day long --------------------------------------------------------------------------------
