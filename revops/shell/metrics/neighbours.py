"""Neighbours: which other plugins are there, and whether they can be worked with."""

from collections.abc import Iterable
from typing import Final

from revops.shell.metrics.family import Family, Group, Row, number
from revops.shell.metrics.view import View


def _present(view: View) -> Iterable[Row]:
    return [((name,), there) for name, there in sorted(view.neighbours.items())]


def _sling(view: View) -> Iterable[Row]:
    if view.sling_version is not None:
        yield (view.sling_version,), 1


NEIGHBOURS: Final = Group(
    title="Neighbours",
    source="As they were found by the cycle that asked them last.",
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
            rows=_sling,
        ),
        number(
            "revops_sling_usable",
            "1 while sling is trusted with money, else 0; none where it is not wanted, as"
            " rebalancer and authority say.",
            lambda view: view.sling_usable,
        ),
    ),
)
