"""The real process, as lightningd runs it: start, first cycle, options, commands, end."""

import json
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from e2e.fake_lightningd import PLUGIN, FakeLightningd, PluginGoneError
from fakes import FakeNode, RpcRefusalError

from revops.adapters.wire import read_action, read_snapshot, write_plans
from revops.core import SetFee, decide
from revops.core.rebalance import rebalance
from revops.shell.clock import Clock

ROOT = PLUGIN.parent
SCID = "150x6x0"
LATE = {
    "asyncio",
    "prometheus_client",
    "pybreaker",
    "revops.adapters.cln",
    "revops.adapters.rpc",
    "revops.shell.app",
    "revops.shell.metrics.exporter",
    "revops.shell.worker",
    "structlog",
}
"""What only a running plugin needs."""


@pytest.fixture
def node() -> FakeNode:
    """
    The recorded node, whose last payment was a minute ago by this machine's clock.
    """
    return FakeNode(now=Clock().now())


def exported(lightningd: FakeLightningd) -> Path:
    """
    Return the file of what the last cycle saw, with nothing redacted.
    """
    saved = lightningd.call("revenue-snapshot", redact=False, save="seen.json")
    return Path(saved["saved"])


def seen_last(lightningd: FakeLightningd) -> str:
    """
    Return what the last cycle saw, without a file.
    """
    return json.dumps(lightningd.call("revenue-snapshot", "false"))


def steps(lightningd: FakeLightningd, scid: str) -> set[str]:
    """
    Return the codes of why a channel is priced as it is.
    """
    explained = lightningd.call("revenue-explain", channel=scid)
    return {step["code"] for step in explained["channels"][0]["fee"]["steps"]}


def journal(lightningd: FakeLightningd) -> list[tuple[str, str]]:
    """
    Return state and action of all that was journalled.
    """
    with closing(sqlite3.connect(lightningd.directory / "revenue_ops.db")) as books:
        return books.execute("SELECT state, action FROM journal ORDER BY id").fetchall()


def test_the_manifest_names_the_commands_and_every_option(lightningd: FakeLightningd) -> None:
    """
    Lightningd is told of every command, of options of which all but the path of the books can
    change while it runs, and of no hook.
    """
    lightningd.start()
    manifest = lightningd.manifest
    fixed = [o["name"] for o in manifest["options"] if not o["dynamic"]]

    assert manifest["dynamic"] is True
    assert manifest["hooks"] == []
    assert fixed == ["revenue-ops-db-path"]
    assert {m["name"]: m["usage"].split(" ")[0] for m in manifest["rpcmethods"]} == {
        "revenue-status": "[limit]",
        "revenue-explain": "channel",
        "revenue-fee-debug": "[channel]",
        "revenue-rebalance-debug": "[channel]",
        "revenue-jobs": "[action]",
        "revenue-analyze": "[channel]",
        "revenue-dashboard": "[window_days]",
        "revenue-report": "[report_type]",
        "revenue-profitability": "[channel_id]",
        "revenue-history": "[limit]",
        "revenue-capacity-report": "[limit]",
        "revenue-cleanup-closed": "[limit]",
        "revenue-snapshot": "[redact]",
        "revenue-policy": "action",
        "revenue-set-fee": "scid",
        "revenue-restore-fees": "[scid]",
        "revenue-wake-all": "",
        "revenue-rebalance": "from",
        "revenue-clear-reservations": "",
        "revenue-clboss-status": "[limit]",
        "revenue-ignore": "peer_id",
        "revenue-unignore": "peer_id",
        "revenue-list-ignored": "[limit]",
        "revenue-remanage": "peer_id",
        "revenue-hive-status": "",
        "revenue-config": "[action]",
    }


