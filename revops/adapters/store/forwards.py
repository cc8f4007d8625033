"""Forwards: sums by hour and day, and how far they are complete, in one transaction."""

import functools
import json
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import add
from typing import Final

import attrs

from revops.adapters.store import inherited, quarantine
from revops.core.memory import Memory
from revops.core.snapshot import Channel, Hour, Slice, Traffic
from revops.core.tally import Counts, Tally, merged
from revops.core.units import DAY, HOUR, ChannelId, Instant, Scid

_SLICE: Final = tuple(field.name for field in attrs.fields(Slice))
_SUMS: Final = _SLICE[1:]

# Column names are those of Slice, so that nothing from outside gets into these statements.
_ADD: Final = f"""
    INSERT INTO forward_stats (scid, span, start, {", ".join(_SUMS)})
    VALUES (?, ?, ?{", ?" * len(_SUMS)})
    ON CONFLICT (scid, span, start) DO UPDATE SET
    {", ".join(f"{name} = {name} + excluded.{name}" for name in _SUMS)}
"""  # noqa: S608 -- see above
_FLOW: Final = tuple(field.name for field in attrs.fields(Hour))[1:]
_HOURS: Final = f"""
    SELECT start, {", ".join(f"sum({name})" for name in _FLOW)} FROM forward_stats
    WHERE scid IN (SELECT value FROM json_each(?)) AND span = 'hour' AND start > ? AND start < ?
    GROUP BY start
"""  # noqa: S608 -- see above
# A cross join keeps its order: one look per channel, where a plain one may read all of the books.
_DAY: Final = f"""
    SELECT scid, {", ".join(_SLICE)} FROM channel_scids CROSS JOIN forward_stats USING (scid)
    WHERE span = 'day' AND start = ?
"""  # noqa: S608 -- see above
_TOTALS: Final = """
    SELECT channel_id, group_concat(scid), ifnull(sum(out_count), 0), ifnull(max(last_hour), -1),
    max(last_in_at), max(last_out_at)
    FROM channel_scids LEFT JOIN forward_totals USING (scid) GROUP BY channel_id
"""
LIFE: Final = _SUMS[:6]
"""What is added up over a life: years of days cannot be read while somebody waits."""
_ADD_TOTALS: Final = f"""
    INSERT INTO forward_totals (scid, {", ".join(LIFE)}, last_hour, last_in_at, last_out_at)
    VALUES (?{", ?" * len(LIFE)}, ?, ?, ?)
    ON CONFLICT (scid) DO UPDATE SET
    {", ".join(f"{name} = {name} + excluded.{name}" for name in LIFE)},
    last_hour = max(last_hour, excluded.last_hour),
    last_in_at = max(ifnull(last_in_at, excluded.last_in_at), ifnull(excluded.last_in_at, 0)),
    last_out_at = max(ifnull(last_out_at, excluded.last_out_at), ifnull(excluded.last_out_at, 0))
"""  # noqa: S608 -- see above


@attrs.frozen(kw_only=True)
class Books:
    """
    What time the counted forwards cover completely.

    Attributes:
        since: When the earliest was; `None` while nothing is known of the past.
        until: `None` until they were complete once.
        quarantined: How many rows could not be and were left out.
    """

    since: Instant | None = None
    until: Instant | None = None
    quarantined: int = 0


def read_books(connection: sqlite3.Connection) -> Books:
    """
    Return how far the forwards are counted.
    """
    row = connection.execute("SELECT since, until, quarantined FROM books").fetchone()
    return Books(since=row[0], until=row[1], quarantined=row[2]) if row else Books()


def read_cursors(connection: sqlite3.Connection) -> dict[str, int]:
    """
    Return where to go on reading each list.
    """
    return dict(connection.execute("SELECT name, position FROM cursors"))


def take(
    connection: sqlite3.Connection,
    sums: Tally,
    cursors: Mapping[str, int],
    until: Instant | None,
    at: Instant,
    oldest_hour: int,
) -> None:
    """
    Add *sums* to the books and move the *cursors* past what they were made of; of the time before
    *oldest_hour*, only days are kept. Misfits are told as seen *at*.
    """
    stats: list[tuple[str | int, ...]] = []
    totals = []
    # In the order of the table, so that each of its pages is looked up once.
    for scid, hours in sorted(sums.counts.items()):
        days: dict[int, Counts] = {}
        for hour, counts in hours.items():
            day = hour // 24
            days[day] = _sum(days[day], counts) if day in days else counts
            if hour >= oldest_hour:
                stats.append((scid, "hour", hour, *counts))
        stats += [(scid, "day", day, *counts) for day, counts in days.items()]
        life = functools.reduce(_sum, days.values())[: len(LIFE)]
        lasts = (max(hours), sums.last_in_at.get(scid), sums.last_out_at.get(scid))
        totals.append((scid, *life, *lasts))
    connection.executemany(_ADD, stats)
    connection.executemany(_ADD_TOTALS, totals)
    connection.executemany("REPLACE INTO cursors (name, position) VALUES (?, ?)", cursors.items())
    quarantine.add(connection, sums.misfits, at)
    inherited.settle_forwards(connection, sums.first_at, until)
    _extend(connection, sums, until)


