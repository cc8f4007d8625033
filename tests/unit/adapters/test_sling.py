"""sling: started within bounds, watched, and stopped without touching what is not ours."""

import pytest
from calling import calling
from fake_circular import Fate
from fakes import FakeClock, FakeNode, HangUpError, RpcRefusalError
from unit.adapters.wire_examples import NOW

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.sling import Sling, patience
from revops.core.actions import Source, StartRebalance
from revops.core.treasury import Job, Progress

TARGET, SOURCE, OTHER = "150x2x0", "150x6x0", "150x4x0"
CHUNK = 50_000_000
FEE = 5_000
JOB = {"direction": "pull", "amount": 50_000, "maxppm": 500, "candidates": [SOURCE], "target": 0.9}


@pytest.fixture(name="node")
def _node() -> FakeNode:
    return FakeNode(NOW)


@pytest.fixture(name="sling")
def _sling(node: FakeNode) -> Sling:
    return Sling(calling(node), FakeClock(0).pause)


def filling(node: FakeNode, scid: str = TARGET, chunks: int = 2) -> StartRebalance:
    """
    Return the action that fills *scid* from one source.
    """
    target, source = node.channel(scid), node.channel(SOURCE)
    return StartRebalance(
        channel_id=target["channel_id"],
        scid=scid,
        peer_id=target["peer_id"],
        sources=(Source(channel_id=source["channel_id"], scid=SOURCE),),
        amount_msat=chunks * CHUNK,
        chunk_msat=CHUNK,
        max_ppm=200,
        max_fee_msat=(chunks + 1) * 10_000,
        expected_fee_msat=chunks * FEE,
        keep_share=0.05,
        keep_msat=100_000_000,
        to_us_msat=target["to_us_msat"],
    )


def words(sling: Sling) -> dict[str, str]:
    """
    Return what sling says of each channel that it lists.
    """
    return {job.scid: job.words for job in sling.look().jobs}


def test_a_refill_is_started_seen_and_forgotten(node: FakeNode, sling: Sling) -> None:
    """
    It moves what it was told to and no more; it is listed until it is stopped, and then no more.
    """
    before = node.channel(TARGET)["to_us_msat"]
    sling.start(filling(node))
    assert sling.look().jobs == (Job(scid=TARGET, progress=Progress.WORKING, words="1:Starting"),)
    node.sling.pass_time(1000)
    assert node.channel(TARGET)["to_us_msat"] == before + 2 * CHUNK
    assert sling.look().jobs[0].progress is Progress.DONE
    sling.stop(TARGET)

    assert sling.look().jobs == ()


def test_a_stop_ends_one_job_and_leaves_the_others(node: FakeNode, sling: Sling) -> None:
    """
    It names its channel: without that sling would stop everything.
    """
    node.sling.usual_ppm = 300
    for scid in (TARGET, OTHER):
        sling.start(filling(node, scid))
    node.sling.pass_time(5)
    sling.stop(TARGET)

    assert words(sling) == {OTHER: "1:NoCheapRoute"}


def test_where_nothing_runs_nothing_is_stopped(node: FakeNode, sling: Sling) -> None:
    """
    Sling is asked what it is at, and not to end it.
    """
    sling.stop(TARGET)

    assert node.called("sling-stop") == node.called("sling-deletejob") == []


def test_a_job_of_the_operator_is_never_stopped(node: FakeNode, sling: Sling) -> None:
    """
    It is listed without progress, with the channels that it may use, and goes on.
    """
    node.answer("sling-job", JOB | {"scid": TARGET})
    node.answer("sling-go", {"scid": TARGET})
    node.sling.pass_time(1)
    sling.stop(TARGET)

    assert sling.look().jobs == (
        Job(scid=TARGET, progress=None, partners=(SOURCE,), words="1:Rebalancing"),
    )


def test_a_job_that_came_after_ours_is_not_stopped_for_it(node: FakeNode, sling: Sling) -> None:
    """
    Over a once-job that is done the operator may have put his own.
    """
    sling.start(filling(node))
    node.sling.pass_time(10)
    node.answer("sling-job", JOB | {"scid": TARGET})
    node.answer("sling-go", {"scid": TARGET})
    node.sling.pass_time(1)
    sling.stop(TARGET)

    assert words(sling) == {TARGET: "1:Rebalancing"}


def test_what_was_stopped_leaves_nothing_behind(node: FakeNode, sling: Sling) -> None:
    """
    A job of the operator on that channel can be made, changed and is listed once.
    """
    sling.start(filling(node))
    sling.stop(TARGET)
    node.sling.pass_time(1)
    for maxppm in (500, 600):
        node.answer("sling-job", JOB | {"scid": TARGET, "maxppm": maxppm})
        node.answer("sling-go", {"scid": TARGET})

    assert len(node.answer("sling-stats", {"json": True})) == 1


