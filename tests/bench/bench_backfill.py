"""What counting a long past costs, and what is left of it at the next start; `make bench`."""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from bench.gen_node import GeneratedNode  # noqa: E402 -- found by the path above
from e2e.rpc_socket import RpcSocket  # noqa: E402 -- see above
from fakes import FakeClock  # noqa: E402 -- see above

from revops.adapters.rpc import connect  # noqa: E402 -- see above
from revops.shell.app import App  # noqa: E402 -- see above
from revops.shell.forwards import PAGE  # noqa: E402 -- see above
from revops.shell.main import build  # noqa: E402 -- see above
from revops.shell.options import Settings  # noqa: E402 -- see above

CHANNELS = 1000
NOW = 1_800_000_000
SIZES = (100_000, 1_000_000)
LONG = 5_000_000
MOST_S = 1.5
MOST_MB = 20
"""Above what the plugin takes anyway, both for 100 000 forwards."""


def rss_mb(name: str) -> float:
    """
    Return the memory of this process: `VmRSS` for now, `VmHWM` for the most since `reset_peak`.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def reset_peak() -> None:
    """
    Forget how much memory this process had.
    """
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def plugin(directory: Path) -> App:
    """
    Return the plugin's own pieces on the node that listens in *directory*.
    """
    settings = Settings()
    settings.start({"dry-run": "true"})
    call = connect(str(directory / "lightning-rpc"), 60)
    return build(call, directory, settings, FakeClock(NOW), lambda *_: None)


def seconds(work: Callable[[], object]) -> float:
    """
    Return the CPU seconds, of all threads, that *work* takes.
    """
    began = time.process_time()
    work()
    return time.process_time() - began


def count_all(app: App) -> None:
    """
    Count all that the node lists, turn by turn.
    """
    while not app.cycle.observer.forwards.turn(NOW):
        pass


def measure(directory: Path) -> dict[str, float]:
    """
    Count all that the node lists, and start again.
    """
    app = plugin(directory)
    node = app.cycle.observer._node
    node.channels(NOW, None)  # Every cycle takes that much, whatever is counted.
    page = json.dumps(node._call("listforwards", {"index": "created", "start": 1, "limit": PAGE}))
    parse = min(seconds(lambda: json.loads(page)) for _ in range(5)) / PAGE
    gc.collect()
    base = rss_mb("VmRSS")
    reset_peak()
    taken = seconds(lambda: count_all(app))
    peak = rss_mb("VmHWM")
    app.cycle.run()
    size = app.store.size_bytes()
    app.store.close()

    app = plugin(directory)
    cycle = seconds(app.cycle.run)
    app.store.close()
    sizes = {"base": base, "peak": peak, "size": size}
    return {"taken": taken, "parse": parse, "cycle": cycle, **sizes}


def measured_apart(history: int) -> dict[str, Any]:
    """
    Return what `measure` does in a process of its own, next to a node with that *history*.
    """
    with tempfile.TemporaryDirectory() as directory:
        node = GeneratedNode(CHANNELS, NOW, history=history)
        socket = RpcSocket(Path(directory) / "lightning-rpc", node)
        command = [sys.executable, __file__, "--one", directory]
        result = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        socket.close()
    return json.loads(result)


def table_of(results: dict[int, dict[str, float]]) -> Table:
    """
    Return a line for each length of history.
    """
    table = Table(
        title=f"Counting the past of {CHANNELS} channels",
        caption="CPU of the plugin alone; each/parse: in units of json.loads of a row, which tells"
        " how fast this machine is now; RSS: the most while counting, above what it took before;"
        " cycle: the first after a restart, in CPU seconds",
    )
    for name in (
        "forwards",
        "CPU s",
        "µs each",
        "each/parse",
        "RSS MB",
        "books MB",
        "bytes each",
        "cycle s",
    ):
        table.add_column(name, justify="right")
    for history, result in results.items():
        table.add_row(
            f"{history:,}",
            f"{result['taken']:.2f}",
            f"{result['taken'] / history * 1e6:.1f}",
            f"{result['taken'] / history / result['parse']:.1f}",
            f"{result['base']:.0f} + {result['peak'] - result['base']:.1f}",
            f"{result['size'] / 2**20:.0f}",
            f"{result['size'] / history:.0f}",
            f"{result['cycle']:.2f}",
        )
    return table


def main() -> None:
    """
    Measure each length of history.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="FORWARDS")
    parser.add_argument("--long", action="store_true", help=f"{LONG:,} forwards, too")
    parser.add_argument("--one", type=Path, metavar="DIRECTORY", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    # Piped, the table must not be cut.
    console = Console(width=None if sys.stdout.isatty() else 140)
    if arguments.one:
        console.print_json(data=measure(arguments.one))
        return
    results = {}
    for history in (*arguments.sizes, *((LONG,) if arguments.long else ())):
        with console.status(f"counting {history:,} forwards"):
            results[history] = measured_apart(history)
    console.print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    console.print(table_of(results))
    console.print(
        f"to be reached for 100,000 forwards: {MOST_S} s, {MOST_MB} MB above what it takes"
    )


if __name__ == "__main__":
    main()
