"""Settings on disk: what options were set to while revops ran, a row each."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

import attrs

from revops.adapters.private import demand
from revops.core.precedence import Setting

_COLUMNS: Final = tuple(field.name for field in attrs.fields(Setting))
_READ: Final = f"SELECT {', '.join(_COLUMNS)} FROM config ORDER BY option"  # noqa: S608 -- the names of fields
_SAVE: Final = f"REPLACE INTO config ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 -- see _READ
_PATIENCE_S: Final = 1.0


def save(
    connection: sqlite3.Connection, settings: Iterable[Setting], before: Iterable[Setting]
) -> None:
    """
    Write down *settings*, and delete what is only in *before*.
    """
    settings, before = set(settings), set(before)
    gone = {setting.option for setting in before} - {setting.option for setting in settings}
    connection.executemany("DELETE FROM config WHERE option = ?", [(name,) for name in gone])
    connection.executemany(_SAVE, [attrs.astuple(setting) for setting in settings - before])


def peek(path: Path) -> tuple[Setting, ...]:
    """
    Return every setting in the books at *path*, which nobody has opened yet; none, when they are
    not there or cannot be read: opening them will tell.
    """
    try:
        if not path.is_file():
            return ()
        # Beside books that may not be written SQLite would leave files that nobody may write.
        demand(path)
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S)) as books:
            rows = books.execute(_READ).fetchall()
    except (sqlite3.Error, OSError, UnicodeDecodeError):
        return ()
    return tuple(Setting(**dict(zip(_COLUMNS, row, strict=True))) for row in rows)
