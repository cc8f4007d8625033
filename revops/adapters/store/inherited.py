"""Inherited: what was imported, until the node tells better; then that counts, and only that."""

import sqlite3
from typing import Final

import attrs

from revops.core.snapshot import Slice
from revops.core.units import DAY, ChannelId, Instant, Scid

MARK: Final = "predecessor"
"""Stands for the ids that the predecessor did not keep."""

_SUMS: Final = tuple(field.name for field in attrs.fields(Slice))[1:7]
# Column names are those of Slice, so that nothing from outside gets into this statement. When in
# a day the last one went is not known: at its beginning, or later.
_COUNT: Final = f"""
    INSERT INTO forward_totals (scid, {", ".join(_SUMS)}, last_hour, last_in_at, last_out_at)
    SELECT scid, {", ".join(f"sum({name})" for name in _SUMS)}, max(day) * 24,
    max(iif(in_count, day * {DAY}, NULL)), max(iif(out_count, day * {DAY}, NULL))
    FROM imported_days WHERE true GROUP BY scid
    ON CONFLICT DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name in _SUMS)},
    last_in_at = ifnull(last_in_at, excluded.last_in_at),
    last_out_at = ifnull(last_out_at, excluded.last_out_at)
"""  # noqa: S608 -- see above
_TELL: Final = """
    UPDATE imports SET report = json_set(report, '$.forwards', (SELECT json_object(
    'since', min(day) * 86400, 'until', (max(day) + 1) * 86400,
    'count', ifnull(sum(out_count), 0), 'earned_msat', ifnull(sum(earned_msat), 0))
    FROM imported_days))
"""
_IMPORTED: Final = f"payment_hash BETWEEN '{MARK}:' AND '{MARK}:~'"
_IDENTIFY: Final = (
    """
    DELETE FROM costs WHERE channel_id = :stand_in AND kind IN (
    SELECT kind FROM costs WHERE channel_id = :channel_id)
    """,
    "UPDATE costs SET channel_id = :channel_id WHERE channel_id = :stand_in",
    "UPDATE refills SET to_channel = :channel_id WHERE to_channel = :stand_in",
    "DELETE FROM closed_channels WHERE channel_id = :stand_in",
    "DELETE FROM channels WHERE channel_id = :stand_in",
)


def settle_forwards(
    connection: sqlite3.Connection, first: Instant | None, until: Instant | None
) -> None:
    """
    Let imported days give way to what is counted of the node's own list, of which the *first*
    forward was received then; count what is left of them when that list is complete, *until* now.

    Both go by when a forward was received. The days from that of the node's first one on are the
    node's alone; none that it lists was received before.
    """
    row = connection.execute("SELECT until FROM books").fetchone()
    if row and row[0] is not None:
        return
    for at in (first, until):
        if at is not None:
            connection.execute("DELETE FROM imported_days WHERE day >= ?", (at // DAY,))
    if until is not None:
        connection.execute(_COUNT)
        connection.execute(_TELL)


def settle_refills(connection: sqlite3.Connection, first: Instant) -> None:
    """
    Let imported refills give way to the node's own list of what it paid, which has a row of
    *first*.
    """
    connection.execute(f"DELETE FROM refills WHERE {_IMPORTED} AND at >= ?", (first,))  # noqa: S608 -- a constant


def refilled(connection: sqlite3.Connection, start: Instant, end: Instant) -> set[ChannelId]:
    """
    Return the channels with imported refills from *start* until before *end*: what those cost is
    what the predecessor was ready to pay.
    """
    rows = connection.execute(
        f"SELECT DISTINCT to_channel FROM refills WHERE {_IMPORTED} AND at >= ? AND at < ?",  # noqa: S608 -- a constant
        (start, end),
    )
    return {channel_id for (channel_id,) in rows}


def identify(connection: sqlite3.Connection, scid: Scid, channel_id: ChannelId) -> None:
    """
    Give what was imported of *scid* to the channel that the node says it is.

    It may have stood under the short channel id, or under an id that was worked out from what
    funded the channel; what the channel has of the same kind already is better.
    """
    row = connection.execute(
        "SELECT channel_id FROM channel_scids WHERE scid = ?", (scid,)
    ).fetchone()
    for stand_in in {scid, row[0] if row else scid} - {channel_id}:
        for statement in _IDENTIFY:
            connection.execute(statement, {"stand_in": stand_in, "channel_id": channel_id})
