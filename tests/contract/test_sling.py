"""sling: what v4.2.1 was seen to answer is read, and what it refuses keeps its words."""

import re
from typing import Any

import attrs
import pytest
from contract.recorded import names, reply
from fakes import FakeClock

from revops.adapters.errors import NoAnswerError, NodeRefusedError, NotAskedError, WireError
from revops.adapters.replies_books import arriving_in, moves_of, payments_of, pending_of
from revops.adapters.sling import Sling
from revops.core.actions import Source, StartRebalance
from revops.core.refills import paired
from revops.core.treasury import Engine, Job, Progress

TARGET, SOURCE = "107x1x0", "103x1x0"
START = StartRebalance(
    channel_id="b" * 64,
    scid=TARGET,
    peer_id="02" + "b" * 64,
    sources=(Source(channel_id="c" * 64, scid=SOURCE),),
    amount_msat=100_000_000,
    chunk_msat=50_000_000,
    max_ppm=1000,
    max_fee_msat=150_000,
    expected_fee_msat=20_000,
    keep_share=0.05,
    keep_msat=100_000_001,
    to_us_msat=0,
)


class Answers:
    """
    Something that answers each method as it was told to, and remembers what it was asked.
    """

    def __init__(self, timeout: Any = None, **answers: Any) -> None:
        self.answers = {f"sling-{name}": answer for name, answer in answers.items()}
        told = recorded("listconfigs_timeoutpay") if timeout is None else timeout
        self.answers["listconfigs"] = told
        self.asked: list[tuple[str, dict[str, object]]] = []

    def call(self, method: str, params: dict[str, object]) -> object:
        """
        Answer, or raise what is to come instead.
        """
        self.asked.append((method, params))
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer


def recorded(name: str) -> Any:
    """
    Return what sling was seen to answer.
    """
    return reply(f"sling/{name}.json")


def refused(name: str, method: str = "sling-once") -> NodeRefusedError:
    """
    Return an error that sling was seen to answer, as the RPC raises it.
    """
    error = recorded(name)
    return NodeRefusedError(method, error["code"], error["message"])


def looking(stats: Any, settings: Any = None, version: Any = None) -> Engine:
    """
    Return what a look at these replies comes to.
    """
    version = recorded("version") if version is None else version
    settings = {} if settings is None else settings
    return Sling(
        Answers(version=version, jobsettings=settings, stats=stats).call, FakeClock(0).pause
    ).look()


@pytest.mark.parametrize(
    ("name", "progress", "words"),
    [
        ("once_in_flight", Progress.WORKING, "1:Rebalancing"),
        ("once_done", Progress.DONE, "1:Balanced"),
        ("once_stopped", Progress.DEAD, "1:Stopped"),
        ("once_stopped_again", Progress.DEAD, "1:Stopping"),
        ("no_cheap_route", Progress.TOO_EXPENSIVE, "1:NoCheapRoute"),
        ("no_candidates", Progress.NO_ROUTE, "1:NoCandidates"),
        ("no_routes", Progress.NO_ROUTE, "1:NoRoutes"),
        ("error", Progress.DEAD, "1:Error"),
    ],
)
def test_a_task_is_listed_with_its_progress_until_it_is_forgotten(
    name: str, progress: Progress, words: str
) -> None:
    """
    Each state that was recorded of a once-job is known, and none of them takes it off the list.
    """
    jobs = (Job(scid=TARGET, progress=progress, words=words),)

    assert looking(recorded(f"stats_{name}")) == Engine(version="4.2.1", jobs=jobs)


@pytest.mark.parametrize("name", ["job_not_started", "job_running", "job_stopped", "scid_twice"])
def test_a_job_that_is_kept_is_never_taken_for_ours(name: str) -> None:
    """
    Whatever its tasks are at, and though it is listed twice: it has partners and no progress.
    """
    (job,) = looking(recorded(f"stats_{name}"), recorded("jobsettings_job")).jobs

    assert (job.scid, job.partners, job.progress) == (TARGET, (SOURCE,), None)
    assert job.words.startswith("1:")


