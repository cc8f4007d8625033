"""Uptime: how long a peer was watched and how much of that it was connected, day by day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import NamedTuple

import attrs

from revops.core import checks
from revops.core.units import DAY, Instant, PeerId


class Look(NamedTuple):
    """
    A list of all peers: who was connected at one moment.
    """

    at: Instant
    connected: Mapping[PeerId, bool]


@attrs.frozen(kw_only=True)
class Heard:
    """
    A notification of one peer that came or went; it may be missing, or be there twice.
    """

    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    at: Instant = attrs.field(validator=checks.whole())
    connected: bool


class Watched(NamedTuple):
    """
    Seconds that a peer was watched, and of these connected.
    """

    watched_s: int
    connected_s: int

    def share(self) -> float | None:
        """
        Return the share that it was connected; `None` before it was watched for a day.
        """
        return self.connected_s / self.watched_s if self.watched_s >= DAY else None


def tally(
    before: Look, heard: Iterable[Heard], after: Look, longest_s: int
) -> dict[tuple[PeerId, int], Watched]:
    """
    Return what was watched between two looks, by peer and day since the epoch.

    Looks more than *longest_s* apart are no watching. Where the last that was heard of a peer is
    not what the list says then, the time since is nobody's: a notification was lost.
    """
    if after.at - before.at > longest_s:
        return {}
    changes = defaultdict(list)
    for change in sorted(heard, key=attrgetter("at")):
        if before.at <= change.at <= after.at:
            changes[change.peer_id].append(change)
    sums: dict[tuple[PeerId, int], Watched] = {}
    for peer_id in before.connected.keys() & after.connected.keys():
        for since, until, connected in _spans(before, changes.get(peer_id, ()), after, peer_id):
            for day, seconds in _by_day(since, until):
                so_far = sums.get((peer_id, day), Watched(0, 0))
                sums[peer_id, day] = Watched(
                    so_far.watched_s + seconds, so_far.connected_s + seconds * connected
                )
    return sums


def _spans(
    before: Look, changes: Iterable[Heard], after: Look, peer_id: PeerId
) -> Iterator[tuple[Instant, Instant, bool]]:
    since, connected = before.at, before.connected[peer_id]
    for change in changes:
        yield since, change.at, connected
        since, connected = change.at, change.connected
    if connected == after.connected[peer_id]:
        yield since, after.at, connected


def _by_day(since: int, until: int) -> Iterator[tuple[int, int]]:
    while since < until:
        day = since // DAY
        end = min(until, (day + 1) * DAY)
        yield day, end - since
        since = end
