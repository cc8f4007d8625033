"""Costs: which channels there were, what the chain took for them, and what is still to ask."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

from revops.adapters.store.forwards import know_channels
from revops.core.costs import ChainCost, Closing, Kind
from revops.core.ledger import Cost
from revops.core.snapshot import NORMAL, Channel
from revops.core.units import DAY, MINUTE, ChannelId, Instant, Msat

SETTLED_AFTER: Final = 10 * MINUTE
"""When bookkeeper has heard of every output of a transaction; before, it takes some for fees."""
ESTIMATE: Final = "estimate"
"""Stands for a transaction id that is not known."""

_SPLICE: Final = """
    INSERT INTO splice_events
    SELECT channel_id, :at, scid, :scid, capacity_msat, :capacity_msat FROM channels
    WHERE channel_id = :channel_id AND scid <> :scid AND capacity_msat <> :capacity_msat
    ON CONFLICT DO NOTHING
"""
_SEE: Final = """
    INSERT INTO channels (channel_id, scid, peer_id, opener, capacity_msat, opened_at,
    first_seen_at, last_seen_at, changed_at)
    VALUES (:channel_id, :scid, :peer_id, :opener, :capacity_msat, :opened_at, :at, :at,
    ifnull(:opened_at, :at))
    ON CONFLICT DO UPDATE SET
    changed_at = iif(ifnull(excluded.scid, scid) IS NOT scid, excluded.last_seen_at, changed_at),
    scid = ifnull(excluded.scid, scid),
    capacity_msat = excluded.capacity_msat,
    opened_at = ifnull(opened_at, excluded.opened_at),
    last_seen_at = excluded.last_seen_at
"""
_MEET: Final = """
    INSERT INTO channels (channel_id, scid, peer_id, opener, capacity_msat, first_seen_at,
    last_seen_at) VALUES (:channel_id, :scid, :peer_id, :opener, :capacity_msat, :at, :at)
    ON CONFLICT DO NOTHING
"""
_CHANGE: Final = """
    UPDATE channels SET changed_at = :at WHERE channel_id = :channel_id AND NOT EXISTS (
    SELECT 1 FROM closed_channels WHERE channel_id = :channel_id AND resolved >= :resolved)
"""
_CLOSE: Final = """
    INSERT INTO closed_channels (channel_id, closed_at, how, resolved, final_to_us_msat)
    SELECT channel_id, ifnull(:over_at, last_seen_at), :how, :resolved, :final_to_us_msat
    FROM channels WHERE channel_id = :channel_id
    ON CONFLICT DO UPDATE SET
    how = iif(how = 'unknown', excluded.how, how),
    resolved = max(resolved, excluded.resolved),
    final_to_us_msat = ifnull(excluded.final_to_us_msat, final_to_us_msat)
"""
_ESTIMATE: Final = """
    INSERT INTO costs (channel_id, kind, ref, at, msat, estimated)
    SELECT :channel_id, :kind, :ref, :at, :msat, 1 WHERE :kind = 'splice' OR NOT EXISTS (
    SELECT 1 FROM costs WHERE channel_id = :channel_id AND kind = :kind AND NOT estimated)
    ON CONFLICT DO UPDATE SET msat = excluded.msat WHERE estimated
"""
_UNPRICED: Final = f"""
    SELECT channel_id, 'open', '{ESTIMATE}', ifnull(opened_at, first_seen_at) FROM channels
    WHERE opener = 'local' AND scid IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM costs WHERE costs.channel_id = channels.channel_id AND kind = 'open')
    UNION ALL
    SELECT channel_id, 'splice', new_scid, at FROM splice_events JOIN channels USING (channel_id)
    WHERE ifnull(asked_at < at, TRUE) AND NOT EXISTS (
    SELECT 1 FROM costs WHERE costs.channel_id = channels.channel_id AND kind = 'splice'
    AND ref = new_scid)
"""  # noqa: S608 -- a constant
_DUE: Final = f"""
    WITH asked AS (SELECT channel_id, resolved, scid,
    iif(changed_at > :now, 0, changed_at) AS changed, iif(asked_at > :now, 0, asked_at) AS asked
    FROM channels LEFT JOIN closed_channels USING (channel_id))
    SELECT channel_id FROM asked WHERE scid IS NOT NULL AND (
    ifnull(asked, -1) < changed + {SETTLED_AFTER} AND changed + {SETTLED_AFTER} <= :now
    OR asked < changed + {DAY} AND changed + {DAY} <= :now
    OR resolved = 0 AND asked + {DAY} <= :now)
    ORDER BY asked IS NOT NULL, asked, channel_id LIMIT :limit
