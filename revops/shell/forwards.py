"""Forwards: the books follow what the node lists, each forward counted once."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from revops.adapters import replies
from revops.adapters.errors import NodeRefusedError
from revops.adapters.store import Store
from revops.core.tally import Forward, tally
from revops.core.units import Instant
from revops.shell.ports import Index, NodePort

PAGE: Final = 5000
_UNKNOWN_PARAMETER: Final = -32602
"""JSON-RPC's code for it, as it calls any wrong parameters."""


class Forwards:
    """
    Two walks along lightningd's own counters.

    A forward gets a created index, and an updated index once it ends elsewhere. Those that ended
    on the spot are counted on the first walk and all others on the second, so that none is
    counted twice and no list of those counted is needed.

    Nodes before 23.11 have no such counters: there, one full read at start covers the time up to
    it and `forward_event` the time since.
    """

    def __init__(self, node: NodePort, store: Store) -> None:
        self._node = node
        self._store = store
        self._indexed: bool | None = None
        self._heard: deque[Forward] = deque()
        self._whole_until: Instant | None = None

    def event(self, event: Mapping[str, Any]) -> None:
        """
        Take note of a `forward_event`; where the node keeps counters nothing depends on it.
        """
        if not self._indexed:
            self._heard.extend(replies.forwards_of({"forwards": [event]})[0])

    def catch_up(self, now: Instant) -> tuple[str, ...]:
        """
        Bring the books up to *now* and return a sentence for each forward that cannot be.

        Raises:
            NodeRefusedError, NoAnswerError: The node did not list them; the books stay as far
                as they got.
        """
        if self._indexed is None:
            self._indexed = self._has_counters()
        if not self._indexed:
            return self._by_time(now)
        self._heard.clear()
        return (*self._walk("created", now, last=False), *self._walk("updated", now, last=True))

    def _has_counters(self) -> bool:
        try:
            self._node.forwards("created", 1, 1)
        except NodeRefusedError as error:
            if error.code != _UNKNOWN_PARAMETER or "forwards.created" in self._store.cursors():
                raise  # It is not ready yet, or had them before: this is another trouble.
            return False
        return True

    def _walk(self, index: Index, now: Instant, *, last: bool) -> tuple[str, ...]:
        name = f"forwards.{index}"
        cursor = self._store.cursors().get(name, 0)
        problems: tuple[str, ...] = ()
        while True:
            page, unreadable = self._node.forwards(index, cursor + 1, PAGE)
            ended = [
                forward
                for forward in page
                if forward.status != "offered"
                and (index == "updated" or forward.updated_index is None)
            ]
            sums = tally(ended)
            cursor = max((_place(forward, index) for forward in page), default=cursor)
            problems += unreadable + sums.quarantined
            done = len(page) + len(unreadable) < PAGE or not page
            self._store.take_forwards(sums, {name: cursor}, now if last and done else None)
            if done:
                return problems

    def _by_time(self, now: Instant) -> tuple[str, ...]:
        if self._whole_until is None:
            since = Instant(self._store.cursors().get("forwards.time", 0))
            forwards, unreadable = self._node.all_forwards()
            self._whole_until = now
        else:
            since, unreadable = self._whole_until, ()
            forwards = tuple(self._heard.popleft() for _ in range(len(self._heard)))
            # The second that still runs belongs to the next cycle, whoever asks there.
            self._heard.extend(forward for forward in forwards if _end(forward) >= now)
        sums = tally(
            forward
            for forward in forwards
            if forward.status != "offered" and since <= _end(forward) < now
        )
        self._store.take_forwards(sums, {"forwards.time": now}, now)
        return unreadable + sums.quarantined


def _end(forward: Forward) -> Instant:
    return forward.resolved_at or forward.received_at


def _place(forward: Forward, index: Index) -> int:
    place = forward.created_index if index == "created" else forward.updated_index
    return place or 0
