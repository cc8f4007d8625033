"""Beside cl-hive: what it says is used as far as it is worth, and it is waited for by nobody."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.conftest import NOW
from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from e2e.thirsty import SIZES, TARGET, hang_up, make_thirsty, settle_in
from fakes import FakeNode

from revops.core.hive import WINDOW_S, PeriodCosts
from revops.core.reasons import Code
from revops.shell.hive import ANSWER_S, HINTS_LAST_S, LOOK_S, MOST_WAITING, REFRESH_S

SCID = "150x1x0"
MEMBER = "02" + "77" * 32
COSTS = PeriodCosts(rebalance_costs_sats=7)
MINUTE = 60
HOUR = 3600
DAY = 86_400


@pytest.fixture
def office(tmp_path: Path, node: FakeNode) -> Iterator[Office]:
    """
    The plugin's own pieces on a node that is a member of a hive.
    """
    node.hive.join()
    node.hive.tiers[MEMBER] = "member"
    office = Office(tmp_path, node)
    yield office
    node.let_go()
    office.close()


def meet(office: Office, after_s: int = 0) -> None:
    """
    Let time go by and run what the thread of the hive does.
    """
    office.clock.pass_by(after_s)
    office.app.worker.run_once("hive")


def status(office: Office) -> dict[str, Any]:
    """
    Return the answer of `revenue-hive-status`.
    """
    answer: dict[str, Any] = office.call("revenue-hive-status")
    return answer


def asked(node: FakeNode) -> list[str]:
    """
    Return the methods of cl-hive that were called.
    """
    return [method for method, _ in node.calls if method.startswith("hive-")]


# Whether it is there -------------------------------------------------------------------------


def test_a_hive_is_found_by_itself(office: Office, node: FakeNode) -> None:
    """
    Where it runs it is used: who we are in it, what it can do, and who is in it with us.
    """
    peer_id = node.channel(SCID)["peer_id"]
    node.hive.tiers[peer_id] = "neophyte"
    office.cycle()
    meet(office)
    answer = status(office)

    assert (answer["available"], answer["tier"], answer["why_not"]) == (True, "member", None)
    assert answer["hive"]["mode"] == "advisor"
    assert set(answer["features"].values()) == {True}
    assert answer["members"]["count"] == 3
    assert answer["members"]["with_channels"] == [
        {"peer_id": peer_id, "tier": "neophyte", "strategy": "dynamic", "channels": [SCID]}
    ]
    assert office.call("revenue-status")["neighbours"]["hive"]["available"] is True


def test_without_a_hive_nothing_is_missing(tmp_path: Path, node: FakeNode) -> None:
    """
    One look every five minutes tells that it is not there: no error, and nobody asks for more.
    """
    office = Office(tmp_path, node)
    for _ in range(11):
        office.cycle()
        meet(office, after_s=MINUTE)
    troubles, answer = office.call("revenue-status")["troubles"], status(office)
    office.close()

    assert asked(node) == ["hive-status"] * 3
    assert not [trouble for trouble in troubles if "hive" in trouble]
    assert answer["why_not"] == "cl-hive is not there"


def test_a_hive_that_knows_nothing_changes_nothing(tmp_path: Path) -> None:
    """
    Absent, switched off, or there without a word about our peers: every decision is the same, to
    the last reason.
    """
    plans = []
    for name, there, setting in (
        ("no", False, "auto"),
        ("off", True, "false"),
        ("on", True, "auto"),
    ):
        node = FakeNode(now=NOW)
        make_thirsty(node)
        if there:
            node.hive.join("neophyte")
        office = Office(tmp_path / name, node, hive_enabled=setting, **SIZES)
        settle_in(office)
        meet(office)
        office.cycle(after_s=HOUR)
        office.move()
        plans.append((office.app.cycle.last.plan, office.app.money.last.plan))
        office.close()

    assert plans[0] == plans[1] == plans[2]


def test_what_has_to_be_there_is_missed(tmp_path: Path, node: FakeNode) -> None:
    """
    With hive-enabled true its absence is a trouble, from the first look on.
    """
    office = Office(tmp_path, node, hive_enabled="true")
    assert office.call("revenue-status")["troubles"] == []
    meet(office)
    (trouble,) = office.call("revenue-status")["troubles"]
    office.close()

    assert trouble == "hive-enabled is true, and it cannot be worked with: cl-hive is not there"


def test_false_means_that_it_is_never_called(office: Office, node: FakeNode) -> None:
    """
    Switched off, what it said before is forgotten at once, and it is asked nothing more.
    """
    node.hive.learn(node.channel(SCID)["peer_id"], 900, 0.8)
    meet(office)
    office.configure(hive_enabled="false")
    node.calls.clear()
    meet(office, after_s=LOOK_S)
    office.cycle()

    assert asked(node) == []
    assert all(c.hive_hint is None for c in office.app.cycle.last.snapshot.channels)
    assert status(office)["why_not"] == "hive-enabled is false"


def test_a_hive_that_goes_and_comes_back(office: Office, node: FakeNode) -> None:
    """
    It may be stopped and started at any time; each is told in one line.
    """
    meet(office)
    node.hive.there = False
    meet(office, after_s=LOOK_S)
    gone = status(office)["available"]
    node.hive.there = True
    meet(office, after_s=LOOK_S)

    assert (gone, status(office)["available"]) == (False, True)
    lines = [line for _, line in office.logs if "cl-hive" in line]
    assert lines == ["cl-hive is there", "cl-hive is not used any more", "cl-hive is there"]


# What it says --------------------------------------------------------------------------------


def test_what_members_found_out_is_evidence(office: Office, node: FakeNode) -> None:
    """
    A hint is part of what a cycle knew, and of its trail; all of them come with one call.
    """
    node.hive.learn(node.channel(SCID)["peer_id"], 900, 0.8)
    meet(office)
    office.cycle()
    channels = {c.scid: c.hive_hint for c in office.app.cycle.last.snapshot.channels}

    assert (channels[SCID].fee_ppm, channels[SCID].confidence) == (900, 0.8)
    assert sum(hint is not None for hint in channels.values()) == 1
    assert Code.HIVE_HINT in office.codes(SCID)
    assert node.called("hive-fee-intel-query") == [{"action": "list"}]
    assert status(office)["cached"] == {"fee_hints": 1, "age_s": 0, "lasts_s": HINTS_LAST_S}


def test_what_was_said_long_ago_is_forgotten(office: Office, node: FakeNode) -> None:
    """
    Half an hour after it fell silent, the hive's word counts no more.
    """
    node.hive.learn(node.channel(SCID)["peer_id"], 900, 0.8)
    meet(office)
    node.before["hive-fee-intel-query"] = _refuse
    meet(office, after_s=REFRESH_S)
    office.cycle()
    assert Code.HIVE_HINT in office.codes(SCID)
    office.cycle(after_s=HINTS_LAST_S - REFRESH_S + 1)

    assert Code.HIVE_HINT not in office.codes(SCID)


@pytest.mark.parametrize(
    "lie",
    [
        {"optimal_fee_estimate": -5},
        {"optimal_fee_estimate": 0},
        {"optimal_fee_estimate": "900"},
        {"optimal_fee_estimate": float("1e308")},
        {"confidence": 1.5},
        {"confidence": None},
        {"peer_id": "nobody"},
    ],
    ids=str,
)
def test_nonsense_about_one_peer_is_left_out(
    office: Office, node: FakeNode, lie: dict[str, Any]
) -> None:
    """
    A row that cannot be hurts no other, and no cycle.
    """
    first, other = node.channel(SCID)["peer_id"], node.channel("150x7x0")["peer_id"]
    node.hive.learn(first, 900, 0.8)
    node.hive.learn(other, 700, 0.5)
    node.hive.profiles[first] |= lie
    meet(office)
    office.cycle()
    hints = office.app.hive.hints()

    assert hints[other].fee_ppm == 700
    assert first not in hints or hints[first].fee_ppm > 1_000_000


def _refuse() -> None:
    from fakes import RpcRefusalError  # noqa: PLC0415 -- raised by one test alone

    raise RpcRefusalError(-32600, "Error while processing hive-fee-intel-query")


# What it is told -----------------------------------------------------------------------------


def test_the_hive_hears_how_we_do(office: Office, node: FakeNode) -> None:
    """
    After a cycle it is told where liquidity is missing and what refills cost since Monday, in whole
    numbers where it wants them; of channels that are too young to earn or lose nothing is said.
    """
    make_thirsty(node)
    office.cycle()
    office.keep_books()
    office.cycle(after_s=HOUR)
    meet(office)
    target = node.channel(TARGET)["peer_id"]

    depleted = {row["peer_id"]: row for row in node.hive.liquidity["depleted_channels"]}
    assert depleted[target]["local_pct"] == 0.06
    assert node.hive.liquidity["rebalancing_active"] is False
    week = office.call("revenue-report", "costs")["rebalance_costs"]
    assert node.hive.period_costs == week["last_7d_sats"] > 0
    assert node.hive.health == {}
    assert status(office)["reports"]["lost"] == {}


def test_a_week_begins_on_monday(office: Office, node: FakeNode) -> None:
    """
    The week that members settle by is that of the calendar, in UTC.
    """
    office.cycle()
    office.keep_books()
    meet(office)
    paid, sunday_s = node.hive.period_costs, office.clock.now() % DAY
    for left_s in (1, 0):
        office.keep_books(after_s=DAY - sunday_s - left_s)
        sunday_s = DAY - left_s
        office.cycle()
        meet(office)
        assert node.hive.period_costs == (paid if left_s else 0)


def test_a_cycle_is_told_once(office: Office, node: FakeNode) -> None:
    """
    As long as nothing new was seen there is nothing to tell.
    """
    office.cycle()
    meet(office)
    node.calls.clear()
    meet(office, after_s=MINUTE)

    assert asked(node) == []


def test_a_cycle_is_told_when_its_books_are_read(office: Office, node: FakeNode) -> None:
    """
    Between a cycle and the reading of its forwards nothing is told: sums of before would be told of
    the price of now.
    """
    office.cycle()
    meet(office)
    office.clock.pass_by(HOUR)
    office.app.cycle.run()
    node.calls.clear()
    meet(office)
    before = asked(node)
    office.app.readings.renew(office.clock.now())
    meet(office)

    assert "hive-report-liquidity-state" not in before
    assert "hive-report-liquidity-state" in asked(node)


def test_what_came_at_a_price_is_told(office: Office, node: FakeNode) -> None:
    """
    When a price was in force for six hours, what came at it in that time is reported, and nothing
    of a channel that nobody used.
    """
    office.configure(authority="observe")
    office.cycle()
    office.keep_books()
    meet(office)
    for _ in range(2):
        node.forward("150x7x0", SCID, 8_000_000, office.clock.now() + HOUR)
        office.cycle(after_s=WINDOW_S // 2)
        meet(office)
    (seen,) = node.hive.observations

    assert seen["peer_id"] == node.channel(SCID)["peer_id"]
    assert (seen["volume_sats"], seen["forward_count"]) == (16_000, 2)
    assert seen["our_fee_ppm"] == node.channel(SCID)["fee_proportional_millionths"]
    assert seen["period_hours"] == 6


def test_reports_that_are_too_many_are_dropped_and_counted(office: Office) -> None:
    """
    Those that wait are bounded: the oldest go first.
    """
    meet(office)
    office.app.hive.reports = lambda: [COSTS] * (MOST_WAITING + 7)
    meet(office, after_s=MINUTE)
    counts = status(office)["reports"]

    assert counts["lost"] == {"hive-report-period-costs": 7}
    assert counts["told"] == {"hive-report-period-costs": MOST_WAITING - counts["waiting"]}
    assert office.app.hive.waiting()


# Never in the way ----------------------------------------------------------------------------


@pytest.fixture
def filling(tmp_path: Path, node: FakeNode) -> Iterator[Office]:
    """
    A node with a channel that is worth a refill, in a hive; its thread runs.
    """
    make_thirsty(node)
    node.hive.join()
    office = Office(tmp_path, node, **SIZES)
    settle_in(office)
    meet(office)
    over = threading.Event()

    def attend() -> None:
        while not over.wait(0.01):
            if office.app.hive.waiting():
                office.app.hive.run()

    thread = threading.Thread(target=attend, daemon=True)
    thread.start()
    yield office
    over.set()
    node.let_go()
    thread.join()
    office.close()


def test_a_peer_that_a_member_is_at_is_not_filled(filling: Office, node: FakeNode) -> None:
    """
    Two members do not bid for the same liquidity; once the other is done, it is our turn.
    """
    target = node.channel(TARGET)["peer_id"]
    node.hive.busy[MEMBER] = {target}
    filling.move()
    last = filling.app.money.last
    (held,) = [d for d in last.plan.decisions if d.scid == TARGET]

    assert held.trail[-1].code is Code.CONTESTED
    assert last.snapshot.treasury.contested == (target,)
    assert not node.sling.jobs
    node.hive.busy.clear()
    filling.move(after_s=HOUR)
    assert [action.scid for action, _ in filling.app.money.last.done] == [TARGET]


def test_no_answer_is_no_conflict(filling: Office, node: FakeNode) -> None:
    """
    A hive that does not say whether somebody else is at it keeps a refill waiting for a second,
    and no longer.
    """
    node.before["hive-check-rebalance-conflict"] = node.never_answer
    began = time.monotonic()
    filling.move()

    assert time.monotonic() - began < ANSWER_S + 2
    assert [action.scid for action, _ in filling.app.money.last.done] == [TARGET]


def test_a_neophyte_is_not_asked_of_conflicts(filling: Office, node: FakeNode) -> None:
    """
    The hive tells members only: nobody waits for what will not be said.
    """
    node.hive.tiers[node.hive.us] = "neophyte"
    meet(filling, after_s=LOOK_S)
    filling.move()

    assert node.called("hive-check-rebalance-conflict") == []
    assert [action.scid for action, _ in filling.app.money.last.done] == [TARGET]


def test_who_does_not_answer_is_left_alone(office: Office, node: FakeNode) -> None:
    """
    After three calls without an answer cl-hive is asked nothing for a minute, what was to be told
    is lost and counted, and no other call of lightningd rests for it.
    """
    meet(office)
    office.app.hive.reports = lambda: [COSTS] * 6
    node.before["hive-report-period-costs"] = hang_up
    meet(office, after_s=MINUTE)
    answer = status(office)

    assert len(node.called("hive-report-period-costs")) == 3
    assert answer["reports"]["lost"] == {"hive-report-period-costs": 6}
    assert answer["breaker"]["state"] == "open"
    assert "not asked for another 60 s (hive-enabled)" in answer["why_not"]
    assert all(group["group"] != "hive" for group in office.call("revenue-status")["rpc"])
    assert len([line for _, line in office.logs if "hive-report" in line]) == 1


def test_who_is_silent_counts_as_absent(office: Office, node: FakeNode) -> None:
    """
    A hive that does not say that it is there is not, until it says so again a minute later.
    """
    meet(office)
    node.before["hive-status"] = hang_up
    meet(office, after_s=LOOK_S)
    silent = status(office)
    node.before.clear()
    meet(office, after_s=MINUTE)

    assert (silent["available"], status(office)["available"]) == (False, True)
    assert "no answer" in silent["why_not"]


def test_a_hive_that_hangs_makes_nothing_longer(lightningd: FakeLightningd, node: FakeNode) -> None:
    """
    With every call of cl-hive hanging, cycles come and go as ever, commands answer, and the plugin
    stops in time.
    """
    node.hive.join()
    for method in ("hive-status", "hive-members", "hive-fee-intel-query", "help"):
        node.before[method] = node.never_answer
    lightningd.start()
    began = time.monotonic()
    first = lightningd.first_cycle()
    lightningd.wait_for(lambda: node.called("hive-status") or None)
    answer = lightningd.call("revenue-hive-status")

    assert time.monotonic() - began < 5
    assert first["troubles"] == []
    assert answer["available"] is False
    assert lightningd.shutdown() < 2
    node.let_go()
