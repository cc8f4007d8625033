"""Forwards: the books follow what the node lists, each forward counted once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any, Final, TypeVar

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.replies_forwards import forwards_of
from revops.adapters.store import Store
from revops.core.tally import Forward, Misfit, Tally, tally
from revops.core.units import DAY, HOUR, Instant
from revops.shell.ports import Index, NodePort

Row = TypeVar("Row", Forward, Misfit)

PAGE: Final = 2000
PAGES: Final = 10
"""How many pages are read in one turn, into one transaction."""
HEARD: Final = 10_000
"""How many events are kept until they are counted."""
_INDEXES: Final[tuple[Index, Index]] = ("created", "updated")
_NEVER: Final = 2**63
"""Beyond any index."""
_UNKNOWN_PARAMETER: Final = -32602
"""JSON-RPC's code for it, as it calls any wrong parameters."""


class Forwards:
    """
    Two walks along lightningd's own counters.

    A forward gets a created index, and an updated index once it ends elsewhere. What had ended
    when the books were begun is counted on the first walk, together with what ends on the spot;
    whatever ends later is counted on the second, so that none is counted twice and no list of
    those counted is needed.

    Nodes before 23.11 have no such counters: there, one full read at start covers the time up to
    it and `forward_event` the time since.

    Attributes:
        behind: About how many rows are yet to be read; 0 when the last turn read them all.
        notice: What the operator should know about how the books go on; `None` for nothing.
    """

    def __init__(
        self,
        node: NodePort,
        store: Store,
        history_days: Callable[[], int],
        log: Any,  # noqa: ANN401 -- structlog's loggers have no better type
    ) -> None:
        self._node = node
        self._store = store
        self._history_days = history_days
        self._log = log
        self._indexed: bool | None = None
        self._last: dict[Index, int] = {}
        self._heard: deque[Forward] = deque()
        self._missed = False
        self._whole_until: Instant | None = None
        self.behind = 0
        self.notice: str | None = None

    def event(self, event: Mapping[str, Any]) -> None:
        """
        Take note of a `forward_event`; where the node keeps counters nothing depends on it.
        """
        if self._indexed:
            return
        if len(self._heard) < HEARD:
            self._heard.extend(forwards_of({"forwards": [event]})[0])
        else:
            self._missed = True

    def turn(self, now: Instant) -> bool:
        """
        Count what is new, up to a number of pages; return whether the books are complete up to
        *now* then.

        Raises:
            NodeRefusedError, NoAnswerError: The node did not list them; the books stay as far
                as they got.
            StoreError: They are another node's, or cannot be written.
        """
        if self._indexed is None:
            self._indexed = self._begin()
        if not self._indexed:
            self._by_time(now)
            return True
        self._heard.clear()
        pages = _Pages(self._node, self._store.cursors())
        sums = tally(pages.forwards())
        self._take(sums, pages.misfits, pages.cursors, now, complete=pages.complete)
        self.behind = pages.left(self._last)
        if pages.trouble:
            raise pages.trouble
        return pages.complete

    # The beginning -------------------------------------------------------------------------

    def _begin(self) -> bool:
        """
        Find out whose forwards these are and how far they go; return whether they have indexes.
        """
        self._store.upkeep.belong_to(self._node.info().node_id)
        cursors = self._store.cursors()
        try:
            self._node.forwards("created", 1, 1)
        except NodeRefusedError as error:
            if error.code != _UNKNOWN_PARAMETER or _name("created") in cursors:
                raise  # It is not ready yet, or had them before: this is another trouble.
            return False
        for index in _INDEXES:
            self._last[index] = self._node.last_forward(index)
        if _name("created") in cursors:
            self._go_back(cursors)
        else:
            until = self._last["updated"]
            self._move({"forwards.split": until, _name("updated"): until})
        return True

    def _go_back(self, cursors: Mapping[str, int]) -> None:
        """
        Go back to the node's last forward where it has fewer than were counted.
        """
        beyond = {
            index: at
            for index in _INDEXES
            if (at := cursors.get(_name(index), 0)) > self._last[index]
            and not any(self._node.forwards(index, at, 1))
        }
        if not beyond:
            return
        read = ", ".join(f"{at} {index}" for index, at in beyond.items())
        has = ", ".join(f"{self._last[index]} {index}" for index in beyond)
        self.notice = (
            f"the node's forwards end at {has} and were counted up to {read}: its database was"
            " restored; what is counted stays, and counting goes on from there"
        )
        self._log.warning(self.notice)
        self._move(
            {
                **{_name(index): self._last[index] for index in beyond},
                "forwards.split": min(cursors.get("forwards.split", 0), self._last["updated"]),
                **{f"forwards.restored.{index}": self._last[index] for index in _INDEXES},
            }
        )

    def _move(self, cursors: Mapping[str, int]) -> None:
        self._store.take_forwards(tally(()), cursors, None)

    # What is counted -----------------------------------------------------------------------

    def _take(
        self,
        sums: Tally,
        unread: tuple[Misfit, ...],
        cursors: Mapping[str, int],
        now: Instant,
        *,
        complete: bool,
    ) -> None:
        sums = attrs.evolve(sums, misfits=unread + sums.misfits)
        oldest_hour = (now - self._history_days() * DAY) // HOUR
        self._store.take_forwards(
            sums, cursors, now if complete else None, at=now, oldest_hour=oldest_hour
        )
        if sums.misfits:
            self._log.warning(
                f"listforwards: {len(sums.misfits)} forwards cannot be and are left out, the last:"
                f" {sums.misfits[-1].why}"
            )

    def _by_time(self, now: Instant) -> None:
        heard = tuple(self._heard.popleft() for _ in range(len(self._heard)))
        # The second that still runs belongs to the next turn, whoever asks there.
        self._heard.extend(forward for forward in heard if _end(forward) >= now)
        if self._whole_until is None or self._missed:
            self._whole_until, self._missed = None, False
            since = Instant(self._store.cursors().get("forwards.time", 0))
            forwards, unread = self._node.all_forwards()
            self._whole_until = now
        else:
            since, forwards, unread = self._whole_until, heard, ()
        sums = tally(forward for forward in forwards if since <= _end(forward) < now)
        # What cannot be read has no time: it is told the first time that all are read.
        misfits = () if since else unread
        self._take(sums, misfits, {"forwards.time": now}, now, complete=True)


