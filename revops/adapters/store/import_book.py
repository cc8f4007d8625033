"""The import book: the part of the books that says what came from a predecessor."""

from pathlib import Path
from typing import Any

from revops.adapters.store import imports
from revops.adapters.store.cost_book import Transaction
from revops.core.units import Instant


class ImportBook:
    """
    What was taken over. Every method is one transaction.
    """

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read = read
        self._write = write

    def take(self, path: Path, now: Instant) -> dict[str, Any] | None:
        """
        Take over what the predecessor's database at *path* holds and return the report; `None`
        when something was taken over before.

        Raises:
            StoreError: It cannot be read.
        """
        return self._write(imports.take, path, now)

    def report(self) -> dict[str, Any] | None:
        """
        Return the report of what was taken over; `None` if nothing was.
        """
        return self._read(imports.read)
