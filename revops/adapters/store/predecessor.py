"""Predecessor: the database of an earlier cl-revenue-ops, read as it is and never written."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from revops.adapters.errors import StoreError
from revops.adapters.store.predecessor_rows import MOMENT, TABLE_OF
from revops.adapters.store.schema import MARKS
from revops.core import checks
from revops.core.units import DAY, Instant

T = TypeVar("T", bound=attrs.AttrsInstance)

BESIDE: Final = "revops.db"
"""What our books are called where the predecessor's database has their name."""
NAMED: Final = 1000
"""How many refusals in each table are told one by one."""
_TABLES: Final = {"channel_states", "fee_changes", "rebalance_history", "clboss_unmanaged"}
"""What every version of it has."""
_PATIENCE_S: Final = 1.0
_SHOWN: Final = 80
_EARLIEST: Final = 1_231_006_505
"""When bitcoin's first block was made."""


# Where it is -----------------------------------------------------------------------------------


def placed(path: Path, elsewhere: Path | None) -> tuple[Path, Path | None]:
    """
    Return where our books are that *path* names, and the predecessor's database if there is one:
    it may have that very name, or be *elsewhere*.
    """
    # A name that no file can have is refused by whoever opens it.
    with suppress(ValueError, OSError):
        beside = path.with_name(BESIDE)
        if beside != path and _tables(path) >= _TABLES:
            return beside, path
        if not path.exists() and MARKS in _tables(beside):
            return beside, None
        if elsewhere is not None and _tables(elsewhere) >= _TABLES:
            return path, elsewhere
    return path, None


def _tables(path: Path) -> set[str]:
    """
    Return the tables of a database; none of what is no database: opening it will tell.
    """
    if not path.is_file():
        return set()
    try:
        with closing(_connect(path)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            return {name for (name,) in rows}
    except sqlite3.Error:
        return set()


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    # Only who reads a pending WAL needs SQLite's locks, which are files of their own.
    wal = Path(f"{path}-wal")
    if not wal.exists() or not wal.stat().st_size:
        uri += "&immutable=1"
    return sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S, isolation_level=None)


# What it holds ---------------------------------------------------------------------------------


@attrs.define
class Report:
    """
    What was taken, and what was refused and why, by the predecessor's tables.

    Attributes:
        taken: How many rows.
        refused: A sentence for each row or value, the first `NAMED` of each table.
        unnamed: How many there were beyond.
        settings: What options were set to; they are the operator's to set again.
    """

    taken: dict[str, int] = attrs.field(factory=dict)
    refused: dict[str, list[str]] = attrs.field(factory=dict)
    unnamed: dict[str, int] = attrs.field(factory=dict)
    settings: dict[str, str] = attrs.field(factory=dict)

    def take(self, row: attrs.AttrsInstance) -> None:
        """
        Count *row* as taken.
        """
        table = TABLE_OF[type(row)]
        self.taken[table] = self.taken.get(table, 0) + 1

    def refuse(self, row: attrs.AttrsInstance, why: str) -> None:
        """
        Name *row*, or a value in it, as refused.
        """
        first = attrs.fields(type(row))[0].name
        self.refuse_in(TABLE_OF[type(row)], getattr(row, first), why)

    def refuse_in(self, table: str, what: object, why: str) -> None:
        """
        Name something of *table* as refused.
        """
        named = self.refused.setdefault(table, [])
        if len(named) < NAMED:
            named.append(f"{str(what)[:_SHOWN]}: {why}")
        else:
            self.unnamed[table] = self.unnamed.get(table, 0) + 1


class Predecessor:
    """
    Its database, open for reading.

    Attributes:
        report: Names what cannot be read; who reads adds what becomes of the rest.
    """

    def __init__(self, connection: sqlite3.Connection, now: Instant) -> None:
        self.report = Report()
        self._connection = connection
        # Its clock may have been ahead of ours, but not by days.
        self._latest = now + DAY

    def rows(self, kind: type[T]) -> Iterator[T]:
        """
        Return the rows of one kind, one by one; none if its version had no such table.
        """
        table, fields = TABLE_OF[kind], attrs.fields_dict(kind)
        try:
            there = {
                name for _, name, *_ in self._connection.execute(f"PRAGMA table_info({table})")
            }
            missing = [f.name for f in fields.values() if _needed(f) and f.name not in there]
            if missing:
                if there:
                    self.report.refuse_in(table, "all", f"there is no column {missing[0]}")
                return
            names = [name for name in fields if name in there]
            moments = [fields[name] for name in names if MOMENT in fields[name].metadata]
            for row in self._connection.execute(f"SELECT {', '.join(names)} FROM {table}"):  # noqa: S608 -- our own names
                values = dict(zip(names, row, strict=True))
                try:
                    for moment in moments:
                        self._check(moment, values, table, row[0])
                    yield kind(**values)
                except checks.FieldError as error:
                    self.report.refuse_in(table, row[0], str(error))
        except sqlite3.Error as error:
            self.report.refuse_in(table, "the rest", str(error))

    def _check(
        self, field: "attrs.Attribute[Any]", values: dict[str, Any], table: str, what: object
    ) -> None:
        """
        Refuse a moment that cannot be, or leave it out where the row is good without.
        """
        value = values[field.name]
        if (type(value) is int and _EARLIEST <= value <= self._latest) or value is None:
            return
        problem = f"expected a time between bitcoin's first block and now, got {value!r}"
        error = checks.FieldError(field.name, problem)
        if _needed(field):
            raise error
        self.report.refuse_in(table, what, str(error))
        values[field.name] = None


def _needed(field: "attrs.Attribute[Any]") -> bool:
    return field.default is attrs.NOTHING


@contextmanager
def opened(path: Path, now: Instant) -> Iterator[Predecessor]:
    """
    Open the predecessor's database at *path*, as of one moment.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        connection = _connect(path)
        # What is no UTF-8 is no id or number either, and is named when it is looked at.
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        msg = f"{path}: {error}; name a new file with revenue-ops-db-path to begin without it"
        raise StoreError(msg) from error
    with closing(connection):
        yield Predecessor(connection, now)
