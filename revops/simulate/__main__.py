"""`python -m revops.simulate`: what revops would do with a node, offline, and why."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.text import Text
from typer.core import TyperGroup

from revops.adapters.errors import WireError
from revops.adapters.wire import write_plans
from revops.core.config import Config, configured
from revops.core.decide import decide
from revops.core.option import ConfigError
from revops.core.plan import Plan, RebalancePlan
from revops.core.presets import PRESETS, preset_named
from revops.core.rebalance.decide import rebalance
from revops.core.snapshot import Snapshot
from revops.core.units import Instant
from revops.simulate import load, refills, settings, table

Plans = tuple[Plan, RebalancePlan | None]
"""Of prices, and of rebalances where there is what they are judged by."""

# Wide enough for a sentence beside the numbers; a terminal says its own width.
PIPE_WIDTH: Final = 120
_PRESETS: Final = ", ".join(PRESETS)
# The year 2242: whatever is above was meant as something else, milliseconds for example.
LATEST: Final = 1 << 33


class PathFirst(TyperGroup):
    """
    Commands of which `plan` need not be named: a first word that is no command is its PATH.
    """

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own Context is a subclass
        """
        Put the default command's name before *args* that begin with no command.
        """
        named = bool(args) and args[0] in self.commands
        return super().parse_args(ctx, args if named else ["plan", *args])


app = typer.Typer(cls=PathFirst, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """
    What revops would do with a node, offline, and why.
    """


@app.command("plan")
def answer(  # noqa: PLR0913 -- one parameter an option
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A snapshot.json, - for one on stdin, or a directory of raw lightningd replies.",
        ),
    ],
    *,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="Change an option: option=value. Repeatable.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Options from a lightningd config file.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help=f"Options for a kind of node, changed by the two above: {_PRESETS}."),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(help="Compare with the same changed by option=value. Repeatable."),
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="SCID", help="The whole trail of one channel.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The plan for machines.")] = False,
    now: Annotated[
        int | None,
        typer.Option(
            min=0, max=LATEST, help="When the raw replies were taken: seconds since 1970, UTC."
        ),
    ] = None,
) -> None:
    """
    Decide once, and show what would be filled and what every channel would charge, with reasons.
    """
    if as_json and (explain or against):
        msg = "--json shows the plan alone: leave --explain and --against away"
        raise typer.BadParameter(msg)
    with _bad_input_told():
        texts = preset_named(preset).texts() if preset else {}
        texts |= settings.from_file(config) if config else {}
        texts |= settings.from_pairs(sets or ())
        material = _material(path, now)
        mine = configured(texts, material.config)
        other = configured(settings.from_pairs(against), mine) if against else None
    snapshot = material.snapshot(mine)
    plans = {"as set": _decided(snapshot, mine)}
    if other is not None:
        plans["against"] = _decided(material.snapshot(other), other)
    prices, moves = plans["as set"]
    if as_json:
        sys.stdout.write(write_plans(prices, moves))
    elif explain is not None:
        _print(*_trails(snapshot, plans, explain))
    elif against:
        changes = Text(table.plain(f"against: {', '.join(against)}"))
        _print(changes, *_compared(snapshot, plans))
    else:
        _print(table.plan_report(snapshot, prices), refills.refill_report(snapshot, moves))
    if material.granted and not as_json:
        _print(Text(material.granted, "italic"))


def _decided(snapshot: Snapshot, config: Config) -> Plans:
    judged = snapshot.treasury is not None
    return decide(snapshot, config), rebalance(snapshot, config) if judged else None


def _compared(snapshot: Snapshot, plans: Mapping[str, Plans]) -> Iterator[RenderableType]:
    yield table.comparison_report(snapshot, {n: prices for n, (prices, _) in plans.items()})
    yield refills.refill_comparison(snapshot, {n: moves for n, (_, moves) in plans.items()})


@contextlib.contextmanager
def _bad_input_told() -> Iterator[None]:
    try:
        yield
    except (ConfigError, WireError) as error:
        _complain(error.problems)
        raise typer.Exit(2) from error
    except OSError as error:
        _complain((f"{error.filename}: {error.strerror}",))
        raise typer.Exit(2) from error


def _material(path: str, now: int | None) -> load.Material:
    """
    Return what stands at *path*, and say what of it had to be left out.
    """
    if Path(path).is_dir():
        material = load.from_directory(Path(path), None if now is None else Instant(now))
    elif now is not None:
        msg = "--now is for raw replies: a snapshot knows when it was taken"
        raise typer.BadParameter(msg)
    else:
        material = load.from_text(
            sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        )
    _complain(material.problems, "left out: ")
    return material


def _trails(snapshot: Snapshot, plans: Mapping[str, Plans], scid: str) -> Iterator[RenderableType]:
    for name, (prices, moves) in plans.items():
        row = next((r for r in table.rows_of(snapshot, prices) if r.channel.scid == scid), None)
        if row is None:
            msg = f"--explain: there is no channel {scid!r} in this snapshot"
            raise typer.BadParameter(msg)
        if len(plans) > 1:
            yield Rule(name)
        yield table.trail_report(row, prices)
        found = refills.refills_of(snapshot, moves) if moves else ()
        yield from (
            refills.refill_trail(refill, moves)
            for refill in found
            if refill.channel is row.channel and moves
        )


def _print(*parts: RenderableType) -> None:
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part)


def _complain(problems: tuple[str, ...], prefix: str = "") -> None:
    for problem in problems:
        typer.echo(prefix + table.plain(problem), err=True)


if __name__ == "__main__":
    app(prog_name="python -m revops.simulate")
