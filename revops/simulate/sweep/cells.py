"""Cells: one config in one future, played anywhere by a function of plain values."""

import hashlib
import time
import zlib
from collections.abc import Iterator
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import scipy

import revops
from revops.adapters.wire import read_snapshot
from revops.core.config import Config, configured
from revops.core.snapshot import Snapshot
from revops.core.units import Msat
from revops.simulate.arena.ledger import DEPLETED_PERCENT, SATURATED_PERCENT
from revops.simulate.arena.measures import score_of
from revops.simulate.arena.play import play
from revops.simulate.arena.refilling import RefillingPolicy
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import tape_of
from revops.simulate.arena.worth import worth_of
from revops.simulate.forecast.roll import lived

# What the numbers of a cell depend on, beside its own fields.
_DECIDING: Final = ("core", "simulate/arena", "simulate/forecast", "simulate/sweep/cells.py")


@attrs.frozen
class Scene:
    """
    A scenario of the arena, and how many of its days.
    """

    name: str
    days: int


@attrs.frozen
class Node:
    """
    A node, and the days that are to come.

    Attributes:
        name: The file that it was read from.
        page: Its snapshot, as a file would hold it, compressed: it travels with each cell.
    """

    name: str
    days: int
    page: bytes = attrs.field(repr=False)


Stage = Scene | Node
Options = tuple[tuple[str, str], ...]
"""What of a config differs from the defaults, in the order of the names."""


@attrs.frozen
class Cell:
    """
    One config on one stage with one seed.
    """

    stage: Stage
    options: Options
    seed: int

    def key(self, sources: str) -> tuple[str | int, ...]:
        """
        Return what tells this cell from every other one, played by these *sources*.
        """
        stage = self.stage
        # A node is what its snapshot says, wherever that is.
        what = stage.name if isinstance(stage, Scene) else hashlib.sha256(stage.page).hexdigest()
        options = ",".join(f"{name}={text}" for name, text in self.options)
        return ("sweep", sources, what, stage.days, options, self.seed)


@attrs.frozen(kw_only=True)
class Numbers:
    """
    What a cell came to.

    Attributes:
        left_msat: What liquidity is worth more at the end than at the beginning.
        updates: Fee updates a channel and day.
        depleted, saturated: Share of the time of all channels.
        violations: Orders out of bounds; `None` where nobody counts them.
        cpu_s: What it took of one core.
    """

    income_msat: Msat
    spent_msat: Msat
    left_msat: Msat
    updates: float
    depleted: float
    saturated: float
    violations: int | None
    cpu_s: float

    @property
    def net_msat(self) -> Msat:
        """
        Return what was earned less what was spent, with what is left behind.
        """
        return Msat(self.income_msat - self.spent_msat + self.left_msat)


@attrs.frozen
class Failed:
    """
    A cell that came to nothing, and why, in a sentence.
    """

    why: str


def played(cell: Cell, sources: str) -> Numbers | Failed:
    """
    Return what *cell* comes to, played by the *sources* that asked for it and no others.
    """
    if sources_digest() != sources:
        return Failed("the worker has other sources of revops, numpy or scipy than this machine")
    began = time.thread_time()
    try:
        numbers = _numbers(cell)
    except Exception as error:  # noqa: BLE001 -- one cell's bug is no reason to lose the others
        return Failed(f"{type(error).__name__}: {error}")
    return attrs.evolve(numbers, cpu_s=time.thread_time() - began)


def _numbers(cell: Cell) -> Numbers:
    config = configured(dict(cell.options))
    if isinstance(cell.stage, Node):
        return _in_future(cell.stage, config, cell.seed)
    return _in_arena(cell.stage, config, cell.seed)


def _in_arena(scene: Scene, config: Config, seed: int) -> Numbers:
    tape = tape_of(shortened(SCENARIOS[scene.name], scene.days), seed)
    score = score_of(play(tape, partial(RefillingPolicy, config)), worth_of(tape))
    return Numbers(
        income_msat=score.income_msat,
        spent_msat=score.spent_msat,
        left_msat=score.left_msat,
        updates=score.updates,
        depleted=score.depleted,
        saturated=score.saturated,
        violations=score.violations,
        cpu_s=0,
    )


def _in_future(node: Node, config: Config, seed: int) -> Numbers:
    life = lived(_snapshot(node.page), config, node.days, seed)
    shares = [share for path in life.paths for share in path.local_share]
    return Numbers(
        income_msat=Msat(sum(life.income_msat)),
        spent_msat=Msat(sum(life.spent_msat)),
        left_msat=life.left_msat,
        updates=sum(life.updates) / (len(life.paths) * node.days),
        depleted=sum(share * 100 < DEPLETED_PERCENT for share in shares) / len(shares),
        saturated=sum(share * 100 > SATURATED_PERCENT for share in shares) / len(shares),
        violations=None,
        cpu_s=0,
    )


# Cells of one node follow each other.
@lru_cache(maxsize=1)
def _snapshot(page: bytes) -> Snapshot:
    return read_snapshot(zlib.decompress(page))[0]


@cache
def sources_digest() -> str:
    """
    Return what changes with anything that decides what a cell comes to.
    """
    digest = hashlib.sha256(f"numpy {np.__version__}, scipy {scipy.__version__}".encode())
    for file in _files():
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    package = Path(revops.__file__).parent
    for place in (package / name for name in _DECIDING):
        if place.is_file():
            yield place
        else:
            yield from sorted(p for p in place.rglob("*") if p.suffix in {".py", ".json"})
