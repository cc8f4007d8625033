"""Wire: what is written is read back equal, and nothing else is read."""

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.money import anything
from property.strategies import channel_memories, configs, memories, snapshots
from unit.adapters.wire_examples import CHANNEL, FULL, GIVER, MEMORY, PEER, US

from revops.adapters import redact, wire
from revops.adapters.wire import WireError, read_snapshot, write_snapshot
from revops.core.actions import Hold, SetFee, Source, StartRebalance, StopRebalance
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import FlowState
from revops.core.outcomes import Applied, Refused, Rehearsed, Started, Stopped, Unknown
from revops.core.policy import Strategy
from revops.core.reasons import Code, because, sentence
from revops.core.rebalance.decide import rebalance

SET_FEE = SetFee(
    channel_id=CHANNEL,
    scid="800000x1x0",
    peer_id=PEER,
    old_ppm=100,
    new_ppm=120,
    old_base_msat=1,
    new_base_msat=0,
)
START = StartRebalance(
    channel_id=CHANNEL,
    scid="800000x1x0",
    peer_id=PEER,
    sources=(Source(channel_id=GIVER, scid="800001x1x0"),),
    amount_msat=200_000_000,
    chunk_msat=100_000_000,
    max_ppm=150,
    max_fee_msat=45_000,
    expected_fee_msat=20_000,
    keep_share=0.0,
    keep_msat=0,
    to_us_msat=2_000_000_000,
    ordered=True,
)
STOP = StopRebalance(rebalance_id=4, channel_id=CHANNEL, scid="800000x1x0", peer_id=PEER)
ACTIONS = "set_fee, start_rebalance, stop_rebalance, hold"


def document(**changes: Any) -> dict[str, Any]:
    """
    Return the full snapshot as parsed JSON, with *changes* to its channel.
    """
    value = json.loads(write_snapshot(FULL))
    value["channels"][0].update(changes)
    return value


def problems(value: object) -> tuple[str, ...]:
    """
    Return what reading *value* as a snapshot complains about.
    """
    with pytest.raises(WireError) as caught:
        read_snapshot(json.dumps(value))
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


class TestSnapshots:
    """
    The snapshot file.
    """

    @given(snapshots(), configs())
    def test_a_snapshot_and_its_config_come_back_equal(self, snapshot, config):
        """
        Whatever a snapshot holds, its file holds; so with every Config.
        """
        assert read_snapshot(write_snapshot(snapshot, config)) == (snapshot, config)

    @given(anything())
    def test_what_is_known_of_money_comes_back_equal(self, known):
        """
        So does the treasury, and redacted it can be read as well.
        """
        snapshot, config = known
        redacted = redact.redacted(snapshot)

        assert read_snapshot(write_snapshot(snapshot, config)) == (snapshot, config)
        assert read_snapshot(write_snapshot(redacted)) == (redacted, Config())

    @given(snapshots())
    def test_one_snapshot_has_one_text(self, snapshot):
        """
        What was read is written as it was: byte for byte, and as bytes or text alike.
        """
        text = write_snapshot(snapshot)

        assert write_snapshot(*read_snapshot(text)) == text
        assert write_snapshot(*read_snapshot(text.encode())) == text

    def test_without_config_every_option_is_at_its_default(self):
        """
        A file without `config` means the default Config, and that is written as none.
        """
        assert read_snapshot(write_snapshot(FULL))[1] == Config()
        assert "config" not in json.loads(write_snapshot(FULL, Config()))

    def test_words_become_members_of_their_enum(self):
        """
        A state or strategy that was read is the member, and not a word that equals it.
        """
        snapshot, _ = read_snapshot(write_snapshot(FULL))

        assert snapshot.memory.channels[0].flow.state is FlowState.SINK
        assert snapshot.policies[0].strategy is Strategy.STATIC

    def test_what_means_nothing_is_not_written(self):
        """
        Unknown, zero and empty are left out; other defaults are spelled out, since a later
        version may have others.
        """
        window = json.loads(write_snapshot(FULL))["memory"]["channels"][0]["fee"]["climb"]["window"]
        channel = document()["channels"][0]

        assert window == {"fee_ppm": 90}
        assert channel["connected"] is True
        assert "market_ppm" not in channel

    def test_a_channel_is_a_line(self):
        """
        Files can be compared line by line.
        """
        lines = write_snapshot(FULL).splitlines()
        of_channels = [line for line in lines if line.startswith('{"channel_id"')]

        assert [json.loads(line) for line in of_channels] == document()["channels"]

    def test_a_redacted_snapshot_names_nobody(self):
        """
        Names, tags, ids and what other programs say are gone, channels keep their place in the
        chain, and what belonged together still does.
        """
        redacted = redact.redacted(FULL)
        text = write_snapshot(redacted)
        channel = redacted.channels[0]

        for word in (US, PEER, CHANNEL, GIVER, "peer", "bob", '"us"'):
            assert word not in text.replace("peer_id", "").replace("to_peer", "")
        assert (channel.scid, len(channel.channel_id), len(channel.peer_id)) == (
            "800000x1x0",
            64,
            66,
        )
        assert redacted.policies[0].peer_id == channel.peer_id
        assert redacted.memory.channels[0].channel_id == channel.channel_id
        [attempt], [record] = redacted.treasury.attempts, redacted.treasury.reputations
        assert (attempt.to_channel, attempt.to_peer) == (channel.channel_id, channel.peer_id)
        assert record.peer_id == channel.peer_id
        assert redacted.treasury.contested == (channel.peer_id,)
        assert read_snapshot(text)[0] == redacted


