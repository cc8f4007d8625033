"""An audit of rebalances at every write: what the node really paid against what the books say."""

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

import attrs
from e2e.strikes import StruckOffice
from fake_circular import Circle
from fake_sling_orders import Order

from revops.adapters.sling import MOST_HOPS

DAY: Final = 86_400
GIVEN_UP: Final = "reservation-timeout-hours are over"
_OPEN: Final = ("reserved", "in_flight", "unknown")
_ROWS: Final = """
    SELECT id, to_channel, from_channels, rebalance_log.amount_msat, chunk_msat,
    reservations.amount_msat, scid, state, spent_msat, settled_at, ending, why
    FROM rebalance_log JOIN reservations ON rebalance_id = id ORDER BY id
"""


@attrs.frozen
class Row:
    """
    A rebalance as it stands in the books.
    """

    number: int
    to_channel: str
    from_channels: str
    amount: int
    chunk: int
    reserved: int
    scid: str
    state: str
    spent: int | None
    settled_at: int | None
    ending: str | None
    why: str | None

    @property
    def open(self) -> bool:
        """
        Return whether its money is held.
        """
        return self.state in _OPEN

    @property
    def given_up(self) -> bool:
        """
        Return whether all that it might have cost was counted, as nobody could tell.
        """
        return not self.open and GIVEN_UP in (self.why or "")


def ordered_by_us(order: Order) -> bool:
    """
    Return whether revops gave *order*: the operators of these tests never say how long a route may
    be.
    """
    return order.maxhops == MOST_HOPS


