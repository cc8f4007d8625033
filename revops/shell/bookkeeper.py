"""The bookkeeper: what is asked of the node beside the cycles, hourly and when channels change."""

from typing import Any

from revops.core.snapshot import Snapshot
from revops.core.units import ChannelId, Scid
from revops.shell.accounting import Accounting
from revops.shell.cycle import Cycle
from revops.shell.days import Days


class Bookkeeper:
    """
    Keeps the books by what the last cycle saw.
    """

    def __init__(self, accounting: Accounting, days: Days, cycle: Cycle, log: Any) -> None:  # noqa: ANN401 -- structlog's loggers have no better type
        self._accounting = accounting
        self._days = days
        self._cycle = cycle
        self._log = log
        self._known: set[tuple[ChannelId, Scid | None, str]] | None = None

    def run(self) -> bool:
        """
        Bring the books up to date, and say whether there is more to do.

        Raises:
            NoAnswerError: The node is silent; the books stay as far as they got.
        """
        seen = self._seen()
        if seen is None:
            return False
        for problem in (*self._accounting.catch_up(seen), *self._days.catch_up(seen)):
            self._log.warning(problem)
        return self._accounting.behind

    def has_news(self) -> bool:
        """
        Say whether the last cycle saw a channel come, go or change since this was asked last.
        """
        seen = self._seen()
        if seen is None:
            return False
        before = self._known
        self._known = {(c.channel_id, c.scid, c.state) for c in seen.channels}
        return self._known != before

    def _seen(self) -> Snapshot | None:
        return self._cycle.last.snapshot if self._cycle.last else None
