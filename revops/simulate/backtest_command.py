"""`simulate backtest`: a node's own forwards, played again under another config."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from revops.adapters.errors import StoreError, WireError
from revops.core.config import Config, configured
from revops.core.units import Instant
from revops.simulate import settings
from revops.simulate.backtest.backtest import (
    AGAINST,
    AS_IT_WAS,
    AS_SET,
    Backtest,
    Sides,
    backtest,
)
from revops.simulate.backtest.database import from_database
from revops.simulate.backtest.history import History
from revops.simulate.backtest.pages import backtest_json, backtest_report
from revops.simulate.backtest.raw import from_directory
from revops.simulate.terminal import bad_input_told, progress, show
from revops.simulate.workers import alone, workers

RUNS: Final = 30
# The year 2242: whatever is above was meant as something else, milliseconds for example.
_LATEST: Final = 1 << 33
_SETTING: Final = "A lightningd config file, or option=value. Repeatable."


def backtest_a_past(  # noqa: PLR0913 -- one parameter an option
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="A directory of raw lightningd replies, or revops's database."
        ),
    ],
    *,
    config: Annotated[
        list[str] | None, typer.Option(metavar="A", help=f"What is tried. {_SETTING}")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="B", help=f"What it is compared with, beside the past as it was. {_SETTING}"
        ),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=3660, help="The last so many; all unless said.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, max=10_000, help="How often it is played.")] = RUNS,
    seed: Annotated[int, typer.Option(min=0, max=_LATEST, help="What chance begins from.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=512, help="Processes; one a core unless said.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer for machines.")] = False,
    now: Annotated[
        int | None,
        typer.Option(
            min=0, max=_LATEST, help="When the raw replies were taken: seconds since 1970, UTC."
        ),
    ] = None,
) -> None:
    """
    Play a node's own forwards again under another config, and tell what it would have earned.
    """
    with bad_input_told():
        history, usual = _past(path, now, days)
        sides: dict[str, Config | None] = {AS_SET: _configured(config, usual)}
        if against:
            sides[AGAINST] = _configured(against, usual)
        sides[AS_IT_WAS] = None
    found = _played(history, sides, runs, seed, jobs)
    if as_json:
        sys.stdout.write(json.dumps(backtest_json(found), indent=1, ensure_ascii=False) + "\n")
    else:
        show(backtest_report(found))


def _past(path: Path, now: int | None, days: int | None) -> tuple[History, Config]:
    """
    Return the history at *path*, and the options that are known to be in force.
    """
    if path.is_dir():
        return from_directory(path, None if now is None else Instant(now), days), Config()
    if now is not None:
        msg = "--now is for raw replies: a database knows when it was written"
        raise typer.BadParameter(msg)
    try:
        return from_database(path, days)
    except StoreError as error:
        raise WireError((str(error),)) from error


def _configured(words: list[str] | None, usual: Config) -> Config:
    """
    Return *usual* as it is changed by config files and pairs, the last one of an option counting.
    """
    texts: dict[str, str] = {}
    for word in words or ():
        texts |= settings.from_pairs([word]) if "=" in word else settings.from_file(Path(word))
    return configured(texts, usual)


def _played(history: History, sides: Sides, runs: int, seed: int, jobs: int | None) -> Backtest:
    hands = min(jobs or os.cpu_count() or 1, runs)
    with workers(hands) if hands > 1 else alone() as executor, progress() as bar:
        task = bar.add_task(f"{history.days} days", total=runs)
        return backtest(
            history,
            sides,
            runs=runs,
            seed=seed,
            executor=executor,
            each=lambda: bar.advance(task),
        )
