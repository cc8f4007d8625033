"""Page: all that is decided and forecast of one node, for people."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone

from revops.core.config import option_named
from revops.core.plan import Plan, RebalancePlan
from revops.core.snapshot import Snapshot
from revops.core.units import Msat, sats_down
from revops.simulate.forecast.lives import Forecast
from revops.simulate.forecast.pages import MODELLED
from revops.simulate.report import channels, futures, moves, prices
from revops.simulate.report.blocks import Block, Cards, Cell, Column, Notes, Row, Section, Table
from revops.simulate.report.document import document

Plans = tuple[Plan, RebalancePlan | None]
"""Of prices, and of rebalances where there is what they are judged by."""
Options = Mapping[str, str]
"""What differs from the defaults, as it would be typed."""


def page(
    snapshot: Snapshot,
    plans: Mapping[str, Plans],
    forecast: Forecast | None,
    options: Mapping[str, Options],
) -> str:
    """
    Return one HTML page about *plans*, by side, with the *options* of each; with a *forecast*,
    about what they would lead to as well.

    Same input, same bytes.
    """
    sections = [
        _summary(snapshot, plans, forecast),
        *(_future(snapshot, forecast) if forecast else ()),
        prices.prices(snapshot, {name: plan for name, (plan, _) in plans.items()}),
        moves.moves(snapshot, {name: plan for name, (_, plan) in plans.items()}),
        _settings(options),
    ]
    name = snapshot.node.alias or f"{snapshot.node.node_id[:12]}…"
    return document(f"What revops would do with {name}", _facts(snapshot, forecast), sections)


def _facts(snapshot: Snapshot, forecast: Forecast | None) -> list[str]:
    taken = datetime.fromtimestamp(snapshot.now, timezone.utc)
    capacity = Msat(sum(channel.capacity_msat for channel in snapshot.channels))
    ours = sum(channel.to_us_msat for channel in snapshot.channels)
    share = f", {ours / capacity:.0%} ours" if capacity else ""
    facts = [
        f"as of {taken:%Y-%m-%d %H:%M} UTC",
        f"{len(snapshot.channels)} channels",
        f"{sats_down(capacity):,} sat{share}",
    ]
    if forecast:
        facts.append(_drawn(forecast))
    return facts


def _drawn(forecast: Forecast) -> str:
    first, *others = forecast.seeds
    if not others:
        return f"1 future of {forecast.days} days, seed {first}"
    seeds = f"seeds {first} to {others[-1]}"
    return f"{len(forecast.seeds)} futures of {forecast.days} days, {seeds}"


def _summary(snapshot: Snapshot, plans: Mapping[str, Plans], forecast: Forecast | None) -> Section:
    mine, refilled = next(iter(plans.values()))
    now = (
        prices.counted(snapshot, mine),
        *([moves.counted(snapshot, refilled)] if refilled else []),
    )
    if forecast is None:
        return Section(title="In short", blocks=(Cards(cards=now),))
    blocks: tuple[Block, ...] = (
        *([Notes(sentences=forecast.warnings)] if forecast.warnings else []),
        Cards(cards=(*futures.headline(forecast), *now)),
        Notes(sentences=(MODELLED,), quiet=True),
    )
    return Section(title="In short", blocks=blocks)


def _future(snapshot: Snapshot, forecast: Forecast) -> Iterator[Section]:
    yield futures.outcomes(forecast)
    if snapshot.channels:
        yield channels.over_time(snapshot.channels, forecast)


def _settings(options: Mapping[str, Options]) -> Section:
    """
    Return every option that some side has changed, and where the sides differ.
    """
    names = dict.fromkeys(name for texts in options.values() for name in texts)
    drawn = Table(
        title="Options that are not at their default",
        columns=(
            *(Column(title=title) for title in ("option", "default", *options)),
            Column(title="what it does", wide=True, minor=True),
        ),
        rows=tuple(_option(name, options) for name in names),
        only="only where the sides differ" if len(options) > 1 else "",
        empty="every option is at its default",
    )
    return Section(title="Settings", blocks=(drawn,))


def _option(name: str, options: Mapping[str, Options]) -> Row:
    option = option_named(name)
    default = option.format(option.default)
    texts = [texts.get(option.name, default) for texts in options.values()]
    cells = [Cell(text=text, tone="" if text == default else "up") for text in texts]
    return Row(
        cells=(Cell(text=option.name), Cell(text=default), *cells, Cell(text=option.help)),
        marked=len(set(texts)) > 1,
    )
