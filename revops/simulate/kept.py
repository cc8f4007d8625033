"""Kept: results in a SQLite file, each there for good before the next one is worked out."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from revops.adapters.private import claim
from revops.core.option import ConfigError

Key = Sequence[str | int]
"""What makes a result what it is; the code that made it belongs in there."""

_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT
"""
_OTHERS: Final = "SELECT count(*) FROM sqlite_schema WHERE tbl_name != 'results'"


class Kept:
    """
    Results that need not be worked out again.
    """

    def __init__(self, path: Path | None) -> None:
        """
        Open the file at *path*, which is made if it is not there; without one, nothing outlives us.

        Raises:
            ConfigError: It cannot be opened, or holds something else.
        """
        self._path = str(path)
        try:
            self._database = sqlite3.connect(path or ":memory:", isolation_level=None)
            (others,) = self._database.execute(_OTHERS).fetchone()
            if not others:
                if path:
                    claim(path)
                self._database.execute(_TABLE)
        except (sqlite3.Error, OSError) as error:
            raise ConfigError((f"--store: {self._path!r} holds no results: {error}",)) from error
        if others:
            self._database.close()
            raise ConfigError((f"--store: {self._path!r} holds no results, but other tables",))

    def get(self, key: Key) -> str | None:
        """
        Return what was kept under *key*; `None` for nothing.
        """
        rows = self._database.execute("SELECT value FROM results WHERE key = ?", (_text(key),))
        found: tuple[str] | None = rows.fetchone()
        return found[0] if found else None

    def put(self, key: Key, value: str) -> None:
        """
        Keep *value* under *key*.

        Raises:
            ConfigError: It cannot be written, on a full disk for example.
        """
        try:
            self._database.execute("REPLACE INTO results VALUES (?, ?)", (_text(key), value))
        except sqlite3.Error as error:
            raise ConfigError((f"--store: {self._path!r} keeps nothing more: {error}",)) from error

    def close(self) -> None:
        """
        Let go of the file.
        """
        self._database.close()


def _text(key: Key) -> str:
    return json.dumps(list(key))
