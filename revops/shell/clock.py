"""The clock: the only place that asks for the time."""

import time

from revops.core.units import Instant


class Clock:
    """
    The machine's own time.
    """

    def now(self) -> Instant:
        """
        Return the time of day, for what is written down.
        """
        return Instant(int(time.time()))  # noqa: TID251 -- this is the place

    def ticks(self) -> float:
        """
        Return seconds that only ever go forward, for what is waited for.
        """
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """
        Wait.
        """
        time.sleep(seconds)
