"""What a scrape takes, idle and while cycles run, and what its page takes; for `make bench`."""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from bench.gen_node import GeneratedNode  # noqa: E402 -- found by the path above
from e2e.scraping import fetch, free_port  # noqa: E402 -- see above

from revops.shell.app import App  # noqa: E402 -- see above
from revops.shell.clock import Clock  # noqa: E402 -- see above
from revops.shell.main import build  # noqa: E402 -- see above
from revops.shell.options import Settings  # noqa: E402 -- see above

SIZE = 1000
CALLS = 40
MOST_MS = 50

Times = list[tuple[float, float]]
"""Milliseconds of processor and by the clock."""


def running(directory: Path, size: int) -> App:
    """
    Return a plugin that serves metrics on a node of *size* channels, after a cycle of each kind.
    """
    clock, settings = Clock(), Settings()
    node = GeneratedNode(size, clock.now())
    settings.start(
        {"revenue-ops-prometheus": "true", "revenue-ops-prometheus-port": str(free_port())}
    )
    app = build(node.call, directory, settings, clock, lambda _line, _level: None)
    while not app.cycle.observer.forwards.turn(clock.now()):
        pass
    for loop in ("fees", "rebalance", "books"):
        app.worker.run_once(loop)
        assert not app.worker.state(loop).failing, app.worker.state(loop)
    return app


def timed(work: Callable[[], object], calls: int) -> Times:
    """
    Return what *work* takes, each time.
    """
    times = []
    for _ in range(calls):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        times.append(
            (1000 * (time.process_time() - processor), 1000 * (time.perf_counter() - clock))
        )
    return times


def beside_cycles(app: App, work: Callable[[], object], calls: int) -> Times:
    """
    Return what *work* takes while cycles run back to back; the processor's time is theirs too.
    """
    stop = threading.Event()

    def cycles() -> None:
        while not stop.is_set():
            app.worker.run_once("fees")

    thread = threading.Thread(target=cycles)
    thread.start()
    times = timed(work, calls)
    stop.set()
    thread.join()
    return times


def main() -> None:
    """
    Measure and print.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, metavar="CHANNELS")
    parser.add_argument("--calls", type=int, default=CALLS)
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    with tempfile.TemporaryDirectory() as name:
        app = running(Path(name), arguments.size)
        page = timed(app.exporter.renew, max(2, arguments.calls // 8))

        def scrape() -> bytes:
            return fetch(str(app.exporter.url), patience_s=30)

        idle = timed(scrape, arguments.calls)
        busy = beside_cycles(app, scrape, arguments.calls)
        size = len(scrape())
        app.store.close()
    table = Table(title=f"Milliseconds at {arguments.size} channels, a page of {size:,} bytes")
    for column in ("", "processor p50", "clock p50", "clock max"):
        table.add_column(column, justify="right" if column else "left")
    rows = {"page, by the worker": page, "scrape": idle, "scrape beside cycles": busy}
    for label, times in rows.items():
        processor, clock = zip(*times, strict=True)
        shared = "-" if times is busy else f"{statistics.median(processor):.1f}"
        table.add_row(label, shared, f"{statistics.median(clock):.1f}", f"{max(clock):.1f}")
    console.print(table)
    within = statistics.median(processor for processor, _ in idle) <= MOST_MS
    console.print(f"a scrape within {MOST_MS} ms of processor: {'yes' if within else 'NO'}")


if __name__ == "__main__":
    main()
