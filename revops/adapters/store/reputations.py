"""Reputations: what became of each peer's HTLCs, digested hour after hour."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import attrs

from revops.core.snapshot import Slice
from revops.core.treasury import Reputation
from revops.core.units import PeerId

# A cross join keeps its order: one look per channel, where a plain one may read all of the books.
_HOURS: Final = """
    SELECT peer_id, start, sum(stats.out_count), sum(failed_count)
    FROM channels JOIN channel_scids USING (channel_id)
    JOIN forward_totals USING (scid) CROSS JOIN forward_stats AS stats ON stats.scid =
    forward_totals.scid AND span = 'hour' AND start > :after AND start <= :last
    WHERE last_hour > :after
    GROUP BY peer_id, start
"""


def read(connection: sqlite3.Connection) -> dict[PeerId, Reputation]:
    """
    Return what is known of every peer.
    """
    rows = connection.execute("SELECT peer_id, successes, failures, hour FROM peer_reputation")
    return {
        peer_id: Reputation(peer_id=peer_id, successes=successes, failures=failures, hour=hour)
        for peer_id, successes, failures, hour in rows
    }


def save(connection: sqlite3.Connection, reputations: Iterable[Reputation]) -> None:
    """
    Write down *reputations*.
    """
    connection.executemany(
        "REPLACE INTO peer_reputation (peer_id, successes, failures, hour)"
        " VALUES (:peer_id, :successes, :failures, :hour)",
        [attrs.asdict(reputation) for reputation in reputations],
    )


def read_hours(connection: sqlite3.Connection, after: int, last: int) -> dict[PeerId, list[Slice]]:
    """
    Return what became of the HTLCs sent to each peer, in every hour later than *after* until
    *last*.
    """
    hours: dict[PeerId, list[Slice]] = defaultdict(list)
    rows = connection.execute(_HOURS, {"after": after, "last": last})
    for peer_id, start, out_count, failed_count in rows:
        hours[peer_id].append(Slice(start=start, out_count=out_count, failed_count=failed_count))
    return dict(hours)
