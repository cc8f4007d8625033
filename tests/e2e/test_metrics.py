"""Metrics: what Prometheus reads is what commands tell, whatever the node and the books do."""

import socket
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Iterator

import pytest
from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from e2e.scraping import families_in, fetch, free_port, full_name, scrape, value
from fakes import FakeNode
from prometheus_client import Metric

from revops.shell.metrics.exposition import page_of
from revops.shell.metrics.table import VIEWED, families
from revops.shell.metrics.view import view_of

HALF_HOUR = 1800
DAY = 86_400
HOSTILE = 'x"} 1\n# HELP up Lies\nup{y="\\\u202e<script>\ud83d'


@pytest.fixture
def watched(office: Office) -> Iterator[Office]:
    """
    An office that serves metrics, after a cycle of each kind.
    """
    office.configure(prometheus_port=str(free_port()), prometheus="true")
    for loop in ("fees", "rebalance", "books", "metrics"):
        office.app.worker.run_once(loop)
    exporter = office.app.exporter
    yield office
    office.configure(prometheus="false")
    exporter.follow()


def told(office: Office) -> list[str]:
    """
    Return what was logged about metrics.
    """
    return [line for _, line in office.logs if "metrics" in line]


# What is told --------------------------------------------------------------------------------


def test_the_page_has_every_metric_of_the_table_and_those_of_the_process(watched: Office) -> None:
    """
    Each family stands in it once, under its name, kind and help; beside them there are only those
    of the process, and each of ours has numbers once there was a cycle of every kind.
    """
    page = scrape(watched.app.exporter.url)
    declared = {family.name: family for family in families()}
    others = {name for name in page if name.split("_")[0] not in ("process", "python")}
    silent = {name for name in declared if not page[name].samples}

    assert others == set(declared)
    for name, family in declared.items():
        assert (page[name].type, page[name].documentation) == (family.kind, family.help)
        assert full_name(page[name]) == name
    assert silent == {
        "revops_job_oldest_start_timestamp_seconds",  # nothing is open
        "revops_channel_believed_middle_ppm",  # nothing is believed yet
        "revops_channel_believed_daily_forwards",
        "revops_hive_reports_total",  # there is no hive
    }


def test_a_channel_is_told_as_it_is(watched: Office, node: FakeNode) -> None:
    """
    Fee, balance, capacity and what came of it are those that the node and the reports tell.
    """
    page = scrape(watched.app.exporter.url)
    rows = watched.call("revenue-profitability")["channels"]
    (row,) = [row for row in rows if row["channel_id"] == "150x6x0"]
    (listed,) = [c for c in node.channels if c["short_channel_id"] == "150x6x0"]

    def of(name: str) -> float | None:
        return value(page, f"revops_channel_{name}", scid="150x6x0")

    assert of("fee_ppm") == 100
    assert of("balance_msat") == listed["to_us_msat"]
    assert of("capacity_msat") == listed["total_msat"]
    assert of("earned_msat_total") == row["earned_msat"] == 47149
    assert of("forwards_out_total") == 17
    assert of("liquidity_value_msat") > 0
    assert value(page, "revops_channel_info", scid="150x6x0", alias="bench-B") == 1
    labels = {tuple(s.labels) for n, f in page.items() if "channel_" in n for s in f.samples}
    assert {frozenset(names) - {"scid", "peer_id"} for names in labels} == {
        frozenset(),
        frozenset({"alias", "state", "opener", "flow"}),
    }


def test_money_and_decisions_are_those_that_commands_tell(watched: Office) -> None:
    """
    Budget, profit, gossip and what is held and why agree with revenue-status and the dashboard.
    """
    page = scrape(watched.app.exporter.url)
    status, week = watched.call("revenue-status"), watched.call("revenue-dashboard", 7)
    held = {
        s.labels["code"]: s.value
        for s in page["revops_decisions"].samples
        if (s.labels["area"], s.labels["bearing"]) == ("fee", "held")
    }

    assert value(page, "revops_budget_left_msat") == status["budget"]["budget_remaining_msat"]
    assert value(page, "revops_budget_limit_msat", period="day") == 5_000_000
    assert (
        value(page, "revops_net_profit_msat", window="7d")
        == week["financial_health"]["net_profit_msat"]
    )
    assert value(page, "revops_onchain_msat") == week["financial_health"]["onchain_msat"]
    used = status["gossip"]["node_per_hour"]["used"]
    assert value(page, "revops_gossip_updates", budget="all") == used
    assert held == {row["code"]: row["count"] for row in status["held"]}
    assert value(page, "revops_prices_total", outcome="applied") == 7
    assert value(page, "revops_sling_usable") == 1
    assert value(page, "revops_mode", mode="live") == 1


