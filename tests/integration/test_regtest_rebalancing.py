"""Orders on real nodes: real sling moves regtest sats for revops, which settles what they cost."""

from typing import Any

import pytest
from integration.regtest import PLUGIN
from integration.ring import Ring, missing_for_a_ring

if missing_for_a_ring():
    pytest.skip(f"this needs {' and '.join(missing_for_a_ring())}", allow_module_level=True)

import psutil

# pyln-testing leaves sockets and files to the collector.
pytestmark = pytest.mark.filterwarnings("default")

OLDEST = "4.2.1"
"""Of sling; revops wants a newer one unless it is told otherwise."""
CHUNK = 20_000
PATIENCE = 300
"""Seconds: what is open is looked into every minute."""


class Money(Ring):
    """
    A ring of which the plugin moves what it is told to, and nothing by itself.
    """

    def __init__(self, node_factory: Any) -> None:
        super().__init__(
            node_factory,
            authority="fees",
            sling_min_version=OLDEST,
            min_wallet_reserve=100_000,
            rebalance_interval=60,
            rebalance_chunk=CHUNK,
            rebalance_min_amount=CHUNK,
        )
        # It began before there were channels, and looks again in a while only.
        self.restart_plugin()
        self.look()

    def look(self) -> None:
        """
        Have a plugin that has just started look at the node and at sling.
        """
        self.cycle()
        self.until(lambda: self.ask("revenue-status")["last_money_cycle"], timeout=PATIENCE)

    def order(self, sats: int, **more: object) -> dict[str, Any]:
        """
        Have the left channel filled from the right one, whatever that earns.
        """
        named = {"from": self.right, "to": self.left, "amount_sats": sats, "force": True}
        answer: dict[str, Any] = self.ask("revenue-rebalance", **named, **more)
        assert answer["status"] == "initiated", answer
        return answer

    def open(self) -> list[dict[str, Any]]:
        """
        Return the rebalances whose money is not settled.
        """
        jobs: list[dict[str, Any]] = self.ask("revenue-jobs")["jobs"]
        return jobs

    def settled(self) -> dict[str, Any]:
        """
        Wait until nothing is open, and return how the only rebalance ended.
        """
        self.until(lambda: self.open() == [], timeout=PATIENCE)
        (row,) = self.ask("revenue-status")["recent_rebalances"]
        return dict(row)

    def paid(self) -> list[tuple[int, int]]:
        """
        Return amount and fee of each payment to itself that arrived, as lightningd lists them.
        """
        rows = self.l2.rpc.call("listsendpays", {"status": "complete"})["payments"]
        sums = [(int(row["amount_msat"]), int(row["amount_sent_msat"])) for row in rows]
        return [(amount, sent - amount) for amount, sent in sums]

    def moved(self) -> list[tuple[int, int]]:
        """
        Return amount and fee of each payment that left the right channel, as lightningd books it.
        """
        source = self.l2.get_channel_id(self.l3)
        rows = self.l2.rpc.call("listchannelmoves")["channelmoves"]
        sums = [
            (int(row["debit_msat"]), int(row["fees_msat"]))
            for row in rows
            if row["account_id"] == source and row["primary_tag"] == "invoice"
        ]
        return [(debit - fee, fee) for debit, fee in sums]

    def capital(self) -> tuple[int, int]:
        """
        Return the msat that rebalancing spent in a day, and those it holds.
        """
        controls = self.ask("revenue-rebalance-debug")["capital_controls"]
        return controls["daily_spent_msat"], controls["reserved_msat"]

    def end_plugin(self) -> None:
        """
        End the plugin as a power cut would, and leave it at that.
        """
        children = psutil.Process(self.l2.daemon.proc.pid).children()
        (process,) = (child for child in children if str(PLUGIN) in child.cmdline())
        process.kill()
        self.until(lambda: str(PLUGIN) not in self._plugins())


@pytest.fixture
def test_name() -> str:
    """
    Name the nodes' directory: sling refuses to start where the path of a socket gets too long.
    """
    return "money"


