"""Load: however much lightningd tells and asks at once, all is answered in bounded memory."""

import itertools
import os
import time
from pathlib import Path
from typing import Any, Final

from e2e.fake_lightningd import FakeLightningd

AT_ONCE: Final = int(os.environ.get("AT_ONCE", "1000"))
SECONDS: Final = 2
A_SECOND: Final = 1000
MOST_KB: Final = 30_000
"""By how much the process may grow."""
QUESTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("revenue-policy", ["list"]),
    ("revenue-config", ["get", "paused"]),
    ("revenue-jobs", {}),
    ("revenue-policy", {"action": "get", "peer_id": "nobody"}),
    ("revenue-set-fee", []),
    ("revenue-wake-all", {}),
    ("revenue-analyze", {}),
)
"""What is asked over and over: quick and slow commands, good ones and bad ones."""


def size_kb(lightningd: FakeLightningd) -> int:
    """
    Return how much memory the plugin's process takes.
    """
    status = Path(f"/proc/{lightningd._process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0])


def test_a_thousand_notifications_a_second(lightningd: FakeLightningd) -> None:
    """
    As forwards end and peers come and go, a thousand times a second, commands are answered as
    ever, no cycle is begun for it, and nothing piles up.
    """
    node = lightningd.node
    peer = node.channels[0]["peer_id"]
    told = itertools.cycle(
        (
            ("forward_event", node.forwards[0]),
            ("connect", {"id": peer}),
            ("forward_event", node.forwards[1]),
            ("disconnect", {"id": peer}),
            ("channel_state_changed", {"old_state": "CHANNELD_NORMAL", "new_state": "ONCHAIN"}),
        )
    )
    lightningd.start()
    lightningd.first_cycle()
    before, cycles = size_kb(lightningd), len(node.called("feerates"))
    slowest = 0.0
    began = time.monotonic()
    for number, (topic, payload) in zip(range(SECONDS * A_SECOND), told, strict=False):
        lightningd.notify(topic, payload)
        if number % A_SECOND == A_SECOND // 2:
            asked = time.monotonic()
            lightningd.call("revenue-policy", "list")
            slowest = max(slowest, time.monotonic() - asked)
        time.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
    status = lightningd.call("revenue-status")

    assert slowest < 2.0
    assert status["troubles"] == []
    assert len(node.called("feerates")) == cycles
    assert size_kb(lightningd) - before < MOST_KB
    assert lightningd.stderr == ""


def test_thousands_of_commands_at_once(lightningd: FakeLightningd) -> None:
    """
    Each of thousands of commands that are asked before the first is answered has its answer, and
    the next one as fast as ever.
    """
    lightningd.start()
    lightningd.first_cycle()
    before = size_kb(lightningd)
    asked = {f"cln:flood#{n}": QUESTIONS[n % len(QUESTIONS)] for n in range(AT_ONCE)}
    for name, (method, params) in asked.items():
        lightningd._send({"jsonrpc": "2.0", "id": name, "method": method, "params": params})
    with lightningd._changed:
        assert lightningd._changed.wait_for(
            lambda: asked.keys() <= lightningd._replies.keys(), timeout=120
        )
    answers = [(asked[name][0], lightningd._replies[name]) for name in asked]

    bad = {method for method, reply in answers if "error" in reply}
    assert bad == {"revenue-set-fee"}
    assert size_kb(lightningd) - before < MOST_KB
    assert lightningd.call("revenue-status")["troubles"] == []
    assert lightningd.shutdown() < 2.0
    assert lightningd.stderr == ""
