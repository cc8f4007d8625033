"""Store: one SQLite file, one thread that writes it, and readers that cannot."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from revops.adapters.errors import StoreError, WireError
from revops.adapters.private import claim, demand
from revops.adapters.store import (
    feerates,
    forwards,
    journal,
    memory,
    originals,
    pins,
    policies,
    schema,
    settings,
    uptime,
)
from revops.adapters.store.clboss_book import ClbossBook
from revops.adapters.store.cost_book import CostBook
from revops.adapters.store.import_book import ImportBook
from revops.adapters.store.report_book import ReportBook
from revops.adapters.store.shadow_book import ShadowBook
from revops.adapters.store.treasury_book import TreasuryBook
from revops.adapters.store.upkeep import Upkeep
from revops.core.memory import ChannelMemory, Memory
from revops.core.outcomes import Outcome
from revops.core.plan import Area, Plan
from revops.core.policy import PolicyBook
from revops.core.precedence import Setting
from revops.core.reasons import Reason
from revops.core.snapshot import Channel, FeePin, FeerateSample, Traffic
from revops.core.tally import Tally
from revops.core.units import ChannelId, Instant, PeerId
from revops.core.uptime import Watched

P = ParamSpec("P")
T = TypeVar("T")

_OLDEST_SQLITE: Final = (3, 37, 0)  # the first with STRICT tables
_PATIENCE_S: Final = 5.0
# What to do about an error of SQLite's or the system's, by a piece of its message.
_ADVICE: Final = (
    ("closed", "revops is stopping"),
    ("is locked", "another program holds it: stop that one"),
    ("not a database", "name another file with revenue-ops-db-path"),
    ("malformed", schema.REPAIR),
    ("decode", schema.REPAIR),
    ("unsupported file format", schema.REPAIR),
    ("full", "make room on the disk"),
    ("I/O error", "look after the disk"),
    ("No such file", "make its directory, or name another with revenue-ops-db-path"),
    ("", "let the user that runs lightningd write the file and its directory"),
)


class Store:
    """
    The books: every write is one transaction, made by the one thread that may write; it is on the
    disk when the method returns.

    `Store.open` makes one.

    Raises:
        StoreError: From every method, when the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="revops-store")
        self._writing = self._writer.submit(_open_writing, path).result()
        self._own = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._traffic = forwards.TrafficReader()
        self.clboss = ClbossBook(self._read, self._write)
        self.costs = CostBook(self._read, self._write)
        self.reports = ReportBook(self._read, self._write)
        self.imports = ImportBook(self._read, self._write)
        self.treasury = TreasuryBook(self._read, self._write)
        self.shadow = ShadowBook(self._read, self._write)
        self.upkeep = Upkeep(path, self._read, self._write)
        self._schema = int(self._read(schema.applied)[-1].split(".")[0])

    @classmethod
    def open(cls, path: Path) -> "Store":
        """
        Return the books at *path*, made or brought up to date.

        Raises:
            StoreError: They cannot be; nothing was changed.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            msg = f"SQLite {sqlite3.sqlite_version} is too old: Python needs 3.37 or later"
            raise StoreError(msg)
        with _plainly(path):
            if not path.exists():
                claim(path)
            demand(path)
            schema.bring_up_to_date(path)
            # SQLite gives new files beside it the mode of this one; others a crash has left there.
            for file in _files(path):
                claim(file)
            return cls(path)

    def close(self) -> None:
        """
        Close the books; a write that has begun is finished first.
        """
        # Readers first: only a writer that is the last to go leaves no WAL behind.
        for connection in self._readers:
            connection.close()
        self._writer.submit(self._writing.close)
        self._writer.shutdown()

    # Forwards ------------------------------------------------------------------------------

    def take_forwards(
        self,
        sums: Tally,
        cursors: Mapping[str, int],
        until: Instant | None,
        at: Instant = Instant(0),  # noqa: B008 -- an integer
        oldest_hour: int = 0,
    ) -> None:
        """
        Add *sums* to the books, which are complete up to *until* now; `None` when they are not.

        *sums* and *cursors* are written together: whoever reads on from the cursors counts every
        forward once, whatever happens in between. It is *at* now, and *oldest_hour* is the first
        that is kept as such.
        """
        self._write(forwards.take, sums, cursors, until, at, oldest_hour)
        self._traffic.forget(sums)

    def cursors(self) -> dict[str, int]:
        """
        Return where to go on reading each of lightningd's lists.
        """
        return self._read(forwards.read_cursors)

    def books(self) -> forwards.Books:
        """
        Return how far the forwards are counted.
        """
        return self._read(forwards.read_books)

    def know_channels(self, channels: Iterable[Channel], at: Instant) -> None:
        """
        Write down which channel each short channel id belongs to, and what a channel charges that
        is seen for the first time.
        """
        channels = tuple(channels)
        if unknown := self._read(forwards.unknown_channels, channels):
            self._write(forwards.know_channels, unknown, at)
        if unmet := self._read(originals.unmet, channels):
            self._write(originals.keep, unmet, at)

    def traffic(self, now: Instant, window_days: int, memory: Memory) -> dict[ChannelId, Traffic]:
        """
        Return what the books say about each known channel: the hours that *memory* has not
        digested and the days of the window. Nothing, until the books were complete once.
        """
        return self._read(self._traffic.read, now, window_days, memory)

    # Feerates, policies, settings ----------------------------------------------------------

    def add_feerate(self, sample: FeerateSample) -> None:
        """
        Keep *sample*.
        """
        self._write(feerates.add, sample)

    def feerates(self, since: Instant) -> tuple[FeerateSample, ...]:
        """
        Return the samples from *since* on, the latest last.
        """
        return self._read(feerates.read, since)

    def policies(self, changes_after: Instant | None = None) -> PolicyBook:
        """
        Return the policies, with their changes after *changes_after*: those are many in the end.
        """
        return self._read(policies.read, changes_after)

    def save_policies(self, book: PolicyBook, before: PolicyBook) -> None:
        """
        Save *book*, which was made from *before*.
        """
        self._write(policies.save, book, before)

    def save_settings(self, new: Iterable[Setting], before: Iterable[Setting]) -> None:
        """
        Save the settings *new*, which replace *before*.
        """
        self._write(settings.save, new, before)

    # Peers ---------------------------------------------------------------------------------

    def add_uptime(self, sums: Mapping[tuple[PeerId, int], Watched], oldest: int) -> None:
        """
        Add *sums* by peer and day since the epoch, and forget the days before *oldest*.
        """
        self._write(uptime.add, sums, oldest)

    def uptime(self, first: int, last: int) -> dict[PeerId, Watched]:
        """
        Return how long each peer was watched in the days *first* to *last*.
        """
        return self._read(uptime.read, first, last)

    # Decisions -----------------------------------------------------------------------------

    def load_memory(self) -> Memory:
        """
        Return what the last cycle left.
        """
        return self._read(memory.read)

    def write_down(
        self, plan: Plan, changed: Sequence[ChannelMemory]
    ) -> tuple[journal.JournalEntry, ...]:
        """
        Write down all of *plan* before any of it is done; *changed* are the channels of its
        memory that the last cycle left otherwise. Return what is to be done now.
        """
        return self._write(journal.write_down, plan, changed)

    def write_orders(
        self, orders: Sequence[journal.Order], at: Instant
    ) -> tuple[journal.JournalEntry, ...]:
        """
        Write down what the operator orders, before any of it is done; return what is to be done.
        """
        return self._write(journal.write_orders, orders, at)

    def save_pins(self, prices: Iterable[FeePin]) -> None:
        """
        Write down orders that need nothing done: *prices* are in force.
        """
        self._write(pins.save, prices)

    def pins(self, now: Instant) -> tuple[FeePin, ...]:
        """
        Return the last order about each channel, as of *now*; one from a clock that was ahead
        begins now.
        """
        found = self._read(pins.read)
        if any(pin.set_at > now for pin in found):
            self._write(pins.recall, now)
            found = self._read(pins.read)
        return found

    def original_fees(self) -> dict[ChannelId, originals.Original]:
        """
        Return what each channel charged when revops first saw it.
        """
        return self._read(originals.read)

    def settle(self, outcomes: Sequence[tuple[int, Outcome]], at: Instant) -> None:
        """
        Write down what became of actions, by the number of their journal entry.
        """
        self._write(journal.settle, outcomes, at)

    def last_decisions(self, subject: str, area: Area = "fee") -> tuple[journal.Explained, ...]:
        """
        Return the last decisions about a channel (by either id) or a peer's channels.
        """
        return self._read(journal.read_decisions, subject, area)

    def last_cycle(self, area: Area = "fee") -> tuple[Instant, tuple[Reason, ...]] | None:
        """
        Return when the last cycle was, and what concerned all channels in it.
        """
        return self._read(journal.read_cycle, area)

    def fee_changes(self, limit: int) -> tuple[journal.FeeChange, ...]:
        """
        Return the last *limit* fee changes that the node confirmed, the latest first.
        """
        return self._read(journal.read_fee_changes, limit)

    # The file ------------------------------------------------------------------------------

    def schema_version(self) -> int:
        """
        Return the number of the last migration.
        """
        return self._schema

    def size_bytes(self) -> int:
        """
        Return what the books take on the disk.
        """
        return sum(file.stat().st_size for file in _files(self.path))

    # Connections ---------------------------------------------------------------------------

    def _write(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        def transaction() -> T:
            with _transaction(self._writing, "BEGIN IMMEDIATE"):
                return work(self._writing, *args, **kwargs)

        with _plainly(self.path):
            try:
                future = self._writer.submit(transaction)
            except RuntimeError:
                msg = "the books are closed"
                raise sqlite3.ProgrammingError(msg) from None
            return future.result()

    def _read(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        with _plainly(self.path):
            if not hasattr(self._own, "connection"):
                self._own.connection = self._open_reading()
            try:
                with _transaction(self._own.connection, "BEGIN"):
                    return work(self._own.connection, *args, **kwargs)
            except (WireError, ValueError) as error:
                problem = "; ".join(str(error).splitlines())
                msg = f"{self.path}: a row was changed and cannot be read: {problem}"
                raise StoreError(msg) from error

    def _open_reading(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=_PATIENCE_S,
            isolation_level=None,
            check_same_thread=False,  # close() may be called by another thread
        )
        self._readers.append(connection)
        return connection


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    """
    Turn what SQLite or the system says into one sentence with advice.
    """
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        advice = next(words for piece, words in _ADVICE if piece in text)
        msg = f"{path}: {text}; {advice}"
        raise StoreError(msg) from error


def _files(path: Path) -> Iterator[Path]:
    """
    Return the files of the books at *path* that are there.
    """
    files = (Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm"))
    return (file for file in files if file.exists())


def _open_writing(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        msg = f"{path}: this file system allows no WAL; name a file on a local disk"
        raise StoreError(msg)
    # NORMAL would survive a kill, but a power cut could take back what was already acted on.
    # FULL costs one fsync (about 1 ms) per transaction, a handful in a cycle.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back already when the disk failed it.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