@pytest.fixture
def ring(node_factory: Any) -> Money:
    """
    l1 — l2 — l3 — l1, with the plugin and sling on l2, which have looked at each other.
    """
    return Money(node_factory)


def test_what_is_ordered_is_moved_and_settled_to_the_msat(ring: Money) -> None:
    """
    It is answered at once, runs while sling pays, and is settled at what lightningd says that its
    payments cost: so say the report, the status and the budget; sling keeps nothing of it.
    """
    before, fee = ring.ours(), ring.fee(CHUNK)
    answer = ring.order(5 * CHUNK)
    assert (answer["amount_msat"], answer["chunk_msat"]) == (5 * CHUNK * 1000, CHUNK * 1000)
    assert ring.paid() == []
    (job,) = ring.open()
    assert job["rebalance_id"] == answer["rebalance_id"]
    assert job["reserved_msat"] == answer["max_fee_msat"]
    assert ring.capital() == (0, answer["max_fee_msat"])

    row = ring.settled()
    assert ring.paid() == ring.moved() == [(CHUNK * 1000, fee)] * 5
    assert (row["status"], row["moved_msat"], row["spent_msat"]) == (
        "done",
        5 * CHUNK * 1000,
        5 * fee,
    )
    assert ring.capital() == (5 * fee, 0)
    assert ring.status_of_sling() == []
    after = ring.ours()
    assert after[ring.left] - before[ring.left] == 5 * CHUNK * 1000
    assert before[ring.right] - after[ring.right] == 5 * (CHUNK * 1000 + fee)

    report = ring.kept_books()
    assert report["rebalance_costs"]["last_24h_msat"] == 5 * fee
    assert report["rebalance_costs"]["total_msat"] == 5 * fee
    assert report["rebalance_budget"]["daily_spent_msat"] == 5 * fee
    assert report["rebalance_budget"]["reserved_msat"] == 0


def test_sling_goes_on_without_revops_and_no_msat_is_lost(ring: Money) -> None:
    """
    Revops is killed in the middle of a refill; sling pays the rest of it and no more. Started
    again, revops finds all of it, settles it and holds nothing.
    """
    parts, fee = 20, ring.fee(CHUNK)
    ring.order(parts * CHUNK)
    ring.l2.daemon.wait_for_log("rebalance begun", timeout=PATIENCE)
    ring.until(ring.paid)
    ring.end_plugin()
    assert 0 < len(ring.paid()) < parts

    ring.until(lambda: ring.status_of_sling() == ["1:Balanced"], timeout=PATIENCE)
    ring.l2.rpc.plugin_start(str(PLUGIN))
    ring.look()
    row = ring.settled()
    assert ring.paid() == ring.moved() == [(CHUNK * 1000, fee)] * parts
    assert (row["status"], row["moved_msat"], row["spent_msat"]) == (
        "done",
        parts * CHUNK * 1000,
        parts * fee,
    )
    assert ring.capital() == (parts * fee, 0)
    assert ring.status_of_sling() == []


def test_what_is_too_dear_is_stopped_and_its_money_is_free(ring: Money) -> None:
    """
    An order that may cost less than the way does is begun and never paid; the operator stops it,
    and nothing was spent and nothing is held.
    """
    before = ring.ours()
    answer = ring.order(CHUNK, max_fee_sats=2)
    assert answer["max_ppm"] * CHUNK * 1000 < ring.fee(CHUNK) * 1_000_000
    ring.until(lambda: ring.open()[0]["sling"] == "1:NoCheapRoute", timeout=PATIENCE)
    assert ring.capital() == (0, answer["max_fee_msat"])

    assert ring.ask("revenue-jobs", "stop", answer["rebalance_id"])["status"] == "stopping"
    row = ring.settled()
    assert (row["status"], row["moved_msat"], row["spent_msat"]) == ("stopped", 0, 0)
    assert ring.capital() == (0, 0)
    assert ring.status_of_sling() == []
    assert ring.paid() == ring.moved() == []
    assert ring.ours() == before
