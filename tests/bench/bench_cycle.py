"""What a pricing cycle costs, in CPU seconds, at any size; `make bench` runs it."""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from bench.gen_node import GeneratedNode, as_text  # noqa: E402 -- found by the path above
from e2e.fake_lightningd import FakeLightningd  # noqa: E402 -- see above
from fakes import FakeClock  # noqa: E402 -- see above

from revops.shell.clock import Clock  # noqa: E402 -- see above
from revops.shell.main import build  # noqa: E402 -- see above
from revops.shell.options import Settings  # noqa: E402 -- see above

SIZES = (100, 1000, 3000, 10_000)
HALF_AN_HOUR = 1800
WARM_CYCLES = 5
MOST_S_AT_1000 = 0.15
MOST_MANIFEST_S = 0.5
MOST_RSS_MB = 90
CYCLE = ("parse", "observe", "decide", "write down")
"""The steps until the journal is committed; what comes after them is `act`."""

T = TypeVar("T")


class Stopwatch:
    """
    CPU seconds of this process, all threads, by what they were spent on.
    """

    def __init__(self) -> None:
        self._spent: Counter[str] = Counter()
        self._last = time.process_time()

    def lap(self, step: str) -> None:
        """
        Put down to *step* what was spent since the last lap.
        """
        now = time.process_time()
        self._spent[step] += now - self._last
        self._last = now

    def around(self, before: str, step: str, work: Callable[..., T]) -> Callable[..., T]:
        """
        Return *work* with its time put down to *step*, and that until it begins to *before*.
        """

        def timed(*args: Any, **kwargs: Any) -> T:
            self.lap(before)
            result = work(*args, **kwargs)
            self.lap(step)
            return result

        return timed

    def taken(self) -> Counter[str]:
        """
        Return what was spent since this was last asked.
        """
        self.lap("rest")
        spent, self._spent = self._spent, Counter()
        return spent


class Bench:
    """
    The plugin's own pieces on a generated node, whose answers come as JSON text.
    """

    def __init__(self, size: int, directory: Path) -> None:
        self._clock = FakeClock(Clock().now())
        self._node = GeneratedNode(size, self._clock.now())
        # The node's memory is no load of the plugin's garbage collector.
        gc.collect()
        gc.freeze()
        self._watch = Stopwatch()
        settings = Settings()
        settings.start({})
        self._app = build(self._call, directory, settings, self._clock, lambda *_: None)
        self._cycle = self._app.cycle
        around = self._watch.around
        observer, store = self._cycle.observer, self._cycle.store
        observer.observe = around("rest", "observe", observer.observe)
        store.write_down = around("decide", "write down", store.write_down)

    def _call(self, method: str, params: dict[str, object]) -> object:
        self._watch.lap("act" if method == "setchannel" else "observe")
        text = as_text(self._node.call(method, params))
        self._watch.lap("node")
        reply = json.loads(text)
        self._watch.lap("act" if method == "setchannel" else "parse")
        return reply

    def backfill(self) -> float:
        """
        Count the forwards of the past week, and return the CPU seconds that took.
        """
        self._watch.taken()
        while not self._cycle.observer.forwards.turn(self._clock.now()):
            pass
        self._watch.lap("observe")
        taken = self._watch.taken()
        return taken["parse"] + taken["observe"]

    def cycle(self) -> dict[str, float]:
        """
        Run a cycle; return the CPU seconds of its steps and how many calls it made.
        """
        self._node.calls.clear()
        self._watch.taken()
        self._cycle.run()
        self._watch.lap("act")
        taken = self._watch.taken()
        fees = self._node.calls.count("setchannel")
        return {
            **{step: taken[step] for step in (*CYCLE, "act")},
            "total": sum(taken[step] for step in CYCLE),
            "calls": len(self._node.calls) - fees,
            "fees": fees,
        }

    def half_an_hour_later(self) -> None:
        """
        Let time go by.
        """
        self._node.pass_by(HALF_AN_HOUR)
        self._clock.pass_by(HALF_AN_HOUR)

    def close(self) -> None:
        """
        Close the books.
        """
        self._app.store.close()


