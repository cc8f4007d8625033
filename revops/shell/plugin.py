"""The plugin as pyln makes it, made sturdy: no message ends it, none draws a traceback."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from pyln.client import Plugin
from pyln.client.plugin import Method, Request

INVALID_PARAMS: Final = -32602
_DEEPEST: Final = 64
"""Lists within lists that are read; Python gives up at a thousand, in whatever reads them."""
_UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
_TOKEN: Final = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[\[\]{}]')


class OwnMethod(Method):  # type: ignore[misc]  # pyln ships no types
    """
    A method that takes the request as it is and sends its answer itself: pyln would drop the
    arguments `plugin` and `request`, and log a traceback for every wrong one.
    """

    def __init__(
        self, name: str, usage: str, description: str, func: Callable[[Request], None]
    ) -> None:
        super().__init__(name, func, description=description)
        self._usage = usage

    def get_usage(self) -> str:
        """
        Return the arguments; pyln would read them off the function.
        """
        return self._usage


class SturdyPlugin(Plugin):  # type: ignore[misc]  # see OwnMethod
    """
    What lightningd passes on is well-formed JSON, and that is all there is to say of it: numbers
    may have more digits, and lists more depth, than Python reads.
    """

    def refuse(self, request_id: str, code: int, sentence: str) -> None:
        """
        Answer a request with an error; pyln would add a traceback.
        """
        error = {"code": code, "message": sentence}
        self._write_locked({"jsonrpc": "2.0", "id": request_id, "error": error})

    def _write_locked(self, obj: object) -> None:
        # JSON can hold half a character, which UTF-8 cannot: it stays the escape that it was.
        text = json.dumps(obj, ensure_ascii=False) + "\n\n"
        with self.write_lock:
            self.stdout.buffer.write(text.encode(errors="backslashreplace"))
            self.stdout.flush()

    def _multi_dispatch(self, msgs: list[bytes]) -> bytes:
        for message in msgs[:-1]:
            if message.count(b"[") + message.count(b"{") > _DEEPEST and _depth(message) > _DEEPEST:
                self._refuse_unread(message)
                continue
            try:
                super()._multi_dispatch([message, b""])
            except _UNREADABLE:
                self._refuse_unread(message)
        return msgs[-1]

    def _dispatch_request(self, request: Request) -> None:
        method = self.methods.get(request.method)
        if isinstance(method, OwnMethod):
            method.func(request)
        else:
            super()._dispatch_request(request)

    def _refuse_unread(self, message: bytes) -> None:
        names = _texts(message)
        if "id" not in names:
            self.log("what lightningd told cannot be read", level="debug")
            return
        sentence = f"{names.get('method')}: a number is too long to be read, or a list too deep"
        self.refuse(names["id"], INVALID_PARAMS, sentence)


def sendable(text: str) -> str:
    """
    Return *text* with halves of characters spelled out, as lightningd's log needs it.
    """
    return text.encode(errors="backslashreplace").decode()


def _depth(message: bytes) -> int:
    return max(depth for depth, _, _ in _tokens(message))


def _texts(message: bytes) -> dict[str, str]:
    """
    Return the texts of the outermost object of what cannot be read as a whole.
    """
    texts, name = {}, ""
    with suppress(ValueError):
        for depth, text, colon in _tokens(message):
            if depth == 1 and colon:
                name = json.loads(text)
            elif depth == 1 and text:
                texts[name] = json.loads(text)
    return texts


def _tokens(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    depth = 0
    for token in _TOKEN.finditer(message):
        text, colon = token.groups()
        if text is None:
            depth += 1 if token[0] in b"[{" else -1
        yield depth, text or b"", colon or b""
