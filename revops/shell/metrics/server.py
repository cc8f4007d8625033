"""Server: one page over HTTP, for as long as somebody wants it served."""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Final
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PATH: Final = "/metrics"
_IPV4: Final = 4
_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_PATIENCE_S: Final = 5
"""How long somebody who connects may say nothing, or not listen."""
_POLL_S: Final = 0.1


class Server:
    """
    Serves what *page* returns, each request on a thread of its own.

    Raises:
        ValueError: *bind* is no IP address.
        OSError: Nobody can listen there.
    """

    def __init__(
        self, bind: str, port: int, page: Callable[[], bytes], failed: Callable[[], None]
    ) -> None:
        address = ipaddress.ip_address(bind)
        self._server = _Listener(address, port, page, failed)
        self.is_private = address.is_loopback
        self.url = f"http://{bind if address.version == _IPV4 else f'[{bind}]'}:{port}{PATH}"
        # What hangs in a request must not keep the process.
        serve = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name="revops-metrics", daemon=True
        )
        serve.start()

    def close(self) -> None:
        """
        Listen no more.
        """
        self._server.shutdown()
        self._server.server_close()


class _Listener(ThreadingTCPServer):
    """
    Unlike `http.server.HTTPServer` it asks no name server who it is.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, address: Address, port: int, page: Callable[[], bytes], failed: Callable[[], None]
    ) -> None:
        self.address_family = socket.AF_INET if address.version == _IPV4 else socket.AF_INET6
        self.is_private = address.is_loopback
        self.page = page
        self._failed = failed
        super().__init__((str(address), port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """
        Say so in the log, where Python's would write to the standard error.
        """
        del request, client_address
        self._failed()


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE_S
    server_version = "revops"
    sys_version = ""
    server: _Listener

    def handle(self) -> None:
        # Who hangs up has heard enough.
        with contextlib.suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        if self.server.is_private and not _is_local(self.headers.get("Host", "")):
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", b"ask for localhost\n")
        elif self.path.partition("?")[0] == PATH:
            self._answer(HTTPStatus.OK, _TYPE, self.server.page())
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", f"see {PATH}\n".encode())

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 -- as the base has it
        """
        Keep requests out of the log: they come every few seconds.
        """


def _is_local(host: str) -> bool:
    """
    Say whether *host* is an address or localhost: any other name may be a web page's, which had
    it lead here so that a browser reads the answer to it.
    """
    try:
        name = urlsplit(f"//{host}").hostname or "localhost"
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False
