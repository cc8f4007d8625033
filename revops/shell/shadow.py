"""Shadow: the second config of shadow-config, which decides after the live one and does nothing."""

from collections.abc import Callable
from typing import Any

import attrs

from revops.adapters.errors import StoreError
from revops.adapters.store import Run, ShadowBook
from revops.adapters.store.memory import changed
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import Memory
from revops.core.plan import Area, Plan, RebalancePlan
from revops.core.rebalance.decide import rebalance
from revops.core.rebalance.watch import DEADLINE_S
from revops.core.shadow import (
    Compared,
    as_seen,
    prices_compared,
    refills_compared,
    second,
)
from revops.core.shadow_options import spelled
from revops.core.snapshot import Snapshot
from revops.core.units import HOUR, Instant


@attrs.frozen(kw_only=True)
class Standing:
    """
    A run under way, and what its last fee cycle left: `None` before the first.
    """

    run: Run
    memory: Memory | None = None


@attrs.define
class Shadow:
    """
    Decides on what the live config has decided on, when all is done about that. Whatever goes wrong
    here stays here.

    Attributes:
        standing: `None` when there is no second config, or no fee cycle yet since the start.
        last: How the last cycle of an area compares; none before the first since the start.
        troubles: Why the last cycle of an area came to nothing.
    """

    _book: ShadowBook
    _log: Any
    standing: Standing | None = attrs.field(default=None, init=False)
    last: dict[Area, Compared] = attrs.field(factory=dict, init=False)
    troubles: dict[Area, str] = attrs.field(factory=dict, init=False)
    _is_looked_up: bool = attrs.field(default=False, init=False)

    def price(self, looked: Snapshot, config: Config, live: Plan) -> None:
        """
        Decide about prices, where *live* was decided on *looked* under *config*.
        """
        self._apart("fee", lambda: self._price(looked, config, live))

    def refill(self, looked: Snapshot, config: Config, live: RebalancePlan) -> None:
        """
        Decide about refills, likewise.
        """
        self._apart("rebalance", lambda: self._refill(looked, config, live))

    def _price(self, looked: Snapshot, config: Config, live: Plan) -> None:
        self._take_up(spelled(config.shadow_config), looked.now)
        standing, shadow = self.standing, second(config)
        if standing is None or shadow is None:
            return
        seen = _seen(looked, standing, config, shadow)
        plan = decide(seen, shadow)
        compared = prices_compared(looked, live, seen, plan)
        before = standing.memory or Memory()
        self._book.write_prices(standing.run, compared, plan, changed(before, plan.memory))
        self.standing = attrs.evolve(standing, memory=plan.memory)
        self.last["fee"] = compared

    def _refill(self, looked: Snapshot, config: Config, live: RebalancePlan) -> None:
        standing, shadow = self.standing, second(config)
        if (
            shadow is None
            or standing is None
            or standing.run.config != spelled(config.shadow_config)
        ):
            return
        plan = rebalance(_seen(looked, standing, config, shadow), shadow)
        compared = refills_compared(live, plan)
        rest = max(shadow.rebalance_cooldown_hours * HOUR, DEADLINE_S)
        self._book.write_refills(standing.run, compared, plan, Instant(looked.now - rest))
        self.last["rebalance"] = compared

    def _take_up(self, wanted: str, at: Instant) -> None:
        """
        Go on with the run of the config that is *wanted*, or begin it, or end what is under way.
        """
        if not self._is_looked_up:
            run = self._book.run()
            self.standing = Standing(run=run, memory=self._book.memory()) if run else None
            self._is_looked_up = True
        if wanted == (self.standing.run.config if self.standing else ""):
            return
        self.standing = None
        self.last.clear()
        if wanted:
            self.standing = Standing(run=self._book.begin(wanted, at))
        else:
            self._book.end(at)

    def _apart(self, area: Area, work: Callable[[], None]) -> None:
        """
        Do *work*; when that fails, say so once and go on.
        """
        try:
            work()
        except Exception as error:  # noqa: BLE001 -- the live cycle is not to be disturbed by any
            trouble = f"{type(error).__name__}: {error}"
            if self.troubles.get(area) != trouble:
                foreseen = isinstance(error, StoreError)
                self._log.error(f"shadow-config: {area}: {trouble}", exc_info=not foreseen)
            self.troubles[area] = trouble
        else:
            self.troubles.pop(area, None)


def _seen(looked: Snapshot, standing: Standing, config: Config, shadow: Config) -> Snapshot:
    same_search = shadow.fee_optimizer == config.fee_optimizer
    return as_seen(looked, standing.memory, same_search=same_search)
