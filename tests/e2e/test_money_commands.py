"""What operators and neighbours ask of rebalancing: orders, jobs, reservations, and why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from e2e.office import Office
from e2e.thirsty import CHUNK, SOURCE, TARGET, make_thirsty, settle_in
from fakes import FakeNode, HangUpError, RpcRefusalError

from revops.adapters.wire import read_snapshot
from revops.core.actions import StartRebalance
from revops.core.budget import Limits, Spend
from revops.core.config import OPTIONS
from revops.core.rebalance.decide import rebalance
from revops.core.treasury import Attempt, Ending
from revops.core.units import Msat
from revops.shell.commands.command import CommandError, NotDoneError

HOUR = 3600
MINUTE = 60


@pytest.fixture
def thirsty(tmp_path: Path, node: FakeNode) -> Iterator[Office]:
    """
    A node of which one channel is worth a refill, known for a day; revops may do nothing by
    itself, and has looked.
    """
    make_thirsty(node)
    office = Office(tmp_path, node)
    settle_in(office)
    office.configure(authority="fees")
    office.move()
    yield office
    office.close()


def attempts(office: Office) -> tuple[Attempt, ...]:
    """
    Return all rebalances, the first one first.
    """
    return office.app.store.treasury.attempts(0)


def ordered(office: Office, sats: int = 200_000, **more: Any) -> Any:
    """
    Order a refill and return the answer.
    """
    named = {"from": SOURCE, "to": TARGET, "amount_sats": sats} | more
    return office.call("revenue-rebalance", **named)


def finish(office: Office) -> None:
    """
    Let the other thread work for some minutes.
    """
    for _ in range(6):
        office.tend(MINUTE)


def peer(office: Office, scid: str) -> str:
    """
    Return whose channel *scid* is.
    """
    return office.node.channel(scid)["peer_id"]


# revenue-rebalance ---------------------------------------------------------------------------


def test_an_order_is_answered_before_sling_is_asked(thirsty: Office) -> None:
    """
    Its money is reserved when the answer comes; the other thread begins it, and it is booked to
    the msat.
    """
    answer = ordered(thirsty)
    [attempt] = attempts(thirsty)

    assert (answer["status"], answer["success"], answer["rebalance_id"]) == ("initiated", True, 1)
    assert (answer["to_channel"], answer["from_channels"]) == (TARGET, [SOURCE])
    assert (attempt.state, attempt.ordered) == (Spend.RESERVED, True)
    assert attempt.limit_msat == answer["max_fee_msat"]
    assert thirsty.node.called("sling-once") == []

    finish(thirsty)
    [attempt] = attempts(thirsty)
    assert (attempt.ending, attempt.moved_msat) == (Ending.DONE, 2 * CHUNK)
    assert attempt.fee_msat == 20_000


def test_an_order_needs_no_right_to_act_by_itself(thirsty: Office) -> None:
    """
    Authority says what revops may do by itself, and an order is the operator's doing.
    """
    thirsty.configure(authority="observe")

    assert ordered(thirsty)["status"] == "initiated"


@pytest.mark.parametrize("by", ["scid", "channel_id", "peer_id"])
def test_channels_go_by_any_of_their_ids(thirsty: Office, by: str) -> None:
    """
    A short channel id, a channel id, or a peer's id for its channels; under the names that
    neighbours use, too.
    """
    names = {"scid": "short_channel_id", "channel_id": "channel_id", "peer_id": "peer_id"}
    from_, to = (thirsty.node.channel(scid)[names[by]] for scid in (SOURCE, TARGET))
    answer = thirsty.call(
        "revenue-rebalance", from_channel=from_, to_channel=to, amount_sats=100_000
    )

    assert (answer["to_channel"], answer["from_channels"]) == (TARGET, [SOURCE])


def test_the_expected_value_decides_unless_it_is_forced(thirsty: Office) -> None:
    """
    An order that would lose money is refused with all of its terms; with force it is begun, at
    no more than is said.
    """
    back = {"from": TARGET, "to": SOURCE}
    thirsty.call(
        "revenue-policy", "set", peer_id=peer(thirsty, SOURCE), strategy="static", fee_ppm=10
    )
    thirsty.cycle()
    refused = ordered(thirsty, 10_000, **back)
    forced = ordered(thirsty, 10_000, **back, force="true", max_fee_sats=3)

    assert refused["status"] == "error"
    assert refused["error"].startswith(f"to: {SOURCE}: ")
    assert refused["error"].endswith(
        "force=true asks for no profit: the budget and the reserve still hold"
    )
    assert forced["status"] == "initiated"
    assert forced["max_fee_msat"] <= 3_000


def test_what_it_may_cost_is_bounded(thirsty: Office) -> None:
    """
    The limit is for everything that may be paid, and a limit without a route names one with.
    """
    bounded = ordered(thirsty, max_fee_sats=100)
    thirsty.call("revenue-jobs", "stop", bounded["rebalance_id"])
    finish(thirsty)
    [attempt] = attempts(thirsty)

    assert attempt.limit_msat == bounded["max_fee_msat"] <= 100_000
    assert not attempt.open

    tight = ordered(thirsty, max_fee_sats=1, force=False)
    assert "max_fee_sats 1 is not enough: with " in tight["error"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"paused": "true"}, "paused is set"),
        ({"rebalancer": "none"}, "rebalancer is none"),
        ({"min_wallet_reserve": "2000000000"}, "of min-wallet-reserve 2000000000"),
        ({"daily_budget_sats": "0", "proportional_budget": "false"}, "nothing may be reserved"),
        (
            {"daily_budget_sats": "1", "proportional_budget": "false"},
            "300 sat would have to be reserved, and 1 are left",
        ),
        ({"rebalance_max_ppm": "0"}, "rebalance-max-ppm is 0"),
    ],
)
def test_what_force_does_not_open(thirsty: Office, options: dict[str, str], sentence: str) -> None:
    """
    Paused, the budget, the reserve and the highest price hold whatever is asked for.
    """
    thirsty.configure(**options)
    answer = ordered(thirsty, force=True)

    assert answer["status"] == "error"
    assert sentence in answer["error"]
    assert attempts(thirsty) == ()


def test_a_dry_run_reserves_nothing(thirsty: Office) -> None:
    """
    The order is written down as rehearsed.
    """
    thirsty.configure(dry_run="true")
    answer = ordered(thirsty)

    assert (answer["status"], answer["success"], answer["rebalance_id"]) == (
        "rehearsed",
        False,
        None,
    )
    assert attempts(thirsty) == ()
    [row] = thirsty.call("revenue-explain", TARGET)["channels"]
    assert row["rebalance"]["outcome"] == "rehearsed: dry-run is set"


def test_one_at_a_time_for_a_peer(thirsty: Office) -> None:
    """
    A second order on the same channels waits for the first to be settled, forced or not.
    """
    ordered(thirsty)

    for force in (False, True):
        assert "rebalance 1 fills or drains" in ordered(thirsty, force=force)["error"]


def test_what_is_on_the_channels_already_is_left_alone(thirsty: Office) -> None:
    """
    Where sling has a job of somebody else's, no force begins another.
    """
    thirsty.node.answer(
        "sling-job",
        {
            "scid": TARGET,
            "direction": "pull",
            "amount": 1000,
            "maxppm": 10,
            "candidates": [SOURCE],
        },
    )
    thirsty.move()

    assert "sling has a job" in ordered(thirsty, force=True)["error"]


def test_an_order_waits_for_what_moved(thirsty: Office) -> None:
    """
    Where the node does not tell what moved until now, nothing is reserved, and the answer says so.
    """

    def hang_up() -> None:
        raise HangUpError

    thirsty.node.before["listchannelmoves"] = hang_up

    assert ordered(thirsty)["error"].endswith("; nothing was ordered")
    assert attempts(thirsty) == ()


def test_who_comes_second_is_refused(thirsty: Office) -> None:
    """
    What was reserved after an order was looked into, and before its own money is, comes first.
    """
    thirsty.configure(dry_run="true")
    ordered(thirsty)
    [rehearsed] = thirsty.app.store.last_decisions(TARGET, "rebalance")
    thirsty.configure(dry_run="false")
    book, now = thirsty.app.store.treasury, thirsty.clock.now()

    def overtake() -> None:
        if not book.open():
            most = Limits(day_msat=Msat(10**7), week_msat=Msat(10**7))
            book.order(rehearsed.decision, most, now, dry_run=False)

    thirsty.node.before["listchannelmoves"] = overtake
    answer = ordered(thirsty)

    assert answer["error"] == f"to: {TARGET}: rebalance 1 of this channel is not settled yet"
    assert len(attempts(thirsty)) == 1


def test_an_order_before_the_first_look_is_refused(tmp_path: Path, node: FakeNode) -> None:
    """
    Nothing is moved by a node that nobody has looked at.
    """
    office = Office(tmp_path, node)

    assert "has not looked at the node yet" in ordered(office)["error"]
    office.close()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"to": "1x1x1"},
            "to: expected a short channel id, channel id or peer id of the last look",
        ),
        ({"from": "nobody"}, "from: expected a short channel id"),
        ({"from": ["x"]}, "from: expected a short channel id"),
        ({"from": TARGET}, "from: expected channels of another peer than to, got '150x1x0'"),
        ({"amount_sats": 0}, "amount_sats: expected a whole number from 1 to"),
        ({"amount_sats": "1.5"}, "amount_sats: expected a whole number"),
        ({"amount_sats": 30_000_000}, "the most that can come in"),
        ({"max_fee_sats": -1}, "max_fee_sats: expected a whole number from 0 to"),
        ({"max_fee_sats": "5k"}, "max_fee_sats: expected a whole number"),
        ({"force": "yes"}, "force: expected true or false, got 'yes'"),
        ({"colour": 1}, "colour: there is no such argument"),
        ({"to_channel": TARGET}, "it is given twice"),
    ],
)
def test_a_wrong_argument_is_named(thirsty: Office, given: dict[str, Any], sentence: str) -> None:
    """
    One sentence names the argument and its value; nothing is reserved.
    """
    answer = ordered(thirsty, **given)

    assert answer["status"] == "error"
    assert sentence in answer["error"]
    assert attempts(thirsty) == ()


def test_a_channel_that_may_have_opened_since_is_looked_for(thirsty: Office) -> None:
    """
    Money looks at the node every quarter of an hour; who names what it has not seen need not wait.
    """
    worker, clock = thirsty.app.worker, thirsty.clock
    assert worker.state("rebalance").next_run - clock.now() > 60

    assert "of the last look" in ordered(thirsty, to="9x9x9")["error"]
    assert worker.state("rebalance").next_run - clock.now() <= 60


# revenue-jobs --------------------------------------------------------------------------------


def test_a_job_is_shown_with_its_money(thirsty: Office) -> None:
    """
    What is asked, what moved, what it cost so far, what is held, until when, and what sling says.
    """
    number = ordered(thirsty)["rebalance_id"]
    thirsty.tend()
    answer = thirsty.call("revenue-jobs")
    [job] = answer["jobs"]

    assert (answer["count"], answer["foreign"]) == (1, [])
    assert (job["rebalance_id"], job["to_channel"], job["from_channels"]) == (
        number,
        TARGET,
        [SOURCE],
    )
    assert (job["state"], job["ordered"], job["amount_sats"]) == ("in_flight", True, 200_000)
    assert job["deadline"] == job["at"] + 2 * HOUR
    assert job["reserved_msat"] >= 20_000
    assert job["sling"]
    assert thirsty.call("revenue-status")["jobs"] == answer["jobs"]


def test_jobs_of_others_are_shown_apart(thirsty: Office) -> None:
    """
    What sling is at for somebody else is named, and never stopped.
    """
    job = {"scid": "150x2x0", "direction": "pull", "amount": 1000, "maxppm": 9}
    thirsty.node.answer("sling-job", job | {"candidates": [SOURCE]})
    thirsty.move()
    [foreign] = thirsty.call("revenue-jobs")["foreign"]

    assert (foreign["scid"], foreign["partners"]) == ("150x2x0", [SOURCE])


def test_a_job_is_stopped(thirsty: Office) -> None:
    """
    It ends with the next look of the other thread, and what moved until then is booked.
    """
    number = ordered(thirsty, 800_000)["rebalance_id"]
    thirsty.tend()
    answer = thirsty.call("revenue-jobs", "stop", number)
    [job] = thirsty.call("revenue-jobs")["jobs"]
    thirsty.tend(1)
    finish(thirsty)
    [attempt] = attempts(thirsty)

    assert (answer["status"], answer["rebalance_id"]) == ("stopping", number)
    assert job["stopping"] == "the operator stopped it (revenue-jobs stop)"
    assert attempt.ending is Ending.STOPPED
    assert attempt.fee_msat == attempt.moved_msat // CHUNK * 10_000
    assert thirsty.call("revenue-jobs")["jobs"] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("stop",), "rebalance_id: it is missing"),
        (("stop", "x"), "rebalance_id: expected a whole number"),
        (("stop", 7), "rebalance_id: expected the id of one, and none runs, got 7"),
        (("end", 7), "action: expected one of list, stop, got 'end'"),
        (("list", 7), "7: there is no place for it"),
    ],
)
def test_a_wrong_stop_is_named(thirsty: Office, words: tuple[Any, ...], sentence: str) -> None:
    """
    What is not there cannot be stopped, and one sentence says what is.
    """
    with pytest.raises(CommandError, match=sentence):
        thirsty.call("revenue-jobs", *words)


def test_a_stop_names_what_runs(thirsty: Office) -> None:
    """
    Whoever mistakes the number reads which there are.
    """
    ordered(thirsty)

    with pytest.raises(CommandError, match=r"expected one of those that run \(1\), got 2"):
        thirsty.call("revenue-jobs", "stop", 2)


# revenue-clear-reservations ------------------------------------------------------------------


def test_what_never_began_is_released(thirsty: Office) -> None:
    """
    A reservation of which sling never heard is free again once its time is over.
    """
    limit = ordered(thirsty)["max_fee_msat"]
    thirsty.restart()
    thirsty.clock.pass_by(2 * HOUR + 1)
    answer = thirsty.call("revenue-clear-reservations")

    assert (answer["cleared_count"], answer["released_msat"]) == (1, limit)
    assert [row["rebalance_id"] for row in answer["released"]] == [1]
    assert answer["kept"] == []
    assert answer["budget"]["reserved_msat"] == 0


def test_what_may_have_been_spent_stays(thirsty: Office) -> None:
    """
    What is younger than its time, and what sling said that it is at, stays reserved with the
    reason and the last moment of it.
    """
    ordered(thirsty)
    [young] = thirsty.call("revenue-clear-reservations")["kept"]
    thirsty.tend()
    thirsty.clock.pass_by(3 * HOUR)
    answer = thirsty.call("revenue-clear-reservations")
    [running] = answer["kept"]

    assert "an answer may come for another" in young["why"]
    assert "at work on it" in running["why"]
    assert running["at_the_latest"] == running["at"] + 6 * HOUR
    assert (answer["cleared_count"], attempts(thirsty)[0].state) == (0, Spend.IN_FLIGHT)


@pytest.mark.parametrize("method", ["sling-stats", "listchannelmoves"])
def test_without_evidence_nothing_is_released(thirsty: Office, method: str) -> None:
    """
    Where sling or the node do not tell, the answer says so and everything stays.
    """

    def refuse() -> None:
        raise RpcRefusalError(-1, "not today")

    ordered(thirsty)
    thirsty.restart()
    thirsty.clock.pass_by(2 * HOUR + 1)
    thirsty.node.before[method] = refuse

    with pytest.raises(NotDoneError, match="nothing is released"):
        thirsty.call("revenue-clear-reservations")
    assert attempts(thirsty)[0].open


# revenue-rebalance-debug ---------------------------------------------------------------------


def test_what_would_start_is_shown_with_its_terms(thirsty: Office) -> None:
    """
    The refill, whoever holds it back, and every number that its value is made of.
    """
    answer = thirsty.call("revenue-rebalance-debug")
    [held] = answer["candidates"]
    thirsty.configure(authority="liquidity")
    [free] = thirsty.call("revenue-rebalance-debug")["candidates"]

    assert (held["starts"], held["because"][:17]) == (False, "authority is fees")
    assert (free["starts"], free["scid"], free["source"]) == (True, TARGET, SOURCE)
    assert free["ev_msat"] == pytest.approx(
        free["chance"] * (free["gain_msat"] - free["loss_msat"] - free["cost_msat"]) - 1000, abs=1
    )
    assert [row["setting"] for row in answer["all_held"]] == ["authority"]
    assert answer["sling_available"]


def test_every_channel_has_what_keeps_it_from_being_filled(thirsty: Office) -> None:
    """
    Short or not, each channel says what decided about it, with settings that would change it.
    """
    answer = thirsty.call("revenue-rebalance-debug")
    rows = [row for name in ("depleted", "source", "between") for row in answer["channels"][name]]

    assert len(rows) == len(thirsty.node.channels)
    for row in rows:
        assert row["because"]["text"]
        assert row["change"]
    short = [row["scid"] for row in answer["channels"]["depleted"]]
    assert TARGET in short


def test_what_holds_money_back_is_among_the_controls(thirsty: Office) -> None:
    """
    Wallet, reserve, budget, what is held and the places there are, as they stand now.
    """
    ordered(thirsty)
    thirsty.configure(daily_budget_sats="100", proportional_budget="false")
    controls = thirsty.call("revenue-rebalance-debug")["capital_controls"]

    assert controls["total_liquid_sats"] > controls["wallet_reserve_sats"]
    assert controls["reserve_ok"]
    assert (controls["daily_budget_sats"], controls["weekly_budget_sats"]) == (100, 700)
    assert (controls["budget_remaining_sats"], controls["budget_ok"]) == (0, False)
    assert controls["reserved_sats"] > 0
    assert (controls["job_count"], controls["max_concurrent_jobs"]) == (1, 5)


def test_one_channel_can_be_asked_for(thirsty: Office) -> None:
    """
    Its rows alone are shown, and a limit bounds every list.
    """
    one = thirsty.call("revenue-rebalance-debug", TARGET)["channels"]
    none = thirsty.call("revenue-rebalance-debug", limit=0)

    assert [row["scid"] for row in one["depleted"]] == [TARGET]
    assert (one["source"], one["between"]) == ([], [])
    assert none["candidates"] == []
    assert not any(none["channels"].values())
    with pytest.raises(CommandError, match="channel: expected a short channel id"):
        thirsty.call("revenue-rebalance-debug", "1x1x1")


def test_looking_changes_nothing(thirsty: Office) -> None:
    """
    Nothing is asked of the node, reserved or written down.
    """
    before = thirsty.app.store.last_decisions(TARGET, "rebalance")
    thirsty.node.calls.clear()
    thirsty.clock.pass_by(60)
    thirsty.call("revenue-rebalance-debug")

    assert thirsty.node.calls == []
    assert attempts(thirsty) == ()
    assert thirsty.app.store.last_decisions(TARGET, "rebalance") == before


# revenue-explain, revenue-status, revenue-snapshot -------------------------------------------


def test_a_refill_is_explained_as_long_as_it_is_the_last(thirsty: Office) -> None:
    """
    While it runs and afterwards, the terms that it was begun for are told beside what is decided
    now.
    """
    thirsty.configure(authority="liquidity")
    thirsty.move()
    thirsty.move(1)
    [row] = thirsty.call("revenue-explain", TARGET)["channels"]
    last = row["last_rebalance"]

    assert row["rebalance"]["because"]["code"] == "engaged"
    assert (last["rebalance_id"], last["status"]) == (1, "in_flight")
    assert [step["code"] for step in last["steps"]] == ["short", "wanted", "pair", "refill"]
    assert {"chance", "gain_msat", "loss_msat", "cost_msat", "ev_msat", "least_msat"} <= set(
        last["steps"][2]["facts"]
    )


def test_every_refusal_names_what_would_change_it(thirsty: Office) -> None:
    """
    Each step about a channel's liquidity has a setting, and each of these is there.
    """
    known = {option.name for option in OPTIONS.values()}
    for channel in thirsty.node.channels:
        for row in thirsty.call("revenue-explain", channel["short_channel_id"])["channels"]:
            for step in row["rebalance"]["steps"]:
                assert step["settings"], step["code"]
                names = {name for name in step["settings"] if not name.startswith("revenue-")}
                assert names <= known


def test_the_status_knows_the_money(thirsty: Office) -> None:
    """
    What runs, what ran, what may be spent, and sling's version; that all is well is in the first
    sentence.
    """
    ordered(thirsty)
    thirsty.tend()
    running = thirsty.call("revenue-status", 0)
    finish(thirsty)
    over = thirsty.call("revenue-status", 0)
    [recent] = over["recent_rebalances"]

    assert "rebalances open: 1; nothing is wrong" in running["summary"]
    assert (
        running["sling"]
        == {
            "version": running["sling"]["version"],
            "ok": False,
            "why_not": "authority is fees",
        }
        or running["sling"]["ok"]
    )
    assert running["budget"]["reserved_msat"] == running["jobs"][0]["reserved_msat"] > 0
    assert (over["jobs"], over["budget"]["daily_spent_msat"]) == ([], 20_000)
    assert (recent["status"], recent["spent_msat"], recent["moved_sats"]) == (
        "done",
        20_000,
        200_000,
    )


def test_the_report_tells_what_refills_cost_and_may_cost(thirsty: Office) -> None:
    """
    What they did cost, whoever made them, stands beside what is spent of the budget.
    """
    ordered(thirsty)
    finish(thirsty)
    thirsty.keep_books()
    costs = thirsty.call("revenue-report", "costs")

    assert costs["rebalance_costs"]["last_24h_msat"] >= 20_000
    assert costs["rebalance_budget"]["daily_spent_msat"] == 20_000


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [("absent", "sling is not there"), ("old", "sling is 4.2.1, and 4.3.1 or later")],
)
def test_a_sling_that_cannot_be_used_is_said_once(
    thirsty: Office, trouble: str, sentence: str
) -> None:
    """
    It is no error, and it is plain why nothing is refilled: in the first sentence and nowhere
    among what is wrong.
    """
    if trouble == "absent":
        thirsty.node.sling.there = False
    else:
        thirsty.node.sling.version = "v4.2.1"
    thirsty.configure(authority="liquidity")
    thirsty.move()
    status = thirsty.call("revenue-status", 0)

    assert "nothing is refilled: " in status["summary"]
    assert sentence in status["summary"]
    assert "nothing is wrong" in status["summary"]
    assert (status["sling"]["ok"], status["troubles"]) == (False, [])
    assert sentence in status["sling"]["why_not"]


def test_money_in_doubt_is_trouble(thirsty: Office) -> None:
    """
    A rebalance of which nobody can tell what it cost, long after its time, is the first thing
    that is said.
    """
    ordered(thirsty)
    thirsty.clock.pass_by(3 * HOUR + 1)
    status = thirsty.call("revenue-status", 0)

    assert status["summary"].startswith("WRONG: rebalance 1 of 150x1x0: what it cost is not known")


def test_what_sling_refuses_is_trouble(thirsty: Office) -> None:
    """
    A refill that was decided and not begun is said, with sling's own words; nothing is held for it.
    """

    def refuse() -> None:
        raise RpcRefusalError(-32700, "Channel not found")

    thirsty.node.before["sling-once"] = refuse
    thirsty.configure(authority="liquidity")
    thirsty.move()
    status = thirsty.call("revenue-status", 0)

    assert status["summary"].startswith("WRONG: 1 rebalances could not be begun: sling-once: ")
    assert "Channel not found" in status["troubles"][0]
    assert (status["last_money_cycle"]["to_start"], status["last_money_cycle"]["begun"]) == (1, 0)
    assert status["recent_rebalances"][0]["status"] == "rejected"
    assert status["budget"]["reserved_msat"] == 0


def test_refills_that_lose_money_are_trouble(thirsty: Office) -> None:
    """
    While they cost more than is earned, that is said first.
    """
    thirsty.configure(authority="liquidity")
    treasury = thirsty.app.money.last.snapshot.treasury
    poor = attrs.evolve(treasury, revenue_week_msat=1, refill_cost_week_msat=10**10)
    seen = attrs.evolve(thirsty.app.money.last.snapshot, treasury=poor)
    plan = rebalance(seen, thirsty.settings.config)
    thirsty.app.money.last = attrs.evolve(thirsty.app.money.last, plan=plan)

    assert (
        "WRONG: refills of 7 days cost 10000000 sat"
        in (thirsty.call("revenue-status", 0)["summary"])
    )


def test_the_snapshot_knows_what_was_spent(thirsty: Office) -> None:
    """
    It is ready for the simulator to judge rebalances, and names nobody unless asked to.
    """
    ordered(thirsty)
    finish(thirsty)
    thirsty.move()
    thirsty.cycle()
    redacted = thirsty.call("revenue-snapshot")["treasury"]
    whole = thirsty.call("revenue-snapshot", "false")["treasury"]

    assert len(whole["attempts"]) == len(redacted["attempts"]) == 1
    assert whole["attempts"][0]["to_peer"] == peer(thirsty, TARGET)
    assert redacted["attempts"][0]["to_peer"] != peer(thirsty, TARGET)


def test_the_look_of_either_cycle_can_be_had(thirsty: Office) -> None:
    """
    That of the last rebalancing cycle decides, offline, what that decided.
    """
    thirsty.configure(authority="liquidity")
    thirsty.move(60)
    text = json.dumps(thirsty.call("revenue-snapshot", redact=False, cycle="rebalance"))
    plan = rebalance(*read_snapshot(text))

    assert plan == thirsty.app.money.last.plan
    assert any(isinstance(d.action, StartRebalance) for d in plan.decisions)
    with pytest.raises(CommandError, match="cycle: expected one of fees, rebalance, got 'x'"):
        thirsty.call("revenue-snapshot", cycle="x")
