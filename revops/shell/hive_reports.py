"""Hive reports: what there is to tell our hive once a cycle is done."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from revops.adapters.store import Store
from revops.core.hive import (
    Liquidity,
    PeriodCosts,
    Report,
    Watch,
    health,
    liquidity,
    watched,
)
from revops.core.units import DAY, ChannelId, Instant, Msat, sats_up
from revops.shell.readings import Readings

if TYPE_CHECKING:
    from revops.shell.cycle import Cycled

_WEEK: Final = 7
_MONDAY: Final = 3
"""Days since the epoch, a Thursday, count from here to the beginning of an ISO week."""


class HiveReports:
    """
    Written by the thread of the hive desk, from what the worker left: a cycle is told once.
    """

    def __init__(
        self, last: "Callable[[], Cycled | None]", readings: Readings, store: Store
    ) -> None:
        self._last = last
        self._readings = readings
        self._store = store
        self._told: Cycled | None = None
        self._watches: dict[ChannelId, Watch] = {}

    def __call__(self) -> Iterator[Report]:
        """
        Return what is new since the last time.

        Raises:
            StoreError: The books cannot be read.
        """
        last = self._last()
        if last is None or last is self._told:
            return
        if self._readings.lately(last.snapshot.now).ledger.now < last.snapshot.now:
            return  # The worker is about to read the books.
        self._told = last
        filled = [logged.attempt.to_peer for logged in self._store.treasury.open()]
        balances = liquidity(last.snapshot.channels, filled, last.config)
        yield balances
        yield from self._sums(last.snapshot.now, balances)
        yield from self._observations(last)

    def _sums(self, now: Instant, balances: Liquidity) -> Iterator[Report]:
        month, week = self._readings.lately(now), self._readings.lately(now, _WEEK)
        found = health(month.assessments, week.period.pnl, month.period.pnl, balances)
        if found:
            yield found
        if self._store.costs.refills(now) is not None:
            today = now // DAY
            monday = Instant((today - (today + _MONDAY) % _WEEK) * DAY)
            paid = self._store.costs.refill_sums(monday, Instant(now + 1)).values()
            yield PeriodCosts(
                rebalance_costs_sats=sats_up(Msat(sum(refills.cost_msat for refills in paid)))
            )

    def _observations(self, last: "Cycled") -> Iterator[Report]:
        now = last.snapshot.now
        accounts = {a.channel_id: a for a in self._readings.lately(now).ledger.accounts}
        watches = {}
        for channel in last.snapshot.channels:
            own, account = channel.channel_id, accounts.get(channel.channel_id)
            if account is None:
                continue
            life = account.life
            watches[own], observation = watched(
                self._watches.get(own), channel, now, life.out_msat, life.out_count
            )
            if observation:
                yield observation
        self._watches = watches
