"""`simulate arena`: policies side by side on the same modelled nodes, and who is better."""

import contextlib
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import attrs
import typer
from rich.text import Text
from typer.core import TyperCommand

from revops.core.option import ConfigError
from revops.simulate.arena.contest import Cell, Sitting, contest, sit
from revops.simulate.arena.policies import CORES, PRICING, REFILLING, about, maker_of
from revops.simulate.arena.scenarios import SCENARIOS
from revops.simulate.kept import Kept
from revops.simulate.league import pages
from revops.simulate.league.archive import Archive
from revops.simulate.league.standings import boards
from revops.simulate.terminal import bad_input_told, complain, progress, show
from revops.simulate.workers import workers

ALL: Final = "all"
STOPPED: Final = 130
"""The exit code of what Ctrl-C ended, as shells know it."""
_POLICIES: Final = (*CORES, *PRICING, *REFILLING)
_LISTS: Final = {"--scenario", "--policy"}
_MOST_SEEDS: Final = 1000
_GOALS: Final = ("balanced_20", "mixed_20", "mixed_5")


class Words(TyperCommand):
    """
    A command some of whose options take several words: `--scenario one two` is
    `--scenario one --scenario two`.
    """

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own Context is a subclass
        """
        Give every word after an option that takes several an option of its own.
        """
        return super().parse_args(ctx, list(_spread(args)))


def _spread(args: Iterable[str]) -> Iterator[str]:
    option, fresh = None, False
    for word in args:
        if word.startswith("-"):
            option, fresh = (word if word in _LISTS else None), True
        elif option and not fresh:
            yield option
        else:
            fresh = False
        yield word


def arena(  # noqa: PLR0913 -- one parameter an option
    *,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME…", help="Worlds, by name, or all; the three of the goals unless said."
        ),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME…",
            help="Who plays, by name, or all of them unless said; core,option=value for the core"
            " under other options.",
        ),
    ] = None,
    seeds: Annotated[str, typer.Option(metavar="A-B", help="The luck: numbers from A to B.")] = (
        "0-4"
    ),
    days: Annotated[
        int | None, typer.Option(min=1, max=365, help="How long; as the scenario says unless said.")
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(help="Keep what was played in this SQLite file, and do not play it again."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=512, help="Processes at a time; one a core.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for machines.")] = False,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the tables and how they came about to this file.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page for a browser here.")] = None,
    as_list: Annotated[
        bool, typer.Option("--list", help="Show who can play, and where, and play nothing.")
    ] = False,
) -> None:
    """
    Play policies against each other on the same modelled nodes, and show who is better.
    """
    if as_list:
        show(*_lists())
        return
    with bad_input_told():
        wanted = _Wanted(
            scenarios=_scenarios(scenario or ()),
            policies=_policies(policy or ()),
            seeds=_seeds(seeds),
            days=days,
        )
        for file in filter(None, (markdown, html)):
            file.touch()
        kept = Kept(store)
    with contextlib.closing(kept):
        cells = _played(wanted, Archive(kept), max(jobs or os.cpu_count() or 1, 1), store)
    reference = next((name for name in wanted.policies if name in CORES), wanted.policies[0])
    found = boards(cells, wanted.scenarios, reference)
    if markdown:
        markdown.write_text(pages.markdown(found, wanted.command), "utf-8")
    if html:
        html.write_text(pages.browser(found, wanted.command), "utf-8")
    if as_json:
        sys.stdout.write(pages.machine(found, wanted.command))
    else:
        show(*pages.terminal(found))