class _Pages:
    """
    Some pages of both walks, read one after the other as their forwards are taken.

    Attributes:
        cursors: How far they were read.
        misfits: Rows that could not be read.
        complete: Whether they were read to their ends.
        trouble: Why they were not.
    """

    def __init__(self, node: NodePort, cursors: Mapping[str, int]) -> None:
        self._node = node
        self._split = cursors.get("forwards.split", 0)
        self._since = cursors.get("forwards.time", 0)
        self._restored = [cursors.get(f"forwards.restored.{index}", _NEVER) for index in _INDEXES]
        self.cursors = {_name(index): cursors.get(_name(index), 0) for index in _INDEXES}
        self.misfits: tuple[Misfit, ...] = ()
        self.complete = False
        self.trouble: NodeRefusedError | NoAnswerError | None = None

    def left(self, last: Mapping[Index, int]) -> int:
        """
        Return about how many rows are left, when the lists went up to *last* once.
        """
        if self.complete:
            return 0
        return 1 + sum(max(0, last[index] - self.cursors[_name(index)]) for index in last)

    def forwards(self) -> Iterator[Forward]:
        """
        Return what is to be counted.
        """
        pages = PAGES
        for index in _INDEXES:
            done = False
            while not done:
                if not pages:
                    return
                pages -= 1
                try:
                    forwards, done = self._page(index)
                except (NodeRefusedError, NoAnswerError) as error:
                    self.trouble = error
                    return
                yield from forwards
        self.complete = True

    def _page(self, index: Index) -> tuple[list[Forward], bool]:
        """
        Return what one page has to be counted, and whether it is the last.
        """
        name = _name(index)
        cursor = self.cursors[name]
        forwards, misfits = self._node.forwards(index, cursor + 1, PAGE)
        place_of: Callable[[Forward | Misfit], int | None] = attrgetter(f"{index}_index")
        places = [*map(place_of, forwards), *map(place_of, misfits)]
        last = max(filter(None, places), default=0)
        if places and last <= cursor:
            msg = f"listforwards: {index}_index is above {cursor} in none of {len(places)} rows"
            raise NoAnswerError(msg)
        self.cursors[name] = max(cursor, last)
        due = self._created if index == "created" else self._updated
        self.misfits += tuple(due(misfits, cursor))
        if None in places:
            self.misfits += tuple(_unplaced((*forwards, *misfits), index))
        found = due(forwards, cursor)
        if self._since:
            found = [forward for forward in found if _end(forward) >= self._since]
        return found, len(places) < PAGE

    def _created(self, rows: Iterable[Row], cursor: int) -> list[Row]:
        split = self._split
        return [
            row
            for row in rows
            if (place := row.created_index) is not None
            and place > cursor
            and ((updated := row.updated_index) is None or updated <= split)
        ]

    def _updated(self, rows: Iterable[Row], cursor: int) -> list[Row]:
        # Those that were in flight when the node's database was saved have ended before, too.
        last_created, last_updated = self._restored
        return [
            row
            for row in rows
            if (place := row.updated_index) is not None
            and place > cursor
            and (place <= last_updated or (row.created_index or 0) > last_created)
        ]


def _unplaced(rows: Iterable[Forward | Misfit], index: Index) -> Iterator[Misfit]:
    for row in rows:
        if (row.created_index if index == "created" else row.updated_index) is None:
            yield row if isinstance(row, Misfit) else Misfit(None, None, f"{row}: no {index}_index")


def _name(index: Index) -> str:
    return f"forwards.{index}"


def _end(forward: Forward) -> Instant:
    return forward.resolved_at or forward.received_at