def test_words_of_a_task_are_one_line_without_secrets() -> None:
    """
    Of a task, sling may say what it likes; people are shown it.
    """
    said = ["1:Stuck", f"2:\x1b[2J\n{'5ec2e7' * 12}"]
    (job,) = looking([{"scid": TARGET, "status": said}]).jobs

    assert job.words == r"1:Stuck, 2:\x1b[2J\n(72 letters left out)"


def test_nothing_listed_is_nothing_at_work() -> None:
    """
    Before the first job, and after the last one was forgotten, there is none.
    """
    for name in ("none", "once_deleted"):
        assert looking(recorded(f"stats_{name}"), recorded("jobsettings_none")).jobs == ()


@pytest.mark.parametrize(
    ("states", "progress"),
    [
        (["1:Balanced", "2:NoCheapRoute", "3:Balanced"], Progress.TOO_EXPENSIVE),
        (["1:Error", "2:Balanced"], Progress.DONE),
        (["1:NoRoutes", "2:HTLCcapped"], Progress.WAITING),
        (["1:NoCheapRoute", "2:Rebalancing", "10:Stopped"], Progress.WORKING),
        (["1:Stopped", "2:SomethingNew"], Progress.WORKING),
        ([], Progress.WORKING),
    ],
)
def test_of_several_tasks_the_one_farthest_from_its_end_counts(
    states: list[str], progress: Progress
) -> None:
    """
    A job is as far as the task that has most before it; a state that nobody knows is no end.
    """
    (job,) = looking([{"scid": TARGET, "status": states}]).jobs

    assert (job.progress, job.words) == (progress, ", ".join(states))


@pytest.mark.parametrize(
    ("timeout", "trouble"),
    [
        ({"configs": {"sling-timeoutpay": {"value_int": 119}}}, "sling-timeoutpay is 119 s: below"),
        ({"configs": {"sling-timeoutpay": {"value_int": "120"}}}, "listconfigs.configs.sling-"),
        ({"configs": {}}, "listconfigs.configs.sling-timeoutpay"),
        ([], "listconfigs.configs.sling-timeoutpay"),
        (NodeRefusedError("listconfigs", -32602, "Unknown config option"), "Unknown config"),
        (NoAnswerError("listconfigs: no answer"), "listconfigs: no answer"),
    ],
)
def test_sling_that_gives_payments_up_too_soon_is_trouble_and_is_still_seen(
    timeout: Any, trouble: str
) -> None:
    """
    Nothing is begun then, and what runs is looked after.
    """
    stats = recorded("stats_once_in_flight")
    answers = Answers(timeout, version=recorded("version"), jobsettings={}, stats=stats)
    found = Sling(answers.call, FakeClock(0).pause).look()

    assert trouble in found.trouble
    assert found.jobs == looking(stats).jobs
    assert looking(stats).trouble == ""


def test_sling_that_is_not_there_is_at_nothing() -> None:
    """
    A lightningd without it says so, whichever method is asked for; that is no silence.
    """
    absent = refused("err_absent", "sling-version")
    expected = Engine(
        trouble="sling is not there: Unknown command 'sling-version'", version=None, jobs=()
    )

    assert Sling(Answers(version=absent).call, FakeClock(0).pause).look() == expected
    gone = Answers(version=recorded("version"), jobsettings=absent)
    assert Sling(gone.call, FakeClock(0).pause).look() == expected


@pytest.mark.parametrize(
    ("stats", "trouble"),
    [
        ({"format-hint": "simple", "result": "…"}, "sling-stats: expected a list, got {"),
        ([{"scid": TARGET}], r"sling-stats\[0\].status: is missing"),
        ([{"scid": "107", "status": []}], r"sling-stats\[0\].scid: expected "),
        ([5], r"sling-stats\[0\]: expected an object, got 5"),
        ([{"scid": TARGET, "status": ["1:A", 2]}], r"sling-stats\[0\].status\[1\]: expected text"),
        (NoAnswerError("sling-stats: silence"), "sling-stats: silence"),
        (NotAskedError("sling-stats: rests"), "sling-stats: rests"),
        (NodeRefusedError("sling-stats", -32700, "No such file"), "sling-stats: No such file"),
        (
            NodeRefusedError("sling-stats", -4, "Plugin terminated"),
            "sling-stats: Plugin terminated",
        ),
    ],
)
def test_what_cannot_be_understood_is_trouble_and_no_empty_list(stats: Any, trouble: str) -> None:
    """
    A hanging, dying or stammering sling leaves its jobs unknown, in a sentence, and raises nothing.
    """
    found = looking(stats)

    assert (found.version, found.jobs) == ("4.2.1", None)
    assert re.match(trouble, found.trouble)