def test_a_channel_that_closed_vanishes(watched: Office, node: FakeNode) -> None:
    """
    Nothing is told of a channel that is not listed any more, and all others stay.
    """
    before = scrape(watched.app.exporter.url)
    node.channels = [c for c in node.channels if c["short_channel_id"] != "150x6x0"]
    watched.cycle(after_s=HALF_HOUR)
    watched.app.worker.run_once("metrics")
    after = scrape(watched.app.exporter.url)

    def scids(page: dict[str, Metric]) -> set[str]:
        return {s.labels["scid"] for f in page.values() for s in f.samples if "scid" in s.labels}

    assert scids(before) - scids(after) == {"150x6x0"}
    assert len(scids(after)) == 6


def test_what_a_stranger_calls_itself_stays_a_label(watched: Office) -> None:
    """
    No alias adds a line, a metric or a label, or breaks the page for all others.
    """
    page = families_in(page_of(VIEWED, view_of(watched.app, lambda _: HOSTILE)).decode())
    aliases = {sample.labels["alias"] for sample in page["revops_channel_info"].samples}

    assert aliases == {HOSTILE.encode(errors="backslashreplace").decode()}
    assert "up" not in page


def test_what_was_counted_counts_on_and_what_failed_is_told_by_whose_doing(
    watched: Office, node: FakeNode
) -> None:
    """
    A loop that fails counts under the kind of its failure, and its breaker and stall are told,
    though no cycle has ended well.
    """
    url = watched.app.exporter.url
    node.before["listpeerchannels"] = node.never_answer
    watched.cycle(after_s=4 * HALF_HOUR)
    page = scrape(url)
    node.let_go()

    def failures(kind: str) -> float | None:
        return value(page, "revops_loop_failures_total", loop="fees", kind=kind)

    assert (failures("no answer"), failures("bug")) == (1, 0)
    assert value(page, "revops_loop_runs_total", loop="fees") == 2
    assert value(page, "revops_loop_stalled", loop="fees") == 1
    assert value(page, "revops_breaker_state", group="node", state="open") == 1
    assert value(page, "revops_breaker_state", group="node", state="closed") == 0
    assert value(page, "revops_rpc_unanswered_total", group="node") == 1


def test_neighbours_are_told_as_they_were_found(watched: Office, node: FakeNode) -> None:
    """
    One that is there has 1, one that was looked for in vain 0, and one that is not to be worked
    with is not told of.
    """
    url = watched.app.exporter.url

    def there(page: dict[str, Metric]) -> dict[str, float]:
        return {s.labels["neighbour"]: s.value for s in page["revops_neighbour_present"].samples}

    watched.app.worker.run_once("hive")
    alone = there(scrape(url))
    node.hive.there = node.clboss.there = True
    watched.clock.pass_by(HALF_HOUR)
    for loop in ("hive", "fees"):
        watched.app.worker.run_once(loop)
    together = there(scrape(url))
    watched.configure(hive_enabled="false", clboss_enabled="false", rebalancer="none")
    apart = scrape(url)

    assert alone == {"clboss": 0, "hive": 0, "sling": 1}
    assert together == {"clboss": 1, "hive": 1, "sling": 1}
    assert there(apart) == {"sling": 1}
    assert value(apart, "revops_sling_usable") is None
    assert value(apart, "revops_breaker_state", group="hive", state="closed") == 1


def test_names_are_asked_for_once_a_day_and_never_in_the_way(
    watched: Office, node: FakeNode
) -> None:
    """
    Each peer's name is asked for once, in vain or not; a node that says nothing is asked for one
    name in a turn, and all else is told as ever.
    """
    peers = {channel["peer_id"] for channel in node.channels}
    watched.app.worker.run_once("metrics")
    asked = len(node.called("listnodes"))
    node.before["listnodes"] = node.never_answer
    watched.clock.pass_by(DAY)
    node.let_go()
    watched.app.worker.run_once("metrics")
    page = scrape(watched.app.exporter.url)
    names = {sample.labels["alias"] for sample in page["revops_channel_info"].samples}

    assert asked == len(peers) == 5
    assert len(node.called("listnodes")) == asked + 1
    assert not watched.app.worker.state("metrics").failing
    assert names == {"bench-A", "bench-B", "bench-C", "bench-D", "bench-E"}


