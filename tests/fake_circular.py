"""Circular payments of a fake node: under way for as long as a test wants, then booked."""

from typing import Any

import attrs
from fake_books import FakeBooks, named


@attrs.frozen(kw_only=True)
class Fate:
    """
    What becomes of a payment; nothing takes time unless it says so.

    Attributes:
        settles: Whether it is paid, if it comes before the payer has forgotten it.
        arrives_s: Until it is back at the node, or fails.
        credited_s: From then on until the node writes down what it brought.
        returns_s: From its arrival until it is complete: word of it goes all the way back.
        debited_s: From then on until the node writes down what it took.
    """

    settles: bool = True
    arrives_s: int = 0
    credited_s: int = 0
    returns_s: int = 0
    debited_s: int = 0


PAID = Fate()
FAILED = Fate(settles=False)


@attrs.define(kw_only=True, eq=False)
class Circle:
    """
    A payment from one channel of the node to another.

    Attributes:
        known: Whether whoever sent it still knows its preimage.
        row: Its row of `listsendpays`.
    """

    begun: int
    fate: Fate
    source: dict[str, Any]
    target: dict[str, Any]
    amount: int
    fee: int
    row: dict[str, Any]
    known: bool = True
    arrived: bool = False
    credited: bool = False
    debited: bool = False

    @property
    def status(self) -> str:
        """
        Return what lightningd says that became of it.
        """
        return self.row["status"]

    @property
    def over(self) -> bool:
        """
        Return whether there is nothing left to come of it.
        """
        return self.status == "failed" or (self.credited and self.debited)


class Circulation:
    """
    The circular payments of a node that are under way, or booked by halves.
    """

    def __init__(self, node_id: str, books: FakeBooks) -> None:
        self._node_id = node_id
        self._books = books
        self.under_way: list[Circle] = []

    def send(
        self,
        channels: tuple[dict[str, Any], dict[str, Any]],
        amounts: tuple[int, int],
        fate: Fate,
        now: int,
        at: int,
    ) -> Circle:
        """
        Send an amount, at a fee, from the first to the second of *channels*; *now* counts its
        seconds, and *at* is what the node's clock says.
        """
        (source, target), (amount, fee) = channels, amounts
        number = 1 + max((row["created_index"] for row in self._books.payments), default=0)
        row = {
            "created_index": number,
            "id": number,
            "payment_hash": named(f"circle {number}"),
            "groupid": 1,
            "destination": self._node_id,
            "amount_msat": amount,
            "amount_sent_msat": amount + fee,
            "created_at": at,
            "status": "pending",
        }
        self._books.payments.append(row)
        circle = Circle(
            begun=now, fate=fate, source=source, target=target, amount=amount, fee=fee, row=row
        )
        if source["spendable_msat"] < amount + fee:
            self._end(circle, "failed", at)
            return circle
        source["spendable_msat"] -= amount + fee
        self._add_htlc(circle, source, "out", "SENT_ADD_ACK_REVOCATION")
        self.under_way.append(circle)
        self.pass_by(now, at)
        return circle

    def pass_by(self, now: int, at: int) -> None:
        """
        Let everything happen that is due.
        """
        for circle in self.under_way:
            self._go_on(circle, now - circle.begun, at)
        self.under_way = [circle for circle in self.under_way if not circle.over]

    def _go_on(self, circle: Circle, age: int, at: int) -> None:
        fate = circle.fate
        if not circle.arrived and age >= fate.arrives_s:
            if not (fate.settles and circle.known):
                self._fail(circle, at)
                return
            circle.arrived = True
            self._add_htlc(circle, circle.target, "in", "SENT_REMOVE_COMMIT")
        if not circle.arrived:
            return
        if not circle.credited and age >= fate.arrives_s + fate.credited_s:
            self._credit(circle, at)
        if circle.status == "pending" and age >= fate.arrives_s + fate.returns_s:
            self._end(circle, "complete", at)
            circle.row["payment_preimage"] = named(f"preimage {circle.row['payment_hash']}")
        is_complete = circle.status == "complete" and not circle.debited
        if is_complete and age >= fate.arrives_s + fate.returns_s + fate.debited_s:
            self._debit(circle, at)

    def _fail(self, circle: Circle, at: int) -> None:
        circle.source["spendable_msat"] += circle.amount + circle.fee
        self._remove_htlc(circle, circle.source)
        self._end(circle, "failed", at)

    def _credit(self, circle: Circle, at: int) -> None:
        target = circle.target
        target["to_us_msat"] += circle.amount
        target["spendable_msat"] += circle.amount
        target["receivable_msat"] -= min(circle.amount, target["receivable_msat"])
        self._remove_htlc(circle, target)
        self._books.book(
            target["channel_id"], circle.row["payment_hash"], (circle.amount, 0, 0), at, {}
        )
        circle.credited = True

    def _debit(self, circle: Circle, at: int) -> None:
        sent = circle.amount + circle.fee
        circle.source["to_us_msat"] -= sent
        circle.source["receivable_msat"] += sent
        self._remove_htlc(circle, circle.source)
        ids = {"part_id": 0, "group_id": 1}
        account, amounts = circle.source["channel_id"], (0, sent, circle.fee)
        self._books.book(account, circle.row["payment_hash"], amounts, at, ids)
        circle.debited = True

    def _end(self, circle: Circle, status: str, at: int) -> None:
        last = max((row.get("updated_index", 0) for row in self._books.payments), default=0)
        circle.row |= {"status": status, "completed_at": at, "updated_index": last + 1}

    def _add_htlc(
        self, circle: Circle, channel: dict[str, Any], direction: str, state: str
    ) -> None:
        channel.setdefault("htlcs", []).append(
            {
                "direction": direction,
                "id": circle.row["id"],
                "amount_msat": circle.amount + (circle.fee if direction == "out" else 0),
                "expiry": 700,
                "payment_hash": circle.row["payment_hash"],
                "state": state,
            }
        )

    def _remove_htlc(self, circle: Circle, channel: dict[str, Any]) -> None:
        channel["htlcs"] = [
            htlc for htlc in channel["htlcs"] if htlc["payment_hash"] != circle.row["payment_hash"]
        ]
