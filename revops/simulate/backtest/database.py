"""Database: the past of a node from revops's own books, which keep hours and days of forwards."""

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from revops.adapters.errors import WireError
from revops.adapters.store.past import Past, Sum, read_past
from revops.core.config import Config, configured
from revops.core.tally import size_of
from revops.core.units import DAY, ChannelId, Instant, Msat, Ppm, split
from revops.simulate.arena.dice import Dice
from revops.simulate.arena.market import STEP_S
from revops.simulate.backtest.history import (
    Forwarded,
    History,
    Moved,
    Place,
    Priced,
    the_outside,
)

_UNIT: Final = math.log(2) / size_of(Msat(2))
_COUNTED: Final = (
    "the database keeps hours and days, not forwards: times, amounts and ways in are drawn within"
    " each, so that all its sums are as they were; a directory with listforwards tells more"
)
_UNHELD: Final = (
    "the database does not keep what channels hold: each run draws it from what is possible"
)


def from_database(path: Path, days: int | None) -> tuple[History, Config]:
    """
    Return the history that the books at *path* tell, and the options that are known to be in
    force.

    Raises:
        StoreError: They cannot be read, or are not of this revops.
        WireError: There is nothing to replay.
        ConfigError: An option in them cannot be.
    """
    past = read_past(path, days)
    if not any(part.out_count for part in past.sums):
        msg = f"{path}: no forward settled in the days that it tells of: there is nothing to replay"
        raise WireError((msg,))
    return told_by(past, days), configured(past.options)


def told_by(past: Past, days: int | None) -> History:
    """
    Return the history that *past* tells.
    """
    until = Instant(-(-past.until // STEP_S) * STEP_S)
    first = min(part.begins for part in past.sums if part.out_count)
    whole = max(-(-(until - first) // DAY), 1)
    since = Instant(until - min(days or whole, whole) * DAY)
    places = _places(past)
    number = {channel.channel_id: n for n, channel in enumerate(past.channels)}
    forwards, gone = _forwards(past, number, since, until)
    gone_told = f"{gone // 1000:,} sat were earned by channels that are gone: they are in no sum"
    return History(
        since=since,
        until=until,
        places=(*places, the_outside(places)),
        forwards=tuple(forwards),
        moves=tuple(_moves(past, number, since, until)),
        gone_msat=gone,
        perkw=past.perkw,
        warnings=(_COUNTED, _UNHELD, *([gone_told] if gone else ())),
    )


def _places(past: Past) -> list[Place]:
    changes: dict[ChannelId, list[Priced]] = defaultdict(list)
    for change in past.changes:
        known = changes[change.channel_id]
        if not known:
            known.append(Priced(Instant(0), change.old_ppm))
        known.append(Priced(change.at, change.new_ppm))
    return [
        Place(
            scid=channel.scid,
            capacity_msat=channel.capacity_msat,
            local_msat=None,
            fee_ppm=_paid(past, channel.channel_id, changes[channel.channel_id]),
            opened_at=channel.opened_at,
            priced=tuple(changes[channel.channel_id]) or None,
        )
        for channel in past.channels
    ]


def _paid(past: Past, channel_id: ChannelId, changes: Sequence[Priced]) -> Ppm:
    """
    Return the last price of a channel, or what was paid on average where nobody changed it.
    """
    if changes:
        return changes[-1].ppm
    parts = [part for part in past.sums if past.names.get(part.scid) == channel_id]
    moved = sum(part.out_msat for part in parts)
    earned = sum(part.earned_msat for part in parts)
    return Ppm(round(earned * 1_000_000 / moved)) if moved else Ppm(0)


def _forwards(
    past: Past, number: dict[ChannelId, int], since: Instant, until: Instant
) -> tuple[list[Forwarded], Msat]:
    """
    Return forwards that add up to what is in the books, and what channels that are gone earned.
    """
    rng = Dice("database", 0).of("forwards")
    forwards: list[Forwarded] = []
    gone = Msat(0)
    by_span: dict[tuple[int, int], list[Sum]] = defaultdict(list)
    for part in past.sums:
        if since <= part.begins + part.lasts_s // 2 < until:
            by_span[part.begins // DAY, part.lasts_s].append(part)
    for (day, _), parts in sorted(by_span.items()):
        ways = [number.get(past.names.get(part.scid, ChannelId("")), -1) for part in parts]
        slots = np.repeat(ways, [part.in_count for part in parts])
        rng.shuffle(slots)
        entering = [int(way) for way in slots]
        for part, out in zip(parts, ways, strict=True):
            if not part.out_count:
                continue
            if out < 0:
                gone = Msat(gone + part.earned_msat)
                continue
            mine = _taken(entering, part.out_count, out, len(number))
            forwards += _drawn(part, out, mine, rng, (max(since, day * DAY), until))
    forwards.sort()
    return forwards, gone


def _taken(entering: list[int], count: int, out: int, outside: int) -> list[int]:
    """
    Return *count* ways in for what leaves by *out*, and take them off *entering*.
    """
    taken: list[int] = []
    kept: list[int] = []
    while entering and len(taken) < count:
        way = entering.pop()
        (kept if way == out else taken).append(outside if way < 0 else way)
    entering += kept
    return taken + [outside] * (count - len(taken))


def _drawn(
    part: Sum, out: int, ways: Sequence[int], rng: np.random.Generator, bounds: tuple[int, int]
) -> list[Forwarded]:
    """
    Return forwards that add up to *part*.
    """
    count, low, high = part.out_count, max(part.begins, bounds[0]), bounds[1] - 1
    times = rng.integers(part.begins, part.begins + part.lasts_s, count).clip(low, high)
    mean = part.size_sum / count * _UNIT
    spread = math.sqrt(max(part.size_squares / count * _UNIT**2 - mean**2, 0.0))
    logs = mean + spread * rng.standard_normal(count)
    weights = np.maximum(np.exp(np.minimum(logs, 40.0)), 1.0).astype(np.int64).tolist()
    amounts = split(part.out_msat, weights)
    fees = split(part.earned_msat, [max(amount, 1) for amount in amounts])
    rows = zip(sorted(times.tolist()), ways, amounts, fees, strict=True)
    return [
        Forwarded(Instant(at), into, out, amount, fee) for at, into, amount, fee in rows if amount
    ]


def _moves(past: Past, number: dict[ChannelId, int], since: Instant, until: Instant) -> list[Moved]:
    outside, found = len(number), []
    for refill in past.refills:
        source = number.get(refill.source or ChannelId(""), outside)
        target = number.get(refill.target or ChannelId(""), outside)
        if since <= refill.at < until and source != target:
            found.append(Moved(refill.at, source, target, refill.amount_msat, refill.fee_msat))
    return found
