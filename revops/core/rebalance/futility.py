"""Futility: a peer that nothing can be moved to is left alone, each time twice as long."""

from collections.abc import Iterable
from typing import Final

import attrs

from revops.core.config import Config
from revops.core.rebalance.past import ended, rests_until
from revops.core.rebalance.watch import DEADLINE_S
from revops.core.treasury import FAILURES, Attempt
from revops.core.units import DAY, HOUR, Instant

LONGEST_S: Final = 30 * DAY
"""However often it failed: a network changes within a month."""


@attrs.frozen(kw_only=True)
class Futility:
    """
    How hopeless it looks to refill toward a peer.

    Attributes:
        failures: In a row.
        until: When it may be tried again; `None` when it may now.
    """

    failures: int = 0
    until: Instant | None = None


def futility(attempts: Iterable[Attempt], now: Instant, config: Config) -> Futility:
    """
    Return what *attempts* toward one peer, in the order they were made, come to.
    """
    failures = 0
    bars: list[Instant | None] = []
    for attempt in attempts:
        if attempt.moved_msat:
            failures, bars = 0, []
        elif attempt.ending in FAILURES:
            failures += 1
            bars.append(rests_until(ended(attempt), _rest(failures, config), now))
        elif attempt.open:
            # One try at a time, then; one that never ends must not hold it up either.
            bars.append(rests_until(attempt.at, DEADLINE_S, now))
    if failures < config.futility_failures:
        return Futility(failures=failures)
    return Futility(failures=failures, until=max(filter(None, bars), default=None))


def _rest(failures: int, config: Config) -> int:
    """
    Return for how long a peer rests after so many *failures* in a row.
    """
    first = config.futility_cooldown_hours * HOUR
    # Ten doublings make more than a month of any hour.
    doublings = min(max(failures - config.futility_failures, 0), 10)
    return min(first << doublings, max(first, LONGEST_S))
