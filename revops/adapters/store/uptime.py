"""Uptime: how long each peer was watched on each day, and how long it was connected."""

import sqlite3
from collections.abc import Mapping

from revops.core.units import PeerId
from revops.core.uptime import Watched


def add(
    connection: sqlite3.Connection, sums: Mapping[tuple[PeerId, int], Watched], oldest: int
) -> None:
    """
    Add *sums* by peer and day, and forget the days before *oldest*.
    """
    connection.executemany(
        "INSERT INTO peer_uptime (peer_id, day, watched_s, connected_s) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET watched_s = watched_s + excluded.watched_s,"
        " connected_s = connected_s + excluded.connected_s",
        [(peer_id, day, *watched) for (peer_id, day), watched in sorted(sums.items())],
    )
    connection.execute("DELETE FROM peer_uptime WHERE day < ?", (oldest,))


def read(connection: sqlite3.Connection, first: int, last: int) -> dict[PeerId, Watched]:
    """
    Return what every peer comes to over the days *first* to *last*.
    """
    rows = connection.execute(
        "SELECT peer_id, sum(watched_s), sum(connected_s) FROM peer_uptime"
        " WHERE day BETWEEN ? AND ? GROUP BY peer_id",
        (first, last),
    )
    return {peer_id: Watched(*sums) for peer_id, *sums in rows}
