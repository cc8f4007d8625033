"""Unspent: the treasury of a node on which revops never moved a sat, by its forwards alone."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from revops.core.budget import Spending
from revops.core.config import Config
from revops.core.reputation import digested
from revops.core.snapshot import Channel, Slice
from revops.core.treasury import Engine, Reputation, Treasury
from revops.core.units import DAY, HOUR, Instant, Msat, PeerId, Scid

Hours = Mapping[Scid, Sequence[Slice]]
"""What went through each channel that ever forwarded, in each hour."""

GRANTED: Final = (
    "taken for granted: a sling that is new enough and idle, peers that are connected whenever they"
    " are needed, and nothing spent on refills so far"
)
_MONTH: Final = 30


def reliable(channel: Channel) -> Channel:
    """
    Return *channel* with a peer that is always there, if it is there now: raw replies do not tell.
    """
    return attrs.evolve(channel, peer_uptime=1.0 if channel.connected else None)


def treasury_of(
    channels: Sequence[Channel], hours: Hours | None, now: Instant, config: Config
) -> Treasury:
    """
    Return what a node with these *channels* and *hours* would begin with: nothing is spent,
    nobody is known from attempts, and sling is there. Without *hours*, what was earned is unknown.
    """
    treasury = Treasury(
        engine=Engine(version=config.sling_min_version, jobs=()),
        spending=Spending(),
        refill_cost_week_msat=Msat(0),
    )
    if hours is None:
        return treasury
    return attrs.evolve(
        treasury,
        revenue_day_msat=_earned(hours, now, 1),
        revenue_week_msat=_earned(hours, now, 7),
        income_month_msat=_earned(hours, now, _MONTH),
        reputations=_reputations(channels, hours, now, config),
    )


def _earned(hours: Hours, now: Instant, days: int) -> Msat:
    first = (now - days * DAY) // HOUR
    parts = (part for of_channel in hours.values() for part in of_channel)
    return Msat(sum(part.earned_msat for part in parts if first < part.start <= now // HOUR))


def _reputations(
    channels: Sequence[Channel], hours: Hours, now: Instant, config: Config
) -> list[Reputation]:
    by_peer: dict[PeerId, list[Slice]] = {}
    first = (now - _MONTH * DAY) // HOUR
    for channel in channels:
        parts = hours.get(channel.scid, ()) if channel.scid else ()
        by_peer.setdefault(channel.peer_id, []).extend(p for p in parts if p.start > first)
    known = (digested(None, peer, parts, now, config) for peer, parts in by_peer.items())
    return [record for record in known if record is not None]
