"""Why: what revops does and why not, and what would change it, as an operator is told."""

import json
from typing import Any

import pytest
from e2e.office import Office
from fakes import FakeNode, RpcRefusalError

from revops.core.units import DAY, HOUR
from revops.shell.commands import COMMANDS
from revops.shell.commands.command import CommandError

SCID = "150x6x0"
CROWD = "150x1x0"
HALF_AN_HOUR = 1800


def explained(office: Office, scid: str = SCID) -> Any:
    """
    Return what `revenue-explain` says about the fee of one channel.
    """
    [channel] = office.call("revenue-explain", scid)["channels"]
    return channel["fee"]


def debugged(office: Office, scid: str = SCID) -> Any:
    """
    Return what `revenue-fee-debug` says about one channel.
    """
    [channel] = office.call("revenue-fee-debug", scid)["channels"]
    return channel


# revenue-explain -----------------------------------------------------------------------------


def test_an_action_is_explained_with_what_would_change_it(office: Office) -> None:
    """
    The stage that moved the price is named, with each setting behind it, the value it has now, and
    the command that changes it.
    """
    office.cycle()
    fee = explained(office, CROWD)

    assert fee["do"] == "set_fee"
    assert fee["because"]["code"] == "scarcity"
    assert fee["change"][0] == {
        "setting": "scarcity-threshold",
        "now": 0.35,
        "how": "revenue-config set scarcity-threshold VALUE, a number from 0.01 to 1 (share)",
    }


def test_a_setting_is_told_as_it_is_now(office: Office, node: FakeNode) -> None:
    """
    An option changed since the decision, and a policy's field, are shown as they stand.
    """
    office.cycle()
    office.configure(scarcity_threshold="0.5")
    peer = node.channel(CROWD)["peer_id"]
    office.call("revenue-policy", action="set", peer_id=peer, fee_multiplier_max=1.5)
    now = {change["setting"]: change["now"] for change in explained(office, CROWD)["change"]}

    assert now["scarcity-threshold"] == 0.5
    assert now["revenue-policy fee_multiplier_max"] == 1.5


def test_holding_is_explained_with_what_would_change_it(office: Office, node: FakeNode) -> None:
    """
    A channel that is left alone says what holds it, until when, and which policy to change.
    """
    peer = node.channel(SCID)["peer_id"]
    office.call(
        "revenue-policy", action="set", peer_id=peer, strategy="passive", expires_in_hours=9
    )
    office.cycle()
    fee = explained(office)

    assert (fee["do"], fee["because"]["code"]) == ("hold", "passive")
    assert fee["outcome"] is None
    assert fee["may_change_at"] == office.clock.now() + 9 * HOUR
    assert fee["change"] == [
        {
            "setting": "revenue-policy strategy",
            "now": "passive",
            "how": f"revenue-policy -k action=set peer_id={peer} strategy=VALUE",
        }
    ]


def test_what_only_time_changes_says_so(office: Office, node: FakeNode) -> None:
    """
    Where no setting does it, the answer says what has to happen, beside the nearest lever.
    """
    node.channel(SCID)["state"] = "CHANNELD_SHUTTING_DOWN"
    office.cycle()
    fee = explained(office)

    assert fee["because"]["code"] == "not_normal"
    assert fee["waits_for"] == "the channel has to reach CHANNELD_NORMAL"
    assert fee["change"]


def test_every_step_of_every_channel_names_settings(office: Office) -> None:
    """
    There is no step about which nothing could be done.
    """
    office.cycle()
    for row in office.call("revenue-status")["channel_states"]:
        for step in explained(office, row["scid"])["steps"]:
            assert step["settings"], step["code"]


@pytest.mark.parametrize(
    ("option", "value", "how"),
    [
        ("paused", "true", "revenue-config set paused false"),
        ("dry_run", "true", "revenue-config set dry-run false"),
        ("authority", "observe", "revenue-config set authority VALUE, one of observe, fees"),
    ],
)
def test_what_holds_everything_is_said_first(
    office: Office, option: str, value: str, how: str
) -> None:
    """
    Paused, dry-run and authority come before all single reasons, with the way out.
    """
    office.configure(**{option: value})
    office.cycle()
    answer = office.call("revenue-explain", SCID)
    [held] = answer["all_held"]

    assert next(iter(answer)) == "all_held"
    assert held["setting"] == option.replace("_", "-")
    assert held["how"].startswith(how)
    assert held["text"].startswith(held["setting"])


def test_an_explanation_survives_a_restart(office: Office) -> None:
    """
    The books know what was decided, why, and what became of it.
    """
    office.cycle()
    before = explained(office)
    office.restart()
    after = explained(office)

    assert before["outcome"] == "applied"
    assert {**after, "may_change_at": None} == {**before, "may_change_at": None}


