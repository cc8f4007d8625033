"""Balances: what channels held at any time, rolled back from now through what is known to move."""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

import attrs
import numpy as np
import numpy.typing as npt

from revops.core.units import Instant, Msat
from revops.simulate.backtest.history import History, Moved

Whole = npt.NDArray[np.int64]


class _Event(NamedTuple):
    at: Instant
    gain_msat: int


@attrs.frozen(eq=False)
class Balances:
    """
    What was on our side of each channel.

    Attributes:
        start: At the beginning.
        moves: All that moved without being forwarded, that which nobody explains included.
        unexplained_msat: How much that was.
    """

    start: tuple[Msat, ...]
    moves: tuple[Moved, ...]
    unexplained_msat: Msat
    _times: tuple[Whole, ...]
    _after: tuple[Whole, ...]

    def of(self, channel: int, times: Whole) -> Whole:
        """
        Return what was on our side of a channel at some *times*.
        """
        found = np.searchsorted(self._times[channel], times, side="left")
        held: Whole = self._after[channel][found]
        return held


def balances(history: History, share: Sequence[float]) -> Balances:
    """
    Return what the channels of *history* held.

    Where nothing tells what they hold now, it is that *share* of what is possible.
    """
    events: list[list[_Event]] = [[] for _ in history.places]
    for forward in history.forwards:
        came = forward.amount_msat + forward.fee_msat
        events[forward.into].append(_Event(forward.at, came))
        events[forward.out].append(_Event(forward.at, -forward.amount_msat))
    for move in history.moves:
        gone = move.amount_msat + move.cost_msat
        events[move.source].append(_Event(move.at, -gone))
        events[move.target].append(_Event(move.at, move.amount_msat))
    starts, times, after = [], [], []
    moves = list(history.moves)
    unexplained = 0
    for channel, place in enumerate(history.places):
        known = sorted(events[channel], key=attrgetter("at"))
        now = place.local_msat
        if now is None:
            now = _likely(known, place.capacity_msat, share[channel])
        path, odd = _rolled(known, now, place.capacity_msat, channel, history.outside)
        starts.append(Msat(path[0]))
        moves += odd
        unexplained += sum(move.amount_msat for move in odd)
        times.append(np.array([event.at for event in known], dtype=np.int64))
        after.append(np.array(path, dtype=np.int64))
    moves.sort(key=attrgetter("at"))
    return Balances(tuple(starts), tuple(moves), Msat(unexplained), tuple(times), tuple(after))


def _rolled(
    events: Sequence[_Event], now: Msat, capacity: Msat, channel: int, outside: int
) -> tuple[list[int], list[Moved]]:
    """
    Return what was there before each of *events* and at the end, and what must have moved besides.
    """
    path, odd = [int(now)], []
    for event in reversed(events):
        wanted = path[-1] - event.gain_msat
        before = min(max(wanted, 0), capacity)
        if before != wanted:
            gain = wanted - before
            source, target = (outside, channel) if gain > 0 else (channel, outside)
            odd.append(Moved(event.at, source, target, Msat(abs(gain)), Msat(0)))
        path.append(before)
    return path[::-1], odd


def _likely(events: Sequence[_Event], capacity: Msat, share: float) -> Msat:
    """
    Return what is there now, if it always was between nothing and *capacity*.
    """
    path = np.concatenate([[0], np.cumsum([event.gain_msat for event in events])])
    low, high = int(-path.min()), int(capacity - path.max())
    start = low + int(max(high - low, 0) * share)
    return Msat(min(max(start + int(path[-1]), 0), capacity))
