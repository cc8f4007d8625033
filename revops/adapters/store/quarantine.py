"""Quarantine: rows of the node that cannot be, the newest for the operator to look at."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import attrs

from revops.core.tally import Misfit
from revops.core.units import Instant

_MOST: Final = 1000


@attrs.frozen(kw_only=True)
class Quarantined:
    """
    A row that was left out, and why.
    """

    seen_at: Instant
    why: str


def add(connection: sqlite3.Connection, misfits: Sequence[Misfit], at: Instant) -> None:
    """
    Keep the last of *misfits*, seen *at*, in place of the oldest.
    """
    connection.executemany(
        "INSERT INTO quarantine (seen_at, why) VALUES (?, ?)",
        [(at, misfit.why) for misfit in misfits[-_MOST:]],
    )
    connection.execute(
        "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?", (_MOST,)
    )


def read(connection: sqlite3.Connection, limit: int) -> tuple[Quarantined, ...]:
    """
    Return the last *limit*, the latest first.
    """
    rows = connection.execute(
        "SELECT seen_at, why FROM quarantine ORDER BY id DESC LIMIT ?", (limit,)
    )
    return tuple(Quarantined(seen_at=seen_at, why=why) for seen_at, why in rows)
