"""Rebalancing in trouble: whoever is silent, dies or lies, no msat is spent that is not held."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from e2e.thirsty import (
    AMOUNT,
    CHUNK,
    COST,
    FEE,
    HOUR,
    MINUTE,
    SOURCE,
    TARGET,
    CrashError,
    Ledger,
    asked,
    attempts,
    crash,
    hang_up,
    make_thirsty,
    outcomes,
    refills,
    settle_in,
    until_over,
    wanted,
)
from fake_circular import Fate
from fakes import FakeNode, RpcRefusalError

from revops.adapters.store.treasury_book import TreasuryBook
from revops.core.budget import Spend
from revops.core.outcomes import Refused, Unknown
from revops.core.treasury import FAILURES, Ending
from revops.shell.rebalancing.mover import Mover

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
    assert [level for level, line in thirsty.logs if "Channel not found" in line] == ["unusual"]


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
    (begun,) = attempts(thirsty)
    (told,) = thirsty.app.store.last_decisions(TARGET, "rebalance")
    assert outcomes(thirsty) == [type(told.outcome)] == [Unknown]
    assert (begun.state, ledger.held) == (Spend.UNKNOWN, begun.limit_msat)

    over = until_over(thirsty, ledger)

    assert over.moved_msat == (AMOUNT if carried_out else 0)
    assert over.ending is (Ending.DONE if carried_out else Ending.VANISHED)
    assert ledger.settled == ledger.paid == over.fee_msat
    assert len(asked(thirsty, "sling-once")) == 1


@pytest.mark.parametrize("revops_stops", [False, True])
def test_after_silence_nothing_else_is_begun(
    tmp_path: Path, node: FakeNode, *, revops_stops: bool
) -> None:
    """
    Two refills are planned; as the first has no answer, or revops is to end, the others are not
    asked for, and their money is free at once. Nobody is to blame.
    """
    for target in (TARGET, "150x4x0"):
        make_thirsty(node, target)
    office = Office(tmp_path / "two", node, rpc_circuit_breaker_seconds="0")
    settle_in(office, TARGET, "150x4x0")
    node.before["sling-once"] = hang_up
    if revops_stops:
        node.after["sling-stats"] = office.app.worker.stop
    office.move()
    said = [type(outcome) for _, outcome in office.app.money.last.done]
    (_, second) = attempts(office)

    assert said == [Refused if revops_stops else Unknown, Refused]
    assert len(asked(office, "sling-once")) == (0 if revops_stops else 1)
    assert (second.open, second.ending) == (False, Ending.VANISHED)
    office.close()


def test_while_sling_rests_after_silence_it_is_not_asked(thirsty: Office, ledger: Ledger) -> None:
    """
    For rpc-circuit-breaker-seconds after a call without an answer none is made: nothing happened,
    and nothing is held for it.
    """
    order = wanted(thirsty)
    assert thirsty.app.money.jobs.order(*order)
    thirsty.node.before["sling-version"] = hang_up
    thirsty.tend()

    assert asked(thirsty, "sling-once") == []
    assert [a.ending for a in attempts(thirsty)] == [Ending.VANISHED]
    assert ledger.held == 0


def test_a_call_that_waits_for_slings_lock_is_carried_out_when_nobody_waits_any_more(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    Sling begins minutes after its answer was given up: an answer to a later question tells, and
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

    assert (over.ending, over.fee_msat) == (Ending.DONE, COST)
    assert (ledger.paid, ledger.settled) == (COST, COST)


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
    thirsty.live(10 * MINUTE, ledger.check)
    thirsty.pass_by(6 * HOUR - 15 * MINUTE)
    thirsty.live(4 * MINUTE, ledger.check)
    assert ledger.held == begun.limit_msat
    assert ledger.paid == COST

    thirsty.live(3 * MINUTE)

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
    thirsty.live(20 * MINUTE, ledger.check)
    thirsty.pass_by(7 * HOUR)
    thirsty.live(5 * MINUTE, ledger.check)
    assert attempts(thirsty)[0].open
    assert len(asked(thirsty, "sling-once")) == 1
    assert "jobs" in [state.name for state in thirsty.app.worker.states() if state.failing]

    thirsty.node.before.clear()
    over = until_over(thirsty, ledger)

    assert (over.ending, over.fee_msat, ledger.settled) == (Ending.DONE, COST, COST)


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
    assert ledger.settled == ledger.paid == COST
    moved = [attempt.moved_msat for attempt in attempts(thirsty)]
    assert sum(moved) == AMOUNT
    assert [a.ending for a in attempts(thirsty) if a.moved_msat] == [Ending.DONE]
    assert FAILURES.isdisjoint(attempt.ending for attempt in attempts(thirsty))


@pytest.mark.parametrize("seconds", [1, 30, 59, 61, 119, 125])
def test_a_restart_in_the_middle_of_a_job_takes_it_up_again(
    thirsty: Office, ledger: Ledger, seconds: int
) -> None:
    """
    Sling pays on while revops is away; whoever comes next finds the job, or what it left.
    """
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=12)
    thirsty.move()
    thirsty.pass_by(seconds)
    thirsty.restart()
    over = until_over(thirsty, ledger)

    assert (over.ending, over.fee_msat) == (Ending.DONE, COST)
    assert (ledger.paid, ledger.settled, ledger.held) == (COST, COST, 0)
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
    assert ledger.settled == ledger.paid >= COST


# Nodes of before -----------------------------------------------------------------------------


def test_a_node_without_a_list_of_moves_has_one_rebalance_at_a_time(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    Before v25.09 a cost is told by the list of payments, some minutes late: it is waited for, and
    the refill is booked to the msat.
    """
    thirsty.node.absent.add("listchannelmoves")
    thirsty.configure(rebalance_min_amount="50000", rebalance_max_amount="100000")
    thirsty.restart()
    thirsty.cycle()
    thirsty.move()
    assert thirsty.app.money.last.snapshot.treasury.one_at_a_time
    (order,) = asked(thirsty, "sling-once")
    assert order["amount"] == order["onceamount"]

    over = until_over(thirsty, ledger, minutes=20)

    assert over.ended_at - over.at > 10 * MINUTE
    assert (over.ending, over.moved_msat, over.fee_msat) == (Ending.DONE, CHUNK, FEE)
    assert ledger.settled == ledger.paid


