"""Perform: an action becomes a call and the call an outcome; dry run is asked here alone."""

from collections.abc import Callable, Collection, Sequence
from threading import Event, RLock
from typing import Any, Final, TypeVar

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError, NotAskedError
from revops.adapters.store import JournalEntry, Order, Store
from revops.core.actions import Action, SetFee, assert_never
from revops.core.outcomes import Applied, PriceOutcome, Refused, Rehearsed, Unknown
from revops.core.snapshot import FeePin
from revops.core.units import ChannelId
from revops.shell.clock import Clock
from revops.shell.ports import NodePort

T = TypeVar("T")

Done = tuple[JournalEntry, PriceOutcome]
_OUTCOMES: Final = ("applied", "refused", "unknown", "rehearsed")
_NO_PRICE: Final = "there is nothing to do"
_OVERRULED: Final = "the operator has ordered another fee since this was decided"
_NOT_TRIED: Final = "not tried: the node is silent, or revops is stopping"
# Too long for a log in which the short channel id stands.
_IDS: Final = ("channel_id", "peer_id")


@attrs.frozen(kw_only=True)
class Performer:
    """
    Does what is written down already, one after the other, and writes down what became of it.

    Attributes:
        stopping: Set when nothing further may be begun.
        turn: Whoever looks at fees to decide, or sets one, has it meanwhile: an order of the
            operator falls before the look or after what came of it was written down.
        ordered: Channels that the operator gave orders about since the last look: what that look
            decided about them is out of date.
        became: How many prices came to each outcome since the start.
    """

    node: NodePort
    store: Store
    clock: Clock
    log: Any
    stopping: Event
    turn: RLock = attrs.field(factory=RLock, init=False)
    ordered: set[ChannelId] = attrs.field(factory=set, init=False)
    became: dict[str, int] = attrs.field(factory=lambda: dict.fromkeys(_OUTCOMES, 0), init=False)

    def perform(self, entries: Sequence[JournalEntry], *, dry_run: bool) -> tuple[Done, ...]:
        """
        Return what became of *entries*. Those that are left undone when we are to stop, or when
        the node is silent, the next snapshot shows and the next cycle decides afresh.
        """
        return self._perform(entries, self.ordered, dry_run=dry_run)

    def order(self, orders: Sequence[Order], *, dry_run: bool) -> tuple[Done, ...]:
        """
        Write down what the operator orders, do it, and return what became of it; the caller has
        the turn since it looked. What is left undone is refused.
        """
        entries = self.store.write_orders(orders, self.clock.now())
        if not dry_run:
            self.ordered.update(decision.channel_id for decision, _ in orders)
        done = self._perform(entries, (), dry_run=dry_run)
        left = tuple((entry, Refused(error=_NOT_TRIED)) for entry in entries[len(done) :])
        self._settle(left)
        return done + left

    def keep(self, prices: Sequence[FeePin]) -> None:
        """
        Have *prices*, which are in force, left alone; the caller has the turn since it looked.
        """
        self.store.save_pins(prices)
        self.ordered.update(pin.channel_id for pin in prices)

    def _perform(
        self, entries: Sequence[JournalEntry], passed_over: Collection[str], *, dry_run: bool
    ) -> tuple[Done, ...]:
        done: list[Done] = []
        try:
            for entry in entries:
                if self.stopping.is_set() or (done and isinstance(done[-1][1], Unknown)):
                    break
                with self.turn:
                    outcome = self._outcome(entry.action, passed_over, dry_run=dry_run)
                    self.became[type(outcome).__name__.lower()] += 1
                done.append((entry, outcome))
                self._tell(entry.action, outcome)
        finally:
            # In one transaction: each costs an fsync, and what a crash leaves open the next
            # snapshot settles.
            self._settle(done)
        return tuple(done)

    def _outcome(
        self, action: Action, passed_over: Collection[str], *, dry_run: bool
    ) -> PriceOutcome:
        def carry_out() -> Applied | Refused:
            if not isinstance(action, SetFee):
                return Refused(error=_NO_PRICE)
            if action.channel_id in passed_over:
                return Refused(error=_OVERRULED)
            return self.node.set_fee(action)

        return attempted(carry_out, dry_run=dry_run)

    def _settle(self, done: Sequence[Done]) -> None:
        outcomes = [(entry.entry_id, outcome) for entry, outcome in done]
        self.store.settle(outcomes, self.clock.now())

    def _tell(self, action: Action, outcome: PriceOutcome) -> None:
        facts = attrs.asdict(action, filter=lambda field, _: field.name not in _IDS)
        log = self.log.bind(action=type(action).__name__, **facts)
        match outcome:
            case Applied():
                log.info("done")
            case Rehearsed():
                log.info("not done: dry-run is set")
            case Refused():
                log.warning("refused", why=outcome.error)
            case Unknown():
                log.warning("no answer: it may have happened", why=outcome.error)
            case _:
                assert_never(outcome)


def attempted(carry_out: Callable[[], T], *, dry_run: bool) -> T | Refused | Unknown | Rehearsed:
    """
    Return what comes of an action that *carry_out* does; in a dry run it is not done.
    """
    if dry_run:
        return Rehearsed()
    try:
        return carry_out()
    except (NodeRefusedError, NotAskedError) as error:
        return Refused(error=str(error))
    except NoAnswerError as error:
        return Unknown(error=str(error))
