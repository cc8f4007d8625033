"""The kit: what every piece of rebalancing works with."""

from collections.abc import Callable
from threading import Event
from typing import Any

import attrs

from revops.adapters.store import Store
from revops.core.config import Config
from revops.shell.clboss import Keeper
from revops.shell.clock import Clock
from revops.shell.hive import HiveDesk
from revops.shell.observe import Observer
from revops.shell.ports import MoneyPort, SlingPort
from revops.shell.refills import RefillWalk


@attrs.frozen(kw_only=True)
class Kit:
    """
    Attributes:
        keeper: Has CLBOSS leave alone what is done here.
        hive: Who else in our hive fills channels now; a second is the most that it takes.
        walk: Along what moved: where the cost of a rebalance is read, and nowhere else.
        stopping: Set when nothing further may be begun.
    """

    node: MoneyPort
    sling: SlingPort
    keeper: Keeper
    walk: RefillWalk
    observer: Observer
    store: Store
    clock: Clock
    config: Callable[[], Config]
    log: Any
    stopping: Event
    hive: HiveDesk

    def read_moves(self) -> None:
        """
        Bring the books up to all that moved until now.

        Raises:
            NodeRefusedError, NoAnswerError: The node did not tell.
            StoreError: The books are another node's, or cannot be written.
        """
        us = self.observer.who().node_id
        for problem in self.walk.to_end(us, self.clock.now()):
            self.log.warning(problem)
