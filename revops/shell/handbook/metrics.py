"""Metrics: the page about them, from the table that the exporter reads."""

from collections.abc import Iterator
from typing import Any

from revops.shell.handbook import prose
from revops.shell.handbook.markdown import MADE, table, text
from revops.shell.metrics.family import Group
from revops.shell.metrics.table import GROUPS


def metrics_page() -> str:
    """
    Return docs/metrics.md.
    """
    lines = ["# Metrics", "", MADE, "", prose.METRICS.rstrip()]
    for group in GROUPS:
        lines += ["", f"## {group.title}", "", group.source, ""]
        lines += table(("metric", "kind", "labels", "what it says"), _rows(group))
    return text([*lines, "", prose.PROCESS.rstrip()])


def _rows(group: Group[Any]) -> Iterator[tuple[str, ...]]:
    for family in group.families:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        yield f"`{family.name}`", family.kind, labels, family.help
