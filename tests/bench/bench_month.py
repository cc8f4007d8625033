"""A month of cycles on a busy node: memory, books and CPU by day; `make bench` runs it."""

import argparse
import gc
import json
import multiprocessing
import random  # noqa: TID251 -- examples are drawn here, not decisions
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import attrs
from rich.console import Console
from rich.progress import track
from rich.table import Table

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from bench.gen_node import GeneratedNode, as_text  # noqa: E402 -- found by the path above
from fakes import UNKNOWN_METHOD, FakeClock, RpcRefusalError  # noqa: E402 -- see above

from revops.adapters.errors import NodeRefusedError  # noqa: E402 -- see above
from revops.shell.clock import Clock  # noqa: E402 -- see above
from revops.shell.commands import COMMANDS  # noqa: E402 -- see above
from revops.shell.commands.command import Params  # noqa: E402 -- see above
from revops.shell.main import build  # noqa: E402 -- see above
from revops.shell.notifications import Notifications  # noqa: E402 -- see above
from revops.shell.options import Settings  # noqa: E402 -- see above

CYCLES_A_DAY = 48
HALF_AN_HOUR = 1800
SPIKES = (5, 12, 13, 24)
"""Days on which the mempool is full for a quarter of the day."""
ASKED = ("revenue-status", "revenue-policy", "revenue-explain")
MOST_MB_IN_A_THOUSAND = 1.0


class RestlessNode(GeneratedNode):
    """
    A generated node that lives: balances move, peers come and go, and the operator meddles.
    """

    def __init__(self, size: int, now: int) -> None:
        super().__init__(size, now)
        self._born = now
        self._luck = random.Random(f"month {size}")

    def live(self, seconds: int) -> list[tuple[str, dict[str, Any]]]:
        """
        Let time go by, and return what lightningd tells of it.
        """
        self.pass_by(seconds)
        self.calls.clear()
        told: list[tuple[str, dict[str, Any]]] = [("block_added", {"height": self._height()})]
        for channel in self.channels:
            self._move(channel)
            if self._luck.random() < 0.01:
                channel["peer_connected"] = not channel["peer_connected"]
                topic = "connect" if channel["peer_connected"] else "disconnect"
                told.append((topic, {"id": channel["peer_id"]}))
        if self._luck.random() < 2 / CYCLES_A_DAY:
            meddled = self._luck.choice(self.channels)
            meddled["fee_proportional_millionths"] = self._luck.randrange(1, 2000)
        return told

    def _move(self, channel: dict[str, Any]) -> None:
        reserve, capacity = channel["our_reserve_msat"], channel["total_msat"]
        moved = channel["to_us_msat"] + int(self._luck.gauss(0, 0.01) * capacity)
        channel["to_us_msat"] = to_us = min(capacity, max(0, moved))
        channel["spendable_msat"] = max(0, to_us - reserve)
        channel["receivable_msat"] = max(0, capacity - to_us - reserve)

    def _height(self) -> int:
        return int(self.info["blockheight"]) + (self.now - self._born) // 600

    def _feerates(self) -> dict[str, Any]:
        feerates = super()._feerates()
        day, second = divmod(self.now - self._born, 86_400)
        if day in SPIKES and second < 86_400 // 4:
            for estimate in feerates["perkw"]["estimates"]:
                estimate["feerate"] *= 8
                estimate["smoothed_feerate"] *= 8
        return feerates


def serve(wire: Connection, size: int, now: int) -> None:
    """
    Be the node, in a process of its own: its memory is not the plugin's.
    """
    node = RestlessNode(size, now)
    while (asked := wire.recv()) is not None:
        method, params = asked
        if method == "live":
            wire.send(node.live(params))
            continue
        try:
            wire.send(as_text(node.answer(method, params)))
        except RpcRefusalError:
            wire.send("null")


@attrs.frozen(kw_only=True)
class Day:
    """
    What a day came to.
    """

    rss_mb: float
    books_mb: float
    cpu_ms: float
    fees_set: int


class Month:
    """
    The plugin's own pieces, cycle after cycle, on a node beyond a pipe.
    """

    def __init__(self, size: int, directory: Path) -> None:
        self._clock = FakeClock(Clock().now())
        self._wire, theirs = multiprocessing.Pipe()
        arguments = (theirs, size, self._clock.now())
        self._node = multiprocessing.get_context("spawn").Process(target=serve, args=arguments)
        self._node.start()
        settings = Settings()
        settings.start({})
        self._app = build(self._call, directory, settings, self._clock, lambda *_: None)
        self._listeners: dict[str, Any] = {}
        notifications = Notifications(lambda *_: None)
        notifications.subscribe(self._listeners.__setitem__)
        notifications.serve(self._app)
        self._run()

    def _run(self) -> None:
        for loop in self._app.worker.states():
            self._app.worker.run_once(loop.name)

    def _call(self, method: str, params: dict[str, object]) -> object:
        self._wire.send((method, params))
        reply = json.loads(self._wire.recv())
        if reply is None:
            raise NodeRefusedError(method, UNKNOWN_METHOD, f"Unknown command '{method}'")
        return reply

    def day(self) -> Day:
        """
        Live through a day.
        """
        spent, fees = [], 0
        for _ in range(CYCLES_A_DAY):
            self._wire.send(("live", HALF_AN_HOUR))
            self._clock.pass_by(HALF_AN_HOUR)
            for topic, payload in self._wire.recv():
                self._listeners[topic](**{topic: payload})
            began = time.process_time()
            self._run()
            spent.append(time.process_time() - began)
            fees += len(self._app.cycle.last.done)
        self._ask()
        gc.collect()
        return Day(
            rss_mb=_rss_mb(),
            books_mb=self._app.store.size_bytes() / 2**20,
            cpu_ms=statistics.median(spent) * 1000,
            fees_set=fees,
        )

    def _ask(self) -> None:
        scid = self._app.cycle.last.snapshot.channels[0].scid
        words = {"revenue-policy": ("list",), "revenue-explain": (scid,)}
        for command in COMMANDS:
            if command.name in ASKED:
                command.answer(self._app, Params(positional=words.get(command.name, ())))

    def close(self) -> None:
        """
        Close the books and end the node.
        """
        self._app.store.close()
        self._wire.send(None)
        self._node.join()


def _rss_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def table_of(days: list[Day]) -> Table:
    """
    Return a line for each day.
    """
    table = Table(title="A month of cycles, half an hour apart")
    for name in ("day", "RSS MB", "books MB", "CPU ms a cycle", "fees set"):
        table.add_column(name, justify="right")
    for number, day in enumerate(days, 1):
        table.add_row(
            str(number),
            f"{day.rss_mb:.1f}",
            f"{day.books_mb:.1f}",
            f"{day.cpu_ms:.1f}",
            str(day.fees_set),
        )
    return table


def main() -> None:
    """
    Live through the month and print it.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--channels", type=int, default=200)
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    with tempfile.TemporaryDirectory() as directory:
        month = Month(arguments.channels, Path(directory))
        days = [month.day() for _ in track(range(arguments.days), "a month", console=console)]
        month.close()
    console.print(table_of(days))
    # What is loaded and filled once, is by the end of the first week.
    week, last = days[min(6, len(days) - 1)], days[-1]
    cycles = max(1, CYCLES_A_DAY * (len(days) - 7))
    growth = (last.rss_mb - week.rss_mb) / cycles * 1000
    console.print(
        f"RSS after the first week: {growth:+.2f} MB in 1000 cycles, of {MOST_MB_IN_A_THOUSAND}"
    )


if __name__ == "__main__":
    main()
