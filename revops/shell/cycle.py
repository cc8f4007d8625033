"""Cycle: observe, decide, write down, act, write down."""

from collections.abc import Callable
from threading import Event
from typing import Any

import attrs

from revops.adapters.store import Store
from revops.adapters.store.memory import changed
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import Memory
from revops.core.plan import Plan
from revops.core.snapshot import Snapshot
from revops.shell.clboss import Keeper
from revops.shell.observe import Observer
from revops.shell.perform import Done, Performer
from revops.shell.shadow import Shadow


@attrs.frozen(kw_only=True, eq=False)
class Cycled:
    """
    A cycle that was completed: what it saw, under which Config, what it decided, what became.
    Equal to none but itself.
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
        keeper: Has CLBOSS leave alone what is done here.
        shadow: Decides beside it when all is done.
        memory: What the last cycle left, as it stands in the books.
        wake: Set when the next cycle is to wake whoever rests.
        last: `None` before the first.
    """

    observer: Observer
    performer: Performer
    store: Store
    keeper: Keeper
    shadow: Shadow
    config: Callable[[], Config]
    log: Any
    memory: Memory
    wake: Event = attrs.field(factory=Event)
    last: Cycled | None = None

    def run(self) -> Cycled:
        """
        Run one cycle and return it.

        Raises:
            NodeRefusedError, NoAnswerError: The node could not be seen; memory is as it was.
            StoreError: The books could not be read or written; what is not written is not done.
        """
        config, wake = self.config(), self.wake.is_set()
        with self.performer.turn:
            self.performer.ordered.clear()
            observed = self.observer.observe(self.memory, config, wake=wake)
            for problem in observed.problems:
                self.log.warning(problem)
            plan = decide(observed.snapshot, config)
            entries = self.store.write_down(plan, changed(self.memory, plan.memory))
            self.memory = plan.memory
        if wake:
            self.wake.clear()
        self.keeper.keep(observed.snapshot, config)
        done = self.performer.perform(entries, dry_run=config.dry_run)
        cycled = self.last = Cycled(
            snapshot=observed.snapshot,
            config=config,
            plan=plan,
            problems=observed.problems,
            done=done,
        )
        self.shadow.price(observed.snapshot, config, plan)
        return cycled
