"""Schema: numbered migrations, each whole or not at all, and none of a newer revops is touched."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import revops
from revops.adapters.errors import StoreError

MARKS: Final = "schema_migrations"
"""The table in which yoyo marks what it has applied."""
REPAIR: Final = "restore a backup, or name a new file with revenue-ops-db-path to count anew"
"""What to do about a database that is damaged."""


def migrations_dir() -> Path:
    """
    Return where the numbered SQL is: in an installed package, else in a checkout beside it.
    """
    package = Path(revops.__file__).parent
    packaged = package / "migrations"
    return packaged if packaged.is_dir() else package.parent / "migrations"


def bring_up_to_date(path: Path, directory: Path | None = None) -> None:
    """
    Apply to the database at *path* the migrations it lacks.

    Raises:
        StoreError: It is of another program or a newer revops, or damaged, or a migration failed;
            nothing was changed then.
    """
    directory = directory or migrations_dir()
    ours = sorted(file.stem for file in directory.glob("*.sql"))
    if not ours:
        msg = f"{directory}: no migrations are there; install revops anew"
        raise StoreError(msg)
    with closing(sqlite3.connect(path)) as connection:
        theirs = applied(connection)
        if not theirs and _has_foreign_tables(connection):
            msg = f"{path}: another program's database; name a new file with revenue-ops-db-path"
            raise StoreError(msg)
        if newer := sorted(set(theirs) - set(ours)):
            msg = f"{path}: a newer revops has written it ({newer[-1]}); upgrade revops"
            raise StoreError(msg)
        if harm := _damage(connection):
            msg = f"{path}: it is damaged: {harm}; {REPAIR}"
            raise StoreError(msg)
    if theirs != ours:
        _apply(path, directory)


def applied(connection: sqlite3.Connection) -> list[str]:
    """
    Return the migrations that the database has, in order; none for a new one.
    """
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (MARKS,)).fetchone():
        return []
    marks = connection.execute(f"SELECT migration_id FROM {MARKS} ORDER BY 1")  # noqa: S608 -- a constant
    return [migration for (migration,) in marks]


def _damage(connection: sqlite3.Connection) -> str:
    """
    Return what SQLite finds wrong with the database as a whole; empty for nothing.

    Damage to one table may go unnoticed until money is decided on by what stands there.
    """
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return "" if found == "ok" else " ".join(str(found).split())


def _has_foreign_tables(connection: sqlite3.Connection) -> bool:
    # A start that was killed early may have left yoyo's own tables, all of them empty.
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return any(name != MARKS and not name.startswith("_yoyo_") for (name,) in tables)


def _apply(path: Path, directory: Path) -> None:
    # yoyo takes 0.15 s to import, and most starts have nothing to apply.
    from revops.adapters.store.migrate import migrate  # noqa: PLC0415 -- see above

    migrate(path, directory, MARKS)
