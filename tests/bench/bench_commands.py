"""How long lightningd waits for a command, idle and while cycles run; `make bench` runs it."""

import argparse
import itertools
import json
import os
import random  # noqa: TID251 -- when a command comes is no decision
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from bench.gen_node import GeneratedNode  # noqa: E402 -- found by the path above
from e2e.rpc_socket import RpcSocket  # noqa: E402 -- see above

PLUGIN = TESTS.parent / "cl-revenue-ops.py"
RESTLESS = TESTS / "bench" / "restless.py"
SIZE = 1000
CALLS = 100
MOST_MS = 50
PATIENCE_S = 180

Times = list[float]


class Plugin:
    """
    The plugin's process, spoken to as lightningd does; replies are timed as they are read, before
    anybody looks into them.
    """

    def __init__(self, program: Path, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=1 << 16,  # what a pipe holds
            env={"PATH": os.environ["PATH"], "LIGHTNINGD_PLUGIN": "1"},
        )
        self._ids = itertools.count()
        self._replies: dict[str, tuple[float, bytes]] = {}
        self._came = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        manifest = self.ask("getmanifest", {})[1]
        self.offers = {method["name"] for method in manifest["rpcmethods"]}
        options = {o["name"]: o["default"] for o in manifest["options"] if "default" in o}
        place = {"lightning-dir": str(directory), "rpc-file": "lightning-rpc", "startup": True}
        self.ask("init", {"options": options, "configuration": place})
        self._send({"method": "block_added", "params": {"block_added": {"height": 1}}})

    def ask(self, method: str, params: Any) -> tuple[float, Any]:
        """
        Return the milliseconds until the reply was there, and what it says.
        """
        return self.answer(*self.begin(method, params))

    def begin(self, method: str, params: Any) -> tuple[str, float]:
        """
        Send a request and return its name and when that was.
        """
        name = f"{method}#{next(self._ids)}"
        began = time.perf_counter()
        self._send({"id": name, "method": method, "params": params})
        return name, began

    def answer(self, name: str, began: float) -> tuple[float, Any]:
        """
        Return how long the request *name* took, and the reply.
        """
        with self._came:
            gone = self._process.poll
            self._came.wait_for(lambda: name in self._replies or gone() is not None, PATIENCE_S)
            at, text = self._replies.pop(name)
        reply = json.loads(text)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return 1000 * (at - began), reply["result"]

    def pending(self, name: str) -> bool:
        """
        Return whether the reply to *name* has yet to come.
        """
        with self._came:
            return name not in self._replies

    def close(self) -> None:
        """
        End it.
        """
        self._send({"method": "shutdown", "params": {}})
        self._process.wait()
        self._reader.join()

    def _send(self, message: dict[str, Any]) -> None:
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        text = b""
        for line in self._process.stdout:
            text += line
            if line != b"\n":
                continue
            at, head = time.perf_counter(), text[:200]
            if b'"method": "log"' not in head:
                name = json.loads(text)["id"] if len(text) < 200 else head.split(b'"')[7].decode()
                with self._came:
                    self._replies[name] = (at, text)
                    self._came.notify_all()
            text = b""
        self._process.wait()
        with self._came:
            self._came.notify_all()


def questions(plugin: Plugin) -> dict[str, tuple[str, Any]]:
    """
    Return a call of each kind, by what it is called in the table.
    """
    row = plugin.ask("revenue-status", {"limit": 1})[1]["channel_states"][0]
    scid, peer = row["scid"], row["peer_id"]
    every = {
        "status": ("revenue-status", {}),
        "status limit=5": ("revenue-status", {"limit": 5}),
        "explain SCID": ("revenue-explain", [scid]),
        "policy list": ("revenue-policy", ["list"]),
        "policy get": ("revenue-policy", ["get", peer]),
        "config get": ("revenue-config", ["get"]),
        "config get KEY": ("revenue-config", ["get", "max-fee-ppm"]),
        "wake-all": ("revenue-wake-all", []),
        "jobs": ("revenue-jobs", []),
    }
    return {label: call for label, call in every.items() if call[0] in plugin.offers}