@pytest.mark.parametrize(
    ("settings", "trouble"),
    [
        ([], r"sling-jobsettings: expected an object, got \[\]"),
        ({TARGET: []}, rf"sling-jobsettings.{TARGET}: expected an object, got \[\]"),
        ({TARGET: {"candidates": "x"}}, rf"sling-jobsettings.{TARGET}.candidates: expected a list"),
        ({"all": {}}, r"sling-jobsettings.all.scid: expected a short channel id"),
    ],
)
def test_settings_that_cannot_be_understood_are_trouble(settings: Any, trouble: str) -> None:
    """
    Whose a task is cannot be told without them: then nothing is told.
    """
    found = looking([], settings)

    assert found.jobs is None
    assert re.match(trouble, found.trouble)


@pytest.mark.parametrize("version", ["v4.2.1", "4.2.1"])
def test_a_version_is_its_numbers(version: str) -> None:
    """
    With or without the v in front.
    """
    assert looking([], version={"version": version}).version == "4.2.1"


@pytest.mark.parametrize("version", [{"version": "next"}, {"version": "v4.3.1-rc1"}, {}, "v4.2.1"])
def test_a_version_that_cannot_be_compared_is_trouble(version: Any) -> None:
    """
    What is no list of numbers is not taken for old or new.
    """
    found = looking([], version=version)

    assert (found.version, found.jobs) == (None, None)
    assert found.trouble.startswith("sling-version")


def test_what_is_started_is_what_was_asked_for_and_cannot_be_more() -> None:
    """
    One bounded order by names, in whole satoshi, with both limits of depletion, candidates, hops,
    and one payment at a time.
    """
    sling = Answers(once=recorded("once"))

    assert Sling(sling.call, FakeClock(0).pause).start(START) is None
    assert sling.asked == [
        (
            "sling-once",
            {
                "scid": TARGET,
                "direction": "pull",
                "amount": 50_000,
                "onceamount": 100_000,
                "maxppm": 1000,
                "maxhops": 8,
                "candidates": [SOURCE],
                "depleteuptopercent": 0.05,
                "depleteuptoamount": 100_001,
                "paralleljobs": 1,
            },
        )
    ]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sources": ()}, "sources: expected at least one, got none"),
        ({"chunk_msat": 50_000_001}, "chunk_msat: expected whole satoshi, got 50000001"),
        ({"chunk_msat": 0}, "chunk_msat: expected whole satoshi, got 0"),
        ({"amount_msat": 120_000_000}, "amount_msat: expected whole chunks of 50000000, got 1200"),
        ({"amount_msat": 0}, "amount_msat: expected whole chunks of 50000000, got 0"),
    ],
)
def test_what_sling_cannot_be_told_is_refused_unasked(
    changes: dict[str, Any], problem: str
) -> None:
    """
    No candidates, which sling takes for any, and amounts that it would round or refuse.
    """
    sling = Answers()

    with pytest.raises(NodeRefusedError, match=f"sling-once: {problem}"):
        Sling(sling.call, FakeClock(0).pause).start(attrs.evolve(START, **changes))
    assert sling.asked == []


@pytest.mark.parametrize("name", sorted(n[6:-5] for n in names("sling/err_once_*.json")))
def test_what_sling_refuses_is_refused_in_its_words(name: str) -> None:
    """
    Each refusal that was recorded says that nothing happened, and why.
    """
    with pytest.raises(NodeRefusedError) as caught:
        Sling(Answers(once=refused(name)).call, FakeClock(0).pause).start(START)

    assert caught.value.message == recorded(name)["message"]


