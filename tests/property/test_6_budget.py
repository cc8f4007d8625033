"""§6 Budget: whatever happens, in whatever order, no more is spent than was allowed."""

import itertools
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from property.purse import CHANNELS, start
from property.strategies import whole
from property.treasurers import BOTH, Treasurers

from revops.core.treasury import Ending
from revops.core.units import DAY, HOUR

WORKERS = st.integers(0, 1)
TARGETS = st.integers(0, 3)
SOURCES = st.lists(TARGETS, min_size=2, max_size=3, unique=True)
CHUNKS = st.sampled_from((10_000, 20_000))
FEES = st.sampled_from((1, 400, 700, 1000))
STARTS = st.builds(start, TARGETS, SOURCES, CHUNKS, st.integers(1, 3), FEES)
SIDES = st.sampled_from((2, 2, 2, 1, 1, 0))
LIFE = (*["settle"] * 4, "hear", "hear", "lose", "copy", "read", "give up", "release")
NODE = ("list", "list", "read", "upgrade", "save", "restore")
MEANWHILE = ("clock", "clock", "budget", "die")
OURS = (*["rebalance"] * 5, *["go on"] * 5, "once more", "others pay")
EVENTS = OURS + NODE + MEANWHILE
PLANS = st.lists(STARTS, min_size=1, max_size=2, unique_by=lambda start: start.channel_id)
MORE = st.none() | st.integers(0, 8)
"""How much larger a week's budget is than a day's, if it is set."""
JUMPS = [
    sign * days * DAY + second
    for sign in (1, 1, -1)
    for days in (1, 2, 5, 7, 20)
    for second in (-1, 0)
]
SECONDS = whole(1, 3 * HOUR) | st.sampled_from(JUMPS)


