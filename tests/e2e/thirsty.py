"""A node with a channel that sells more than it holds, and what refilling it really cost."""

import sqlite3
from contextlib import closing
from typing import Any

import attrs
from e2e.office import Office
from fakes import FakeNode, HangUpError

from revops.core.actions import StartRebalance
from revops.core.budget import Limits
from revops.core.plan import Decision
from revops.core.treasury import Attempt
from revops.core.uptime import Watched

TARGET = "150x1x0"
SOURCE = "150x7x0"
PRICE_PPM = 2000
CHUNK = 100_000_000
FEE = 10_000
"""What a chunk costs at the 100 ppm that the fake's market asks for."""
CHUNKS = 4
AMOUNT, COST = CHUNKS * CHUNK, CHUNKS * FEE
SIZES = {"rebalance_min_amount": "400000", "rebalance_max_amount": "400000"}
"""Options under which a refill is of that amount: what pays best is the core's business."""
MINUTE = 60
HOUR = 3600
DAY = 86_400


def make_thirsty(node: FakeNode, target: str = TARGET, days: int = 10) -> None:
    """
    Have *target* all but empty after *days* in which much left by it.
    """
    channel = node.channel(target)
    held = channel["total_msat"] * 6 // 100
    channel |= {
        "to_us_msat": held,
        "spendable_msat": held - 10_000_000,
        "receivable_msat": channel["total_msat"] - held - 10_000_000,
    }
    sold = channel["total_msat"] // 50
    ends = [node.now - day * DAY + hour * 3600 for day in range(days, 0, -1) for hour in range(6)]
    node.forwards = [_sale(target, sold, end, node) for end in ends] + node.forwards
    for number, row in enumerate(node.forwards, 1):
        row |= {"created_index": number, "updated_index": number}


def _sale(target: str, amount: int, end: int, node: FakeNode) -> dict[str, Any]:
    fee = amount * PRICE_PPM // 1_000_000
    number = 10_000 + len(node.forwards) + end
    return {
        "in_channel": SOURCE,
        "in_htlc_id": number,
        "out_channel": target,
        "out_htlc_id": number,
        "in_msat": amount + fee,
        "out_msat": amount,
        "fee_msat": fee,
        "status": "settled",
        "style": "tlv",
        "received_time": end - 1.0,
        "resolved_time": float(end),
    }


def settle_in(office: Office, *targets: str) -> None:
    """
    Have the plugin know the node as after a day: its peers are there, what *targets* charge is
    decided, and all forwards are counted.
    """
    yesterday = office.clock.now() // DAY - 1
    peers = {channel["peer_id"] for channel in office.node.channels}
    office.app.store.add_uptime({(peer, yesterday): Watched(DAY, DAY) for peer in peers}, 0)
    for target in targets or (TARGET,):
        peer_id = office.node.channel(target)["peer_id"]
        office.call("revenue-policy", "set", peer_id=peer_id, strategy="static", fee_ppm=PRICE_PPM)
    office.cycle()
    office.keep_books()
    office.node.calls.clear()
    office.logs.clear()


# What it cost --------------------------------------------------------------------------------


class CrashError(BaseException):
    """
    The end of the process, in the middle of whatever it did.
    """


def crash(*_: Any, **__: Any) -> None:
    """
    End here.
    """
    raise CrashError


def hang_up() -> None:
    """
    Answer nothing.
    """
    raise HangUpError


class Ledger:
    """
    What was really paid, by the node's own list, held against what the books say.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._before = self._all_paid()

    def _all_paid(self) -> int:
        us = self._office.node.info["id"]
        return sum(
            row["amount_sent_msat"] - row["amount_msat"]
            for row in self._office.node.books.payments
            if row["status"] == "complete" and row.get("destination") == us
        )

    @property
    def paid(self) -> int:
        """
        Return what circular payments cost since the beginning.
        """
        return self._all_paid() - self._before

    @property
    def settled(self) -> int:
        """
        Return what the books say that they cost.
        """
        with closing(sqlite3.connect(self._office.app.store.path)) as books:
            query = "SELECT ifnull(sum(spent_msat), 0) FROM reservations"
            return books.execute(query).fetchone()[0]

    @property
    def held(self) -> int:
        """
        Return what is reserved and not settled.
        """
        return self._office.app.store.treasury.spending(self._office.clock.now()).held_msat

    def check(self) -> None:
        """
        Nothing was paid that is not held or settled, and no more than the budget allows.
        """
        office = self._office
        spent = office.app.store.treasury.spending(office.clock.now())
        assert self.settled <= self.paid <= self.settled + self.held
        if office.app.money.last:
            limits = office.app.money.last.plan.limits
            assert spent.day_msat + spent.held_msat <= limits.day_msat
            assert spent.week_msat + spent.held_msat <= limits.week_msat


def attempts(office: Office) -> tuple[Attempt, ...]:
    """
    Return all rebalances, the first one first.
    """
    return office.app.store.treasury.attempts(0)


def asked(office: Office, method: str) -> list[dict[str, Any]]:
    """
    Return what sling was asked.
    """
    return office.node.called(method)


def outcomes(office: Office) -> list[type]:
    """
    Return what became of what the last money cycle wanted to begin.
    """
    return [type(outcome) for _, outcome in office.app.money.last.done]


def refills(office: Office, channel_id: str) -> tuple[int, int]:
    """
    Return how many refills a channel had, and what they cost.
    """
    found = office.app.store.costs.refills(office.clock.now())[channel_id]
    return found.count, found.cost_msat


def until_over(office: Office, ledger: Ledger, minutes: int = 10) -> Attempt:
    """
    Live until the last rebalance is over, and return it.
    """
    for _ in range(minutes):
        office.live(MINUTE, ledger.check)
        if not attempts(office)[-1].open:
            return attempts(office)[-1]
    raise AssertionError(attempts(office)[-1])


def wanted(office: Office, scid: str = TARGET) -> tuple[Decision, Limits]:
    """
    Return what a money cycle would begin, into *scid*, as an operator may order it.
    """
    office.configure(dry_run="true")
    office.move()
    office.configure(dry_run="false")
    plan, channel = office.app.money.last.plan, office.node.channel(scid)
    (decision,) = [d for d in plan.decisions if isinstance(d.action, StartRebalance)]
    return into(decision, channel), plan.limits


def into(decision: Decision, channel: dict[str, Any]) -> Decision:
    """
    Return *decision* about another channel.
    """
    ids = {
        "channel_id": channel["channel_id"],
        "scid": channel["short_channel_id"],
        "peer_id": channel["peer_id"],
    }
    return attrs.evolve(decision, **ids, action=attrs.evolve(decision.action, **ids))
