"""Contest: many policies on the same tapes, each beside what the oracles know."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from functools import partial

import attrs

from revops.core.units import Msat
from revops.simulate.arena.fluid import fluid
from revops.simulate.arena.measures import Score, score_of
from revops.simulate.arena.play import play
from revops.simulate.arena.policies import maker_of, refills
from revops.simulate.arena.scenarios import SCENARIOS
from revops.simulate.arena.static import best_static
from revops.simulate.arena.tape import tape_of
from revops.simulate.arena.worth import worth_of


@attrs.frozen(kw_only=True)
class Cell:
    """
    One policy on one tape.

    Attributes:
        fluid_msat, static_msat: What the oracles come to, what is left included; the fluid one
            may refill if the policy does. `None` where the static one was not asked.
        cpu_s: What the run took of one core, the world included.
    """

    scenario: str
    seed: int
    policy: str
    score: Score
    fluid_msat: float
    static_msat: Msat | None
    cpu_s: float

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
        return None if self.static_msat is None else self.score.net_msat / self.static_msat


def sitting(
    scenario: str, seed: int, policies: Sequence[str], *, static: bool = True
) -> list[Cell]:
    """
    Return what each of *policies* makes of one tape.
    """
    tape = tape_of(SCENARIOS[scenario], seed)
    worth = worth_of(tape)
    bound = fluid(tape, worth)
    open_bound = fluid(tape, worth, refills=True) if any(map(refills, policies)) else bound
    best = best_static(tape, worth, [bound.base_ppm]).net_msat if static else None
    cells = []
    for policy in policies:
        began = time.process_time()
        run = play(tape, maker_of(policy))
        cells.append(
            Cell(
                scenario=scenario,
                seed=seed,
                policy=policy,
                score=score_of(run, worth),
                fluid_msat=(open_bound if refills(policy) else bound).net_msat,
                static_msat=best,
                cpu_s=time.process_time() - began,
            )
        )
    return cells


def contest(
    scenarios: Sequence[str],
    seeds: Iterable[int],
    policies: Sequence[str],
    executor: Executor,
    *,
    static: bool = True,
) -> Iterable[list[Cell]]:
    """
    Return the sittings of *policies* in all *scenarios* and *seeds*, in their order.
    """
    pairs = [(scenario, seed) for scenario in scenarios for seed in seeds]
    play_one = partial(sitting, policies=tuple(policies), static=static)
    return executor.map(play_one, *zip(*pairs, strict=True))
