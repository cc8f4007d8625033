"""Readings: the books read once for all who ask, by the thread that has the time."""

from functools import cached_property
from typing import Final

from revops.adapters.store import Store
from revops.core.ledger import Ledger
from revops.core.pnl import Period, Pnl, added, lifetime, period
from revops.core.profit import Assessment, assessed
from revops.core.units import DAY, Instant

WINDOW_DAYS: Final = 30
_USUAL: Final = (WINDOW_DAYS, 7)
"""The windows that are kept ready from the start: cl-hive asks for a week."""
_OTHERS: Final = 2
"""How many others are, once somebody asked for them."""
_MOST: Final = 8
"""How many are kept until the next renewal; each takes some megabytes."""


class Reading:
    """
    The books as of one moment, and what the rules of money say about them.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    @cached_property
    def period(self) -> Period:
        """
        Return the P&L of the node over the window.
        """
        return period(self.ledger)

    @cached_property
    def lifetime(self) -> Pnl:
        """
        Return the P&L of the node over all its life.
        """
        return lifetime(self.ledger)

    @cached_property
    def assessments(self) -> tuple[Assessment, ...]:
        """
        Return what every channel is worth.
        """
        return tuple(assessed(account, self.ledger) for account in self.ledger.accounts)

    @cached_property
    def open(self) -> Pnl:
        """
        Return what the channels that are open come to over their lives.
        """
        return added(a.life for a in self.assessments if a.account.closed_at is None)

    def work_out(self, *, whole: bool) -> None:
        """
        Work out the window, or the *whole*, so that it is there when somebody asks.
        """
        _ = self.period
        if whole:
            _ = self.lifetime, self.open


class Readings:
    """
    With a thousand channels, reading takes longer than all the rest of an answer: what is asked
    for often is read by the worker, whenever it has brought the books up to date.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: tuple[int, ...] = _USUAL
        self._ready: dict[tuple[int, int], Reading] = {}

    def renew(self, now: Instant) -> None:
        """
        Read the books anew, with the windows that were asked for last.
        """
        ready = {}
        for days in self._asked:
            window = _back(now, days)
            ready[window] = Reading(self._store.reports.ledger(now, *window))
            # Now, and by this thread; most reports are about this window.
            ready[window].work_out(whole=days == WINDOW_DAYS)
        self._ready = ready

    def lately(self, now: Instant, days: int = WINDOW_DAYS) -> Reading:
        """
        Return the books with a window of today and *days* days before, as of their last renewal.
        """
        if days not in self._asked:
            others = (*self._asked[len(_USUAL) :], days)
            self._asked = (*_USUAL, *others[-_OTHERS:])
        return self.of(now, *_back(now, days))

    def of(self, now: Instant, first: int, last: int) -> Reading:
        """
        Return the books with the window of days *first* to *last*, likewise.
        """
        ready = self._ready
        reading = ready.get((first, last))
        if reading is None:
            reading = Reading(self._store.reports.ledger(now, first, last))
            if len(ready) < _MOST:
                ready[first, last] = reading
        return reading


def _back(now: Instant, days: int) -> tuple[int, int]:
    return max(0, now // DAY - days), now // DAY
