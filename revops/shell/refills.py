"""Refills: circular payments, followed in the node's own lists, each counted once."""

from itertools import takewhile
from threading import Lock
from typing import Final

from revops.adapters.store import Store
from revops.core.refills import Payment, Refill, paired
from revops.core.units import MINUTE, Instant, Msat, PeerId
from revops.shell.ports import BooksPort, Unread

PAGE: Final = 5000
PAGES: Final = 4
"""How many pages are read in one go; the rest waits for the next, so that others get their turn."""
_BOOKED_AFTER: Final = 10 * MINUTE
"""When both sides of a payment that is complete are in bookkeeper's books."""


class RefillWalk:
    """
    A walk along what moved in the node's channels, or along its payments where it keeps no list
    of moves. Threads may take turns at it.

    Attributes:
        behind: Whether there was more than was read in one go.
        by_payments: The node keeps no list of moves, as before v25.09.
        blind: It keeps no list of payments either, as before v23.11.
        young: Payments that were listed and may not be in bookkeeper's books yet: they wait.
    """

    def __init__(self, node: BooksPort, store: Store) -> None:
        self._node = node
        self._book = store.costs
        self._lock = Lock()
        self.behind = False
        self.by_payments = self.blind = False
        self.young: tuple[Payment, ...] = ()

    def catch_up(self, us: PeerId, now: Instant) -> Unread:
        """
        Bring the refills up to *now*, as far as is read in one go, and return a sentence for what
        was told and cannot be.

        Raises:
            NodeRefusedError, NoAnswerError: The node did not list them; the books stay as far
                as they got.
        """
        problems: Unread = ()
        with self._lock:
            self.behind = False
            for _ in range(PAGES):
                unread, done = self._read_moves(us, now)
                problems += unread
                if done:
                    return problems
            self.behind = True
        return problems

    def to_end(self, us: PeerId, now: Instant) -> Unread:
        """
        Bring the refills up to *now*, however much that is; see `catch_up`.
        """
        problems = self.catch_up(us, now)
        while self.behind:
            problems += self.catch_up(us, now)
        return problems

    def _read_moves(self, us: PeerId, now: Instant) -> tuple[Unread, bool]:
        cursor = self._book.moves_read()
        page = self._node.moves(cursor + 1, PAGE)
        self.by_payments = page is None
        if page is None:
            return self._read_payments(us, now)
        gone_back = self._end(cursor) if page.last is None else ()
        done = page.count < PAGE
        self._book.take_moves(page.rows, page.last, now if done else None)
        return page.problems + gone_back, done

    def _end(self, cursor: int) -> Unread:
        last = self._node.last_move()
        if last >= cursor:
            return ()
        self._book.go_back(last)
        problem = (
            f"listchannelmoves ends at row {last} and went to {cursor} before: the node's database"
            " was restored; what is counted stays, and counting goes on from there"
        )
        return (problem,)

    def _read_payments(self, us: PeerId, now: Instant) -> tuple[Unread, bool]:
        page = self._node.payments(us, self._book.payments_read() + 1, PAGE)
        self.blind = page is None
        if page is None:
            return (), True
        # What a clock that was ahead dated later is old: to wait for that time would keep all that
        # comes after it waiting too.
        booked = tuple(
            takewhile(lambda payment: abs(now - payment.completed_at) >= _BOOKED_AFTER, page.rows)
        )
        problems = page.problems
        refills: list[Refill] = []
        for payment in booked:
            found, unread = self._refills_of(payment)
            refills += found
            problems += unread
        young = page.rows[len(booked) :]
        self.young = young
        last = young[0].index - 1 if young else page.last
        done = bool(young) or page.count < PAGE
        self._book.take_payments(refills, last, now if done else None)
        return problems, done

    def _refills_of(self, payment: Payment) -> tuple[tuple[Refill, ...], Unread]:
        moves, problems = self._node.payment_moves(payment.payment_hash)
        found, _ = paired((), moves)
        fee = Msat(payment.sent_msat - payment.amount_msat)
        if found or not fee:
            return found, problems
        nowhere = Refill(
            payment_hash=payment.payment_hash,
            part=payment.part,
            at=payment.completed_at,
            from_channel=None,
            to_channel=None,
            amount_msat=payment.amount_msat,
            fee_msat=fee,
        )
        return (nowhere,), problems
