"""What refills bring, in sats and per sat spent, on the same tapes with and without them."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import bootstrap

from revops.simulate.arena.measures import Score, score_of
from revops.simulate.arena.play import play
from revops.simulate.arena.policies import maker_of
from revops.simulate.arena.scenarios import SCENARIOS
from revops.simulate.arena.tape import Tape, tape_of
from revops.simulate.arena.worth import worth_of

MARKETS = ("mixed_20_cheap", "mixed_20", "mixed_20_dear")
"""The same payments; refills cost 0.3, 0.7 and 1.2 of what payments would pay."""
POLICIES = ("core+refills", "clboss+refills")


class Row(NamedTuple):
    """
    What one policy makes of one tape, with refills and without.
    """

    policy: str
    market: str
    without: Score
    refilling: Score


def pair_of(policy: str) -> str:
    """
    Return the policy that does the same without refills.
    """
    name, *options = policy.split(",")
    return ",".join((name.partition("+")[0], *options))


def scored(policy: str, tape: Tape) -> Score:
    """
    Return what *policy* makes of *tape*.
    """
    return score_of(play(tape, maker_of(policy)), worth_of(tape))


def sitting(policy: str, seed: int, markets: Sequence[str] = MARKETS) -> list[Row]:
    """
    Return what *policy* makes of one seed; without refills their market makes no difference.
    """
    tapes = {market: tape_of(SCENARIOS[market], seed) for market in markets}
    without = scored(pair_of(policy), tapes[markets[0]])
    return [Row(policy, market, without, scored(policy, tape)) for market, tape in tapes.items()]


def between(statistic: Callable[..., float], *samples: Sequence[float]) -> str:
    """
    Return a statistic of paired *samples*, with where it is with a confidence of 95 %.
    """
    value = statistic(*map(np.asarray, samples))
    if len(set(zip(*samples, strict=True))) < 2 or not np.isfinite(value):
        return f"{value:+.2f}"
    found = bootstrap(
        samples, statistic, paired=True, vectorized=False, rng=np.random.default_rng(0)
    ).confidence_interval
    return f"{value:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"


def growth(before: "np.ndarray[tuple[int], np.dtype[np.float64]]", after: object) -> float:
    """
    Return by which share all that was earned grew.
    """
    return float(np.sum(after) / np.sum(before) - 1)


def return_on(gained: object, spent: object) -> float:
    """
    Return what a sat that was spent brought beyond itself.
    """
    cost = float(np.sum(spent))
    return float(np.sum(gained)) / cost if cost else float("nan")


def table_of(rows: Iterable[Row]) -> Table:
    """
    Return the means over all seeds.
    """
    table = Table(title="Refills, with and without on the same tapes", title_justify="left")
    for heading in ("policy", "market"):
        table.add_column(heading)
    for heading in ("net without", "net with", "growth", "spent", "refills", "marginal ROI"):
        table.add_column(heading, justify="right")
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.policy, row.market), []).append(row)
    for (policy, market), group in sorted(found.items(), key=lambda item: item[0][0]):
        before = [row.without.net_msat / 1000 for row in group]
        after = [row.refilling.net_msat / 1000 for row in group]
        spent = [row.refilling.spent_msat / 1000 for row in group]
        gained = np.subtract(after, before).tolist()
        table.add_row(
            policy,
            market,
            f"{np.mean(before):,.0f}",
            f"{np.mean(after):,.0f}",
            between(growth, before, after),
            f"{np.mean(spent):,.0f}",
            f"{np.mean([row.refilling.refills for row in group]):.0f}",
            between(return_on, gained, spent) if any(spent) else "-",
        )
    return table


def main() -> None:
    """
    Print the table.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", nargs="+", default=POLICIES)
    parser.add_argument("--markets", nargs="+", default=MARKETS, choices=sorted(SCENARIOS))
    parser.add_argument("--seeds", default="0-9", metavar="A-B")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    first, _, last = given.seeds.partition("-")
    cells = [
        (policy, seed, tuple(given.markets))
        for policy in given.policies
        for seed in range(int(first), int(last or first) + 1)
    ]
    with ProcessPoolExecutor(given.workers) as executor:
        sittings = executor.map(sitting, *zip(*cells, strict=True))
        rows = [row for found in sittings for row in found]
    Console(width=140).print(table_of(rows))


if __name__ == "__main__":
    main()