def test_a_payment_under_way_is_known_without_a_list_of_moves_too(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    It has come in, and word of it takes a quarter of an hour to go back: until then nobody lists
    it as paid, and its money stays reserved.
    """
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=2, returns_s=15 * MINUTE)
    thirsty.node.absent.add("listchannelmoves")
    thirsty.configure(rebalance_min_amount="50000", rebalance_max_amount="100000")
    thirsty.restart()
    thirsty.cycle()
    thirsty.move()
    over = until_over(thirsty, ledger, minutes=40)

    assert over.fee_msat == ledger.paid == ledger.settled == FEE
    assert over.ended_at - over.at > 25 * MINUTE


def test_a_node_that_lists_no_payments_gets_no_rebalance(thirsty: Office) -> None:
    """
    Before v23.11 nobody could tell what one cost: the plan says so.
    """

    def unpaged() -> None:
        raise RpcRefusalError(-32602, "unknown parameter: index")

    thirsty.node.absent.add("listchannelmoves")
    thirsty.node.before["listsendpays"] = unpaged
    thirsty.restart()
    thirsty.cycle()
    thirsty.move()

    assert attempts(thirsty) == ()
    assert "v23.11" in thirsty.app.money.last.snapshot.treasury.engine.trouble


# Beside each other ---------------------------------------------------------------------------


def test_a_splice_in_the_middle_of_a_job_ends_it_well(thirsty: Office, ledger: Ledger) -> None:
    """
    Sling knows the channel by its old short channel id and loses it: what moved is booked on the
    channel, whatever it is called by then.
    """
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=10)
    thirsty.move()
    thirsty.pass_by(35)
    thirsty.node.books.splice(TARGET, "160x1x0", 1_000_000_000, 1_000_000, thirsty.clock.now())
    over = until_over(thirsty, ledger, minutes=30)

    assert over.moved_msat >= 3 * CHUNK
    assert over.fee_msat == over.moved_msat // CHUNK * FEE == ledger.paid == ledger.settled
    assert ledger.held == 0


def test_refills_are_counted_once_whoever_reads_them(thirsty: Office) -> None:
    """
    The books and money walk the same list from two threads: no payment is counted twice or missed.
    """
    walk, us = thirsty.app.money.jobs.kit.walk, thirsty.node.info["id"]
    channel_id = thirsty.node.channel(TARGET)["channel_id"]
    count, cost = refills(thirsty, channel_id)
    at = thirsty.clock.now()

    def read() -> None:
        for _ in range(20):
            walk.to_end(us, at)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(30):
        with thirsty.node.lock:
            thirsty.node.books.pay(SOURCE, TARGET, 1000, at=at, fee=1, name=f"small {number}")
    for thread in threads:
        thread.join()
    walk.to_end(us, at)

    assert refills(thirsty, channel_id) == (count + 30, cost + 30)


def test_the_money_thread_that_hangs_delays_nobody(lightningd: FakeLightningd) -> None:
    """
    Sling does not answer: prices are set and commands are answered all the same, status shows who
    hangs, and the process ends in time.
    """
    node = lightningd.node
    node.before["sling-version"] = node.never_answer
    lightningd.start()
    status = lightningd.first_cycle()
    lightningd.wait_for(lambda: node.called("sling-version"))
    lightningd.wait_for(lambda: len(node.called("setchannel")) == len(node.channels))
    status = lightningd.call("revenue-status")
    hanging = {loop["name"] for loop in status["loops"] if loop["running_since"] is not None}
    names = [loop["name"] for loop in status["loops"]]

    assert "rebalance" in hanging <= {"rebalance", "books", "forwards", "metrics", "hive"}
    ours = ["fees", "forwards", "books", "upkeep", "metrics"]
    assert names == [*ours, "jobs", "rebalance", "hive"]
    assert lightningd.shutdown() < 2
    node.let_go()
