"""Experience: what became of earlier rebalances, and what that makes of the next."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from statistics import median
from typing import Final, TypeVar

import attrs

from revops.core.budget import Spend
from revops.core.config import Config
from revops.core.rebalance.futility import Futility, futility
from revops.core.rebalance.past import arrived, ended, fading, rests_until
from revops.core.rebalance.sales import Sales, sales
from revops.core.reputation import score
from revops.core.treasury import FAILURES, Attempt, Ending, Reputation, Treasury
from revops.core.units import DAY, HOUR, MILLION, ChannelId, Instant, PeerId, Ppm, nearest_ppm

PRIOR_WEIGHT: Final = 2.0
"""How many attempts a peer's record with forwards is worth."""
COST_WINDOW_S: Final = 90 * DAY
ENOUGH: Final = 5
"""Refills whose median needs no prior."""
NO_RETURN_S: Final = 7 * DAY
"""How long what went one way does not go the other: a loop that turns around only pays fees."""
TRIED: Final = FAILURES | {Ending.DONE, Ending.PARTIAL}
"""Endings after which it is known that what did not move could not be moved."""

Key = TypeVar("Key", bound=Hashable)
Pair = tuple[ChannelId, ChannelId]
"""What is to give and what is to be filled."""


@attrs.frozen(kw_only=True)
class Experience:
    """
    What earlier attempts say about peers, channels and pairs of channels.

    Attributes:
        toward: Attempts by the peer they went to, in the order they were made.
        resting: Channels that were refilled, and when they may be again.
        barred: Pairs that something moved by the other way, and until when: whatever might have
            given is taken to have given.
        sales: What was sold of what arrived.
    """

    now: Instant
    config: Config
    toward: Mapping[PeerId, tuple[Attempt, ...]]
    resting: Mapping[ChannelId, Instant]
    barred: Mapping[Pair, Instant]
    sales: Sales
    reputations: Mapping[PeerId, Reputation]

    def chance(self, peer_id: PeerId) -> float:
        """
        Return which share of the next rebalance toward *peer_id* is expected to move.
        """
        prior = score(self.reputations.get(peer_id), self.now, self.config)
        good, all_ = PRIOR_WEIGHT * prior, PRIOR_WEIGHT
        for attempt in self.toward.get(peer_id, ()):
            kept = fading(ended(attempt), self.now)
            share = min(attempt.moved_msat / max(attempt.amount_msat, 1), 1.0)
            good += kept * share
            all_ += kept * (1.0 if attempt.ending in TRIED else share)
        return good / all_

    def cost_ppm(self, peer_id: PeerId, prior: Ppm | None) -> Ppm | None:
        """
        Return what the next refill toward *peer_id* is expected to cost: by the median of what
        refills did, mixed with *prior* while they are few.
        """
        rates = [
            -(-attempt.fee_msat * MILLION // attempt.moved_msat)
            for attempt in self.toward.get(peer_id, ())
            if attempt.state is Spend.SETTLED
            and attempt.moved_msat
            and self.now - ended(attempt) <= COST_WINDOW_S
        ]
        if not rates:
            return prior
        seen = min(len(rates), ENOUGH) if prior is not None else ENOUGH
        return nearest_ppm((median(rates) * seen + (prior or 0) * (ENOUGH - seen)) / ENOUGH)

    def rests_until(self, channel_id: ChannelId) -> Instant | None:
        """
        Return when a channel that was refilled may be again; `None` when it may now.
        """
        return self.resting.get(channel_id)

    def forbids(self, from_channel: ChannelId, to_channel: ChannelId) -> Instant | None:
        """
        Return until when nothing goes this way since it went the other; `None` when it may now.
        """
        return self.barred.get((from_channel, to_channel))

    def futility(self, peer_id: PeerId) -> Futility:
        """
        Return how often in a row nothing could be moved toward *peer_id*.
        """
        return futility(self.toward.get(peer_id, ()), self.now, self.config)

    def futile_until(self, peer_id: PeerId) -> Instant | None:
        """
        Return when *peer_id* may be tried again; `None` when it may now.
        """
        return self.futility(peer_id).until

    def sale_chance(self, channel_id: ChannelId) -> float:
        """
        Return which share of a refill of *channel_id* is expected to be sold within the horizon.
        """
        return self.sales.chance(channel_id)


def experienced(treasury: Treasury, now: Instant, config: Config) -> Experience:
    """
    Return what the attempts in *treasury* teach at *now*.
    """
    toward: defaultdict[PeerId, list[Attempt]] = defaultdict(list)
    for attempt in treasury.attempts:
        toward[attempt.to_peer].append(attempt)
    return Experience(
        now=now,
        config=config,
        toward={peer_id: tuple(attempts) for peer_id, attempts in toward.items()},
        resting=_barred(treasury.attempts, config.rebalance_cooldown_hours * HOUR, now, _filled),
        barred=_barred(treasury.attempts, NO_RETURN_S, now, _ways_back),
        sales=sales(treasury.attempts, now),
        reputations={reputation.peer_id: reputation for reputation in treasury.reputations},
    )


def _barred(
    attempts: Iterable[Attempt],
    seconds: int,
    now: Instant,
    keys: Callable[[Attempt], Iterable[Key]],
) -> dict[Key, Instant]:
    """
    Return until when each of the *keys* of attempts that moved something is barred, for *seconds*
    from when the last of it arrived.
    """
    barred: dict[Key, Instant] = {}
    for attempt in attempts:
        at = arrived(attempt)
        until = None if at is None else rests_until(at, seconds, now)
        if until is not None:
            barred.update((key, max(until, barred.get(key, until))) for key in keys(attempt))
    return barred


def _filled(attempt: Attempt) -> tuple[ChannelId]:
    return (attempt.to_channel,)


def _ways_back(attempt: Attempt) -> tuple[Pair, ...]:
    return tuple((attempt.to_channel, gave) for gave in attempt.from_channels)
