"""The ledger: what the books hold of every channel there ever was, added up by SQLite."""

import sqlite3
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final

from revops.adapters.store import costs, inherited, refills
from revops.adapters.store.forwards import LIFE, read_books
from revops.core.costs import Kind
from revops.core.ledger import FREE, Account, Activity, Cost, Ledger
from revops.core.snapshot import Refills
from revops.core.units import DAY, ChannelId, Instant, Msat

Owner = ChannelId | None
"""A channel that there is an account of; `None` for all others together."""

_EVER: Final = Instant(2**62)
_IDLE: Final = (0,) * len(LIFE)
_NO_REFILL: Final = Refills(count=0, amount_msat=Msat(0), cost_msat=Msat(0))
_ACCOUNTS: Final = """
    SELECT channel_id, scid, peer_id, capacity_msat, opener, opened_at, closed_at
    FROM channels LEFT JOIN closed_channels USING (channel_id)
"""
# Column names are the books' own, so that nothing from outside gets into these statements.
_TOTALS: Final = f"""
    SELECT channels.channel_id, {", ".join(f"sum({name})" for name in LIFE)},
    max(max(ifnull(last_in_at, last_out_at), ifnull(last_out_at, last_in_at)))
    FROM forward_totals LEFT JOIN channel_scids USING (scid) LEFT JOIN channels USING (channel_id)
    GROUP BY channels.channel_id
"""  # noqa: S608 -- see above
# Days are kept for ever, hours are not. A cross join keeps its order: one look per channel, where
# a plain one may read all of the books; and adding up by scid needs no sorting.
_DAYS: Final = f"""
    SELECT scid, {", ".join(f"sum(day.{name})" for name in LIFE)}
    FROM forward_totals CROSS JOIN forward_stats AS day USING (scid)
    WHERE span = 'day' AND start BETWEEN ? AND ? AND last_hour >= ? GROUP BY scid
"""  # noqa: S608 -- see above
_OWNERS: Final = (
    "SELECT channel_scids.scid, channel_id FROM channel_scids JOIN channels USING (channel_id)"
)
_UNPRICED_ENDS: Final = """
    SELECT channel_id, closed_at FROM closed_channels WHERE NOT EXISTS (
    SELECT 1 FROM costs WHERE costs.channel_id = closed_channels.channel_id AND kind = 'close')
"""


class _Span:
    """
    What the books hold of the time from *start* until before *end*, by owner.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        forwards: Mapping[Owner, Iterable[int]],
        known: Container[ChannelId],
        start: Instant,
        end: Instant,
    ) -> None:
        self._forwards = forwards
        self._paid: dict[tuple[Owner, Kind], Cost | None] = {}
        self._refills: dict[Owner, Refills] = {}
        copied = inherited.refilled(connection, start, end)
        self._copied = {filled if filled in known else None for filled in copied}
        # Nobody ever looked for refills before.
        self._looked = refills.read_cursor(connection, refills.COMPLETE) is not None
        for (channel_id, kind), cost in costs.sums(connection, start, end).items():
            key = (channel_id if channel_id in known else None, kind)
            self._paid[key] = _both(self._paid.get(key, FREE), cost)
        for channel_id, kind, at in _unpriced(connection):
            if start <= at < end:
                self._paid[channel_id if channel_id in known else None, kind] = None
        for filled, sums in refills.sums(connection, start, end).items():
            owner = filled if filled in known else None
            self._refills[owner] = _all(self._refills.get(owner, _NO_REFILL), sums)

    def activity(self, owner: Owner) -> Activity:
        """
        Return what *owner* did.
        """
        refilled = self._refills.get(owner, _NO_REFILL) if self._looked else None
        return Activity(
            **dict(zip(LIFE, self._forwards.get(owner, _IDLE), strict=False)),  # type: ignore[arg-type]  # whole numbers, all of them
            open_cost=self._paid.get((owner, "open"), FREE),
            close_cost=self._paid.get((owner, "close"), FREE),
            splice_cost=self._paid.get((owner, "splice"), FREE),
            refill_cost=None
            if refilled is None
            else Cost(amount_msat=refilled.cost_msat, estimated=owner in self._copied),
            refilled_msat=None if refilled is None else refilled.amount_msat,
        )


def read(connection: sqlite3.Connection, now: Instant, first: int, last: int) -> Ledger:
    """
    Return the books at *now*, with a window of the days (UTC, since the epoch) *first* to *last*;
    a day that runs counts as far as it got.
    """
    books = read_books(connection)
    rows = connection.execute(_ACCOUNTS).fetchall()
    known = {channel_id for channel_id, *_ in rows}
    start, end = Instant(first * DAY), Instant((last + 1) * DAY)
    totals = {owner: sums for owner, *sums in connection.execute(_TOTALS)}
    life = _Span(connection, totals, known, Instant(0), _EVER)
    window = _Span(connection, _days(connection, first, last), known, start, end)
    return Ledger(
        now=now,
        since=None if books.until is None else books.since,
        start=min(start, now),
        end=min(end, now),
        accounts=[
            Account(
                channel_id=channel_id,
                scid=scid,
                peer_id=peer_id,
                capacity_msat=capacity,
                opener=opener,
                opened_at=opened_at,
                closed_at=closed_at,
                life=life.activity(channel_id),
                window=window.activity(channel_id),
                last_value_at=totals[channel_id][-1] if channel_id in totals else None,
            )
            for channel_id, scid, peer_id, capacity, opener, opened_at, closed_at in rows
        ],
        stray_life=life.activity(None),
        stray_window=window.activity(None),
    )


def _days(connection: sqlite3.Connection, first: int, last: int) -> dict[Owner, list[int]]:
    owners = dict(connection.execute(_OWNERS))
    sums: dict[Owner, list[int]] = {}
    for scid, *parts in connection.execute(_DAYS, (first, last, first * 24)):
        owner = owners.get(scid)
        sums[owner] = [one + more for one, more in zip(sums.get(owner, _IDLE), parts, strict=True)]
    return sums


def _unpriced(connection: sqlite3.Connection) -> Iterator[tuple[ChannelId, Kind, Instant]]:
    """
    Return what was paid for, by whom and when, of which nobody can tell the cost.
    """
    for item in costs.unpriced(connection):
        yield item.channel_id, item.kind, item.at
    for channel_id, closed_at in connection.execute(_UNPRICED_ENDS):
        yield channel_id, "close", closed_at


def _both(one: Cost | None, other: Cost) -> Cost | None:
    return one and Cost(
        amount_msat=Msat(one.amount_msat + other.amount_msat),
        estimated=one.estimated or other.estimated,
    )


def _all(one: Refills, other: Refills) -> Refills:
    return Refills(
        count=one.count + other.count,
        amount_msat=Msat(one.amount_msat + other.amount_msat),
        cost_msat=Msat(one.cost_msat + other.cost_msat),
    )