def test_a_channel_that_is_gone_is_explained_as_it_was(office: Office, node: FakeNode) -> None:
    """
    A channel that the node does not list any more shows its last decision, and that it is old.
    """
    office.cycle()
    node.channels.remove(node.channel(SCID))
    office.cycle(HALF_AN_HOUR)
    answer = office.call("revenue-explain", SCID)
    [channel] = answer["channels"]

    assert not channel["is_listed"]
    assert channel["decided_at"] == answer["cycle_at"] - HALF_AN_HOUR
    assert channel["fee"]["because"]["text"]


def test_a_spliced_channel_is_found_by_the_scid_it_had(office: Office, node: FakeNode) -> None:
    """
    Who asks with a short channel id from before a splice is told of the same channel today.
    """
    office.cycle()
    node.channel(SCID)["short_channel_id"] = "170x1x0"
    office.cycle(HALF_AN_HOUR)
    [channel] = office.call("revenue-explain", SCID)["channels"]

    assert channel["scid"] == "170x1x0"
    assert channel["is_listed"]


def test_without_a_cycle_it_says_why_there_was_none(office: Office, node: FakeNode) -> None:
    """
    Before the first cycle there is nothing to explain but what keeps it from running.
    """
    with pytest.raises(CommandError, match="channel: nothing is decided yet; the first cycle"):
        office.call("revenue-explain", SCID)
    node.garbage["listpeerchannels"] = lambda _: {}
    office.cycle()
    with pytest.raises(CommandError, match="channel: nothing is decided yet; the last try failed"):
        office.call("revenue-explain", SCID)


# revenue-status ------------------------------------------------------------------------------


def test_a_sentence_says_that_all_is_well(office: Office) -> None:
    """
    An operator reads in one line what was done and that nothing is wrong.
    """
    office.cycle()
    office.clock.pass_by(240)
    office.run_minutely()
    status = office.call("revenue-status")

    assert status["summary"] == (
        "live: 7 channels 4 min ago: 7 prices to change, 0 as wanted, 0 held; nothing is wrong"
    )
    assert status["troubles"] == []


def test_a_sentence_says_first_what_is_wrong(office: Office, node: FakeNode) -> None:
    """
    Trouble comes before everything else, and all of it is listed.
    """
    node.refuse_to_price(SCID)

    def refuse() -> None:
        raise RpcRefusalError(-1, "no feerates yet")

    node.before["feerates"] = refuse
    office.cycle()
    status = office.call("revenue-status")

    assert status["summary"].startswith("WRONG: feerates: no feerates yet (and 1 more); live: 7 ")
    assert "1 prices could not be set: setchannel: " in status["troubles"][1]


def test_a_cycle_that_fails_is_trouble_until_one_succeeds(office: Office, node: FakeNode) -> None:
    """
    The loop's last error stands in the summary as long as it is the last that happened.
    """
    node.garbage["listpeerchannels"] = lambda _: {}
    office.cycle()
    assert office.call("revenue-status")["summary"].startswith("WRONG: fees: ")
    del node.garbage["listpeerchannels"]
    office.cycle(HALF_AN_HOUR)
    office.run_minutely()

    assert office.call("revenue-status")["summary"].endswith("nothing is wrong")


def test_what_is_held_is_counted_by_its_reason(office: Office, node: FakeNode) -> None:
    """
    Each reason comes once, the most frequent first, with its settings and some of its channels.
    """
    office.call("revenue-policy", "set", node.channel(CROWD)["peer_id"], "passive")
    office.configure(paused="true")
    office.cycle()
    paused, passive = office.call("revenue-status")["held"]

    assert (paused["code"], paused["settings"]) == ("paused", ["paused"])
    assert (paused["count"], len(paused["scids"])) == (6, 5)
    assert (passive["code"], passive["count"]) == ("passive", 1)
    assert passive["scids"] == [CROWD]
    assert passive["text"] == "the peer's policy is passive: hands off"


def test_the_gossip_budget_is_told(office: Office) -> None:
    """
    What is used and left of the node's hour, who waits and until when.
    """
    office.configure(max_node_updates_per_hour="4")
    office.cycle()
    gossip = office.call("revenue-status")["gossip"]

    assert gossip["node_per_hour"] == {"used": 4, "left": 0}
    assert gossip["node_reserve_per_hour"] == {"used": 0, "left": 2}
    assert gossip["waiting"] == 3
    assert gossip["next_free_at"] == office.clock.now() + HOUR
    office.clock.pass_by(HOUR)
    assert office.call("revenue-status")["gossip"]["node_per_hour"] == {"used": 0, "left": 4}