class TestRefusals:
    """
    What is no snapshot file.
    """

    @pytest.mark.parametrize(
        ("field", "value", "sentence_"),
        [
            ("to_us_msat", "5k", "expected an integer from 0 to 2100000000000000000, got '5k'"),
            ("fee_ppm", 3.0, "expected an integer from 0 to 4294967295, got 3.0"),
            ("fee_ppm", True, "expected an integer from 0 to 4294967295, got True"),
            ("htlcs_in", -1, "expected an integer ≥ 0, got -1"),
            ("htlcs_in", None, "expected an integer ≥ 0, got None"),
            ("capacity_msat", None, "expected an integer from 1 to 2100000000000000000, got None"),
            ("connected", "true", "expected true or false, got 'true'"),
            ("connected", 1, "expected true or false, got 1"),
            ("opener", "me", "expected one of local, remote, got 'me'"),
            ("opener", ["local"], "expected one of local, remote, got ['local']"),
            ("state", None, "expected text, got None"),
            ("alias", "\ud800", "expected text in Unicode, got '\\ud800'"),
            ("traffic", [], "expected an object, got []"),
            ("scid", "1:1:1", "expected a short channel id like 700000x1x0, got '1:1:1'"),
            ("peer_id", "02ab", "expected 66 hex digits, got '02ab'"),
        ],
    )
    def test_a_wrong_value_is_told_with_its_path(self, field, value, sentence_):
        """
        The sentence says where it stands, what was expected and what came.
        """
        assert problems(document(**{field: value})) == (f"$.channels[0].{field}: {sentence_}",)

    def test_all_problems_are_told_at_once(self):
        """
        However deep they are, in however many objects, and beside unknown and missing fields.
        """
        value = document(fee_ppm="x", to_us_msat=-1, speed=9)
        value["schema"] = 2
        value["config"] = {"min-fee-ppm": "x", "no-such": "1", "paused": True}
        value["memory"]["channels"][0]["flow"]["state"] = "SINK"
        value["memory"]["channels"][0]["fee"]["climb"]["side"] = True
        value["policies"][0]["fee_multiplier_min"] = 9.5
        value["policies"][0]["tags"] = "abc"
        del value["node"]["node_id"]
        del value["channels"][0]["state"]

        assert sorted(problems(value)) == [
            "$.channels[0].fee_ppm: expected an integer from 0 to 4294967295, got 'x'",
            "$.channels[0].speed: there is no such field",
            "$.channels[0].state: is missing",
            "$.channels[0].to_us_msat: expected an integer from 0 to 2100000000000000000, got -1",
            "$.config.min-fee-ppm: expected a whole number from 0 to 100000, got 'x'",
            "$.config.no-such: there is no such option",
            "$.config.paused: expected text, got True",
            "$.memory.channels[0].fee.climb.side: expected one of -1, 1, got True",
            (
                "$.memory.channels[0].flow.state: expected one of dormant, source, sink, balanced,"
                " got 'SINK'"
            ),
            "$.node.node_id: is missing",
            "$.policies[0].fee_multiplier_min: expected a number from 0.1 to 5, got 9.5",
            "$.policies[0].tags: expected a list, got 'abc'",
            "$.schema: expected 1, got 2",
        ]

    def test_what_fields_say_together_is_checked(self):
        """
        More of ours than there is, a channel twice, a policy that contradicts itself.
        """
        value = document(to_us_msat=5_000_000_001)
        twice = document()
        twice["channels"] *= 2
        static = document()
        del static["policies"][0]["fee_ppm"]

        assert problems(value) == (
            "$.channels[0].to_us_msat: expected at most capacity_msat 5000000000, got 5000000001",
        )
        assert problems(twice) == (
            "$.channels: channel_id (64 letters left out) stands there twice",
        )
        assert problems(static) == ("$.policies[0].fee_ppm: strategy static needs it, got none",)

    def test_options_are_refused_as_the_node_would(self):
        """
        A value out of bounds, an unknown option and a contradiction have their place.
        """
        wrong = {**document(), "config": {"min-fee-ppm": "x", "no-such": "1"}}
        against = {**document(), "config": {"min-fee-ppm": "100", "max-fee-ppm": "50"}}

        assert problems(wrong) == (
            "$.config.min-fee-ppm: expected a whole number from 0 to 100000, got 'x'",
            "$.config.no-such: there is no such option",
        )
        assert problems(against) == ("$.config: min-fee-ppm 100 is above max-fee-ppm 50",)

    @pytest.mark.parametrize(
        ("text", "beginning"),
        [
            ("", "$: expected JSON: "),
            ("{", "$: expected JSON: "),
            ('{"now": NaN}', "$: expected JSON: NaN is no number"),
            ('{"now": -Infinity}', "$: expected JSON: -Infinity is no number"),
            (b"\xff\xff", "$: expected JSON: "),
            ("[" * 100_000, "$: expected JSON: "),
            ("[]", "$: expected an object, got []"),
            ("null", "$: expected an object, got None"),
            ("{}", "$.schema: expected 1, got None\n$.now: is missing\n$.node: is missing"),
        ],
    )
    def test_what_is_no_json_object_is_refused(self, text, beginning):
        """
        Broken text, NaN and Infinity, endless nesting: one sentence each.
        """
        with pytest.raises(WireError) as caught:
            read_snapshot(text)

        assert str(caught.value).startswith(beginning)

    @pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 4000])
    def test_a_number_beyond_floats_is_refused(self, number):
        """
        JSON has larger numbers than a float holds: none becomes infinite.
        """
        value = json.dumps(document()).replace('"in_sum": 12.5', f'"in_sum": {number}')

        with pytest.raises(WireError, match=r"\.flow\.in_sum: expected a number"):
            read_snapshot(value)

    def test_endless_values_are_cut(self):
        """
        Megabytes from a stranger do not fill the log.
        """
        value = document(fee_ppm="x" * 1_000_000, alias=[["y" * 1_000_000]])
        value["z" * 1_000_000] = 1

        assert max(map(len, problems(value))) < 400


