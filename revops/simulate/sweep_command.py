"""`simulate sweep`: many configs on many seeds, kept as they are played, ranked at the end."""

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from revops.adapters.private import claim
from revops.simulate.kept import Kept
from revops.simulate.sweep.cells import sources_digest
from revops.simulate.sweep.crews import Crew, CrewError, cluster, processes
from revops.simulate.sweep.grid_file import read_grid
from revops.simulate.sweep.pages import (
    as_csv,
    as_json,
    failures_told,
    standing_page,
    standings,
)
from revops.simulate.sweep.playing import play_all
from revops.simulate.sweep.results import Results
from revops.simulate.terminal import bad_input_told, complain, progress, show

STOPPED: Final = 130
"""The exit code of whatever Ctrl-C ended, as shells know it."""


def sweep(  # noqa: PLR0913 -- one parameter an option
    path: Annotated[Path, typer.Argument(metavar="GRID", help="What is played: a TOML file.")],
    *,
    store: Annotated[
        Path | None,
        typer.Option(help="Keep results in this SQLite file; without it, beside GRID."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=512, help="Processes; one a core unless said.")
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Play on the Dask cluster of this scheduler."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many configs are shown.")] = 20,
    lines: Annotated[
        Path | None, typer.Option("--csv", help="Write a line for each cell to this file.")
    ] = None,
    as_machine: Annotated[bool, typer.Option("--json", help="The ranking for machines.")] = False,
) -> None:
    """
    Play each config of a grid with each seed, and rank them. Whatever was played before is not
    played again.
    """
    if jobs is not None and dask is not None:
        msg = "--jobs is for this machine, --dask for a cluster: leave one away"
        raise typer.BadParameter(msg)
    crew = cluster(dask) if dask else contextlib.nullcontext(processes(jobs or os.cpu_count() or 1))
    with bad_input_told():
        grid = read_grid(path)
        complain(grid.notes)
        place = store or path.with_suffix(".sqlite")
        kept = Kept(place)
    with contextlib.closing(kept), bad_input_told():
        results = Results(kept, sources_digest(), grid.cells())
        _fill(results, crew, str(place))
    ranking = standings(grid, results.found, top)
    if lines is not None:
        with bad_input_told():
            claim(lines)
            lines.write_text(as_csv(grid, results.found), "utf-8")
    if as_machine:
        sys.stdout.write(as_json(grid, ranking, results.failed))
    else:
        show(*(standing_page(standing, grid) for standing in ranking))
    complain(failures_told(grid, results.failed))
    if results.failed:
        raise typer.Exit(1)


def _fill(results: Results, crew: contextlib.AbstractContextManager[Crew], place: str) -> None:
    """
    Play what is missing of *results*, which are kept at *place*.
    """
    if not results.missing:
        return
    before = len(results.found)
    try:
        with crew as team, progress() as bar:
            if not team.hands():
                complain(("nobody plays yet: the cluster has no workers",))
            task = bar.add_task("cells", total=before + len(results.missing), completed=before)
            with contextlib.closing(play_all(results.missing, team, results.sources)) as played:
                for cell, result in played:
                    results.put(cell, result)
                    bar.advance(task)
    except (CrewError, KeyboardInterrupt) as error:
        count = f"{len(results.found)} of {before + len(results.missing)} cells"
        complain(
            (str(error) or "stopped", f"{count} are kept in {place}; the same command goes on")
        )
        raise typer.Exit(1 if isinstance(error, CrewError) else STOPPED) from error
