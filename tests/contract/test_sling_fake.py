"""The fake sling: it answers what v4.2.1 was seen to answer, call by call, and errs as it does."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from contract.recorded import reply
from fake_circular import FAILED, Fate
from fakes import FakeNode, HangUpError, RpcRefusalError

NOW = 1_795_361_600
TARGET, SOURCE, OTHER = "150x2x0", "150x6x0", "150x4x0"
CHUNK = 50_000_000
FEE = 5_000
ONCE = {
    "scid": TARGET,
    "direction": "pull",
    "amount": CHUNK // 1000,
    "maxppm": 1000,
    "candidates": [SOURCE],
    "depleteuptopercent": 0.05,
    "depleteuptoamount": 100_000,
    "onceamount": 2 * CHUNK // 1000,
}
JOB = {name: value for name, value in ONCE.items() if name != "onceamount"}


@pytest.fixture(name="node")
def _node() -> FakeNode:
    return FakeNode(NOW)


def states(node: FakeNode) -> list[str]:
    """
    Return what the tasks are said to be at.
    """
    rows = node.answer("sling-stats", {"json": True})
    return [state for row in rows for state in row["status"]]


def moved(node: FakeNode) -> int:
    """
    Return how many payments were credited to the target.
    """
    account = node.channel(TARGET)["channel_id"]
    rows = [row for row in node.books.moves if row["account_id"] == account]
    return sum(row["credit_msat"] == CHUNK for row in rows)


def again(node: FakeNode, **changes: Any) -> None:
    """
    Have the job on the target forgotten, and start another once-job.
    """
    node.answer("sling-deletejob", {"job": TARGET})
    node.sling.pass_time(1)
    node.answer("sling-once", ONCE | changes)
    node.sling.pass_time(2)


# What the recordings do not show of what happened between the calls that they show.
def _hold(node: FakeNode) -> None:
    node.sling.fate = lambda _pair: Fate(arrives_s=10)


def _first(node: FakeNode) -> None:
    node.sling.pass_time(1)


def _wait(node: FakeNode) -> None:
    node.sling.patience_s = 30


def _pay_two(node: FakeNode) -> None:
    node.sling.fate = lambda _pair: Fate()
    again(node)
    node.sling.pass_time(1)


def _allow_no_more(node: FakeNode) -> None:
    node.channel(SOURCE)["maximum_htlc_out_msat"] = 2 * CHUNK - 1
    again(node)


def _operate(node: FakeNode) -> None:
    node.channel(SOURCE)["maximum_htlc_out_msat"] = 2 * CHUNK
    node.answer("sling-deletejob", {"job": TARGET})
    node.sling.pass_time(1)


def _refuse_payments(node: FakeNode) -> None:
    node.sling.sendpay_fails = True
    again(node)


def _outlive(node: FakeNode) -> None:
    node.sling.sendpay_fails = False
    node.answer("sling-stop", {"scid": TARGET})
    node.sling.fate = lambda _pair: Fate(arrives_s=1000)
    node.sling.timeout_s = 3
    again(node)
    node.sling.pass_time(3)


BEFORE: dict[str, Callable[[FakeNode], None]] = {
    "once": _hold,
    "stats_once_in_flight": _first,
    "stop_once_in_flight": _wait,
    "stats_once_done": _pay_two,
    "stats_no_cheap_route": lambda node: again(node, maxppm=1),
    "stats_no_candidates": lambda node: again(node, candidates=["999x1x0"]),
    "stats_no_routes": _allow_no_more,
    "job": _operate,
    "stats_job_running": lambda node: node.sling.pass_time(2),
    "stats_error": _refuse_payments,
    "listsendpays_after_timeout": _outlive,
}
NOT_SERVED = {"help", "listconfigs_timeoutpay", "stats_scid_none", "stats_scid_once_done"}
NOT_SERVED |= {"stats_scid_timeout", "once_listpeerchannels", "err_absent"}


def test_the_recorded_session_goes_the_same_way(node: FakeNode) -> None:
    """
    Asked what the real sling was asked, in that order, the fake refuses in the same words, tells
    the same states and amounts, and its rows hold the same fields of the same kinds.
    """
    index = reply("sling/INDEX.json")
    names = dict(zip(("target", "source", "other"), (TARGET, SOURCE, OTHER), strict=True))
    places = {index["channels"][role]: scid for role, scid in names.items()}
    node.sling.version = index["sling"]
    for call in index["calls"]:
        name = call["file"].removesuffix(".json")
        if name in NOT_SERVED:
            continue
        BEFORE.get(name, _nothing)(node)
        params = renamed(call["params"], places)
        expected = renamed(reply(f"sling/{call['file']}"), places)
        if "start" in params:
            rows = node.books.moves if "channelmoves" in expected else node.books.payments
            params["start"] = rows[-4 if "channelmoves" in expected else -2]["created_index"]
        assert shape(answered(node, call["method"], params)) == shape(expected), name


def _nothing(_node: FakeNode) -> None:
    pass


def renamed(value: Any, places: dict[str, str]) -> Any:
    """
    Return *value* with the channels of one node named as those of another.
    """
    text = json.dumps(value)
    for name, other in places.items():
        text = text.replace(name, other)
    return json.loads(text)


def answered(node: FakeNode, method: str, params: Any) -> Any:
    """
    Return the reply, or the error in the form in which it was recorded.
    """
    try:
        return node.answer(method, params)
    except RpcRefusalError as refusal:
        return {"code": refusal.code, "data": None, "message": refusal.message}


SAME = {"status", "message", "code", "rebamount", "result", "stopped_count", "tasks_started"}
SAME |= {"sat_direction", "amount_msat", "candidates", "maxppm", "target", "version", "primary_tag"}
SAME |= {"groupid", "group_id", "part_id"}


def shape(value: Any, name: str = "") -> Any:
    """
    Return what two replies must share: all fields and their kinds, and of `SAME` the values.
    """
    if isinstance(value, dict):
        return {key: shape(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item, name) for item in value]
    return value if name in SAME else type(value)


def test_a_once_job_moves_what_it_was_told_to_and_ends(node: FakeNode) -> None:
    """
    Chunk by chunk, at the market's price: balances, moves and payments agree to the msat.
    """
    before = {scid: dict(node.channel(scid)) for scid in (TARGET, SOURCE)}
    node.answer("sling-once", ONCE)
    node.sling.pass_time(10)

    assert (moved(node), states(node)) == (2, ["1:Balanced"])
    source, target = node.channel(SOURCE), node.channel(TARGET)
    sent = 2 * (CHUNK + FEE)
    assert target["to_us_msat"] == before[TARGET]["to_us_msat"] + 2 * CHUNK
    assert source["to_us_msat"] == before[SOURCE]["to_us_msat"] - sent
    assert source["spendable_msat"] == before[SOURCE]["spendable_msat"] - sent
    assert source["htlcs"] == target["htlcs"] == []
    paid = node.answer("listsendpays", {"status": "complete"})["payments"][-2:]
    assert [row["amount_sent_msat"] - row["amount_msat"] for row in paid] == [FEE, FEE]
    rows = node.answer("listchannelmoves", {})["channelmoves"][-4:]
    assert [row["debit_msat"] for row in rows] == [0, CHUNK + FEE, 0, CHUNK + FEE]
    assert [row["fees_msat"] for row in rows] == [0, FEE, 0, FEE]


def test_money_is_on_its_way_for_as_long_as_it_takes(node: FakeNode) -> None:
    """
    A payment is pending first, then credited, then complete, then debited; its HTLCs are listed
    until then.
    """
    node.sling.fate = lambda _pair: Fate(arrives_s=5, credited_s=20, returns_s=10, debited_s=30)
    node.answer("sling-once", ONCE | {"onceamount": CHUNK // 1000})
    seen = []
    for _ in range(6):
        node.sling.pass_time(10)
        row = node.books.payments[-1]
        htlcs = [len(node.channel(scid)["htlcs"]) for scid in (SOURCE, TARGET)]
        debits = sum(move["debit_msat"] == CHUNK + FEE for move in node.books.moves)
        seen.append((row["status"], *htlcs, moved(node), debits))

    assert seen == [
        ("pending", 1, 1, 0, 0),
        ("complete", 1, 1, 0, 0),
        ("complete", 1, 0, 1, 0),
        ("complete", 1, 0, 1, 0),
        ("complete", 0, 0, 1, 1),
        ("complete", 0, 0, 1, 1),
    ]


def test_a_payment_that_outlives_the_patience_of_sling_is_paid_twice(node: FakeNode) -> None:
    """
    What has arrived and is late on its way back is counted as failed, and paid for again.
    """
    fates = iter([Fate(returns_s=200)])
    node.sling.fate = lambda _pair: next(fates, Fate())
    node.answer("sling-once", ONCE)
    node.sling.pass_time(300)

    assert (moved(node), states(node)) == (3, ["1:Balanced"])


def test_a_payment_that_arrives_after_it_was_forgotten_fails(node: FakeNode) -> None:
    """
    After the timeout, or after sling died, nobody knows the preimage.
    """
    node.sling.fate = lambda _pair: Fate(arrives_s=130)
    node.answer("sling-once", ONCE)
    node.sling.pass_time(125)
    node.sling.die()
    node.sling.pass_time(200)

    assert moved(node) == 0
    assert {row["status"] for row in node.books.payments[-2:]} == {"failed"}
    assert node.channel(SOURCE)["htlcs"] == []


def test_failures_cost_nothing_and_never_end(node: FakeNode) -> None:
    """
    A once-job that finds no way that holds tries for ever.
    """
    spendable = node.channel(SOURCE)["spendable_msat"]
    node.sling.fate = lambda _pair: FAILED
    node.answer("sling-once", ONCE)
    node.sling.pass_time(100)

    assert (moved(node), states(node)) == (0, ["1:Rebalancing"])
    assert node.channel(SOURCE)["spendable_msat"] == spendable


def test_a_market_that_changes_is_noticed_after_ten_minutes(node: FakeNode) -> None:
    """
    The cheapest candidate gives; priced out, sling sleeps, and finds out when it wakes.
    """
    node.sling.market = {(SOURCE, TARGET): 1001, (OTHER, TARGET): None}
    node.answer("sling-once", ONCE | {"candidates": [OTHER, SOURCE]})
    node.sling.pass_time(2)
    assert states(node) == ["1:NoCheapRoute"]
    node.sling.market[OTHER, TARGET] = 1000
    node.sling.pass_time(597)
    assert moved(node) == 0
    node.sling.pass_time(10)

    account = node.channel(OTHER)["channel_id"]
    rows = [row for row in node.books.moves if row["account_id"] == account]
    assert moved(node) == 2
    assert rows[-1]["debit_msat"] == CHUNK + CHUNK // 1000


@pytest.mark.parametrize(
    "change",
    [
        {"to_us_msat": CHUNK + 10_000_000},
        {"to_us_msat": 100_000_000},
        {"peer_connected": False},
        {"state": "CHANNELD_SHUTTING_DOWN"},
        {"updates": {}},
        {"htlcs": [{"payment_hash": str(i)} for i in range(6)]},
    ],
)
def test_a_candidate_that_may_not_give_does_not(node: FakeNode, change: dict[str, Any]) -> None:
    """
    It holds too little, is not there, is unknown to the network, or carries too much already.
    """
    node.channel(SOURCE).update(change)
    node.answer("sling-once", ONCE)
    node.sling.pass_time(3)

    assert (moved(node), states(node)) == (0, ["1:NoCandidates"])


def test_calls_wait_for_the_lock_and_are_carried_out_though_nobody_waits(node: FakeNode) -> None:
    """
    Who hangs up has not taken back what he asked for; the version alone is told meanwhile.
    """
    node.sling.lock_held_until = NOW + 60
    for call in (("sling-once", ONCE), ("sling-stats", {"json": True})):
        with pytest.raises(HangUpError):
            node.answer(*call)
    assert node.answer("sling-version", {}) == {"version": "v4.3.1"}
    node.sling.pass_time(70)

    assert (moved(node), states(node)) == (2, ["1:Balanced"])


def test_a_stop_waits_for_the_payment_under_way_and_makes_all_others_wait(node: FakeNode) -> None:
    """
    What is in flight arrives, and no further payment is made.
    """
    node.sling.fate = lambda _pair: Fate(arrives_s=50)
    node.answer("sling-once", ONCE)
    node.sling.pass_time(10)
    for call in (("sling-stop", {"scid": TARGET}), ("sling-stats", {"json": True})):
        with pytest.raises(HangUpError):
            node.answer(*call)
    node.sling.pass_time(200)

    assert (moved(node), states(node)) == (1, ["1:Stopped"])


def test_a_stop_by_another_name_stops_everything(node: FakeNode) -> None:
    """
    A word that sling does not know is passed over, and then there is no channel.
    """
    node.answer("sling-once", ONCE)

    assert node.answer("sling-stop", {"job": OTHER}) == {"stopped_count": 1}
    assert states(node) == ["1:Stopped"]


def test_a_job_goes_on_for_ever(node: FakeNode) -> None:
    """
    It fills up to its target, and again whenever that is gone, until it is stopped.
    """
    node.answer("sling-job", JOB | {"target": 0.25})
    node.sling.pass_time(10)
    assert moved(node) == 0
    node.answer("sling-go", {"scid": TARGET})
    node.sling.pass_time(10)
    assert (moved(node), states(node)) == (2, ["1:Balanced"])
    node.channel(TARGET)["to_us_msat"] -= CHUNK
    node.sling.pass_time(610)
    assert moved(node) == 3
    node.answer("sling-stop", {"scid": TARGET})
    node.channel(TARGET)["to_us_msat"] -= CHUNK
    node.sling.pass_time(1210)

    assert (moved(node), states(node)) == (3, ["1:Stopped"])


def test_a_restart_forgets_once_jobs_and_shows_no_jobs_at_first(node: FakeNode) -> None:
    """
    What is kept is kept, but to delete a job in the first second loses all of them.
    """
    node.answer("sling-job", JOB)
    node.answer("sling-once", ONCE | {"scid": OTHER, "onceamount": CHUNK // 1000})
    node.sling.die()
    with pytest.raises(RpcRefusalError, match="Unknown command 'sling-stats'"):
        states(node)
    node.sling.begin()
    assert (states(node), node.answer("sling-jobsettings", {})) == ([], {})
    node.sling.pass_time(1)
    assert states(node) == ["1:NotStarted"]
    node.sling.die()
    node.sling.begin()
    node.answer("sling-deletejob", {"job": OTHER})
    node.sling.pass_time(1)

    assert states(node) == []


def test_a_splice_takes_a_job_from_its_channel(node: FakeNode) -> None:
    """
    The channel has another name then: a once-job ends, and a job is not listed any more.
    """
    paid = len(node.books.payments)
    node.answer("sling-once", ONCE)
    node.answer("sling-job", JOB | {"scid": OTHER})
    for scid, new_scid in ((TARGET, "160x1x0"), (OTHER, "160x2x0")):
        node.books.splice(scid, new_scid, 1_000_000, 500_000, NOW)
    node.sling.pass_time(5)

    assert (states(node), node.answer("sling-jobsettings", {})) == ([], {})
    assert len(node.books.payments) == paid


def test_an_error_does_not_rest_and_hides_that_it_works(node: FakeNode) -> None:
    """
    A second once-job is accepted over one in Error, and then both pay.
    """
    node.sling.sendpay_fails = True
    node.answer("sling-once", ONCE)
    node.sling.pass_time(3)
    assert states(node) == ["1:Error"]
    node.answer("sling-once", ONCE)
    node.sling.sendpay_fails = False
    node.sling.pass_time(10)

    assert moved(node) == 4


def test_a_start_right_after_a_stop_wakes_what_was_stopped(node: FakeNode) -> None:
    """
    Within the same second the old loop has not looked yet, and takes the new start for its own.
    """
    node.sling.usual_ppm = 2000
    node.answer("sling-once", ONCE)
    node.sling.pass_time(2)
    node.sling.usual_ppm = 100
    node.answer("sling-stop", {"scid": TARGET})
    node.answer("sling-once", ONCE)
    node.sling.pass_time(700)

    assert moved(node) == 4


def test_a_sling_that_cannot_write_pays_until_the_channel_is_full(node: FakeNode) -> None:
    """
    What it cannot note as moved it counts as failed, however often.
    """
    node.sling.forgets = True
    node.answer("sling-once", ONCE)
    node.sling.pass_time(60)

    assert moved(node) == 7


def test_a_source_that_cannot_send_is_left_alone_for_ten_minutes(node: FakeNode) -> None:
    """
    The node refuses what the channel cannot carry: a failed payment, and no candidate then.
    """
    node.channel(SOURCE)["spendable_msat"] = CHUNK
    node.answer("sling-once", ONCE)
    node.sling.pass_time(5)

    assert (moved(node), states(node)) == (0, ["1:NoCandidates"])
    assert node.books.payments[-1]["status"] == "failed"
