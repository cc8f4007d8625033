"""Jobs: what was begun is looked into until its money is settled, by evidence and nothing else."""

import math
from collections import defaultdict, deque
from threading import Lock
from typing import Final

import attrs

from revops.adapters.store import JournalEntry, Logged
from revops.core.budget import Limits, Spend
from revops.core.plan import Decision
from revops.core.reasons import sentence
from revops.core.rebalance.watch import DEADLINE_S, Over, Stop, watch
from revops.core.refills import Pending
from revops.core.treasury import Attempt, Engine
from revops.core.units import HOUR, Instant, Msat, sats_down
from revops.shell.rebalancing.kit import Kit
from revops.shell.rebalancing.mover import Mover

_CLOCK_STEP: Final = HOUR
"""A payment dated so much before its rebalance may be of it: clocks are set back."""
_LEAST_WAIT_S: Final = HOUR
"""How long evidence is waited for at least, by a clock that nobody sets."""
_STOPPING_S: Final = 5
"""For a second after a stop, a start on that channel has sling go on with the old order too."""


@attrs.frozen(kw_only=True)
class _Seen:
    """
    Attributes:
        pending: Payments to ourselves that are under way, by a look after that at the engine.
    """

    engine: Engine
    pending: tuple[Pending, ...]


@attrs.define
class _Known:
    """
    What this process knows of a rebalance, by a clock that nobody sets.

    Attributes:
        under_way: Payments that were under way when it was first seen to be over: what begins
            later is somebody else's.
        stopped: When it was last told to stop.
        missed: Since when nobody can tell what it cost.
    """

    under_way: frozenset[str] | None = None
    stopped: float = -math.inf
    missed: float | None = None


