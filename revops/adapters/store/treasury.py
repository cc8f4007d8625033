"""Treasury: money is reserved with the decision, and what became of it is written once."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Final

import attrs

from revops.adapters import wire
from revops.adapters.errors import StoreError
from revops.adapters.store import journal, refills, treasury_log
from revops.adapters.store.treasury_end import end, keep, reservation, tell
from revops.adapters.store.treasury_log import Logged
from revops.core import budget
from revops.core.actions import StartRebalance
from revops.core.budget import Limits, Spend
from revops.core.outcomes import Refused, Rehearsed, Started, Unknown
from revops.core.plan import Decision, RebalancePlan
from revops.core.treasury import Ending
from revops.core.units import Instant, Msat, sats_down, sats_up

_BEGIN: Final = """
    INSERT INTO rebalance_log (journal_id, at, to_channel, to_peer, scid, from_channels,
    amount_msat, chunk_msat, before_msat, ordered, moves_read)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def write_down(
    connection: sqlite3.Connection, plan: RebalancePlan, *, dry_run: bool
) -> tuple[journal.JournalEntry, ...]:
    """
    Write down all of *plan* and reserve what it may cost; return what is to be done now: in a
    dry run nothing.
    """
    entries = _decide(connection, plan.decisions, plan.limits, plan.at, dry_run=dry_run)
    connection.execute(
        "REPLACE INTO cycles (area, at, trail) VALUES ('rebalance', ?, ?)",
        (plan.at, wire.write_trail(plan.node_trail)),
    )
    return entries


def order(
    connection: sqlite3.Connection,
    decision: Decision,
    limits: Limits,
    at: Instant,
    *,
    dry_run: bool,
) -> journal.JournalEntry | None:
    """
    Write down one order and reserve what it may cost; return what is to be done now, if anything.
    """
    return next(iter(_decide(connection, [decision], limits, at, dry_run=dry_run)), None)


def _decide(
    connection: sqlite3.Connection,
    decisions: Iterable[Decision],
    limits: Limits,
    at: Instant,
    *,
    dry_run: bool,
) -> tuple[journal.JournalEntry, ...]:
    _recall(connection, at)
    to_do = []
    for entry in journal.enter(connection, decisions, at):
        action = entry.action
        if dry_run:
            journal.settle(connection, [(entry.entry_id, Rehearsed())], at)
        elif not isinstance(action, StartRebalance):
            to_do.append(entry)
        elif problem := _problem(connection, action, limits, at):
            journal.settle(connection, [(entry.entry_id, Refused(error=problem))], at)
        else:
            number = _reserve(connection, entry.entry_id, action, at)
            to_do.append(attrs.evolve(entry, rebalance_id=number))
    return tuple(to_do)


def _recall(connection: sqlite3.Connection, now: Instant) -> None:
    """
    Let what a clock that was ahead dated later be of *now*: so nothing waits for that time to
    come, and nothing spent is forgotten before it is a day and a week old.
    """
    connection.execute("UPDATE rebalance_log SET at = :now WHERE at > :now", {"now": now})
    connection.execute(
        "UPDATE reservations SET settled_at = :now WHERE settled_at > :now", {"now": now}
    )


def _problem(
    connection: sqlite3.Connection, action: StartRebalance, limits: Limits, now: Instant
) -> str | None:
    """
    Return why *action* may not begin, by what the books hold at this moment: whoever decided saw
    an earlier one.
    """
    for other in treasury_log.read_open(connection):
        if other.attempt.to_channel == action.channel_id:
            number = other.attempt.rebalance_id
            return f"rebalance {number} of this channel is not settled yet"
    spent = treasury_log.read_spending(connection, now)
    amount = action.max_fee_msat
    left = budget.room(spent, limits)
    if amount <= left:
        return None
    day = spent.day_msat + spent.held_msat + amount
    week = spent.week_msat + spent.held_msat + amount
    needed = [
        f"{option} ≥ {sats_up(Msat(total))}"
        for option, total, limit in (
            ("daily-budget-sats", day, limits.day_msat),
            ("weekly-budget-sats", week, limits.week_msat),
        )
        if total > limit
    ]
    return (
        f"it may cost up to {sats_up(amount)} sats and {sats_down(left)} are left of the budget;"
        f" with {' and '.join(needed)} it would begin"
    )


def _reserve(
    connection: sqlite3.Connection, entry_id: int, action: StartRebalance, at: Instant
) -> int:
    number = connection.execute(
        _BEGIN,
        (
            entry_id,
            at,
            action.channel_id,
            action.peer_id,
            action.scid,
            json.dumps([source.channel_id for source in action.sources]),
            action.amount_msat,
            action.chunk_msat,
            action.to_us_msat,
            int(action.ordered),
            refills.read_cursor(connection, refills.MOVES) or 0,
        ),
    ).lastrowid
    assert number is not None  # noqa: S101 -- tells the type checker
    connection.execute(
        "INSERT INTO reservations (rebalance_id, amount_msat, state) VALUES (?, ?, ?)",
        (number, action.max_fee_msat, Spend.RESERVED.value),
    )
    return number


# What the rebalancer said ----------------------------------------------------------------------


def began(connection: sqlite3.Connection, entry_id: int, at: Instant) -> None:
    """
    Write down that the rebalancer is at work on what the journal's entry *entry_id* begins.
    """
    attempt = _begun_by(connection, entry_id).attempt
    if attempt.open:
        keep(connection, budget.begun(reservation(attempt)))
        tell(connection, entry_id, Started(rebalance_id=attempt.rebalance_id), at)


def refused(
    connection: sqlite3.Connection, entry_id: int, error: str, at: Instant, ending: Ending
) -> None:
    """
    Write down that it did not begin. Unless it had been heard of before, or something arrived,
    nothing can have been spent.
    """
    attempt = _begun_by(connection, entry_id).attempt
    if attempt.state is Spend.RESERVED and not attempt.moved_msat:
        end(connection, attempt.rebalance_id, ending, error, at, None)
    else:
        lost(connection, entry_id, error, at)


def lost(connection: sqlite3.Connection, entry_id: int, error: str, at: Instant) -> None:
    """
    Write down that there was no answer.
    """
    attempt = _begun_by(connection, entry_id).attempt
    if attempt.open:
        keep(connection, budget.lost(reservation(attempt)))
        connection.execute(
            "UPDATE rebalance_log SET why = ? WHERE id = ?", (error, attempt.rebalance_id)
        )
        tell(connection, entry_id, Unknown(error=error), at)


def _begun_by(connection: sqlite3.Connection, entry_id: int) -> Logged:
    found = treasury_log.read_of_entry(connection, entry_id)
    if found is None:
        msg = f"journal entry {entry_id}: it begins no rebalance"
        raise StoreError(msg)
    return found