"""  # noqa: S608 -- constants


class Unpriced(NamedTuple):
    """
    A transaction of a channel for which the books hold no cost.
    """

    channel_id: ChannelId
    kind: Kind
    ref: str
    at: Instant


def see(connection: sqlite3.Connection, channels: Iterable[Channel], at: Instant) -> None:
    """
    Write down *channels* as they are now, and what was spliced since the last look.
    """
    rows = [
        {
            "channel_id": channel.channel_id,
            "scid": channel.scid,
            "peer_id": channel.peer_id,
            "opener": channel.opener,
            "capacity_msat": channel.capacity_msat,
            "opened_at": channel.opened_at,
            "at": at,
        }
        for channel in channels
    ]
    connection.executemany(_SPLICE, rows)
    connection.executemany(_SEE, rows)
    # A channel was called gone while the node could not show it.
    connection.executemany(
        "DELETE FROM closed_channels WHERE channel_id = ?",
        [(channel.channel_id,) for channel in channels if channel.state == NORMAL],
    )


def unlisted(connection: sqlite3.Connection, listed: Iterable[ChannelId]) -> tuple[Closing, ...]:
    """
    Return the channels of which the end is not known and that are not *listed*: they were last
    seen `at`.
    """
    rows = connection.execute(
        "SELECT channel_id, scid, peer_id, opener, capacity_msat, last_seen_at FROM channels"
        " LEFT JOIN closed_channels USING (channel_id) WHERE ifnull(resolved, 0) = 0"
        " AND channel_id NOT IN (SELECT value FROM json_each(?)) ORDER BY channel_id",
        (json.dumps(list(listed)),),
    )
    return tuple(
        Closing(
            channel_id=channel_id,
            scid=scid,
            peer_id=peer_id,
            opener=opener,
            capacity_msat=capacity,
            at=at,
        )
        for channel_id, scid, peer_id, opener, capacity, at in rows
    )


def forget(connection: sqlite3.Connection, channel_ids: Iterable[ChannelId]) -> None:
    """
    Forget channels that never came to be.
    """
    connection.executemany(
        "DELETE FROM channels WHERE channel_id = ? AND scid IS NULL",
        [(channel_id,) for channel_id in channel_ids],
    )


def ends(connection: sqlite3.Connection) -> tuple[set[ChannelId], set[ChannelId]]:
    """
    Return the channels of which it is known how they ended, and those that the node has done with.
    """
    rows = connection.execute("SELECT channel_id, how, resolved FROM closed_channels").fetchall()
    return (
        {channel_id for channel_id, how, _ in rows if how != "unknown"},
        {channel_id for channel_id, _, resolved in rows if resolved},
    )


def archive(
    connection: sqlite3.Connection,
    closings: Iterable[tuple[Closing, Msat | None]],
    at: Instant,
    *,
    resolved: bool,
) -> None:
    """
    Write down channels that are over, each with what its end is expected to cost us; *resolved*
    when the node has done with them.
    """
    for closing, msat in closings:
        row = {
            "channel_id": closing.channel_id,
            "scid": closing.scid,
            "peer_id": closing.peer_id,
            "opener": closing.opener,
            "capacity_msat": closing.capacity_msat,
            "over_at": closing.at,
            "how": closing.how,
            "final_to_us_msat": closing.final_to_us_msat,
            "resolved": int(resolved),
            "at": at,
        }
        for statement in (_MEET, _CHANGE, _CLOSE):
            connection.execute(statement, row)
        if closing.scid is not None:
            know_channels(connection, [(closing.scid, closing.channel_id)], at)
        if msat is not None:
            end = Unpriced(closing.channel_id, "close", ESTIMATE, closing.at or at)
            estimate(connection, [(end, msat)])


def unpriced(connection: sqlite3.Connection) -> tuple[Unpriced, ...]:
    """
    Return openings and splices that cost something which nobody has told yet.
    """
    return tuple(Unpriced(*row) for row in connection.execute(_UNPRICED))


def estimate(connection: sqlite3.Connection, estimates: Iterable[tuple[Unpriced, Msat]]) -> None:
    """
    Write down what transactions are expected to have cost, where nothing better is known.
    """
    connection.executemany(
        _ESTIMATE, [{**item._asdict(), "msat": msat} for item, msat in estimates]
    )


def feerate_at(connection: sqlite3.Connection, at: Instant) -> int | None:
    """
    Return our first sample of the feerate from *at* on, else the last.
    """
    row = connection.execute(
        "SELECT ifnull((SELECT perkw FROM feerates WHERE at >= ? ORDER BY at LIMIT 1),"
        " (SELECT perkw FROM feerates ORDER BY at DESC LIMIT 1))",
        (at,),
    ).fetchone()
    return row[0]  # type: ignore[no-any-return]  # a whole number


def due(connection: sqlite3.Connection, now: Instant, limit: int) -> tuple[ChannelId, ...]:
    """
    Return up to *limit* channels that bookkeeper is to be asked about: soon after the chain
    changed something and a day after, and every day until what it changed is resolved.
    """
    return tuple(row[0] for row in connection.execute(_DUE, {"now": now, "limit": limit}))


def take(
    connection: sqlite3.Connection, channel_id: ChannelId, told: Iterable[ChainCost], at: Instant
) -> None:
    """
    Write down what bookkeeper told, in place of whatever the books held about such transactions.
    """
    rows = [(channel_id, c.kind, c.ref, c.at, c.amount_msat, int(c.estimated)) for c in told]
    connection.executemany(
        "DELETE FROM costs WHERE channel_id = ? AND (kind = ? OR ref = ?)",
        [row[:3] for row in rows],
    )
    connection.executemany("INSERT INTO costs VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute(
        "UPDATE channels SET asked_at = :at, opened_at = ifnull(opened_at, (SELECT min(at)"
        " FROM costs WHERE channel_id = :channel_id AND kind = 'open' AND NOT estimated))"
        " WHERE channel_id = :channel_id",
        {"channel_id": channel_id, "at": at},
    )
    connection.execute(
        "UPDATE closed_channels SET closed_at = ifnull((SELECT min(at) FROM costs"
        " WHERE channel_id = :channel_id AND kind = 'close' AND NOT estimated), closed_at)"
        " WHERE channel_id = :channel_id",
        {"channel_id": channel_id},
    )


def sums(
    connection: sqlite3.Connection, start: Instant, end: Instant
) -> dict[tuple[ChannelId, Kind], Cost]:
    """
    Return what transactions from *start* until before *end* come to, by channel and kind.
    """
    rows = connection.execute(
        "SELECT channel_id, kind, sum(msat), max(estimated) FROM costs"
        " WHERE at >= ? AND at < ? GROUP BY channel_id, kind",
        (start, end),
    )
    return {
        (channel_id, kind): Cost(amount_msat=msat, estimated=bool(estimated))
        for channel_id, kind, msat, estimated in rows
    }
