"""Hive: what is told to the members of our hive of how we do; what they make of it is theirs."""

from collections.abc import Iterable
from typing import Final, Literal

import attrs

from revops.core.config import Config
from revops.core.pnl import Pnl
from revops.core.profit import Assessment, ProfitClass
from revops.core.snapshot import NORMAL, Channel
from revops.core.units import HOUR, MILLION, Instant, Msat, PeerId, Ppm, sats_down

Trend = Literal["improving", "stable", "declining"]

WINDOW_S: Final = 6 * HOUR
"""How long a price is watched before it is told what came at it."""
_TREND: Final = 0.1
"""How far a week may be from the month before it is called a trend."""


@attrs.frozen(kw_only=True)
class FeeObservation:
    """
    What left toward a peer while one price was in force.
    """

    peer_id: PeerId
    our_fee_ppm: Ppm
    their_fee_ppm: Ppm | None
    volume_sats: int
    forward_count: int
    period_hours: float
    revenue_rate: float


@attrs.frozen(kw_only=True)
class Health:
    """
    How many channels earn, and which way it goes.

    Attributes:
        liquidity_score: Of 100 channels, how many are neither short nor full.
    """

    profitable_channels: int
    underwater_channels: int
    stagnant_channels: int
    total_channels: int
    revenue_trend: Trend
    liquidity_score: int


@attrs.frozen(kw_only=True)
class Balance:
    """
    A channel that is short, or full.
    """

    peer_id: PeerId
    local_pct: float
    capacity_sats: int


@attrs.frozen(kw_only=True)
class Liquidity:
    """
    Where liquidity is missing or idle, and whose channels are being filled.
    """

    depleted_channels: tuple[Balance, ...]
    saturated_channels: tuple[Balance, ...]
    rebalancing_active: bool
    rebalancing_peers: tuple[PeerId, ...]


@attrs.frozen(kw_only=True)
class PeriodCosts:
    """
    What refills cost since the week began.
    """

    rebalance_costs_sats: int


Report = FeeObservation | Health | Liquidity | PeriodCosts
"""Its fields are called as cl-hive calls them."""


def liquidity(channels: Iterable[Channel], filled: Iterable[PeerId], config: Config) -> Liquidity:
    """
    Return where liquidity is missing or idle, where channels of the peers *filled* are filled.
    """
    shares = [(channel, channel.to_us_msat / channel.capacity_msat) for channel in _open(channels)]
    peers = tuple(sorted(set(filled)))
    return Liquidity(
        depleted_channels=tuple(
            _balance(c, share) for c, share in shares if share < config.low_liquidity_threshold
        ),
        saturated_channels=tuple(
            _balance(c, share) for c, share in shares if share > config.high_liquidity_threshold
        ),
        rebalancing_active=bool(peers),
        rebalancing_peers=peers,
    )


def _open(channels: Iterable[Channel]) -> list[Channel]:
    return [channel for channel in channels if channel.state == NORMAL]


def _balance(channel: Channel, share: float) -> Balance:
    return Balance(
        peer_id=channel.peer_id,
        local_pct=round(share, 4),
        capacity_sats=sats_down(channel.capacity_msat),
    )


def health(
    assessments: Iterable[Assessment], week: Pnl, month: Pnl, balances: Liquidity
) -> Health | None:
    """
    Return how the open channels do; `None` where none earns, loses or rests: there is nothing to
    tell, and cl-hive does not want to hear it.
    """
    kinds = [a.profit_class for a in assessments if a.account.closed_at is None]
    earning, losing = kinds.count(ProfitClass.PROFITABLE), kinds.count(ProfitClass.UNDERWATER)
    resting = kinds.count(ProfitClass.STAGNANT) + kinds.count(ProfitClass.ZOMBIE)
    if not earning + losing + resting:
        return None
    uneven = len(balances.depleted_channels) + len(balances.saturated_channels)
    return Health(
        profitable_channels=earning,
        underwater_channels=losing,
        stagnant_channels=resting,
        total_channels=len(kinds),
        revenue_trend=_trend(week.earned_msat / 7, month.earned_msat / 30),
        liquidity_score=max(0, 100 - 100 * uneven // len(kinds)),
    )


def _trend(lately: float, usually: float) -> Trend:
    if lately > (1 + _TREND) * usually:
        return "improving"
    return "declining" if lately < (1 - _TREND) * usually else "stable"


@attrs.frozen(kw_only=True)
class Watch:
    """
    A price that is in force, and what has left at it.

    Attributes:
        since, out_msat, out_count: When it was first seen, and what had left by then in all.
        seen_at, seen_msat, seen_count: The same at the last look.
    """

    fee_ppm: Ppm
    since: Instant
    out_msat: Msat
    out_count: int
    seen_at: Instant
    seen_msat: Msat
    seen_count: int


def watched(
    watch: Watch | None, channel: Channel, now: Instant, out_msat: Msat, out_count: int
) -> tuple[Watch, FeeObservation | None]:
    """
    Return *watch* after a look at *channel*, by which *out_msat* has left in all, and what there
    is to tell when a price has been in force for long enough, or is no more: nothing about a time
    in which nothing came.
    """
    begun = Watch(
        fee_ppm=channel.fee_ppm,
        since=now,
        out_msat=out_msat,
        out_count=out_count,
        seen_at=now,
        seen_msat=out_msat,
        seen_count=out_count,
    )
    if watch is None or out_count < watch.seen_count or now < watch.seen_at:
        return begun, None
    if channel.fee_ppm != watch.fee_ppm:
        # What came since the last look came at the new price, which was set right after that.
        begun = attrs.evolve(
            begun, since=watch.seen_at, out_msat=watch.seen_msat, out_count=watch.seen_count
        )
        return begun, _observation(watch, channel)
    seen = attrs.evolve(watch, seen_at=now, seen_msat=out_msat, seen_count=out_count)
    return (begun, _observation(seen, channel)) if now - seen.since >= WINDOW_S else (seen, None)


def _observation(watch: Watch, channel: Channel) -> FeeObservation | None:
    count, hours = watch.seen_count - watch.out_count, (watch.seen_at - watch.since) / HOUR
    volume = Msat(max(0, watch.seen_msat - watch.out_msat))
    if not count or not hours:
        return None
    return FeeObservation(
        peer_id=channel.peer_id,
        our_fee_ppm=watch.fee_ppm,
        their_fee_ppm=channel.peer_fee_ppm,
        volume_sats=sats_down(volume),
        forward_count=count,
        period_hours=round(hours, 4),
        revenue_rate=round(volume * watch.fee_ppm / MILLION / 1000 / hours, 4),
    )
