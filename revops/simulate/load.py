"""Load: a snapshot, from its own file or from a directory of raw lightningd replies."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import attrs

from revops.adapters import replies, wire
from revops.adapters.errors import WireError
from revops.adapters.replies_forwards import forwards_of
from revops.core.checks import FieldError
from revops.core.config import Config
from revops.core.snapshot import Channel, FeerateSample, Node, Slice, Snapshot, Traffic
from revops.core.tally import Forward, Tally, by_day, tally
from revops.core.units import DAY, HOUR, Instant, PeerId, Scid
from revops.simulate.unspent import GRANTED, reliable, treasury_of

FILES: Final = {
    "listpeerchannels": ("listpeerchannels",),
    "getinfo": ("getinfo",),
    "listforwards": ("listforwards",),
    "listfunds": ("listfunds",),
    "feerates": ("feerates", "feerates_perkw", "feerates_perkb"),
    "listnodes": ("listnodes",),
}
"""Which files a reply may be in, by method: the first that is there counts."""
# Where channels tell the time: seconds since the epoch, or ISO 8601.
_MOMENTS: Final = {"last_stable_connection", "timestamp"}
# A node that did not say who it is; no key is all zeros.
_NOBODY: Final = Node(node_id=PeerId("0" * 66))


@attrs.frozen(kw_only=True)
class Material:
    """
    What a simulation starts from.

    Attributes:
        config: What the file says beside the snapshot; the defaults for a directory.
        problems: What was left out, a sentence each.
        granted: What nothing tells and is taken for granted, in a sentence; empty for nothing.
        snapshot: The snapshot as a node under the given Config would have taken it.
    """

    config: Config
    problems: tuple[str, ...] = ()
    granted: str = ""
    snapshot: Callable[[Config], Snapshot]


def from_text(text: str | bytes) -> Material:
    """
    Return what a snapshot file holds.

    Raises:
        WireError: A sentence for each field that cannot be.
    """
    snapshot, config = wire.read_snapshot(text)
    return Material(config=config, snapshot=lambda _config: snapshot)


def from_directory(path: Path, now: Instant | None = None) -> Material:
    """
    Return what the raw replies in *path* tell: `listpeerchannels.json`, and `getinfo`,
    `listforwards`, `listfunds`, `feerates` and `listnodes` where they are there.

    *now* is when they were taken; without it, the latest moment they mention.

    Raises:
        WireError: A sentence for each thing that cannot be.
    """
    found = {method: reply_in(path, names) for method, names in FILES.items()}
    if found["listpeerchannels"] is None:
        msg = f"{path}: there is no listpeerchannels.json in this directory"
        raise WireError((msg,))
    try:
        forwards, misfits = forwards_of(found["listforwards"] or {"forwards": []})
        now = now or latest(found["listpeerchannels"], forwards)
        if now is None:
            msg = f"{path}: no reply mentions a time: say with --now when they were taken"
            raise WireError((msg,))
        snapshot, left_out = _without_traffic(found, now)
        books = None if found["listforwards"] is None else _books(forwards, now)
    except FieldError as error:
        raise WireError((f"{path}: {error}",)) from error

    def taken(config: Config) -> Snapshot:
        channels = snapshot.channels
        if books is not None:
            channels = tuple(_counted(channel, books, config) for channel in channels)
        treasury = treasury_of(channels, books.hours if books else None, now, config)
        return attrs.evolve(snapshot, channels=map(reliable, channels), treasury=treasury)

    misfits += books.sums.misfits if books else ()
    problems = (*left_out, *(misfit.why for misfit in misfits))
    return Material(config=Config(), problems=problems, granted=GRANTED, snapshot=taken)


def _without_traffic(found: dict[str, object], now: Instant) -> tuple[Snapshot, tuple[str, ...]]:
    node = _NOBODY if found["getinfo"] is None else replies.node_of(found["getinfo"])
    channels, problems = replies.channels_of(
        found["listpeerchannels"], now=now, blockheight=node.blockheight
    )
    if found["listnodes"] is not None:
        aliases = replies.aliases_of(found["listnodes"])
        channels = tuple(attrs.evolve(c, alias=aliases.get(c.peer_id)) for c in channels)
    perkw = None if found["feerates"] is None else replies.feerate_of(found["feerates"])
    snapshot = Snapshot(
        now=now,
        node=node,
        channels=channels,
        feerates=() if perkw is None else (FeerateSample(at=now, perkw=perkw),),
        onchain_msat=None if found["listfunds"] is None else replies.onchain_of(found["listfunds"]),
    )
    return snapshot, problems


@attrs.frozen(kw_only=True)
class _Books:
    """
    What all forwards add up to, up to *now*.
    """

    since: Instant
    now: Instant
    sums: Tally
    hours: Mapping[Scid, Sequence[Slice]]


def _books(forwards: Sequence[Forward], now: Instant) -> _Books:
    sums = tally(forwards)
    hours: dict[Scid, list[Slice]] = {}
    for (scid, _), part in sums.hours.items():
        hours.setdefault(scid, []).append(part)
    since = min((f.received_at for f in forwards if 0 < f.received_at < now), default=now)
    return _Books(since=since, now=now, sums=sums, hours=hours)


def _counted(channel: Channel, books: _Books, config: Config) -> Channel:
    """
    Return *channel* with its traffic. No memory has digested any of it: all complete hours of
    the window are there.
    """
    scid, now = channel.scid, books.now
    if scid is None:
        return channel
    parts = books.hours.get(scid, ())
    first = now - config.flow_window_days * DAY
    traffic = Traffic(
        since=books.since,
        until=now,
        out_count=sum(part.out_count for part in parts),
        last_in_at=books.sums.last_in_at.get(scid),
        last_out_at=books.sums.last_out_at.get(scid),
        hours=(part for part in parts if first // HOUR <= part.start < now // HOUR),
        days=(day for day in by_day(parts) if day.start >= first // DAY),
    )
    return attrs.evolve(channel, traffic=traffic)


def reply_in(path: Path, names: Sequence[str]) -> object:
    """
    Return the reply in the first file of these *names*, `None` where there is none.
    """
    for name in names:
        file = path / f"{name}.json"
        if file.exists():
            try:
                reply: object = json.loads(file.read_bytes())
            except ValueError as error:
                msg = f"{file}: not JSON: {error}"
                raise WireError((msg,)) from error
            return reply
    return None


def latest(channels: object, forwards: Iterable[Forward]) -> Instant | None:
    """
    Return the latest moment that the replies mention, `None` for none.
    """
    moments = [*_moments(channels), *(f.resolved_at or f.received_at for f in forwards)]
    return max((Instant(int(at)) for at in moments if 0 < at < 1 << 33), default=None)


def _moments(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _moment(part) if key in _MOMENTS else _moments(part)
    elif isinstance(value, list):
        for part in value:
            yield from _moments(part)


def _moment(value: object) -> Iterator[float]:
    # The readers of the replies complain about what is no time; here it is none.
    if isinstance(value, str):
        try:
            yield datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
        except ValueError:
            return
    elif isinstance(value, (int, float)):
        yield value
