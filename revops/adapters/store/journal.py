"""Journal: what was decided is written down before it is done, and then what became of it."""

import functools
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from revops.adapters import wire
from revops.adapters.errors import StoreError
from revops.adapters.store import memory, pins
from revops.core.actions import Action, Hold, SetFee
from revops.core.memory import ChannelMemory
from revops.core.outcomes import (
    Applied,
    Outcome,
    Refused,
    Rehearsed,
    Started,
    Stopped,
    Unknown,
    shown_by,
)
from revops.core.plan import Area, Decision, Plan
from revops.core.reasons import Reason
from revops.core.snapshot import FeePin
from revops.core.units import ChannelId, Instant, Msat, PeerId, Ppm, Scid

_STATES: Final[dict[type[Outcome], str]] = {
    Applied: "applied",
    Started: "applied",
    Stopped: "applied",
    Refused: "refused",
    Unknown: "unknown",
    Rehearsed: "rehearsed",
}


@attrs.frozen(kw_only=True)
class JournalEntry:
    """
    An action that is written down and may now be done.

    Attributes:
        rebalance_id: What it begins is known by this number from now on.
    """

    entry_id: int
    action: Action
    rebalance_id: int | None = None


Order = tuple[Decision, FeePin]
"""What the operator wants of one channel now, and what is to be left of it."""


@attrs.frozen(kw_only=True)
class FeeChange:
    """
    A fee change that the node confirmed, and why it was made.
    """

    at: Instant
    channel_id: ChannelId
    scid: Scid
    peer_id: PeerId
    old_ppm: Ppm
    new_ppm: Ppm
    old_base_msat: Msat
    new_base_msat: Msat
    htlc_max_msat: Msat | None
    trail: tuple[Reason, ...]


@attrs.frozen(kw_only=True)
class Explained:
    """
    The last decision about a channel.

    Attributes:
        at: When it was made: before the last cycle, when the channel was not listed in that.
        outcome: `None` when there was nothing to do, or as long as nobody knows.
    """

    at: Instant
    decision: Decision
    outcome: Outcome | None


def write_down(
    connection: sqlite3.Connection, plan: Plan, changed: Sequence[ChannelMemory]
) -> tuple[JournalEntry, ...]:
    """
    Write down all of *plan*, and of its memory what *changed*; return what is to be done now.
    """
    _settle_by_evidence(connection, plan)
    entries = enter(connection, plan.decisions, plan.at)
    connection.execute(
        "REPLACE INTO cycles (area, at, trail) VALUES ('fee', ?, ?)",
        (plan.at, wire.write_trail(plan.node_trail)),
    )
    memory.save(connection, plan.memory, changed)
    pins.drop_ended(connection, plan)
    connection.execute(
        "DELETE FROM decisions WHERE at < ? AND channel_id NOT IN (SELECT owner FROM memory)",
        (plan.at,),
    )
    return entries


def write_orders(
    connection: sqlite3.Connection, orders: Sequence[Order], at: Instant
) -> tuple[JournalEntry, ...]:
    """
    Write down what the operator orders, with the pins that it leaves; return what is to be done.
    """
    entries = enter(connection, [decision for decision, _ in orders], at)
    for entry, (_, pin) in zip(entries, orders, strict=True):
        pins.add(connection, pin, entry.entry_id)
    return entries


