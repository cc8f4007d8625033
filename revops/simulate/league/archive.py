"""Archive: cells and bounds as they are kept, each under all that decides what it comes to."""

import json
from collections.abc import Iterable
from typing import Any

import attrs

from revops.simulate.arena.contest import Bounds, Cell, Reference, Sitting
from revops.simulate.arena.measures import Score
from revops.simulate.kept import Kept, Key
from revops.simulate.league.sources import digest_of, oracle_digest


class Archive:
    """
    What was played by the very code that is here.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def cells(self, sitting: Sitting) -> list[Cell]:
        """
        Return the cells of *sitting* that are there.
        """
        bounds = self.bounds(sitting)
        if bounds is None:
            return []
        texts = ((policy, self._kept.get(_key(sitting, policy))) for policy in sitting.policies)
        return [_cell(sitting, policy, text, bounds) for policy, text in texts if text]

    def bounds(self, sitting: Sitting) -> Bounds | None:
        """
        Return the bounds of the tape of *sitting*, if they are there.
        """
        text = self._kept.get(_key(sitting, None))
        if text is None:
            return None
        found = json.loads(text)
        for name in ("static", "regime"):
            found[name] = found[name] and Reference(**_with_days(found[name]))
        return Bounds(**found)

    def put(self, cells: Iterable[Cell]) -> None:
        """
        Keep *cells*, and the bounds of their tapes.
        """
        for cell in cells:
            found = {"score": attrs.asdict(cell.score), "cpu_s": cell.cpu_s}
            self._kept.put(_key(cell, None), json.dumps(attrs.asdict(cell.bounds)))
            self._kept.put(_key(cell, cell.policy), json.dumps(found))


def _key(what: Sitting | Cell, policy: str | None) -> Key:
    digest = oracle_digest() if policy is None else digest_of(policy)
    return ("arena", what.scenario, what.seed, what.days, policy or "oracles", digest)


def _cell(sitting: Sitting, policy: str, text: str, bounds: Bounds) -> Cell:
    found = json.loads(text)
    return Cell(
        scenario=sitting.scenario,
        seed=sitting.seed,
        days=sitting.days,
        policy=policy,
        score=Score(**_with_days(found["score"])),
        bounds=bounds,
        cpu_s=found["cpu_s"],
    )


def _with_days(fields: dict[str, Any]) -> dict[str, Any]:
    # JSON knows no tuples.
    return fields | {"by_day": tuple(fields["by_day"])}
