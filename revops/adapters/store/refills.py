"""Refills: those that are complete, those that wait for their other side, and how far we read."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import attrs

from revops.adapters.store.treasury_log import read_open
from revops.core.evidence import owner
from revops.core.refills import LONGEST, Move, Refill
from revops.core.snapshot import Refills
from revops.core.units import ChannelId, Instant, Msat

MOVES: Final = "channelmoves"
PAYMENTS: Final = "sendpays"
COMPLETE: Final = "refills.until"
"""The cursor that is a time: up to then the refills are complete."""

_FIELDS: Final = tuple(field.name for field in attrs.fields(Move))
_WAITING: Final = """
    SELECT created_index, channel_id, at, payment_hash, part, credit_msat, debit_msat, fee_msat
    FROM open_moves WHERE payment_hash IN (SELECT value FROM json_each(?))
"""
# As a payment it may stand here without a list of moves, and is the same.
_KNOWN: Final = """
    SELECT rebalance_id FROM refills
    WHERE payment_hash = ? AND (part = ? OR part NOT LIKE '%:%') ORDER BY part LIKE '%:%' DESC
"""
_SUMS: Final = """
    SELECT to_channel, count(*), sum(amount_msat), sum(fee_msat) FROM refills
    WHERE at >= ? AND at < ? GROUP BY to_channel
"""


def waiting(connection: sqlite3.Connection, hashes: Collection[str]) -> tuple[Move, ...]:
    """
    Return what waits for the other side of one of these payments.
    """
    rows = connection.execute(_WAITING, (json.dumps(sorted(hashes)),))
    return tuple(Move(**dict(zip(_FIELDS, row, strict=True))) for row in rows)


def take_moves(
    connection: sqlite3.Connection,
    refills: Iterable[Refill],
    left: Iterable[Move],
    hashes: Collection[str],
    places: Mapping[str, int],
) -> None:
    """
    Write down what came of the moves of the payments *hashes*: *refills*, and what is *left* to
    wait, the newest last; and move the cursors to *places* past them.
    """
    gone = json.dumps(sorted(hashes))
    connection.execute(
        "DELETE FROM open_moves WHERE payment_hash IN (SELECT value FROM json_each(?))", (gone,)
    )
    left = tuple(left)
    connection.executemany(
        "INSERT INTO open_moves (created_index, channel_id, at, payment_hash, part, credit_msat,"
        " debit_msat, fee_msat) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        map(attrs.astuple, left),
    )
    newest = left[-1].at if left else 0
    connection.execute("DELETE FROM open_moves WHERE at < ?", (newest - LONGEST,))
    take(connection, refills, places)


def take(
    connection: sqlite3.Connection, refills: Iterable[Refill], places: Mapping[str, int]
) -> None:
    """
    Write down *refills*, and move the cursors to *places* past them.
    """
    owned = tuple(_owned(connection, refills))
    # Before v25.09 the node had no list of moves: the same refill may stand here as a payment.
    connection.executemany(
        "DELETE FROM refills WHERE payment_hash = ? AND part NOT LIKE '%:%'",
        {(refill.payment_hash,) for refill, _ in owned if ":" in refill.part},
    )
    connection.executemany(
        "REPLACE INTO refills (payment_hash, part, at, from_channel, to_channel, amount_msat,"
        " fee_msat, rebalance_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(*attrs.astuple(refill), rebalance_id) for refill, rebalance_id in owned],
    )
    connection.executemany("REPLACE INTO cursors (name, position) VALUES (?, ?)", places.items())


def _owned(
    connection: sqlite3.Connection, refills: Iterable[Refill]
) -> Iterator[tuple[Refill, int | None]]:
    """
    Return *refills* with the numbers of the rebalances that they belong to: that is found out
    when a refill is first heard of, and stays so however often it is read again.
    """
    attempts = {logged.attempt.rebalance_id: logged.attempt for logged in read_open(connection)}
    for refill in refills:
        known = connection.execute(_KNOWN, (refill.payment_hash, refill.part)).fetchone()
        if known:
            yield refill, known[0]
            continue
        attempt = owner(refill, attempts.values())
        if attempt:
            attempts[attempt.rebalance_id] = attrs.evolve(
                attempt, fee_msat=Msat(attempt.fee_msat + refill.fee_msat)
            )
        yield refill, attempt.rebalance_id if attempt else None


def go_back(connection: sqlite3.Connection, last: int) -> None:
    """
    Read on from row *last*, where the node's list ends that went further before; what came after
    it is settled, or lost with the node's own memory of it.
    """
    connection.execute("REPLACE INTO cursors (name, position) VALUES (?, ?)", (MOVES, last))
    connection.execute("DELETE FROM open_moves WHERE created_index > ?", (last,))
    connection.execute("UPDATE rebalance_log SET moves_read = ? WHERE moves_read > ?", (last, last))


def sums(
    connection: sqlite3.Connection, start: Instant, end: Instant
) -> dict[ChannelId | None, Refills]:
    """
    Return what refills from *start* until before *end* come to, by the channel that was filled:
    `None` holds those of which nobody knows which it was.
    """
    return {
        channel_id: Refills(count=count, amount_msat=amount, cost_msat=cost)
        for channel_id, count, amount, cost in connection.execute(_SUMS, (start, end))
    }


def cursors(name: str, last: int | None, until: Instant | None) -> dict[str, int]:
    """
    Return the cursors of a list *name* that was read up to *last*, and is complete up to *until*.
    """
    places = {name: last, COMPLETE: until}
    return {cursor: place for cursor, place in places.items() if place is not None}


def read_cursor(connection: sqlite3.Connection, name: str) -> int | None:
    """
    Return where a cursor stands; `None` when it was never set.
    """
    row = connection.execute("SELECT position FROM cursors WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None
