"""Terminal: every command shows pages, progress and what is wrong in the same way."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Final

import typer
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from revops.adapters.errors import WireError
from revops.adapters.strangers import plain
from revops.core.option import ConfigError

# Wide enough for a sentence beside the numbers; a terminal says its own width.
PIPE_WIDTH: Final = 120


def show(*parts: RenderableType) -> None:
    """
    Print *parts* on stdout, without colour where that is no terminal.
    """
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part)


def complain(problems: Iterable[str], prefix: str = "") -> None:
    """
    Print *problems* on stderr, a line each.
    """
    for problem in problems:
        typer.echo(prefix + plain(problem), err=True)


@contextlib.contextmanager
def bad_input_told() -> Iterator[None]:
    """
    End with exit code 2 and sentences about what was given, if it cannot be.
    """
    try:
        yield
    except (ConfigError, WireError) as error:
        complain(error.problems)
        raise typer.Exit(2) from error
    except OSError as error:
        complain((f"{error.filename}: {error.strerror}",))
        raise typer.Exit(2) from error


def progress() -> Progress:
    """
    Return a bar on stderr, which is seen on a terminal only.
    """
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
