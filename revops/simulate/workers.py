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
        yield pool
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


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
    # Ctrl-C reaches every process of a terminal; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_the_parent, daemon=True).start()


def _leave_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
