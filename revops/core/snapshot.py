"""Snapshot: everything a cycle may know, and nothing it could look up."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Final, Literal

import attrs

from revops.core import checks
from revops.core.memory import Memory, Price
from revops.core.policy import Policy
from revops.core.treasury import Treasury
from revops.core.units import ChannelId, Instant, Msat, PeerId, Ppm, Scid

NORMAL = "CHANNELD_NORMAL"
"""The one channel state in which fees can be set and payments flow."""
MOST_PERKW: Final = 100_000_000
"""Far more than was ever paid for a transaction, in sat per 1000 weight."""


@attrs.frozen(kw_only=True)
class Hour:
    """
    What moved through a channel in one hour.

    Attributes:
        start: Hours since the epoch, UTC.
        in_count, out_count: Settled forwards that entered and left by this channel.
        in_msat, out_msat: What they brought and took.
    """

    start: int = attrs.field(validator=checks.whole())
    in_count: int = attrs.field(default=0, validator=checks.whole())
    out_count: int = attrs.field(default=0, validator=checks.whole())
    in_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    out_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())


@attrs.frozen(kw_only=True)
class Slice(Hour):
    """
    All that went through a channel in one hour or one day.

    Attributes:
        start: Hours (or days) since the epoch, UTC.
        earned_msat: Fees of those that left here.
        sourced_msat: Fees of those that entered here.
        failed_count: Forwards out of here that failed further on.
        refused_count: Forwards out of here that we refused or could not add.
        size_sum, size_squares: Over the settled forwards out of here, the sum of
            `round(1024 x log2(out_msat))` and of its squares: whole numbers, so that no order of
            adding changes them.
    """

    earned_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    sourced_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    failed_count: int = attrs.field(default=0, validator=checks.whole())
    refused_count: int = attrs.field(default=0, validator=checks.whole())
    size_sum: int = attrs.field(default=0, validator=checks.whole())
    size_squares: int = attrs.field(default=0, validator=checks.whole())


def as_hour(part: Hour) -> Hour:
    """
    Return what flow reads of *part*, and nothing else: a first cycle holds a week of hours for
    each channel.
    """
    if type(part) is Hour:
        return part
    return Hour(
        start=part.start,
        in_count=part.in_count,
        out_count=part.out_count,
        in_msat=part.in_msat,
        out_msat=part.out_msat,
    )


def _hours(parts: Iterable[Hour]) -> tuple[Hour, ...]:
    return checks.by_start(map(as_hour, parts))


@attrs.frozen(kw_only=True, slots=False)
class Traffic:
    """
    What the books say about a channel's forwards.

    Attributes:
        since, until: The time they cover completely.
        out_count: Settled forwards out of here in all that time; only ever grows.
        last_in_at, last_out_at: When the latest settled; `None` for never.
        hours: Complete hours with traffic that the memory has not digested yet.
        days: Days with traffic, the flow window long; the last one may be incomplete.
    """

    since: Instant = attrs.field(validator=checks.whole())
    until: Instant = attrs.field(validator=checks.whole())
    out_count: int = attrs.field(default=0, validator=checks.whole())
    last_in_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    last_out_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    hours: tuple[Hour, ...] = attrs.field(
        default=(),
        converter=_hours,
        validator=checks.unique("hour", attrgetter("start")),
    )
    days: tuple[Slice, ...] = attrs.field(
        default=(),
        converter=checks.by_start,
        validator=checks.unique("day", attrgetter("start")),
    )


@attrs.frozen(kw_only=True)
class Refills:
    """
    What refilling a channel took in the last 30 days.
    """

    count: int = attrs.field(validator=checks.whole())
    amount_msat: Msat = attrs.field(validator=checks.whole())
    cost_msat: Msat = attrs.field(validator=checks.whole())


@attrs.frozen(kw_only=True)
class HiveHint:
    """
    What the members of our hive found out together about the fees toward a peer.

    Attributes:
        fee_ppm: What they think earns most.
        confidence: How sure they are of it.
    """

    fee_ppm: Ppm = attrs.field(validator=checks.whole(0, 2**32 - 1))
    confidence: float = attrs.field(validator=checks.number(0, 1))


@attrs.frozen(kw_only=True, slots=False)
class Channel:
    """
    A channel as the node sees it now.

    Attributes:
        scid: `None` until the funding transaction is deep enough.
        state: lightningd's word, `CHANNELD_NORMAL` when payments can flow.
        htlcs_in, htlcs_out, max_htlcs: HTLC slots in use each way, and how many there are;
            `None` when the node did not say.
        fee_ppm, base_fee_msat, htlc_max_msat: What we charge and allow, in force now.
        peer_fee_ppm, peer_base_fee_msat: What the peer charges toward us; `None` before its
            first channel_update.
        opened_at: `None` when nothing tells.
        peer_uptime: Share of the watched time of the last week in which the peer was connected;
            `None` before it was watched for a day.
        live_share: Share of the looks of the last 30 days at which it could carry payments away;
            `None` before there was a day of them.
        market_ppm: Capacity-weighted median of what others charge toward this peer; `None` when
            gossip was not read.
        hive_hint: `None` without a hive, or when it knows nothing of this peer.
        traffic: `None` when the books could not be read: unknown, which is not none.
        refills: `None` when costs are unknown.
    """

    channel_id: ChannelId = attrs.field(validator=checks.hexadecimal(64))
    scid: Scid | None = attrs.field(validator=checks.scid(optional=True))
    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    state: str
    capacity_msat: Msat = attrs.field(validator=checks.whole(1, checks.MOST_MSAT))
    to_us_msat: Msat = attrs.field(validator=checks.msat())
    spendable_msat: Msat = attrs.field(validator=checks.msat())
    receivable_msat: Msat = attrs.field(validator=checks.msat())
    fee_ppm: Ppm = attrs.field(validator=checks.whole(0, 2**32 - 1))
    base_fee_msat: Msat = attrs.field(validator=checks.whole(0, 2**32 - 1))
    htlc_min_msat: Msat = attrs.field(default=Msat(0), validator=checks.msat())
    htlc_max_msat: Msat | None = attrs.field(default=None, validator=checks.msat(optional=True))
    connected: bool = True
    peer_uptime: float | None = attrs.field(
        default=None, validator=checks.number(0, 1, optional=True)
    )
    live_share: float | None = attrs.field(
        default=None, validator=checks.number(0, 1, optional=True)
    )
    opener: Literal["local", "remote"] = "local"
    private: bool = False
    our_reserve_msat: Msat | None = attrs.field(default=None, validator=checks.msat(optional=True))
    their_reserve_msat: Msat | None = attrs.field(
        default=None, validator=checks.msat(optional=True)
    )
    htlcs_in: int = attrs.field(default=0, validator=checks.whole())
    htlcs_out: int = attrs.field(default=0, validator=checks.whole())
    max_htlcs: int | None = attrs.field(default=None, validator=checks.whole(1, optional=True))
    peer_fee_ppm: Ppm | None = attrs.field(default=None, validator=checks.whole(optional=True))
    peer_base_fee_msat: Msat | None = attrs.field(
        default=None, validator=checks.whole(optional=True)
    )
    opened_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    market_ppm: Ppm | None = attrs.field(default=None, validator=checks.whole(optional=True))
    hive_hint: HiveHint | None = None
    alias: str | None = None
    traffic: Traffic | None = None
    refills: Refills | None = None

    def __attrs_post_init__(self) -> None:
        if self.to_us_msat > self.capacity_msat:
            problem = f"expected at most capacity_msat {self.capacity_msat}, got {self.to_us_msat}"
            raise checks.FieldError("to_us_msat", problem)


@attrs.frozen(kw_only=True)
class FeePin:
    """
    A price that the operator set by a command, left alone until *until*. It has a say as long as
    it is in force: an order that the node never carried out, or a fee that was changed since,
    leaves it without.
    """

    channel_id: ChannelId = attrs.field(validator=checks.hexadecimal(64))
    price: Price
    set_at: Instant = attrs.field(validator=checks.whole())
    until: Instant = attrs.field(validator=checks.whole())


@attrs.frozen(kw_only=True)
class FeerateSample:
    """
    What a transaction that confirms within 12 blocks cost at one moment, in sat per 1000 weight.
    """

    at: Instant = attrs.field(validator=checks.whole())
    perkw: int = attrs.field(validator=checks.whole(1, MOST_PERKW))


@attrs.frozen(kw_only=True)
class Node:
    """
    Who we are.
    """

    node_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    alias: str = ""
    network: str = "bitcoin"
    version: str | None = None
    blockheight: int | None = attrs.field(default=None, validator=checks.whole(optional=True))


@attrs.frozen(kw_only=True, slots=False)
class Snapshot:
    """
    Everything that a decision may depend on: same snapshot and Config in, same Plan out.

    Attributes:
        now: When it was taken; nothing else tells the time.
        seed: What every draw is made from.
        channels: In the order of their channel id, however they came.
        feerates: Our own samples of the last week, the latest last; empty when the node gave none.
        pins: Prices that the operator set by a command: those whose time runs, and those whose
            time ended since their channel was last looked at.
        wake: The operator asks channels that rest without a gradient to search again.
        onchain_msat: Confirmed and unreserved; `None` when it was not asked for.
        treasury: What rebalancing needs beside it; `None` for a look that only prices.
        memory: What the previous cycle left.
    """

    now: Instant = attrs.field(validator=checks.whole())
    seed: int = attrs.field(default=0, validator=checks.whole())
    node: Node
    channels: tuple[Channel, ...] = attrs.field(
        default=(),
        converter=checks.by_channel,
        validator=checks.unique("channel_id", attrgetter("channel_id")),
    )
    feerates: tuple[FeerateSample, ...] = attrs.field(default=(), converter=checks.by_time)
    policies: tuple[Policy, ...] = attrs.field(
        default=(),
        converter=checks.by_peer,
        validator=checks.unique("peer_id", attrgetter("peer_id")),
    )
    pins: tuple[FeePin, ...] = attrs.field(
        default=(),
        converter=checks.by_channel,
        validator=checks.unique("channel_id", attrgetter("channel_id")),
    )
    wake: bool = False
    onchain_msat: Msat | None = attrs.field(default=None, validator=checks.msat(optional=True))
    treasury: Treasury | None = None
    memory: Memory = attrs.field(factory=Memory)
