"""Family: one metric as it is declared, once, for the exporter and for the documentation."""

from collections.abc import Callable, Iterable
from typing import Generic, Literal, TypeVar

import attrs

T = TypeVar("T")

Row = tuple[tuple[str, ...], float]
"""The values of the labels, in their order, and the number."""


@attrs.frozen(kw_only=True)
class Family(Generic[T]):
    """
    Attributes:
        name: With its unit; a counter ends in `_total`.
        help: A sentence.
        rows: What it tells of a subject; what is unknown has no row.
    """

    name: str
    help: str
    kind: Literal["gauge", "counter"] = "gauge"
    labels: tuple[str, ...] = ()
    rows: Callable[[T], Iterable[Row]]


@attrs.frozen(kw_only=True)
class Group(Generic[T]):
    """
    Families that are told of the same subject.

    Attributes:
        source: Where the numbers come from, and how old they may be.
    """

    title: str
    source: str
    families: tuple[Family[T], ...]


def number(
    name: str,
    help_: str,
    read: Callable[[T], float | None],
    kind: Literal["gauge", "counter"] = "gauge",
) -> Family[T]:
    """
    Return the family that has one number and no labels.
    """

    def rows(subject: T) -> Iterable[Row]:
        value = read(subject)
        return () if value is None else (((), value),)

    return Family(name=name, help=help_, kind=kind, rows=rows)
