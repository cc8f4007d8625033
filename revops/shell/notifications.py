"""Notifications: they ring, and the lists are the truth; none is needed, and none can do harm."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # The manifest has no use for either.
    from revops.shell.app import App
    from revops.shell.logs import Write

_HIGHEST: Final = 1 << 31


class Notifications:
    """
    What lightningd tells by itself, passed on to the running plugin; before that, only the latest
    block is kept.
    """

    def __init__(self, log: "Write") -> None:
        self._log = log
        self._app: App | None = None
        self._block: object = None

    def subscribe(self, subscribe: Callable[[str, Callable[..., None]], None]) -> None:
        """
        Call *subscribe* with every topic and what hears it.
        """
        for topic in _HEEDED:
            subscribe(topic, self._listener(topic))

    def serve(self, app: "App") -> None:
        """
        Pass everything on to *app* from now on.
        """
        self._app = app
        if self._block is not None:
            self._hear("block_added", self._block)

    def _listener(self, topic: str) -> Callable[..., None]:
        def listen(*_: object, **params: object) -> None:
            # Before 23.11 what is told stood beside the topic's name, not below it.
            self._hear(topic, params.get(topic, params))

        return listen

    def _hear(self, topic: str, told: Any) -> None:  # noqa: ANN401 -- whatever was sent
        if topic == "block_added":
            self._block = told
        if self._app is None:
            return
        try:
            _HEEDED[topic](self._app, told)
        except Exception as error:  # noqa: BLE001 -- pyln would log a traceback, with what was told
            self._log(f"{topic}: cannot be read: {type(error).__name__}", "debug")


def _block_added(app: "App", told: Mapping[str, Any]) -> None:
    # It was called `block` before 23.11.
    height = told.get("block", told)["height"]
    if type(height) is not int or height not in range(_HIGHEST):
        raise ValueError
    app.cycle.observer.blockheight = height
    app.worker.tell_stalls()
    app.worker.begin()
    app.worker.ring()


def _forward_event(app: "App", told: Mapping[str, Any]) -> None:
    app.cycle.observer.forwards.event(told)


def _channel_opened(app: "App", told: Mapping[str, Any]) -> None:
    del told
    app.worker.hurry("fees")


def _channel_state_changed(app: "App", told: Mapping[str, Any]) -> None:
    # A new channel has no old state.
    if "CHANNELD_NORMAL" in (told.get("old_state"), told["new_state"]):
        app.worker.hurry("fees")


def _connect(app: "App", told: Mapping[str, Any]) -> None:
    app.cycle.observer.uptime.heard(told["id"], app.clock.now(), connected=True)


def _disconnect(app: "App", told: Mapping[str, Any]) -> None:
    app.cycle.observer.uptime.heard(told["id"], app.clock.now(), connected=False)


_HEEDED: Final[dict[str, Callable[["App", Any], None]]] = {
    "block_added": _block_added,
    "forward_event": _forward_event,
    "channel_opened": _channel_opened,
    "channel_state_changed": _channel_state_changed,
    "connect": _connect,
    "disconnect": _disconnect,
}
