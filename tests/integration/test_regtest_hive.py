"""Real cl-hive beside the plugin: each takes what the other says, and nobody waits."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from integration.regtest import PLUGIN, Line, missing

HIVE = os.environ.get("CL_HIVE_PATH") or shutil.which("cl-hive.py")


def missing_for_a_hive() -> list[str]:
    """
    Return what is not here of all that a hive needs.
    """
    has_hive = HIVE is not None and os.access(HIVE, os.X_OK)
    return missing() + ["cl-hive.py on the PATH or at CL_HIVE_PATH"] * (not has_hive)


if missing_for_a_hive():
    pytest.skip(f"this needs {' and '.join(missing_for_a_hive())}", allow_module_level=True)

# pyln-testing leaves sockets and files to the collector.
pytestmark = pytest.mark.filterwarnings("default")


class Hived(Line):
    """
    A line with cl-hive beside the plugin on l2, which is the one member of its hive.
    """

    def __init__(self, node_factory: Any, **options: object) -> None:
        super().__init__(node_factory, **options)
        self.l2.rpc.call("hive-genesis")

    def configure(self, **options: object) -> None:
        """
        Write l2's config file, with cl-hive in it.
        """
        super().configure(**options)
        directory = Path(self.l2.daemon.lightning_dir)
        with (directory / "config").open("a", encoding="utf-8") as config:
            config.write(f"plugin={HIVE}\nhive-db-path={directory / 'cl_hive.db'}\n")

    def known(self) -> dict[str, Any]:
        """
        Return what revops knows of the hive.
        """
        answer: dict[str, Any] = self.ask("revenue-hive-status")
        return answer

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """
        Have cl-hive answer nothing for a while.
        """
        import psutil  # noqa: PLC0415 -- it comes with pyln-testing

        children = psutil.Process(self.l2.daemon.proc.pid).children()
        (process,) = (child for child in children if HIVE in child.cmdline())
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)


def test_each_takes_what_the_other_says(node_factory: Any) -> None:
    """
    cl-hive enables its bridge; it takes every report, its word on fees is a hint in the trail, and
    the price that it sets for a member is nobody's hand.
    """
    line = Hived(node_factory)
    peer_id = line.l3.info["id"]
    line.pay(20_000)
    for _ in range(3):
        line.l2.rpc.call(
            "hive-report-fee-observation",
            {"peer_id": peer_id, "our_fee_ppm": 300, "volume_sats": 500_000, "forward_count": 9},
        )
    line.l2.rpc.call("hive-aggregate-fees")
    line.fresh_cycle()
    line.until(lambda: line.known()["cached"]["fee_hints"] == 1)
    line.until(lambda: line.known()["reports"]["told"].get("hive-report-period-costs"))
    trail = line.ask("revenue-fee-debug", line.right)["channels"][0]

    assert line.l2.rpc.call("hive-reinit-bridge")["new_status"] == "enabled"
    assert "hive_hint" in str(trail)
    assert line.known()["tier"] == "member"
    assert set(line.known()["features"].values()) == {True}
    assert line.known()["reports"]["lost"] == {}
    line.l2.rpc.setchannel(line.right, 0, 0)
    line.ask("revenue-policy", action="set", peer_id=peer_id, strategy="hive", rebalance="enabled")
    assert line.fresh_cycle()["pins"] == []
    assert line.price(line.right) == (0, 0)


def test_a_hive_that_hangs_is_waited_for_by_nobody(node_factory: Any) -> None:
    """
    While cl-hive answers nothing, revops starts, prices, answers and stops as ever.
    """
    line = Hived(node_factory)
    with line.frozen():
        began = time.monotonic()
        status = line.fresh_cycle()
        took = time.monotonic() - began
        line.until(lambda: "no answer" in (line.known()["why_not"] or ""))
        stopping = time.monotonic()
        line.l2.rpc.plugin_stop(str(PLUGIN))
        stopped = time.monotonic() - stopping

    assert status["troubles"] == []
    assert all(loop["took_s"] is None or loop["took_s"] < 5 for loop in status["loops"])
    assert took < 30
    assert stopped < 2
