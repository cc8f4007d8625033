"""§5 Watch: a rebalance that runs goes on, is stopped, or is over - one of the three, always."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.attempts import AMOUNT, CHUNK, NEITHER, at_all, running
from property.strategies import configs, instants, msats, scids
from property.world import START

from revops.core.config import Config
from revops.core.reasons import Code, sentence
from revops.core.rebalance.watch import (
    DEADLINE_S,
    HANGS_S,
    PATIENCE_S,
    Keep,
    Over,
    Stop,
    ending_of,
    watch,
)
from revops.core.treasury import FAILURES, Ending, Job, Progress
from revops.core.units import MINUTE

CONFIG = Config()
LIMIT = 11 * CHUNK * 500 // 10**6
PATIENT = (Progress.WORKING, Progress.WAITING)
REFUSED = (Progress.TOO_EXPENSIVE, Progress.NO_ROUTE)

jobs = st.builds(
    Job,
    scid=scids(),
    progress=st.none() | st.sampled_from(Progress),
    words=st.text("1:NoRoutes", max_size=9),
)
looks = (at_all(), st.none() | jobs, st.none() | msats(), instants(), configs())
parts = st.integers(0, 9)


def job(progress):
    """
    Return a job as it is listed.
    """
    return Job(scid="700000x0x0", progress=progress, words="1:Somehow")


def seen(attempt, progress=Progress.WORKING, *, now=START, to_us=AMOUNT, config=CONFIG):
    """
    Return what becomes of *attempt* when the rebalancer lists it so.
    """
    return watch(attempt, progress and job(progress), to_us, now, config)


# One of three


@given(*looks)
def test_a_rebalance_goes_on_or_is_stopped_or_is_over(attempt, listed, to_us, now, config):
    """
    Whatever the books and the rebalancer say, there is exactly one answer, and its reason is a
    sentence; it is over when nothing of ours is listed any more, and only then.
    """
    found = watch(attempt, listed, to_us, now, config)

    assert isinstance(found, (Keep, Stop, Over))
    assert isinstance(found, Over) == (listed is None or listed.progress is None)
    assert isinstance(found, Keep) or "{" not in sentence(found.reason)


@given(*looks)
def test_nothing_goes_on_beyond_its_deadline(attempt, listed, to_us, now, config):
    """
    What goes on began less than two hours ago, or by less than that in the future of a clock that
    went back.
    """
    if isinstance(watch(attempt, listed, to_us, now, config), Keep):
        assert abs(now - attempt.at) < DEADLINE_S


@given(
    st.integers(0, DEADLINE_S - 1),
    st.sampled_from(PATIENT),
    parts,
    st.integers(0, 500),
    st.integers(0, AMOUNT),
    st.integers(1, AMOUNT),
)
def test_a_healthy_rebalance_is_left_alone(age, progress, chunks, ppm, before, grown):
    """
    Within its time a rebalance that pays no more than it may, for a balance that grows, goes on,
    however slowly.
    """
    moved = chunks * CHUNK
    attempt = running(
        at=START - age,
        moved_msat=moved,
        fee_msat=moved * ppm // 10**6,
        limit_msat=LIMIT,
        before_msat=before,
    )

    assert seen(attempt, progress, to_us=before + grown) == Keep()
    assert seen(attempt, progress, to_us=None) == Keep()


# Why it is stopped


@given(st.sampled_from(Progress), parts, st.integers(DEADLINE_S, 10**9))
def test_a_deadline_ends_it(progress, chunks, age):
    """
    After two hours it is stopped, whatever it says of itself.
    """
    assert isinstance(seen(running(at=START - age, moved_msat=chunks * CHUNK), progress), Stop)


@given(st.integers(0, 2 * DEADLINE_S))
def test_a_clock_that_went_back_keeps_nothing_going(ahead):
    """
    What is dated further ahead than a rebalance may take is stopped like one that took that long.
    """
    found = seen(running(at=START + ahead))

    assert isinstance(found, Stop) == (ahead >= DEADLINE_S)


@given(st.sampled_from(REFUSED), st.integers(0, 99 * MINUTE), st.integers(0, DEADLINE_S - 1), parts)
def test_a_market_that_says_no_is_asked_for_twenty_minutes(progress, moved_after, age, chunks):
    """
    Without a route, or without a cheap one, it is stopped 20 minutes after it began or after
    something last arrived, not earlier; and the reason says which of the two it was.
    """
    moved_at = START - age + min(moved_after, age) if chunks else None
    attempt = running(at=START - age, moved_msat=chunks * CHUNK, moved_at=moved_at)
    idle = START - (moved_at or attempt.at)
    found = seen(attempt, progress)

    assert isinstance(found, Stop) == (idle >= PATIENCE_S)
    if isinstance(found, Stop):
        assert found.ending.value == progress.value
        assert found.reason.code.value == f"job_{progress.value}"
        assert dict(found.reason.facts)["minutes"] == idle // MINUTE


UNWANTED = (
    {"paused": True},
    {"rebalancer": "none"},
    {"authority": "fees"},
    {"authority": "observe"},
)


@given(st.sampled_from(UNWANTED), st.sampled_from(PATIENT + REFUSED), parts)
def test_what_is_unwanted_is_stopped(wish, progress, chunks):
    """
    Paused, without a rebalancer or without the right to move liquidity nothing goes on; that says
    nothing about the way to the peer.
    """
    found = seen(running(moved_msat=chunks * CHUNK), progress, config=Config(**wish))

    assert isinstance(found, Stop)
    assert found.ending in NEITHER
    assert found.reason.code is Code.JOB_UNWANTED


@given(st.sampled_from(["fees", "observe"]))
def test_authority_is_about_what_is_done_unasked(authority):
    """
    What the operator ordered goes on, whatever revops may do by itself.
    """
    config = Config(authority=authority)

    assert seen(running(at=START, ordered=True), config=config) == Keep()
    assert isinstance(seen(running(at=START), config=config), Stop)


@given(parts, st.integers(1, 10**6), st.integers(0, 4999))
def test_what_costs_more_than_planned_is_stopped(chunks, more, ppm):
    """
    A single msat above what was planned for what has arrived is too much; so is any without
    anything that arrived.
    """
    moved = chunks * CHUNK
    planned = moved * ppm // 10**6
    attempt = running(at=START, moved_msat=moved, limit_msat=11 * CHUNK * ppm // 10**6)
    at_plan, above = (attrs.evolve(attempt, fee_msat=fee) for fee in (planned, planned + more))

    assert seen(at_plan) == Keep()
    assert seen(above).reason.code is Code.JOB_OVERCHARGED


@given(parts, st.integers(1, 500), msats(), msats())
def test_fees_without_a_growing_balance_are_stopped(chunks, ppm, before, to_us):
    """
    Once half of it arrived and was paid for, and not before, the balance is larger than it was, or
    it is stopped as something that only costs: which is not the market's fault.
    """
    moved = chunks * CHUNK
    paid = moved * ppm // 10**6
    attempt = running(at=START, moved_msat=moved, fee_msat=paid, before_msat=before)
    found = seen(attempt, to_us=to_us)

    assert isinstance(found, Stop) == (chunks >= 5 and to_us <= before)
    if isinstance(found, Stop):
        assert found.ending in NEITHER
        assert found.reason.code is Code.JOB_LEAKS


@given(st.sampled_from(Progress))
def test_when_all_has_arrived_no_more_is_paid(progress):
    """
    A rebalance that brought all it was to bring is stopped, whatever the rebalancer thinks.
    """
    found = seen(running(at=START, moved_msat=AMOUNT), progress)

    assert (found.ending, found.reason.code) == (Ending.DONE, Code.JOB_DONE)


@given(st.sampled_from([Progress.DONE, Progress.DEAD]), parts)
def test_what_cannot_go_on_is_stopped_and_not_believed(progress, chunks):
    """
    A job that says it needs nothing more, or that it cannot, is stopped as long as it is listed:
    a once job that sling calls balanced may wake up, and one that it calls an error goes on.
    """
    assert isinstance(seen(running(at=START, moved_msat=chunks * CHUNK), progress), Stop)


# How it ended


@given(st.sampled_from(Ending), st.integers(0, 11))
def test_an_ending_is_what_moved(cause, chunks):
    """
    All that was to move is done, some is partial (or stopped, if it was), and without anything it
    is why it ended; nothing that moved is a failure, and nothing that did not a success.
    """
    attempt = running(moved_msat=chunks * CHUNK)
    ending = ending_of(cause, attempt)

    assert (ending is Ending.DONE) == (chunks >= 10)
    if 0 < chunks < 10:
        assert ending is (Ending.STOPPED if cause is Ending.STOPPED else Ending.PARTIAL)
    if not chunks:
        assert ending_of(cause, attrs.evolve(attempt, amount_msat=0)) is ending
        assert ending not in (Ending.DONE, Ending.PARTIAL)
        assert (ending in FAILURES) == (cause in FAILURES)


@given(at_all(stopping=st.sampled_from(Ending)), *looks[1:])
def test_what_stopped_it_is_what_it_ended_of(attempt, listed, to_us, now, config):
    """
    Once it was decided why a rebalance is to end, it is stopped for that until it is gone,
    whatever changes meanwhile, and that is how it ended, if nothing moved.
    """
    found, gone = (watch(attempt, one, to_us, now, config) for one in (listed, None))

    assert gone.ending is ending_of(attempt.stopping, attempt)
    assert found == gone or found.ending is attempt.stopping


@pytest.mark.parametrize(("chunks", "ending"), [(0, "vanished"), (3, "partial"), (10, "done")])
def test_what_is_gone_unasked_ended_as_far_as_it_came(chunks, ending):
    """
    A rebalance that nobody stopped and that is not listed any more is done, partial or vanished,
    be it past its deadline: nobody knows how long it tried.
    """
    attempt = running(at=START - 9 * DEADLINE_S, moved_msat=chunks * CHUNK)
    theirs = job(None)

    for listed in (None, theirs):
        found = watch(attempt, listed, AMOUNT, START, CONFIG)
        assert found.ending.value == ending
        assert found.reason.code is Code.JOB_OVER


@given(st.lists(st.integers(0, 300), max_size=5), parts)
def test_a_payment_that_hangs_ends_it_before_another_is_made_in_its_place(ages, chunks):
    """
    As soon as one that is under way is 45 s old it is stopped, and not before; that says nothing
    about the way to the peer.
    """
    attempt = running(moved_msat=chunks * CHUNK)
    paying = tuple(START - age for age in ages)
    found = watch(attempt, job(Progress.WORKING), AMOUNT, START, CONFIG, paying)

    if max(ages, default=0) < HANGS_S:
        assert isinstance(found, Keep)
    else:
        assert (found.ending, found.reason.code) == (Ending.STOPPED, Code.JOB_HANGS)
