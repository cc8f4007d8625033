"""The books of a real node: a circular payment, a splice, both kinds of close, to the msat."""

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from desk_of_books import EVER, total
from fakes import FakeClock
from integration.regtest import missing

if missing():
    pytest.skip(f"this needs {' and '.join(missing())}", allow_module_level=True)

from revops.adapters.cln import Lightningd
from revops.adapters.errors import NodeRefusedError
from revops.adapters.rpc import connect
from revops.adapters.store import Store
from revops.core.snapshot import FeerateSample, Snapshot
from revops.core.units import DAY
from revops.shell.accounting import Accounting
from revops.shell.clock import Clock
from revops.shell.refills import RefillWalk

pytestmark = pytest.mark.filterwarnings("default")


class Ring:
    """
    l1 — l2 — l3 — l1, and the books of l2, kept by nobody but this test; once more as of a node
    before v25.09.
    """

    def __init__(self, node_factory: Any, books: Path) -> None:
        from pyln.testing import utils  # noqa: PLC0415 -- it is an extra

        self.until = utils.wait_for
        plain = {"disable-plugin": "cln-grpc", "may_reconnect": True}
        self.nodes = node_factory.get_nodes(3, opts=plain)
        self.bitcoind = node_factory.bitcoind
        node_factory.join_nodes([*self.nodes, self.nodes[0]], wait_for_announce=True)
        self.l2 = self.nodes[1]
        self.clock = FakeClock(Clock().now())
        socket = Path(self.l2.daemon.lightning_dir, "regtest", "lightning-rpc")
        call = connect(str(socket))

        def call_older(method: str, params: dict[str, object]) -> object:
            if method == "listchannelmoves":
                raise NodeRefusedError(method, -32601, "Unknown command")
            return call(method, params)

        self.node = Lightningd(call)
        self.store = Store.open(books / "now.db")
        self.older = Store.open(books / "older.db")
        self.store.add_feerate(FeerateSample(at=self.clock.now(), perkw=1000))
        self.keepers = tuple(
            Accounting(node, store, self.clock, RefillWalk(node, store))
            for node, store in ((self.node, self.store), (Lightningd(call_older), self.older))
        )

    def go_round(self, msat: int, fee: int) -> None:
        """
        Let l2 pay itself through l3 and l1.
        """
        l1, l2, l3 = self.nodes
        invoice = l2.rpc.invoice(msat, f"round {msat}", "round")
        hops = ((l3, l2, msat + 2 * fee, 17), (l1, l3, msat + fee, 11), (l2, l1, msat, 5))
        route = [
            {"id": to.info["id"], "channel": at.get_channel_scid(to), "amount_msat": amount}
            | {"delay": delay}
            for to, at, amount, delay in hops
        ]
        payment_hash = invoice["payment_hash"]
        secret = invoice["payment_secret"]
        l2.rpc.sendpay(route, payment_hash, amount_msat=msat, payment_secret=secret)
        l2.rpc.waitsendpay(payment_hash)
        l2.wait_for_htlcs()

    def catch_up(self) -> None:
        """
        Bring the books up to date, a day later.
        """
        for _ in range(2):
            self.clock.pass_by(DAY)
            channels, _ = self.node.channels(self.clock.now())
            seen = Snapshot(now=self.clock.now(), node=self.node.info(), channels=channels)
            assert [keeper.catch_up(seen) for keeper in self.keepers] == [(), ()]

    def settle(self, closed: int) -> None:
        """
        Mine, and keep the books, until l2 has done with so many channels.
        """
        for blocks in (1, 6, 12, 110):
            self.bitcoind.generate_block(blocks)
            height = self.bitcoind.rpc.getblockcount()
            self.until(lambda height=height: self.l2.rpc.getinfo()["blockheight"] == height)
            time.sleep(1)
            self.catch_up()
        self.until(lambda: len(self.l2.rpc.listclosedchannels()["closedchannels"]) == closed)

    def fees(self, tag: str) -> dict[str, int]:
        """
        Return what bookkeeper says that each account paid.
        """
        paid: dict[str, int] = defaultdict(int)
        for row in self.l2.rpc.call("bkpr-listincome")["income_events"]:
            if row["tag"] == tag:
                paid[row["account"]] += row["debit_msat"] - row["credit_msat"]
        return {account: msat for account, msat in paid.items() if msat}

    def costs(self) -> dict[str, int]:
        """
        Return what the books say that each channel cost on-chain; estimates are not said.
        """
        paid: dict[str, int] = defaultdict(int)
        for (channel_id, _), cost in self.store.costs.sums(0, EVER).items():
            assert not cost.estimated
            paid[channel_id] += cost.amount_msat
        return {channel_id: msat for channel_id, msat in paid.items() if msat}


def test_the_books_are_bookkeepers(node_factory: Any, tmp_path: Path) -> None:
    """
    After every stage of a channel's life, costs are bookkeeper's by channel and refills cost what
    it says, to the msat; what closed is archived with how it did.
    """
    ring = Ring(node_factory, tmp_path)
    l1, l2, l3 = ring.nodes
    ring.go_round(50_000_000, 1_501)
    ring.go_round(20_000_000, 1_201)
    ring.catch_up()
    assert ring.costs() == ring.fees("onchain_fee") != {}
    refills = ring.store.costs.refill_sums(0, EVER)
    assert total(refills).cost_msat == 2 * (1_501 + 1_201)
    assert refills == ring.older.costs.refill_sums(0, EVER)
    assert sum(ring.fees("rebalance_fee").values()) == 2 * (1_501 + 1_201)

    l2.fundwallet(2_000_000)
    old = l2.get_channel_scid(l3)
    l2.rpc.call("splicein", [l2.get_channel_id(l3), "500000"])
    ring.bitcoind.generate_block(6, wait_for_mempool=1)
    ring.until(lambda: l2.get_channel_scid(l3) != old)
    ring.catch_up()
    assert ring.costs() == ring.fees("onchain_fee")
    with_l3, with_l1 = l2.get_channel_id(l3), l2.get_channel_id(l1)

    l2.rpc.close(l1.info["id"])
    l3.stop()
    l2.rpc.close(l3.info["id"], 1)
    ring.catch_up()
    ring.settle(2)
    ring.catch_up()
    assert ring.costs() == ring.fees("onchain_fee")
    how = {c.closing.channel_id: (c.closing.how, c.resolved) for c in ring.store.reports.closed()}
    assert how == {with_l1: ("mutual", True), with_l3: ("local_force", True)}