def _sum(one: Counts, other: Counts) -> Counts:
    return tuple(map(add, one, other))


def _extend(connection: sqlite3.Connection, sums: Tally, until: Instant | None) -> None:
    before = read_books(connection)
    first = min((min(hours) for hours in sums.counts.values()), default=None)
    starts = (before.since, until, None if first is None else first * HOUR)
    connection.execute(
        "REPLACE INTO books (id, since, until, quarantined) VALUES (1, ?, ?, ?)",
        (
            min((at for at in starts if at is not None), default=None),
            before.until if until is None else until,
            before.quarantined + len(sums.misfits),
        ),
    )


def know_channels(
    connection: sqlite3.Connection, pairs: Iterable[tuple[Scid, ChannelId]], at: Instant
) -> None:
    """
    Write down which channel each short channel id belongs to.
    """
    for scid, channel_id in pairs:
        inherited.identify(connection, scid, channel_id)
        connection.execute(
            "INSERT INTO channel_scids (scid, channel_id, first_seen_at) VALUES (?, ?, ?)"
            " ON CONFLICT (scid) DO UPDATE SET channel_id = excluded.channel_id",
            (scid, channel_id, at),
        )


def unknown_channels(
    connection: sqlite3.Connection, channels: Iterable[Channel]
) -> list[tuple[Scid, ChannelId]]:
    """
    Return those of *channels* whose short channel id is not written down yet.
    """
    known = {scid for (scid,) in connection.execute("SELECT scid FROM channel_scids")}
    return [
        (channel.scid, channel.channel_id)
        for channel in channels
        if channel.scid is not None and channel.scid not in known
    ]


class TrafficReader:
    """
    Reads traffic, and keeps the days that are over: all of the window but one, and they do not
    change any more unless a forward comes late.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over: dict[int, dict[Scid, Slice]] = {}

    def forget(self, sums: Tally) -> None:
        """
        Keep no day that *sums*, which are in the books by now, added to.
        """
        with self._lock:
            for day in {hour // 24 for hours in sums.counts.values() for hour in hours}:
                self._over.pop(day, None)

    def read(
        self, connection: sqlite3.Connection, now: Instant, window_days: int, memory: Memory
    ) -> dict[ChannelId, Traffic]:
        """
        Return what the books say about every known channel; nothing before they are complete.
        """
        books = read_books(connection)
        if books.since is None or books.until is None:
            return {}
        start = now - window_days * DAY
        days = self._days(connection, range(start // DAY, now // DAY + 1), books.until)
        digested = {m.channel_id: m.flow.hour for m in memory.channels if m.flow is not None}
        traffic = {}
        for channel_id, listed, out_count, last_hour, *latest in connection.execute(_TOTALS):
            scids = listed.split(",")
            after = digested.get(channel_id, start // HOUR - 1)
            fresh = last_hour > after
            traffic[channel_id] = Traffic(
                since=books.since,
                until=books.until,
                out_count=out_count,
                last_in_at=latest[0],
                last_out_at=latest[1],
                hours=_hours(connection, scids, after, books.until) if fresh else (),
                days=_joined([day[scid] for day in days for scid in scids if scid in day], scids),
            )
        return traffic

    def _days(
        self, connection: sqlite3.Connection, window: range, until: Instant
    ) -> list[dict[Scid, Slice]]:
        with self._lock:
            days = {day: self._over.get(day) or _read_day(connection, day) for day in window}
            self._over = {day: slices for day, slices in days.items() if day < until // DAY}
        return list(days.values())


def _read_day(connection: sqlite3.Connection, day: int) -> dict[Scid, Slice]:
    return {scid: _slice(row) for scid, *row in connection.execute(_DAY, (day,))}


def _hours(
    connection: sqlite3.Connection, scids: Sequence[Scid], after: int, until: Instant
) -> list[Hour]:
    rows = connection.execute(_HOURS, (json.dumps(scids), after, until // HOUR))
    return [
        Hour(start=start, in_count=ins, out_count=outs, in_msat=in_msat, out_msat=out_msat)
        for start, ins, outs, in_msat, out_msat in rows
    ]


def _slice(row: Iterable[int]) -> Slice:
    return Slice(**dict(zip(_SLICE, row, strict=True)))  # type: ignore[arg-type]  # whole numbers, all of them


def _joined(slices: Sequence[Slice], scids: Sequence[Scid]) -> Sequence[Slice]:
    """
    Return *slices* with those added up that start together, as they do where a splice fell in.
    """
    if len(scids) == 1:
        return slices
    parts: dict[int, list[Slice]] = defaultdict(list)
    for part in slices:
        parts[part.start].append(part)
    return [merged(same, start) for start, same in parts.items()]
