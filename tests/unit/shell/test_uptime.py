"""Uptime in the books: what cycles see and hear is added up, and old days are forgotten."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from unit.adapters.store_examples import PEER, channel

from revops.adapters.store import Store
from revops.core.checks import FieldError
from revops.core.units import DAY, Instant
from revops.core.uptime import Watched
from revops.shell.uptime import Uptime

MIDNIGHT = Instant(20_000 * DAY)
INTERVAL = 1800
THERE = (channel(1), channel(2, connected=False))
AWAY = tuple(attrs.evolve(one, connected=False) for one in THERE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """
    Return new books.
    """
    with closing(Store.open(tmp_path / "books.db")) as store:
        yield store


def look(uptime: Uptime, after_s: int, channels=THERE, interval_s: int = INTERVAL) -> Watched:
    """
    Look at the peer's channels some seconds after midnight.
    """
    return uptime.look(channels, MIDNIGHT + after_s, interval_s).get(PEER, Watched(0, 0))


def test_a_peer_is_there_when_one_of_its_channels_is(store: Store) -> None:
    """
    A peer with two channels is one peer; seconds are counted from look to look.
    """
    uptime = Uptime(store)

    assert look(uptime, 0) == (0, 0)
    assert look(uptime, 1800) == (1800, 1800)
    assert look(uptime, 3600, AWAY) == (1800, 1800)
    assert look(uptime, 5400, AWAY) == (3600, 1800)


def test_what_is_heard_counts_from_that_moment(store: Store) -> None:
    """
    Between two looks, notifications tell when; those that come while a look is being taken belong
    to the time after it.
    """
    uptime = Uptime(store)
    look(uptime, 0)
    uptime.heard(PEER, MIDNIGHT + 600, connected=False)
    uptime.heard(PEER, MIDNIGHT + 1900, connected=True)

    assert look(uptime, 1800, AWAY) == (1800, 600)
    assert look(uptime, 3600, THERE) == (3600, 600 + 1700)


def test_time_without_looks_is_not_watched(store: Store) -> None:
    """
    Neither a restart nor three intervals without a look are evidence of anything.
    """
    uptime = Uptime(store)
    look(uptime, 0)
    assert look(uptime, 3 * INTERVAL + 1) == (0, 0)
    assert look(uptime, 6 * INTERVAL + 1) == (3 * INTERVAL, 3 * INTERVAL)

    assert look(Uptime(store), 7 * INTERVAL) == (3 * INTERVAL, 3 * INTERVAL)


def test_a_week_is_told_and_ninety_days_are_kept(store: Store) -> None:
    """
    What is told are the last seven days, today included; days of a clock that ran ahead are not
    told, and days older than ninety are gone.
    """
    uptime = Uptime(store)
    look(uptime, -3600)
    look(uptime, 3600, interval_s=DAY)
    assert look(Uptime(store), 6 * DAY) == (3600, 3600)
    assert look(Uptime(store), 7 * DAY) == (0, 0)
    assert look(Uptime(store), -2 * DAY) == (0, 0)
    look(uptime, 90 * DAY, interval_s=30 * DAY)

    today = MIDNIGHT // DAY
    assert store.uptime(0, today - 1) == {}
    assert store.uptime(today, today + 90)[PEER].watched_s == 90 * DAY


def test_what_is_no_peer_is_not_heard(store: Store) -> None:
    """
    An id that cannot be is refused at once, before a cycle could stumble over it.
    """
    with pytest.raises(FieldError):
        Uptime(store).heard({}, MIDNIGHT, connected=True)
