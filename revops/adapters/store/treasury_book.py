"""The treasury book: the part of the books that holds the money of rebalances, as it is used."""

from collections.abc import Collection
from typing import Final

from revops.adapters.store import treasury, treasury_end, treasury_log, treasury_sums
from revops.adapters.store.cost_book import Transaction
from revops.adapters.store.journal import JournalEntry
from revops.adapters.store.treasury_end import Cleared
from revops.adapters.store.treasury_log import Logged
from revops.core.budget import Limits, Spending
from revops.core.plan import Decision, RebalancePlan
from revops.core.reasons import Reason
from revops.core.treasury import Attempt, Ending
from revops.core.units import DAY, ChannelId, Instant, Msat, Scid

_WEEK: Final = 7 * DAY
_MONTH: Final = 30 * DAY


class TreasuryBook:
    """
    Rebalances and what they may cost, from the decision to the last millisatoshi. Every method is
    one transaction; those that write may be called again, in any order, by anybody: what is over
    stays as it ended.
    """

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read = read
        self._write = write

    # Decisions -----------------------------------------------------------------------------

    def write_down(self, plan: RebalancePlan, *, dry_run: bool) -> tuple[JournalEntry, ...]:
        """
        Write down all of *plan* before any of it is done, and reserve what it may cost; return
        what is to be done now, with the numbers of the rebalances.

        What the budget has no room for at this moment, and a channel of which another rebalance
        is open, is journalled as refused and not returned. A dry run reserves nothing, journals
        everything as rehearsed and returns nothing.
        """
        return self._write(treasury.write_down, plan, dry_run=dry_run)

    def order(
        self, decision: Decision, limits: Limits, at: Instant, *, dry_run: bool
    ) -> JournalEntry | None:
        """
        Do the same for one order of the operator; `None` when it is not to be done. Why not says
        the outcome in `Store.last_decisions(scid, "rebalance")`.
        """
        return self._write(treasury.order, decision, limits, at, dry_run=dry_run)

    # What the rebalancer said --------------------------------------------------------------

    def began(self, entry_id: int, at: Instant) -> None:
        """
        Write down that the rebalancer is at work on what the journal's entry begins: its money is
        in flight.
        """
        self._write(treasury.began, entry_id, at)

    def refused(
        self, entry_id: int, error: str, at: Instant, ending: Ending = Ending.REJECTED
    ) -> None:
        """
        Write down that the rebalancer said no, or, with another *ending*, that it was not even
        asked: its money is free again. If it had been heard of before, or something has arrived,
        the money stays reserved instead.
        """
        self._write(treasury.refused, entry_id, error, at, ending)

    def lost(self, entry_id: int, error: str, at: Instant) -> None:
        """
        Write down that there was no answer: its money stays reserved until evidence settles it.
        """
        self._write(treasury.lost, entry_id, error, at)

    def stop(
        self, rebalance_id: int, why: str, at: Instant, ending: Ending = Ending.STOPPED
    ) -> None:
        """
        Write down that a rebalance is to be stopped, and how it will have ended, before that is
        asked; the first reason stays.
        """
        self._write(treasury_end.stop, rebalance_id, why, at, ending)

    # How it ended --------------------------------------------------------------------------

    def settle(self, rebalance_id: int, ending: Ending, why: str, at: Instant) -> Attempt:
        """
        Write down the end of a rebalance, of which everything that moved has been read: what it
        cost is the sum of its refills, and without any its money is free again. Return what
        stands; of a rebalance that is over nothing changes.
        """
        return self._write(treasury_end.settle, rebalance_id, ending, why, at)

    def give_up(self, rebalance_id: int, why: str, at: Instant) -> Attempt:
        """
        Write down the end of a rebalance of which nobody will ever tell: all that was reserved
        counts as spent. Return what stands; of a rebalance that is over nothing changes.
        """
        return self._write(treasury_end.give_up, rebalance_id, why, at)

    def unpaired(self, attempt: Attempt) -> bool:
        """
        Return whether of a payment that may be of *attempt* only one side is in the books: then
        it is not to be settled yet.

        On a node without `listchannelmoves` this is always false. There a payment gets into the
        books some minutes after it completed, so that settling waits for that time.
        """
        return self._read(treasury_log.is_unpaired, attempt)

    def release_stale(self, now: Instant, deadline_s: int, busy: Collection[Scid] = ()) -> Cleared:
        """
        Release what is older than *deadline_s* and never began: the rebalancer never said that it
        did, is not *busy* with its channel, and nothing of it is in the books, which were read
        since. Return what was released, and what stays and why.

        Ask the rebalancer and read what moved first; if that cannot be had, do not call this.
        """
        return self._write(treasury_end.release_stale, now, deadline_s, busy)

    def mature(self, now: Instant, horizon_days: int) -> None:
        """
        Write down, once the horizon after a rebalance is over, which share of what arrived left
        again in it.
        """
        horizon_s = horizon_days * DAY
        if self._read(treasury_sums.unsold, now, horizon_s):
            self._write(treasury_end.mature, now, horizon_s)

    # What there is -------------------------------------------------------------------------

    def open(self) -> tuple[Logged, ...]:
        """
        Return the rebalances whose money is not settled, the first one first.
        """
        return self._read(treasury_log.read_open)

    def attempts(self, since: Instant) -> tuple[Attempt, ...]:
        """
        Return the rebalances from *since* on, and all that are open, the first one first.
        """
        return tuple(logged.attempt for logged in self._read(treasury_log.read_since, since))

    def recent(self, limit: int) -> tuple[Logged, ...]:
        """
        Return the last *limit* rebalances, the latest first.
        """
        return self._read(treasury_log.read_recent, limit)

    def last(self, channel_id: ChannelId) -> Logged | None:
        """
        Return the last rebalance that was to fill a channel; `None` when there was none.
        """
        return self._read(treasury_log.read_last, channel_id)

    def why(self, logged: Logged) -> tuple[Reason, ...]:
        """
        Return why a rebalance was decided; nothing once the journal has forgotten it.
        """
        return self._read(treasury_log.read_why, logged)

    def spending(self, now: Instant) -> Spending:
        """
        Return what rebalancing has cost by *now*, and what is held for it.
        """
        return self._read(treasury_log.read_spending, now)

    def revenue(self, now: Instant, seconds: int) -> Msat | None:
        """
        Return the fees earned in the last *seconds*, in whole hours; `None` while forwards are
        not counted through.
        """
        return self._read(treasury_sums.earned, now, seconds)

    def refill_cost_week(self, now: Instant) -> Msat | None:
        """
        Return what all circular payments of 7 days cost, whoever made them; `None` when the node
        did not tell.
        """
        return self._read(treasury_sums.refill_cost, now, _WEEK)

    def income_month(self, now: Instant) -> Msat | None:
        """
        Return the fees earned in 30 days less what all circular payments cost; `None` when either
        is unknown.
        """
        return self._read(treasury_sums.income, now, _MONTH)
