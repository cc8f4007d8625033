"""Imported: what came from a predecessor's database, in the operator's words."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from revops.core.units import sats_down
from revops.shell.commands.command import Answer
from revops.shell.commands.config import command_for


def lines(report: Mapping[str, Any], books: Path) -> Iterator[str]:
    """
    Return all of *report*, line by line.
    """
    yield (
        f"{report['path']} is an earlier cl-revenue-ops' database: it was read and stays as it is;"
        f" the books are in {books}"
    )
    for table, count in sorted(report["taken"].items()):
        yield f"taken over from {table}: {count}"
    for table, problems in sorted(report["refused"].items()):
        for problem in problems:
            yield f"not taken over from {table}: {problem}"
        if more := report["unnamed"].get(table):
            yield f"not taken over from {table}: {more} more"
    for line in _settings(report):
        yield f"not taken over from config_overrides; type it if you want it: {line}"


def brief(report: Mapping[str, Any]) -> Answer:
    """
    Return what `revenue-status` shows of *report*.
    """
    forwards = report["forwards"]
    return {
        "path": report["path"],
        "at": report["at"],
        "taken": report["taken"],
        "refused": {
            table: len(problems) + report["unnamed"].get(table, 0)
            for table, problems in report["refused"].items()
        },
        "settings": _settings(report),
        "forwards": forwards and {**forwards, "earned_sats": sats_down(forwards["earned_msat"])},
    }


def _settings(report: Mapping[str, Any]) -> list[str]:
    return [command_for(key, value) for key, value in sorted(report["settings"].items())]
