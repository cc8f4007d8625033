"""A lightningd in a hurry: the plugin's own process, for which an hour takes seconds."""

import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from e2e.fake_lightningd import PLUGIN, FakeLightningd
from fakes import FakeNode

SPEED: Final = 200
_LAUNCHER: Final = """#!{python}
import sys
import time

sys.path.insert(0, {root!r})
from revops.shell.clock import Clock
from revops.shell.main import main
from revops.shell.worker import Loop

due_in = Loop.due_in
Clock.now = lambda clock: int({now} + (time.monotonic() - {began}) * {speed})
Clock.ticks = lambda clock: time.monotonic() * {speed}
Loop.due_in = lambda loop: due_in(loop) / {speed}
main()
"""


class HastyLightningd(FakeLightningd):
    """
    Its time, sling's and the plugin's run `SPEED` times as fast as ours; sling's stands still while
    a test wants it to.
    """

    def __init__(self, directory: Path, node: FakeNode) -> None:
        super().__init__(directory, node)
        self._began, self._now = time.monotonic(), node.now
        self._lived = 0
        self._flows = threading.Event()
        self._over = threading.Event()
        self._launcher = directory / "hasty.py"
        self._launcher.write_text(
            _LAUNCHER.format(
                python=sys.executable,
                root=str(PLUGIN.parent),
                now=self._now,
                began=self._began,
                speed=SPEED,
            )
        )
        self._launcher.chmod(0o755)
        node.sling.clock = lambda: int(self._now + self._age())
        self._pump = threading.Thread(target=self._pass_time, daemon=True)
        self._pump.start()

    def begin(self) -> None:
        """
        Start the plugin, and its work.
        """
        self.start(plugin=self._launcher)
        self.block()

    def flow(self) -> None:
        """
        Let sling's time pass from now on.
        """
        self._lived = int(self._age())
        self._flows.set()

    def freeze(self) -> None:
        """
        Let it stand still.
        """
        self._flows.clear()

    def close(self) -> None:
        """
        End what is left.
        """
        self._over.set()
        self._pump.join()
        super().close()

    def rows(self, query: str) -> list[Any]:
        """
        Return what the books say.
        """
        with closing(sqlite3.connect(self.directory / "revenue_ops.db")) as books:
            return books.execute(query).fetchall()

    def _age(self) -> float:
        return (time.monotonic() - self._began) * SPEED

    def _pass_time(self) -> None:
        while not self._over.wait(1 / SPEED):
            if self._flows.is_set():
                seconds = int(self._age()) - self._lived
                self._lived += seconds
                self.node.sling.pass_time(seconds)
