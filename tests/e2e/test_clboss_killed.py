"""Beside CLBOSS through the real process: what a kill cuts off, and what a stop gives back."""

import sqlite3
from contextlib import closing

import pytest
from e2e.fake_lightningd import FakeLightningd
from e2e.left_alone import peers, tags
from fakes import FakeNode

from revops.shell.clock import Clock

OURS = {"lnfee", "balance"}


@pytest.fixture
def node() -> FakeNode:
    """
    The recorded node, with CLBOSS on it, which was told something about one peer by its operator.
    """
    node = FakeNode(now=Clock().now())
    node.clboss.there = True
    node.clboss.unmanage(peers(node)[0], "balance,close")
    return node


def written(lightningd: FakeLightningd) -> dict[str, tuple[str, str]]:
    """
    Return the operator's tags and ours by the books.
    """
    with closing(sqlite3.connect(lightningd.directory / "revenue_ops.db")) as books:
        rows = books.execute("SELECT peer_id, theirs, ours FROM ignored_peers")
        return {peer: (theirs, ours) for peer, theirs, ours in rows}


def test_a_stop_gives_back_and_a_start_claims_again(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    As long as the plugin runs CLBOSS leaves its work alone; it stops, in time, and only the
    operator's tags are left; a kill leaves what was told, and the next stop knows whose it is, even
    while sling hangs.
    """
    before = tags(node)
    claimed = {peer: OURS | before.get(peer, set()) for peer in peers(node)}
    lightningd.start()
    lightningd.first_cycle()
    assert tags(node) == claimed
    assert lightningd.shutdown() < 2.0
    assert (tags(node), written(lightningd)) == (before, {})

    lightningd.start()
    lightningd.first_cycle()
    lightningd.kill()
    assert tags(node) == claimed
    node.before["sling-version"] = node.never_answer
    lightningd.start()
    lightningd.first_cycle()
    lightningd.wait_for(lambda: node.called("sling-version"))
    assert lightningd.shutdown() < 2.0
    assert (tags(node), written(lightningd)) == (before, {})
    node.let_go()
    assert lightningd.logged("broken", "error") == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_the_call_loses_no_tag(
    lightningd: FakeLightningd, node: FakeNode, moment: str
) -> None:
    """
    Killed when it is written down what CLBOSS is told, and CLBOSS is about to be told or was: the
    books know what was the operator's, and he has it back in the end.
    """
    first, before = peers(node)[0], tags(node)
    getattr(node, moment)["clboss-unmanage"] = node.never_answer
    lightningd.start()
    lightningd.block()
    lightningd.wait_for(lambda: node.called("clboss-unmanage"))
    lightningd.kill()
    assert written(lightningd)[first] == ("balance,close", "balance,lnfee")

    getattr(node, moment).clear()
    node.let_go()
    lightningd.start()
    lightningd.first_cycle()
    assert tags(node)[first] == OURS | {"close"}
    lightningd.shutdown()

    assert tags(node) == before


def test_a_clboss_that_hangs_holds_up_neither_a_cycle_nor_the_end(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    One call is waited for, once; prices are set then, and a stop does not wait at all. What was
    told before stays until the next stop.
    """
    before = tags(node)
    lightningd.config = {"revenue-ops-rpc-timeout-seconds": "1"}
    lightningd.start()
    lightningd.first_cycle()
    claimed = tags(node)
    node.before["clboss-status"] = node.never_answer
    assert lightningd.shutdown() < 2.0
    assert tags(node) == claimed

    asked = len(node.called("clboss-status"))
    lightningd.start()
    status = lightningd.first_cycle()
    assert "clboss-status" in status["neighbours"]["clboss"]["note"]
    assert (status["troubles"], len(node.called("clboss-status"))) == ([], asked + 1)
    lightningd.kill()
    node.before.clear()
    node.let_go()
    lightningd.start()
    lightningd.first_cycle()
    lightningd.shutdown()

    assert tags(node) == before


def test_the_commands_are_asked_by_place_and_by_name(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    An operator ignores, looks, lists, takes back and remanages without a wait for the next cycle.
    """
    first, *_ = peers(node)
    lightningd.start()
    lightningd.first_cycle()
    assert lightningd.call("revenue-ignore", first, "open")["status"] == "success"
    assert tags(node)[first] == OURS | {"close", "open"}
    shown = lightningd.call("revenue-clboss-status", limit=1)["unmanaged_peers"][0]
    assert (shown["peer_id"], shown["will_restore"]) == (first, ["balance", "close"])
    assert lightningd.call("revenue-list-ignored")["count"] == len(peers(node))
    assert lightningd.call("revenue-unignore", peer_id=first)["action"] == "unignored"
    assert lightningd.call("revenue-remanage", peer_id="all", tag="lnfee")["success"] is True

    assert tags(node) == {
        peer: {"balance", "close"} if peer == first else {"balance"} for peer in peers(node)
    }
