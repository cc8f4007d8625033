"""lightningd's RPC socket, with a fake node behind it."""

import contextlib
import json
import socket
import threading
from pathlib import Path
from typing import Any

from fakes import FakeNode, HangUpError, RpcRefusalError


class RpcSocket:
    """
    Serves *node* at *path* until it is closed, a thread for each connection.
    """

    def __init__(self, path: Path, node: FakeNode) -> None:
        self._node = node
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """
        Serve no more.
        """
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # Whoever asked may be gone, and whoever was to answer may hang up.
        with connection, contextlib.suppress(OSError, HangUpError):
            text = ""
            while chunk := connection.recv(65536):
                text += chunk.decode()
                try:
                    request, end = json.JSONDecoder().raw_decode(text)
                except ValueError:
                    continue
                text = text[end:].lstrip()
                self._answer(connection, request)

    def _answer(self, connection: socket.socket, request: dict[str, Any]) -> None:
        connection.sendall(json.dumps(self._reply(request)).encode() + b"\n\n")

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        envelope = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            return envelope | {"result": self._node.answer(request["method"], request["params"])}
        except RpcRefusalError as refusal:
            return envelope | {"error": {"code": refusal.code, "message": refusal.message}}
