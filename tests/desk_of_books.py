"""The books and their keeper at a fake node, under a clock that a test moves."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
from fakes import FakeClock, FakeNode, RpcRefusalError

from revops.adapters.cln import Lightningd
from revops.adapters.errors import NodeRefusedError
from revops.adapters.store import Store
from revops.core.ledger import Cost
from revops.core.snapshot import FeerateSample, Refills, Snapshot
from revops.shell.accounting import Accounting
from revops.shell.refills import RefillWalk

EVER = 2**40
TABLES = ("costs", "refills", "open_moves", "closed_channels", "splice_events", "forward_stats")


class BookDesk:
    """
    Attributes:
        problems: What the last `catch_up` told.
    """

    def __init__(
        self,
        directory: Path,
        node: FakeNode,
        *,
        perkw: int | None = 1000,
        store: type[Store] = Store,
    ) -> None:
        directory.mkdir(exist_ok=True)
        self.node = node
        self._books = store
        self.clock = FakeClock(node.now)
        self._path = directory / "revenue_ops.db"
        self.problems: tuple[str, ...] = ()
        self.open()
        if perkw is not None:
            self.store.add_feerate(FeerateSample(at=node.now, perkw=perkw))

    def open(self) -> None:
        """
        Put the pieces together, with nothing but the books.
        """
        self.store = self._books.open(self._path)
        self.lightningd = Lightningd(self._call)
        walk = RefillWalk(self.lightningd, self.store)
        self.accounting = Accounting(self.lightningd, self.store, self.clock, walk)

    def restart(self) -> None:
        """
        Put them together anew.
        """
        self.store.close()
        self.open()

    def seen(self) -> Snapshot:
        """
        Return the node as a cycle sees it now.
        """
        now = self.clock.now()
        channels, _ = self.lightningd.channels(now)
        return Snapshot(now=now, node=self.lightningd.info(), channels=channels)

    def catch_up(self, after_s: int = 0) -> None:
        """
        Let time go by, and bring the books up to date.
        """
        self.clock.pass_by(after_s)
        self.problems = self.accounting.catch_up(self.seen())

    def cost(self, channel_id: str, kind: str) -> Cost | None:
        """
        Return what a channel's transactions of one kind come to.
        """
        return self.store.costs.sums(0, EVER).get((channel_id, kind))

    def refills(self) -> dict[str | None, Refills]:
        """
        Return all refills there ever were, by the channel that was filled.
        """
        return self.store.costs.refill_sums(0, EVER)

    def sql(self, query: str) -> list[Any]:
        """
        Return what the books' file holds.
        """
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(query).fetchall()

    def contents(self) -> dict[str, list[Any]]:
        """
        Return all that was counted.
        """
        return {table: self.sql(f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608 -- ours

    def _call(self, method: str, params: dict[str, object]) -> object:
        try:
            return self.node.answer(method, params)
        except RpcRefusalError as refusal:
            raise NodeRefusedError(method, refusal.code, refusal.message) from None


def total(sums: dict[str | None, Refills]) -> Refills:
    """
    Return what refills of several channels come to.
    """
    parts = [attrs.astuple(part) for part in sums.values()]
    return Refills(
        count=sum(part[0] for part in parts),
        amount_msat=sum(part[1] for part in parts),
        cost_msat=sum(part[2] for part in parts),
    )
