"""Monitoring: dashboard and alerts ask only for what there is, and each alert is explained."""

import re
from collections import Counter
from itertools import combinations

import pytest
from docs.monitoring import (
    ROOT,
    alerts,
    cases,
    dashboard,
    labels_in,
    metrics_in,
    panels,
    queries,
)

from revops.shell.metrics.table import families

TARGET = {"instance", "job"}
"""Labels that Prometheus adds."""
OTHERS = {
    "up",
    "scrape_duration_seconds",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
}
"""Metrics that are not ours."""


@pytest.mark.parametrize(("source", "query"), queries(), ids=lambda text: text[:40])
def test_a_query_names_what_there_is(source: str, query: str) -> None:
    """
    Each metric is in the table, and each label that it is chosen by is one of its own.
    """
    declared = {family.name: {*family.labels} | TARGET for family in families()}
    named = metrics_in(query)

    assert named, source
    assert named - declared.keys() - OTHERS == set()
    assert [
        (m, label) for m, label in labels_in(query) if label not in declared.get(m, TARGET)
    ] == []


def test_every_alert_is_explained_in_the_same_order() -> None:
    """
    docs/alerts.md has a heading for each alert, which its annotation leads to, and says under it
    whether it wakes anybody.
    """
    page = (ROOT / "docs" / "alerts.md").read_text("utf-8")
    sections = dict(re.findall(r"^## (\w+)\n\n`(\w+)`", page, flags=re.MULTILINE))

    assert list(sections.items()) == [(a["alert"], a["labels"]["severity"]) for a in alerts()]
    assert set(sections.values()) == {"page", "ticket"}
    for alert in alerts():
        words = alert["annotations"]
        assert words["runbook"] == f"docs/alerts.md#{alert['alert'].lower()}"
        assert words["summary"]
        assert words["description"].endswith(".")


def test_every_alert_is_tried() -> None:
    """
    For each alert there is one case in which it fires alone, and one case has none fire.
    """
    fired = Counter(
        re.findall(r'alertname="(\w+)"', str(test.get("exp_samples")))[0]
        for case in cases()
        for test in case["promql_expr_test"]
        if "exp_samples" in test
    )
    quiet = [c for c in cases() if all("exp_samples" not in t for t in c["promql_expr_test"])]

    assert fired == Counter(alert["alert"] for alert in alerts())
    assert len(quiet) == 1


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    """
    It keeps its name, asks whichever Prometheus is chosen, and no two panels lie on each other.
    """
    board = dashboard()
    every = board["panels"]
    places = [panel["gridPos"] for panel in every]
    overlaps = [
        (a, b)
        for a, b in combinations(places, 2)
        if a["x"] < b["x"] + b["w"]
        and b["x"] < a["x"] + a["w"]
        and a["y"] < b["y"] + b["h"]
        and b["y"] < a["y"] + a["h"]
    ]

    assert (board["uid"], board["title"]) == ("revops", "revops")
    assert len({panel["id"] for panel in every}) == len(every)
    assert len({panel["title"] for panel in every}) == len(every)
    assert overlaps == []
    assert max(place["x"] + place["w"] for place in places) == 24
    assert {p["datasource"]["uid"] for p in panels()} == {"${datasource}"}
    assert [v["name"] for v in board["templating"]["list"]] == ["datasource", "instance", "scid"]


def test_the_dashboard_shows_every_group_of_metrics() -> None:
    """
    It has a row for each thing that an operator asks about, in the order of asking.
    """
    rows = [panel["title"] for panel in dashboard()["panels"] if panel["type"] == "row"]

    assert rows == ["Overview", "Money", "Channels", "Decisions", "Health"]
