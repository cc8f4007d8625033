"""Cells are played by whoever can, and one that fails takes none of the others along."""

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

import attrs
import pytest

from revops.core.units import Msat
from revops.simulate.sweep.cells import Cell, Failed, Numbers, Scene, played, sources_digest
from revops.simulate.sweep.crews import Crew, CrewError, processes
from revops.simulate.sweep.playing import AHEAD, HOPELESS, play_all

DAY = Scene("mixed_5", 1)
SOURCES = sources_digest()
HANDS = 2
DEAD = "somebody has died"


def cells(count: int, stage: Scene = DAY) -> list[Cell]:
    return [Cell(stage, (), seed) for seed in range(count)]


def came_to(cell: Cell) -> Numbers:
    return Numbers(
        income_msat=Msat(cell.seed),
        spent_msat=Msat(0),
        left_msat=Msat(0),
        updates=0,
        depleted=0,
        saturated=0,
        violations=0,
        cpu_s=0,
    )


class Pool(ThreadPoolExecutor):
    """
    Processes as they are: who plays a fatal cell dies, and takes along whatever is under way.
    """

    def __init__(self, town: "Town") -> None:
        super().__init__(HANDS)
        self._town = town
        self._flying: list[Future[Any]] = []
        self._broken = False

    def submit(self, work: Any, cell: Cell, sources: str) -> Future[Any]:  # type: ignore[override]
        """
        Take a cell, as long as nobody has died.
        """
        assert (work, sources) == (played, SOURCES)
        if self._broken:
            raise BrokenProcessPool(DEAD)
        self._town.asked[cell.seed] += 1
        flying = [future for future in self._flying if not future.done()]
        self._town.most = max(self._town.most, len(flying) + 1)
        future: Future[Any] = Future()
        self._flying.append(future)
        if cell.seed == self._town.gone_at:
            future.cancel()
            future.set_running_or_notify_cancel()
        elif self._town.kills(cell):
            self._broken = True
            for victim in (*flying, future):
                victim.set_exception(BrokenProcessPool(DEAD))
        else:
            super().submit(self._answer, future, cell)
        return future

    def _answer(self, future: Future[Any], cell: Cell) -> None:
        if not future.done():
            future.set_result(self._town.answer(cell))


@attrs.define
class Town:
    """
    Where a crew lives.

    Attributes:
        deaths: How often a cell of this seed is fatal.
        failing: Seeds whose cells come to nothing.
        gone_at: With the cell of this seed, the town is gone and whoever lived there.
        asked: How often a seed was handed out.
        most: Cells handed out at the same time.
    """

    deaths: dict[int, int] = attrs.field(factory=dict)
    failing: set[int] = attrs.field(factory=set)
    gone_at: int | None = None
    asked: Counter[int] = attrs.field(factory=Counter)
    most: int = 0

    def kills(self, cell: Cell) -> bool:
        """
        Say whether *cell* is fatal this time.
        """
        left = self.deaths.get(cell.seed, 0)
        self.deaths[cell.seed] = left - 1
        return left > 0

    def answer(self, cell: Cell) -> Numbers | Failed:
        """
        Return what *cell* comes to.
        """
        return Failed("it is too hot") if cell.seed in self.failing else came_to(cell)

    @contextmanager
    def executor(self, _cells: int) -> Iterator[Pool]:
        """
        Open a pool of those who are alive.
        """
        with Pool(self) as pool:
            yield pool

    def play(self, count: int) -> dict[int, Numbers | Failed]:
        """
        Return what so many cells come to.
        """
        found = list(play_all(cells(count), Crew(self.executor, lambda: HANDS), SOURCES))
        assert len({cell for cell, _ in found}) == len(found)
        return {cell.seed: result for cell, result in found}


def test_each_cell_is_played_once() -> None:
    """
    Any executor will do, and it never has more than a few cells ahead.
    """
    town = Town()

    assert town.play(50) == {cell.seed: came_to(cell) for cell in cells(50)}
    assert town.asked == Counter(range(50))
    assert 1 < town.most <= AHEAD * HANDS


def test_no_cells_need_nobody() -> None:
    """
    Where nothing is missing, nothing is opened.
    """
    town = Town()

    assert town.play(0) == {}
    assert town.most == 0


def test_who_is_killed_by_a_cell_is_replaced() -> None:
    """
    A cell that kills once, and those under way beside it, are played again; nothing is lost.
    """
    town = Town(deaths={20: 1})

    assert town.play(50) == {cell.seed: came_to(cell) for cell in cells(50)}
    assert town.asked[20] == 2


def test_a_fatal_cell_fails_alone() -> None:
    """
    A cell that kills again has failed; none of those that were beside it has.
    """
    found = Town(deaths={20: 9, 21: 9}).play(50)
    failed = {seed: result for seed, result in found.items() if isinstance(result, Failed)}

    assert failed.keys() == {20, 21}
    assert DEAD in failed[20].why
    assert len(found) == 50


def test_a_cell_that_fails_is_tried_once_more() -> None:
    """
    After that it has failed, with its sentence.
    """
    town = Town(failing={3})
    found = town.play(9)

    assert found[3] == Failed("it is too hot")
    assert town.asked[3] == 2
    assert sum(isinstance(result, Numbers) for result in found.values()) == 8


@pytest.mark.parametrize(
    "town", [Town(failing=set(range(999))), Town(deaths=dict.fromkeys(range(999), 9))]
)
def test_where_all_fails_it_ends(town: Town) -> None:
    """
    What is wrong with everything is not tried with everything.
    """
    with pytest.raises(CrewError, match=r"all of the first .* cells failed, the last one so: "):
        town.play(999)
    assert sum(town.asked.values()) <= HOPELESS + 3 * AHEAD * HANDS


def test_where_nobody_is_left_it_ends() -> None:
    """
    A cluster that goes takes its cells back: they have not failed, and nobody is asked again.
    """
    town = Town(gone_at=20)

    with pytest.raises(CrewError, match="nobody is left"):
        town.play(50)
    assert town.asked[20] == 1


def test_what_goes_wrong_in_a_cell_is_a_sentence() -> None:
    """
    A bug in one cell is told, wherever it is played, and is no reason to lose the others.
    """
    assert played(Cell(Scene("nowhere", 1), (), 0), SOURCES) == Failed("KeyError: 'nowhere'")


def test_other_sources_play_nothing() -> None:
    """
    A worker that would decide otherwise says so, in place of numbers that mean something else.
    """
    result = played(Cell(DAY, (), 0), "of another day")

    assert isinstance(result, Failed)
    assert "other sources of revops" in result.why


def test_processes_play_as_we_do() -> None:
    """
    In processes of this machine, one of which is killed, cells come to the same numbers as here.
    """
    found = {}
    for cell, result in play_all(cells(4), processes(2), SOURCES):
        if not found:
            multiprocessing.active_children()[0].kill()
        assert isinstance(result, Numbers)
        found[cell] = attrs.evolve(result, cpu_s=0)

    assert found.keys() == set(cells(4))
    assert found[cells(1)[0]] == attrs.evolve(played(cells(1)[0], SOURCES), cpu_s=0)
    assert multiprocessing.active_children() == []
