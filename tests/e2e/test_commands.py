"""Commands: what operators and neighbours read, and what they are told when they err."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from e2e.office import Office
from fakes import FakeNode

from revops import __version__
from revops.adapters.wire import read_snapshot
from revops.core import Code
from revops.shell.commands import COMMANDS
from revops.shell.commands.command import CommandError

SCID = "150x6x0"
PEER = "02" + "ab" * 32
OTHER = "03" + "cd" * 32


def policy(office: Office, *positional: Any, **named: Any) -> Any:
    """
    Call `revenue-policy`.
    """
    return office.call("revenue-policy", *positional, **named)


# revenue-status ------------------------------------------------------------------------------


def test_status_has_what_neighbours_look_for(office: Office, node: FakeNode) -> None:
    """
    The fields that cl-hive and its test scripts read are there, for every channel.
    """
    office.cycle()
    status = office.call("revenue-status")

    assert (status["status"], status["version"]) == ("running", __version__)
    assert status["version"] >= "3.0.0"
    assert status["config"]["fee_range_ppm"] == [10, 5000]
    assert {row["channel_id"] for row in status["channel_states"]} == set(node.fees())
    for row in status["channel_states"]:
        assert row["state"] in {"source", "sink", "balanced"}
        assert row["flow_class"] in {"source", "sink", "balanced", "dormant"}
        assert row["capacity"] >= row["our_balance"] >= 0
        assert row["sats_in"] >= 0
        assert row["sats_out"] >= 0
        assert 0 <= row["confidence"] <= 1
        assert -1 <= row["flow_ratio"] <= 1
        assert {"peer_id", "fee_ppm", "velocity", "forward_count"} <= row.keys()
    change = status["recent_fee_changes"][0]
    assert {"channel_id", "old_fee_ppm", "new_fee_ppm", "reason"} <= change.keys()


def test_status_answers_before_the_first_cycle(office: Office) -> None:
    """
    A plugin that has seen nothing yet says so, with empty lists and no invented numbers.
    """
    status = office.call("revenue-status")

    assert status["channel_states"] == []
    assert status["last_cycle"] is None
    assert status["loops"][0]["last_ok"] is None


def test_every_answer_is_json(office: Office) -> None:
    """
    Whatever a command answers can be sent: no NaN, no type of our own.
    """
    office.cycle()
    for answer in (
        office.call("revenue-status"),
        office.call("revenue-explain", SCID),
        office.call("revenue-snapshot"),
        policy(office, "list"),
        policy(office, "set", PEER, "hive"),
    ):
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer


# revenue-explain -----------------------------------------------------------------------------


def test_explain_tells_the_decision_step_by_step(office: Office) -> None:
    """
    Every reason of the decision is told, in order, with its facts and the price it made.
    """
    office.cycle()
    [explained] = office.call("revenue-explain", SCID)["channels"]
    trail = office.decision(SCID).trail

    assert [step["code"] for step in explained["fee"]["steps"]] == [r.code.value for r in trail]
    assert [step["after_ppm"] for step in explained["fee"]["steps"]] == [r.after for r in trail]
    assert explained["fee"]["do"] == "set_fee"
    assert explained["fee"]["outcome"] == "applied"
    assert explained["fee"]["may_change_at"] >= office.clock.now()


def test_explain_takes_a_peer_for_all_its_channels(office: Office, node: FakeNode) -> None:
    """
    A peer id explains each channel with that peer.
    """
    office.cycle()
    peer = node.channel(SCID)["peer_id"]
    answer = office.call("revenue-explain", channel=peer)
    theirs = {c["short_channel_id"] for c in node.channels if c["peer_id"] == peer}

    assert {explained["scid"] for explained in answer["channels"]} == theirs
    assert len(theirs) > 1


def test_explain_names_a_channel_that_is_not_ours(office: Office) -> None:
    """
    An unknown channel is an error that names the argument and its value.
    """
    office.cycle()

    with pytest.raises(CommandError, match=r"channel: expected .* of ours, got '1x1x1'"):
        office.call("revenue-explain", "1x1x1")


# revenue-snapshot ----------------------------------------------------------------------------


def test_a_snapshot_shows_no_ids_unless_asked_to(office: Office, node: FakeNode) -> None:
    """
    By default ids are hashed and aliases gone; `redact=false` keeps them.
    """
    office.cycle()
    known = [node.info["id"], *(c["peer_id"] for c in node.channels)]
    redacted = json.dumps(office.call("revenue-snapshot"))
    whole = json.dumps(office.call("revenue-snapshot", "false"))

    assert not any(name in redacted for name in known)
    assert all(name in whole for name in known)
    assert read_snapshot(redacted)[0].now == read_snapshot(whole)[0].now


def test_a_snapshot_is_saved_for_our_eyes_only(office: Office) -> None:
    """
    `save` writes inside lightning-dir with mode 0600 what would have been answered.
    """
    office.cycle()
    saved = office.call("revenue-snapshot", save="seen.json")
    file = Path(saved["saved"])

    assert file.parent == office.directory.resolve()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == office.call("revenue-snapshot")


@pytest.mark.parametrize("path", ["../seen.json", "/etc/seen.json", "", "revenue_ops.db"])
def test_a_snapshot_overwrites_nothing_and_leaves_no_other_place(office: Office, path: str) -> None:
    """
    A path outside of lightning-dir is refused, and so is a file that is there already.
    """
    office.cycle()

    with pytest.raises(CommandError, match="save: "):
        office.call("revenue-snapshot", save=path)


# revenue-policy ------------------------------------------------------------------------------


def test_a_policy_is_got_as_it_was_set(office: Office) -> None:
    """
    What is set comes back, under the names that neighbours read, and survives a restart.
    """
    answer = policy(
        office,
        action="set",
        peer_id=PEER,
        strategy="dynamic",
        rebalance="source_only",
        fee_multiplier_min=0.5,
        fee_multiplier_max="2.0",
        max_fee_ppm="900",
        tags="exchange,big",
        expires_in_hours=2,
    )
    assert answer["status"] == "success"
    office.restart()

    assert policy(office, "get", PEER) == {
        "policy": {
            "peer_id": PEER,
            "strategy": "dynamic",
            "rebalance_mode": "source_only",
            "fee_ppm_target": None,
            "fee_multiplier_min": 0.5,
            "fee_multiplier_max": 2.0,
            "min_fee_ppm": None,
            "max_fee_ppm": 900,
            "tags": ["big", "exchange"],
            "expires_at": office.clock.now() + 7200,
            "is_expired": False,
            "updated_at": office.clock.now(),
        }
    }


def test_an_expired_policy_is_listed_as_such_and_is_not_in_force(office: Office) -> None:
    """
    When its time is over a policy is default again by itself; `list` still shows what it was.
    """
    policy(office, "set", PEER, "passive", expires_in_hours=1)
    office.clock.pass_by(3600)

    assert policy(office, "get", PEER)["policy"]["strategy"] == "dynamic"
    assert [p["is_expired"] for p in policy(office, "list")["policies"]] == [True]


def test_tags_are_set_found_and_taken_away(office: Office) -> None:
    """
    tag, find and untag work on single tags and leave the rest of the policy alone.
    """
    policy(office, "set", PEER, "passive")
    assert policy(office, "tag", PEER, "big")["tags"] == ["big"]
    assert policy(office, "find", "big")["peers"] == [PEER]
    assert policy(office, "untag", PEER, "big")["policy"]["strategy"] == "passive"
    assert policy(office, "find", tag="big")["count"] == 0


def test_changes_since_a_moment_are_told(office: Office) -> None:
    """
    Changes, deletions among them, are listed with the moment to ask from next time.
    """
    began = office.clock.now()
    office.clock.pass_by(10)
    policy(office, "set", PEER, "passive")
    office.clock.pass_by(10)
    policy(office, "delete", PEER)
    told = policy(office, action="changes", since=began)

    assert [change["deleted"] for change in told["changes"]] == [False, True]
    assert (told["since"], told["last_change_timestamp"]) == (began, began + 20)
    assert policy(office, "changes", began + 20)["changes"] == []


def test_a_batch_is_made_whole_or_not_at_all(office: Office) -> None:
    """
    One bad update in a batch and none is made; the answer names its place.
    """
    good = {"peer_id": PEER, "strategy": "hive"}
    bad = {"peer_id": OTHER, "strategy": "static"}
    refused = policy(office, action="batch", updates=json.dumps([good, bad]))
    misspelt = policy(office, "batch", [good, {"peer_id": OTHER, "stratgy": "hive"}])

    assert refused == {"status": "error", "error": "fee_ppm: strategy static needs it, got none"}
    assert misspelt["error"].startswith("updates[1].stratgy: there is no such argument")
    assert policy(office, "list")["count"] == 0
    assert policy(office, "batch", "[]") == {"status": "success", "updated": 0, "policies": []}
    assert policy(office, "batch", [good])["updated"] == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["explode"], "action: expected one of list, get, set, "),
        ([], "action: expected one of list, get, set, "),
        (["get"], "peer_id: it is missing; it takes peer_id"),
        (["get", "02ab"], "peer_id: expected 66 hex digits, got '02ab'"),
        (["set", PEER], "set: expected at least one of strategy, "),
        (["set", PEER, "invalid_strategy"], "strategy: expected one of dynamic, static, passive"),
        (["set", PEER, "static", "enabled", "many"], "fee_ppm: expected a number, got 'many'"),
        (["set", PEER, "static", "enabled", 100_001], "fee_ppm: expected an integer from 0 to"),
        (["list", "all"], "'all': there is no place for it; it takes no argument"),
    ],
)
def test_a_refusal_is_an_answer_that_names_field_and_value(
    office: Office, arguments: list[Any], error: str
) -> None:
    """
    Neighbours expect status and error where a policy cannot be.
    """
    answer = policy(office, *arguments)

    assert answer["status"] == "error"
    assert answer["error"].startswith(error)


def test_a_peer_is_changed_ten_times_a_minute_at_most(office: Office) -> None:
    """
    The eleventh change within a minute is refused, with the time to wait.
    """
    for ppm in range(10):
        assert policy(office, "set", PEER, "static", "enabled", ppm)["status"] == "success"

    assert policy(office, "set", PEER, "dynamic")["error"].endswith("wait 60 s")
    assert policy(office, "set", OTHER, "dynamic")["status"] == "success"


def test_a_passive_peer_is_left_alone(office: Office, node: FakeNode) -> None:
    """
    A policy set by command decides in the next cycle.
    """
    policy(office, "set", node.channel(SCID)["peer_id"], "passive")
    office.cycle()

    assert Code.PASSIVE in office.codes(SCID)
    assert SCID not in [call["id"] for call in node.called("setchannel")]


# All of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [c.name for c in COMMANDS if not c.neighbourly])
def test_an_unknown_argument_is_named(office: Office, name: str) -> None:
    """
    A misspelt argument is no argument: it is named, with those that there are.
    """
    office.cycle()

    with pytest.raises(CommandError, match="colour: there is no such argument; it takes"):
        office.call(name, colour="red")
