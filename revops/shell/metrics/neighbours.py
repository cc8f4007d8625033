"""Neighbours: which other plugins are there, and whether they can be worked with."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from revops.shell.commands.capital import known_treasury, sling
from revops.shell.metrics.family import Family, Group, Row, number

if TYPE_CHECKING:
    from revops.shell.app import App


def _present(app: "App") -> Iterator[Row]:
    config, treasury = app.settings.config, known_treasury(app)
    if config.clboss_enabled and app.keeper.last:
        yield ("clboss",), app.keeper.last.there
    if config.hive_enabled != "false" and app.hive.looked_at is not None:
        yield ("hive",), app.hive.membership is not None
    if treasury and treasury.engine:
        yield ("sling",), treasury.engine.version is not None


def _sling_version(app: "App") -> Iterator[Row]:
    if version := sling(app)["version"]:
        yield (version,), 1


def _sling_usable(app: "App") -> float | None:
    config = app.settings.config
    wanted = config.rebalancer != "none" and config.authority == "liquidity"
    return sling(app)["ok"] if wanted and app.money.last else None


def _reports(app: "App") -> Iterable[Row]:
    for outcome, counts in (("told", app.hive.told), ("lost", app.hive.lost)):
        for method, count in sorted(counts.copy().items()):
            yield (method, outcome), count


NEIGHBOURS: "Final[Group[App]]" = Group(
    title="Neighbours",
    source="As they were found when they were looked for last. One that is not to be worked with,"
    " as the options say, is not told of.",
    families=(
        Family(
            name="revops_neighbour_present",
            help="1 for each other plugin that was found, 0 for one that was not.",
            labels=("neighbour",),
            rows=_present,
        ),
        Family(
            name="revops_sling_info",
            help="1; says which sling was found.",
            labels=("version",),
            rows=_sling_version,
        ),
        number(
            "revops_sling_usable",
            "1 while sling is trusted with money, else 0; none where it is not wanted, as"
            " rebalancer and authority say.",
            _sling_usable,
        ),
        Family(
            name="revops_hive_reports_total",
            help="Reports for cl-hive that it took, or that were lost.",
            kind="counter",
            labels=("report", "outcome"),
            rows=_reports,
        ),
    ),
)
