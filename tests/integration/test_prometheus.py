"""The real Prometheus reads the plugin: its target is up, and dashboard and alerts find data."""

import json
import shutil
import subprocess
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest
from docs.monitoring import PROMETHEUS, alerts, panels, queries
from e2e.fake_lightningd import FakeLightningd
from e2e.scraping import fetch, free_port
from fakes import FakeNode

from revops.shell.clock import Clock

T = TypeVar("T")

MISSING = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
if MISSING:
    pytest.skip(f"this needs {' and '.join(MISSING)} on the PATH", allow_module_level=True)

PATIENCE_S = 100
"""A page is made once a minute."""


@attrs.frozen
class Watch:
    """
    A Prometheus that watches a plugin.

    Attributes:
        metrics: Where the plugin serves them.
        api: Where Prometheus answers.
    """

    metrics: str
    api: str

    def ask(self, path: str, **parameters: str) -> Any:
        """
        Return what Prometheus answers.
        """
        reply = json.loads(fetch(f"{self.api}/{path}?{urllib.parse.urlencode(parameters)}"))
        assert reply["status"] == "success"
        return reply["data"]

    def query(self, query: str) -> list[Any]:
        """
        Return what *query* finds now.
        """
        return self.ask("query", query=query)["result"]


def wait_for(look: Callable[[], T]) -> T:
    """
    Return what *look* sees as soon as it sees something.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            if seen := look():
                return seen
        except OSError:
            pass  # it is starting
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """
    The plugin's process on the fake lightningd, a cycle of each kind after its start, and the
    sample configuration, but for ports and how often it looks.
    """
    directory = tmp_path_factory.mktemp("prometheus")
    port, own = free_port(), free_port()
    text = (PROMETHEUS / "prometheus.yml").read_text("utf-8")
    text = text.replace("9800", str(port)).replace("scrape_interval: 30s", "scrape_interval: 1s")
    (directory / "prometheus.yml").write_text(f"global: {{evaluation_interval: 1s}}\n{text}")
    shutil.copy(PROMETHEUS / "alerts.yml", directory)
    lightningd = FakeLightningd(directory / "regtest", FakeNode(now=Clock().now()))
    lightningd.config = {
        "revenue-ops-prometheus": "true",
        "revenue-ops-prometheus-port": str(port),
    }
    prometheus = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{own}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        lightningd.start()
        lightningd.first_cycle()
        watch = Watch(f"http://127.0.0.1:{port}/metrics", f"http://127.0.0.1:{own}/api/v1")
        # The last number to come: a page is made after the first cycle of prices, and this is
        # known after the first of money.
        wait_for(lambda: watch.query("count_over_time(revops_onchain_msat[1m]) > 2"))
        yield watch
    finally:
        prometheus.terminate()
        prometheus.wait()
        lightningd.close()


def promtool(*arguments: str | Path, page: bytes = b"") -> None:
    """
    Run promtool, which finds nothing to complain of.
    """
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, input=page, capture_output=True, check=False)
    told = (done.stdout + done.stderr).decode()

    assert done.returncode == 0, told
    # Of metrics it only tells when something is wrong with them.
    assert not page or not told


def test_the_target_is_up(watch: Watch) -> None:
    """
    Prometheus reads the page without an error.
    """
    (target,) = watch.ask("targets")["activeTargets"]

    assert (target["health"], target["lastError"]) == ("up", "")
    assert target["labels"]["job"] == "revops"


def test_every_panel_has_data(watch: Watch) -> None:
    """
    No query of the dashboard comes back empty.
    """
    shown = queries()[: sum(len(panel["targets"]) for panel in panels())]
    empty = [source for source, query in shown if not watch.query(query)]

    assert len(shown) > 40
    assert empty == []


def test_every_alert_can_be_evaluated(watch: Watch) -> None:
    """
    Prometheus has taken all rules and evaluates them without an error; on a plugin that has just
    started on a node that answers, none wakes anybody.
    """
    (group,) = wait_for(lambda: watch.ask("rules")["groups"])
    rules = group["rules"]

    assert [rule["name"] for rule in rules] == [alert["alert"] for alert in alerts()]
    assert [(r["name"], r["lastError"]) for r in rules if r["health"] == "err"] == []
    assert [r["name"] for r in rules if r["state"] == "firing"] == []


def test_promtool_finds_nothing_wrong_with_the_metrics(watch: Watch) -> None:
    """
    Names, units, kinds and help are as Prometheus wants them.
    """
    promtool("check", "metrics", page=fetch(watch.metrics))


def test_promtool_finds_nothing_wrong_with_rules_and_configuration() -> None:
    """
    The files that an operator copies are valid.
    """
    promtool("check", "rules", PROMETHEUS / "alerts.yml")
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


def test_every_alert_fires_on_what_it_is_for_and_not_otherwise() -> None:
    """
    Each case of alerts_test.yml comes out as it says.
    """
    promtool("test", "rules", PROMETHEUS / "alerts_test.yml")