# How it is read ------------------------------------------------------------------------------


def test_a_scrape_asks_neither_lightningd_nor_the_books(watched: Office, node: FakeNode) -> None:
    """
    With the books closed and the node counting its calls, a scrape is answered in full.
    """
    calls = len(node.calls)
    watched.app.store.close()
    page = scrape(watched.app.exporter.url)
    watched._open()

    assert value(page, "revops_budget_left_msat") == 5_000_000
    assert len(node.calls) == calls


def test_a_scrape_waits_for_no_cycle(watched: Office) -> None:
    """
    While the worker waits for what does not come, the page is there and says that a run is under
    way.
    """
    worker = threading.Thread(target=watched.cycle)
    with watched.app.cycle.performer.turn:
        worker.start()
        while watched.app.worker.state("fees").running_since is None:
            time.sleep(0.01)
        page = scrape(watched.app.exporter.url)
    worker.join()

    assert value(page, "revops_loop_running", loop="fees") == 1
    assert value(page, "revops_channels", flow="dormant") == 7


def test_a_page_that_cannot_be_made_leaves_the_last_one(watched: Office) -> None:
    """
    When the books cannot be read, what was known is still served, and the loop says why.
    """
    watched.app.store.close()
    watched.app.worker.run_once("metrics")
    page = scrape(watched.app.exporter.url)
    watched._open()

    assert value(page, "revops_channels", flow="dormant") == 7
    assert value(page, "revops_loop_failures_total", loop="metrics", kind="books") == 1


def test_there_is_one_page(watched: Office) -> None:
    """
    Whoever asks for another one is told where it is, and nothing can be sent there.
    """
    url = watched.app.exporter.url
    with pytest.raises(urllib.error.HTTPError) as missing:
        fetch(url.replace("/metrics", "/"))
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(url, data=b"x")

    with missing.value as answer:
        assert (answer.code, answer.read()) == (404, b"see /metrics\n")
    with refused.value as answer:
        assert answer.code == 501


def test_a_web_page_does_not_get_at_them_by_its_name(watched: Office) -> None:
    """
    Who asks for an address or localhost, as Prometheus and tunnels do, is answered; a browser asks
    for the name of the page that it shows, wherever that leads by now, and is not.
    """
    url, refused = watched.app.exporter.url, []
    for host in ("evil.example", "evil.example:9800", "127.0.0.1.evil.example", "["):
        with pytest.raises(urllib.error.HTTPError) as error:
            fetch(url, host=host)
        with error.value as answer:
            refused.append((answer.code, answer.read()))

    assert set(refused) == {(421, b"ask for localhost\n")}
    for host in ("127.0.0.1:9800", "localhost", "[::1]:9800", ""):
        assert fetch(url, host=host).startswith(b"# HELP")


# Where it is served --------------------------------------------------------------------------


def test_nothing_is_served_and_nothing_is_loaded_unless_it_is_asked_for(office: Office) -> None:
    """
    By default nobody listens, the page is not made, and the client library stays on the disk.
    """
    office.cycle()
    office.app.worker.run_once("metrics")
    script = (
        "import sys; import revops.shell.app, revops.shell.loops, revops.shell.main;"
        " sys.exit('prometheus_client' in sys.modules)"
    )

    assert office.app.exporter.url is None
    assert office.app.exporter._page == b""
    nothing = {"url": None, "why_not": None, "warning": None}
    assert office.call("revenue-status")["prometheus"] == nothing
    assert told(office) == []
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_options_are_followed_while_it_runs(watched: Office) -> None:
    """
    Another port is another place, at which it is served within a minute; nobody listens at the old
    one, nor anywhere once it is switched off.
    """
    old, port = watched.app.exporter.url, free_port()
    watched.configure(prometheus_port=str(port))
    watched.app.worker.run_once("metrics")
    new = watched.app.exporter.url
    moved = scrape(new)
    with pytest.raises(urllib.error.URLError):
        scrape(old)
    watched.configure(prometheus="false")
    watched.app.worker.run_once("metrics")
    with pytest.raises(urllib.error.URLError):
        scrape(new)

    assert new == f"http://127.0.0.1:{port}/metrics"
    assert value(moved, "revops_channels", flow="dormant") == 7
    assert watched.app.exporter.url is None


