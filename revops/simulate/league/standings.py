"""Standings: what the cells of a policy come to in a scenario, beside the oracles and the core."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import accumulate

import attrs

from revops.simulate.arena.contest import Bounds, Cell, Reference
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.measures import (
    EARLY_DAYS,
    Lead,
    Mean,
    Score,
    holm,
    lead,
    marginal_roi,
    mean_of,
)
from revops.simulate.arena.scenarios import SCENARIOS


@attrs.frozen(kw_only=True, eq=False, slots=False)
class Standing:
    """
    A policy in a scenario, over all seeds.

    Attributes:
        lead: Of the policy that all are compared with, over this one; `None` of itself.
        chance: That of the lead, corrected for all comparisons of the page.
        roi: What a sat spent on refills brought beyond itself; `None` where none was spent, or the
            same policy without refills was not played.
    """

    policy: str
    cells: tuple[Cell, ...]
    lead: Lead | None = None
    chance: float | None = None
    roi: Mean | None = None

    @property
    def days(self) -> int:
        """
        Return how long each cell was.
        """
        return self.cells[0].days

    @cached_property
    def sat_per_day(self) -> Mean:
        """
        Return the net profit, with what liquidity is worth more at the end.
        """
        return self._mean(lambda score: score.net_msat / self.days / 1000)

    @property
    def early_per_day(self) -> float:
        """
        Return what the first days earned less refills, in sat a day.
        """
        days = min(self.days, EARLY_DAYS)
        return self.average(lambda score: score.early_msat / days / 1000)

    @property
    def late_per_day(self) -> float | None:
        """
        Return the same of the days after those; `None` where there are none.
        """
        days = self.days - EARLY_DAYS
        return self.average(lambda s: s.late_msat / days / 1000) if days > 0 else None

    @cached_property
    def of_fluid(self) -> Mean:
        """
        Return which share of the fluid bound it earned.
        """
        return mean_of([cell.of_fluid for cell in self.cells])

    @cached_property
    def of_static(self) -> Mean | None:
        """
        Return how much it earned of what the best static prices do.
        """
        return self._of(lambda bounds: bounds.static)

    @cached_property
    def of_regime(self) -> Mean | None:
        """
        Return how much it earned of what the best prices do that change when the market does.
        """
        return self._of(lambda bounds: bounds.regime)

    @property
    def most_updates(self) -> int:
        """
        Return how often a channel was updated in a day, at most.
        """
        return max(cell.score.most_updates for cell in self.cells)

    @property
    def violations(self) -> int:
        """
        Return how many orders were out of bounds, in all cells.
        """
        return sum(cell.score.violations for cell in self.cells)

    @property
    def cpu_us(self) -> float:
        """
        Return how many microseconds a channel and step took.
        """
        channels = SCENARIOS[self.cells[0].scenario].channels
        steps = len(self.cells) * self.days * STEPS_A_DAY
        return sum(cell.cpu_s for cell in self.cells) * 1e6 / (steps * channels)

    @property
    def regret_sat(self) -> dict[str, list[float]]:
        """
        Return by how much it has earned less so far than each oracle with days, day by day.
        """
        kinds: dict[str, Callable[[Bounds], Reference | None]] = {
            "static": lambda bounds: bounds.static,
            "regime": lambda bounds: bounds.regime,
        }
        found = {name: self._regret(kind) for name, kind in kinds.items()}
        return {name: regret for name, regret in found.items() if regret}

    def average(self, measure: Callable[[Score], float]) -> float:
        """
        Return the mean of a *measure* over all cells.
        """
        return sum(measure(cell.score) for cell in self.cells) / len(self.cells)

    def _mean(self, measure: Callable[[Score], float]) -> Mean:
        return mean_of([measure(cell.score) for cell in self.cells])

    def _of(self, kind: Callable[[Bounds], Reference | None]) -> Mean | None:
        known = [(cell.score.net_msat, kind(cell.bounds)) for cell in self.cells]
        shares = [net / best.net_msat for net, best in known if best]
        return mean_of(shares) if len(shares) == len(known) else None

    def _regret(self, kind: Callable[[Bounds], Reference | None]) -> list[float]:
        known = [(cell.score.by_day, kind(cell.bounds)) for cell in self.cells]
        missed = [
            [best - mine for best, mine in zip(oracle.by_day, by_day, strict=True)]
            for by_day, oracle in known
            if oracle
        ]
        days = zip(*missed, strict=True)
        return list(accumulate(sum(day) / len(missed) / 1000 for day in days))


@attrs.frozen(kw_only=True)
class Board:
    """
    All policies in a scenario.

    Attributes:
        reference: The policy that all others are compared with.
        standings: Who earned most comes first.
    """

    scenario: str
    days: int
    seeds: tuple[int, ...]
    reference: str
    standings: tuple[Standing, ...]


def boards(cells: Iterable[Cell], scenarios: Sequence[str], reference: str) -> list[Board]:
    """
    Return a board for each of *scenarios*; every policy must have played the same seeds there.
    """
    by_scenario: dict[str, list[Cell]] = {name: [] for name in scenarios}
    for cell in cells:
        by_scenario[cell.scenario].append(cell)
    found = [_board(group, reference) for group in by_scenario.values() if group]
    leads = [standing.lead for board in found for standing in board.standings]
    corrected = iter(holm([lead.chance for lead in leads if lead]))
    return [
        attrs.evolve(
            board,
            standings=tuple(
                attrs.evolve(standing, chance=next(corrected)) if standing.lead else standing
                for standing in board.standings
            ),
        )
        for board in found
    ]


def _board(cells: Iterable[Cell], reference: str) -> Board:
    by_policy: dict[str, list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: cell.seed):
        by_policy.setdefault(cell.policy, []).append(cell)
    best = by_policy[reference]
    standings = [
        Standing(
            policy=policy,
            cells=tuple(mine),
            lead=None if policy == reference else _lead(best, mine),
            roi=_roi(mine, by_policy.get(without_refills(policy) or "")),
        )
        for policy, mine in by_policy.items()
    ]
    return Board(
        scenario=best[0].scenario,
        days=best[0].days,
        seeds=tuple(cell.seed for cell in best),
        reference=reference,
        standings=tuple(sorted(standings, key=lambda s: -s.average(lambda c: c.net_msat))),
    )


def without_refills(policy: str) -> str | None:
    """
    Return what *policy* is called when it does not refill; `None` if it never does.
    """
    name, comma, options = policy.partition(",")
    plain, plus, _ = name.partition("+")
    return plain + comma + options if plus else None


def _lead(mine: Sequence[Cell], theirs: Sequence[Cell]) -> Lead:
    return lead(
        [cell.score.net_msat for cell in mine],
        [cell.score.net_msat for cell in theirs],
        [cell.bounds.open_msat for cell in mine],
    )


def _roi(mine: Sequence[Cell], plain: Sequence[Cell] | None) -> Mean | None:
    if plain is None:
        return None
    return marginal_roi([cell.score for cell in mine], [cell.score for cell in plain])
