"""Uptime: what cycles see and notifications tell in between, added up in the books."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from revops.adapters.store import Store
from revops.core.snapshot import Channel
from revops.core.units import DAY, Instant, PeerId
from revops.core.uptime import Heard, Look, Watched, tally

_WINDOW: Final = 7
_KEPT: Final = 90
_MOST_HEARD: Final = 100_000
_LONGEST: Final = 3
"""Looks further apart than so many intervals are no watching: we slept, or could not see."""


class Uptime:
    """
    How reliably each peer is there. Notifications may come at any time, from another thread.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: Look | None = None
        self._heard: deque[Heard] = deque(maxlen=_MOST_HEARD)

    def heard(self, peer_id: PeerId, at: Instant, *, connected: bool) -> None:
        """
        Take note that a peer came or went.
        """
        self._heard.append(Heard(peer_id=peer_id, at=at, connected=connected))

    def look(
        self, channels: Iterable[Channel], now: Instant, interval_s: int
    ) -> dict[PeerId, Watched]:
        """
        Write down the time since the last look, and return what the last week comes to.
        """
        connected: dict[PeerId, bool] = {}
        for channel in channels:
            connected[channel.peer_id] = connected.get(channel.peer_id, False) or channel.connected
        last, self._last = self._last, Look(now, connected)
        heard = [self._heard.popleft() for _ in range(len(self._heard))]
        # Those are of the time after this look.
        self._heard.extend(change for change in heard if change.at > now)
        today = now // DAY
        if last is not None:
            sums = tally(last, heard, self._last, _LONGEST * interval_s)
            self._store.add_uptime(sums, today - _KEPT)
        return self.lately(now)

    def lately(self, now: Instant) -> dict[PeerId, Watched]:
        """
        Return what the last week comes to, as far as it is written down.
        """
        today = now // DAY
        return self._store.uptime(today - _WINDOW + 1, today)
