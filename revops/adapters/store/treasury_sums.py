"""Sums for the treasury: what the last hours earned, what refills cost, and what was sold again."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Final

from revops.adapters.store import refills
from revops.adapters.store.forwards import read_books
from revops.core.units import DAY, HOUR, ChannelId, Instant, Msat

_REFILLS_FRESH: Final = DAY
_FORWARDS_FRESH: Final = HOUR
"""Books that are complete up to longer ago do not tell what happened lately."""

# A cross join keeps its order: one look per channel, where a plain one may read all of the books.
_EARNED: Final = """
    SELECT ifnull(sum(part.earned_msat), 0)
    FROM forward_totals CROSS JOIN forward_stats AS part USING (scid)
    WHERE last_hour >= :oldest AND span = :span AND start >= :first AND start < :end
"""
_LEFT: Final = """
    SELECT ifnull(sum(out_msat), 0) FROM forward_stats
    WHERE scid IN (SELECT value FROM json_each(:scids))
    AND span = :span AND start >= :first AND start < :end
"""
_UNSOLD: Final = """
    SELECT log.id, log.to_channel, settled_at, before_msat, sum(filled.amount_msat)
    FROM reservations JOIN rebalance_log AS log ON log.id = reservations.rebalance_id
    JOIN refills AS filled ON filled.rebalance_id = log.id
    WHERE settled_at > ? AND settled_at <= ? AND sold IS NULL GROUP BY log.id
"""
_MATURE_WITHIN: Final = 90 * DAY
"""What ended longer ago is past learning from."""


def earned(connection: sqlite3.Connection, now: Instant, seconds: int) -> Msat | None:
    """
    Return the fees earned in the last *seconds*, in whole hours; `None` while forwards are not
    counted through.
    """
    until = read_books(connection).until
    if until is None or until < now - _FORWARDS_FRESH:
        return None
    first = -((seconds - now) // HOUR)
    return Msat(_sum(connection, _EARNED, first, now // HOUR + 1, oldest=first))


def refill_cost(connection: sqlite3.Connection, now: Instant, seconds: int) -> Msat | None:
    """
    Return what all circular payments of the last *seconds* cost, whoever made them; `None` when
    the node did not tell.
    """
    until = refills.read_cursor(connection, refills.COMPLETE)
    if until is None or until < now - _REFILLS_FRESH:
        return None
    row = connection.execute(
        "SELECT ifnull(sum(fee_msat), 0) FROM refills WHERE at >= ?", (now - seconds,)
    ).fetchone()
    return Msat(row[0])


def income(connection: sqlite3.Connection, now: Instant, seconds: int) -> Msat | None:
    """
    Return the fees earned in the last *seconds*, less what refills cost.
    """
    fees, cost = earned(connection, now, seconds), refill_cost(connection, now, seconds)
    return None if fees is None or cost is None else Msat(fees - cost)


def unsold(connection: sqlite3.Connection, now: Instant, horizon_s: int) -> list[tuple[int, float]]:
    """
    Return by the number of the rebalance which share of what arrived left within *horizon_s* after
    it ended, where that time is over and counted through, and nobody wrote it down yet.
    """
    until = min(now, read_books(connection).until or 0)
    found = []
    for number, channel_id, ended_at, before, moved in connection.execute(
        _UNSOLD, (now - _MATURE_WITHIN, until - horizon_s - HOUR)
    ).fetchall():
        left = _left(connection, channel_id, ended_at, horizon_s)
        if left is not None:
            found.append((number, min(max((left - before) / moved, 0.0), 1.0)))
    return found


def _left(
    connection: sqlite3.Connection, channel_id: ChannelId, since: Instant, seconds: int
) -> int | None:
    rows = connection.execute("SELECT scid FROM channel_scids WHERE channel_id = ?", (channel_id,))
    scids = [scid for (scid,) in rows]
    if not scids:
        return None
    first = since // HOUR + 1
    return _sum(connection, _LEFT, first, first + seconds // HOUR, scids=json.dumps(scids))


def _sum(
    connection: sqlite3.Connection, statement: str, first: int, end: int, **values: object
) -> int:
    return sum(
        connection.execute(
            statement, {"span": span, "first": start, "end": stop, **values}
        ).fetchone()[0]
        for span, start, stop in _parts(first, end)
    )


def _parts(first: int, end: int) -> Iterator[tuple[str, int, int]]:
    """
    Return the hours *first* until before *end*, whole days as such: there are fewer of them, and
    they are kept for ever.
    """
    day, last = -(-first // 24), end // 24
    if day >= last:
        yield "hour", first, end
        return
    yield "hour", first, day * 24
    yield "day", day, last
    yield "hour", last * 24, end
