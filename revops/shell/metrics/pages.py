"""Pages: what the running plugin tells of itself, in the words of the table."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from revops.shell.metrics.names import Names

if TYPE_CHECKING:
    from revops.shell.app import App


@attrs.frozen(eq=False)
class Pages:
    """
    The page that the worker makes, and the one of the moment in which it is read. Both need
    prometheus-client, which is not loaded before one of them is asked for.
    """

    _app: "Callable[[], App]"
    _names: Names

    def made(self) -> bytes:
        """
        Return what the last cycles and the books say.

        Raises:
            StoreError: The books cannot be read.
        """
        from revops.shell.metrics.exposition import page_of  # noqa: PLC0415 -- see above
        from revops.shell.metrics.table import VIEWED  # noqa: PLC0415 -- see above
        from revops.shell.metrics.view import view_of  # noqa: PLC0415 -- see above

        app = self._app()
        if app.cycle.last:
            self._names.learn(c.peer_id for c in app.cycle.last.snapshot.channels)
        return page_of(VIEWED, view_of(app, self._names.of))

    def momentary(self) -> Callable[[], bytes]:
        """
        Return what tells, each time anew, what memory has of this moment: of loops, breakers,
        neighbours and the process.

        Raises:
            ImportError: prometheus-client is not there.
        """
        from revops.shell.metrics.exposition import process_and  # noqa: PLC0415 -- see above
        from revops.shell.metrics.table import LIVE  # noqa: PLC0415 -- see above

        return process_and(LIVE, self._app)
