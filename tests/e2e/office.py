"""The plugin's pieces, put together as `main.build` does, under a clock that a test moves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from e2e.rpc_socket import RpcSocket
from fakes import FakeClock, FakeNode

from revops.adapters.rpc import connect
from revops.core.plan import Decision
from revops.core.reasons import Code
from revops.shell.commands import COMMANDS
from revops.shell.commands.command import Params
from revops.shell.main import build
from revops.shell.options import Settings


class Office:
    """
    Attributes:
        logs: What was logged, as (level, line).
    """

    def __init__(self, directory: Path, node: FakeNode, **options: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.node = node
        self.clock = FakeClock(node.now)
        node.sling.clock = self.clock.now
        self.settings = Settings()
        self.settings.start({name.replace("_", "-"): text for name, text in options.items()})
        self.logs: list[tuple[str, str]] = []
        self._rpc = directory / "lightning-rpc"
        self._socket = self._listen()
        self._open()

    def _listen(self) -> RpcSocket:
        return RpcSocket(self._rpc, self.node)

    def _open(self) -> None:
        def write(line: str, level: str) -> None:
            self.logs.append((level, line))

        call = connect(str(self._rpc), 1)
        self.app = build(call, self.directory, self.settings, self.clock, write)

    def close(self) -> None:
        """
        Close the books and the socket.
        """
        self.app.store.close()
        self._socket.close()

    def restart(self) -> None:
        """
        Put the pieces together anew, with nothing left but the books.
        """
        self.app.store.close()
        self._open()

    def configure(self, **options: str) -> None:
        """
        Change options.
        """
        for name, text in options.items():
            self.settings.change({name: text}, "setconfig", self.clock.now())

    def cycle(self, after_s: int = 0) -> None:
        """
        Let time go by and run a cycle as the worker does.
        """
        self.clock.pass_by(after_s)
        self.app.worker.run_once("fees")

    def run_minutely(self) -> None:
        """
        Run what the worker runs every minute.
        """
        for name in ("metrics", "hive"):
            self.app.worker.run_once(name)

    def keep_books(self, after_s: int = 0) -> None:
        """
        Let time go by and bring the books up to date as the worker does.
        """
        self.clock.pass_by(after_s)
        self.app.worker.run_once("books")

    def pass_by(self, seconds: int) -> None:
        """
        Let time go by, for sling and what it has under way as well.
        """
        for _ in range(seconds):
            self.clock.pass_by(1)
            self.node.sling.pass_time(1)

    def move(self, after_s: int = 0) -> None:
        """
        Let time go by and run a money cycle as the worker does.
        """
        self.pass_by(after_s)
        self.app.worker.run_once("rebalance")

    def tend(self, after_s: int = 0) -> None:
        """
        Let time go by and look after the rebalances that are open as the worker does.
        """
        self.pass_by(after_s)
        self.app.worker.run_once("jobs")

    def live(self, seconds: int, each: Callable[[], None] = lambda: None) -> None:
        """
        Let time go by with the worker at work, and look at *each* minute of it.
        """
        for _ in range(seconds // 60):
            self.pass_by(60)
            for loop in self.app.worker._loops.values():
                if loop.due_in() <= 0:
                    loop.run()
            each()

    def call(self, name: str, /, *positional: Any, **named: Any) -> Any:
        """
        Call a command.
        """
        command = next(command for command in COMMANDS if command.name == name)
        return command.answer(self.app, Params(positional=positional, named=named))

    def decision(self, scid: str) -> Decision:
        """
        Return what the last cycle decided about a channel.
        """
        return next(d for d in self.app.cycle.last.plan.decisions if d.scid == scid)

    def codes(self, scid: str) -> set[Code]:
        """
        Return the reasons that the last cycle gave for it.
        """
        return {reason.code for reason in self.decision(scid).trail}
