"""Monitoring: what `contrib/` asks of Prometheus, as text: every query, and whose it is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONTRIB = ROOT / "contrib"
PROMETHEUS = CONTRIB / "prometheus"
DASHBOARD = CONTRIB / "grafana" / "revops.json"
_METRIC = re.compile(r"\b(?:revops|process|python)_[a-z_]+|\bup\b|\bscrape_[a-z_]+")
_MATCHERS = re.compile(r"([a-z_]+){([^}]*)}")


def alerts() -> list[dict[str, Any]]:
    """
    Return the alerts.
    """
    (group,) = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"]
    return group["rules"]


def cases() -> list[dict[str, Any]]:
    """
    Return the cases in which they are tried.
    """
    return yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text("utf-8"))["tests"]


def dashboard() -> dict[str, Any]:
    """
    Return the dashboard.
    """
    return json.loads(DASHBOARD.read_text("utf-8"))


def panels() -> list[dict[str, Any]]:
    """
    Return its panels, without the rows that they stand in.
    """
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> list[tuple[str, str]]:
    """
    Return what asks and its query, with nothing left of Grafana's variables.
    """
    shown = [
        (f"{panel['title']} {target['refId']}", target["expr"])
        for panel in panels()
        for target in panel["targets"]
    ]
    asked = [*shown, *((alert["alert"], alert["expr"]) for alert in alerts())]
    return [(of, expr.replace("$instance", ".*").replace("$scid", ".*")) for of, expr in asked]


def metrics_in(query: str) -> set[str]:
    """
    Return the names of the metrics in *query*.
    """
    bare = re.sub(r'"[^"]*"', '""', query)
    return set(_METRIC.findall(re.sub(r"(by|without|on|ignoring) \([^)]*\)", "", bare)))


def labels_in(query: str) -> Iterator[tuple[str, str]]:
    """
    Return the labels that *query* chooses by, each after the name of its metric.
    """
    for metric, matchers in _MATCHERS.findall(query):
        for label in re.findall(r'([a-z_]+)=~?"', matchers):
            yield metric, label
