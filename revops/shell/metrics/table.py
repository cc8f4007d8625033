"""Table: every metric of revops, group by group."""

from typing import TYPE_CHECKING, Any, Final

from revops.shell.metrics.channels import CHANNELS
from revops.shell.metrics.decisions import DECISIONS
from revops.shell.metrics.family import Family, Group
from revops.shell.metrics.money import MONEY
from revops.shell.metrics.neighbours import NEIGHBOURS
from revops.shell.metrics.pulse import PULSE
from revops.shell.metrics.view import View

if TYPE_CHECKING:
    from revops.shell.app import App

VIEWED: Final[tuple[Group[View], ...]] = (CHANNELS, MONEY, DECISIONS)
"""What is told of a view."""

LIVE: "Final[tuple[Group[App], ...]]" = (NEIGHBOURS, PULSE)
"""What is told of the moment of the scrape."""

GROUPS: Final[tuple[Group[Any], ...]] = (*VIEWED, *LIVE)
"""All of them."""


def families() -> tuple[Family[Any], ...]:
    """
    Return every metric.
    """
    return tuple(family for group in GROUPS for family in group.families)
