"""Past: when something was, how much it counts by now, and how long it bars the way."""

from typing import Final

from revops.core.treasury import Attempt
from revops.core.units import DAY, Instant

HALF_LIFE_S: Final = 30 * DAY
"""What was a month ago counts half."""


def ended(attempt: Attempt) -> Instant:
    """
    Return when *attempt* ended, or began if it has not.
    """
    return attempt.at if attempt.ended_at is None else attempt.ended_at


def arrived(attempt: Attempt) -> Instant | None:
    """
    Return when the latest of what *attempt* moved arrived; `None` when nothing did.
    """
    if not attempt.moved_msat:
        return None
    return ended(attempt) if attempt.moved_at is None else attempt.moved_at


def fading(at: Instant, now: Instant) -> float:
    """
    Return how much what was *at* still counts; a clock that went back makes nothing count more.
    """
    return float(0.5 ** (max(0, now - at) / HALF_LIFE_S))


def rests_until(since: Instant, seconds: int, now: Instant) -> Instant | None:
    """
    Return when *seconds* have passed *since*; `None` once they have.

    A date further ahead than that comes from a wrong clock and holds nothing up.
    """
    until = Instant(since + seconds)
    return until if now < until <= now + 2 * seconds else None
