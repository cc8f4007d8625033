"""Raw: the past of a node, from a directory of raw lightningd replies."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from revops.adapters import replies
from revops.adapters.errors import WireError
from revops.adapters.replies_forwards import forwards_of
from revops.core.checks import FieldError
from revops.core.snapshot import NORMAL, Channel
from revops.core.tally import Forward, problem_of
from revops.core.units import DAY, Instant, Msat, Scid
from revops.simulate import load
from revops.simulate.arena.market import STEP_S
from revops.simulate.backtest.history import Forwarded, History, Place, the_outside

_NEEDED: Final = ("listpeerchannels", "listforwards")
_ASKED: Final = (*_NEEDED, "getinfo", "feerates", "listnodes")


def from_directory(path: Path, now: Instant | None = None, days: int | None = None) -> History:
    """
    Return what the raw replies in *path* tell of the last *days*, or of all: `listpeerchannels`
    and `listforwards`, with `getinfo`, `feerates` and `listnodes` where they are there.

    Raises:
        WireError: A sentence for each thing that cannot be.
    """
    found = {method: load.reply_in(path, load.FILES[method]) for method in _ASKED}
    missing = [method for method in _NEEDED if found[method] is None]
    if missing:
        msg = f"{path}: there is no {missing[0]}.json in this directory"
        raise WireError((msg,))
    try:
        listed, misfits = forwards_of(found["listforwards"])
        now = now or load.latest(found["listpeerchannels"], listed)
        if now is None:
            msg = f"{path}: no reply mentions a time: say with --now when they were taken"
            raise WireError((msg,))
        channels, left_out = _channels(found, now)
        perkw = None if found["feerates"] is None else replies.feerate_of(found["feerates"])
    except FieldError as error:
        raise WireError((f"{path}: {error}",)) from error
    settled = [f for f in listed if f.status == "settled" and problem_of(f) is None]
    odd = len(misfits) + sum(problem_of(f) is not None for f in listed)
    if not any(forward.received_at <= now for forward in settled):
        msg = f"{path}: listforwards.forwards has none that settled: there is nothing to replay"
        raise WireError((msg,))
    history = laid_out(list(map(_place, channels)), settled, now, days)
    doubts = [f"{odd} forwards cannot be and are left out"] if odd else []
    return attrs.evolve(history, perkw=perkw, warnings=(*left_out, *doubts, *history.warnings))


def _channels(
    found: Mapping[str, object], now: Instant
) -> tuple[Sequence[Channel], tuple[str, ...]]:
    height = None if found["getinfo"] is None else replies.node_of(found["getinfo"]).blockheight
    channels, problems = replies.channels_of(found["listpeerchannels"], now=now, blockheight=height)
    aliases = {} if found["listnodes"] is None else replies.aliases_of(found["listnodes"])
    usable = [c for c in channels if c.scid is not None and c.state == NORMAL]
    return [attrs.evolve(c, alias=aliases.get(c.peer_id)) for c in usable], problems


def _place(channel: Channel) -> Place:
    return Place(
        scid=Scid(str(channel.scid)),
        alias=channel.alias,
        capacity_msat=channel.capacity_msat,
        local_msat=channel.to_us_msat,
        fee_ppm=channel.fee_ppm,
        base_fee_msat=channel.base_fee_msat,
        opened_at=channel.opened_at,
        market_ppm=channel.market_ppm,
    )


def laid_out(
    places: Sequence[Place], settled: Iterable[Forward], now: Instant, days: int | None
) -> History:
    """
    Return the history of *places* in the whole days before *now*, at most as many as there are
    since the first that *settled*.
    """
    rows = sorted((f for f in settled if f.received_at <= now), key=lambda f: f.received_at)
    until = Instant(-(-now // STEP_S) * STEP_S)
    whole = max(-(-(until - rows[0].received_at) // DAY), 1)
    since = Instant(until - min(days or whole, whole) * DAY)
    number = {place.scid: n for n, place in enumerate(places)}
    outside = len(places)
    forwards, gone = [], Msat(0)
    for row in rows:
        assert row.out_msat is not None  # noqa: S101 -- what settled has all of it
        assert row.fee_msat is not None  # noqa: S101 -- see above
        out = number.get(row.out_scid or Scid(""))
        if not since <= row.received_at < until or row.out_msat == 0:
            continue
        if out is None:
            gone = Msat(gone + row.fee_msat)
            continue
        into = number.get(row.in_scid, outside)
        forwards.append(Forwarded(row.received_at, into, out, row.out_msat, row.fee_msat))
    return History(
        since=since,
        until=until,
        places=(*places, the_outside(places)),
        forwards=tuple(forwards),
        gone_msat=gone,
        warnings=tuple(_doubts(gone)),
    )


def _doubts(gone: Msat) -> Iterable[str]:
    if gone:
        yield f"{gone // 1000:,} sat were earned by channels that are gone: they are in no sum"
    yield (
        "prices are told by what was paid: one at which nobody paid left no trace, and payments"
        " then look as if they did not mind prices"
    )
