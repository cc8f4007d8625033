"""Look: what a money cycle may know, read to its end before anything is reserved."""

from typing import Final

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.core.config import Config
from revops.core.memory import Memory
from revops.core.snapshot import Traffic
from revops.core.treasury import Engine, Treasury
from revops.core.units import DAY, HOUR, ChannelId, Instant, Msat
from revops.shell.observe import Observed
from revops.shell.ports import Unread
from revops.shell.rebalancing.kit import Kit

_LEARNED_FROM: Final = 90 * DAY
_TRAFFIC_FRESH: Final = HOUR
"""Forwards that are counted up to longer ago do not tell how a channel does now."""
_BLIND: Final = (
    "lightningd does not list what payments cost: rebalancing needs v23.11 or later, and v25.09"
    " for more than one at a time"
)


@attrs.frozen
class MoneyLook:
    """
    The look of a money cycle: at the channels as a fee cycle sees them, without the feerate and
    the forwards, which that one reads; at the wallet, at sling, and at what was spent.
    """

    kit: Kit

    def look(self, memory: Memory, config: Config) -> Observed:
        """
        Return the node as it is now, with what *memory* kept of it, and its treasury.

        Raises:
            NodeRefusedError, NoAnswerError: The node did not tell who it is, what channels it has
                or what moved in them: no money is moved then. Sling and the wallet that do not
                answer are missing evidence.
            StoreError: The books are another node's, or cannot be read or written.
        """
        listed = self.kit.observer.listed()
        onchain, silent = self._wallet()
        engine = None if config.rebalancer == "none" else self.kit.sling.look()
        # Last, so that whatever is new to the books once money is reserved came after that.
        unread = self.kit.walk.to_end(listed.node.node_id, listed.now)
        snapshot = self.kit.observer.snapshot(
            listed,
            memory,
            self._traffic(listed.now, memory, config),
            self.kit.observer.uptime.lately(listed.now),
        )
        return Observed(
            snapshot=attrs.evolve(
                snapshot,
                onchain_msat=onchain,
                treasury=self._treasury(listed.now, self._seen(engine)),
            ),
            problems=listed.problems + silent + unread,
        )

    def _wallet(self) -> tuple[Msat | None, Unread]:
        try:
            return self.kit.node.onchain(), ()
        except (NodeRefusedError, NoAnswerError) as error:
            return None, (str(error),)

    def _seen(self, engine: Engine | None) -> Engine | None:
        blind = engine and self.kit.walk.blind and not engine.trouble
        return attrs.evolve(engine, trouble=_BLIND) if engine and blind else engine

    def _traffic(self, now: Instant, memory: Memory, config: Config) -> dict[ChannelId, Traffic]:
        until = self.kit.store.books().until
        if until is None or until < now - _TRAFFIC_FRESH:
            return {}
        return self.kit.store.traffic(now, config.flow_window_days, memory)

    def _treasury(self, now: Instant, engine: Engine | None) -> Treasury:
        book = self.kit.store.treasury
        return Treasury(
            engine=engine,
            spending=book.spending(now),
            revenue_day_msat=book.revenue(now, DAY),
            revenue_week_msat=book.revenue(now, 7 * DAY),
            refill_cost_week_msat=book.refill_cost_week(now),
            income_month_msat=book.income_month(now),
            attempts=book.attempts(Instant(now - _LEARNED_FROM)),
            one_at_a_time=self.kit.walk.by_payments,
            reputations=tuple(self.kit.store.reports.reputations().values()),
        )
