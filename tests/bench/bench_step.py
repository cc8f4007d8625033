"""What the live core costs in the arena, in CPU per channel and step; `make bench` runs it."""

import argparse
import gc
import os
import sys
import time

from rich.console import Console
from rich.table import Table

from revops.core.plan import Plan
from revops.core.snapshot import Snapshot
from revops.simulate.arena.core_policy import CorePolicy
from revops.simulate.arena.play import Observation, Orders, Start, play
from revops.simulate.arena.policies import maker_of
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import Tape, tape_of

SCENARIO = "mixed_20"
DAYS = 60
RUNS = 3
MOST_US = 60
OPTIMIZERS = ("posterior", "hill-climb")


def measured(tape: Tape, optimizer: str) -> dict[str, float]:
    """
    Return the CPU seconds of one run: `decide`, snapshots, the world.
    """
    spent = {"decide": 0.0, "step": 0.0}
    made = maker_of(f"core,fee-optimizer={optimizer}")

    class Watched(CorePolicy):
        def step(self, seen: Observation) -> Orders:
            began = time.process_time()
            orders = super().step(seen)
            spent["step"] += time.process_time() - began
            return orders

        def decided(self, snapshot: Snapshot) -> Plan:
            began = time.process_time()
            plan = super().decided(snapshot)
            spent["decide"] += time.process_time() - began
            return plan

    def watched(start: Start) -> Watched:
        return Watched(made(start).config, start)

    began = time.process_time()
    play(tape, watched)
    total = time.process_time() - began
    return {
        "decide": spent["decide"],
        "snapshots": spent["step"] - spent["decide"],
        "world": total - spent["step"],
        "total": total,
    }


def main() -> None:
    """
    Print a line for each optimizer: the least of a few runs.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--runs", type=int, default=RUNS)
    arguments = parser.parse_args()
    tape = tape_of(shortened(SCENARIOS[SCENARIO], arguments.days), 0)
    gc.collect()
    gc.freeze()
    table = Table(
        title=f"{tape.channels} channels, {arguments.days} days of {SCENARIO}, half an hour a step",
        caption=f"µs of CPU per channel and step, least of {arguments.runs} runs;"
        f" to be reached: decide {MOST_US}, 12 channels x 60 days in 2 s",
    )
    names = ("decide", "snapshots", "world", "total")
    for name in ("optimizer", *names, "run, s", "share of decide"):
        table.add_column(name, justify="right")
    for optimizer in OPTIMIZERS:
        runs = [measured(tape, optimizer) for _ in range(arguments.runs)]
        best = min(runs, key=lambda run: run["total"])
        each = 1e6 / (tape.channels * tape.steps)
        table.add_row(
            optimizer,
            *(f"{best[name] * each:.0f}" for name in names),
            f"{best['total']:.1f}",
            f"{best['decide'] / best['total']:.0%}",
        )
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors")
    console.print(table)


if __name__ == "__main__":
    main()
