"""The cost book: the part of the books that says what channels cost, as its keeper uses it."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from revops.adapters.store import costs, inherited, refills
from revops.core.costs import ChainCost, Closing, Kind
from revops.core.ledger import Cost
from revops.core.refills import Move, Refill, paired
from revops.core.snapshot import Channel, Refills
from revops.core.units import DAY, ChannelId, Instant, Msat

P = ParamSpec("P")
T = TypeVar("T")

_REFILLS_DAYS: Final = 30
_FRESH: Final = DAY
"""Refills that are complete up to longer ago are unknown."""


class Transaction(Protocol):
    """
    Whatever calls *work* with a connection, in one transaction.
    """

    def __call__(
        self,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """
        Return what *work* returns.
        """


class CostBook:
    """
    Channels, their costs and their refills. Every method that writes is one transaction.
    """

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read = read
        self._write = write

    # Channels ------------------------------------------------------------------------------

    def see(self, channels: Iterable[Channel], at: Instant) -> None:
        """
        Write down *channels* as they are now, and what was spliced since the last look.
        """
        self._write(costs.see, tuple(channels), at)

    def unlisted(self, listed: Iterable[ChannelId]) -> tuple[Closing, ...]:
        """
        Return the channels of which the end is not known and that are not *listed*: they were
        last seen `at`.
        """
        return self._read(costs.unlisted, listed)

    def ends(self) -> tuple[set[ChannelId], set[ChannelId]]:
        """
        Return the channels of which it is known how they ended, and those that the node has done
        with.
        """
        return self._read(costs.ends)

    def archive(
        self, closings: Iterable[tuple[Closing, Msat | None]], at: Instant, *, resolved: bool
    ) -> None:
        """
        Write down channels that are over, each with what its end is expected to cost us;
        *resolved* when the node has done with them.
        """
        self._write(costs.archive, tuple(closings), at, resolved=resolved)

    def forget(self, channel_ids: Iterable[ChannelId]) -> None:
        """
        Forget channels that never came to be.
        """
        self._write(costs.forget, channel_ids)

    # Costs ---------------------------------------------------------------------------------

    def unpriced(self) -> tuple[costs.Unpriced, ...]:
        """
        Return openings and splices that cost something which nobody has told yet.
        """
        return self._read(costs.unpriced)

    def feerate_at(self, at: Instant) -> int | None:
        """
        Return our first sample of the feerate from *at* on, else the last.
        """
        return self._read(costs.feerate_at, at)

    def estimate(self, estimates: Iterable[tuple[costs.Unpriced, Msat]]) -> None:
        """
        Write down what transactions are expected to have cost, where nothing better is known.
        """
        self._write(costs.estimate, estimates)

    def due(self, now: Instant, limit: int) -> tuple[ChannelId, ...]:
        """
        Return up to *limit* channels that bookkeeper is to be asked about now.
        """
        return self._read(costs.due, now, limit)

    def take(self, channel_id: ChannelId, told: Iterable[ChainCost], at: Instant) -> None:
        """
        Write down what bookkeeper told, in place of whatever the books held about such
        transactions.
        """
        self._write(costs.take, channel_id, tuple(told), at)

    def sums(self, start: Instant, end: Instant) -> dict[tuple[ChannelId, Kind], Cost]:
        """
        Return what transactions from *start* until before *end* come to, by channel and kind.
        """
        return self._read(costs.sums, start, end)

    # Refills -------------------------------------------------------------------------------

    def moves_read(self) -> int:
        """
        Return up to which row the node's list of moves was read.
        """
        return self._read(refills.read_cursor, refills.MOVES) or 0

    def payments_read(self) -> int:
        """
        Return up to which change the node's list of payments was read.
        """
        return self._read(refills.read_cursor, refills.PAYMENTS) or 0

    def take_moves(self, moves: Iterable[Move], last: int | None, until: Instant | None) -> None:
        """
        Pair *moves* with each other and with those that wait: the list was read up to row *last*
        with them, and is complete up to *until* now; `None` when it is not.

        Whoever reads on from there counts every refill once, whatever happens in between.
        """
        self._write(_take_moves, tuple(moves), refills.cursors(refills.MOVES, last, until))

    def take_payments(
        self, found: Iterable[Refill], last: int | None, until: Instant | None
    ) -> None:
        """
        Write down the refills *found* in the node's list of payments up to change *last*; for
        *until* see `take_moves`.
        """
        cursors = refills.cursors(refills.PAYMENTS, last, until)
        self._write(_take_payments, tuple(found), cursors)

    def go_back(self, last: int) -> None:
        """
        Read on from row *last*, where the node's list of moves ends that went further before.
        """
        self._write(refills.go_back, last)

    def refills(self, now: Instant) -> dict[ChannelId, Refills] | None:
        """
        Return the refills of the last 30 days by the channel that was filled; `None` when they
        are not known, or nobody can tell of one which channel it filled.
        """
        return self._read(_known_refills, now)

    def refill_sums(self, start: Instant, end: Instant) -> dict[ChannelId | None, Refills]:
        """
        Return what refills from *start* until before *end* come to, by the channel that was
        filled: `None` holds those of which nobody knows which it was.
        """
        return self._read(refills.sums, start, end)


def _take_moves(
    connection: sqlite3.Connection, moves: tuple[Move, ...], cursors: Mapping[str, int]
) -> None:
    _settle(connection, (move.at for move in moves))
    hashes = {move.payment_hash for move in moves}
    found, left = paired(refills.waiting(connection, hashes), moves)
    refills.take_moves(connection, found, left, hashes, cursors)


def _take_payments(
    connection: sqlite3.Connection, found: tuple[Refill, ...], cursors: Mapping[str, int]
) -> None:
    _settle(connection, (refill.at for refill in found))
    refills.take(connection, found, cursors)


def _settle(connection: sqlite3.Connection, times: Iterable[Instant]) -> None:
    first = min(times, default=None)
    if first is not None:
        inherited.settle_refills(connection, first)


def _known_refills(connection: sqlite3.Connection, now: Instant) -> dict[ChannelId, Refills] | None:
    until = refills.read_cursor(connection, refills.COMPLETE)
    if until is None or until < now - _FRESH:
        return None
    found = refills.sums(connection, Instant(now - _REFILLS_DAYS * DAY), Instant(now + 1))
    if None in found:
        return None
    return {channel_id: sums for channel_id, sums in found.items() if channel_id is not None}
