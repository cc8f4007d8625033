"""§6 Budget: whatever happens, in whatever order, no more is spent than was allowed."""

import functools
import itertools
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from property.purse import CHANNELS, PEER, Job, Line, Purse, Truth, scid, start
from property.strategies import whole

from revops.adapters.store import Store
from revops.core.budget import WEEK, Limits, limits
from revops.core.config import Config
from revops.core.plan import Decision, RebalancePlan
from revops.core.reasons import Code, because
from revops.core.refills import LONGEST
from revops.core.tally import Forward, tally
from revops.core.treasury import Ending
from revops.core.units import DAY, HOUR

NOON = 20_000 * DAY + 12 * HOUR
PAGE = 3
WORKERS = st.integers(0, 1)
TARGETS = st.integers(0, 3)
SOURCES = st.lists(TARGETS, min_size=2, max_size=3, unique=True)
CHUNKS = st.sampled_from((10_000, 20_000))
STARTS = st.builds(
    start, TARGETS, SOURCES, CHUNKS, st.integers(1, 3), st.sampled_from((1, 400, 700, 1000))
)
DAILY, SHARES = st.integers(4, 20), st.sampled_from((0.0, 0.3, 1.0))
MORE = st.none() | st.integers(0, 8)
"""How much more a week's budget is than a day's."""
FEES = st.none() | st.tuples(st.integers(0, 20_000), st.integers(0, 200))
"""What a forward earned, and how many hours ago."""
SECONDS = whole(1, 3 * HOUR) | st.sampled_from(
    [
        sign * days * DAY + second
        for sign in (1, 1, -1)
        for days in (1, 2, 5, 7, 20)
        for second in (-1, 0)
    ]
)
PLANS = st.lists(STARTS, min_size=1, max_size=2, unique_by=lambda start: start.channel_id)
SAID = st.sampled_from(("started", "started", "started", "refused", None))
TRAIL = (because(Code.BOUNDS, floor=1, ceiling=2),)


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

    def _burn(self, statement: str) -> None:
        self._left -= statement not in ("BEGIN IMMEDIATE", "ROLLBACK")
        if self._left < 0:
            raise KilledError

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
        return self._connection.in_transaction


