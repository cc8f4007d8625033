"""Crews: who plays the cells, on this machine or on a cluster."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Final

import attrs

from revops.simulate.workers import workers

_PATIENCE: Final = "10s"


class CrewError(Exception):
    """
    There is nobody to play; the sentence says why.
    """


@attrs.frozen
class Crew:
    """
    Those who play.

    Attributes:
        executor: Opens what takes so many cells, or more; anew after it broke.
        hands: How many play at a time, as it is now.
    """

    executor: Callable[[int], contextlib.AbstractContextManager[Executor]]
    hands: Callable[[], int]


def processes(jobs: int) -> Crew:
    """
    Return a crew of up to *jobs* processes of this machine.
    """
    return Crew(lambda cells: workers(min(jobs, cells)), lambda: jobs)


@contextlib.contextmanager
def cluster(address: str) -> Iterator[Crew]:
    """
    Return the workers of the Dask cluster whose scheduler is at *address*.

    Raises:
        CrewError: It is not there, or cannot be asked.
    """
    try:
        from distributed import Client  # noqa: PLC0415 -- only who has a cluster has this library
    except ImportError as error:
        msg = "--dask: dask.distributed is missing: pip install 'revops[cluster]'"
        raise CrewError(msg) from error
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]  # it has no types
    except (OSError, ValueError) as error:
        msg = f"--dask {address}: {error}"
        raise CrewError(msg) from error

    @contextlib.contextmanager
    def lent(_cells: int) -> Iterator[Executor]:
        # A cell that is played again is really played again.
        executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]  # see above
        try:
            yield executor
        finally:
            # Cancels what is left and waits for nothing.
            executor.shutdown(wait=False)

    def hands() -> int:
        try:
            return sum(client.nthreads().values())  # type: ignore[no-untyped-call]  # see above
        except OSError as error:
            msg = f"--dask {address}: the cluster is gone: {error}"
            raise CrewError(msg) from error

    with client:
        yield Crew(lent, hands)
