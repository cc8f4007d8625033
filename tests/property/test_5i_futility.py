"""§5 Futility: a peer that nothing can be moved to is left alone, each time twice as long."""

import attrs
from hypothesis import given
from hypothesis import strategies as st
from property.attempts import (
    CHUNK,
    NEITHER,
    PEERS,
    at_all,
    numbered,
    rebalances,
    rows,
    running,
    treasury,
    tried,
)
from property.strategies import configs, instants, whole
from property.world import START

from revops.core.config import Config
from revops.core.rebalance.experience import experienced
from revops.core.rebalance.futility import LONGEST_S, futility
from revops.core.rebalance.watch import DEADLINE_S
from revops.core.treasury import FAILURES, Ending
from revops.core.units import DAY, HOUR

settings = configs(futility_failures=whole(1, 12))
failures = st.sampled_from(sorted(FAILURES))


def failed(count, ended_at=START, ending=Ending.NO_ROUTE):
    """
    Return a row of failures, the last of which ended then.
    """
    return [tried(at=ended_at - n, ended_at=ended_at - n, ending=ending) for n in range(count)][
        ::-1
    ]


def longest(config):
    """
    Return for how long a peer is left alone at most.
    """
    return max(LONGEST_S, config.futility_cooldown_hours * HOUR)


def barred(row, now, config):
    """
    Return when the peer that attempts made one after the other went to may be tried again.
    """
    return futility(numbered(row), now, config).until


@given(rows(), settings)
def test_failures_in_a_row_are_counted_one_by_one(row, config):
    """
    What is counted is how many failures there were since something last moved, however little;
    below futility-failures nothing is barred.
    """
    count = 0
    for attempt in row:
        if attempt.moved_msat:
            count = 0
        elif attempt.ending in FAILURES:
            count += 1

    found = futility(row, START, config)
    assert found.failures == count
    assert found.until is None or count >= config.futility_failures


@given(settings, failures, st.integers(0, 14))
def test_each_further_failure_doubles_the_rest(config, ending, further):
    """
    At futility-failures a peer rests for futility-cooldown-hours from the last failure, and twice
    as long after each further one, but never for more than a month (or what was asked for).
    """
    row = failed(config.futility_failures + further, ending=ending)
    rest = min(config.futility_cooldown_hours * HOUR * 2**further, longest(config))

    assert barred(row[: config.futility_failures - 1], START, config) is None
    assert barred(row, START, config) == START + rest
    assert barred(row, START + rest - 1, config) == START + rest
    assert barred(row, START + rest, config) is None


@given(st.integers(1, 12), st.integers(0, DEADLINE_S))
def test_the_failure_that_bars_longest_counts(most, later):
    """
    Of failures side by side each has its own rest, and the peer rests until all are over.
    """
    config = Config(futility_failures=most, futility_cooldown_hours=1)
    *row, last = failed(most)
    slow = tried(ended_at=START + later, ending=Ending.EXPIRED)
    until = START + max(later + HOUR, 2 * HOUR)

    assert barred([*row, slow, last], slow.ended_at, config) == until


@given(rows(), settings, st.integers(1, 10), st.sampled_from([None, *Ending]))
def test_anything_that_moves_makes_up_for_all(row, config, chunks, ending):
    """
    After a payment that arrived, be it the only one of a rebalance, or of one that still runs, no
    failure before it counts.
    """
    ended_at = None if ending is None else START
    moved = running(ending=ending, ended_at=ended_at, moved_msat=chunks * CHUNK)

    assert futility(numbered([*row, *failed(20), moved]), START, config).failures == 0
    assert barred([*row, *failed(20), moved], START, config) is None


@given(rows(), settings, st.sampled_from(NEITHER), st.integers(0, 8))
def test_only_real_failures_count(row, config, ending, place):
    """
    What the operator stopped, or what was lost with the rebalancer, is neither a failure nor does
    it make up for one.
    """
    place = min(place, len(row))
    more = numbered([*row[:place], tried(ending=ending), *row[place:]])

    assert futility(more, START, config) == futility(row, START, config)


@given(rows(rebalances(to_peer=st.sampled_from(PEERS[1:]))), settings)
def test_a_peer_answers_for_itself(row, config):
    """
    What failed toward others holds nobody up, and what arrived there makes up for nothing.
    """
    ours = failed(config.futility_failures)
    found = experienced(treasury(*row, *ours, *row), START, config)

    assert found.futility(PEERS[0]) == futility(ours, START, config)
    assert found.futile_until(PEERS[0]) == START + config.futility_cooldown_hours * HOUR


@given(settings, st.integers(0, DEADLINE_S - 1))
def test_after_a_rest_there_is_one_try_at_a_time(config, age):
    """
    A peer that may be tried again is not tried twice at once: as long as a try may run it waits.
    """
    row = failed(config.futility_failures, START - 10 * longest(config))
    trial = running(at=START - age)

    assert barred(row, START, config) is None
    assert barred([*row, trial], START, config) == trial.at + DEADLINE_S
    assert barred([*row, trial], trial.at + DEADLINE_S, config) is None
    assert barred([*row[1:], trial], START, config) is None


@given(settings, st.lists(st.integers(1, 3 * DAY), max_size=30))
def test_a_peer_that_always_fails_is_tried_ever_less_but_always_again(config, waits):
    """
    Tried at whatever times that is allowed, a peer never gets more than futility-failures tries
    before it rests, no rest is shorter than the one before nor longer than a month (or what was
    asked for), and after each there is another try.
    """
    now, row, rests = START, [], []
    for wait in waits:
        until = barred(row, now, config)
        if until is not None:
            rests.append(until - row[-1].ended_at)
            now = until
        assert barred(row, now, config) is None
        row.append(tried(at=now, ended_at=now, ending=Ending.TOO_EXPENSIVE))
        if len(row) < config.futility_failures:
            now += wait

    assert rests == sorted(rests)
    assert all(config.futility_cooldown_hours * HOUR <= rest <= longest(config) for rest in rests)
    assert len(rests) == max(0, len(waits) - config.futility_failures)


@given(rows(at_all(to_peer=st.just(PEERS[0]))), instants(), configs())
def test_no_wrong_clock_blocks_for_ever(row, now, config):
    """
    Whatever attempts are dated, a peer is never barred for more than twice the longest rest, and
    not by the same attempt again once that is over.
    """
    until = barred(row, now, config)
    bound = max(longest(config), DEADLINE_S)

    assert until is None or now < until <= now + 2 * bound
    assert until is None or barred(row, until, config) != until


@given(settings, st.integers(0, 47 * HOUR))
def test_a_small_step_back_frees_no_peer(config, back):
    """
    A clock that goes back by less than the rest leaves a peer barred until the same time.
    """
    config = attrs.evolve(config, futility_cooldown_hours=48)
    row = failed(config.futility_failures)

    assert barred(row, START - back, config) == barred(row, START, config)


@given(
    rows(at_all(ending=st.sampled_from([None, *sorted(set(Ending) - FAILURES)]))),
    instants(),
    configs(),
)
def test_without_a_failure_nothing_bars(row, now, config):
    """
    However much was tried and stopped, lost or done, without a failure a peer may be tried.
    """
    assert futility(row, now, config).until is None
