"""Journal: what was decided is written down before it is done, and then what became of it."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from revops.adapters import wire
from revops.adapters.errors import StoreError
from revops.core.actions import Action, Hold, SetFee
from revops.core.memory import ChannelMemory, Memory
from revops.core.outcomes import Applied, Outcome, Refused, Rehearsed, Unknown
from revops.core.plan import Area, Decision, Plan
from revops.core.reasons import Reason
from revops.core.units import ChannelId, Instant, Msat, PeerId, Ppm, Scid

_NODE: Final = "node"
_STATES: Final[dict[type[Outcome], str]] = {
    Applied: "applied",
    Refused: "refused",
    Unknown: "unknown",
    Rehearsed: "rehearsed",
}


@attrs.frozen(kw_only=True)
class JournalEntry:
    """
    An action that is written down and may now be done.
    """

    entry_id: int
    action: Action


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


def write_down(
    connection: sqlite3.Connection, plan: Plan, changed: Sequence[ChannelMemory]
) -> tuple[JournalEntry, ...]:
    """
    Write down all of *plan*, and of its memory what *changed*; return what is to be done now.
    """
    entries = []
    rows = []
    for decision in plan.decisions:
        action, trail = wire.write_action(decision.action), wire.write_trail(decision.trail)
        rows.append(
            (decision.channel_id, decision.area, decision.scid, decision.peer_id, action, trail)
        )
        if not isinstance(decision.action, Hold):
            entry_id = connection.execute(
                "INSERT INTO journal (at, channel_id, area, action, trail, state)"
                " VALUES (?, ?, ?, ?, ?, 'decided')",
                (plan.at, decision.channel_id, decision.area, action, trail),
            ).lastrowid
            assert entry_id is not None  # noqa: S101 -- tells the type checker
            entries.append(JournalEntry(entry_id=entry_id, action=decision.action))
    connection.executemany(
        "REPLACE INTO decisions (channel_id, area, scid, peer_id, action, trail)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        rows,
    )
    connection.execute(
        "REPLACE INTO cycles (area, at, trail) VALUES ('fee', ?, ?)",
        (plan.at, wire.write_trail(plan.node_trail)),
    )
    _remember(connection, plan.memory, changed)
    _keep_original_fees(connection, plan.at, changed)
    return tuple(entries)


def _remember(
    connection: sqlite3.Connection, memory: Memory, changed: Iterable[ChannelMemory]
) -> None:
    rows = [
        (_NODE, wire.write_node_memory(memory)),
        *((m.channel_id, wire.write_channel_memory(m)) for m in changed),
    ]
    connection.executemany("REPLACE INTO memory (owner, data) VALUES (?, ?)", rows)
    kept = {_NODE, *(channel.channel_id for channel in memory.channels)}
    owners = connection.execute("SELECT owner FROM memory").fetchall()
    connection.executemany(
        "DELETE FROM memory WHERE owner = ?", [owner for owner in owners if owner[0] not in kept]
    )


def _keep_original_fees(
    connection: sqlite3.Connection, at: Instant, changed: Iterable[ChannelMemory]
) -> None:
    connection.executemany(
        "INSERT INTO original_fees (channel_id, fee_ppm, base_fee_msat, seen_at)"
        " VALUES (?, ?, ?, ?) ON CONFLICT (channel_id) DO NOTHING",
        (
            (m.channel_id, m.fee.known.fee_ppm, m.fee.known.base_fee_msat, at)
            for m in changed
            if m.fee.known is not None
        ),
    )


def read_memory(connection: sqlite3.Connection) -> Memory:
    """
    Return what the last cycle left; an empty memory before the first.
    """
    rows = dict(connection.execute("SELECT owner, data FROM memory"))
    node = rows.pop(_NODE, None)
    channels = tuple(wire.read_channel_memory(data) for data in rows.values())
    return attrs.evolve(wire.read_node_memory(node) if node else Memory(), channels=channels)


def settle(connection: sqlite3.Connection, entry_id: int, outcome: Outcome, at: Instant) -> None:
    """
    Write down what became of an action; a fee change that was confirmed enters the audit.

    Raises:
        StoreError: There is no such entry, or its outcome is written down already.
    """
    row = connection.execute(
        "UPDATE journal SET state = ?, outcome = ?, settled_at = ?"
        " WHERE id = ? AND state = 'decided' RETURNING channel_id, action",
        (_STATES[type(outcome)], wire.write_outcome(outcome), at, entry_id),
    ).fetchone()
    if row is None:
        msg = f"journal entry {entry_id}: there is none whose outcome is still open"
        raise StoreError(msg)
    action = wire.read_action(row[1])
    if isinstance(outcome, Applied) and isinstance(action, SetFee):
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


def read_decision(
    connection: sqlite3.Connection, channel_id: ChannelId, area: Area
) -> Decision | None:
    """
    Return the last decision about a channel in *area*.
    """
    row = connection.execute(
        "SELECT scid, peer_id, action, trail FROM decisions WHERE channel_id = ? AND area = ?",
        (channel_id, area),
    ).fetchone()
    if row is None:
        return None
    scid, peer_id, action, trail = row
    return Decision(
        channel_id=channel_id,
        scid=scid,
        peer_id=peer_id,
        area=area,
        action=wire.read_action(action),
        trail=wire.read_trail(trail),
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
        FeeChange(**{**dict(zip(names, row, strict=True)), "trail": wire.read_trail(row[-1])})
        for row in rows
    )
