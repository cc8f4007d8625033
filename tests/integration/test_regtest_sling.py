"""Real sling moves real regtest sats in a circle, and revops books what that really cost."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from integration.ring import Ring, missing_for_a_ring

if missing_for_a_ring():
    pytest.skip(f"this needs {' and '.join(missing_for_a_ring())}", allow_module_level=True)

# pyln-testing leaves sockets and files to the collector.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def test_name() -> str:
    """
    Name the nodes' directory: sling refuses to start where the path of a socket gets too long.
    """
    return "ring"


@pytest.fixture
def ring(node_factory: Any) -> Ring:
    """
    l1 — l2 — l3 — l1, with the plugin and sling on l2, which rebalances nothing by itself.
    """
    return Ring(node_factory, rebalancer="none")


def refills(ring: Ring) -> list[tuple[str, str, int, int]]:
    """
    Return source, target, amount and fee of each refill in the books.
    """
    path = ring.ask("revenue-status")["db"]["path"]
    with closing(sqlite3.connect(path)) as books:
        return books.execute(
            "SELECT from_channel, to_channel, amount_msat, fee_msat FROM refills"
        ).fetchall()


def test_what_a_circle_cost_is_booked_to_the_msat(ring: Ring) -> None:
    """
    Sling-once moves what it was asked to, no more and no less, and ends by itself; revops books
    each of its payments with the fee that was paid, once, however often it starts again.
    """
    before, fee = ring.ours(), ring.fee(50_000)
    ring.pull(100_000, parts=2, maxppm=300)
    ring.until(lambda: ring.status_of_sling() == ["1:Balanced"])

    after = ring.ours()
    assert after[ring.left] - before[ring.left] == 100_000_000
    assert before[ring.right] - after[ring.right] == 100_000_000 + 2 * fee
    source, target = ring.l2.get_channel_id(ring.l3), ring.l2.get_channel_id(ring.l1)
    for _ in range(2):
        report = ring.kept_books()
        assert report["rebalance_costs"]["total_msat"] == 2 * fee
        costs = {row["channel_id"]: row["rebalance_cost_msat"] for row in report["channels"]}
        assert costs[ring.left] == 2 * fee
        assert not costs.get(ring.right)
        assert refills(ring) == [(source, target, 50_000_000, fee)] * 2


def test_a_circle_that_is_too_dear_is_not_paid(ring: Ring) -> None:
    """
    One ppm below what the circle costs, nothing moves and nothing is booked.
    """
    before = ring.ours()
    ppm = -(-ring.fee(50_000) * 1_000_000 // 50_000_000)
    ring.pull(50_000, parts=1, maxppm=ppm - 1)
    ring.until(lambda: ring.status_of_sling() == ["1:NoCheapRoute"])

    assert ring.l2.rpc.call("sling-stop", {"scid": ring.left}) == {"stopped_count": 1}
    assert ring.ours() == before
    assert refills(ring) == []
    assert ring.kept_books()["rebalance_costs"]["total_msat"] == 0