def long_questions(plugin: Plugin) -> dict[str, tuple[str, Any]]:
    """
    Return the calls that think for long.
    """
    scid = plugin.ask("revenue-status", {"limit": 1})[1]["channel_states"][0]["scid"]
    return {
        "fee-debug SCID": ("revenue-fee-debug", [scid]),
        "fee-debug": ("revenue-fee-debug", []),
        "fee-debug, all": ("revenue-fee-debug", {"limit": 100_000}),
        "rebalance-debug": ("revenue-rebalance-debug", []),
        "rebalance-debug, all": ("revenue-rebalance-debug", {"limit": 100_000}),
        "analyze SCID": ("revenue-analyze", [scid]),
        "analyze": ("revenue-analyze", []),
        "snapshot": ("revenue-snapshot", []),
    }


def timed(plugin: Plugin, call: tuple[str, Any], calls: int) -> Times:
    """
    Return how long *calls* of the same took, at moments that keep step with nothing.
    """
    times = []
    for _ in range(calls):
        time.sleep(random.uniform(0, 0.02))
        times.append(plugin.ask(*call)[0])
    return times


def timed_beside(plugin: Plugin, long: tuple[str, Any], calls: int) -> Times:
    """
    Return how long `revenue-status` took while another thread thought about *long*.
    """
    times: Times = []
    while len(times) < calls:
        name, began = plugin.begin(*long)
        while plugin.pending(name):
            time.sleep(random.uniform(0, 0.01))
            times.append(plugin.ask("revenue-status", {"limit": 5})[0])
        plugin.answer(name, began)
    return times


def ready(plugin: Plugin) -> None:
    """
    Wait until a cycle is done.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not _looked(plugin.ask("revenue-status", {"limit": 0})[1]):
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.2)
    time.sleep(1)


def _looked(status: dict[str, Any]) -> bool:
    return bool(status["last_cycle"] and status["last_money_cycle"])


def measured(program: Path, directory: Path, calls: int) -> dict[str, Times]:
    """
    Return the times of every kind of call to *program*.
    """
    plugin = Plugin(program, directory)
    ready(plugin)
    times = {label: timed(plugin, call, calls) for label, call in questions(plugin).items()}
    for label, call in long_questions(plugin).items():
        times[f"{label} (slow)"] = timed(plugin, call, calls // 5)
    for label, call in long_questions(plugin).items():
        times[f"status limit=5 beside {label}"] = timed_beside(plugin, call, calls)
    plugin.close()
    return times


def table_of(idle: dict[str, Times], busy: dict[str, Times], size: int) -> Table:
    """
    Return a line for each kind of call.
    """
    table = Table(
        title=f"Milliseconds from request written to reply read, {size} channels",
        caption="busy: cycles run back to back meanwhile; slow: answered by a thread of its own",
    )
    columns = [f"{when} {what}" for when in ("idle", "busy") for what in ("p50", "p95", "max")]
    for name in ("revenue-", *columns):
        table.add_column(name, justify="left" if name == "revenue-" else "right")
    for label in idle:
        numbers = [f"{n:.1f}" for times in (idle, busy) for n in _quantiles(times[label])]
        table.add_row(label, *numbers)
    return table


def _quantiles(times: Sequence[float]) -> tuple[float, float, float]:
    cuts: Callable[[int], float] = lambda n: statistics.quantiles(times, n=100)[n - 1]  # noqa: E731 -- short
    return cuts(50), cuts(95), max(times)


def serve(directory: Path, size: int) -> None:
    """
    Be the node, in a process of its own: what it takes to answer is no load on whoever measures.
    """
    RpcSocket(directory / "lightning-rpc", GeneratedNode(size, int(time.time())))  # noqa: TID251 -- the node's own clock
    sys.stdin.read()


def main() -> None:
    """
    Measure idle and busy.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, metavar="CHANNELS")
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.size)
        return
    console = Console(width=None if sys.stdout.isatty() else 140)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        node = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, "--size", str(arguments.size)],
            stdin=subprocess.PIPE,
        )
        while not (directory / "lightning-rpc").exists():
            time.sleep(0.1)
        busy = measured(RESTLESS, directory, arguments.calls)
        idle = measured(PLUGIN, directory, arguments.calls)
        node.communicate()
    console.print(table_of(idle, busy, arguments.size))
    quick = [t for label, times in busy.items() if "(slow)" not in label for t in times]
    over = sum(t > MOST_MS for t in quick)
    console.print(
        f"busy, quick ones: {over} of {len(quick)} took more than {MOST_MS} ms; 99 % at most"
        f" {statistics.quantiles(quick, n=100)[98]:.1f} ms"
    )


if __name__ == "__main__":
    main()
