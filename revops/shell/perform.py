"""Perform: an action becomes a call and the call an outcome; dry run is asked here alone."""

from collections.abc import Sequence
from threading import Event
from typing import Any, Final

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError, NotAskedError
from revops.adapters.store import JournalEntry, Store
from revops.core.actions import Action, Hold, SetFee, assert_never
from revops.core.outcomes import Applied, Outcome, Refused, Rehearsed, Unknown
from revops.shell.clock import Clock
from revops.shell.ports import NodePort

Done = tuple[JournalEntry, Outcome]
# Too long for a log in which the short channel id stands.
_IDS: Final = ("channel_id", "peer_id")


@attrs.frozen(kw_only=True)
class Performer:
    """
    Does what is written down already, one after the other, and writes down what became of it.

    Attributes:
        stopping: Set when nothing further may be begun.
    """

    node: NodePort
    store: Store
    clock: Clock
    log: Any
    stopping: Event

    def perform(self, entries: Sequence[JournalEntry], *, dry_run: bool) -> tuple[Done, ...]:
        """
        Return what became of *entries*. Those that are left undone when we are to stop, or when
        the node is silent, the next snapshot shows and the next cycle decides afresh.
        """
        done: list[Done] = []
        try:
            for entry in entries:
                if self.stopping.is_set() or (done and isinstance(done[-1][1], Unknown)):
                    break
                outcome = Rehearsed() if dry_run else _attempt(entry.action, self.node)
                done.append((entry, outcome))
                self._tell(entry.action, outcome)
        finally:
            # In one transaction: each costs an fsync, and what a crash leaves open the next
            # snapshot settles.
            outcomes = [(entry.entry_id, outcome) for entry, outcome in done]
            self.store.settle(outcomes, self.clock.now())
        return tuple(done)

    def _tell(self, action: Action, outcome: Outcome) -> None:
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


def _attempt(action: Action, node: NodePort) -> Outcome:
    try:
        match action:
            case SetFee():
                return node.set_fee(action)
            case Hold():
                return Refused(error="there is nothing to do")
            case _:
                assert_never(action)
    except (NodeRefusedError, NotAskedError) as error:
        return Refused(error=str(error))
    except NoAnswerError as error:
        return Unknown(error=str(error))