def test_nothing_is_asked_before_the_first_block(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    `init` is answered at once and the node is asked who it is, whose books these are; the first
    block starts the work.
    """
    assert lightningd.start(developer=True) is None
    assert lightningd.call("revenue-status")["last_cycle"] is None
    assert node.calls == [("getinfo", {})]

    assert lightningd.first_cycle()["last_cycle"]["blockheight"] == lightningd.height
    assert node.called("listpeerchannels")[0] == {}


def test_the_first_cycle_sets_exactly_what_the_core_decides(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    The calls of setchannel are the actions of `decide` on the exported snapshot, in its order.
    """
    lightningd.start()
    lightningd.first_cycle()
    plan = decide(*read_snapshot(exported(lightningd).read_text()))
    actions = [d.action for d in plan.decisions if isinstance(d.action, SetFee)]

    assert len(actions) == len(node.channels)
    assert [
        (call["id"], call["feeppm"], call["feebase"], call.get("htlcmax"))
        for call in node.called("setchannel")
    ] == [(a.scid, a.new_ppm, a.new_base_msat, a.htlc_max_msat) for a in actions]
    assert [(state, read_action(text)) for state, text in journal(lightningd)] == [
        ("applied", action) for action in actions
    ]


def test_the_exported_snapshot_replays_offline_to_the_same_bytes(
    lightningd: FakeLightningd,
) -> None:
    """
    `python -m revops.simulate` answers the plan that the live plugin made, byte for byte.
    """
    lightningd.start()
    lightningd.first_cycle()
    file = exported(lightningd)
    command = [sys.executable, "-m", "revops.simulate", str(file), "--json"]
    offline = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    live = lightningd.call("revenue-explain", SCID)["channels"][0]["fee"]["steps"]
    row = next(d for d in json.loads(offline.stdout)["decisions"] if d["scid"] == SCID)

    seen = read_snapshot(file.read_text())
    moves = rebalance(*seen) if seen[0].treasury else None
    assert offline.stdout == write_plans(decide(*seen), moves)
    assert [step["text"] for step in live] == [reason["text"] for reason in row["trail"]]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_restart_keeps_what_was_learned(lightningd: FakeLightningd, node: FakeNode) -> None:
    """
    A plugin that is stopped and started knows its own fees: it calls none of them somebody
    else's, and changes nothing that it has just decided.
    """
    lightningd.start()
    lightningd.first_cycle()
    fees = node.fees()
    first = node.called("setchannel")
    lightningd.shutdown()
    lightningd.start()
    lightningd.first_cycle()
    seen, _ = read_snapshot(seen_last(lightningd))

    assert node.fees() == fees
    assert node.called("setchannel") == first
    assert {m.channel_id for m in seen.memory.channels} == {c["channel_id"] for c in node.channels}
    assert all(memory.fee.search is not None for memory in seen.memory.channels)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_setchannel_loses_nothing(
    lightningd: FakeLightningd, node: FakeNode, moment: str
) -> None:
    """
    Killed when the journal is written and setchannel is asked for - or even done, but not yet
    answered - the next start takes no fee for somebody else's, and sets those still missing.
    """
    getattr(node, moment)["setchannel"] = node.never_answer
    lightningd.start()
    lightningd.block()
    lightningd.wait_for(lambda: node.called("setchannel"))
    lightningd.kill()
    assert {state for state, _ in journal(lightningd)} == {"decided"}

    getattr(node, moment).clear()
    node.let_go()
    lightningd.start()
    lightningd.first_cycle()
    seen, config = read_snapshot(seen_last(lightningd))
    actions = [d.action for d in decide(seen, config).decisions]
    wanted = {channel.scid: channel.fee_ppm for channel in seen.channels}
    wanted |= {action.scid: action.new_ppm for action in actions if isinstance(action, SetFee)}

    assert node.fees() == {scid: (ppm, 0) for scid, ppm in wanted.items()}
    assert all(memory.fee.asked is not None for memory in seen.memory.channels)
    for scid in wanted:
        assert not steps(lightningd, scid) & {"first_contact", "manual_change", "pinned"}


def test_shutdown_ends_the_process_within_two_seconds(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    The plugin goes by itself, even while lightningd owes it an answer.
    """
    node.before["listpeerchannels"] = node.never_answer
    lightningd.start()
    lightningd.block()
    lightningd.wait_for(lambda: node.called("listpeerchannels"))

    assert lightningd.shutdown() < 2.0
    node.let_go()


def test_the_end_of_lightningd_ends_the_process(lightningd: FakeLightningd) -> None:
    """
    When lightningd is gone without a word, so is the plugin.
    """
    lightningd.start()
    lightningd.first_cycle()

    assert lightningd.abandon() == 0


def test_a_bad_option_at_start_disables_a_plugin_started_by_hand(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    `plugin start` with an option that cannot be is answered with the sentence that says so.
    """
    lightningd.config = {"revenue-ops-min-fee-ppm": "9000", "revenue-ops-max-fee-ppm": "100"}
    answer = lightningd.start(startup=False)

    assert answer == {"disable": "min-fee-ppm 9000 is above max-fee-ppm 100"}
    assert lightningd.logged("broken") == [
        "revops does not run: min-fee-ppm 9000 is above max-fee-ppm 100"
    ]
    assert node.calls == []


def test_a_bad_option_in_the_config_file_leaves_an_idle_plugin_that_setconfig_mends(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    Started with lightningd, the plugin stays and does nothing - were it gone, the next setconfig
    of anything would crash lightningd - and starts to work when the option is mended.
    """
    lightningd.config = {"revenue-ops-kelly-fraction": "1.5"}
    assert lightningd.start() is None
    lightningd.block()
    with pytest.raises(RpcRefusalError, match="kelly-fraction: expected a number from 0 to 1"):
        lightningd.call("revenue-status")
    assert node.calls == []

    lightningd.setconfig("revenue-ops-kelly-fraction", "0.5")

    assert lightningd.first_cycle()["status"] == "running"


def test_a_bad_setconfig_is_refused_and_changes_nothing(lightningd: FakeLightningd) -> None:
    """
    What cannot be is refused with a sentence, be it a type, a bound, or another option; what can
    be is in force at once.
    """
    lightningd.start()

    for name, value, sentence in (
        ("dry-run", "yes", "dry-run: expected true or false, got 'yes'"),
        ("min-fee-ppm", "many", "min-fee-ppm: expected a whole number from 0 to 100000"),
        ("fee-interval", "59", "fee-interval: expected a whole number from 60 to 604800, got 59"),
        ("max-fee-ppm", "9", "min-fee-ppm 10 is above max-fee-ppm 9"),
        ("vegas-decay", "nan", "vegas-decay: expected a number from 0 to 1, got 'nan'"),
    ):
        with pytest.raises(RpcRefusalError, match=sentence) as refused:
            lightningd.setconfig(f"revenue-ops-{name}", value)
        assert refused.value.code == -32602
    assert lightningd.call("revenue-status")["config"]["fee_range_ppm"] == [10, 5000]

    lightningd.setconfig("revenue-ops-max-fee-ppm", "900")

    assert lightningd.call("revenue-status")["config"]["fee_range_ppm"] == [10, 900]
    assert lightningd.logged("broken", "error") == []


def test_a_question_that_cannot_be_answered_is_a_json_rpc_error(
    lightningd: FakeLightningd,
) -> None:
    """
    Wrong arguments are refused with code -32602 and a sentence with field and value; the log is
    spared the traceback that pyln would write.
    """
    lightningd.start()
    lightningd.first_cycle()

    for arguments, named, sentence in (
        (("1x1x1",), {}, "revenue-explain: channel: expected .* got '1x1x1'"),
        ((), {}, "revenue-explain: channel: it is missing"),
        ((), {"alias": SCID}, "revenue-explain: alias: there is no such argument"),
    ):
        with pytest.raises(RpcRefusalError, match=sentence) as refused:
            lightningd.call("revenue-explain", *arguments, **named)
        assert refused.value.code == -32602
    assert not any("Traceback" in line for _, line in lightningd.logs)


def test_books_of_another_program_stop_nothing_but_revops(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    A file that is no database of ours is not touched; commands say what to do about it.
    """
    (lightningd.directory / "revenue_ops.db").write_text("a letter")
    lightningd.start()

    with pytest.raises(RpcRefusalError, match="name another file with revenue-ops-db-path"):
        lightningd.call("revenue-status")
    assert (lightningd.directory / "revenue_ops.db").read_text() == "a letter"
    assert node.calls == []


def test_the_books_of_another_node_are_left_alone(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    Books stay those of the node that they were begun for: for any other, revops does nothing, and
    says whose they are and what to do.
    """
    lightningd.start()
    lightningd.first_cycle()
    lightningd.shutdown()
    ours, theirs = node.info["id"], "02" + "77" * 32
    node.info["id"] = theirs
    node.calls.clear()
    lightningd.start()
    lightningd.block()

    sentence = (
        f"revenue_ops.db: these are the books of node {ours}, and this is node {theirs};"
        " name another file with revenue-ops-db-path"
    )
    with pytest.raises(RpcRefusalError, match=sentence):
        lightningd.call("revenue-status")
    assert node.calls == [("getinfo", {})]


def test_a_missing_library_is_named_in_one_sentence(lightningd: FakeLightningd) -> None:
    """
    Without what it needs, the plugin says on one line what to install, and nothing on stdout.
    """
    with pytest.raises(PluginGoneError) as gone:
        lightningd.start(flags=("-S",))  # Python without anything installed

    assert str(gone.value).count("\n") == 1
    assert "pyln-client" in str(gone.value)
    assert "-m pip install -r" in str(gone.value)


def test_the_manifest_waits_for_nothing_that_comes_later(lightningd: FakeLightningd) -> None:
    """
    Lightningd starts no faster than its plugins say what they are: what only a running plugin
    needs is not loaded before. `make bench` tells the time.
    """
    lightningd.manifest_only("-X", "importtime")
    loaded = {line.rpartition("|")[2].strip() for line in lightningd.stderr.splitlines()}

    assert "revops.shell.host" in loaded
    assert not loaded & LATE


def test_no_secret_leaves_the_notification(lightningd: FakeLightningd, node: FakeNode) -> None:
    """
    A forward_event carries a preimage; neither log nor books ever show it.
    """
    node.counters = False
    secrets = ("5ec2e7" + "00" * 29, "5ec2e8" + "00" * 29)
    event = dict(zip(("preimage", "payment_hash"), secrets, strict=True)) | node.forwards[0]
    lightningd.start()
    lightningd.first_cycle()
    lightningd.notify("forward_event", event)
    lightningd.notify("forward_event", event | {"in_msat": "garbage"})
    lightningd.call("revenue-status")
    lightningd.shutdown()
    books = (lightningd.directory / "revenue_ops.db").read_bytes()

    for secret in secrets:
        assert not any(secret in line for _, line in lightningd.logs)
        assert secret.encode() not in books
