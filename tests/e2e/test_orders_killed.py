"""Orders through the real process: told apart by code, and settled after a kill at any moment."""

import contextlib
import json
import sqlite3
import threading
from contextlib import closing
from typing import Any

import pytest
from e2e.fake_lightningd import FakeLightningd, PluginGoneError
from fakes import FakeNode, RpcRefusalError

from revops.adapters.wire import read_snapshot
from revops.shell.clock import Clock

SCID = "150x6x0"


@pytest.fixture
def node() -> FakeNode:
    """
    The recorded node, whose last payment was a minute ago by this machine's clock.
    """
    return FakeNode(now=Clock().now())


def rows(lightningd: FakeLightningd, query: str) -> list[Any]:
    """
    Return what the books say.
    """
    with closing(sqlite3.connect(lightningd.directory / "revenue_ops.db")) as books:
        return books.execute(query).fetchall()


def steps(lightningd: FakeLightningd) -> set[str]:
    """
    Return the codes of why the channel is priced as it is.
    """
    explained = lightningd.call("revenue-explain", SCID)
    return {step["code"] for step in explained["channels"][0]["fee"]["steps"]}


def test_orders_are_given_by_place_and_by_name(lightningd: FakeLightningd, node: FakeNode) -> None:
    """
    Both ways set the fee; a wrong question is -32602, a node that says no is another code.
    """
    lightningd.start()
    lightningd.first_cycle()
    assert lightningd.call("revenue-set-fee", SCID, 321)["new_fee_ppm"] == 321
    assert lightningd.call("revenue-set-fee", scid=SCID, ppm=400, hours=1)["old_fee_ppm"] == 321
    assert node.fees()[SCID] == (400, 0)

    with pytest.raises(RpcRefusalError, match="revenue-set-fee: ppm: expected 10 to") as refused:
        lightningd.call("revenue-set-fee", SCID, 9)
    assert refused.value.code == -32602
    node.refuse_to_price(SCID)
    with pytest.raises(RpcRefusalError, match="450 ppm is not set and not pinned") as refused:
        lightningd.call("revenue-set-fee", SCID, 450)
    assert refused.value.code == -1
    assert lightningd.call("revenue-restore-fees")["status"] == "partial"
    assert lightningd.call("revenue-wake-all")["status"] == "success"
    assert lightningd.logged("broken") == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_an_order_loses_nothing(
    lightningd: FakeLightningd, node: FakeNode, moment: str
) -> None:
    """
    Killed when an order is written down and setchannel is asked for - or even done, but not yet
    answered - the next start finds out: what is in force stays as ordered, what is not is void, and
    nothing is taken for somebody else's change.
    """
    lightningd.start()
    lightningd.first_cycle()
    fee = lightningd.wait_for(lambda: all_set(node) and node.fees()[SCID])
    getattr(node, moment)["setchannel"] = node.never_answer
    asked = len(node.called("setchannel"))
    order = threading.Thread(target=ordered, args=(lightningd,), daemon=True)
    order.start()
    lightningd.wait_for(lambda: len(node.called("setchannel")) > asked)
    lightningd.kill()
    order.join()
    [(state, entry)] = rows(lightningd, "SELECT state, max(id) FROM journal")
    assert (state, len(rows(lightningd, "SELECT * FROM fee_pins"))) == ("decided", 1)

    getattr(node, moment).clear()
    node.let_go()
    began = Clock().now()
    lightningd.wait_for(lambda: Clock().now() > began)  # A look of the same second proves nothing.
    lightningd.start()
    lightningd.first_cycle()
    done = moment == "after"
    [(state,)] = rows(lightningd, f"SELECT state FROM journal WHERE id = {entry}")  # noqa: S608 -- a number
    seen, _ = read_snapshot(json.dumps(lightningd.call("revenue-snapshot", "false")))

    assert state == ("applied" if done else "refused")
    assert node.fees()[SCID] == ((777, 0) if done else fee)
    assert (steps(lightningd) == {"ordered"}) == done
    assert not steps(lightningd) & {"first_contact", "manual_change", "pinned"}
    assert len(rows(lightningd, "SELECT * FROM fee_pins")) == done
    assert len(seen.pins) == 1


def all_set(node: FakeNode) -> bool:
    """
    Say whether the first cycle has set every fee.
    """
    return len(node.called("setchannel")) == len(node.channels)


def ordered(lightningd: FakeLightningd) -> None:
    """
    Give an order that nobody lives to answer.
    """
    with contextlib.suppress(PluginGoneError):
        lightningd.call("revenue-set-fee", SCID, 777)
