"""cl-hive's own list: what its bridge and its test scripts ask, asked of the real plugin."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.fake_lightningd import PLUGIN, FakeLightningd
from e2e.office import Office
from e2e.thirsty import CHUNKS, SOURCE, TARGET, make_thirsty, settle_in
from fakes import FakeNode

from revops.core.reasons import Code
from revops.shell.clock import Clock

SCID = "150x1x0"
OTHER = "03" + "cd" * 32


@pytest.fixture(scope="module")
def lightningd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeLightningd]:
    """
    The real plugin on the recorded node, after its first cycle: what is asked here changes nothing
    for those who ask later.
    """
    node = FakeNode(now=Clock().now())
    node.hive.join()
    daemon = FakeLightningd(tmp_path_factory.mktemp("hive") / "regtest", node)
    daemon.start()
    daemon.first_cycle()
    yield daemon
    daemon.close()


@pytest.fixture(scope="module")
def status(lightningd: FakeLightningd) -> dict[str, Any]:
    """
    `revenue-status`, without parameters.
    """
    answer: dict[str, Any] = lightningd.call("revenue-status")
    return answer


def policy(lightningd: FakeLightningd, **named: Any) -> dict[str, Any]:
    """
    Return the answer of `revenue-policy -k`.
    """
    answer: dict[str, Any] = lightningd.call("revenue-policy", **named)
    return answer


# Detection -----------------------------------------------------------------------------------


def test_it_is_detected(status: dict[str, Any]) -> None:
    """
    The path contains the name with hyphens, and the version is at least 1.4.
    """
    assert "cl-revenue-ops" in str(PLUGIN)
    assert status["status"] == "running"
    assert tuple(map(int, status["version"].removeprefix("v").split(".")[:2])) >= (1, 4)


def test_the_planner_finds_the_range_of_fees(status: dict[str, Any]) -> None:
    """
    The bridge takes the middle of two whole numbers.
    """
    least, most = status["config"]["fee_range_ppm"]

    assert (type(least), type(most)) == (int, int)
    assert 0 <= least < most


# revenue-status ------------------------------------------------------------------------------


def test_every_channel_is_within_the_bounds_that_are_checked(status: dict[str, Any]) -> None:
    """
    Every field that the scripts read is there, with the words and within the numbers they accept.
    """
    assert len(status["channel_states"]) == 7
    for row in status["channel_states"]:
        assert row["channel_id"] == row["scid"]
        assert row["peer_id"].startswith(("02", "03"))
        assert row["state"] in {"source", "sink", "balanced"}
        assert isinstance(row["flow_ratio"], float)
        assert row["capacity"] > 0 <= row["sats_in"]
        assert row["sats_out"] >= 0 <= row["fee_ppm"]
        assert 0.1 <= row["confidence"] <= 1.0
        assert 0.5 <= row["flow_multiplier"] <= 2.0
        assert 0.6 <= row["ema_decay"] <= 0.9
        assert -0.5 <= row["velocity"] <= 0.5
        assert type(row["forward_count"]) is int


def test_changes_and_rebalances_are_listed(status: dict[str, Any]) -> None:
    """
    A change of a fee has what it was, what it is and why; both lists are there.
    """
    for change in status["recent_fee_changes"]:
        assert {"channel_id", "old_fee_ppm", "new_fee_ppm", "reason"} <= change.keys()
    assert status["recent_fee_changes"]
    assert status["recent_rebalances"] == []


def test_a_node_without_channels_has_an_empty_list(tmp_path: Path, node: FakeNode) -> None:
    """
    `channel_states` is there before there is any channel.
    """
    node.channels.clear()
    office = Office(tmp_path, node)
    office.cycle()
    states = office.call("revenue-status")["channel_states"]
    office.close()

    assert states == []


# revenue-config ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "least"),
    [
        ("min_fee_ppm", 0),
        ("max_fee_ppm", 1),
        ("hive_fee_ppm", 0),
        ("fee_interval", 1),
        ("rebalance_interval", 1),
        ("rebalance_min_profit", 0),
        ("enable_kelly", 0),
    ],
)
def test_a_setting_is_read(lightningd: FakeLightningd, key: str, least: int) -> None:
    """
    `get` repeats the key as it was asked for, with a value of its type; and it can be set.
    """
    answer = lightningd.call("revenue-config", "get", key)

    assert answer["key"] == key
    assert answer["value"] >= least
    assert key in lightningd.call("revenue-config", "list-mutable")["mutable_keys"]


# revenue-policy ------------------------------------------------------------------------------


def test_a_policy_has_every_field(lightningd: FakeLightningd) -> None:
    """
    A peer that nobody spoke of has a policy with all its fields, null where there is nothing.
    """
    found = lightningd.call("revenue-policy", "get", OTHER)["policy"]
    named = policy(lightningd, action="get", peer_id=OTHER)["policy"]

    assert found == named
    assert (found["strategy"], found["rebalance_mode"]) == ("dynamic", "enabled")
    optional = {"fee_multiplier_min", "fee_multiplier_max", "expires_at", "is_expired"}
    assert optional <= found.keys()


def test_the_bridge_makes_and_unmakes_a_member(lightningd: FakeLightningd) -> None:
    """
    What the bridge sends when a member joins and leaves is done as it is sent.
    """
    peer_id = "03" + "01" * 32
    joined = policy(lightningd, action="set", peer_id=peer_id, strategy="hive", rebalance="enabled")
    member = policy(lightningd, action="get", peer_id=peer_id)["policy"]
    left = policy(lightningd, action="set", peer_id=peer_id, strategy="dynamic")
    stranger = policy(lightningd, action="get", peer_id=peer_id)["policy"]

    assert (joined["status"], left["status"]) == ("success", "success")
    assert (member["strategy"], member["rebalance_mode"]) == ("hive", "enabled")
    assert stranger["strategy"] == "dynamic"


def test_the_bridge_may_say_it_as_often_as_it_likes(lightningd: FakeLightningd) -> None:
    """
    At each start every member is set anew: whatever is so already is no change.
    """
    peer_id = "03" + "02" * 32
    for _ in range(15):
        answer = policy(
            lightningd, action="set", peer_id=peer_id, strategy="hive", rebalance="enabled"
        )
        assert answer["status"] == "success"
    changes = policy(lightningd, action="changes", since=0)["changes"]

    assert sum(change["peer_id"] == peer_id for change in changes) == 1


def test_nonsense_is_no_success(lightningd: FakeLightningd) -> None:
    """
    A strategy that there is not is answered, and the answer is not success.
    """
    answer = policy(lightningd, action="set", peer_id=OTHER, strategy="invalid_strategy")

    assert answer["status"] == "error"
    assert answer["error"].startswith("strategy: ")


def test_changes_repeat_since_when(lightningd: FakeLightningd) -> None:
    """
    `since` comes back as it was, as a number, with what changed and when the last of it did.
    """
    since = Clock().now() - 3600
    answer = policy(lightningd, action="changes", since=since)

    assert answer["since"] == since
    assert isinstance(answer["changes"], list)
    assert answer["last_change_timestamp"] >= since


@pytest.mark.parametrize("updates", ["[]", []], ids=["as text", "as JSON"])
def test_an_empty_batch_is_a_batch(lightningd: FakeLightningd, updates: Any) -> None:
    """
    lightning-cli hands a list over as text, the library as JSON.
    """
    answer = policy(lightningd, action="batch", updates=updates)

    assert (answer["status"], answer["updated"]) == ("success", 0)


# Reports -------------------------------------------------------------------------------------


def test_the_dashboard_has_a_week(lightningd: FakeLightningd) -> None:
    """
    What settlement reads is there, in whole numbers, and forwards under both of their names.
    """
    answer = lightningd.call("revenue-dashboard", window_days=7)
    period = answer["period"]

    assert "error" not in answer
    assert period["window_days"] == 7
    for name in ("gross_revenue_sats", "total_forwards", "rebalance_cost_sats"):
        assert type(period[name]) is int
    assert period["total_forwards"] == period["forward_count"] > 0
    assert "net_profit_sats" in answer["financial_health"]
    assert "bleeder_count" in answer


def test_costs_are_reported_by_age(lightningd: FakeLightningd) -> None:
    """
    Closures and splices by age, what a closing would cost now, and members of the hive by count.
    """
    costs = lightningd.call("revenue-report", "costs")
    hive = lightningd.call("revenue-report", "hive")

    assert (costs["type"], hive["type"]) == ("costs", "hive")
    assert {"total_sats", "last_24h_sats", "last_7d_sats"} <= costs["closure_costs"].keys()
    assert costs["splice_costs"]["total_sats"] == 0
    assert costs["estimated_defaults"]["channel_close_sats"] > 0
    assert type(hive["count"]) is int


def test_history_has_what_closing_and_splicing_cost(lightningd: FakeLightningd) -> None:
    """
    Both are there when they are nothing.
    """
    history = lightningd.call("revenue-history")

    assert {"lifetime_closure_costs_sats", "lifetime_splice_costs_sats"} <= history.keys()


def test_the_tools_are_answered(lightningd: FakeLightningd) -> None:
    """
    What the monitor and other tools read.
    """
    worth = lightningd.call("revenue-profitability")

    assert {"underwater_count", "profitable_count"} <= worth["summary"].keys()
    assert {"peer_id", "our_fee_ppm", "roi_annual_pct"} <= worth["channels"][0].keys()
    assert lightningd.call("revenue-clboss-status")["clboss_available"] is False
    assert lightningd.call("revenue-hive-status")["hive_enabled"] == "auto"


# In time -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "named", "most_s"),
    [
        ("revenue-status", {}, 2.0),
        ("revenue-dashboard", {"window_days": 7}, 3.0),
        ("revenue-policy", {"action": "get", "peer_id": OTHER}, 0.5),
    ],
)
def test_answers_come_in_time(
    lightningd: FakeLightningd, method: str, named: dict[str, Any], most_s: float
) -> None:
    """
    The script measures, and the bridge gives up after five seconds.
    """
    took = []
    for _ in range(3):
        began = time.monotonic()
        lightningd.call(method, **named)
        took.append(time.monotonic() - began)

    assert min(took) < most_s


def test_five_at_once_are_answered(lightningd: FakeLightningd) -> None:
    """
    Five askers of `revenue-status` have their answers within five seconds in all.
    """
    answers: list[str] = []

    def ask() -> None:
        answers.append(lightningd.call("revenue-status")["status"])

    askers = [threading.Thread(target=ask) for _ in range(5)]
    began = time.monotonic()
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert answers == ["running"] * 5
    assert time.monotonic() - began < 5


# What a policy of hive does ------------------------------------------------------------------


def test_a_member_is_charged_nothing(office: Office, node: FakeNode) -> None:
    """
    From the next cycle on its channel has 0 ppm and no base fee, below min-fee-ppm as well.
    """
    peer_id = node.channel(SCID)["peer_id"]
    office.cycle()
    office.call("revenue-policy", action="set", peer_id=peer_id, strategy="hive")
    office.cycle(after_s=3600)
    office.cycle(after_s=3600)

    assert node.fees()[SCID] == (0, 0)
    assert office.codes(SCID) == {Code.HIVE, Code.UNCHANGED}


@pytest.mark.parametrize("policy_first", [True, False])
def test_what_cl_hive_sets_itself_is_no_strangers_hand(
    office: Office, node: FakeNode, *, policy_first: bool
) -> None:
    """
    cl-hive sets 0 ppm when a channel with a member opens, before or after it says so: revops takes
    the price for what it is.
    """
    peer_id = node.channel(SCID)["peer_id"]
    acts = [
        lambda: office.call("revenue-policy", action="set", peer_id=peer_id, strategy="hive"),
        lambda: node.answer("setchannel", {"id": SCID, "feebase": 0, "feeppm": 0}),
    ]
    office.cycle()
    for act in acts if policy_first else acts[::-1]:
        act()
        office.cycle(after_s=60)

    assert office.codes(SCID) == {Code.HIVE, Code.UNCHANGED}
    assert [p["scid"] for p in office.call("revenue-status")["pins"]] == []


@pytest.mark.parametrize(("tolerance", "begun"), [(50, [TARGET]), (5, [])])
def test_a_refill_for_a_member_may_lose_a_little(
    tmp_path: Path, node: FakeNode, tolerance: int, begun: list[str]
) -> None:
    """
    A member's channel earns nothing and is filled all the same, for as much as is tolerated and
    the budget has.
    """
    make_thirsty(node)
    sizes = {"rebalance_min_amount": "100000", "rebalance_max_amount": "100000"}
    office = Office(tmp_path, node, hive_rebalance_tolerance=str(tolerance), **sizes)
    settle_in(office)
    peer_id = node.channel(TARGET)["peer_id"]
    office.call("revenue-policy", "set", peer_id=peer_id, strategy="hive", rebalance="enabled")
    for channel in node.channels:
        channel["updates"]["remote"] |= {"fee_proportional_millionths": 0, "fee_base_msat": 0}
    office.move()
    done = office.app.money.last.done
    held = office.app.store.treasury.spending(office.clock.now()).held_msat
    office.close()
    most = [action.amount_msat * action.max_ppm // 1_000_000 for action, _ in done]

    assert [action.scid for action, _ in done] == begun
    assert sum(most) <= tolerance * 1000
    assert bool(held) is bool(begun)


def test_the_bridge_orders_a_refill(thirsty: Office) -> None:
    """
    The order is acknowledged at once, by the names that the bridge sends.
    """
    thirsty.configure(authority="fees")
    thirsty.move()
    answer = thirsty.call(
        "revenue-rebalance", from_channel=SOURCE, to_channel=TARGET, amount_sats=CHUNKS * 100_000
    )

    assert answer["status"] in {"success", "initiated", "pending"}
