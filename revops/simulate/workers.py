"""Workers: processes that play for us, and that end when we do."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@contextlib.contextmanager
def workers(jobs: int) -> Iterator[Executor]:
    """
    Lend so many processes; who leaves early, by Ctrl-C for example, leaves none of them behind.
    """
    # Spawned and not forked: whoever draws a progress bar has threads.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin)
    try:
        _start(pool, jobs)
        yield pool
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start(pool: Executor, jobs: int) -> None:
    """
    Start every process now. Ctrl-C reaches all processes of a terminal, and what it means the
    parent alone decides: the others inherit that it is blocked, and it waits for us meanwhile.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for _ in range(jobs):
            pool.submit(os.getpid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Here(Executor):
    """
    Does all work at once, in this very thread.
    """

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """
        Return what *work* comes to.
        """
        future: Future[T] = Future()
        future.set_result(work(*args, **kwargs))
        return future


@contextlib.contextmanager
def alone() -> Iterator[Executor]:
    """
    Lend no process but this one.
    """
    yield _Here()


def _begin() -> None:
    threading.Thread(target=_leave_with_the_parent, daemon=True).start()


def _leave_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