class TestMemory:
    """
    What the books keep.
    """

    @given(channel_memories())
    def test_a_channels_memory_comes_back_equal(self, memory):
        """
        Nothing learned about a channel is lost in the books.
        """
        assert wire.read_channel_memory(wire.write_channel_memory(memory)) == memory

    @given(memories())
    def test_the_nodes_memory_comes_back_without_channels(self, memory):
        """
        Channels have rows of their own.
        """
        text = wire.write_node_memory(memory)

        assert wire.read_node_memory(text) == attrs.evolve(memory, channels=())

    def test_memory_of_another_version_is_refused_by_path(self):
        """
        A field that this version does not have is not dropped in silence.
        """
        text = wire.write_channel_memory(MEMORY).replace('"calm"', '"quiet"')
        value = json.loads(text)
        value["fee"]["mood"] = "good"

        with pytest.raises(WireError, match=r"\$\.fee\.mood: there is no such field"):
            wire.read_channel_memory(json.dumps(value))


facts = st.dictionaries(
    st.text(st.characters(codec="utf-8")).filter(
        lambda name: name not in ("code", "before", "after")
    ),
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
)
prices = st.none() | st.integers(0, 10**7)


class TestDecisions:
    """
    What the journal keeps, and what machines are told.
    """

    @given(st.lists(st.builds(because, st.sampled_from(Code), prices, prices)), facts)
    def test_a_trail_comes_back_equal(self, reasons, more):
        """
        Codes, facts in their order and with their types, and the price before and after.
        """
        trail = (*reasons, because(Code.SET, 1, 2, **more))
        back = wire.read_trail(wire.write_trail(trail))

        assert back == trail
        assert [[type(v) for _, v in r.facts] for r in back] == [
            [type(v) for _, v in r.facts] for r in trail
        ]

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("{}", "$: expected a list, got {}"),
            ('[{"code": "no"}]', "$[0].code: expected one of passive, "),
            ('[{"code": "set", "facts": []}]', "$[0].facts: expected an object, got []"),
            ('[{"code": "set", "facts": {"a": null}}]', "$[0].facts: expected facts that are"),
            ('[{"code": "set", "facts": {"a": 1e999}}]', "$[0].facts: expected facts that are"),
            ('[{"code": "set", "before": "1"}]', "$[0].before: expected an integer, got '1'"),
            ('[{"code": "set", "why": 1}]', "$[0].why: there is no such field"),
        ],
    )
    def test_what_is_no_trail_is_refused(self, text, problem):
        """
        The sentence says which reason is wrong, and where.
        """
        with pytest.raises(WireError) as caught:
            wire.read_trail(text)

        assert str(caught.value).startswith(problem)

    @pytest.mark.parametrize("action", [Hold(), Hold(until=5), SET_FEE, START, STOP])
    def test_an_action_comes_back_equal(self, action):
        """
        What was decided is in the journal as it was.
        """
        assert wire.read_action(wire.write_action(action)) == action

    @pytest.mark.parametrize(
        "outcome",
        [
            Applied(fee_ppm=1, base_fee_msat=0),
            Started(rebalance_id=4),
            Stopped(rebalance_id=4),
            Refused(error="no"),
            Unknown(error="?"),
            Rehearsed(),
        ],
    )
    def test_an_outcome_comes_back_equal(self, outcome):
        """
        What became of it is in the journal as it was.
        """
        assert wire.read_outcome(wire.write_outcome(outcome)) == outcome

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("5", "$: expected an object, got 5"),
            ("{}", f"$.do: expected one of {ACTIONS}, got None"),
            ('{"do": ["hold"]}', f"$.do: expected one of {ACTIONS}, got ['hold']"),
            ('{"do": "hold", "until": "x"}', "$.until: expected an integer, got 'x'"),
        ],
    )
    def test_what_is_no_action_is_refused(self, text, problem):
        """
        An action that this version does not know is not taken for another.
        """
        with pytest.raises(WireError) as caught:
            wire.read_action(text)

        assert str(caught.value) == problem

    def test_a_plan_is_told_in_full(self):
        """
        Every decision has its channel, its action by name, and its reasons with their words.
        """
        plan = decide(FULL, Config())
        told = json.loads(wire.write_plan(plan))

        assert list(told) == [field.name for field in attrs.fields(type(plan))]
        for decision, shown in zip(plan.decisions, told["decisions"], strict=True):
            assert shown["channel_id"] == decision.channel_id
            assert shown["action"]["do"] in ("set_fee", "hold")
            assert [reason["text"] for reason in shown["trail"]] == [
                sentence(reason) for reason in decision.trail
            ]
        assert wire.write_plan(plan) == wire.write_plan(decide(FULL, Config()))

    def test_a_plan_of_rebalances_is_told_in_full(self):
        """
        It has the fields of its class; beside the plan of prices it stands under names of its
        own, which are null where nothing could be judged.
        """
        prices, rebalances = decide(FULL, Config()), rebalance(FULL, Config())
        alone = json.loads(wire.write_plan(rebalances))
        both = json.loads(wire.write_plans(prices, rebalances))
        unjudged = json.loads(wire.write_plans(prices, None))

        assert list(alone) == [field.name for field in attrs.fields(type(rebalances))]
        assert both == json.loads(wire.write_plan(prices)) | {
            "rebalances": alone["decisions"],
            "rebalance_trail": alone["node_trail"],
            "rebalance_limits": alone["limits"],
        }
        assert {
            unjudged[name] for name in ("rebalances", "rebalance_trail", "rebalance_limits")
        } == {None}