def measure(size: int) -> dict[str, Any]:
    """
    Return what the cycles of a node of *size* channels take.
    """
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(size, Path(directory))
        backfill = bench.backfill()
        cold = bench.cycle()
        warm = []
        for _ in range(WARM_CYCLES):
            bench.half_an_hour_later()
            warm.append(bench.cycle())
        bench.close()
    median = {name: statistics.median(cycle[name] for cycle in warm) for name in cold}
    return {"backfill": backfill, "cold": cold, "warm": median}


def measured_apart(size: int) -> dict[str, Any]:
    """
    Return what `measure` does, in a process of its own: no size is a load on another.
    """
    command = [sys.executable, __file__, "--one", str(size)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def table_of(results: dict[int, dict[str, Any]]) -> Table:
    """
    Return a line for each size and kind of cycle.
    """
    table = Table(
        title="A pricing cycle in CPU seconds, until its journal is committed",
        caption=f"cold: the first, a week of forwards counted before; warm: the median of"
        f" {WARM_CYCLES}, half an hour apart; parse: json.loads of the replies, which tells how"
        f" fast this machine is; fees set: one call each, on top",
    )
    names = ("channels", "cycle", *CYCLE, "total", "µs/channel", "total/parse", "calls", "fees set")
    for name in (*names, "act", "backfill"):
        table.add_column(name, justify="right")
    for size, result in results.items():
        for kind in ("cold", "warm"):
            cycle = result[kind]
            table.add_row(
                str(size),
                kind,
                *(f"{cycle[step]:.3f}" for step in (*CYCLE, "total")),
                f"{cycle['total'] / size * 1e6:.0f}",
                f"{cycle['total'] / cycle['parse']:.1f}",
                *(f"{cycle[name]:.0f}" for name in ("calls", "fees")),
                f"{cycle['act']:.3f}",
                f"{result['backfill']:.1f}" if kind == "cold" else "",
            )
    return table


def seconds_to_manifest() -> float:
    """
    Return the time from the start of the process until its manifest is there.
    """
    with tempfile.TemporaryDirectory() as directory:
        lightningd = FakeLightningd(Path(directory), GeneratedNode(1, Clock().now()))
        waits = []
        for _ in range(5):
            began = time.perf_counter()
            lightningd.manifest_only()
            waits.append(time.perf_counter() - began)
        lightningd.close()
    return statistics.median(waits)


def rss_mb(size: int) -> tuple[float, float]:
    """
    Return the memory of the running plugin after it has counted a week and priced twice, and the
    same after a restart, when nothing is left to count.
    """
    with tempfile.TemporaryDirectory() as directory:
        lightningd = FakeLightningd(Path(directory), GeneratedNode(size, Clock().now()))
        lightningd.config["revenue-ops-fee-interval"] = "60"
        first = _rss_after_two_cycles(lightningd)
        lightningd.shutdown()
        restarted = _rss_after_two_cycles(lightningd)
        lightningd.close()
    return first, restarted


def _rss_after_two_cycles(lightningd: FakeLightningd) -> float:
    lightningd.start()
    lightningd.block()
    cycles: list[object] = [None]
    while len(cycles) < 3:
        time.sleep(0.2)
        last = lightningd.call("revenue-status")["last_cycle"]
        cycles += [last] * (last != cycles[-1])
    status = Path(f"/proc/{lightningd._process.pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """
    Measure the cycles and then the process.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="CHANNELS")
    parser.add_argument("--one", type=int, metavar="CHANNELS", help="print one size as JSON")
    arguments = parser.parse_args()
    # Piped, the table must not be cut.
    console = Console(width=None if sys.stdout.isatty() else 140)
    if arguments.one:
        console.print_json(data=measure(arguments.one))
        return
    results = {}
    for size in arguments.sizes:
        with console.status(f"measuring {size} channels"):
            results[size] = measured_apart(size)
    console.print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    console.print(table_of(results))
    console.print(f"to be reached at 1000 channels, warm: {MOST_S_AT_1000} s")
    console.print(f"start to manifest: {seconds_to_manifest():.2f} s of {MOST_MANIFEST_S}")
    first, restarted = rss_mb(1000)
    console.print(
        f"RSS at 1000 channels: {first:.0f} MB after a first start that counted a week,"
        f" {restarted:.0f} MB after a restart, of {MOST_RSS_MB}"
    )


if __name__ == "__main__":
    main()
