"""Money: settle what is open, look, decide, reserve, ask sling, write down."""

from collections.abc import Callable
from typing import Final

import attrs

from revops.adapters.store import JournalEntry
from revops.core.actions import StartRebalance
from revops.core.config import Config
from revops.core.memory import Memory
from revops.core.outcomes import Refused, Rehearsed
from revops.core.plan import RebalancePlan
from revops.core.rebalance.decide import rebalance
from revops.core.snapshot import Snapshot
from revops.core.units import PeerId
from revops.core.value import HORIZON_DAYS
from revops.shell.rebalancing.jobs import Jobs
from revops.shell.rebalancing.kit import Kit
from revops.shell.rebalancing.look import MoneyLook
from revops.shell.rebalancing.mover import Begun, Mover
from revops.shell.shadow import Shadow

_ROUNDS: Final = 3
"""How often another peer may come first in place of one that our hive is at."""


@attrs.frozen(kw_only=True, eq=False)
class Moved:
    """
    A money cycle that was completed: what it saw, under which Config, what it decided, what
    became of what was to begin. Equal to none but itself.
    """

    snapshot: Snapshot
    config: Config
    plan: RebalancePlan
    problems: tuple[str, ...]
    done: tuple[Begun, ...]

    @property
    def blind(self) -> bool:
        """
        Return whether forwards were not counted by then, as after a start: all were held for that.
        """
        channels = self.snapshot.channels
        return bool(channels) and all(channel.traffic is None for channel in channels)


class Money:
    """
    Rebalancing, cycle after cycle. A crash between any two steps loses no msat: what is reserved
    is looked into by the next run of whichever loop comes first.

    Attributes:
        last: `None` before the first.
    """

    def __init__(self, kit: Kit, memory: Callable[[], Memory], shadow: Shadow) -> None:
        self._kit = kit
        self._shadow = shadow
        self._memory = memory
        self._look = MoneyLook(kit)
        self._mover = Mover(kit)
        self.jobs = Jobs(kit, self._mover)
        self.last: Moved | None = None

    def run(self) -> Moved:
        """
        Run one cycle and return it.

        Raises:
            NodeRefusedError, NoAnswerError: The node could not be seen, or what moved could not
                be read to its end: nothing is begun.
            StoreError: The books could not be read or written; what is not written is not done.
        """
        self.jobs.run()
        self._kit.store.treasury.mature(self._kit.clock.now(), HORIZON_DAYS)
        config = self._kit.config()
        observed = self._look.look(self._memory(), config)
        for problem in observed.problems:
            self._kit.log.warning(problem)
        snapshot, plan = self._planned(observed.snapshot, config)
        entries = self._kit.store.treasury.write_down(plan, dry_run=config.dry_run)
        if entries:
            self._kit.keeper.keep(observed.snapshot, config)
        treasury = snapshot.treasury
        done = self._mover.start(entries, treasury.engine if treasury else None)
        moved = self.last = Moved(
            snapshot=snapshot,
            config=config,
            plan=plan,
            problems=observed.problems,
            done=done + self._left(plan, entries),
        )
        self._shadow.refill(snapshot, config, plan)
        return moved

    def _planned(self, snapshot: Snapshot, config: Config) -> tuple[Snapshot, RebalancePlan]:
        """
        Return the plan, and *snapshot* with the peers that another member of our hive is at: asked
        of those alone that a refill would begin for.
        """
        plan = rebalance(snapshot, config)
        for _ in range(_ROUNDS):
            treasury = snapshot.treasury
            contested = self._kit.hive.contested(_to_be_filled(plan))
            if treasury is None or not contested:
                break
            treasury = attrs.evolve(treasury, contested=(*treasury.contested, *contested))
            snapshot = attrs.evolve(snapshot, treasury=treasury)
            plan = rebalance(snapshot, config)
        return snapshot, plan

    def _left(self, plan: RebalancePlan, entries: tuple[JournalEntry, ...]) -> tuple[Begun, ...]:
        """
        Return what the books let nobody begin, and why.
        """
        begun = {entry.action for entry in entries}
        left: list[Begun] = []
        for decision in plan.decisions:
            action = decision.action
            if not isinstance(action, StartRebalance) or action in begun:
                continue
            (explained,) = self._kit.store.last_decisions(decision.channel_id, "rebalance")
            outcome = explained.outcome
            if isinstance(outcome, (Refused, Rehearsed)):
                self._mover.tell(action, outcome)
                left.append((action, outcome))
        return tuple(left)


def _to_be_filled(plan: RebalancePlan) -> set[PeerId]:
    return {d.peer_id for d in plan.decisions if isinstance(d.action, StartRebalance)}
