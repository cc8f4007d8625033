"""What may become of a call: one fault each, done to lightningd's socket byte by byte."""

import json
import socket
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any, Final

import attrs
from e2e.rpc_socket import RpcSocket
from fakes import HangUpError

_END: Final = b"\n\n"
_PADDING: Final = 4_000_000


@attrs.define
class Strike:
    """
    What is done to calls of one method.

    Attributes:
        over: Set when no more are struck.
        asked: How many were made.
        right: How many had the answer that they should have had.
    """

    method: str
    fault: "Fault"
    over: Event = attrs.field(factory=Event)
    asked: int = 0
    right: int = 0

    @property
    def wrong(self) -> bool:
        """
        Say whether any had no answer, or another than it should have had.
        """
        return self.right < self.asked


@attrs.frozen
class Struck:
    """
    A call that is struck.

    Attributes:
        request: What was asked.
        reply: Has the node do what it is asked, and returns its whole answer.
        send: Sends bytes to whoever asked.
    """

    strike: Strike
    request: dict[str, Any]
    reply: Callable[[], dict[str, Any]]
    send: Callable[[bytes], None]

    def answer(self, change: Callable[[Any], Any], before: bytes = b"") -> None:
        """
        Answer with what *change* makes of the result, after the bytes *before* it.
        """
        reply = self.reply()
        if "result" in reply:
            right, reply["result"] = reply["result"], change(reply["result"])
            self.strike.right += reply["result"] == right
        self.send(before + _written(reply))


Fault = Callable[[Struck], None]


class FaultySocket(RpcSocket):
    """
    lightningd's socket, of which one method may be struck.

    Attributes:
        strike: What is done to whom; `None` while all is well.
    """

    strike: Strike | None = None

    def _answer(self, connection: socket.socket, request: dict[str, Any]) -> None:
        strike = self.strike
        if strike is None or request["method"] != strike.method:
            super()._answer(connection, request)
            return
        strike.fault(Struck(strike, request, lambda: self._reply(request), connection.sendall))


def _written(reply: Any) -> bytes:
    return json.dumps(reply).encode() + _END


# Answers that are none -----------------------------------------------------------------------


def _hangs(struck: Struck) -> None:
    struck.strike.over.wait()
    raise HangUpError


def _hangs_after(struck: Struck) -> None:
    struck.reply()
    _hangs(struck)


def _closes(_struck: Struck) -> None:
    raise HangUpError


def _drips(struck: Struck) -> None:
    for letter in _written(struck.reply()):
        if struck.strike.over.wait(0.03):
            break
        struck.send(bytes([letter]))
    raise HangUpError


def _garbage(struck: Struck) -> None:
    struck.send(b"\xff\x00\x1b[2J{]}" + _END)


def _breaks_off(struck: Struck) -> None:
    text = _written(struck.reply())
    struck.send(text[: len(text) // 2])
    raise HangUpError


def _is_cut(struck: Struck) -> None:
    text = _written(struck.reply())
    struck.send(text[: len(text) // 2] + _END)


def _is_deep(struck: Struck) -> None:
    struck.send(b"[" * 100_000 + b"]" * 100_000 + _END)


def _is_anothers(struck: Struck) -> None:
    struck.send(_written({**struck.reply(), "id": "somebody:else"}))


# Answers that say no -------------------------------------------------------------------------


def _refuses(struck: Struck) -> None:
    error = {"code": -1, "message": "database error\x1b[31m\nnot now"}
    struck.send(_written({"jsonrpc": "2.0", "id": struck.request["id"], "error": error}))


def _refuses_oddly(struck: Struck) -> None:
    struck.send(_written({"jsonrpc": "2.0", "id": struck.request["id"], "error": [None]}))


# Answers that make no sense ------------------------------------------------------------------


def _each(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """
    Return what changes every value below an object, whatever it is in.
    """

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: changed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [changed(inner) for inner in value]
        return change(value)

    return changed


def _other_type(value: Any) -> Any:
    return str(value) if isinstance(value, (bool, int, float)) else [value]


def _absurd(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 10**30
    return f"{value}\ud800\x00" if isinstance(value, str) else value


def _rows_are(odd: Any) -> Callable[[Any], Any]:
    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: [odd] if isinstance(v, list) else v for key, v in value.items()}
        return [odd] if isinstance(value, list) else odd

    return changed


def _answers(change: Callable[[Any], Any]) -> Fault:
    return lambda struck: struck.answer(change)


def _late(struck: Struck) -> None:
    struck.strike.over.wait(0.02)
    struck.answer(_as_it_is)


def _huge(struck: Struck) -> None:
    struck.answer(_as_it_is, before=b" " * _PADDING)


def _as_it_is(value: Any) -> Any:
    return value


SILENCES: Final[Mapping[str, Fault]] = {
    "hangs": _hangs,
    "hangs after it was done": _hangs_after,
    "closes the connection": _closes,
    "drips": _drips,
    "garbage": _garbage,
    "breaks off": _breaks_off,
    "is cut": _is_cut,
    "is too deep": _is_deep,
    "answers another": _is_anothers,
    "refuses": _refuses,
    "refuses without words": _refuses_oddly,
}
"""After each of these there is no answer, or none that can be read."""

ANSWERS: Final[Mapping[str, Fault]] = {
    "null": _answers(lambda _: None),
    "an empty object": _answers(lambda _: {}),
    "a list of null": _answers(_rows_are(None)),
    "nulls": _answers(_each(lambda _: None)),
    "other types": _answers(_each(_other_type)),
    "absurd values": _answers(_each(_absurd)),
}
"""These can be read and make no sense."""

BURDENS: Final[Mapping[str, Fault]] = {"comes late": _late, "is huge": _huge}
"""These are as they should be, and a burden."""

FAULTS: Final[Mapping[str, Fault]] = {**SILENCES, **ANSWERS, **BURDENS}

ENDLESS: Final = frozenset((_hangs, _hangs_after, _drips))
"""Those for which the time-out is waited for."""