class Audit:
    """
    Attributes:
        hindered: Rebalances that could not be looked after for some time.
        jobs: What the operator keeps in sling.
        onces: Channels for which the operator ordered something once.
        by_hand: The operator's own circular payments, as (from, to, amount, fee) by their hash.
        most_a_day: The highest daily budget so far.
        slips: Whether the clock was set: then a day is not a day.
    """

    def __init__(self, office: StruckOffice) -> None:
        self._office = office
        self._sling = office.node.sling
        self._books = sqlite3.connect(f"{office.app.store.path.as_uri()}?mode=ro", uri=True)
        self._begun: dict[int, int] = {}
        self._ended: dict[int, Row] = {}
        self.hindered: set[int] = set()
        self.jobs: dict[str, Order] = {}
        self.onces: set[str] = set()
        self.by_hand: dict[str, tuple[str, str, int, int]] = {}
        self.most_a_day = 0
        self.slips = False
        office.written, office.asked = self._written, self._asked

    def close(self) -> None:
        """
        Look no more.
        """
        self._books.close()

    # What there is -------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """
        Return all rebalances.
        """
        return [Row(*row) for row in self._books.execute(_ROWS)]

    def opened(self) -> list[Row]:
        """
        Return those whose money is held.
        """
        return [row for row in self.rows() if row.open]

    def circles(self, row: Row) -> Iterator[Circle]:
        """
        Return the payments of a rebalance: those that sling made for us into its channel, from
        when its money was reserved until it was for another one.
        """
        later = (
            self._begun[other.number]
            for other in self.rows()
            if other.number > row.number and other.to_channel == row.to_channel
        )
        for order, circle in self._sling.sent[self._begun[row.number] : next(later, None)]:
            if ordered_by_us(order) and circle.target["channel_id"] == row.to_channel:
                yield circle

    def paid(self, row: Row) -> dict[str, int]:
        """
        Return what the payments of a rebalance cost, by their hashes.
        """
        return {
            circle.row["payment_hash"]: circle.fee
            for circle in self.circles(row)
            if circle.status == "complete"
        }

    def counted(self, row: Row) -> dict[str, int]:
        """
        Return what the books count for it.
        """
        query = "SELECT payment_hash, fee_msat FROM refills WHERE rebalance_id = ?"
        found = self._books.execute(query, (row.number,)).fetchall()
        assert len(found) == len(dict(found)), "a payment is counted twice"
        return dict(found)

    # At every write ------------------------------------------------------------------------

    def _written(self, work: str) -> None:
        if not work.startswith("treasury"):
            return
        rows = self.rows()
        new = [row for row in rows if row.number not in self._begun]
        self._begun |= {row.number: len(self._sling.sent) for row in new}
        if any(row.open for row in new):
            self._check_budget(rows)
        for row in rows:
            if not row.open and row.number not in self._ended:
                self._ended[row.number] = row
                self._check_end(row)

    def _check_budget(self, rows: list[Row]) -> None:
        now, config = self._office.clock.now(), self._office.settings.config
        day = config.daily_budget_sats * 1000
        week = config.weekly_budget_sats * 1000 or 7 * day
        held = sum(row.reserved for row in rows if row.open)
        for limit, span in ((day, DAY), (week, 7 * DAY)):
            spent = sum(row.spent or 0 for row in rows if (row.settled_at or 0) > now - span)
            assert spent + held <= limit, f"{spent} spent and {held} held of {limit} in {span} s"
        self.most_a_day = max(self.most_a_day, day)

    def _check_end(self, row: Row) -> None:
        paid, counted = self.paid(row), self.counted(row)
        if row.given_up:
            assert row.spent == max(row.reserved, sum(counted.values()))
            return
        waiting = [circle.row["status"] for circle in self.circles(row) if not circle.over]
        assert not waiting, f"{row}: settled while {waiting} was under way"
        self._check_counted(row, paid, counted)
        assert (row.spent or 0) == sum(counted.values()), f"{row}: {counted} is counted"

    def _check_counted(self, row: Row, paid: dict[str, int], counted: dict[str, int]) -> None:
        missing = paid.keys() - counted.keys()
        assert not missing, f"{row}: {len(missing)} payments are not counted"
        assert all(counted[name] == fee for name, fee in paid.items()), row
        strange = [name for name in counted.keys() - paid.keys() if not self._is_alike(name, row)]
        assert not strange, f"{row}: {len(strange)} payments of others are counted"

    def _is_alike(self, payment_hash: str, row: Row) -> bool:
        """
        Return whether somebody else's payment cannot be told from one of *row*.
        """
        if payment_hash in self.by_hand:
            source, target, amount, _ = self.by_hand[payment_hash]
        else:
            theirs = {
                circle.row["payment_hash"]: circle
                for order, circle in self._sling.sent
                if not ordered_by_us(order)
            }
            circle = theirs.get(payment_hash)
            if circle is None:
                return False
            source, target = circle.source["channel_id"], circle.target["channel_id"]
            amount = circle.amount
        return amount == row.chunk and target == row.to_channel and source in row.from_channels

    # At every call -------------------------------------------------------------------------

    def _asked(self, method: str, params: Any) -> None:
        if method == "sling-once":
            self._check_start(params)
        elif method in ("sling-stop", "sling-deletejob"):
            (scid,) = params.values()
            assert scid in {row.scid for row in self.opened()}, f"{method} {scid}: not ours"
            assert scid not in self._sling.jobs, f"{method} {scid}: somebody else's job"
        else:
            assert method not in ("sling-job", "sling-go"), method

    def _check_start(self, params: Any) -> None:
        scid, amount = params["scid"], params["amount"]
        (row,) = [row for row in self.opened() if row.scid == scid]
        assert row.state == "reserved", f"{row}: begun twice"
        dearest = -(-amount * 1000 * params["maxppm"] // 1_000_000)
        assert (params["onceamount"] // amount + 1) * dearest <= row.reserved
        needed = {scid, *params["candidates"]}
        for job in self._sling._read_jobs().values():
            used = needed & {job.scid, *(job.candidates or ())}
            assert not used, f"sling-once {scid}: {used} is somebody else's"

    # After every event ---------------------------------------------------------------------

    def check(self) -> None:
        """
        Check what has to hold at any time.
        """
        rows = {row.number: row for row in self.rows()}
        assert self._begun.keys() <= rows.keys(), "a rebalance was forgotten"
        for number, ended in self._ended.items():
            now = rows[number]
            assert (now.state, now.spent) == (ended.state, ended.spent), f"{now}: was {ended}"
            assert now.settled_at <= ended.settled_at
        for row in rows.values():
            self._check_limit(row)
            if not row.given_up:
                known = self.counted(row)
                arrived = self.paid(row) if not row.open else self.paid(row).keys() & known.keys()
                self._check_counted(row, {name: self.paid(row)[name] for name in arrived}, known)
        assert self._sling.jobs == self.jobs, "the operator's jobs were changed"
        self._check_day()

    def _check_limit(self, row: Row) -> None:
        """
        Nothing costs more than was reserved, unless sling paid again for what it had given up
        while nobody could stop it.
        """
        paid = self.paid(row)
        extra = len(paid) - row.amount // row.chunk
        hung = sum(
            circle.status == "complete" and self._hung(circle) for circle in self.circles(row)
        )
        if extra > 1:
            assert row.number in self.hindered, f"{row}: {extra} more payments than ordered"
            assert extra <= hung, f"{row}: {extra} more payments than ordered, {hung} hung"
        else:
            assert sum(paid.values()) <= row.reserved, row

    def _hung(self, circle: Circle) -> bool:
        fate = circle.fate
        return fate.arrives_s + fate.returns_s >= self._sling.timeout_s

    def _check_day(self) -> None:
        """
        In no 24 hours is more paid than a day's budget, but for what sling pays again.
        """
        if self.slips:
            return
        since = self._sling.now - DAY
        lately = (
            circle.fee
            for order, circle in self._sling.sent
            if ordered_by_us(order) and circle.status == "complete" and circle.begun > since
        )
        beyond = sum(
            max(0, sum(self.paid(row).values()) - row.reserved)
            for row in self.rows()
            if row.number in self.hindered
        )
        assert sum(lately) <= self.most_a_day + beyond

    # At the end ----------------------------------------------------------------------------

    def check_end(self) -> None:
        """
        Check that nothing is left over.
        """
        assert not self.opened(), self.opened()
        for row in self.rows():
            paid = sum(self.paid(row).values())
            if row.given_up:
                assert row.spent >= min(paid, row.reserved), row
            if (row.spent or 0) > row.reserved:
                told = f"rebalance={row.number} "
                lines = [line for _, line in self._office.logs if told in line]
                assert any(f"fee_msat={row.spent}" in line for line in lines), lines
        listed = {row["scid"] for row in self._office.node.answer("sling-stats", {"json": True})}
        # What was given up while sling was silent may still be listed.
        lost = {row.scid for row in self.rows() if row.given_up}
        ours = listed - self.onces - self.jobs.keys() - lost
        assert not ours, f"sling still lists {ours}"

    def check_all_booked(self) -> None:
        """
        Check that every circular payment is in the books, once, whoever made it.
        """
        query = "SELECT payment_hash, sum(fee_msat), count(*) FROM refills GROUP BY payment_hash"
        booked = {name: (fee, count) for name, fee, count in self._books.execute(query)}
        real = {name: (fee, 1) for name, (_, _, _, fee) in self.by_hand.items()}
        real |= {
            circle.row["payment_hash"]: (circle.fee, 1)
            for _, circle in self._sling.sent
            if circle.status == "complete"
        }
        assert {name: booked.get(name) for name in real} == real
