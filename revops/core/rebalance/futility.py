"""Futility: a peer that cannot be reached again and again is left alone, twice as long each time."""

from collections.abc import Iterable
from typing import Final

import attrs

from revops.core.config import Config
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
    failures, last = 0, Instant(0)
    for attempt in attempts:
        if attempt.moved_msat:
            failures = 0
        elif attempt.ending in FAILURES:
            failures, last = failures + 1, ended(attempt)
    beyond = failures - config.futility_failures
    if beyond < 0:
        return Futility(failures=failures)
    rest = config.futility_cooldown_hours * HOUR
    # Ten doublings make more than a month of any hour.
    longest = min(rest << min(beyond, 10), max(rest, LONGEST_S))
    return Futility(failures=failures, until=rests_until(last, longest, now))


def ended(attempt: Attempt) -> Instant:
    """
    Return when *attempt* ended, or began if it has not.
    """
    return attempt.at if attempt.ended_at is None else attempt.ended_at


def rests_until(since: Instant, seconds: int, now: Instant) -> Instant | None:
    """
    Return when *seconds* have passed *since*; `None` once they have.

    A date further ahead than that comes from a wrong clock and holds nothing up.
    """
    until = Instant(since + seconds)
    return until if now < until <= now + 2 * seconds else None
