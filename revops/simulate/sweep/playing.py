"""Playing: cells are handed out, a few ahead, and come back in any order."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from typing import Final

from revops.simulate.sweep.cells import Cell, Failed, Numbers, played
from revops.simulate.sweep.crews import Crew, CrewError

AHEAD: Final = 2
"""How many cells are handed out for each that is played at a time."""
HOPELESS: Final = 10
"""How many cells may fail before anyone succeeds, beside those of a first crash."""

Result = tuple[Cell, Numbers | Failed]


def play_all(cells: Iterable[Cell], crew: Crew, sources: str) -> Generator[Result, None, None]:
    """
    Return what *cells* come to, as they end. One that fails is played once more, alone: a process
    that dies takes its neighbours' cells along, and those are not to blame.

    Raises:
        CrewError: Nothing comes to anything, or nobody is left who could play.
    """
    waiting = deque(cells)
    again: list[Cell] = []
    succeeded = False
    while waiting:
        with crew.executor(len(waiting)) as executor:
            for cell, result in _round(waiting, crew, executor, sources):
                if isinstance(result, Numbers):
                    succeeded = True
                    yield cell, result
                    continue
                again.append(cell)
                if not succeeded and len(again) > HOPELESS + AHEAD * crew.hands():
                    msg = (
                        f"all of the first {len(again)} cells failed, the last one so: {result.why}"
                    )
                    raise CrewError(msg)
    for cell in again:
        with crew.executor(1) as executor:
            yield from _round(deque([cell]), crew, executor, sources)


def _round(waiting: deque[Cell], crew: Crew, executor: Executor, sources: str) -> Iterator[Result]:
    """
    Return what becomes of *waiting* cells until none is left or *executor* breaks.
    """
    flying: dict[Future[Numbers | Failed], Cell] = {}
    broken = False
    while flying or (waiting and not broken):
        # What waits for the first worker is handed out too.
        room = AHEAD * max(crew.hands(), 1) - len(flying)
        while waiting and not broken and room > 0:
            try:
                flying[executor.submit(played, waiting[0], sources)] = waiting[0]
            except BrokenExecutor:
                broken = True
            else:
                waiting.popleft()
                room -= 1
        for future in wait(flying, return_when=FIRST_COMPLETED).done:
            yield flying.pop(future), _result(future)


def _result(future: Future[Numbers | Failed]) -> Numbers | Failed:
    try:
        return future.result()
    except CancelledError as error:
        msg = "nobody is left who could play"
        raise CrewError(msg) from error
    except Exception as error:  # noqa: BLE001 -- whatever befell a worker befell this cell alone
        return Failed(f"{type(error).__name__}: {error}")