@attrs.frozen(kw_only=True)
class _Wanted:
    """
    What is to be played.
    """

    scenarios: tuple[str, ...]
    policies: tuple[str, ...]
    seeds: range
    days: int | None

    @property
    def command(self) -> str:
        """
        Return the command line that plays it.
        """
        whole = {
            "--scenario": (self.scenarios, tuple(SCENARIOS)),
            "--policy": (self.policies, _POLICIES),
        }
        words = ["python", "-m", "revops.simulate", "arena"]
        for option, (names, every) in whole.items():
            others = [name for name in names if name not in every]
            words += [option, *([ALL, *others] if set(every) <= set(names) else names)]
        words += ["--seeds", f"{self.seeds[0]}-{self.seeds[-1]}"]
        return shlex.join(words + (["--days", str(self.days)] if self.days else []))

    def sittings(self) -> list[Sitting]:
        """
        Return everything, a sitting for each tape.
        """
        return [
            Sitting(
                scenario=name,
                seed=seed,
                days=self.days or SCENARIOS[name].days,
                policies=self.policies,
            )
            for name in self.scenarios
            for seed in self.seeds
        ]


def _played(wanted: _Wanted, archive: Archive, jobs: int, store: Path | None) -> list[Cell]:
    """
    Return all cells that are *wanted*: what is there already, and what is played now.
    """
    everything = wanted.sittings()
    cells = [cell for sitting in everything for cell in archive.cells(sitting)]
    there = {(cell.scenario, cell.seed, cell.policy) for cell in cells}
    missing = [left for s in everything if (left := _left(s, there, archive)).policies]
    total = len(everything) * len(wanted.policies)
    try:
        with progress() as bar:
            task = bar.add_task("cells", total=total, completed=len(cells))
            for found in _sat(missing, jobs):
                archive.put(found)
                cells += found
                bar.advance(task, len(found))
    except KeyboardInterrupt as error:
        kept = f"{len(cells)} of {total} cells are kept in {store}; the same command goes on"
        complain((kept if store else "stopped; with --store what was played would be kept",))
        raise typer.Exit(STOPPED) from error
    return cells


def _left(sitting: Sitting, there: set[tuple[str, int, str]], archive: Archive) -> Sitting:
    policies = tuple(
        policy
        for policy in sitting.policies
        if (sitting.scenario, sitting.seed, policy) not in there
    )
    return attrs.evolve(sitting, policies=policies, bounds=archive.bounds(sitting))


def _sat(missing: Sequence[Sitting], jobs: int) -> Iterator[list[Cell]]:
    jobs = min(jobs, len(missing))
    if jobs <= 1:
        yield from map(sit, missing)
        return
    with workers(jobs) as pool:
        yield from contest(missing, pool)


def _scenarios(words: Sequence[str]) -> tuple[str, ...]:
    names = [name for word in words for name in word.split(",")]
    for name in names:
        if name not in (ALL, *SCENARIOS):
            known = ", ".join((ALL, *SCENARIOS))
            raise ConfigError((f"--scenario: there is no {name!r}, but {known}",))
    return _with_all(names, tuple(SCENARIOS)) or _GOALS


def _policies(words: Sequence[str]) -> tuple[str, ...]:
    names: list[str] = []
    for piece in (piece for word in words for piece in word.split(",")):
        # A comma stands between policies, and between the core and its options.
        if "=" in piece and names:
            names[-1] += f",{piece}"
        else:
            names.append(piece)
    chosen = _with_all(names, _POLICIES) or _POLICIES
    for name in chosen:
        maker_of(name)
    return chosen


def _with_all(names: Iterable[str], every: tuple[str, ...]) -> tuple[str, ...]:
    spelled = (one for name in names for one in (every if name == ALL else (name,)))
    return tuple(dict.fromkeys(spelled))


def _seeds(text: str) -> range:
    found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not first <= last < first + _MOST_SEEDS:
        msg = f"--seeds: expected A-B with at most {_MOST_SEEDS} seeds, got {text!r}"
        raise ConfigError((msg,))
    return range(first, last + 1)


def _lists() -> Iterator[Text]:
    yield Text("Scenarios", "bold")
    for scenario in SCENARIOS.values():
        size = f"{scenario.channels} channels, {scenario.days} days"
        yield Text(f"  {scenario.name}: {scenario.about} ({size})")
    yield Text("Policies", "bold")
    for name in _POLICIES:
        yield Text(f"  {name}: {about(name)}")
