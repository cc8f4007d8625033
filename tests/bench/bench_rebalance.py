"""What planning refills costs, in CPU seconds, where everybody could be filled by everybody."""

import argparse
import statistics
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from property.money import (  # noqa: E402 -- found by the path above
    ample,
    books,
    holding,
    node,
    short,
    starts,
)

from revops.core.config import Config  # noqa: E402 -- see above
from revops.core.plan import RebalancePlan  # noqa: E402 -- see above
from revops.core.rebalance.decide import rebalance  # noqa: E402 -- see above
from revops.core.snapshot import Channel, Snapshot  # noqa: E402 -- see above

SIZES = (1000, 3000)
MOST_S_AT_1000 = 0.3
PREDECESSOR_S_AT_3000 = (45, 59)
RUNS = 7
BUSY = Config(daily_budget_sats=50_000, max_concurrent_jobs=20)


def crowd(size: int) -> Snapshot:
    """
    Return a node of *size* channels: a fifth short and in demand, three tenths that can give, and
    no two alike.
    """
    return node(*(_channel(number, size) for number in range(size)))


def _channel(number: int, size: int) -> Channel:
    place, own = number * 10 // size, number % 89
    if place < 2:
        return short(number, out=10 + own, into=own % 3, fee_ppm=400 + own)
    if place < 5:
        return ample(number, out=own % 4, into=2 + own % 5, fee_ppm=50 + own)
    return holding(number, 0.3 + own / 300, books(out=100, into=10 + own % 7))


def measure(snapshot: Snapshot) -> tuple[float, RebalancePlan]:
    """
    Return the median of the CPU seconds that some plans take, and one of them.
    """
    taken = []
    for _ in range(RUNS):
        began = time.process_time()
        plan = rebalance(snapshot, BUSY)
        taken.append(time.process_time() - began)
    return statistics.median(taken), plan


def main() -> None:
    """
    Measure each size.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="CHANNELS")
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(title="Planning refills, in CPU seconds", caption=f"median of {RUNS}")
    for name in ("channels", "short", "can give", "pay", "started", "seconds", "µs/channel"):
        table.add_column(name, justify="right")
    for size in parser.parse_args().sizes:
        seconds, plan = measure(crowd(size))
        said = [[reason.code.value for reason in d.trail] for d in plan.decisions]
        pay = sum(codes[-1] in ("refill", "outbid", "budget_short") for codes in said)
        counts = (*(sum(word in codes for codes in said) for word in ("short", "can_give")), pay)
        started = len(starts(plan))
        rest = (f"{seconds:.3f}", f"{seconds / size * 1e6:.0f}")
        table.add_row(str(size), *map(str, counts), str(started), *rest)
    console.print(table)
    console.print(f"to be reached at 1000 channels: {MOST_S_AT_1000} s")
    low, high = PREDECESSOR_S_AT_3000
    console.print(f"the predecessor takes {low} to {high} s at 3000, when nothing passes")


if __name__ == "__main__":
    main()
