"""The plugin on a real lightningd: start, traffic, price, explain, restart, restore."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from integration.regtest import PLUGIN, Line, missing

if missing():
    pytest.skip(f"this needs {' and '.join(missing())}", allow_module_level=True)

from pyln.client import RpcError

# pyln-testing leaves sockets and files to the collector.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def line(node_factory: Any) -> Line:
    """
    l1 — l2 — l3, with the plugin on l2.
    """
    return Line(node_factory)


def steps(line: Line, scid: str) -> dict[str, dict[str, Any]]:
    """
    Return by its code each step of why l2 charges what it charges on a channel.
    """
    (channel,) = line.ask("revenue-explain", scid)["channels"]
    return {step["code"]: step for step in channel["fee"]["steps"]}


def learned(line: Line, scid: str) -> int:
    """
    Return the price that l2 has learned for a channel, before balance and bounds.
    """
    (ppm,) = [
        told["facts"]["base_ppm"]
        for code, told in steps(line, scid).items()
        if code.startswith("belief")
    ]
    return int(ppm)


def test_traffic_is_priced_and_explained(line: Line) -> None:
    """
    A cycle counts the payments and sets prices that other nodes hear of; each is explained up to
    the number in force, and is what `python -m revops.simulate` decides on the exported snapshot.
    """
    for _ in range(5):
        line.pay(20_000)
    status = line.fresh_cycle()
    saved = line.ask("revenue-snapshot", redact=False, save="seen.json")["saved"]
    command = [sys.executable, "-m", "revops.simulate", saved, "--json"]
    offline = subprocess.run(command, cwd=PLUGIN.parent, capture_output=True, check=True)
    decided = {d["scid"]: d for d in json.loads(offline.stdout)["decisions"]}

    assert status["last_cycle"]["problems"] == []
    counted = {
        row["scid"]: (row["sats_out"], row["forward_count"]) for row in status["channel_states"]
    }
    assert counted == {line.left: (0, 5), line.right: (100_000, 5)}
    for scid in (line.left, line.right):
        price = line.price(scid)
        assert list(steps(line, scid).values())[-1]["after_ppm"] == price[0] > 10
        assert decided[scid]["action"]["new_ppm"] == price[0]
        line.until(lambda scid=scid, price=price: line.heard(scid) == price)
    began = time.monotonic()
    line.l2.stop()
    assert time.monotonic() - began < 5


def test_options_change_while_it_runs_and_survive_a_restart(node_factory: Any) -> None:
    """
    Setconfig sets what can be, refuses with a sentence what cannot, and lightningd hands it out
    again after a restart.
    """
    line = Line(node_factory, max_fee_ppm=2000, dry_run="true")

    for name, value, sentence in (
        ("dry-run", "yes", "dry-run: expected true or false, got 'yes'"),
        ("fee-interval", "59", "fee-interval: expected a whole number from 60 to 604800"),
        ("max-fee-ppm", "9", "min-fee-ppm 10 is above max-fee-ppm 9"),
        ("min-fee-ppm", "1000000000000", "min-fee-ppm: expected a whole number"),
    ):
        with pytest.raises(RpcError, match=sentence):
            line.ask("setconfig", f"revenue-ops-{name}", value)
    assert line.ask("revenue-status")["config"]["fee_range_ppm"] == [10, 2000]

    line.ask("setconfig", "revenue-ops-max-fee-ppm", "900")
    line.ask("setconfig", "revenue-ops-vegas-decay", "0.5")

    for _ in range(2):
        config = line.ask("revenue-status")["config"]
        assert config["fee_range_ppm"] == [10, 900]
        assert (config["vegas_decay"], config["dry_run"]) == (0.5, True)
        line.l2.restart()


def test_the_newest_setting_is_in_force(node_factory: Any) -> None:
    """
    What revenue-config sets survives restarts until the file is edited; what setconfig sets wins
    over both, and lightningd puts it before the file from then on; a transient one ends with the
    node.
    """
    line = Line(node_factory, max_fee_ppm=2000)

    def in_force() -> tuple[int, str]:
        told = line.ask("revenue-config", "get", "max_fee_ppm")
        return told["value"], told["source"]

    assert in_force() == (2000, "config file")
    line.ask("revenue-config", "set", "max_fee_ppm", 800)
    for _ in range(2):
        assert in_force() == (800, "revenue-config")
        line.l2.restart()

    line.configure(max_fee_ppm=1500)
    line.l2.restart()
    assert in_force() == (1500, "config file")

    line.ask("setconfig", "revenue-ops-max-fee-ppm", "900")
    line.ask("setconfig", config="revenue-ops-max-fee-ppm", val="950", transient=True)
    assert in_force() == (950, "setconfig")
    line.configure(max_fee_ppm=1600)
    line.l2.restart()
    assert in_force()[0] == 900


def test_an_order_stays_and_a_restore_puts_back(line: Line) -> None:
    """
    A fee set by command is heard of and left alone through cycles and restarts; restore-fees puts
    back what every channel had before revops, its htlc_maximum included.
    """
    before = line.settings()
    with pytest.raises(RpcError, match="ppm: expected 10 to 5000"):
        line.ask("revenue-set-fee", line.right, 6000)
    assert line.settings() == before

    line.ask("revenue-set-fee", line.right, 777)
    line.until(lambda: line.heard(line.right) == (777, 0))
    for go in (line.restart_plugin, line.l2.restart):
        go()
        line.cycle()
        assert line.price(line.right) == (777, 0)
        assert "ordered" in steps(line, line.right)
    assert line.price(line.left) != before[line.left][:2]

    assert line.ask("revenue-restore-fees")["restored"] == 2
    assert line.settings() == before
    line.fresh_cycle()
    assert line.settings() == before


def test_every_line_of_the_full_sample_file_starts(node_factory: Any) -> None:
    """
    Lightningd starts with each option of config/cl-revenue-ops.conf.full written out.
    """
    sample = (PLUGIN.parent / "config" / "cl-revenue-ops.conf.full").read_text(encoding="utf-8")
    options = [line[2:] for line in sample.splitlines() if line.startswith("# revenue-ops-")]
    node = node_factory.get_node(options={"disable-plugin": "cln-grpc"}, start=False)
    file = Path(node.daemon.lightning_dir, "config")
    file.write_text("\n".join([f"plugin={PLUGIN}", *options, ""]), encoding="utf-8")
    node.start()

    assert len(options) > 40
    assert node.rpc.call("revenue-status")["status"] == "running"


def test_the_plugin_comes_and_goes_while_the_node_runs(line: Line) -> None:
    """
    Stopped, started, killed or restarted with its node, the plugin loses nothing: prices stand,
    and the next cycle knows them for its own.
    """
    line.pay(20_000)
    line.fresh_cycle()
    prices = line.prices()
    for go in (line.restart_plugin, line.kill_plugin, line.l2.restart):
        go()
        line.cycle()
        assert line.prices() == prices
        assert {"first_contact", "manual_change"}.isdisjoint(steps(line, line.right))
    assert line.ask("revenue-status")["forwards"]["since"] is not None


def test_a_price_set_by_hand_is_left_alone(line: Line) -> None:
    """
    What the operator sets with setchannel stays through cycles and restarts, and the reason is
    told; the other channel is priced.
    """
    line.fresh_cycle()
    before = line.prices()
    line.l2.rpc.setchannel(line.right, feebase=7, feeppm=333)
    line.fresh_cycle()

    assert line.price(line.right) == (333, 7)
    assert "manual_change" in steps(line, line.right)
    assert line.price(line.left) == before[line.left]


def test_a_policy_is_in_force_until_it_expires(line: Line) -> None:
    """
    A static fee is set by the next cycle, and given back by the first one after its end.
    """
    line.ask(
        "revenue-policy",
        action="set",
        peer_id=line.l3.info["id"],
        strategy="static",
        fee_ppm=250,
        expires_in_hours=0.01,
    )
    end = time.monotonic() + 36
    line.fresh_cycle()
    assert line.price(line.right) == (250, 0)
    assert "static" in steps(line, line.right)

    time.sleep(max(0, end - time.monotonic()))
    line.fresh_cycle()
    assert "static" not in steps(line, line.right)


def test_a_rehearsal_and_a_pause_set_nothing(node_factory: Any) -> None:
    """
    With dry-run, paused, or authority to observe only, prices stay as they are and the option
    that holds them is named.
    """
    line = Line(node_factory, dry_run="true")
    before = line.prices()
    line.fresh_cycle()
    (channel,) = line.ask("revenue-explain", line.right)["channels"]
    assert channel["fee"]["outcome"] == "rehearsed: dry-run is set"

    line.ask("setconfig", "revenue-ops-dry-run", "false")
    for name, value, code in (("paused", "true", "paused"), ("authority", "observe", "authority")):
        line.ask("setconfig", f"revenue-ops-{name}", value)
        line.fresh_cycle()
        assert code in steps(line, line.right)
        assert line.prices() == before
        line.ask("setconfig", "revenue-ops-paused", "false")


def test_a_splice_keeps_what_was_learned_and_a_close_ends_it(line: Line) -> None:
    """
    A channel that is being spliced or closed is left alone, and says so; spliced, it goes on
    under its new short channel id.
    """
    if not any(c["command"].startswith("splicein ") for c in line.l2.rpc.help()["help"]):
        pytest.skip("this lightningd has no splicein")
    line.pay(20_000)
    line.fresh_cycle()
    base = learned(line, line.right)
    line.l2.fundwallet(2_000_000)
    line.l2.rpc.call("splicein", [line.l2.get_channel_id(line.l3), "500000"])
    line.fresh_cycle()
    assert "not_normal" in steps(line, line.l3.info["id"])

    line.bitcoind.generate_block(6)
    line.until(lambda: line.l2.get_channel_scid(line.l3) != line.right)
    line.right = line.l2.get_channel_scid(line.l3)
    line.fresh_cycle()
    assert learned(line, line.right) == base
    assert {"first_contact", "new_channel", "manual_change"}.isdisjoint(steps(line, line.right))

    line.l2.rpc.close(line.l3.info["id"])
    line.fresh_cycle()
    assert "not_normal" in steps(line, line.l3.info["id"])
    assert line.ask("revenue-status")["last_cycle"]["problems"] == []


def test_what_python_cannot_read_is_refused(node_factory: Any) -> None:
    """
    Lightningd passes on any JSON; whatever it is, the plugin answers and lives.
    """
    options = {"disable-plugin": "cln-grpc", "plugin": str(PLUGIN)}
    node = node_factory.get_node(options=options)
    path = node.lightning_dir / "regtest" / "lightning-rpc"
    for params in ("[%s]" % ("9" * 5000), "[" * 5000 + "]" * 5000, '["\\ud800"]', '"text"'):
        call = f'{{"jsonrpc":"2.0","id":1,"method":"revenue-explain","params":{params}}}'
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))
            caller.sendall(call.encode())
            reply = json.loads(caller.recv(65536))
        assert reply["error"]["message"].startswith("revenue-explain: ")
        assert "traceback" not in reply["error"]
    assert node.rpc.call("revenue-status")["status"] == "running"
