"""How long reports take on books of five million forwards in three years; for `make bench`."""

import argparse
import hashlib
import random  # noqa: TID251 -- examples are drawn here, not decisions
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from bench import bench_commands as bench  # noqa: E402 -- found by the path above
from bench.gen_node import GeneratedNode  # noqa: E402 -- see above
from e2e.rpc_socket import RpcSocket  # noqa: E402 -- see above

from revops.adapters.store import Store  # noqa: E402 -- see above

SIZE = 1000
CALLS = 40
DAYS = 3 * 365
DAY = 86_400
HOURS_DAYS = 365
HOURS_A_DAY = 8
"""Hours of a day in which a channel forwards, at nine forwards in or out a day."""
A_DAY = 9
CLOSED = 500
REFILLS = 20_000


class BookedNode(GeneratedNode):
    """
    A node without bookkeeper: all that the books hold of money is there already.
    """

    def answer(self, method: str, params: dict[str, Any]) -> Any:
        """
        Return the reply to a call.
        """
        if method == "listfunds":
            return {"outputs": [], "channels": []}
        return super().answer(method, params)


def books(path: Path, node: GeneratedNode) -> None:
    """
    Write what three years of forwards, refills and closed channels leave behind.
    """
    draw = random.Random("books")
    open_ones = [(c["short_channel_id"], c["channel_id"], c["peer_id"]) for c in node.channels]
    gone = [
        (f"{600_000 + n}x1x0", _hex(f"closed {n}"), draw.choice(open_ones)[2])
        for n in range(CLOSED)
    ]
    with closing(Store.open(path)) as store:
        store._write(lambda file: file.execute("PRAGMA wal_autocheckpoint = 100000"))
        for number in range(0, len(open_ones), 100):
            some = [scid for scid, _, _ in open_ones[number : number + 100]]
            store._write(_write_stats, list(_stats(some, node.now)))
        store._write(_write_stats, list(_stats([scid for scid, _, _ in gone], node.now, 300)))
        store._write(_write_rest, open_ones + gone, gone, node.now, draw)
        store._write(lambda file: file.execute(_TOTALS))