@pytest.mark.parametrize(
    "answer",
    [
        NoAnswerError("sling-once: silence"),
        NodeRefusedError("sling-once", -4, "Plugin terminated before replying to RPC call."),
        NodeRefusedError("sling-once", -32603, "internal error"),
        NodeRefusedError("sling-once", None, "no code"),
        {"result": "success"},
        {"result": 1},
        {},
        None,
    ],
)
def test_a_start_without_a_clear_answer_may_have_happened(answer: Any) -> None:
    """
    Silence, the death of the plugin and words that mean nothing are no refusal.
    """
    with pytest.raises(NoAnswerError, match="sling-once"):
        Sling(Answers(once=answer).call, FakeClock(0).pause).start(START)


def test_a_start_that_was_not_asked_for_did_not_happen() -> None:
    """
    While calls of sling rest, that is told apart from silence.
    """
    with pytest.raises(NotAskedError):
        Sling(Answers(once=NotAskedError("sling-once: rests")).call, FakeClock(0).pause).start(
            START
        )


def test_a_payment_of_sling_is_read_while_it_is_under_way() -> None:
    """
    It goes to ourselves, tells what is to arrive and what left, and is not complete.
    """
    us = recorded("INDEX")["us"]
    (pending,) = pending_of(recorded("listsendpays_in_flight"), us)
    others = pending_of(recorded("listsendpays_in_flight"), "02" + "a" * 64)

    assert (pending.amount_msat, pending.sent_msat) == (50_000_000, 50_008_501)
    assert pending.created_at == 1_795_361_679
    assert pending.payment_hash.startswith("d6df1b3a")
    assert others == ()
    assert len(pending_of(recorded("listsendpays_after_timeout"), us)) == 2
    assert pending_of(recorded("once_listsendpays"), us) == ()


def test_a_payment_under_way_that_cannot_be_read_is_not_passed_over() -> None:
    """
    One that is left out would be taken for one that has ended.
    """
    broken = recorded("listsendpays_in_flight")
    broken["payments"][0]["created_at"] = "soon"

    with pytest.raises(WireError, match=r"payments\[0\].created_at: expected"):
        pending_of(broken, recorded("INDEX")["us"])


def test_what_sling_paid_is_the_same_wherever_it_is_read() -> None:
    """
    The moves and the payments of a once-job tell of two refills, with the same fees.
    """
    channels = {
        row["short_channel_id"]: row for row in recorded("once_listpeerchannels")["channels"]
    }
    refills, left = paired((), moves_of(recorded("once_listchannelmoves")).rows)
    payments = payments_of(recorded("once_listsendpays"), recorded("INDEX")["us"]).rows

    assert left == ()
    assert [(refill.amount_msat, refill.fee_msat) for refill in refills] == [(50_000_000, 8501)] * 2
    assert {refill.from_channel for refill in refills} == {channels[SOURCE]["channel_id"]}
    assert {refill.to_channel for refill in refills} == {channels[TARGET]["channel_id"]}
    assert {payment.payment_hash for payment in payments} == {r.payment_hash for r in refills}
    assert {payment.sent_msat - payment.amount_msat for payment in payments} == {8501}


def test_what_comes_in_by_a_channel_is_read_from_its_htlcs() -> None:
    """
    Amounts of incoming HTLCs of this channel, and nothing else; a channel that does not say is
    not taken for one without.
    """
    listed = reply("inflight/listpeerchannels.json")
    ids = {row["short_channel_id"]: row["channel_id"] for row in listed["channels"]}

    assert arriving_in(listed, ids["150x5x0"]) == (9_200_000, 15_200_000)
    assert arriving_in(listed, ids["150x7x0"]) == ()
    assert arriving_in(listed, "f" * 64) == ()
    for row in listed["channels"]:
        row.pop("htlcs")
    with pytest.raises(WireError, match="htlcs"):
        arriving_in(listed, ids["150x5x0"])
