"""Reputation: how often a peer's HTLCs succeed, with what is long ago counting less."""

from collections.abc import Iterable
from typing import Final

import attrs

from revops.core.config import Config
from revops.core.snapshot import Slice
from revops.core.treasury import MOST_RECORD, Reputation
from revops.core.units import HOUR, Instant, PeerId

PRIOR: Final = 0.5
"""The score of a peer of whom nothing is known."""


def digested(
    reputation: Reputation | None,
    peer_id: PeerId,
    hours: Iterable[Slice],
    until: Instant,
    config: Config,
) -> Reputation | None:
    """
    Return *reputation* after the *hours*, of all channels with the peer, that were complete at
    *until* and that it has not seen; `None` when there never was one.

    What we refused or could not add ourselves is not the peer's fault and not counted.
    """
    last = reputation.hour if reputation else -1
    new: dict[int, tuple[int, int]] = {}
    for part in hours:
        if last < part.start < until // HOUR and part.out_count + part.failed_count:
            good, bad = new.get(part.start, (0, 0))
            new[part.start] = (good + part.out_count, bad + part.failed_count)
    for hour in sorted(new):
        before = reputation or Reputation(peer_id=peer_id, hour=hour)
        kept = _kept((hour - before.hour) * HOUR, config)
        good, bad = new[hour]
        reputation = Reputation(
            peer_id=peer_id,
            hour=hour,
            successes=min(before.successes * kept + good, MOST_RECORD),
            failures=min(before.failures * kept + bad, MOST_RECORD),
        )
    return reputation


def recalled(reputation: Reputation, now: Instant) -> Reputation:
    """
    Return *reputation* as of *now* at the latest: a clock that once was ahead must not leave it
    blind until time catches up.
    """
    return attrs.evolve(reputation, hour=max(0, min(reputation.hour, now // HOUR - 1)))


def score(reputation: Reputation | None, now: Instant, config: Config) -> float:
    """
    Return how likely the next HTLC to the peer succeeds: above 0 and below 1.
    """
    if reputation is None or not config.enable_reputation:
        return PRIOR
    kept = _kept(now - (reputation.hour + 1) * HOUR, config)
    good, bad = reputation.successes * kept, reputation.failures * kept
    return (good + 1) / (good + bad + 2)


def _kept(seconds: int, config: Config) -> float:
    """
    Return what is left after *seconds*; a clock that went back takes nothing and adds nothing.
    """
    return float(config.reputation_decay ** (max(0, seconds) / config.flow_interval))
