"""Feerates: our own samples, since lightningd smooths its own."""

import sqlite3

from revops.core.snapshot import FeerateSample
from revops.core.units import Instant


def add(connection: sqlite3.Connection, sample: FeerateSample) -> None:
    """
    Keep *sample*, in place of any other of the same second.
    """
    connection.execute("REPLACE INTO feerates (at, perkw) VALUES (?, ?)", (sample.at, sample.perkw))


def read(connection: sqlite3.Connection, since: Instant) -> tuple[FeerateSample, ...]:
    """
    Return the samples from *since* on, the latest last.
    """
    rows = connection.execute("SELECT at, perkw FROM feerates WHERE at >= ? ORDER BY at", (since,))
    return tuple(FeerateSample(at=at, perkw=perkw) for at, perkw in rows)
