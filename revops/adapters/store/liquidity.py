"""Liquidity: how often each channel was found short of it, day by day."""

import sqlite3
from collections.abc import Mapping

from revops.core.ledger import Looks
from revops.core.units import ChannelId


def add(
    connection: sqlite3.Connection, looks: Mapping[ChannelId, Looks], day: int, oldest: int
) -> None:
    """
    Add *looks* to those of *day*, and forget the days before *oldest*.
    """
    connection.executemany(
        "INSERT INTO liquidity (channel_id, day, looks, short, live) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET looks = looks + excluded.looks,"
        " short = short + excluded.short, live = live + excluded.live",
        [(own, day, look.count, look.short, look.live) for own, look in sorted(looks.items())],
    )
    connection.execute("DELETE FROM liquidity WHERE day < ?", (oldest,))


def read(connection: sqlite3.Connection, first: int) -> dict[ChannelId, Looks]:
    """
    Return what the looks at each channel from the day *first* on come to.
    """
    rows = connection.execute(
        "SELECT channel_id, sum(looks), sum(short), sum(live) FROM liquidity WHERE day >= ?"
        " GROUP BY channel_id",
        (first,),
    )
    return {own: Looks(count=count, short=short, live=live) for own, count, short, live in rows}
