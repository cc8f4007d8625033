"""Rebalancing and people: what the operator wants, orders and keeps is done, ordered and kept."""

import threading
from typing import Any

import attrs
import pytest
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
    Ledger,
    asked,
    attempts,
    hang_up,
    into,
    outcomes,
    until_over,
    wanted,
)
from fake_circular import Fate
from fakes import FakeNode

from revops.adapters.errors import NoAnswerError
from revops.adapters.store.treasury_book import TreasuryBook
from revops.core.actions import StartRebalance
from revops.core.outcomes import Refused, Rehearsed
from revops.core.treasury import Ending
from revops.core.units import Msat

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
    assert (attempts(thirsty)[0].open, attempts(thirsty)[0].stopping) == (True, None)

    thirsty.configure(dry_run="false")
    over = until_over(thirsty, ledger)

    assert (over.moved_msat, over.fee_msat) == (AMOUNT, COST)


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
    thirsty.node.sling.fate = lambda _pair: Fate(arrives_s=40)
    thirsty.node.sling.patience_s = 50
    thirsty.move()
    thirsty.pass_by(50)
    thirsty.configure(**wish)
    over = until_over(thirsty, ledger)
    thirsty.live(HOUR, ledger.check)

    assert over.ending is Ending.STOPPED
    assert 0 < over.moved_msat < AMOUNT
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
    assert ledger.settled == ledger.paid == COST
    assert len(asked(thirsty, "sling-once")) == 1


def test_the_books_have_the_last_word_on_the_budget(
    thirsty: Office, monkeypatch: pytest.MonkeyPatch
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
        elsewhere = into(start, thirsty.node.channel("150x4x0"))
        assert book.order(elsewhere, plan.limits, thirsty.clock.now(), dry_run=False)
        return write_down(book, plan, **options)

    monkeypatch.setattr(TreasuryBook, "write_down", meanwhile)
    thirsty.move()
    ((_, refused),) = thirsty.app.money.last.done

    assert isinstance(refused, Refused)
    assert "daily-budget-sats ≥ " in refused.error
    assert asked(thirsty, "sling-once") == []
    assert any("rebalance refused" in line for level, line in thirsty.logs if level == "unusual")


# Orders --------------------------------------------------------------------------------------


def test_an_order_is_reserved_at_once_and_begun_by_the_money_thread(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    Whoever orders has a number at once; sling is asked at the next look at the jobs.
    """
    entry = thirsty.app.money.jobs.order(*wanted(thirsty))
    assert entry.rebalance_id == 1
    assert ledger.held == entry.action.max_fee_msat
    assert asked(thirsty, "sling-once") == []

    thirsty.tend()
    assert len(asked(thirsty, "sling-once")) == 1
    assert until_over(thirsty, ledger).ending is Ending.DONE


def test_an_order_that_a_crash_forgot_is_released(thirsty: Office, ledger: Ledger) -> None:
    """
    It is reserved, and after the restart nobody begins it: its money is free, and its peer is not
    to blame.
    """
    assert thirsty.app.money.jobs.order(*wanted(thirsty))
    thirsty.configure(rebalancer="none")
    thirsty.restart()
    thirsty.tend()

    assert [a.ending for a in attempts(thirsty)] == [Ending.VANISHED]
    assert (ledger.held, asked(thirsty, "sling-once")) == (0, [])


def test_an_order_during_a_look_is_not_taken_for_one_that_never_began(thirsty: Office) -> None:
    """
    Two threads: what is ordered after sling was looked at keeps its money, and is begun with the
    next look.
    """
    thirsty.move()
    plan = thirsty.app.money.last.plan
    (decision,) = [d for d in plan.decisions if isinstance(d.action, StartRebalance)]
    elsewhere = into(decision, thirsty.node.channel("150x5x0"))
    errand = threading.Thread(
        target=lambda: thirsty.app.money.jobs.order(elsewhere, plan.limits), daemon=True
    )

    def meanwhile() -> None:
        thirsty.node.after.clear()
        errand.start()
        errand.join()

    thirsty.node.after["sling-stats"] = meanwhile
    thirsty.tend(after_s=60)
    assert [a.open for a in attempts(thirsty)] == [True, True]
    assert len(asked(thirsty, "sling-once")) == 1

    thirsty.tend(after_s=60)
    assert [call["scid"] for call in asked(thirsty, "sling-once")] == [TARGET, "150x5x0"]


def test_an_order_for_which_there_is_no_room_is_refused(thirsty: Office, ledger: Ledger) -> None:
    """
    Budget holds for the operator too; why not is the outcome of the channel's last decision.
    """
    decision, limits = wanted(thirsty)
    limits = attrs.evolve(limits, day_msat=Msat(1000))

    assert thirsty.app.money.jobs.order(decision, limits) is None
    (told,) = thirsty.app.store.last_decisions(TARGET, "rebalance")
    assert isinstance(told.outcome, Refused)
    assert ledger.held == 0


def test_an_order_without_what_moved_is_none(thirsty: Office, ledger: Ledger) -> None:
    """
    As long as the node does not tell what moved until now, nothing is reserved: a payment of
    earlier could be taken for one of it.
    """
    order = wanted(thirsty)
    thirsty.node.before["listchannelmoves"] = hang_up

    with pytest.raises(NoAnswerError):
        thirsty.app.money.jobs.order(*order)
    assert (attempts(thirsty), ledger.held) == ((), 0)


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
    ("scid", "candidate", "taboo"),
    [
        (TARGET, "150x8x0", TARGET),
        (SOURCE, "150x8x0", SOURCE),
        ("150x4x0", SOURCE, SOURCE),
    ],
)
def test_a_foreign_job_is_never_touched(
    thirsty: Office, scid: str, candidate: str, taboo: str
) -> None:
    """
    Where the operator has a job on the channel that is to be filled, on the one that is to give, or
    one that takes from it, nothing of ours is begun with it, and theirs goes on.
    """
    foreign(thirsty.node, scid, candidate)
    thirsty.live(3 * HOUR)

    begun, ended = asked(thirsty, "sling-once"), asked(thirsty, "sling-stop")
    assert taboo not in {c for order in begun for c in (order["scid"], *order["candidates"])}
    assert scid not in {call["scid"] for call in ended}
    assert scid in thirsty.node.answer("sling-jobsettings", {})


def test_an_order_that_needs_what_a_foreign_job_uses_is_refused(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    What the operator told sling since the look comes first: sling would take both orders.
    """
    assert thirsty.app.money.jobs.order(*wanted(thirsty))
    foreign(thirsty.node, "150x4x0", SOURCE)
    thirsty.tend()

    assert asked(thirsty, "sling-once") == []
    assert [a.ending for a in attempts(thirsty)] == [Ending.VANISHED]
    assert ledger.held == 0
    assert any(
        f"sling has a job on 150x4x0 that needs {SOURCE}" in line for _, line in thirsty.logs
    )


def test_a_job_that_somebody_began_since_the_look_is_left_alone(
    thirsty: Office, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Sling itself refuses a second job on a channel: ours is not begun, and its money is free.
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
    assert ledger.paid == over.fee_msat + 77 + 55
    assert ledger.settled == over.fee_msat
