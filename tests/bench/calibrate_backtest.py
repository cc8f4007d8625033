"""
How often the band of a backtest holds what truly happened, where the truth is known.

In each world a node lives under one policy, and its forwards are all that a backtest of another
policy gets to see; then the other policy truly lives on the very same tape. Of the differences
between the two, the band of 80 % must hold 80 %.

    python tests/bench/calibrate_backtest.py [--worlds N] [--first SEED] [--days N] [--runs N]
"""

import argparse
import os
import statistics
import sys
from collections.abc import Iterable, Sequence
from functools import partial

import attrs

from revops.core.tally import Forward
from revops.core.units import DAY, Instant, Scid
from revops.simulate.arena.books import scid_of
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.payments import START
from revops.simulate.arena.play import Maker, Observation, Orders, Policy, play
from revops.simulate.arena.policies import maker_of
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import Tape, tape_of
from revops.simulate.arena.world import Passed
from revops.simulate.backtest.history import History, Place
from revops.simulate.backtest.pages import band
from revops.simulate.backtest.raw import laid_out
from revops.simulate.backtest.reading import read
from revops.simulate.backtest.replay import replayed
from revops.simulate.workers import alone, workers

SCENARIOS_ASKED = (
    *("balanced_20", "mixed_20", "mixed_5", "misspecified", "held_out", "regime_change"),
    *("bursty_exchange", "seasonal"),
)
STILL = (("static-100", "static-300"), ("static-300", "static-50"))
LEARNED_IN = ("mixed_20", "mixed_5", "misspecified")
LEARNED = (("core", "static-100"), ("static-100", "core"), ("core", "core,max-fee-ppm=150"))


@attrs.frozen
class World:
    """
    A world in which the truth is known.
    """

    scenario: str
    seed: int
    was: str
    other: str


@attrs.frozen
class Told:
    """
    What the backtest said of a world, and what was true, as parts of what was earned.
    """

    world: World
    low: float
    middle: float
    high: float
    true: float
    replayed: float

    @property
    def held(self) -> bool:
        """
        Return whether the truth was in the band.
        """
        return self.low <= self.true <= self.high


@attrs.define
class Diary:
    """
    A policy of which everything is written down that a node's own lists hold.
    """

    policy: Policy
    passed: list[Passed] = attrs.field(factory=list)
    last: Observation | None = None
    until: int = 0

    def step(self, seen: Observation) -> Orders:
        """
        Write down what is seen, and let the policy decide.
        """
        if seen.step <= self.until:
            self.passed += seen.passed
            self.last = seen
        return self.policy.step(seen)


def lived(tape: Tape, maker: Maker, days: int) -> tuple[History, int]:
    """
    Return the history that a node leaves, and what it earned in so many *days*.
    """
    diaries: list[Diary] = []

    def kept(start: object) -> Diary:
        diaries.append(Diary(maker(start), until=days * STEPS_A_DAY))
        return diaries[0]

    run = play(tape, kept)
    earned = sum(run.world.ledger.income_by_day[day] for day in range(days))
    (diary,) = diaries
    places = [
        Place(
            scid=scid_of(channel),
            capacity_msat=diary.last.capacity[channel],
            local_msat=diary.last.local[channel],
            fee_ppm=diary.last.fee_ppm[channel],
            opened_at=Instant(0),
        )
        for channel in range(tape.channels)
    ]
    settled = [listed(passed) for passed in diary.passed if passed.status == "settled"]
    return laid_out(places, settled, Instant(START + days * DAY), days), earned


def listed(passed: Passed) -> Forward:
    """
    Return *passed* as the node lists it.
    """
    at, into, out, amount, fee, status = passed
    ways = (Scid(scid_of(into)), Scid(scid_of(out)))
    return Forward(None, None, *ways, amount + fee, amount, fee, status, at, at)


def told(world: World, days: int, runs: int) -> Told:
    """
    Return what a backtest says of *world*, and what is true.
    """
    # A day more: what passes in the last half hour of a tape is seen by nobody.
    tape = tape_of(shortened(SCENARIOS[world.scenario], days + 1), world.seed)
    history, earned = lived(tape, maker_of(world.was), days)
    _, other = lived(tape, maker_of(world.other), days)
    reading = read(history)
    makers = {"was": None, "other": maker_of(world.other)}
    replays = [replayed(reading, makers, seed).lives for seed in range(runs)]
    again = [sum(lives["was"].income_msat) for lives in replays]
    more = [
        sum(lives["other"].income_msat) - was for lives, was in zip(replays, again, strict=True)
    ]
    found = band([value / earned for value in more])
    return Told(
        world=world,
        low=found.low,
        middle=found.middle,
        high=found.high,
        true=(other - earned) / earned,
        replayed=statistics.fmean(again) / earned,
    )


def row(name: str, found: Sequence[Told]) -> str:
    """
    Return a line of the table.
    """
    held = sum(one.held for one in found)
    width = statistics.median(one.high - one.low for one in found)
    off = statistics.median(one.middle - one.true for one in found)
    size = statistics.median(abs(one.true) for one in found)
    again = statistics.fmean(one.replayed for one in found)
    return (
        f"| {name} | {len(found)} | {held / len(found):.0%} | {width:.0%} | {off:+.0%}"
        f" | {size:.0%} | {again:.1%} |"
    )


def table(found: Sequence[Told]) -> Iterable[str]:
    """
    Yield how often the band held the truth, of everything and by kind.
    """
    yield "| | worlds | in the band | its width | middle less truth | true change | as it was |"
    yield "|---|---|---|---|---|---|---|"
    yield row("all", found)
    pairs = sorted({(one.world.was, one.world.other) for one in found})
    for was, other in pairs:
        mine = [one for one in found if (one.world.was, one.world.other) == (was, other)]
        yield row(f"{was} → {other}", mine)
    for scenario in sorted({one.world.scenario for one in found}):
        yield row(f"`{scenario}`", [one for one in found if one.world.scenario == scenario])


def main() -> None:
    """
    Print the table.
    """
    words = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    words.add_argument("--worlds", type=int, default=4, help="of each scenario and pair of prices")
    words.add_argument("--learned", type=int, default=1, help="of each where the core prices")
    words.add_argument("--first", type=int, default=200, help="seed of the first world")
    words.add_argument("--days", type=int, default=20)
    words.add_argument("--runs", type=int, default=19)
    words.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = words.parse_args()
    worlds = [
        World(scenario, asked.first + number, *pair)
        for pairs, scenarios, count in (
            (LEARNED, LEARNED_IN, asked.learned),
            (STILL, SCENARIOS_ASKED, asked.worlds),
        )
        for scenario in scenarios
        for number in range(count)
        for pair in pairs
    ]
    one = partial(told, days=asked.days, runs=asked.runs)
    with workers(asked.jobs) if asked.jobs > 1 else alone() as executor:
        found = list(executor.map(one, worlds))
    sys.stdout.write("\n".join((*table(found), "")))


if __name__ == "__main__":
    main()
