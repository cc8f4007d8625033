"""Scraping: what Prometheus does, by its own client's parser."""

import socket
import urllib.request
from collections.abc import Mapping

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families


def free_port() -> int:
    """
    Return a port of this machine at which nobody listens.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def scrape(url: str, patience_s: float = 5) -> dict[str, Metric]:
    """
    Return the families that *url* tells, by name.
    """
    return families_in(fetch(url, patience_s).decode())


def fetch(
    url: str, patience_s: float = 5, data: bytes | None = None, host: str | None = None
) -> bytes:
    """
    Return what is at *url*, asked for as if it were at *host*.
    """
    headers = {} if host is None else {"Host": host}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 -- our own page
    with urllib.request.urlopen(request, timeout=patience_s) as answer:  # noqa: S310 -- see above
        return answer.read()


def families_in(text: str) -> dict[str, Metric]:
    """
    Return the families of a page, each of which stands in it once.
    """
    families = list(text_string_to_metric_families(text))
    found = {full_name(family): family for family in families}
    assert len(found) == len(families)
    return found


def full_name(family: Metric) -> str:
    """
    Return the name of a family as it is declared; the parser takes its end from a counter.
    """
    return f"{family.name}_total" if family.type == "counter" else family.name


def value(page: Mapping[str, Metric], name: str, **labels: str) -> float | None:
    """
    Return the one number of a family with these *labels*; `None` when it has none.
    """
    found = [
        sample.value for sample in page[name].samples if labels.items() <= sample.labels.items()
    ]
    assert len(found) <= 1, found
    return found[0] if found else None
