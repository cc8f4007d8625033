"""Results: what cells came to, kept for whoever would play the same again."""

import json
from collections.abc import Iterable

import attrs

from revops.simulate.kept import Kept
from revops.simulate.sweep.cells import Cell, Failed, Numbers


class Results:
    """
    What these *sources* made of some cells, and nothing that others made of them.

    Attributes:
        found: What they came to.
        failed: Those that came to nothing. They are not kept: the next sweep tries them again.
        missing: Those to be played, as it was at the beginning.
    """

    def __init__(self, kept: Kept, sources: str, cells: Iterable[Cell]) -> None:
        self.sources = sources
        self.found: dict[Cell, Numbers] = {}
        self.failed: dict[Cell, Failed] = {}
        self.missing: list[Cell] = []
        self._kept = kept
        for cell in cells:
            text = kept.get(cell.key(sources))
            if text is None:
                self.missing.append(cell)
            else:
                self.found[cell] = Numbers(**json.loads(text))

    def put(self, cell: Cell, result: Numbers | Failed) -> None:
        """
        Keep what *cell* came to: from then on nothing loses it.
        """
        if isinstance(result, Failed):
            self.failed[cell] = result
        else:
            self._kept.put(cell.key(self.sources), json.dumps(attrs.asdict(result)))
            self.found[cell] = result
