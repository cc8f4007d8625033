"""
Treasurers: two workers on the same books, beside the truth and a purse that forgets nothing.

Whatever is done here is done to the books and to the purse; laws compare them at any time. A
worker does what the shell does: it settles by what the node lists, read to its end, and only once
the rebalancer is at it no more.
"""

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from property.purse import CHANNELS, PEER, Job, Line, Paid, Purse, Truth, scid

from revops.adapters.store import Store
from revops.core.actions import StartRebalance
from revops.core.budget import WEEK, Limits, limits
from revops.core.config import Config
from revops.core.plan import Decision, RebalancePlan
from revops.core.reasons import Code, because
from revops.core.refills import LONGEST
from revops.core.tally import Forward, tally
from revops.core.treasury import Attempt, Ending
from revops.core.units import DAY, HOUR

NOON = 20_000 * DAY + 12 * HOUR
PAGE = 3
BOTH = 2
"""How many sides a payment has."""
_TRAIL = (because(Code.BOUNDS, floor=1, ceiling=2),)


class KilledError(BaseException):
    """
    The end of the process.
    """


class Fuse:
    """
    A connection that dies before its next statement but so many.
    """

    def __init__(self, connection: Any, left: int) -> None:
        self._connection = connection
        self._left = left

    def execute(self, statement: str, *values: Any) -> Any:
        """
        Execute *statement*, or die.
        """
        self._burn(statement)
        return self._connection.execute(statement, *values)

    def executemany(self, statement: str, rows: Any) -> Any:
        """
        Execute *statement* with each of *rows*, or die.
        """
        self._burn(statement)
        return self._connection.executemany(statement, rows)

    @property
    def in_transaction(self) -> bool:
        """
        Return whether there is something to roll back.
        """
        return bool(self._connection.in_transaction)

    def _burn(self, statement: str) -> None:
        self._left -= statement not in {"BEGIN IMMEDIATE", "ROLLBACK"}
        if self._left < 0:
            raise KilledError