@attrs.define
class Jobs:
    """
    Begins what the operator ordered, and looks into every rebalance whose money is not settled,
    whoever left it in whatever state: one that waits for an answer, one that a crash cut off and
    one that runs well.

    Of a node that is silent nothing is learned, and nothing changes.

    Attributes:
        seen: What sling was at, the last time it was asked about what is open; for people.
    """

    kit: Kit
    mover: Mover
    seen: Engine | None = attrs.field(default=None, init=False)
    # What is reserved for an order and not asked for yet; whoever has the lock sees both or none.
    _ordered: deque[JournalEntry] = attrs.field(factory=deque, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)
    _known: dict[int, _Known] = attrs.field(factory=lambda: defaultdict(_Known), init=False)

    def order(self, decision: Decision, limits: Limits) -> JournalEntry | None:
        """
        Reserve what the operator orders, for the next run to begin; `None` when that is not to
        be: the outcome of the channel's last decision says why. For any thread.

        Raises:
            NodeRefusedError, NoAnswerError: What moved until now could not be read: nothing is
                ordered.
            StoreError: It could not be written down.
        """
        self.kit.read_moves()
        now, dry_run = self.kit.clock.now(), self.kit.config().dry_run
        with self._lock:
            entry = self.kit.store.treasury.order(decision, limits, now, dry_run=dry_run)
            if entry:
                self._ordered.append(entry)
        return entry

    def run(self) -> bool:
        """
        Begin what is ordered, settle what is over, stop what should end, and say whether anything
        is left open.

        Raises:
            NodeRefusedError, NoAnswerError: The node did not tell what moved.
            StoreError: The books cannot be read or written.
        """
        if not self.kit.store.treasury.open():
            self.seen = None
            return False
        if orders := self._orders():
            self.mover.start(orders, self.kit.sling.look())
        # Whatever was asked of sling before, by us or by whoever was here before a crash, it has
        # done when it answers this, or never will.
        engine, us = self.kit.sling.look(), self.kit.observer.who().node_id
        self.seen = engine
        seen = _Seen(engine=engine, pending=self.kit.node.pending_to(us))
        self.kit.read_moves()
        for logged in self._begun():
            self._see_to(logged, seen)
        return bool(self.kit.store.treasury.open())

    def _orders(self) -> list[JournalEntry]:
        with self._lock:
            orders = list(self._ordered)
            self._ordered.clear()
        return orders

    def _begun(self) -> list[Logged]:
        with self._lock:
            waiting = {entry.rebalance_id for entry in self._ordered}
            opened = self.kit.store.treasury.open()
        return [logged for logged in opened if logged.attempt.rebalance_id not in waiting]

    def _see_to(self, logged: Logged, seen: _Seen) -> None:
        attempt, now = logged.attempt, self.kit.clock.now()
        if seen.engine.jobs is None:
            self._wait(logged, seen.engine.trouble)
            return
        job = next((job for job in seen.engine.jobs if job.scid == logged.scid), None)
        ours = self._to_us(attempt) if job else None
        paying = tuple(p.created_at for p in seen.pending if _may_be_of(p, attempt, attempt.at))
        verdict = watch(attempt, job, ours, now, self.kit.config(), paying)
        if isinstance(verdict, Over):
            self._settle(logged, seen.pending)
            return
        self._known[attempt.rebalance_id].missed = None
        if attempt.state is not Spend.IN_FLIGHT and logged.journal_id is not None:
            # Its start had no answer, or a crash took that.
            self.kit.store.treasury.began(logged.journal_id, now)
        if isinstance(verdict, Stop):
            self._stop(logged, verdict)

    def _to_us(self, attempt: Attempt) -> Msat | None:
        channels, _ = self.kit.node.channels(self.kit.clock.now(), None, attempt.to_peer)
        found = (c.to_us_msat for c in channels if c.channel_id == attempt.to_channel)
        return next(found, None)

    def _stop(self, logged: Logged, verdict: Stop) -> None:
        """
        Have it stopped; it is over when a later look does not find it.
        """
        number, why = logged.attempt.rebalance_id, sentence(verdict.reason)
        dry_run = self.kit.config().dry_run
        if not dry_run:
            self.kit.store.treasury.stop(number, why, self.kit.clock.now(), verdict.ending)
        self.mover.stop(number, logged.scid, why, dry_run=dry_run)
        self._known[number].stopped = self.kit.clock.ticks()

    # How it ended --------------------------------------------------------------------------

    def _settle(self, logged: Logged, pending: tuple[Pending, ...]) -> None:
        """
        Settle what sling is at no more, unless it is not known yet what it cost.
        """
        number, book = logged.attempt.rebalance_id, self.kit.store.treasury
        if missing := self._missing(logged.attempt, pending):
            self._wait(logged, missing)
            return
        now = self.kit.clock.now()
        opened = (other.attempt for other in book.open())
        latest = next((o for o in opened if o.rebalance_id == number), logged.attempt)
        verdict = watch(latest, None, None, now, self.kit.config())
        assert isinstance(verdict, Over)  # noqa: S101 -- of what is not listed nothing else is said
        why = logged.stopping or sentence(verdict.reason)
        self._tell(logged, book.settle(number, verdict.ending, why, now), why)

    def _missing(self, attempt: Attempt, pending: tuple[Pending, ...]) -> str:
        """
        Return why nobody can tell yet what *attempt* cost; empty when all of it is among what
        moved. A payment is pending, then it is coming in, then its sides are listed: it is looked
        for in this order, so that it is missed nowhere.
        """
        walk, known = self.kit.walk, self._known[attempt.rebalance_id]
        since = Instant(attempt.at - _CLOCK_STEP)
        hashes = {p.payment_hash for p in pending if _may_be_of(p, attempt, since)}
        coming = self.kit.node.arriving(attempt.to_peer, attempt.to_channel)
        self.kit.read_moves()
        if walk.blind:
            return "lightningd does not list what was paid, as it does from v23.11 on"
        hashes |= {p.payment_hash for p in walk.young if p.amount_msat == attempt.chunk_msat}
        known.under_way = frozenset(hashes if known.under_way is None else known.under_way & hashes)
        waiting = known.under_way
        doubts = (
            (self.kit.clock.ticks() < known.stopped + _STOPPING_S, "it was stopped just now"),
            (waiting, f"{len(waiting)} payments of its size are under way"),
            (attempt.chunk_msat in coming, "a payment of its size is coming in"),
            (
                self.kit.store.treasury.unpaired(attempt),
                "of a payment of its size one side is listed and not the other",
            ),
        )
        return next((why for doubt, why in doubts if doubt), "")

    def _wait(self, logged: Logged, missing: str) -> None:
        """
        Keep the money reserved, but not for ever.
        """
        now, ticks, attempt = self.kit.clock.now(), self.kit.clock.ticks(), logged.attempt
        known = self._known[attempt.rebalance_id]
        known.missed = ticks if known.missed is None else known.missed
        patience = DEADLINE_S + self.kit.config().reservation_timeout_hours * HOUR
        if now < attempt.at + patience or ticks < known.missed + _LEAST_WAIT_S:
            self.kit.log.debug("rebalance waits", rebalance=attempt.rebalance_id, why=missing)
            return
        why = f"{missing}; reservation-timeout-hours are over: all that it might cost is counted"
        self._tell(logged, self.kit.store.treasury.give_up(attempt.rebalance_id, why, now), why)

    def _tell(self, logged: Logged, attempt: Attempt, why: str) -> None:
        self._known.pop(attempt.rebalance_id, None)
        self.kit.log.info(
            "rebalance over",
            rebalance=attempt.rebalance_id,
            scid=logged.scid,
            ending=attempt.ending.value if attempt.ending else None,
            sats=sats_down(attempt.moved_msat),
            of_sats=sats_down(attempt.amount_msat),
            fee_msat=attempt.fee_msat,
            why=why,
        )


def _may_be_of(payment: Pending, attempt: Attempt, since: Instant) -> bool:
    fits = payment.amount_msat in (None, attempt.chunk_msat)
    return fits and payment.created_at >= since
