"""Logs: structlog into lightningd's own log, with every level kept."""

from collections.abc import Callable, MutableMapping
from typing import Any, Final

import attrs
import structlog

from revops.adapters.strangers import scrubbed

Write = Callable[[str, str], None]
"""Writes one line at one of lightningd's levels: debug, info, unusual or broken."""


@attrs.frozen
class _Lines:
    """
    What structlog hands finished lines to, by the name of its own level.
    """

    write: Write

    def debug(self, line: str) -> None:
        """
        Pass *line* on.
        """
        self.write(line, "debug")

    def info(self, line: str) -> None:
        """
        Pass *line* on.
        """
        self.write(line, "info")

    def warning(self, line: str) -> None:
        """
        Pass *line* on as lightningd's `unusual`; pyln's own handler makes it `info`.
        """
        self.write(line, "unusual")

    def error(self, line: str) -> None:
        """
        Pass *line* on as lightningd's `broken`.
        """
        self.write(line, "broken")


_FACTS: Final = structlog.processors.LogfmtRenderer()


def _rendered(logger: object, level: str, event: MutableMapping[str, Any]) -> str:
    """
    Return the sentence, then its facts as logfmt, then a traceback if there is one.
    """
    sentence = event.pop("event")
    traceback = event.pop("exception", None)
    line = f"{sentence} {_FACTS(logger, level, event)}".rstrip()
    # An error may quote what it stumbled over.
    return f"{line}\n{scrubbed(traceback)}" if traceback else line


def logger(write: Write) -> Any:  # noqa: ANN401 -- structlog's loggers have no better type
    """
    Return a structlog logger whose lines go to *write*.
    """
    return structlog.wrap_logger(
        _Lines(write),
        processors=[structlog.processors.format_exc_info, _rendered],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