def test_a_rehearsal_uses_no_budget(office: Office) -> None:
    """
    What a dry run would have set is no update.
    """
    office.configure(dry_run="true", max_fee_updates_per_day="1")
    office.cycle()
    gossip = office.call("revenue-status")["gossip"]

    assert gossip["node_per_hour"]["used"] == 0
    assert gossip["channels_at_daily_limit"] == 0


def test_a_channel_at_its_daily_limit_is_counted(office: Office) -> None:
    """
    Updates of the last day fill a channel's budget, and are gone from it a day later.
    """
    office.configure(max_fee_updates_per_day="1")
    office.cycle()

    assert office.call("revenue-status")["gossip"]["channels_at_daily_limit"] == 7
    office.clock.pass_by(DAY)
    assert office.call("revenue-status")["gossip"]["channels_at_daily_limit"] == 0


def test_prices_that_were_set_by_hand_are_listed(office: Office, node: FakeNode) -> None:
    """
    An order by command shows at once, a change by somebody else with the cycle that finds it, each
    until its time is over.
    """
    office.cycle()
    office.call("revenue-set-fee", SCID, 77, hours=48)
    [ordered] = office.call("revenue-status")["pins"]
    until = office.clock.now() + 48 * HOUR
    assert ordered == {"scid": SCID, "fee_ppm": 77, "until": until, "set_by": "revenue-set-fee"}

    node.channel(CROWD)["fee_proportional_millionths"] = 5
    node.channel(CROWD)["updates"]["local"]["fee_proportional_millionths"] = 5
    office.cycle(HALF_AN_HOUR)
    other, again = office.call("revenue-status")["pins"]
    assert (other["scid"], other["set_by"]) == (CROWD, "somebody else")
    assert again == ordered
    office.clock.pass_by(48 * HOUR)
    assert office.call("revenue-status")["pins"] == []


def test_rows_of_channels_may_be_limited(office: Office) -> None:
    """
    A limit cuts the list of channels and nothing that is counted over all of them.
    """
    office.cycle()
    whole, part = office.call("revenue-status"), office.call("revenue-status", 2)

    assert part["channel_states"] == whole["channel_states"][:2]
    assert part["channels"] == whole["channels"] == {"dormant": 7}
    with pytest.raises(CommandError, match=r"limit: expected a whole number from 0 .* got -1"):
        office.call("revenue-status", limit=-1)


# revenue-fee-debug ---------------------------------------------------------------------------


def test_the_dry_evaluation_is_what_the_next_cycle_decides(office: Office) -> None:
    """
    With a node that stood still, the stages, prices and doings are those of the cycle after it.
    """
    office.cycle()
    office.clock.pass_by(HALF_AN_HOUR)
    office.configure(min_fee_ppm="400", max_node_updates_per_hour="9")
    debug = office.call("revenue-fee-debug")
    office.cycle()

    assert debug["look_age_s"] == HALF_AN_HOUR
    counts = {word: number for word, number in debug["summary"].items() if number}
    assert counts == {"total": 7, "ready": 2, "waiting": 5}
    for row in debug["channels"]:
        decided = explained(office, row["scid"])
        for name in ("do", "because", "change", "steps"):
            assert row[name] == decided[name], row["scid"]


def test_a_dry_evaluation_leaves_no_trace(office: Office, node: FakeNode) -> None:
    """
    The node is not asked, nothing is written, and the next cycle decides as if nobody had looked.
    """
    office.cycle()
    calls, memory = list(node.calls), office.app.cycle.memory
    books = office.app.store.load_memory(), office.app.store.fee_changes(99)
    office.clock.pass_by(HALF_AN_HOUR)
    office.call("revenue-fee-debug")

    assert node.calls == calls
    assert office.app.cycle.memory is memory
    assert (office.app.store.load_memory(), office.app.store.fee_changes(99)) == books


def test_a_wish_counts_in_the_dry_evaluation_at_once(office: Office, node: FakeNode) -> None:
    """
    A policy, an option and an order of this moment show what they will do, before any cycle does.
    """
    office.cycle()
    office.call("revenue-policy", "set", node.channel(SCID)["peer_id"], "static", fee_ppm=123)
    assert debugged(office)["new_fee_ppm"] == 123
    office.call("revenue-set-fee", SCID, 77)
    ordered = debugged(office)
    assert (ordered["do"], ordered["fee_ppm"]) == ("hold", 77)
    assert ordered["because"]["code"] == "ordered"
    office.configure(paused="true")
    assert debugged(office, CROWD)["do"] == "hold"


