"""The log of rebalances, as it is read: each with its money and what the refills tell of it."""

import json
import sqlite3
from typing import Any, Final

import attrs

from revops.adapters import wire
from revops.core.budget import WEEK, Reservation, Spend, Spending, spending
from revops.core.evidence import may_be_of
from revops.core.reasons import Reason
from revops.core.refills import Move
from revops.core.treasury import Attempt, Ending
from revops.core.units import ChannelId, Instant, Scid

# Word for word as in the index of the reservations that are open.
_OPEN: Final = "state NOT IN ('settled', 'released')"
_ATTEMPT: Final = {
    "rebalance_id": "log.id",
    "at": "log.at",
    "to_channel": "log.to_channel",
    "to_peer": "to_peer",
    "from_channels": "from_channels",
    "amount_msat": "log.amount_msat",
    "chunk_msat": "chunk_msat",
    "limit_msat": "reserved.amount_msat",
    "before_msat": "before_msat",
    "state": "state",
    "moved_msat": "ifnull(sum(filled.amount_msat), 0)",
    "fee_msat": "ifnull(sum(filled.fee_msat), 0)",
    "moved_at": "max(filled.at)",
    "stopping": "iif(settled_at IS NULL, ending, NULL)",
    "ending": "iif(settled_at IS NULL, NULL, ending)",
    "ended_at": "settled_at",
    "sold": "sold",
    "ordered": "ordered",
}
# Column names are the books' own, so that nothing from outside gets into these statements.
_LOG: Final = f"""
    SELECT {", ".join(_ATTEMPT.values())}, scid, journal_id, stopping, stopping_at, why
    FROM rebalance_log AS log JOIN reservations AS reserved ON reserved.rebalance_id = log.id
    LEFT JOIN refills AS filled ON filled.rebalance_id = log.id
"""  # noqa: S608 -- see above
IDS_OPEN: Final = f"SELECT rebalance_id FROM reservations WHERE {_OPEN}"  # noqa: S608 -- see above
"""The numbers of the rebalances whose money is not settled."""
_RESERVATIONS: Final = f"""
    SELECT rebalance_id, amount_msat, state, spent_msat, settled_at FROM reservations
    WHERE {_OPEN}
    UNION ALL
    SELECT rebalance_id, amount_msat, state, spent_msat, settled_at FROM reservations
    WHERE settled_at > ? AND spent_msat > 0
"""  # noqa: S608 -- see above
_WAITING: Final = """
    SELECT created_index, channel_id, at, payment_hash, part, credit_msat, debit_msat, fee_msat
    FROM open_moves WHERE created_index > (SELECT moves_read FROM rebalance_log WHERE id = ?)
"""


@attrs.frozen(kw_only=True)
class Logged:
    """
    A rebalance as the books have it.

    Attributes:
        scid: Of the channel that is filled, as it was when the rebalance began: what the
            rebalancer knows it by.
        journal_id: Its entry in the journal; `None` once that is forgotten.
        stopping, stopping_at: Why it is to be stopped, and since when; `None` as long as it is not.
        why: What was heard of it last, in a sentence.
    """

    attempt: Attempt
    scid: Scid
    journal_id: int | None
    stopping: str | None
    stopping_at: Instant | None
    why: str | None


def read_open(connection: sqlite3.Connection) -> tuple[Logged, ...]:
    """
    Return the rebalances whose money is not settled, the first one first.
    """
    return _read(connection, f"log.id IN ({IDS_OPEN})")


def read_since(connection: sqlite3.Connection, since: Instant) -> tuple[Logged, ...]:
    """
    Return the rebalances from *since* on, and all that are open, the first one first.
    """
    ids = f"SELECT id FROM rebalance_log WHERE at >= ? UNION {IDS_OPEN}"  # noqa: S608 -- constants
    return _read(connection, f"log.id IN ({ids})", since)


def read_recent(connection: sqlite3.Connection, limit: int) -> tuple[Logged, ...]:
    """
    Return the last *limit* rebalances, the latest first.
    """
    ids = "SELECT id FROM rebalance_log ORDER BY id DESC LIMIT ?"
    return _read(connection, f"log.id IN ({ids})", limit)[::-1]


def read_one(connection: sqlite3.Connection, rebalance_id: int) -> Logged | None:
    """
    Return the rebalance of that number; `None` when there is none.
    """
    return next(iter(_read(connection, "log.id = ?", rebalance_id)), None)


def read_of_entry(connection: sqlite3.Connection, entry_id: int) -> Logged | None:
    """
    Return the rebalance that the journal's entry *entry_id* begins; `None` when it begins none.
    """
    return next(iter(_read(connection, "journal_id = ?", entry_id)), None)


def read_last(connection: sqlite3.Connection, channel_id: ChannelId) -> Logged | None:
    """
    Return the last rebalance that was to fill a channel; `None` when there was none.
    """
    where = "log.id = (SELECT max(id) FROM rebalance_log WHERE to_channel = ?)"
    return next(iter(_read(connection, where, channel_id)), None)


def read_why(connection: sqlite3.Connection, logged: Logged) -> tuple[Reason, ...]:
    """
    Return why a rebalance was decided; nothing once the journal has forgotten it.
    """
    row = connection.execute(
        "SELECT trail FROM journal WHERE id = ?", (logged.journal_id,)
    ).fetchone()
    return wire.read_trail(row[0]) if row else ()


def read_spending(connection: sqlite3.Connection, now: Instant) -> Spending:
    """
    Return what rebalancing has cost by *now* and may yet cost.
    """
    rows = connection.execute(_RESERVATIONS, (now - WEEK,))
    return spending(
        (
            Reservation(
                rebalance_id=number,
                amount_msat=amount,
                state=Spend(state),
                spent_msat=spent,
                settled_at=settled_at,
            )
            for number, amount, state, spent, settled_at in rows
        ),
        now,
    )


def is_unpaired(connection: sqlite3.Connection, attempt: Attempt) -> bool:
    """
    Return whether one side was seen of a payment that may be of *attempt*, and not the other.
    """
    names = [field.name for field in attrs.fields(Move)]
    rows = connection.execute(_WAITING, (attempt.rebalance_id,))
    waiting = (Move(**dict(zip(names, row, strict=True))) for row in rows)
    return any(may_be_of(move, attempt) for move in waiting)


def _read(connection: sqlite3.Connection, where: str, *values: int | str) -> tuple[Logged, ...]:
    rows = connection.execute(f"{_LOG} WHERE {where} GROUP BY log.id ORDER BY log.id", values)
    return tuple(map(_logged, rows))


def _logged(row: tuple[Any, ...]) -> Logged:
    attempt = dict(zip(_ATTEMPT, row, strict=False))
    scid, journal_id, stopping, stopping_at, why = row[len(_ATTEMPT) :]
    attempt |= {
        "from_channels": tuple(json.loads(attempt["from_channels"])),
        "state": Spend(attempt["state"]),
        "stopping": attempt["stopping"] and Ending(attempt["stopping"]),
        "ending": attempt["ending"] and Ending(attempt["ending"]),
        "ordered": bool(attempt["ordered"]),
    }
    return Logged(
        attempt=Attempt(**attempt),
        scid=scid,
        journal_id=journal_id,
        stopping=stopping,
        stopping_at=stopping_at,
        why=why,
    )
