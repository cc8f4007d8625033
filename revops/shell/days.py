"""Days: what each one brought and how it ended; sums are made later, balances never are."""

from collections.abc import Callable
from typing import Final

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.store import Store
from revops.core.config import Config
from revops.core.ledger import Looks, balance_of
from revops.core.reputation import digested, recalled
from revops.core.snapshot import NORMAL, Channel, Snapshot
from revops.core.units import DAY, HOUR, Instant, Msat
from revops.shell.clock import Clock
from revops.shell.ports import Unread, WalletPort

REVISED: Final = 35
"""How many days back sums are made again: the node tells some things late."""
AT_ONCE: Final = 100
"""How many days are added up in one transaction."""
LOOKS_KEPT: Final = 30
REMEMBERED: Final = 30
"""How many days back HTLCs still count for a reputation that was not kept before."""


class Days:
    """
    Writes down what the node holds, once a day, and what each day brought, whenever it was.
    """

    def __init__(
        self, node: WalletPort, store: Store, clock: Clock, config: Callable[[], Config]
    ) -> None:
        self._node = node
        self._store = store
        self._book = store.reports
        self._clock = clock
        self._config = config

    def catch_up(self, seen: Snapshot) -> Unread:
        """
        Bring days, liquidity and reputations up to now, with what was *seen* last; return a
        sentence if the node did not tell what its wallet holds.
        """
        now, until = self._clock.now(), self._store.books().until
        self._look(seen, now // DAY)
        if until is None:
            return ()
        self._add_up(min(now, until) // DAY)
        self._digest(min(now, until))
        return self._weigh(seen, now)

    def _look(self, seen: Snapshot, today: int) -> None:
        config = self._config()
        looks = {
            channel.channel_id: _looked(channel, config.low_liquidity_threshold)
            for channel in seen.channels
            if channel.state == NORMAL
        }
        self._book.add_looks(looks, today, today - LOOKS_KEPT + 1)

    def _add_up(self, last: int) -> None:
        """
        Add up the days to *last* that are missing, and those of which the sums may have changed.
        """
        since = self._store.books().since
        first = last if since is None else min(since // DAY, last)
        there = {day.number for day in self._book.days(first)}
        missing = (day for day in range(first, last) if day not in there)
        begin = min(next(missing, last), max(first, last - REVISED))
        for day in range(begin, last + 1, AT_ONCE):
            self._book.add_up_days(day, min(day + AT_ONCE - 1, last))

    def _weigh(self, seen: Snapshot, now: Instant) -> Unread:
        """
        Write down what the node holds, unless that is known of today; what nobody looked at on
        its day is never made up.
        """
        today = [day for day in self._book.days(now // DAY) if day.number == now // DAY]
        told = bool(today and today[0].balance and today[0].balance.onchain_msat is not None)
        if told or not today or seen.now // DAY != now // DAY:
            return ()
        onchain: Msat | None = None
        problems: Unread = ()
        try:
            onchain = self._node.onchain()
        except (NodeRefusedError, NoAnswerError) as error:
            problems = (str(error),)
        self._book.see_balance(balance_of(seen.channels, onchain, now))
        return problems

    def _digest(self, until: Instant) -> None:
        """
        Let what became of HTLCs before *until* count for their peers, a day at a time.
        """
        now, config, end = self._clock.now(), self._config(), until // HOUR
        known = {p: recalled(r, now) for p, r in self._book.reputations().items()}
        last = max((reputation.hour for reputation in known.values()), default=-1)
        for hour in range(max(last, end - REMEMBERED * 24 - 1), end - 1, 24):
            upto = min(hour + 24, end - 1)
            changed = {
                peer_id: digested(known.get(peer_id), peer_id, hours, until, config)
                for peer_id, hours in self._book.peer_hours(hour, upto).items()
            }
            known |= {peer_id: r for peer_id, r in changed.items() if r is not None}
            self._book.save_reputations(r for r in changed.values() if r is not None)


def _looked(channel: Channel, threshold: float) -> Looks:
    short = channel.to_us_msat < threshold * channel.capacity_msat
    return Looks(count=1, short=int(short), live=int(channel.connected and not short))
