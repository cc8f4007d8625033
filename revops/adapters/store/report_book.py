"""The report book: the part of the books that says what it all came to, as reports use it."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from revops.adapters.store import days, ledger, liquidity, reputations
from revops.adapters.store.cost_book import Transaction
from revops.core.costs import Closing
from revops.core.ledger import Balance, Day, Ledger, Looks, Splice
from revops.core.snapshot import Slice
from revops.core.treasury import Reputation
from revops.core.units import ChannelId, Instant, PeerId

_CLOSED: Final = """
    SELECT channel_id, scid, peer_id, opener, capacity_msat, closed_at, how, final_to_us_msat,
    resolved FROM closed_channels JOIN channels USING (channel_id) ORDER BY closed_at, channel_id
"""
_SPLICES: Final = """
    SELECT channel_id, at, old_scid, new_scid, old_capacity_msat, new_capacity_msat
    FROM splice_events ORDER BY at, channel_id
"""


@attrs.frozen(kw_only=True)
class Closed:
    """
    A channel that is over, and whether the node has done with it.
    """

    closing: Closing
    resolved: bool


class ReportBook:
    """
    Sums of what forwards earned and channels cost. Every method is one transaction.
    """

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read = read
        self._write = write

    def ledger(self, now: Instant, first: int, last: int) -> Ledger:
        """
        Return the books at *now*, with a window of the days (UTC, since the epoch) *first* to
        *last*: whole days, since those are kept for ever; one that runs counts as far as it got.
        """
        return self._read(ledger.read, now, first, last)

    def closed(self) -> tuple[Closed, ...]:
        """
        Return the channels that are over, the first that closed first.
        """
        return self._read(_closed)

    def splices(self) -> tuple[Splice, ...]:
        """
        Return every splice, the first one first.
        """
        return self._read(_splices)

    # Days ----------------------------------------------------------------------------------

    def days(self, first: int) -> tuple[Day, ...]:
        """
        Return the days from *first* on.
        """
        return self._read(days.read, first)

    def add_up_days(self, first: int, last: int) -> None:
        """
        Write down what each of the days *first* to *last* came to, by what the books hold now.
        """
        self._write(days.add_up, first, last)

    def see_balance(self, balance: Balance) -> None:
        """
        Write down what the node held on a day that is added up.
        """
        self._write(days.see, balance)

    def add_looks(self, looks: Mapping[ChannelId, Looks], day: int, oldest: int) -> None:
        """
        Add *looks* to those of *day*, and forget the days before *oldest*.
        """
        self._write(liquidity.add, looks, day, oldest)

    def looks(self, first: int) -> dict[ChannelId, Looks]:
        """
        Return what the looks at each channel from the day *first* on come to.
        """
        return self._read(liquidity.read, first)

    # Reputations ---------------------------------------------------------------------------

    def reputations(self) -> dict[PeerId, Reputation]:
        """
        Return what is known of every peer.
        """
        return self._read(reputations.read)

    def peer_hours(self, after: int, last: int) -> dict[PeerId, list[Slice]]:
        """
        Return what became of the HTLCs sent to each peer, in every hour later than *after* until
        *last*.
        """
        return self._read(reputations.read_hours, after, last)

    def save_reputations(self, changed: Iterable[Reputation]) -> None:
        """
        Write down what is known of peers.
        """
        self._write(reputations.save, changed)


def _closed(connection: sqlite3.Connection) -> tuple[Closed, ...]:
    return tuple(
        Closed(
            closing=Closing(
                channel_id=channel_id,
                scid=scid,
                peer_id=peer_id,
                opener=opener,
                capacity_msat=capacity,
                at=at,
                how=how,
                final_to_us_msat=final,
            ),
            resolved=bool(resolved),
        )
        for channel_id, scid, peer_id, opener, capacity, at, how, final, resolved in (
            connection.execute(_CLOSED)
        )
    )


def _splices(connection: sqlite3.Connection) -> tuple[Splice, ...]:
    return tuple(
        Splice(
            channel_id=channel_id,
            at=at,
            old_scid=old_scid,
            new_scid=new_scid,
            old_capacity_msat=old,
            new_capacity_msat=new,
        )
        for channel_id, at, old_scid, new_scid, old, new in connection.execute(_SPLICES)
    )
