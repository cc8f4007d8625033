"""A socket that answers as lightningd's does, or fails as it may."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Answer = Callable[[dict[str, Any]], bytes]
"""From a request to the bytes that come back, after which the connection is closed."""


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
def serving(path: Path, answer: Answer | None) -> Iterator[list[dict[str, Any]]]:
    """
    Serve one connection after the other at *path*; without an *answer*, leave the caller waiting.

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
                    else:
                        connection.sendall(answer(requests[-1]))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield requests
        done.set()
        # Wakes accept(); closing alone would not.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)