def _stats(scids: list[str], now: int, ended_days: int = 0) -> Iterator[tuple[Any, ...]]:
    today = now // DAY
    row = (10_000_000, 9_000_000, 2_000, 1_900, 2, 1, 100_000, 10**9)
    for scid in scids:
        for day in range(today - DAYS, today - ended_days):
            yield (scid, "day", day, A_DAY // 2, A_DAY - A_DAY // 2, *row)
        for day in range(today - HOURS_DAYS, today - ended_days):
            for hour in range(day * 24, day * 24 + 24, 24 // HOURS_A_DAY):
                yield (scid, "hour", hour, 1, 0, *row)


_TOTALS = """
    INSERT INTO forward_totals (scid, in_count, out_count, in_msat, out_msat, earned_msat,
    sourced_msat, last_hour, last_in_at, last_out_at)
    SELECT scid, sum(in_count), sum(out_count), sum(in_msat), sum(out_msat), sum(earned_msat),
    sum(sourced_msat), max(start) * 24 + 23, max(start) * 86400, max(start) * 86400
    FROM forward_stats WHERE span = 'day' GROUP BY scid
"""


def _write_stats(file: Any, rows: list[tuple[Any, ...]]) -> None:
    file.executemany(f"INSERT INTO forward_stats VALUES ({', '.join('?' * 13)})", rows)  # noqa: S608 -- places


def _write_rest(
    file: Any,
    every: list[tuple[str, str, str]],
    gone: list[tuple[str, str, str]],
    now: int,
    draw: random.Random,
) -> None:
    begin = now - DAYS * DAY
    file.executemany(
        "INSERT INTO channels (channel_id, scid, peer_id, opener, capacity_msat, opened_at,"
        " first_seen_at, last_seen_at) VALUES (?, ?, ?, 'local', 5000000000, ?, 0, 0)",
        [(own, scid, peer, begin) for scid, own, peer in every],
    )
    file.executemany(
        "INSERT INTO channel_scids VALUES (?, ?, 0)", [(scid, own) for scid, own, _ in every]
    )
    file.executemany(
        "INSERT INTO closed_channels VALUES (?, ?, 'mutual', 1, 0)",
        [(own, now - 300 * DAY) for _, own, _ in gone],
    )
    file.executemany(
        "INSERT INTO costs VALUES (?, ?, ?, ?, 800000, 0)",
        [(own, "open", _hex(f"open {own}"), begin) for _, own, _ in every]
        + [(own, "close", _hex(f"close {own}"), now - 300 * DAY) for _, own, _ in gone],
    )
    ids = [own for _, own, _ in every]
    file.executemany(
        "INSERT INTO refills VALUES (?, '0', ?, ?, ?, 100000000, 20000, NULL)",
        [
            (_hex(f"refill {n}"), draw.randrange(begin, now), *draw.sample(ids, 2))
            for n in range(REFILLS)
        ],
    )
    file.execute("INSERT INTO books VALUES (1, ?, ?, 0)", (begin, now))
    file.execute("INSERT INTO cursors VALUES ('refills.until', ?)", (now,))


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def questions(plugin: bench.Plugin) -> dict[str, tuple[str, Any]]:
    """
    Return a call of each kind, by what it is called in the table.
    """
    scid = plugin.ask("revenue-status", {"limit": 1})[1]["channel_states"][0]["scid"]
    today = time.time()  # noqa: TID251 -- the node's own clock
    return {
        "dashboard": ("revenue-dashboard", []),
        "dashboard 7": ("revenue-dashboard", [7]),
        "dashboard 365": ("revenue-dashboard", [365]),
        "profitability SCID": ("revenue-profitability", [scid]),
        "profitability limit=10": ("revenue-profitability", {"limit": 10}),
        "profitability": ("revenue-profitability", []),
        "history": ("revenue-history", []),
        "cleanup-closed": ("revenue-cleanup-closed", []),
        "report (slow)": ("revenue-report", []),
        "report, all (slow)": ("revenue-report", {"limit": 100_000}),
        "report peer (slow)": ("revenue-report", ["peer"]),
        "report costs (slow)": ("revenue-report", ["costs"]),
        "report policies (slow)": ("revenue-report", ["policies"]),
        "report of 3 years (slow)": (
            "revenue-report",
            {"from": int(today - DAYS * DAY), "format": "csv"},
        ),
        "capacity-report (slow)": ("revenue-capacity-report", []),
    }


def measured(program: Path, directory: Path, calls: int) -> dict[str, bench.Times]:
    """
    Return the times of every kind of call to *program*; the first, on books that nobody has read
    yet, apart.
    """
    plugin = bench.Plugin(program, directory)
    bench.ready(plugin)
    times: dict[str, bench.Times] = {}
    for label, call in questions(plugin).items():
        times[f"{label}, first"] = bench.timed(plugin, call, 1) * 2
        times[label] = bench.timed(plugin, call, calls // 4 if "slow" in label else calls)
    plugin.close()
    return times


def main() -> None:
    """
    Measure idle and busy.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, metavar="CHANNELS")
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    node = BookedNode(arguments.size, int(time.time()))  # noqa: TID251 -- the node's own clock
    if arguments.serve:
        RpcSocket(arguments.serve / "lightning-rpc", node)
        sys.stdin.read()
        return
    console = Console(width=None if sys.stdout.isatty() else 140)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        books(directory / "revenue_ops.db", node)
        size = (directory / "revenue_ops.db").stat().st_size
        console.print(f"books of {DAYS} days: {size / 1e6:.0f} MB")
        server = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, "--size", str(arguments.size)],
            stdin=subprocess.PIPE,
        )
        while not (directory / "lightning-rpc").exists():
            time.sleep(0.1)
        busy = measured(bench.RESTLESS, directory, arguments.calls)
        idle = measured(bench.PLUGIN, directory, arguments.calls)
        server.communicate()
    console.print(bench.table_of(idle, busy, arguments.size))


if __name__ == "__main__":
    main()
