"""Exposition: families and their numbers as Prometheus reads them, written by its own client."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Generic, TypeVar

import attrs
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from revops.shell.metrics.family import Family, Group

T = TypeVar("T")

_Maker = type[CounterMetricFamily] | type[GaugeMetricFamily]

_MAKERS: Final[Mapping[str, _Maker]] = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}


@attrs.frozen(eq=False)
class _Told(Generic[T]):
    """
    What *groups* tell of a subject, which is looked for when it is asked.
    """

    groups: Iterable[Group[T]]
    subject: Callable[[], T]

    def collect(self) -> Iterator[Metric]:
        """
        Return the families with their numbers.
        """
        subject = self.subject()
        for group in self.groups:
            for family in group.families:
                yield _metric(family, subject)


def _metric(family: Family[T], subject: T) -> Metric:
    metric = _MAKERS[family.kind](family.name, family.help, labels=family.labels)
    for labels, value in family.rows(subject):
        metric.add_metric([_sendable(label) for label in labels], value)
    return metric


def _sendable(label: str) -> str:
    # A stranger's name may hold half a character, which UTF-8 cannot.
    return label if label.isascii() else label.encode(errors="backslashreplace").decode()


def page_of(groups: Iterable[Group[T]], subject: T) -> bytes:
    """
    Return what *groups* tell of *subject*.
    """
    return generate_latest(_Told(groups, lambda: subject))


def process_and(groups: Iterable[Group[T]], subject: Callable[[], T]) -> Callable[[], bytes]:
    """
    Return what tells, each time anew, of this process and what *groups* do of a subject.
    """
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    registry.register(_Told(groups, subject))
    return lambda: generate_latest(registry)
