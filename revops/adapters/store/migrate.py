"""Migrate: yoyo applies the numbered SQL; a crash leaves neither a lock nor half a migration."""

import glob
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from yoyo import read_migrations
from yoyo.backends.core.sqlite3 import SQLiteBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration


class _Backend(SQLiteBackend):  # type: ignore[misc]  # yoyo ships no types
    """
    yoyo's backend for one local file.
    """

    def connect(self, dburi: DatabaseURI) -> sqlite3.Connection:
        """
        Open the file as it is named; yoyo's own way breaks names with `?`, `#` or `%`.
        """
        return sqlite3.connect(dburi.database, isolation_level=None)

    @contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:  # noqa: ARG002 -- yoyo's signature
        """
        Take no lock: SQLite has its own, and yoyo's row in a table would outlive a crash.
        """
        yield

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 -- see lock
        """
        Apply *migration* and mark it in one transaction; yoyo takes two and could crash between.
        """
        with self.transaction():
            migration.process_steps(self, "apply")
            # yoyo's log is left empty: it would hold the names of user and host.
            self.mark_one(migration, log=False)


def migrate(path: Path, directory: Path, marks: str) -> None:
    """
    Apply to the database at *path* what it lacks of the migrations in *directory*, and mark them
    in the table *marks*.
    """
    uri = DatabaseURI("sqlite", "", "", "", None, str(path), {})
    migrations: Any = read_migrations(glob.escape(str(directory)))
    with _Backend(uri, marks) as backend:
        backend.apply_migrations(backend.to_apply(migrations))