class Spending(RuleBasedStateMachine):
    """
    Two workers on the same books begin rebalances of four channels, ask a rebalancer whose
    answers get lost or come twice, and settle by what the node lists of payments: late, in parts,
    again, and among those of others. Budget and revenue change, the clock is set, processes die.
    """

    def __init__(self) -> None:
        super().__init__()
        self.both = Treasurers()
        self.truth, self.purse = self.both.truth, self.both.purse
        self.workers = itertools.cycle((0, 1))
        self.ended: dict[int, Any] = {}

    def teardown(self):
        """
        Leave nothing behind.
        """
        self.both.close()

    # What the workers do -------------------------------------------------------------------

    @initialize(old=st.booleans(), day=st.integers(4, 20), more=MORE)
    def begin(self, old, day, more):
        """
        There is a budget; the node keeps a list of what moved, or is of a version that did not
        yet.
        """
        self.both.old = old
        self.both.allow(day, more, 0.0)

    @rule(worker=WORKERS, what=st.sampled_from(EVENTS), data=st.data())
    def happens(self, worker, what, data):
        """
        One thing after the other. All of it is one rule: of several, each example would leave
        some out, and few would get as far as a payment.
        """
        if what == "go on" and self.purse.open():
            self.lives_on(worker, data.draw(st.sampled_from([*self.purse.open()])), data)
        elif what == "once more" and self.purse.lines:
            self.lives_on(worker, data.draw(st.sampled_from([*self.purse.lines])), data)
        elif what == "others pay":
            self.others_pay(data.draw(st.sampled_from(CHANNELS)), data.draw(CHUNKS), data)
        elif what in NODE:
            self.node(worker, what, data)
        elif what in MEANWHILE:
            self.meanwhile(worker, what, data)
        else:
            self.rebalance(worker, data)

    def rebalance(self, worker, data):
        """
        Rebalances are decided and begun, and live on for a while; unless somebody dies before the
        rebalancer is asked.
        """
        # Without a list of what moved there is one at a time.
        if self.both.old and self.purse.open():
            return
        starts = data.draw(PLANS)[: 1 if self.both.old else None]
        how = data.draw(st.sampled_from(("cycle", "cycle", "cycle", "order", "dry run")))
        for number in self.both.decide(
            worker, starts, ordered=how == "order", dry_run=how == "dry run"
        ):
            if said := data.draw(st.sampled_from(("started", "started", "refused", None))):
                self.both.ask(number, said)
            for _ in range(data.draw(st.integers(0, 3))):
                self.lives_on(worker, number, data)

    def lives_on(self, worker, number, data):
        """
        Something happens in the life of a rebalance.
        """
        job = self.truth.jobs[number]
        event = data.draw(st.sampled_from(LIFE + ("pay",) * 4 if job.running else LIFE))
        match event:
            case "pay":
                self.pay(number, data)
            case "copy":
                self.others_pay(job.action.channel_id, job.action.chunk_msat, data)
            case "hear" if job.said:
                self.both.hear(worker, number)
            case "hear" | "lose":
                self.both.lose(worker, number)
            case "read":
                self.both.read_a_page(worker)
            case "settle":
                self.end(number, data)
                self.both.settle(worker, number, data.draw(st.sampled_from(Ending)))
            case "give up":
                self.both.give_up(worker, number)
            case "release":
                self.both.release_stale(worker, data.draw(st.sampled_from((0, 60, 2 * HOUR))))

    # What the rebalancer and others do ------------------------------------------------------

    def pay(self, number, data):
        """
        A job pays, within what it was allowed.
        """
        job = self.truth.jobs[number]
        for _ in range(data.draw(st.integers(1, 2))):
            if job.paid < job.payments:
                job.paid += 1
                paid = self.truth.pay(
                    job=number,
                    into=job.action.channel_id,
                    out_of=data.draw(st.sampled_from(job.action.sources)).channel_id,
                    amount=job.action.chunk_msat,
                    fee=data.draw(st.sampled_from((job.fee, job.fee, job.fee // 2, 0))),
                )
                self.both.show(paid, data.draw(SIDES), pair=data.draw(st.booleans()))

    def end(self, number, data):
        """
        A job is done, stopped, deleted by a human or dead, or none of that; what it paid is
        complete, or arrives later.
        """
        how = data.draw(st.sampled_from(("goes on", "ends", "completes", "completes")))
        self.truth.jobs[number].running &= how == "goes on"
        for paid in self.truth.unlisted():
            if how == "completes" and paid.job == number:
                self.both.show(paid, BOTH)

    def others_pay(self, into, amount, data):
        """
        Somebody else moves money in a circle, perhaps just as a job of ours would.
        """
        out_of = data.draw(st.sampled_from([end for end in CHANNELS if end != into]))
        fee = data.draw(st.integers(0, 2000))
        paid = self.truth.pay(job=None, into=into, out_of=out_of, amount=amount, fee=fee)
        self.both.show(paid, data.draw(SIDES))

    # What the node, the operator and the clock do --------------------------------------------

    def node(self, worker, what, data):
        """
        More of a payment is listed; some of that is read; the node is upgraded, and lists all
        that ever moved; its database is saved, or set back to that, and payments come again.
        """
        match what:
            case "list":
                for paid in self.truth.unlisted():
                    self.both.show(paid, data.draw(st.integers(0, BOTH)))
            case "read":
                self.both.read_a_page(worker)
            case "upgrade":
                self.both.old = False
            case "save":
                self.both.save(worker)
            case "restore":
                for paid in self.both.restore(worker):
                    if data.draw(st.booleans()):
                        self.truth.show_again(paid, self.both.now)

    def meanwhile(self, worker, what, data):
        """
        Time passes, or the clock is set; the operator sets another budget, a forward is counted;
        a process dies now, or whichever writes next, in the middle of it if it gets that far.
        """
        match what:
            case "clock":
                self.both.set_clock(data.draw(SECONDS))
            case "budget":
                share = data.draw(st.sampled_from((0.0, 0.3, 1.0)))
                self.both.allow(data.draw(st.integers(4, 20)), data.draw(MORE), share)
                if share:
                    fee, ago = data.draw(st.integers(0, 20_000)), data.draw(st.integers(0, 200))
                    self.both.earn(worker, fee, ago)
            case "die":
                self.both.fuse = data.draw(st.none() | st.integers(0, 12))
                if self.both.fuse is None:
                    self.both.reopen(worker)

    # What must hold ------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost_or_counted_twice(self):
        """
        The books say what the purse says: of each rebalance, of every payment, and of the sums;
        and so they do for whoever opens them.
        """
        worker = next(self.workers)
        sums = self.both.stores[worker].treasury.spending(self.both.now)
        in_day, in_week = sums.day_msat + sums.held_msat, sums.week_msat + sums.held_msat
        assert (in_day, in_week) == self.both.counted()
        assert sums.held_msat == sum(line.counted for line in self.purse.open().values())
        attempts = self.both.attempts(worker)
        assert attempts.keys() == self.purse.lines.keys()
        for number, line in self.purse.lines.items():
            attempt = attempts[number]
            assert attempt.state == line.state
            assert (attempt.at, attempt.ended_at) == (line.at, line.ended_at)
            assert attempt.fee_msat == line.fees
            assert attempt.moved_msat == len(line.refills) * line.action.chunk_msat
            assert attempt.limit_msat == line.action.max_fee_msat
        owned = self.both.rows("SELECT payment_hash, rebalance_id FROM refills")
        assert len(owned) == len(self.purse.read)
        assert dict(owned) == self.purse.read

    @invariant()
    def no_more_is_counted_than_was_allowed(self):
        """
        What is settled, reserved, in flight and unknown together is within the largest limits
        that something was reserved under; but for what others paid as a job of ours would have,
        and what a clock that was set back let be spent again.
        """
        others = {paid.payment_hash: paid.fee for paid in self.truth.payments if paid.job is None}
        foreign = sum(others.get(h, 0) for h, owner in self.purse.read.items() if owner is not None)
        in_day, in_week = self.both.counted()
        assert in_day <= self.both.most.day_msat + self.both.again[0] + foreign
        assert in_week <= self.both.most.week_msat + self.both.again[1] + foreign

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
        for number, *values in self.both.rows(
            "SELECT rebalance_id, state, spent_msat, reservations.amount_msat, ending, why"
            " FROM reservations JOIN rebalance_log ON id = rebalance_id"
            " WHERE settled_at IS NOT NULL"
        ):
            line = self.purse.lines[number]
            assert values[:2] == [line.state, line.spent]
            assert values[3] == line.ending
            assert self.ended.setdefault(number, values) == values


TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=2 * settings().max_examples, stateful_step_count=30)