@functools.cache
def empty_books() -> bytes:
    """
    Return books in which nothing is written.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "books.db"
        Store.open(path).close()
        return path.read_bytes()


class Spending(RuleBasedStateMachine):
    """
    Two workers on the same books begin rebalances of four channels, ask a rebalancer whose
    answers get lost or come twice, and settle by what the node lists of payments: late, in parts,
    again, and among those of others. Budget and revenue change, the clock is set, processes die.
    """

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "books.db"
        self.path.write_bytes(empty_books())
        self.stores = [self.opened() for _ in range(2)]
        self.now = NOON
        self.config = Config(daily_budget_sats=12)
        self.truth = Truth()
        self.purse = Purse()
        self.earned: dict[int, int] = {}
        self.counted_until: int | None = None
        self.old = False
        self.saved: int | None = None
        self.fuse: int | None = None
        self.checked = itertools.cycle((0, 1))
        # The largest limits that something was reserved under; and what a clock that was set back
        # brought back into the windows.
        self.most = Limits(day_msat=0, week_msat=0)
        self.again = [0, 0]
        self.ended: dict[int, Any] = {}

    @initialize(old=st.booleans(), starts=PLANS, said=SAID, heard=st.booleans())
    def begin(self, old, starts, said, heard):
        """
        The node keeps a list of what moved, or is of a version that did not yet; and a first
        cycle begins.
        """
        self.old = old
        self.decide(0, starts[:1], said, heard=heard)

    def teardown(self):
        """
        Leave nothing behind.
        """
        for store in self.stores:
            store.close()
        self.directory.cleanup()

    # Processes -----------------------------------------------------------------------------

    def opened(self):
        """
        Return the books, which need not outlive a power cut.
        """
        store = Store.open(self.path)
        store._writer.submit(store._writing.execute, "PRAGMA synchronous = OFF").result()
        return store

    def does(self, worker, work):
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

    @rule(worker=WORKERS, data=st.data(), what=st.sampled_from(("die", "clock", "clock", "budget")))
    def something_happens(self, worker, data, what):
        """
        A process dies: now, or whichever writes next, in the middle of it if it gets that far. Or
        time passes, or the clock is set. Or the operator sets another budget.
        """
        if what == "clock":
            self.set_clock(data.draw(SECONDS))
        elif what == "budget":
            self.allow(worker, *(data.draw(values) for values in (DAILY, MORE, SHARES, FEES)))
        elif (statements := data.draw(st.none() | st.integers(0, 12))) is None:
            self.reopen(worker)
        else:
            self.fuse = statements

    def reopen(self, worker):
        """
        A process begins with nothing but the books.
        """
        self.stores[worker].close()
        self.stores[worker] = self.opened()

    # What the operator, the payers and the clock do -----------------------------------------

    def allow(self, worker, day, more, share, forward):
        """
        Set another budget, and perhaps count a forward.
        """
        if forward:
            self.earn(worker, *forward)
        self.config = Config(
            daily_budget_sats=day,
            weekly_budget_sats=0 if more is None else day + more,
            proportional_budget=share > 0,
            proportional_budget_pct=share,
        )

    def earn(self, worker, fee, ago):
        """
        A forward is counted.
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
        if self.does(worker, lambda s: s.take_forwards(tally([forward]), {}, self.now) is None):
            self.earned[at // HOUR] = self.earned.get(at // HOUR, 0) + fee
            self.counted_until = self.now

    def set_clock(self, seconds):
        """
        Time passes, or the clock is set; then what was out of sight may be in the windows again.
        """
        before = self.counted()
        self.now = max(self.now + seconds, NOON - 30 * DAY)
        # No payment is under way for longer, whatever the clock says.
        for paid in self.truth.unlisted():
            if paid.listed and self.now - paid.begun_at > LONGEST - 2 * DAY:
                self.now -= seconds
                self.show(paid, 1)
                self.now += seconds
        risen = (now - was for was, now in zip(before, self.counted(), strict=True))
        self.again = [
            sum(both) for both in zip(self.again, (max(0, r) for r in risen), strict=True)
        ]

    def counted(self):
        """
        Return what is settled, reserved, in flight or unknown, of a day and of a week.
        """
        return self.purse.counted(self.now, DAY), self.purse.counted(self.now, WEEK)

    # What is decided -----------------------------------------------------------------------

    def limits(self):
        """
        Return what may be spent, by what the books and a naive sum say alike.
        """
        revenues = []
        for seconds in (DAY, WEEK):
            found = self.stores[0].treasury.revenue(self.now, seconds)
            fresh = self.counted_until is not None and self.counted_until >= self.now - HOUR
            hours = range(-((seconds - self.now) // HOUR), self.now // HOUR + 1)
            assert found == (sum(self.earned.get(h, 0) for h in hours) if fresh else None)
            revenues.append(found)
        return limits(self.config, *revenues)

    @precondition(lambda self: not (self.old and self.purse.open()))
    @rule(
        worker=WORKERS,
        starts=PLANS,
        said=SAID,
        heard=st.booleans(),
        ordered=st.booleans(),
        dry_run=st.sampled_from((False, False, False, True)),
    )
    def cycle(self, worker, starts, said, heard, ordered, dry_run):
        """
        A cycle begins rebalances, or the operator orders one.
        """
        starts = starts[: 1 if self.old or ordered else None]
        self.decide(worker, starts, said, heard=heard, ordered=ordered, dry_run=dry_run)

    def decide(self, worker, starts, said, *, heard, ordered=False, dry_run=False):
        """
        Rebalances are decided, by a cycle or the operator; those that fit are begun, in order,
        unless somebody dies before the rebalancer is asked, or before its answer is written down.
        """
        most = self.limits()
        expected, held = [], 0
        for action in sorted(starts, key=lambda start: start.channel_id):
            if not dry_run and self.purse.fits(action, most, self.now, held):
                expected.append(action)
                held += action.max_fee_msat
        decisions = [
            Decision(
                channel_id=action.channel_id,
                scid=action.scid,
                peer_id=PEER,
                area="rebalance",
                action=action,
                trail=TRAIL,
            )
            for action in starts
        ]
        if ordered:
            entry = self.does(
                worker,
                lambda s: s.treasury.order(decisions[0], most, self.now, dry_run=dry_run) or (),
            )
            entries = (entry,) if entry else entry
        else:
            plan = RebalancePlan(at=self.now, decisions=decisions, node_trail=TRAIL, limits=most)
            entries = self.does(worker, lambda s: s.treasury.write_down(plan, dry_run=dry_run))
        if entries is False:
            return
        assert [entry.action for entry in entries] == expected
        self.purse.recall(self.now)
        for entry in entries:
            action = entry.action
            chunks = action.amount_msat // action.chunk_msat
            self.purse.lines[entry.rebalance_id] = Line(action=action, at=self.now)
            self.truth.jobs[entry.rebalance_id] = Job(
                action=action,
                entry_id=entry.entry_id,
                fee=action.max_fee_msat // (chunks + 1),
                said=said,
                running=said == "started",
            )
            self.most = Limits(
                day_msat=max(self.most.day_msat, most.day_msat),
                week_msat=max(self.most.week_msat, most.week_msat),
            )

            if heard and said:
                self.answer(worker, entry.rebalance_id)

    # What the rebalancer does --------------------------------------------------------------

    def job(self, data, which=lambda _: True):
        """
        Return one of the rebalances of which *which* holds.
        """
        jobs = [n for n, job in self.truth.jobs.items() if which(job)]
        # Most of them are over.
        latest = [n for n in jobs if n in self.purse.open()] or jobs
        return data.draw(st.sampled_from(latest) | st.sampled_from(jobs))

    @precondition(lambda self: self.truth.jobs)
    @rule(worker=WORKERS, data=st.data(), silent=st.booleans())
    def hear(self, worker, data, silent):
        """
        An answer arrives late, or another time; or there is none that anybody heard.
        """
        number = self.job(data)
        entry_id = self.truth.jobs[number].entry_id
        if self.truth.jobs[number].said and not silent:
            self.answer(worker, number)
        elif self.does(worker, lambda s: s.treasury.lost(entry_id, "silence", self.now) is None):
            self.purse.hear(number, "unknown")

    def answer(self, worker, number):
        """
        Write down what the rebalancer said.
        """
        job, line = self.truth.jobs[number], self.purse.lines[number]
        if job.said == "started":
            if self.does(worker, lambda s: s.treasury.began(job.entry_id, self.now) is None):
                self.purse.hear(number, "in_flight")
        elif self.does(worker, lambda s: s.treasury.refused(job.entry_id, "no", self.now) is None):
            if line.state == "reserved" and not line.refills:
                self.purse.end(number, "rejected", None, self.now)
            else:
                self.purse.hear(number, "unknown")

    @precondition(lambda self: any(job.running for job in self.truth.jobs.values()))
    @rule(
        data=st.data(),
        payments=st.integers(1, 3),
        listed=st.sampled_from((2, 2, 2, 1, 0)),
        share=st.sampled_from((0, 0.5, 1, 1)),
        pair=st.booleans(),
        done=st.booleans(),
    )
    def pay(self, data, payments, listed, share, pair, done):
        """
        A job pays, within what it was allowed.
        """
        number = self.job(data, lambda job: job.running)
        job = self.truth.jobs[number]
        for _ in range(min(payments, job.payments - job.paid)):
            job.paid += 1
            paid = self.truth.pay(
                job=number,
                into=job.action.channel_id,
                out_of=data.draw(st.sampled_from(job.action.sources)).channel_id,
                amount=job.action.chunk_msat,
                fee=int(job.fee * share),
            )
            self.show(paid, listed, pair=pair)
        job.running = not done

    @precondition(lambda self: self.purse.open())
    @rule(
        data=st.data(),
        ends=st.permutations(CHANNELS),
        amount=CHUNKS,
        fee=st.integers(0, 2000),
        listed=st.sampled_from((2, 2, 1, 0)),
        alike=st.booleans(),
    )
    def others_pay(self, data, ends, amount, fee, listed, alike):
        """
        Somebody else moves money in a circle, perhaps just as a job of ours would.
        """
        into, out_of, *_ = ends
        if alike:
            action = data.draw(st.sampled_from([*self.purse.open().values()])).action
            into, amount = action.channel_id, action.chunk_msat
            out_of = next(end for end in ends if end != into)
        paid = self.truth.pay(job=None, into=into, out_of=out_of, amount=amount, fee=fee)
        self.show(paid, listed)

    # What the node lists -------------------------------------------------------------------

    def show(self, paid, sides, *, pair=True):
        """
        List so many sides of a payment.
        """
        for _ in range(sides):
            self.truth.show(paid, self.now, pair=pair or paid.job is None)

    @precondition(lambda self: self.truth.payments)
    @rule(
        worker=WORKERS,
        data=st.data(),
        what=st.sampled_from(("list", "list", "read", "upgrade", "save", "restore", "restore")),
    )
    def node(self, worker, data, what):
        """
        What is missing of a payment is listed, or one side of it; some of that is read; the node
        is upgraded, and lists all that ever moved; its database is saved, or set back to that.
        """
        unlisted = self.truth.unlisted()
        if what == "list" and unlisted:
            paid = data.draw(st.sampled_from(unlisted))
            self.show(paid, data.draw(st.sampled_from((2, 1))) if not paid.listed else 1)
        elif what == "upgrade":
            self.old = False
        elif what == "read":
            self.read_a_page(worker)
        elif what == "save" and not self.old and not unlisted and self.read_to_the_end(worker):
            self.saved = len(self.truth.moves)
        elif what == "restore" and self.saved is not None and self.read_to_the_end(worker):
            self.restore(worker, data)

    def read_a_page(self, worker):
        """
        Read a page of what the node lists; return whether nobody died of it.
        """
        book = self.stores[worker].costs
        if self.old:
            cursor = book.payments_read()
            page = self.truth.completed[cursor : cursor + PAGE]
            if self.does(
                worker, lambda s: s.costs.take_payments(page, cursor + len(page), self.now) is None
            ):
                for refill in page:
                    self.purse.take(refill)
                return True
            return False
        cursor = book.moves_read()
        page = self.truth.moves[cursor : cursor + PAGE]
        last = page[-1].index if page else None
        if self.does(worker, lambda s: s.costs.take_moves(page, last, self.now) is None):
            for move in page:
                self.purse.take_move(move)
            return True
        return False

    def read_to_the_end(self, worker):
        """
        Read all that the node lists; return whether nobody died of it.
        """
        while self.read_a_page(worker):
            book = self.stores[worker].costs
            if self.old and book.payments_read() == len(self.truth.completed):
                return True
            if not self.old and book.moves_read() == len(self.truth.moves):
                return True
        return False

    def restore(self, worker, data):
        """
        Set the node's database back; some of what is lost comes again.
        """
        last, self.saved = self.saved, None
        gone = {move.payment_hash for move in self.truth.moves[last:]}
        if not gone:
            return
        again = [p for p in self.truth.payments if p.listed == 2 and p.payment_hash in gone]
        self.truth.restore(last)
        self.stores[worker].costs.go_back(last)
        for paid in again and data.draw(st.lists(st.sampled_from(again), unique_by=id)):
            self.truth.show_again(paid, self.now)

    # How it ends ---------------------------------------------------------------------------

    @precondition(lambda self: self.truth.jobs)
    @rule(
        worker=WORKERS,
        data=st.data(),
        how=st.sampled_from((*["settle"] * 6, "give up", "release")),
        stop=st.sampled_from(("", "stop", "complete", "complete")),
    )
    def finish(self, worker, data, how, stop):
        """
        A rebalance is looked into.
        """
        number = self.job(data)
        if how == "settle":
            self.settle(worker, number, data.draw(st.sampled_from(Ending)), stop=stop)
        elif how == "give up":
            self.give_up(worker, number)
        else:
            self.release_stale(worker, data.draw(st.integers(0, 3 * HOUR)))

    def settle(self, worker, number, ending, *, stop):
        """
        Settle a rebalance once the rebalancer is at it no more, be it that it is done, is
        stopped, was deleted by a human or died; no payment of it is under way; and all that moved
        was read. Or settle it again.
        """
        if stop:
            self.truth.jobs[number].running = False
        for paid in self.truth.unlisted():
            if stop == "complete" and paid.job == number:
                self.show(paid, 2 - paid.listed)
        line, book = self.purse.lines[number], self.stores[worker].treasury
        if self.truth.under_way(number, complete=2 if self.old else 1):
            return
        if not self.read_to_the_end(worker) or book.unpaired(self.attempts()[number]):
            return
        found = self.does(worker, lambda s: s.treasury.settle(number, ending, "over", self.now))
        if found:
            self.purse.end(number, ending.value, line.fees if line.refills else None, self.now)
            assert found == self.attempts()[number]

    def give_up(self, worker, number):
        """
        Nobody will ever tell what a rebalance cost.
        """
        line = self.purse.lines[number]
        if self.does(worker, lambda s: s.treasury.give_up(number, "no evidence", self.now)):
            all_of_it = max(line.fees, line.action.max_fee_msat)
            self.purse.end(number, "vanished", all_of_it, self.now)

    def release_stale(self, worker, deadline):
        """
        The operator wants back what never began.
        """
        if not self.read_to_the_end(worker):
            return
        complete = 2 if self.old else 1
        busy = [
            self.purse.lines[number].action.scid
            for number in self.purse.open()
            if self.truth.under_way(number, complete=complete)
        ]
        cleared = self.does(worker, lambda s: s.treasury.release_stale(self.now, deadline, busy))
        if not cleared:
            return
        gone = {attempt.rebalance_id for attempt in cleared.released}
        assert gone | {attempt.rebalance_id for attempt, _ in cleared.kept} == set(
            self.purse.open()
        )
        for number, line in self.purse.open().items():
            if number in gone:
                assert line.state != "in_flight"
                assert not self.truth.cost(number)
                self.purse.end(number, "vanished", None, self.now)
            else:
                young = self.now - line.at < max(deadline, 1)
                assert (
                    young
                    or line.refills
                    or line.action.scid in busy
                    or (line.state == "in_flight")
                    or self.truth.unlisted()
                )

    # What must hold ------------------------------------------------------------------------

    def attempts(self, worker=0):
        """
        Return what the books hold of each rebalance.
        """
        found = self.stores[worker].treasury.attempts(0)
        return {attempt.rebalance_id: attempt for attempt in found}

    def rows(self, query):
        """
        Return what the file holds.
        """
        return self.stores[0]._read(lambda books: books.execute(query).fetchall())

    @invariant()
    def nothing_is_lost_or_counted_twice(self):
        """
        The books say what the purse says: of each rebalance, of every payment, and of the sums;
        and so they do for whoever opens them.
        """
        spent = dict(self.rows("SELECT rebalance_id, spent_msat FROM reservations"))
        worker = next(self.checked)
        sums = self.stores[worker].treasury.spending(self.now)
        counted = (sums.day_msat + sums.held_msat, sums.week_msat + sums.held_msat)
        assert counted == self.counted()
        assert sums.held_msat == sum(line.counted for line in self.purse.open().values())
        attempts = self.attempts(worker)
        assert attempts.keys() == self.purse.lines.keys()
        for number, line in self.purse.lines.items():
            attempt = attempts[number]
            assert (attempt.state, spent[number]) == (line.state, line.spent)
            assert (attempt.at, attempt.ended_at) == (line.at, line.ended_at)
            assert attempt.fee_msat == line.fees
            assert attempt.moved_msat == len(line.refills) * line.action.chunk_msat
            assert attempt.limit_msat == line.action.max_fee_msat
        owned = self.rows("SELECT payment_hash, rebalance_id FROM refills")
        assert len(owned) == len(self.purse.read)
        assert dict(owned) == self.purse.read

    @invariant()
    def no_more_is_counted_than_was_allowed(self):
        """
        What is settled, reserved, in flight and unknown together is within the largest limits
        that something was reserved under; but for what others paid as a job of ours would have.
        """
        others = {paid.payment_hash: paid.fee for paid in self.truth.payments if paid.job is None}
        foreign = sum(others.get(h, 0) for h, owner in self.purse.read.items() if owner is not None)
        in_day, in_week = self.counted()
        assert in_day <= self.most.day_msat + self.again[0] + foreign
        assert in_week <= self.most.week_msat + self.again[1] + foreign

    @invariant()
    def what_was_paid_is_held_or_counted(self):
        """
        At any moment, what a rebalance of ours has really paid, listed or not, is within what is
        held or counted for it.
        """
        for number, line in self.purse.lines.items():
            assert self.truth.cost(number) <= line.counted

    @invariant()
    def what_is_over_stays_as_it_ended(self):
        """
        Nothing of a rebalance that is over changes, but for dates that a wrong clock gave.
        """
        over = "SELECT id, state, spent_msat, reservations.amount_msat, ending, why"
        for number, *values in self.rows(
            f"{over} FROM reservations JOIN rebalance_log ON id = rebalance_id"
            " WHERE settled_at IS NOT NULL"
        ):
            assert self.ended.setdefault(number, values) == values
            assert self.purse.lines[number].ending == values[3]


TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=2 * settings().max_examples, stateful_step_count=50)
