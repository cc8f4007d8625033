"""A socket that answers as lightningd's does, or fails as it may."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Answer = Callable[[dict[str, Any]], bytes]
"""From a request to the bytes that come back, after which the connection is closed."""
DRIP_S = 0.02


def result(value: object) -> Answer:
    """
    Answer with *value*.
    """
    return lambda request: _framed({"jsonrpc": "2.0", "id": request["id"], "result": value})


def error(value: object) -> Answer:
    """
    Answer with the error *value*.
    """
    return lambda request: _framed({"jsonrpc": "2.0", "id": request["id"], "error": value})


def raw(answer: bytes) -> Answer:
    """
    Answer with *answer*, whatever was asked.
    """
    return lambda _request: answer


def _framed(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n\n"


@contextlib.contextmanager
def queueing(path: Path, *, until_s: float) -> Iterator[None]:
    """
    Listen at *path* with a full queue, as a lightningd does that is busy, and answer `{}` to
    whoever still waits when *until_s* seconds have passed.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.bind(str(path))
        listener.listen(0)
        ahead = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        ahead.connect(str(path))

        def serve() -> None:
            listener.accept()[0].close()
            with listener.accept()[0] as connection:
                connection.sendall(result({})(json.loads(connection.recv(65536))))

        timer = threading.Timer(until_s, serve)
        timer.daemon = True
        timer.start()
        yield
        timer.cancel()


@contextlib.contextmanager
def serving(
    path: Path, answer: Answer | None, *, chunk: int | None = None
) -> Iterator[list[dict[str, Any]]]:
    """
    Serve one connection after the other at *path*; without an *answer*, leave the caller waiting,
    and with a *chunk* let so many bytes of it drip out at a time.

    Yields the requests as they come.
    """
    requests: list[dict[str, Any]] = []
    done = threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            while not done.is_set():
                with contextlib.suppress(OSError), listener.accept()[0] as connection:
                    requests.append(json.loads(connection.recv(65536)))
                    if answer is None:
                        done.wait(timeout=5)
                        continue
                    text = answer(requests[-1])
                    step = chunk or len(text) or 1
                    for start in range(0, len(text), step):
                        connection.sendall(text[start : start + step])
                        time.sleep(DRIP_S if chunk else 0)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield requests
        done.set()
        # Wakes accept(); closing alone would not.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)