def test_one_channel_is_evaluated_as_all_are(office: Office) -> None:
    """
    With a scid only that channel is shown, and the answer is the same.
    """
    office.cycle()
    office.clock.pass_by(HALF_AN_HOUR)
    whole = office.call("revenue-fee-debug")
    assert len(whole["channels"]) == 7
    for row in whole["channels"]:
        one = office.call("revenue-fee-debug", row["scid"])
        assert one["channels"] == [row]
        assert one["left_out"] == whole["left_out"]
        assert one["summary"]["total"] == 1


def test_a_dry_evaluation_has_the_fields_that_users_know(office: Office) -> None:
    """
    Those of the predecessor that mean something are there.
    """
    office.cycle()
    office.clock.pass_by(HALF_AN_HOUR)
    row = debugged(office)

    assert row["channel_id"] == SCID
    assert row["status"] == "in_force"
    assert row["skip_reason"]
    assert row["is_sleeping"] is False
    assert row["hours_since_update"] == 0.5
    assert row["forwards_since_update"] == 0
    assert row["last_broadcast_fee_ppm"] == 100
    assert row["flow_state"] == "dormant"


# revenue-analyze -----------------------------------------------------------------------------


def test_the_flow_is_what_the_cycle_saw(office: Office) -> None:
    """
    At the moment of a cycle the analysis says what that cycle found, whoever drains first.
    """
    office.cycle()
    answer = office.call("revenue-analyze")
    states = {state.scid: state.flow for state in office.app.cycle.last.plan.states}

    assert answer["total"] == len(states) == 7
    for row in answer["channels"]:
        flow = states[row["scid"]]
        assert row["state"] == flow.state.value
        assert row["turnover_per_day"] == flow.turnover
        assert row["net_ratio_per_day"] == flow.net_ratio
        assert row["confidence"] == flow.confidence
    assert answer["books"]["until"] == office.clock.now()
    assert office.call("revenue-analyze", limit=3)["channels"] == answer["channels"][:3]
    assert office.call("revenue-analyze", SCID)["total"] == 1


def test_who_is_empty_first_comes_first(office: Office, node: FakeNode) -> None:
    """
    Channels stand in the order in which they will be empty or full, those without an end in sight
    last.
    """
    for quarter in range(96):
        node.forward("150x7x0", SCID, 8_000_000, node.now + 900 * quarter)
    office.cycle(25 * HOUR)
    drains, fills, *others = office.call("revenue-analyze")["channels"]

    assert (drains["scid"], fills["scid"]) == (SCID, "150x7x0")
    assert drains["hours_to_full"] is fills["hours_to_empty"] is None
    assert 0 < drains["hours_to_empty"] < fills["hours_to_full"]
    assert all(row["hours_to_empty"] is row["hours_to_full"] is None for row in others)


def test_flow_that_is_not_known_is_not_none(office: Office, node: FakeNode) -> None:
    """
    Without a list of forwards a channel's flow is unknown, and no number is made up.
    """
    node.garbage["listforwards"] = lambda _: {}
    office.cycle()
    for row in office.call("revenue-analyze")["channels"]:
        assert set(row) == {"scid", "channel_id", "peer_id", "state"}
        assert row["state"] == "unknown"


# All of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["revenue-fee-debug", "revenue-analyze", "revenue-snapshot"])
def test_before_the_first_look_there_is_nothing_to_tell(office: Office, name: str) -> None:
    """
    What needs a look at the node says that there was none.
    """
    with pytest.raises(CommandError, match="nothing was seen yet since the start"):
        office.call(name)


@pytest.mark.parametrize("name", ["revenue-fee-debug", "revenue-analyze"])
def test_a_channel_that_is_not_ours_is_named(office: Office, name: str) -> None:
    """
    The error names the argument and its value.
    """
    office.cycle()
    with pytest.raises(CommandError, match=r"channel: expected .*, got '1x1x1'"):
        office.call(name, "1x1x1")


def test_every_answer_is_json(office: Office) -> None:
    """
    Whatever is told can be sent: no NaN, no type of our own.
    """
    office.cycle()
    office.clock.pass_by(HALF_AN_HOUR)
    for name in ("revenue-status", "revenue-fee-debug", "revenue-analyze", "revenue-snapshot"):
        answer = office.call(name)
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_a_way_out_is_a_command_that_there_is(office: Office) -> None:
    """
    Each `how` begins with a command that is offered, and takes what it says.
    """
    office.cycle()
    offered = {command.name for command in COMMANDS}
    for row in office.call("revenue-fee-debug")["channels"]:
        for change in row["change"]:
            assert change["how"].split()[0] in offered
