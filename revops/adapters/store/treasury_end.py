"""The end of a rebalance: what it cost is written once, by evidence, or as all that it might."""

import sqlite3
from collections.abc import Collection

import attrs

from revops.adapters.errors import StoreError
from revops.adapters.store import journal, refills, treasury_log, treasury_sums
from revops.adapters.store.treasury_log import Logged
from revops.core import budget
from revops.core.budget import Reservation, Spend
from revops.core.outcomes import Outcome, Refused, Started
from revops.core.treasury import Attempt, Ending
from revops.core.units import Instant, Msat, Scid


@attrs.frozen(kw_only=True)
class Cleared:
    """
    What the operator wanted to have back.

    Attributes:
        released: What provably was never spent, and is free again.
        kept: What stays reserved, each with the reason.
    """

    released: tuple[Attempt, ...]
    kept: tuple[tuple[Attempt, str], ...]


def stop(
    connection: sqlite3.Connection, rebalance_id: int, why: str, at: Instant, ending: Ending
) -> None:
    """
    Write down that a rebalance is to be stopped, and how it will have ended; the first reason
    stays.
    """
    connection.execute(
        "UPDATE rebalance_log SET stopping = ?, stopping_at = ?, ending = ?"
        " WHERE id = ? AND stopping IS NULL AND ending IS NULL",
        (why, at, ending.value, rebalance_id),
    )


def settle(
    connection: sqlite3.Connection, rebalance_id: int, ending: Ending, why: str, at: Instant
) -> Attempt:
    """
    Write down the end of a rebalance: its money is what its refills cost, and without any refill
    it is free again. What is over already stays as it ended.
    """
    attempt = _numbered(connection, rebalance_id).attempt
    spent = attempt.fee_msat if attempt.moved_msat or attempt.fee_msat else None
    return end(connection, rebalance_id, ending, why, at, spent)


def give_up(connection: sqlite3.Connection, rebalance_id: int, why: str, at: Instant) -> Attempt:
    """
    Write down the end of a rebalance of which nobody can tell what it cost: all that it might.
    """
    attempt = _numbered(connection, rebalance_id).attempt
    spent = max(attempt.limit_msat, attempt.fee_msat)
    return end(connection, rebalance_id, Ending.VANISHED, why, at, spent)


def release_stale(
    connection: sqlite3.Connection, now: Instant, deadline_s: int, busy: Collection[Scid]
) -> Cleared:
    """
    Release what never began, as far as the books and the rebalancer can tell.
    """
    released, kept = [], []
    for logged in treasury_log.read_open(connection):
        number = logged.attempt.rebalance_id
        if reason := _held_by(connection, logged, Instant(now - deadline_s), busy):
            kept.append((logged.attempt, reason))
        else:
            why = "the operator took it back: nobody ever heard of it"
            released.append(end(connection, number, Ending.VANISHED, why, now, None))
    return Cleared(released=tuple(released), kept=tuple(kept))


def _held_by(
    connection: sqlite3.Connection, logged: Logged, before: Instant, busy: Collection[Scid]
) -> str | None:
    """
    Return why the money of a rebalance may have been spent, or may be yet.
    """
    attempt = logged.attempt
    read = refills.read_cursor(connection, refills.COMPLETE)
    doubts = (
        (attempt.moved_msat, f"{attempt.moved_msat} msat arrived: it is settled when it is over"),
        (attempt.state is Spend.IN_FLIGHT, "the rebalancer said that it is at work on it"),
        (logged.scid in busy, "the rebalancer is at work on its channel"),
        (attempt.at > before, f"an answer may come for another {attempt.at - before} s"),
        (read is None or read <= attempt.at, "what moved since it began was not read yet"),
        (
            treasury_log.is_unpaired(connection, attempt),
            "of a payment that may be its own only one side was seen",
        ),
    )
    return next((reason for doubt, reason in doubts if doubt), None)


def mature(connection: sqlite3.Connection, now: Instant, horizon_s: int) -> None:
    """
    Write down which share of what arrived was sold, once that can be told.
    """
    connection.executemany(
        "UPDATE rebalance_log SET sold = ? WHERE id = ? AND sold IS NULL",
        [(share, number) for number, share in treasury_sums.unsold(connection, now, horizon_s)],
    )


def end(
    connection: sqlite3.Connection,
    rebalance_id: int,
    ending: Ending,
    why: str,
    at: Instant,
    spent: Msat | None,
) -> Attempt:
    """
    Settle at *spent*, or release for `None`, unless it is over; return what stands then.
    """
    logged = _numbered(connection, rebalance_id)
    before = reservation(logged.attempt)
    over = budget.released(before, at) if spent is None else budget.settled(before, spent, at)
    if over == before:
        return logged.attempt
    keep(connection, over)
    connection.execute(
        "UPDATE rebalance_log SET ending = ?, why = ? WHERE id = ?",
        (ending.value, why, rebalance_id),
    )
    if logged.journal_id is not None:
        outcome = Refused(error=why) if spent is None else Started(rebalance_id=rebalance_id)
        tell(connection, logged.journal_id, outcome, at)
    return _numbered(connection, rebalance_id).attempt


def reservation(attempt: Attempt) -> Reservation:
    """
    Return the money of *attempt*, as its transitions go by.
    """
    return Reservation(
        rebalance_id=attempt.rebalance_id, amount_msat=attempt.limit_msat, state=attempt.state
    )


def keep(connection: sqlite3.Connection, money: Reservation) -> None:
    """
    Write down what became of *money* that was not settled before.
    """
    connection.execute(
        "UPDATE reservations SET state = ?, spent_msat = ?, settled_at = ? WHERE rebalance_id = ?",
        (money.state.value, money.spent_msat, money.settled_at, money.rebalance_id),
    )


def tell(connection: sqlite3.Connection, entry_id: int, outcome: Outcome, at: Instant) -> None:
    """
    Write down what became of an action, unless that was told before.
    """
    if journal.is_open(connection, entry_id):
        journal.settle(connection, [(entry_id, outcome)], at)


def _numbered(connection: sqlite3.Connection, rebalance_id: int) -> Logged:
    found = treasury_log.read_one(connection, rebalance_id)
    if found is None:
        msg = f"rebalance {rebalance_id}: there is none of this number"
        raise StoreError(msg)
    return found
