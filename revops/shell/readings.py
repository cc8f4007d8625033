"""Readings: the books read once for all who ask, by the thread that has the time."""

from functools import cached_property
from typing import Final

from revops.adapters.store import Store
from revops.core.ledger import Ledger
from revops.core.pnl import Period, Pnl, added, lifetime, period
from revops.core.profit import Assessment, assessed
from revops.core.units import DAY, Instant

WINDOW_DAYS: Final = 30
_WINDOWS: Final = 4
"""How many windows are kept ready."""


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

    def prepare(self) -> None:
        """
        Work all of it out now.
        """
        _ = self.period, self.lifetime, self.open


class Readings:
    """
    With a thousand channels, reading takes longer than all the rest of an answer: what is asked
    for often is read by the worker, whenever it has brought the books up to date.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: tuple[int, ...] = (WINDOW_DAYS,)
        self._ready: dict[tuple[int, int], Reading] = {}

    def renew(self, now: Instant) -> None:
        """
        Read the books anew, with the windows that were asked for last.
        """
        ready = {}
        for days in self._asked:
            window = _back(now, days)
            ready[window] = Reading(self._store.reports.ledger(now, *window))
            ready[window].prepare()
        self._ready = ready

    def lately(self, now: Instant, days: int = WINDOW_DAYS) -> Reading:
        """
        Return the books with a window of today and *days* days before, as of their last renewal.
        """
        if days not in self._asked:
            self._asked = (WINDOW_DAYS, *(*self._asked[1:], days)[1 - _WINDOWS :])
        return self.of(now, *_back(now, days))

    def of(self, now: Instant, first: int, last: int) -> Reading:
        """
        Return the books with the window of days *first* to *last*, likewise.
        """
        ready = self._ready
        if (first, last) not in ready:
            ready[first, last] = Reading(self._store.reports.ledger(now, first, last))
        return ready[first, last]


def _back(now: Instant, days: int) -> tuple[int, int]:
    return max(0, now // DAY - days), now // DAY
