"""Takeover: a predecessor's database is found, taken over once, and the operator is told."""

import os.path
from pathlib import Path
from typing import Any, Final

from revops.adapters.errors import StoreError
from revops.adapters.store import Store
from revops.adapters.store.predecessor import placed
from revops.core.units import Instant
from revops.shell.commands.imported import lines

DB_NAME: Final = "revenue_ops.db"
_MAINNET: Final = "bitcoin"


def places(directory: Path, db_path: object) -> tuple[Path, Path | None]:
    """
    Return where the books are that `db-path` names, by lightningd's *directory* of this network,
    and a predecessor's database if there is one.

    Its own default was a file in the directory above, whatever the network.
    """
    name = os.path.expanduser(str(db_path or DB_NAME))  # noqa: PTH111 -- Path's own raises for `~nobody`
    above = directory.parent / DB_NAME
    return placed(
        directory / name, above if db_path is None and directory.name == _MAINNET else None
    )


def opened(
    books: Path,
    theirs: Path | None,
    now: Instant,
    log: Any,  # noqa: ANN401 -- structlog's loggers have no better type
) -> Store:
    """
    Return the store at *books*, with what the predecessor's database *theirs* holds taken over.

    Raises:
        StoreError: One of them cannot be read, or the books not be written.
    """
    store = Store.open(books)
    if theirs is None:
        return store
    try:
        report = store.imports.take(theirs, now)
    except StoreError:
        store.close()
        raise
    for line in lines(report, books) if report else ():
        log.info(line)
    return store