@functools.cache
def empty_books() -> bytes:
    """
    Return books in which nothing is written.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "books.db"
        Store.open(path).close()
        return path.read_bytes()


class Treasurers:
    """
    Two workers, what they know, and what is so.

    Attributes:
        old: The node keeps no list of what moved, but one of payments.
        fuse: After how many statements the next to write dies.
        most: The largest limits that something was reserved under.
        again: What a clock that was set back brought back into the windows.
    """

    def __init__(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "books.db"
        self.path.write_bytes(empty_books())
        self.stores = [self._opened() for _ in range(2)]
        self.now = NOON
        self.config = Config(daily_budget_sats=12)
        self.truth = Truth()
        self.purse = Purse()
        self.old = False
        self.fuse: int | None = None
        self.most = Limits(day_msat=0, week_msat=0)
        self.again = [0, 0]
        self._earned: dict[int, int] = {}
        self._counted_until: int | None = None
        self._saved: int | None = None

    def close(self) -> None:
        """
        Leave nothing behind.
        """
        for store in self.stores:
            store.close()
        self.directory.cleanup()

    # Processes -----------------------------------------------------------------------------

    def reopen(self, worker: int) -> None:
        """
        Let a worker begin anew, with nothing but the books.
        """
        self.stores[worker].close()
        self.stores[worker] = self._opened()

    def _opened(self) -> Store:
        store = Store.open(self.path)
        # They need not outlive a power cut.
        store._writer.submit(store._writing.execute, "PRAGMA synchronous = OFF").result()
        return store

    def _does(self, worker: int, work: Callable[[Store], Any]) -> Any:
        """
        Return what *work* returns with the books of a worker; `False` when that died in it.
        """
        store = self.stores[worker]
        if self.fuse is None:
            return work(store)
        plain, store._writing = store._writing, Fuse(store._writing, self.fuse)
        self.fuse = None
        try:
            return work(store)
        except KilledError:
            store._writing = plain
            self.reopen(worker)
            return False
        finally:
            store._writing = plain

    # The world around ----------------------------------------------------------------------

    def allow(self, day: int, more: int | None, share: float) -> None:
        """
        Set another budget.
        """
        self.config = Config(
            daily_budget_sats=day,
            weekly_budget_sats=0 if more is None else day + more,
            proportional_budget=share > 0,
            proportional_budget_pct=share,
        )

    def earn(self, worker: int, fee: int, ago: int) -> None:
        """
        Count a forward of some hours ago.
        """
        at = self.now - ago * HOUR
        forward = Forward(
            created_index=1,
            updated_index=1,
            in_scid=scid(CHANNELS[0]),
            out_scid=scid(CHANNELS[1]),
            in_msat=10**6 + fee,
            out_msat=10**6,
            fee_msat=fee,
            status="settled",
            received_at=at,
            resolved_at=at,
        )
        if self._does(worker, lambda s: s.take_forwards(tally([forward]), {}, self.now) is None):
            self._earned[at // HOUR] = self._earned.get(at // HOUR, 0) + fee
            self._counted_until = self.now

    def set_clock(self, seconds: int) -> None:
        """
        Let time pass, or set the clock; then what was out of sight may be in the windows again.
        """
        before = self.counted()
        for paid in self.truth.unlisted():
            # No payment is under way for longer, whatever the clock says.
            if paid.listed and self.now + seconds - paid.begun_at > LONGEST - 2 * DAY:
                self.show(paid, 1)
        self.now = max(self.now + seconds, NOON - 30 * DAY)
        self.again = [
            old + max(0, now - was)
            for old, was, now in zip(self.again, before, self.counted(), strict=True)
        ]

    def counted(self) -> tuple[int, int]:
        """
        Return what is settled, reserved, in flight or unknown, of a day and of a week.
        """
        return self.purse.counted(self.now, DAY), self.purse.counted(self.now, WEEK)

    # What is decided -----------------------------------------------------------------------

    def limits(self) -> Limits:
        """
        Return what may be spent, by what the books and a naive sum say alike.
        """
        revenues = []
        for seconds in (DAY, WEEK):
            found = self.stores[0].treasury.revenue(self.now, seconds)
            fresh = self._counted_until is not None and self._counted_until >= self.now - HOUR
            hours = range(-((seconds - self.now) // HOUR), self.now // HOUR + 1)
            assert found == (sum(self._earned.get(h, 0) for h in hours) if fresh else None)
            revenues.append(found)
        return limits(self.config, *revenues)

    def decide(
        self, worker: int, starts: list[StartRebalance], *, ordered: bool, dry_run: bool
    ) -> list[int]:
        """
        Decide on *starts* by a cycle, or on the first by an order; those may begin that fit, in
        order, and no others. Return their numbers.
        """
        most = self.limits()
        starts = starts[:1] if ordered else sorted(starts, key=lambda start: start.channel_id)
        decisions = [_decision(action) for action in starts]
        plan = RebalancePlan(at=self.now, decisions=decisions, node_trail=_TRAIL, limits=most)

        def work(store: Store) -> Any:
            if not ordered:
                return store.treasury.write_down(plan, dry_run=dry_run)
            entry = store.treasury.order(decisions[0], most, self.now, dry_run=dry_run)
            return (entry,) if entry else ()

        entries = self._does(worker, work)
        if entries is False:
            return []
        self.purse.recall(self.now)
        found = {entry.action: entry for entry in entries}
        for action in starts:
            fits = not dry_run and self.purse.fits(action, most, self.now)
            assert (action in found) == fits
            if fits:
                entry = found[action]
                self.purse.lines[entry.rebalance_id] = Line(action=action, at=self.now)
                self.truth.jobs[entry.rebalance_id] = Job(action=action, entry_id=entry.entry_id)
                self.most = Limits(
                    day_msat=max(self.most.day_msat, most.day_msat),
                    week_msat=max(self.most.week_msat, most.week_msat),
                )
        return [entry.rebalance_id for entry in entries]

    # What the rebalancer says --------------------------------------------------------------

    def ask(self, number: int, said: str) -> None:
        """
        Ask the rebalancer to begin; nobody has heard its answer yet.
        """
        job = self.truth.jobs[number]
        job.said, job.running = said, said == "started"

    def hear(self, worker: int, number: int) -> None:
        """
        Write down its answer; it may be the first time or another.
        """
        job, line = self.truth.jobs[number], self.purse.lines[number]
        if job.said == "started":
            if self._does(worker, lambda s: s.treasury.began(job.entry_id, self.now) is None):
                self.purse.hear(number, "in_flight")
        elif self._does(worker, lambda s: s.treasury.refused(job.entry_id, "no", self.now) is None):
            if line.state == "reserved" and not line.refills:
                self.purse.end(number, "rejected", None, self.now)
            else:
                self.purse.hear(number, "unknown")

    def lose(self, worker: int, number: int) -> None:
        """
        Write down that there was no answer.
        """
        entry_id = self.truth.jobs[number].entry_id
        if self._does(worker, lambda s: s.treasury.lost(entry_id, "silence", self.now) is None):
            self.purse.hear(number, "unknown")

    # What the node lists -------------------------------------------------------------------

    def show(self, paid: Paid, sides: int, *, pair: bool = True) -> None:
        """
        List up to so many more sides of a payment; an old node may not know where it went.
        """
        for _ in range(min(sides, BOTH - paid.listed)):
            self.truth.show(paid, self.now, pair=pair)

    def read_a_page(self, worker: int) -> bool:
        """
        Read some of what is listed; return whether nobody died of it.
        """
        book = self.stores[worker].costs
        if self.old:
            cursor = book.payments_read()
            refills = self.truth.completed[cursor : cursor + PAGE]
            last = cursor + len(refills)
            lives = self._does(
                worker, lambda s: s.costs.take_payments(refills, last, self.now) is None
            )
            for refill in refills if lives else ():
                self.purse.take(refill)
        else:
            cursor = book.moves_read()
            moves = self.truth.moves[cursor : cursor + PAGE]
            end = moves[-1].index if moves else None
            lives = self._does(worker, lambda s: s.costs.take_moves(moves, end, self.now) is None)
            for move in moves if lives else ():
                self.purse.take_move(move)
        return bool(lives)

    def read_to_the_end(self, worker: int) -> bool:
        """
        Read all that is listed; return whether nobody died of it.
        """
        while self.read_a_page(worker):
            book = self.stores[worker].costs
            read = book.payments_read() if self.old else book.moves_read()
            if read == len(self.truth.completed if self.old else self.truth.moves):
                return True
        return False

    def save(self, worker: int) -> None:
        """
        Save the node's database, if all of it was read and no payment is under way.
        """
        if not (self.old or self.truth.unlisted()) and self.read_to_the_end(worker):
            self._saved = len(self.truth.moves)

    def restore(self, worker: int) -> list[Paid]:
        """
        Set the node's database back, if all of it was read; return the payments that it lost.
        """
        if self._saved is None or not self.read_to_the_end(worker):
            return []
        last, self._saved = self._saved, None
        gone = {move.payment_hash for move in self.truth.moves[last:]}
        lost = [p for p in self.truth.payments if p.listed == BOTH and p.payment_hash in gone]
        if gone:
            self.truth.restore(last)
            self.stores[worker].costs.go_back(last)
        return lost

    # How it ends ---------------------------------------------------------------------------

    def settle(self, worker: int, number: int, ending: Ending) -> None:
        """
        Settle a rebalance, or find that it cannot be settled yet.
        """
        if self._under_way(number) or not self.read_to_the_end(worker):
            return
        book, line = self.stores[worker].treasury, self.purse.lines[number]
        if book.unpaired(self.attempts(worker)[number]):
            assert any(paid.listed == 1 for paid in self.truth.payments)
            return
        found = self._does(worker, lambda s: s.treasury.settle(number, ending, "over", self.now))
        if found:
            spent = line.fees if line.refills else None
            self.purse.end(number, ending.value, spent, self.now)
            assert found == self.attempts(worker)[number]

    def give_up(self, worker: int, number: int) -> None:
        """
        Settle a rebalance without evidence.
        """
        line = self.purse.lines[number]
        if self._does(worker, lambda s: s.treasury.give_up(number, "no evidence", self.now)):
            all_of_it = max(line.fees, line.action.max_fee_msat)
            self.purse.end(number, "vanished", all_of_it, self.now)

    def release_stale(self, worker: int, deadline_s: int) -> None:
        """
        Release what never began; what stays has a reason.
        """
        if not self.read_to_the_end(worker):
            return
        stays = self.purse.open()
        busy = [line.action.scid for number, line in stays.items() if self._under_way(number)]
        cleared = self._does(worker, lambda s: s.treasury.release_stale(self.now, deadline_s, busy))
        if not cleared:
            return
        for attempt in cleared.released:
            line = stays.pop(attempt.rebalance_id)
            assert line.state != "in_flight"
            assert not line.refills
            assert self.now - line.at >= deadline_s
            self.purse.end(attempt.rebalance_id, "vanished", None, self.now)
        assert {attempt.rebalance_id for attempt, _ in cleared.kept} == stays.keys()
        for line in stays.values():
            young = self.now - line.at < max(deadline_s, 1)
            busy_or_begun = line.action.scid in busy or line.state == "in_flight"
            assert young or busy_or_begun or line.refills or self.truth.unlisted()

    def _under_way(self, number: int) -> bool:
        # Both sides of a payment are listed some time after it is complete.
        return self.truth.under_way(number, complete=BOTH if self.old else 1)

    # What the books say --------------------------------------------------------------------

    def attempts(self, worker: int) -> dict[int, Attempt]:
        """
        Return what the books hold of each rebalance.
        """
        found = self.stores[worker].treasury.attempts(0)
        return {attempt.rebalance_id: attempt for attempt in found}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """
        Return what the file holds.
        """
        found: list[tuple[Any, ...]] = self.stores[0]._read(
            lambda books: books.execute(query).fetchall()
        )
        return found


def _decision(action: StartRebalance) -> Decision:
    return Decision(
        channel_id=action.channel_id,
        scid=action.scid,
        peer_id=PEER,
        area="rebalance",
        action=action,
        trail=_TRAIL,
    )
