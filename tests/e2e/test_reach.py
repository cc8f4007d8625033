"""Reach: what revops asks of a node, whatever it is asked, is on a short list."""

from e2e.everything import answers
from e2e.office import Office
from e2e.scraping import free_port
from e2e.thirsty import HOUR, TARGET

LOOKS = {
    *("bkpr-listaccountevents", "clboss-status", "feerates", "getinfo", "help", "hive-members"),
    *("hive-check-rebalance-conflict", "hive-fee-intel-query", "hive-status", "listchannelmoves"),
    *("listclosedchannels", "listconfigs", "listforwards", "listfunds", "listnodes"),
    *("listpeerchannels", "listsendpays", "sling-jobsettings", "sling-stats", "sling-version"),
    "wait",
}
"""Calls that change nothing."""
REPORTS = {
    *("hive-report-fee-observation", "hive-report-health", "hive-report-liquidity-state"),
    "hive-report-period-costs",
}
"""What cl-hive is told."""
ACTS = {"clboss-unmanage", "setchannel", "sling-deletejob", "sling-once", "sling-stop"}
"""All that revops does to a node: no call that pays, withdraws, opens, closes or reads a key."""


def test_nothing_is_asked_that_is_not_on_the_list(thirsty: Office) -> None:
    """
    With every neighbour there, every loop running, a refill under way and every command given.
    """
    node = thirsty.node
    node.clboss.there = True
    node.hive.join()
    thirsty.configure(prometheus_port=str(free_port()), prometheus="true")
    for _ in range(2):
        thirsty.live(HOUR // 2)
        for loop in thirsty.app.worker._loops:
            thirsty.app.worker.run_once(loop)
        assert list(answers(thirsty.call, node.channel(TARGET)["peer_id"]))
    thirsty.configure(prometheus="false")
    thirsty.app.exporter.follow()
    asked = {method for method, _ in node.calls}

    assert asked - LOOKS - REPORTS - ACTS == set()
    assert {"setchannel", "sling-once", "clboss-unmanage"} <= asked
