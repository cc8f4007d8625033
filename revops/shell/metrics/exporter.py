"""Exporter: serves metrics while the option says so; what it serves, the worker made before."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs

from revops.core.config import Config
from revops.core.units import MINUTE

if TYPE_CHECKING:
    from revops.shell.metrics.server import Server

INTERVAL_S: Final = MINUTE
"""How old what is served may be, and how long it takes until a changed option is seen."""


class Made(Protocol):
    """
    What makes the pages: `revops.shell.metrics.pages.Pages`.
    """

    def made(self) -> bytes:
        """
        Return the page that the worker makes.
        """

    def momentary(self) -> Callable[[], bytes]:
        """
        Return what makes the page of the moment in which it is read.
        """


@attrs.define
class Exporter:
    """
    A scrape reads a page that is finished, and adds what memory has of this moment: it asks
    neither lightningd nor the books, and waits for no one.

    Attributes:
        trouble: Why nothing is served though prometheus is set; empty when it is.
    """

    _config: Callable[[], Config]
    _pages: Made
    _log: Any
    trouble: str = attrs.field(default="", init=False)
    _page: bytes = attrs.field(default=b"", init=False)
    _server: "Server | None" = attrs.field(default=None, init=False)
    _place: tuple[str, int] | None = attrs.field(default=None, init=False)

    @property
    def url(self) -> str | None:
        """
        Return where metrics are served; `None` when they are not.
        """
        server = self._server
        return server.url if server else None

    @property
    def warning(self) -> str | None:
        """
        Return who else can read them by the operator's choice; `None` for nobody.
        """
        server = self._server
        if server is None or server.is_private:
            return None
        return f"whoever reaches {server.url} can read the metrics (prometheus-bind)"

    def follow(self) -> None:
        """
        Serve where the options say, or no more.
        """
        place = _place(self._config())
        if self._server and place == self._place:
            return
        if self._server:
            self._server.close()
        self._server, self._place, self._page = None, place, b""
        self._say(self._open(*place) if place else "")

    def renew(self) -> None:
        """
        Make the page anew, if anybody may want it.

        Raises:
            StoreError: The books cannot be read; what was there stays.
        """
        self.follow()
        if self._server:
            self._page = self._pages.made()

    def _open(self, bind: str, port: int) -> str:
        """
        Begin to serve; return why that cannot be, or nothing.
        """
        try:
            from revops.shell.metrics.server import Server  # noqa: PLC0415 -- only if it is on

            now = self._pages.momentary()
            self._server = Server(bind, port, lambda: self._page + now(), self._failed)
        except ImportError:
            return "prometheus-client is not installed: pip install prometheus-client"
        except ValueError:
            return f"prometheus-bind: {bind} is no IP address"
        except OSError as error:
            why = error.strerror or str(error)
            return f"{bind}:{port}: {why} (prometheus-bind, prometheus-port)"
        self._log.info(f"metrics are served at {self._server.url}")
        if self.warning:
            self._log.warning(self.warning)
        return ""

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            self._log.warning(f"metrics are not served: {trouble}")
        self.trouble = trouble

    def _failed(self) -> None:
        self._log.error("metrics: a scrape failed", exc_info=True)


def _place(config: Config) -> tuple[str, int] | None:
    return (config.prometheus_bind, config.prometheus_port) if config.prometheus else None