def test_a_stop_that_is_not_seen_is_no_stop(node: FakeNode, sling: Sling) -> None:
    """
    While a payment is under way there is no answer; later it is stopped, and that payment is
    the last.
    """
    before = node.channel(TARGET)["to_us_msat"]
    node.sling.fate = lambda _pair: Fate(arrives_s=30)
    sling.start(filling(node))
    node.sling.pass_time(2)
    with pytest.raises(NoAnswerError, match="sling-stop: it hung up"):
        sling.stop(TARGET)
    node.sling.pass_time(60)
    assert words(sling) == {TARGET: "1:Stopped"}
    sling.stop(TARGET)

    assert sling.look().jobs == ()
    assert node.channel(TARGET)["to_us_msat"] == before + CHUNK


def test_a_stop_that_changes_nothing_is_no_stop(node: FakeNode, sling: Sling) -> None:
    """
    Whatever sling answers: what it still lists still runs.
    """
    sling.start(filling(node))
    listed = node.answer("sling-stats", {"json": True})
    node.garbage["sling-stats"] = lambda _reply: listed

    with pytest.raises(NoAnswerError, match=f"{TARGET} was to be stopped and is still listed"):
        sling.stop(TARGET)


@pytest.mark.parametrize("method", ["sling-version", "sling-jobsettings", "sling-stats"])
def test_a_stop_of_which_nothing_is_known_beforehand_is_not_asked_for(
    node: FakeNode, sling: Sling, method: str
) -> None:
    """
    Whose job it is must be known first.
    """
    sling.start(filling(node))
    node.garbage[method] = lambda _reply: "?"

    with pytest.raises(NoAnswerError, match=method):
        sling.stop(TARGET)
    assert node.called("sling-stop") == []


def test_what_dies_over_a_stop_is_at_nothing_afterwards(node: FakeNode, sling: Sling) -> None:
    """
    Its once-jobs die with it: the stop is in doubt first, and done when asked for again.
    """
    sling.start(filling(node))

    def die() -> None:
        node.sling.die()
        raise RpcRefusalError(-4, "Plugin terminated before replying to RPC call.")

    node.before["sling-stop"] = die
    with pytest.raises(NoAnswerError, match="Plugin terminated"):
        sling.stop(TARGET)
    sling.stop(TARGET)

    assert sling.look().jobs == ()


def test_a_start_whose_answer_is_lost_is_found(node: FakeNode, sling: Sling) -> None:
    """
    Nobody knows, and the next look does.
    """

    def hang_up() -> None:
        raise HangUpError

    node.after["sling-once"] = hang_up
    with pytest.raises(NoAnswerError):
        sling.start(filling(node))

    assert words(sling) == {TARGET: "1:Starting"}


def test_a_start_that_waits_is_behind_every_later_look(node: FakeNode, sling: Sling) -> None:
    """
    A look that is answered shows whatever was asked for before it, however late that happens.
    """
    node.sling.lock_held_until = node.sling.now + 300
    with pytest.raises(NoAnswerError):
        sling.start(filling(node))
    found = sling.look()
    assert (found.version, found.jobs) == ("4.3.1", None)
    node.sling.pass_time(300)

    assert TARGET in words(sling)


def test_tasks_are_listed_last(node: FakeNode, sling: Sling) -> None:
    """
    What was started a moment ago is listed an instant later than it was said to be: another
    answer lies between.
    """
    sling.look()

    assert [method for method, _ in node.calls] == [
        "sling-version",
        "sling-jobsettings",
        "listconfigs",
        "sling-stats",
    ]


def test_what_sling_refuses_did_not_happen(node: FakeNode, sling: Sling) -> None:
    """
    Over a job of the operator, or beyond what fits into the channel.
    """
    node.answer("sling-job", JOB | {"scid": TARGET})
    with pytest.raises(NodeRefusedError, match="There is already a job for that scid!"):
        sling.start(filling(node))
    with pytest.raises(NodeRefusedError, match="has not enough capacity to pull 500000000msat"):
        sling.start(filling(node, OTHER, chunks=10))

    assert words(sling) == {TARGET: "1:NotStarted"}


def test_sling_is_waited_for_longer_than_others() -> None:
    """
    Its answers may take two minutes; who waits longer for everything waits longer for it too.
    """
    assert patience("sling-stop", 15) == 180
    assert patience("sling-stop", 240) == 240
    assert patience("listforwards", 15) == 15


def test_what_is_stopped_has_time_to_see_it_before_it_is_forgotten(node: FakeNode) -> None:
    """
    A task of real sling that is forgotten sooner panics, into the operator's log.
    """
    seen: list[tuple[float, str]] = []
    sling = Sling(calling(node), lambda seconds: seen.append((seconds, node.calls[-1][0])))
    sling.start(filling(node))
    node.sling.pass_time(1)
    sling.stop(TARGET)

    assert [(wait >= 1, last) for wait, last in seen] == [(True, "sling-stop")]
    assert words(sling) == {}
