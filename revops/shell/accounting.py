"""Accounting: every sat of cost to the channel that caused it, once, as soon as the node tells."""

from collections.abc import Callable, Iterable
from typing import Final

from revops.adapters.errors import NoAnswerError, NodeRefusedError, NotAskedError
from revops.adapters.store import Store
from revops.core.costs import SETTLING, Closing, chain_costs, closing_cost, estimate
from revops.core.snapshot import Snapshot
from revops.core.units import DAY, ChannelId, Instant, PeerId
from revops.shell.clock import Clock
from revops.shell.ports import BooksPort, Unread
from revops.shell.refills import RefillWalk

ACCOUNTS: Final = 20
"""How many channels bookkeeper is asked about in one go: an account may be megabytes long."""
_LOST_AFTER: Final = DAY
"""When a channel that no list of the node shows is called closed."""


class Accounting:
    """
    Follows what moved in the node's channels, what became of them, and what bookkeeper says.

    What is read and how far it was read are written in one transaction: it may be killed anywhere
    and begun again.

    Attributes:
        behind: Whether there was more to do than was done in one go.
    """

    def __init__(self, node: BooksPort, store: Store, clock: Clock, refills: RefillWalk) -> None:
        self._node = node
        self._book = store.costs
        self._clock = clock
        self._refills = refills
        self._knows_past = False
        self._too_long: set[ChannelId] = set()
        self.behind = False

    def catch_up(self, seen: Snapshot) -> Unread:
        """
        Bring the books up to now, with the channels that were *seen* last; return a sentence for
        each thing that was told and cannot be, or that the node refused to tell.

        Raises:
            NoAnswerError: The node is silent; the books stay as far as they got.
        """
        now = self._clock.now()
        steps: tuple[Callable[[], Unread], ...] = (
            lambda: self._refills.catch_up(seen.node.node_id, now),
            lambda: self._follow_channels(seen),
            self._estimate,
            lambda: self._ask_bookkeeper(now),
        )
        problems: Unread = ()
        self.behind = False
        for step in steps:
            try:
                problems += step()
            except NodeRefusedError as error:
                problems += (str(error),)
            if self._refills.behind:
                self.behind = True
                break
        return problems

    def _follow_channels(self, seen: Snapshot) -> Unread:
        self._book.see(seen.channels, seen.now)
        over = [channel for channel in seen.channels if channel.state in SETTLING]
        told, done = self._book.ends()
        closing, problems = _of_peers(
            self._node.closing_channels,
            {channel.peer_id for channel in over if channel.channel_id not in told},
        )
        self._archive(closing, resolved=False)
        gone = self._book.unlisted(channel.channel_id for channel in seen.channels)
        if self._knows_past:
            closed, unread = _of_peers(self._node.closed_channels, {c.peer_id for c in gone})
        else:
            closed, unread = self._node.closed_channels()
            self._knows_past = True
        self._archive((c for c in closed if c.channel_id not in done), resolved=True)
        listed = {channel.channel_id for channel in closed}
        lost = [c for c in gone if c.channel_id not in listed]
        self._book.forget(c.channel_id for c in lost)
        self._archive(
            (c for c in lost if c.scid and (c.at or 0) < seen.now - _LOST_AFTER), resolved=True
        )
        return problems + unread

    def _archive(self, closings: Iterable[Closing], *, resolved: bool) -> None:
        now = self._clock.now()
        priced = [
            (closing, closing_cost(closing, self._book.feerate_at(closing.at or now)))
            for closing in closings
        ]
        if priced:
            self._book.archive(priced, now, resolved=resolved)

    def _estimate(self) -> Unread:
        self._book.estimate(
            (item, estimate(item.kind, perkw))
            for item in self._book.unpriced()
            if (perkw := self._book.feerate_at(item.at)) is not None
        )
        return ()

    def _ask_bookkeeper(self, now: Instant) -> Unread:
        problems: Unread = ()
        due = self._book.due(now, ACCOUNTS + len(self._too_long))
        # Accounts that took too long wait until there are no others.
        asked = [channel_id for channel_id in due if channel_id not in self._too_long] or due
        for channel_id in asked[:ACCOUNTS]:
            try:
                account = self._node.account(channel_id)
            except NotAskedError:
                raise
            except NoAnswerError as error:
                self._too_long.add(channel_id)
                return (*problems, str(error))
            if account is None:
                return problems
            events, unread = account
            problems += unread
            self._book.take(channel_id, chain_costs(events), now)
        self.behind = len(asked) >= ACCOUNTS
        return problems


def _of_peers(
    ask: Callable[[PeerId], tuple[tuple[Closing, ...], Unread]], peers: Iterable[PeerId]
) -> tuple[tuple[Closing, ...], Unread]:
    closings: tuple[Closing, ...] = ()
    problems: Unread = ()
    for peer_id in sorted(peers):
        found, unread = ask(peer_id)
        closings += found
        problems += unread
    return closings, problems
