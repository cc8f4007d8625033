"""Upkeep: whose books these are, what they left out, and what they forget."""

import sqlite3
from pathlib import Path

from revops.adapters.errors import StoreError
from revops.adapters.store import quarantine, retention
from revops.adapters.store.cost_book import Transaction
from revops.core.units import Instant, PeerId


class Upkeep:
    """
    What keeps the books right and small.
    """

    def __init__(self, path: Path, read: Transaction, write: Transaction) -> None:
        self._path = path
        self._read = read
        self._write = write

    def belong_to(self, node_id: PeerId) -> None:
        """
        Take the books for those of node *node_id*, as they are from the first time on.

        Raises:
            StoreError: They are another node's.
        """
        owner = self._read(_owner) or self._write(_own, node_id)
        if owner != node_id:
            msg = (
                f"{self._path}: these are the books of node {owner}, and this is node {node_id};"
                " name another file with revenue-ops-db-path"
            )
            raise StoreError(msg)

    def forget(self, before: Instant) -> bool:
        """
        Delete a piece of what is older than *before*, a transaction for each table; return whether
        there may be more.
        """
        more = [self._write(retention.forget, table, before) for table in range(retention.TABLES)]
        return any(more)

    def quarantined(self, limit: int) -> tuple[quarantine.Quarantined, ...]:
        """
        Return the last *limit* rows of the node that could not be, the latest first.
        """
        return self._read(quarantine.read, limit)


def _owner(connection: sqlite3.Connection) -> PeerId | None:
    row = connection.execute("SELECT node_id FROM node").fetchone()
    return row[0] if row else None


def _own(connection: sqlite3.Connection, node_id: PeerId) -> PeerId:
    connection.execute("INSERT INTO node (id, node_id) VALUES (1, ?)", (node_id,))
    return node_id
