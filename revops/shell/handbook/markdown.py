"""Markdown: what every reference page is put together from."""

from collections.abc import Iterable
from typing import Final

MADE: Final = "Made by `make docs` from what the code declares. Do not edit it by hand."


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """
    Return the lines of a table.
    """
    return [_row(head), _row("---" for _ in head), *map(_row, rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def text(lines: Iterable[str]) -> str:
    """
    Return the page that has *lines*.
    """
    return "\n".join(lines) + "\n"
