"""The RPC socket: one question, one answer, and one deadline over all of it."""

import json
import os
import socket
import time
from collections.abc import Callable
from typing import Final

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.strangers import quoted

Call = Callable[[str, dict[str, object]], object]
"""Calls a method of lightningd with named parameters and returns what it answered."""

# Before v23.11 all forwards come at once, and a busy node takes minutes to list them.
_UNPAGED: Final = 8
_LONGEST_PATH: Final = 100
_REFUSAL: Final = 1000
"""Letters of a refusal that are read; no reason takes more."""
_CHUNK: Final = 1 << 18
_END: Final = b"\n\n"


def connect(rpc_path: str, timeout_s: float = 15) -> Call:
    """
    Return the call that reaches lightningd by its socket, a connection each time: threads may
    share it. Queueing, asking and listening take *timeout_s* together.

    Raises:
        NodeRefusedError: By the call: lightningd answered with an error.
        NoAnswerError: By the call: there was no answer, or none that can be read.
    """

    def call(method: str, params: dict[str, object]) -> object:
        unpaged = method == "listforwards" and "index" not in params
        patience_s = timeout_s * (_UNPAGED if unpaged else 1)
        request: dict[str, object] = {
            "jsonrpc": "2.0",
            "id": f"revops:{method}",
            "method": method,
            "params": params,
        }
        try:
            reply = _exchange(rpc_path, request, time.monotonic() + patience_s)
        except TimeoutError:
            why = f"not within {patience_s:g} s (rpc-timeout-seconds)"
        except OSError as error:
            why = error.strerror or "it hung up"
        except (ValueError, RecursionError):
            why = "what came is no JSON"
        else:
            return _result(request, reply)
        raise NoAnswerError(_unanswered(method, why)) from None

    return call


def _exchange(path: str, request: dict[str, object], deadline: float) -> object:
    # pyln's client waits for ever in a full queue, starts to wait anew with every byte that comes,
    # and looks through all that came before each time.
    question = json.dumps(request, ensure_ascii=False).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        _reach(connection, path, deadline)
        connection.settimeout(_left(deadline))
        connection.sendall(question)
        answer, seen = bytearray(), 0
        while (end := answer.find(_END, max(0, seen - 1))) < 0:
            seen = len(answer)
            connection.settimeout(_left(deadline))
            chunk = connection.recv(_CHUNK)
            if not chunk:
                raise ConnectionError
            answer += chunk
    return json.loads(answer[:end].decode())


def _reach(connection: socket.socket, path: str, deadline: float) -> None:
    if len(os.fsencode(path)) > _LONGEST_PATH:
        # Too long for a socket's address; lightningd started us beside it.
        path = os.path.relpath(path)
    while True:
        connection.settimeout(_left(deadline))
        try:
            return connection.connect(path)
        except BlockingIOError:
            time.sleep(min(0.05, _left(deadline)))  # lightningd's queue is full


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _result(request: dict[str, object], reply: object) -> object:
    method = str(request["method"])
    if not isinstance(reply, dict) or reply.get("id") != request["id"]:
        raise NoAnswerError(_unanswered(method, "what came is not the answer to this"))
    if "error" in reply:
        raise _refusal(method, reply["error"])
    if "result" not in reply:
        raise NoAnswerError(_unanswered(method, "what came has no result"))
    return reply["result"]


def _refusal(method: str, error: object) -> NodeRefusedError | NoAnswerError:
    if isinstance(error, dict):
        code, message = error.get("code"), error.get("message")
        if type(message) is str:
            # It may repeat what was asked, or quote what a plugin of the operator's said.
            return NodeRefusedError(
                method, code if type(code) is int else None, quoted(message, _REFUSAL)
            )
    return NoAnswerError(_unanswered(method, "what came is an error without a message"))


def _unanswered(method: str, why: str) -> str:
    return f"{method}: no answer from lightningd: {why}"
