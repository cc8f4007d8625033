"""Contest: many policies on the same tapes, each beside what the oracles know."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, as_completed
from typing import Final

import attrs

from revops.core.units import Msat
from revops.simulate.arena.fluid import fluid
from revops.simulate.arena.measures import Score, score_of
from revops.simulate.arena.play import play
from revops.simulate.arena.policies import maker_of, refills
from revops.simulate.arena.scenarios import SCENARIOS
from revops.simulate.arena.static import Vector, best_static
from revops.simulate.arena.tape import Tape, tape_of
from revops.simulate.arena.worth import Worth, worth_of

_MOST_CHANNELS: Final = 40
"""Beyond which the best static prices take too long to find."""


@attrs.frozen(kw_only=True)
class Reference:
    """
    What prices come to that were found with the tape in hand.

    Attributes:
        net_msat: What is left included.
        by_day: What each day earned.
    """

    net_msat: Msat
    by_day: tuple[Msat, ...]


@attrs.frozen(kw_only=True)
class Bounds:
    """
    What the oracles come to on one tape, what is left included.

    Attributes:
        fluid_msat: What no policy can expect to beat.
        open_msat: The same for one that refills.
        static: The best prices that never change; `None` where they take too long to find.
        regime: The best ones that change once, when the market does; `None` where it does not.
    """

    fluid_msat: float
    open_msat: float
    static: Reference | None
    regime: Reference | None


@attrs.frozen(kw_only=True)
class Cell:
    """
    One policy on one tape.

    Attributes:
        cpu_s: What the run took of one core, the world included.
    """

    scenario: str
    seed: int
    days: int
    policy: str
    score: Score
    bounds: Bounds
    cpu_s: float

    @property
    def fluid_msat(self) -> float:
        """
        Return the fluid bound, with the market for refills open if the policy refills.
        """
        return self.bounds.open_msat if refills(self.policy) else self.bounds.fluid_msat

    @property
    def of_fluid(self) -> float:
        """
        Return which share of the fluid bound it earned.
        """
        return self.score.net_msat / self.fluid_msat

    @property
    def of_static(self) -> float | None:
        """
        Return how much it earned of what the best static prices do.
        """
        best = self.bounds.static
        return self.score.net_msat / best.net_msat if best else None


@attrs.frozen(kw_only=True)
class Sitting:
    """
    Policies that are to be played on one tape.

    Attributes:
        bounds: Of the tape, if they are known.
    """

    scenario: str
    seed: int
    days: int
    policies: tuple[str, ...]
    bounds: Bounds | None = None


def sit(sitting: Sitting) -> list[Cell]:
    """
    Return what each policy makes of the tape.
    """
    tape = tape_of(attrs.evolve(SCENARIOS[sitting.scenario], days=sitting.days), sitting.seed)
    worth = worth_of(tape)
    bounds = sitting.bounds or _bounds(tape, worth)
    cells = []
    for policy in sitting.policies:
        began = time.process_time()
        run = play(tape, maker_of(policy))
        cells.append(
            Cell(
                scenario=sitting.scenario,
                seed=sitting.seed,
                days=sitting.days,
                policy=policy,
                score=score_of(run, worth),
                bounds=bounds,
                cpu_s=time.process_time() - began,
            )
        )
    return cells


def contest(sittings: Iterable[Sitting], executor: Executor) -> Iterator[list[Cell]]:
    """
    Return what becomes of *sittings*, as they end.
    """
    playing = [executor.submit(sit, sitting) for sitting in sittings]
    return (done.result() for done in as_completed(playing))


def _bounds(tape: Tape, worth: Worth) -> Bounds:
    bound = fluid(tape, worth)
    shift = tape.scenario.shift_day
    shifts = shift is not None and 0 < shift < tape.scenario.days
    static = regime = None
    if tape.channels <= _MOST_CHANNELS:
        static = best_static(tape, worth, [bound.base_ppm])
        starts = [static.ppm * 2, bound.base_ppm * 2]
        regime = best_static(tape, worth, starts, [shift or 0]) if shifts else None
    return Bounds(
        fluid_msat=bound.net_msat,
        open_msat=fluid(tape, worth, refills=True).net_msat,
        static=_reference(static),
        regime=_reference(regime),
    )


def _reference(vector: Vector | None) -> Reference | None:
    return Reference(net_msat=vector.net_msat, by_day=vector.by_day) if vector else None
