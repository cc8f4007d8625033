"""Plays the small arena and prints what every cell comes to, to the millisatoshi."""

import json
import sys
from concurrent.futures import Executor
from typing import Any

import attrs

from revops.simulate.arena.measures import score_of
from revops.simulate.arena.play import play
from revops.simulate.arena.policies import maker_of
from revops.simulate.arena.scenarios import SCENARIOS
from revops.simulate.arena.tape import tape_of
from revops.simulate.arena.worth import worth_of
from revops.simulate.workers import workers

SMALL = ("steady_sink", "bidirectional", "misspecified")
SEEDS = range(100, 105)
DAYS = 6
POLICIES = ("core", "core+refills", "clboss+refills", "gossip-median")


def figures(scenario: str, seed: int) -> dict[str, dict[str, Any]]:
    """
    Return what each policy comes to on one tape.
    """
    tape = tape_of(attrs.evolve(SCENARIOS[scenario], days=DAYS), seed)
    worth = worth_of(tape)
    found = {}
    for policy in POLICIES:
        score = score_of(play(tape, maker_of(policy)), worth)
        found[policy] = {
            "net_msat": score.net_msat,
            "income_msat": score.income_msat,
            "spent_msat": score.spent_msat,
            "updates": round(score.updates * tape.channels * DAYS),
        }
    return found


def main(pool: Executor) -> None:
    pairs = [(scenario, seed) for scenario in SMALL for seed in SEEDS]
    found: dict[str, dict[str, Any]] = {scenario: {} for scenario in SMALL}
    played = pool.map(figures, *zip(*pairs, strict=True))
    for (scenario, seed), cells in zip(pairs, played, strict=True):
        found[scenario][str(seed)] = cells
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    with workers(2) as pool:
        main(pool)
