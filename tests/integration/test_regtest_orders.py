"""Real sling is driven as revops drives it: ordered, looked at, stopped, and made to forget."""

import time
from typing import Any

import pytest
from integration.ring import Ring, missing_for_a_ring

from revops.adapters.cln import Lightningd
from revops.adapters.errors import NodeRefusedError
from revops.adapters.rpc import connect
from revops.adapters.sling import Sling
from revops.core.actions import Source, StartRebalance
from revops.core.treasury import Job, Progress

if missing_for_a_ring():
    pytest.skip(f"this needs {' and '.join(missing_for_a_ring())}", allow_module_level=True)

# pyln-testing leaves sockets and files to the collector.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def test_name() -> str:
    """
    Name the nodes' directory: sling refuses to start where the path of a socket gets too long.
    """
    return "orders"


@pytest.fixture
def ring(node_factory: Any) -> Ring:
    """
    l1 — l2 — l3 — l1, with sling on l2, and the plugin, which rebalances nothing by itself.
    """
    return Ring(node_factory, rebalancer="none")


def filling(ring: Ring, chunks: int, max_ppm: int) -> StartRebalance:
    """
    Return the action that fills the left channel from the right one.
    """
    return StartRebalance(
        channel_id=ring.l2.get_channel_id(ring.l1),
        scid=ring.left,
        peer_id=ring.l1.info["id"],
        sources=(Source(channel_id=ring.l2.get_channel_id(ring.l3), scid=ring.right),),
        amount_msat=chunks * 50_000_000,
        chunk_msat=50_000_000,
        max_ppm=max_ppm,
        max_fee_msat=(chunks + 1) * 50 * max_ppm,
        expected_fee_msat=0,
        keep_share=0.1,
        keep_msat=100_000_000,
        to_us_msat=0,
    )


def test_an_order_is_carried_out_ended_and_forgotten(ring: Ring) -> None:
    """
    From nothing listed to nothing listed: what is done, what is too dear and what is the
    operator's are told apart, and an end of ours leaves his job as it was.
    """
    call = connect(str(ring.l2.rpc.socket_path))
    sling, node, us = Sling(call, time.sleep), Lightningd(call), ring.l2.info["id"]
    assert sling.look().version is not None
    assert (sling.look().trouble, sling.look().jobs) == ("", ())

    before = ring.ours()[ring.left]
    sling.start(filling(ring, 2, 300))
    ring.until(lambda: [job.progress for job in sling.look().jobs] == [Progress.DONE])
    assert ring.ours()[ring.left] == before + 100_000_000
    assert node.pending_to(us) == ()
    assert node.arriving(ring.l1.info["id"], ring.l2.get_channel_id(ring.l1)) == ()
    sling.stop(ring.left)
    assert sling.look().jobs == ()

    sling.start(filling(ring, 1, 1))
    ring.until(lambda: [job.progress for job in sling.look().jobs] == [Progress.TOO_EXPENSIVE])
    with pytest.raises(NodeRefusedError, match="There is already a job for that scid running!"):
        sling.start(filling(ring, 1, 300))
    sling.stop(ring.left)
    assert sling.look().jobs == ()

    job = {"direction": "pull", "amount": 50_000, "maxppm": 1, "candidates": [ring.right]}
    ring.l2.rpc.call("sling-job", {"scid": ring.left, **job})
    sling.stop(ring.left)
    assert sling.look().jobs == (Job(scid=ring.left, partners=(ring.right,), words="1:NotStarted"),)
    assert ring.ours()[ring.left] == before + 100_000_000