def test_a_port_in_use_is_one_sentence_and_everything_else_goes_on(office: Office) -> None:
    """
    The log says it once, the status as long as it lasts, and the loop does not fail; when the port
    is free, metrics are served by themselves.
    """
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        office.configure(prometheus_port=str(port), prometheus="true")
        office.cycle()
        for _ in range(3):
            office.app.worker.run_once("metrics")
        status = office.call("revenue-status")
    sentence = (
        f"metrics are not served: 127.0.0.1:{port}: Address already in use"
        " (prometheus-bind, prometheus-port)"
    )
    office.app.worker.run_once("metrics")
    page = scrape(office.app.exporter.url)
    office.configure(prometheus="false")
    office.app.exporter.follow()

    assert told(office)[0] == sentence
    assert told(office).count(sentence) == 1
    assert sentence in status["troubles"]
    assert status["prometheus"]["url"] is None
    assert not office.app.worker.state("metrics").failing
    assert value(page, "revops_channels", flow="dormant") == 7
    assert office.app.exporter.trouble == ""


@pytest.mark.parametrize(
    ("bind", "sentence"),
    [
        ("1.2.3", "prometheus-bind: 1.2.3 is no IP address"),
        ("::::", "prometheus-bind: :::: is no IP address"),
        ("192.0.2.1", "Cannot assign requested address (prometheus-bind, prometheus-port)"),
    ],
)
def test_an_address_that_is_not_ours_is_one_sentence(
    office: Office, bind: str, sentence: str
) -> None:
    """
    What is no address, or not this machine's, is told and nothing else happens.
    """
    office.configure(prometheus_bind=bind, prometheus="true")
    office.app.worker.run_once("metrics")

    assert office.app.exporter.trouble.endswith(sentence)
    assert office.app.exporter.url is None
    assert not office.app.worker.state("metrics").failing


def test_without_the_client_library_it_says_what_to_install(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Who updated without it keeps a plugin that works, and reads what to type.
    """
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "revops.shell.metrics.exposition", raising=False)
    office.configure(prometheus="true")
    office.app.worker.run_once("metrics")

    assert told(office) == [
        "metrics are not served: prometheus-client is not installed: pip install prometheus-client"
    ]
    assert not office.app.worker.state("metrics").failing


def test_who_listens_to_all_is_warned(office: Office) -> None:
    """
    An address that others reach is served as asked, with a line in the log, and in the status as
    long as it is so.
    """
    office.configure(prometheus_bind="0.0.0.0", prometheus_port=str(free_port()), prometheus="true")  # noqa: S104 -- what is warned of
    office.app.exporter.follow()
    warning = f"whoever reaches {office.app.exporter.url} can read the metrics (prometheus-bind)"
    assert told(office)[1] == warning
    assert office.call("revenue-status")["prometheus"]["warning"] == warning

    office.configure(prometheus="false")
    office.app.exporter.follow()
    assert office.call("revenue-status")["prometheus"]["warning"] is None


def test_the_process_serves_before_the_first_block_and_ends_as_fast_as_ever(
    lightningd: FakeLightningd,
) -> None:
    """
    Loops and mode can be read as soon as the plugin is up; somebody who connects and says nothing
    holds up neither a scrape nor the end.
    """
    port = free_port()
    lightningd.config = {
        "revenue-ops-prometheus": "true",
        "revenue-ops-prometheus-port": str(port),
        "revenue-ops-dry-run": "true",
    }
    lightningd.start()
    url = lightningd.wait_for(lambda: lightningd.call("revenue-status")["prometheus"]["url"])
    with socket.create_connection(("127.0.0.1", port)):
        early = scrape(url)
        lightningd.first_cycle()
        lightningd.wait_for(lambda: "revops_channels" in (page := scrape(url)) and page)
        took = lightningd.shutdown()

    assert value(early, "revops_mode", mode="dry-run") == 1
    assert value(early, "revops_loop_runs_total", loop="fees") == 0
    assert took < 2.0
