"""Grid: which configs meet which seeds on which stages."""

import itertools
from collections.abc import Iterator
from typing import Final

import attrs

from revops.simulate.sweep.cells import Cell, Options, Stage

BASE: Final = "base"
"""The entry that all others are compared with."""


@attrs.frozen
class Entry:
    """
    A config by its name.
    """

    name: str
    options: Options


@attrs.frozen
class Grid:
    """
    Every entry on every stage with every seed.

    Attributes:
        entries: The base first.
        notes: What has to be said about the snapshot, a sentence each.
    """

    stages: tuple[Stage, ...]
    seeds: tuple[int, ...]
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()

    @property
    def base(self) -> Entry:
        """
        Return what all others are compared with.
        """
        return self.entries[0]

    def cells(self) -> Iterator[Cell]:
        """
        Return what is to be played, each cell once: all configs with a seed before the next seed,
        so that what is there when somebody stops can be compared.
        """
        options = dict.fromkeys(entry.options for entry in self.entries)
        for stage, seed, chosen in itertools.product(self.stages, self.seeds, options):
            yield Cell(stage, chosen, seed)
