"""The books of forwards: each counted once, by hour and day, whatever page it came in."""

from contextlib import closing

import pytest
from unit.adapters.store_examples import (
    NOW,
    channel,
    channel_id,
    digested,
    forward,
    scid,
    take,
)

from revops.adapters.store import Books, Store
from revops.core.memory import Memory
from revops.core.snapshot import Slice, Traffic
from revops.core.tally import size_of
from revops.core.units import DAY, HOUR

HOUR_NOW = NOW // HOUR
OUT = channel_id(2)


@pytest.fixture
def store(tmp_path):
    """
    Return new books that know two channels.
    """
    with closing(Store.open(tmp_path / "books.db")) as store:
        store.know_channels([channel(1), channel(2)], NOW)
        yield store


def traffic(store, number=2, *, memory=(), days=7, now=NOW):
    """
    Return the traffic of one channel.
    """
    return store.traffic(now, days, Memory(channels=memory))[channel_id(number)]


def test_traffic_is_what_the_forwards_add_up_to(store):
    """Sums of each hour and day, the latest time of each way and the total are all there."""
    take(store, [forward(1), forward(2, at=NOW - DAY), forward(3, status="failed")])

    size = size_of(1000)
    sums = {"out_count": 1, "out_msat": 1000, "earned_msat": 1, "size_sum": size}
    hour = Slice(start=HOUR_NOW - 24, **sums, size_squares=size * size)
    last = Slice(start=HOUR_NOW - 1, **sums, size_squares=size * size, failed_count=1)
    assert traffic(store) == Traffic(
        since=(HOUR_NOW - 24) * HOUR,
        until=NOW,
        out_count=2,
        last_out_at=NOW - HOUR,
        hours=(hour, last),
        days=(
            Slice(start=NOW // DAY - 1, **sums, size_squares=size * size),
            Slice(start=NOW // DAY, **sums, size_squares=size * size, failed_count=1),
        ),
    )
    into = traffic(store, 1)
    assert (into.hours[0].in_msat, into.days[0].sourced_msat) == (1001, 1)
    assert (into.out_count, into.last_in_at, into.last_out_at) == (0, NOW - HOUR, None)


def test_pages_add_up(store):
    """Forwards taken one by one give the same traffic as all at once."""
    times = [NOW - hours * HOUR for hours in (1, 30, 1, 2, 200)]
    for index, at in enumerate(times):
        take(store, [forward(index, at=at)])
    by_page = traffic(store)

    with closing(Store.open(store.path.with_name("whole.db"))) as whole:
        whole.know_channels([channel(1), channel(2)], NOW)
        take(whole, [forward(index, at=at) for index, at in enumerate(times)])
        assert traffic(whole) == by_page


def test_a_page_read_again_counts_once(store):
    """Whoever reads on from the cursor after a crash counts what came with it only once."""
    listed = [forward(index) for index in (1, 2, 3)]
    for _ in range(2):
        position = store.cursors().get("forwards.updated", 0)
        page = [item for item in listed if item.updated_index > position]
        take(store, page, **{"forwards.updated": 3})

    assert traffic(store).out_count == 3
    assert store.cursors() == {"forwards.updated": 3}


def test_cursors_are_kept_apart(store):
    """A walk moves its own cursor only."""
    take(store, [], **{"forwards.created": 5})
    take(store, [], **{"forwards.updated": 9})

    assert store.cursors() == {"forwards.created": 5, "forwards.updated": 9}


def test_unknown_is_not_none(store):
    """Before the books were complete once there is no traffic; then a quiet channel has none."""
    take(store, [forward(1)], until=None)
    assert store.traffic(NOW, 7, Memory()) == {}
    assert store.books() == Books(since=(HOUR_NOW - 1) * HOUR)

    store.know_channels([channel(3)], NOW)
    take(store, [])
    assert traffic(store, 3) == Traffic(since=(HOUR_NOW - 1) * HOUR, until=NOW)


def test_without_any_forward_the_past_is_unknown(store):
    """A node that lists no forwards tells nothing about the time before it was asked."""
    take(store, [])
    take(store, [], until=NOW + HOUR)

    assert store.books() == Books(since=NOW, until=NOW + HOUR)


def test_books_that_are_behind_stay_so(store):
    """A page in the middle does not move the time up to which the books are complete."""
    take(store, [], until=NOW - HOUR)
    take(store, [forward(1)], until=None)

    assert store.books().until == NOW - HOUR


def test_rows_that_cannot_be_are_only_numbered(store):
    """A settled forward that took out more than came in is counted nowhere but as a problem."""
    take(store, [forward(1, out_msat=2000), forward(2)])
    take(store, [forward(3, received_at=0)])

    assert store.books().quarantined == 2
    assert traffic(store).out_count == 1


def test_hours_are_those_not_digested_yet(store):
    """Memory gets complete hours that it has not seen, once it has seen any."""
    take(store, [forward(index, at=NOW - index * HOUR) for index in range(5)])

    def hours(*memory):
        return [part.start for part in traffic(store, memory=memory).hours]

    complete = [HOUR_NOW - 4, HOUR_NOW - 3, HOUR_NOW - 2, HOUR_NOW - 1]
    assert hours() == complete
    assert hours(digested(2, HOUR_NOW - 3)) == complete[2:]
    assert hours(digested(2, HOUR_NOW - 1)) == []


def test_without_memory_hours_go_back_as_far_as_the_window(store):
    """A channel that nothing was learned of yet gets the window, one that is remembered all."""
    take(store, [forward(1, at=NOW - 8 * DAY), forward(2)])

    assert [part.start for part in traffic(store).hours] == [HOUR_NOW - 1]
    memory = digested(2, HOUR_NOW - 9 * 24)
    assert len(traffic(store, memory=(memory,)).hours) == 2


def test_days_are_those_of_the_window(store):
    """A day counts while any of it lies within the window."""
    take(store, [forward(index, at=NOW - index * DAY) for index in range(10)])

    today = NOW // DAY
    assert [day.start for day in traffic(store, days=2).days] == [today - 2, today - 1, today]


def test_a_late_forward_changes_a_day_that_is_over(store):
    """Days that were read before are read again when a forward is added to them."""
    take(store, [forward(1, at=NOW - 2 * DAY)])
    assert traffic(store).days[0].out_count == 1

    take(store, [forward(2, at=NOW - 2 * DAY)])
    assert traffic(store).days[0].out_count == 2


def test_a_splice_keeps_the_traffic(store):
    """A channel's traffic is that of all the short channel ids it has had."""
    take(store, [forward(1), forward(2, at=NOW - 5 * HOUR)])
    store.know_channels([channel(2, scid=scid(9))], NOW)
    take(store, [forward(3, out_scid=scid(9))])

    after = traffic(store)
    assert after.out_count == 3
    assert [part.out_count for part in after.hours] == [1, 2]
    assert [part.out_count for part in after.days] == [3]


def test_channels_are_written_down_once(store):
    """A short channel id stays with the channel it was first seen with; none is no id."""
    store.know_channels([channel(7, scid=scid(2)), channel(8, scid=None)], NOW + 1)
    take(store, [forward(1)])

    assert sorted(store.traffic(NOW, 7, Memory())) == [channel_id(1), channel_id(2)]