def enter(
    connection: sqlite3.Connection, decisions: Iterable[Decision], at: Instant
) -> tuple[JournalEntry, ...]:
    """
    Write down *decisions*; return an entry for each that is to be done.
    """
    entries = []
    rows = []
    for decision in decisions:
        action, trail = wire.write_action(decision.action), wire.write_trail(decision.trail)
        about = (decision.channel_id, decision.area, at, decision.scid, decision.peer_id)
        rows.append((*about, action, trail))
        if not isinstance(decision.action, Hold):
            entry_id = connection.execute(
                "INSERT INTO journal (at, channel_id, area, action, trail, state)"
                " VALUES (?, ?, ?, ?, ?, 'decided')",
                (at, decision.channel_id, decision.area, action, trail),
            ).lastrowid
            assert entry_id is not None  # noqa: S101 -- tells the type checker
            entries.append(JournalEntry(entry_id=entry_id, action=decision.action))
    connection.executemany(
        "REPLACE INTO decisions (channel_id, area, at, scid, peer_id, action, trail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    return tuple(entries)


def settle(
    connection: sqlite3.Connection, outcomes: Iterable[tuple[int, Outcome]], at: Instant
) -> None:
    """
    Write down what became of actions; fee changes that were confirmed enter the audit, and orders
    that came to nothing are taken back.

    Raises:
        StoreError: There is no such entry, or its outcome is written down already.
    """
    for entry_id, outcome in outcomes:
        row = connection.execute(
            "UPDATE journal SET state = ?, outcome = ?, settled_at = ?"
            " WHERE id = ? AND state IN ('decided', 'unknown') RETURNING action",
            (_STATES[type(outcome)], wire.write_outcome(outcome), at, entry_id),
        ).fetchone()
        if row is None:
            msg = f"journal entry {entry_id}: there is none whose outcome is still open"
            raise StoreError(msg)
        pins.settle(connection, entry_id, outcome)
        action = wire.read_action(row[0])
        if isinstance(outcome, Applied) and isinstance(action, SetFee):
            _audit(connection, entry_id, action, outcome, at)


def is_open(connection: sqlite3.Connection, entry_id: int) -> bool:
    """
    Return whether nobody has told yet what became of an action.
    """
    rows = connection.execute(
        "SELECT 1 FROM journal WHERE id = ? AND state IN ('decided', 'unknown')", (entry_id,)
    )
    return rows.fetchone() is not None


def _audit(
    connection: sqlite3.Connection, entry_id: int, action: SetFee, outcome: Applied, at: Instant
) -> None:
    connection.execute(
        "INSERT INTO fee_history (journal_id, at, channel_id, scid, peer_id, old_ppm, new_ppm,"
        " old_base_msat, new_base_msat, htlc_max_msat) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry_id,
            at,
            action.channel_id,
            action.scid,
            action.peer_id,
            action.old_ppm,
            outcome.fee_ppm,
            action.old_base_msat,
            outcome.base_fee_msat,
            outcome.htlc_max_msat,
        ),
    )


def _settle_by_evidence(connection: sqlite3.Connection, plan: Plan) -> None:
    """
    Close what an earlier cycle left open, as this one's look at the fees in force shows it.
    """
    in_force = {known.channel_id: known.fee.known for known in plan.memory.channels}
    seen = {decision.channel_id for decision in plan.decisions}
    rows = connection.execute(
        "SELECT id, channel_id, action FROM journal"
        " WHERE state IN ('decided', 'unknown') AND area = 'fee' AND at < ?",
        (plan.at,),
    ).fetchall()
    for entry_id, channel_id, text in rows:
        price = in_force.get(channel_id) if channel_id in seen else None
        outcome = shown_by(wire.read_action(text), price) if price else None
        if outcome:
            settle(connection, [(entry_id, outcome)], plan.at)


def read_decisions(
    connection: sqlite3.Connection, subject: str, area: Area
) -> tuple[Explained, ...]:
    """
    Return the last decisions in *area* about a channel (by either id, or a short channel id that it
    had before a splice) or a peer's channels.
    """
    rows = connection.execute(
        "SELECT d.at, d.channel_id, scid, peer_id, d.action, d.trail, outcome FROM decisions d"
        " LEFT JOIN journal ON journal.id = (SELECT max(id) FROM journal j"
        " WHERE (j.channel_id, j.area, j.at, j.action) ="
        " (d.channel_id, d.area, d.at, d.action))"
        " WHERE d.area = ? AND (? IN (scid, d.channel_id, peer_id) OR d.channel_id ="
        " (SELECT channel_id FROM channel_scids WHERE scid = ?)) ORDER BY scid",
        (area, subject, subject),
    )
    return tuple(
        Explained(
            at=at,
            decision=Decision(
                channel_id=channel_id,
                scid=scid,
                peer_id=peer_id,
                area=area,
                action=wire.read_action(action),
                trail=wire.read_trail(trail),
            ),
            outcome=wire.read_outcome(outcome) if outcome else None,
        )
        for at, channel_id, scid, peer_id, action, trail, outcome in rows
    )


def read_cycle(
    connection: sqlite3.Connection, area: Area
) -> tuple[Instant, tuple[Reason, ...]] | None:
    """
    Return when the last cycle of *area* was, and what concerned all channels.
    """
    row = connection.execute("SELECT at, trail FROM cycles WHERE area = ?", (area,)).fetchone()
    return (row[0], wire.read_trail(row[1])) if row else None


def read_fee_changes(connection: sqlite3.Connection, limit: int) -> tuple[FeeChange, ...]:
    """
    Return the last *limit* fee changes, the latest first.
    """
    names = tuple(field.name for field in attrs.fields(FeeChange))
    rows = connection.execute(
        "SELECT h.at, h.channel_id, scid, peer_id, old_ppm, new_ppm, old_base_msat, new_base_msat,"
        " htlc_max_msat, trail FROM fee_history h JOIN journal ON journal_id = journal.id"
        " ORDER BY journal_id DESC LIMIT ?",
        (limit,),
    )
    return tuple(
        FeeChange(**{**dict(zip(names, row, strict=True)), "trail": _trail(row[-1])})
        for row in rows
    )


# The same few are asked for again and again.
_trail: Final = functools.lru_cache(maxsize=32)(wire.read_trail)
