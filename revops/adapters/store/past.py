"""Past: what the books of a revops that may be running know of its days, read and never written."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import attrs

from revops.adapters.errors import StoreError
from revops.adapters.store import schema, settings
from revops.core.units import ChannelId, Instant, Msat, Ppm, Scid

_PATIENCE_S: Final = 5.0
_SPANS: Final = {"hour": 3600, "day": 86_400}
_CHANNELS: Final = """
    SELECT channels.channel_id, channels.scid, capacity_msat, opened_at, last_seen_at
    FROM channels LEFT JOIN closed_channels USING (channel_id)
    WHERE closed_at IS NULL AND channels.scid IS NOT NULL ORDER BY channels.channel_id
"""
# Hours go after a while, and days stay: an hour counts where the whole day of its channel is there.
_SUMS: Final = """
    WITH days AS (SELECT * FROM forward_stats WHERE span = 'day' AND start >= :day),
    hours AS (SELECT * FROM forward_stats WHERE span = 'hour' AND start >= :day * 24),
    whole AS (
        SELECT days.scid AS scid, days.start AS day FROM days JOIN hours
        ON hours.scid = days.scid AND hours.start / 24 = days.start
        GROUP BY days.scid, days.start
        HAVING sum(hours.out_count) = days.out_count AND sum(hours.in_count) = days.in_count
    )
    SELECT span, scid, start, in_count, out_count, out_msat, earned_msat, size_sum, size_squares
    FROM hours WHERE (scid, start / 24) IN (SELECT scid, day FROM whole)
    UNION ALL
    SELECT span, scid, start, in_count, out_count, out_msat, earned_msat, size_sum, size_squares
    FROM days WHERE (scid, start) NOT IN (SELECT scid, day FROM whole)
"""
_CHANGES: Final = "SELECT at, channel_id, old_ppm, new_ppm FROM fee_history ORDER BY journal_id"
_REFILLS: Final = """
    SELECT at, from_channel, to_channel, amount_msat, fee_msat FROM refills ORDER BY at
"""


class Sum(NamedTuple):
    """
    What went through a channel in a while.

    Attributes:
        begins, lasts_s: Which while that is.
        size_sum, size_squares: As in `Slice`.
    """

    begins: Instant
    lasts_s: int
    scid: Scid
    in_count: int
    out_count: int
    out_msat: Msat
    earned_msat: Msat
    size_sum: int
    size_squares: int


class Known(NamedTuple):
    """
    A channel that was not closed when it was last seen.
    """

    channel_id: ChannelId
    scid: Scid
    capacity_msat: Msat
    opened_at: Instant | None
    last_seen_at: Instant


class Repriced(NamedTuple):
    """
    A fee change that the node confirmed.
    """

    at: Instant
    channel_id: ChannelId
    old_ppm: Ppm
    new_ppm: Ppm


class Filled(NamedTuple):
    """
    A circular payment that settled; a channel is `None` where nobody can tell.
    """

    at: Instant
    source: ChannelId | None
    target: ChannelId | None
    amount_msat: Msat
    fee_msat: Msat


@attrs.frozen(kw_only=True)
class Past:
    """
    What the books know.

    Attributes:
        until: Up to when they are complete.
        names: The channel of each short channel id that there ever was.
        perkw: What the chain charged last.
        options: What was set while revops ran.
    """

    until: Instant
    channels: tuple[Known, ...]
    names: Mapping[Scid, ChannelId]
    sums: tuple[Sum, ...]
    changes: tuple[Repriced, ...]
    refills: tuple[Filled, ...]
    perkw: int | None
    options: Mapping[str, str]


def read_past(path: Path, days: int | None) -> Past:
    """
    Return what the books at *path* know of the last *days*, or of all.

    Raises:
        StoreError: There are none, or they are not of this revops.
    """
    if not path.is_file():
        msg = f"{path}: there is no such file"
        raise StoreError(msg)
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S)) as books:
            # One look, whatever is written meanwhile.
            books.execute("BEGIN")
            _ask_whose(path, schema.applied(books))
            return _read(books, path, days)
    except sqlite3.Error as error:
        msg = f"{path}: cannot be read as revops's database: {error}"
        raise StoreError(msg) from error


def _ask_whose(path: Path, theirs: Iterable[str]) -> None:
    ours = {file.stem for file in schema.migrations_dir().glob("*.sql")}
    has = set(theirs)
    if not has:
        msg = f"{path}: another program's database, not revops's"
    elif has - ours:
        msg = f"{path}: a newer revops has written it ({max(has - ours)}); upgrade revops"
    elif ours - has:
        msg = f"{path}: an older revops has written it; let this one start once with it"
    else:
        return
    raise StoreError(msg)


def _read(books: sqlite3.Connection, path: Path, days: int | None) -> Past:
    row = books.execute("SELECT until FROM books").fetchone()
    if row is None or row[0] is None:
        msg = f"{path}: its forwards are not counted through yet; let revops run for a while"
        raise StoreError(msg)
    (until,) = row
    first = 0 if days is None else until // _SPANS["day"] - days
    perkw = books.execute("SELECT perkw FROM feerates ORDER BY at DESC LIMIT 1").fetchone()
    return Past(
        until=until,
        channels=tuple(Known(*row) for row in books.execute(_CHANNELS)),
        names=dict(books.execute("SELECT scid, channel_id FROM channel_scids").fetchall()),
        sums=tuple(
            Sum(Instant(start * _SPANS[span]), _SPANS[span], scid, *rest)
            for span, scid, start, *rest in books.execute(_SUMS, {"day": first})
        ),
        changes=tuple(Repriced(*row) for row in books.execute(_CHANGES)),
        refills=tuple(Filled(*row) for row in books.execute(_REFILLS)),
        perkw=perkw[0] if perkw else None,
        options={setting.option: setting.value for setting in settings.peek(path)},
    )
