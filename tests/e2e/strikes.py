"""An office that may be struck dead at any call and at any write, and seen at every write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
from e2e.office import Office
from fakes import FakeNode, HangUpError, RpcRefusalError

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.shell.main import build


class StruckError(BaseException):
    """
    The end of the process: whatever would have come after does not happen.
    """


@attrs.define
class Fuse:
    """
    What strikes.

    Attributes:
        point: Where, such as "before sling-once" or "after treasury_end.settle"; anywhere for
            `None`.
        left: How often that is passed before.
    """

    point: str | None
    left: int

    def burn(self, point: str) -> None:
        """
        Strike at *point*, if it is the time.
        """
        if self.point in (None, point):
            self.left -= 1
            if self.left < 0:
                raise StruckError(point)


class StruckOffice(Office):
    """
    It asks its node without a socket between, so that a call may be the last thing that happens.

    Attributes:
        fuse: What strikes next; `None` while nothing does.
        asked: Called before every call that reaches the node.
        written: Called with the name of everything that was written, once that is on the disk.
    """

    def __init__(self, directory: Path, node: FakeNode, **options: str) -> None:
        self.fuse: Fuse | None = None
        self.written: Callable[[str], None] = lambda _work: None
        self.asked: Callable[[str, Any], None] = lambda _method, _params: None
        super().__init__(directory, node, **options)

    def _open(self) -> None:
        def write(line: str, level: str) -> None:
            self.logs.append((level, line))

        self.app = build(self._ask, self.directory, self.settings, self.clock, write)
        store = self.app.store
        for book in (store, store.costs, store.treasury):
            book._write = self._watched(book._write)

    def _pass(self, point: str) -> None:
        if self.fuse:
            self.fuse.burn(point)

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._pass(f"before {method}")
        self.asked(method, params)
        try:
            reply = self.node.answer(method, params)
        except RpcRefusalError as refusal:
            raise NodeRefusedError(method, refusal.code, refusal.message) from None
        except HangUpError:
            msg = f"{method}: no answer"
            raise NoAnswerError(msg) from None
        self._pass(f"after {method}")
        return reply

    def _watched(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def written(work: Callable[..., Any], *args: Any, **named: Any) -> Any:
            name = f"{work.__module__.rpartition('.')[2]}.{work.__name__}"
            self._pass(f"before {name}")
            done = write(work, *args, **named)
            self.written(name)
            self._pass(f"after {name}")
            return done

        return written

    def pass_by(self, seconds: int) -> None:
        """
        Let time go by, for sling and what it has under way as well.
        """
        for second in range(seconds):
            if self.node.sling.at_rest:
                self.clock.pass_by(seconds - second)
                self.node.sling.now += seconds - second
                return
            super().pass_by(1)
