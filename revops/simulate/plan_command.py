"""`simulate PATH`: what would be done with a node now, and what would become of it."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from revops.adapters.private import claim
from revops.adapters.strangers import plain
from revops.adapters.wire import write_plans
from revops.core.config import Config, changed_options, configured
from revops.core.decide import decide
from revops.core.presets import PRESETS, preset_named
from revops.core.rebalance.decide import rebalance
from revops.core.snapshot import Snapshot
from revops.core.units import Instant
from revops.simulate import load, refills, settings, table
from revops.simulate.forecast.forecast import AGAINST, AS_IT_IS, AS_SET, Sides, forecast
from revops.simulate.forecast.lives import Forecast
from revops.simulate.forecast.pages import forecast_json, forecast_report
from revops.simulate.report.page import Plans, page
from revops.simulate.terminal import bad_input_told, complain, progress, show
from revops.simulate.workers import alone, workers

_PRESETS: Final = ", ".join(PRESETS)
# The year 2242: whatever is above was meant as something else, milliseconds for example.
LATEST: Final = 1 << 33
RUNS: Final = 30
MOST_DAYS: Final = 365
MOST_RUNS: Final = 1000


def plan(  # noqa: PLR0913 -- one parameter an option
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
    days: Annotated[
        int | None,
        typer.Option(help="What would become of the node in so many days."),
    ] = None,
    runs: Annotated[int | None, typer.Option(help=f"Futures to draw; {RUNS} unless said.")] = None,
    seed: Annotated[int | None, typer.Option(help="The first future; 0 unless said.")] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=512, help="Processes; one a core unless said.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write all of it as one page here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer for machines.")] = False,
    now: Annotated[
        int | None,
        typer.Option(
            min=0, max=LATEST, help="When the raw replies were taken: seconds since 1970, UTC."
        ),
    ] = None,
) -> None:
    """
    Decide once, and show what would be filled and what every channel would charge, with reasons;
    with --days, what would become of the node.
    """
    _within(
        ("--days", days, 1, MOST_DAYS), ("--runs", runs, 1, MOST_RUNS), ("--seed", seed, 0, LATEST)
    )
    _not_both(
        ("--json shows the plan alone: leave --explain away", as_json, explain),
        (
            "--json shows one plan: leave --against away, or say --days",
            as_json and days is None,
            against,
        ),
        ("--explain shows one channel now: leave --days and --html away", explain, days or html),
        (
            "--runs, --seed, --jobs: these are about the future, say --days",
            days is None,
            {runs, seed, jobs} - {None},
        ),
    )
    with bad_input_told():
        texts = _texts(preset, config, sets)
        material = _material(path, now)
        configs = _configs(texts, against, material.config)
        if html:
            # Whoever cannot be written to says so before all the work.
            claim(html)
    snapshot = material.snapshot(configs[AS_SET])
    plans = {name: _decided(material.snapshot(mine), mine) for name, mine in configs.items()}
    future = _future(snapshot, configs, days, runs or RUNS, seed or 0, jobs) if days else None
    if html:
        options = {name: changed_options(mine) for name, mine in configs.items()}
        html.write_text(page(snapshot, plans, future, options), "utf-8")
    if as_json:
        sys.stdout.write(_for_machines(plans[AS_SET], future))
        return
    if explain is not None:
        show(*_trails(snapshot, plans, explain))
    else:
        if against:
            show(Text(plain(f"against: {', '.join(against)}")))
        show(forecast_report(future) if future else _decisions(snapshot, plans))
    _footnotes(material.granted, f"the whole report: {html}" if html else "")


def _texts(preset: str | None, config: Path | None, sets: Sequence[str] | None) -> dict[str, str]:
    """
    Return the options that were asked for; the later kind wins.
    """
    texts = preset_named(preset).texts() if preset else {}
    texts |= settings.from_file(config) if config else {}
    return texts | settings.from_pairs(sets or ())


def _configs(
    texts: Mapping[str, str], against: Sequence[str] | None, theirs: Config
) -> dict[str, Config]:
    mine = configured(texts, theirs)
    if not against:
        return {AS_SET: mine}
    return {AS_SET: mine, AGAINST: configured(settings.from_pairs(against), mine)}


def _footnotes(*sentences: str) -> None:
    show(*(Text(plain(words), "italic") for words in sentences if words))


def _within(*ranges: tuple[str, int | None, int, int]) -> None:
    for name, value, low, high in ranges:
        if value is not None and not low <= value <= high:
            msg = f"{name}: expected a whole number from {low} to {high}, got {value}"
            raise typer.BadParameter(msg)


def _not_both(*questions: tuple[str, object, object]) -> None:
    for sentence, one, other in questions:
        if one and other:
            raise typer.BadParameter(sentence)


def _decided(snapshot: Snapshot, config: Config) -> Plans:
    judged = snapshot.treasury is not None
    return decide(snapshot, config), rebalance(snapshot, config) if judged else None


def _decisions(snapshot: Snapshot, plans: Mapping[str, Plans]) -> RenderableType:
    if len(plans) > 1:
        return Group(
            table.comparison_report(snapshot, {n: prices for n, (prices, _) in plans.items()}),
            refills.refill_comparison(snapshot, {n: moves for n, (_, moves) in plans.items()}),
        )
    prices, moves = plans[AS_SET]
    return Group(table.plan_report(snapshot, prices), refills.refill_report(snapshot, moves))


def _future(
    snapshot: Snapshot,
    configs: Mapping[str, Config],
    days: int,
    runs: int,
    seed: int,
    jobs: int | None,
) -> Forecast:
    sides: Sides = {**configs, AS_IT_IS: None}
    count = runs * len(sides)
    hands = min(jobs or os.cpu_count() or 1, count)
    with workers(hands) if hands > 1 else alone() as executor, progress() as bar:
        task = bar.add_task(f"{days} days", total=count)
        return forecast(
            snapshot,
            sides,
            days=days,
            runs=runs,
            seed=seed,
            executor=executor,
            each=lambda: bar.advance(task),
        )


def _for_machines(plans: Plans, future: Forecast | None) -> str:
    prices, moves = plans
    text = write_plans(prices, moves)
    if future is None:
        return text
    document = json.loads(text) | {"forecast": forecast_json(future)}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


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
    complain(material.problems, "left out: ")
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
