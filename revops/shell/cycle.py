"""Cycle: observe, decide, write down, act, write down."""

from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Any, Final

import attrs

from revops.adapters.store import JournalEntry, Store
from revops.core.actions import Action, assert_never
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import ChannelMemory, Memory
from revops.core.outcomes import Applied, Outcome, Refused, Rehearsed, Unknown
from revops.core.plan import Plan
from revops.core.snapshot import Snapshot
from revops.shell.clock import Clock
from revops.shell.observe import Observer
from revops.shell.perform import perform
from revops.shell.ports import NodePort

Done = tuple[Action, Outcome]
# Too long for a log in which the short channel id stands.
_IDS: Final = ("channel_id", "peer_id")


@attrs.frozen(kw_only=True)
class Cycled:
    """
    A cycle that was completed: what it saw, under which Config, what it decided, what became.
    """

    snapshot: Snapshot
    config: Config
    plan: Plan
    problems: tuple[str, ...]
    done: tuple[Done, ...]


@attrs.define(kw_only=True)
class Cycle:
    """
    Pricing, cycle after cycle. A crash between any two steps loses no money and no knowledge.

    Attributes:
        memory: What the last cycle left, as it stands in the books.
        last: `None` before the first.
    """

    observer: Observer
    node: NodePort
    store: Store
    clock: Clock
    config: Callable[[], Config]
    log: Any
    memory: Memory
    stopping: Event = attrs.field(factory=Event)
    last: Cycled | None = None

    def run(self) -> None:
        """
        Run one cycle.

        Raises:
            NodeRefusedError, NoAnswerError: The node could not be seen; memory is as it was.
            StoreError: The books could not be read or written; what is not written is not done.
        """
        config = self.config()
        observed = self.observer.observe(self.memory, config)
        for problem in observed.problems:
            self.log.warning(problem)
        plan = decide(observed.snapshot, config)
        entries = self.store.write_down(plan, _changed(self.memory, plan.memory))
        self.memory = plan.memory
        done = tuple(self._act(entries, config))
        self.last = Cycled(
            snapshot=observed.snapshot,
            config=config,
            plan=plan,
            problems=observed.problems,
            done=done,
        )

    def _act(self, entries: Sequence[JournalEntry], config: Config) -> Iterator[Done]:
        for entry in entries:
            # What is left undone, the next snapshot shows and the next cycle decides afresh.
            if self.stopping.is_set():
                return
            outcome = perform(entry.action, self.node, dry_run=config.dry_run)
            self.store.settle(entry.entry_id, outcome, self.clock.now())
            self._tell(entry.action, outcome)
            yield entry.action, outcome
            if isinstance(outcome, Unknown):
                return

    def _tell(self, action: Action, outcome: Outcome) -> None:
        facts = attrs.asdict(action, filter=lambda field, _: field.name not in _IDS)
        log, name = self.log.bind(**facts), type(action).__name__
        match outcome:
            case Applied():
                log.info(f"{name}: done")
            case Rehearsed():
                log.info(f"{name}: not done, dry-run is set")
            case Refused():
                log.warning(f"{name}: refused", why=outcome.error)
            case Unknown():
                log.warning(f"{name}: no answer, it may have happened", why=outcome.error)
            case _:
                assert_never(outcome)


def _changed(before: Memory, after: Memory) -> list[ChannelMemory]:
    known = {memory.channel_id: memory for memory in before.channels}
    return [memory for memory in after.channels if known.get(memory.channel_id) != memory]
