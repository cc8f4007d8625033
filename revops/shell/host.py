"""The host: what lightningd sees of us. It answers at once and leaves the work to the worker."""

import contextlib
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyln.client.plugin import Request

from revops.adapters.errors import StoreError
from revops.adapters.strangers import scrubbed
from revops.core.option import ConfigError
from revops.core.precedence import Setting
from revops.shell.clock import Clock
from revops.shell.commands import COMMANDS
from revops.shell.commands.command import (
    Answer,
    Command,
    CommandError,
    NotDoneError,
    Params,
    brief,
)
from revops.shell.notifications import Notifications
from revops.shell.options import PREFIX, Settings, declarations
from revops.shell.plugin import INVALID_PARAMS, OwnMethod, SturdyPlugin, sendable

if TYPE_CHECKING:
    from revops.shell.app import App

_FAILED: Final = -1
_STARTING: Final = "it is starting, ask again in a second"
_START_PATIENCE: Final = 1.5
"""Seconds that a command waits for a start under way."""
_STOP_PATIENCE: Final = 1.0
"""Seconds for the step under way at the end: lightningd expects us gone two after `shutdown`."""

Start = Callable[[Path, Settings, Clock, Callable[[str, str], None]], "App"]
Saved = Callable[[Path, object], tuple[Setting, ...]]


class _NotRunningError(Exception):
    """
    There is nobody to answer; the sentence says why.
    """


class Host:
    """
    The plugin as lightningd knows it: options, commands, notifications, start and end.
    """

    def __init__(self, start: Start, saved: Saved) -> None:
        self._start = start
        self._saved = saved
        self._settings = Settings()
        self._rpc: Path | None = None
        self._thread: threading.Thread | None = None
        self._opened = threading.Event()
        self._app: App | None = None
        self._why_not = _STARTING
        self._errands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._plugin = SturdyPlugin(dynamic=True)
        for declaration in declarations():
            self._plugin.add_option(**declaration)
        for command in COMMANDS:
            self._offer(command)
        self._plugin.methods["setconfig"] = OwnMethod("setconfig", "", "", self._set_config)
        self._plugin.init()(self._init)
        self._notifications = Notifications(self._log)
        self._notifications.subscribe(self._plugin.add_subscription)
        self._plugin.add_subscription("shutdown", self._shutdown)

    def serve(self) -> None:
        """
        Serve until `shutdown`, or until lightningd is gone.
        """
        threading.Thread(target=self._run_errands, name="revops-errands", daemon=True).start()
        try:
            self._plugin.run()
        finally:
            self._stop()

    def _log(self, line: str, level: str) -> None:
        # When lightningd is gone there is nobody to tell, and the end is near.
        with contextlib.suppress(OSError):
            self._plugin.log(sendable(line), level=level)

    # Start and end -------------------------------------------------------------------------

    def _init(
        self, options: dict[str, Any], configuration: dict[str, Any], **_: object
    ) -> dict[str, str] | None:
        self._rpc = Path(configuration["lightning-dir"], configuration["rpc-file"])
        saved = self._saved(self._rpc.parent, options.get(f"{PREFIX}db-path"))
        for line in self._settings.start(options, saved):
            self._log(line, "info")
        if problems := self._settings.problems():
            self._refuse_start("; ".join(problems))
            # lightningd has been seen to die of the next setconfig once a plugin is gone whose
            # options stand in its config file: when it starts with those, we stay and do nothing.
            return None if configuration["startup"] else {"disable": self._why_not}
        self._begin()
        return None

    def _begin(self) -> None:
        self._why_not = _STARTING
        self._opened.clear()
        self._thread = threading.Thread(target=self._work, name="revops-worker", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        assert self._rpc is not None  # noqa: S101 -- init has set it
        try:
            app = self._start(self._rpc, self._settings, Clock(), self._log)
        except StoreError as error:
            self._refuse_start(str(error))
            return
        except Exception as error:  # noqa: BLE001 -- the thread's last word
            self._log(scrubbed(traceback.format_exc()), "broken")
            self._refuse_start(f"{type(error).__name__}: {error}")
            return
        self._app = app
        self._opened.set()
        self._notifications.serve(app)
        app.worker.run()

    def _give_back(self, app: "App") -> None:
        # lightningd may be gone by now, and the books full; what is ours is known next time.
        try:
            app.keeper.release()
        except StoreError as error:
            self._log(f"CLBOSS was not told that revops stops: {error}", "warn")

    def _refuse_start(self, why: str) -> None:
        self._why_not = why
        self._log(f"revops does not run: {why}", "broken")
        self._opened.set()

    def _shutdown(self, **_: object) -> None:
        sys.exit(0)

    def _stop(self) -> None:
        app, thread = self._app, self._thread
        if app is None or thread is None:
            return

        def part() -> None:
            self._give_back(app)
            thread.join()
            app.store.close()

        app.worker.stop()
        # What hangs in a call is cut off by the end of the process, which the books survive.
        parting = threading.Thread(target=part, name="revops-parting", daemon=True)
        parting.start()
        parting.join(_STOP_PATIENCE)

    # What lightningd asks ------------------------------------------------------------------

    def _offer(self, command: Command) -> None:
        def handler(request: Request) -> None:
            def answer() -> None:
                self._answer(
                    request, lambda: command.answer(self._running(), Params.of(request.params))
                )

            if command.slow:
                self._errands.put(answer)
            else:
                answer()

        self._plugin.methods[command.name] = OwnMethod(
            command.name, command.usage, command.help, handler
        )

    def _run_errands(self) -> None:
        while True:
            self._errands.get()()

    def _set_config(self, request: Request) -> None:
        wish = request.params
        self._answer(request, lambda: self._change(wish["config"], wish.get("val")))

    def _change(self, name: str, value: object) -> Answer:
        self._settings.change({name: value}, "setconfig", Clock().now())
        if problems := self._settings.problems():
            self._why_not = "; ".join(problems)
        elif self._thread is None and self._rpc is not None:
            self._begin()  # What kept us from starting is mended.
        elif self._app is not None:
            self._app.worker.ring()
        return {}

    def _running(self) -> "App":
        self._opened.wait(_START_PATIENCE)
        if self._app is None:
            raise _NotRunningError(self._why_not)
        return self._app

    def _answer(self, request: Request, ask: Callable[[], Answer]) -> None:
        code = _FAILED
        try:
            request.set_result(ask())
        except (CommandError, ConfigError) as error:
            sentence, code = str(error), INVALID_PARAMS
        except _NotRunningError as error:
            sentence = f"revops does not run: {error}"
        except (StoreError, NotDoneError) as error:
            sentence = str(error)
        except Exception as error:  # noqa: BLE001 -- lightningd is to get an answer, whatever it was
            sentence = scrubbed(f"{type(error).__name__}: {error}")
            self._log(scrubbed(traceback.format_exc()), "broken")
        else:
            return
        self._plugin.refuse(request.id, code, brief(f"{request.method}: {sentence}"))
