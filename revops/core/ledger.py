"""Ledger: what the books hold, by channel and by day, in the terms that rules of money read."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Final, Literal

import attrs

from revops.core import checks
from revops.core.snapshot import Channel
from revops.core.units import ChannelId, Instant, Msat, PeerId, Scid

SETTLED: Final = frozenset({"ONCHAIN", "CLOSED"})
"""States of channels whose funds the chain has, or the wallet."""
DIAGNOSTIC_DAYS: Final = 14
"""How far back `Account.diagnostics` counts."""


@attrs.frozen(kw_only=True)
class Cost:
    """
    What one kind of thing cost a channel.

    Attributes:
        estimated: Some of it is what such a thing usually costs, not what was seen to be paid.
    """

    amount_msat: Msat = attrs.field(validator=checks.whole())
    estimated: bool = False


FREE: Final = Cost(amount_msat=Msat(0))
"""The cost of what did not happen: known, and nothing."""


@attrs.frozen(kw_only=True)
class Activity:
    """
    What a channel moved, earned and cost in some span of time.

    Attributes:
        in_count, out_count: Settled forwards that entered and left here.
        in_msat, out_msat: What they brought and took.
        earned_msat: Fees of those that left here. Each forward's fee is earned by one channel.
        sourced_msat: Fees of those that entered here, which another channel earned.
        open_cost, close_cost, splice_cost, refill_cost: `None` when nobody can tell; `FREE` when
            there was no such thing.
        refilled_msat: What refills brought to our side; `None` when nobody can tell.
    """

    in_count: int = attrs.field(default=0, validator=checks.whole())
    out_count: int = attrs.field(default=0, validator=checks.whole())
    in_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    out_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    earned_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    sourced_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    open_cost: Cost | None = None
    close_cost: Cost | None = None
    splice_cost: Cost | None = None
    refill_cost: Cost | None = None
    refilled_msat: Msat | None = attrs.field(default=None, validator=checks.whole(optional=True))


NOTHING: Final = Activity(open_cost=FREE, close_cost=FREE, splice_cost=FREE, refill_cost=FREE)
"""What somebody did who is known to have done nothing."""


@attrs.frozen(kw_only=True)
class Account:
    """
    The books of one channel, open or closed.

    Attributes:
        scid: The latest one; `None` for a channel that never had any.
        opener: Who paid for opening it; `None` when nobody can tell.
        opened_at: `None` when nobody can tell.
        closed_at: `None` while it is open.
        to_us_msat: Our side of it now; `None` when unknown, or closed.
        life: Since it was opened, splices included.
        window: Within the window of the ledger.
        last_value_at: When the latest forward settled, in or out; `None` for never, as far as the
            books reach.
        diagnostics: Refills of the last 14 days that were made to see whether somebody comes.
        revived: Whether a forward left after one of them.
    """

    channel_id: ChannelId = attrs.field(validator=checks.hexadecimal(64))
    scid: Scid | None = attrs.field(default=None, validator=checks.scid(optional=True))
    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    alias: str | None = None
    capacity_msat: Msat = attrs.field(validator=checks.whole(1, checks.MOST_MSAT))
    opener: Literal["local", "remote"] | None = None
    opened_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    closed_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    to_us_msat: Msat | None = attrs.field(default=None, validator=checks.msat(optional=True))
    life: Activity = attrs.field(factory=Activity)
    window: Activity = attrs.field(factory=Activity)
    last_value_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    diagnostics: int = attrs.field(default=0, validator=checks.whole())
    revived: bool = False


@attrs.frozen(kw_only=True)
class Balance:
    """
    What the node held at one moment.

    Attributes:
        channel_msat: Our side of all channels.
        onchain_msat: Confirmed and unreserved; `None` when the node did not tell.
        capacity_msat, channel_count: Of the channels.
    """

    at: Instant = attrs.field(validator=checks.whole())
    channel_msat: Msat = attrs.field(validator=checks.whole())
    onchain_msat: Msat | None = attrs.field(default=None, validator=checks.whole(optional=True))
    capacity_msat: Msat = attrs.field(validator=checks.whole())
    channel_count: int = attrs.field(validator=checks.whole())


def balance_of(channels: Iterable[Channel], onchain: Msat | None, at: Instant) -> Balance:
    """
    Return what the node holds in *channels* and *onchain*; what closed on-chain is on its way to
    the wallet, or there already, and counts no more.
    """
    held = [channel for channel in channels if channel.state not in SETTLED]
    return Balance(
        at=at,
        channel_msat=Msat(sum(channel.to_us_msat for channel in held)),
        onchain_msat=onchain,
        capacity_msat=Msat(sum(channel.capacity_msat for channel in held)),
        channel_count=len(held),
    )


@attrs.frozen(kw_only=True)
class Day:
    """
    One day (UTC) of the node.

    Attributes:
        number: Days since the epoch.
        balance: As it was seen on that day; `None` when nobody looked: it is not made up later.
        chain_cost_msat: Of openings, closes and splices; estimates included.
    """

    number: int = attrs.field(validator=checks.whole())
    balance: Balance | None = None
    earned_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    volume_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    forward_count: int = attrs.field(default=0, validator=checks.whole())
    refill_cost_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())
    chain_cost_msat: Msat = attrs.field(default=Msat(0), validator=checks.whole())


@attrs.frozen(kw_only=True)
class Looks:
    """
    How a channel was found by those who looked at it, at even intervals.

    Attributes:
        count: How often somebody looked.
        short: How often less than low-liquidity-threshold was ours.
        live: How often it could carry payments away.
    """

    count: int = attrs.field(validator=checks.whole(1))
    short: int = attrs.field(validator=checks.whole())
    live: int = attrs.field(validator=checks.whole())


@attrs.frozen(kw_only=True)
class Splice:
    """
    A channel that went on under another short channel id, with another capacity.
    """

    channel_id: ChannelId = attrs.field(validator=checks.hexadecimal(64))
    at: Instant = attrs.field(validator=checks.whole())
    old_scid: Scid = attrs.field(validator=checks.scid())
    new_scid: Scid = attrs.field(validator=checks.scid())
    old_capacity_msat: Msat = attrs.field(validator=checks.whole())
    new_capacity_msat: Msat = attrs.field(validator=checks.whole())


@attrs.frozen(kw_only=True)
class Ledger:
    """
    The books of the node, as one moment sees them.

    Attributes:
        now: The moment.
        since: From when on the books hold every forward: 0 when there was none before theirs;
            `None` while they are not complete.
        start, end: The window: 30 days up to now, unless somebody asked for another.
        accounts: Every channel there ever was, in the order of their channel id.
        stray_life, stray_window: What belongs to no account: of channels that nobody told us more
            about than a short channel id, or not even that.
    """

    now: Instant = attrs.field(validator=checks.whole())
    since: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    start: Instant = attrs.field(validator=checks.whole())
    end: Instant = attrs.field(validator=checks.whole())
    accounts: tuple[Account, ...] = attrs.field(
        default=(),
        converter=checks.by_channel,
        validator=checks.unique("channel_id", attrgetter("channel_id")),
    )
    stray_life: Activity = NOTHING
    stray_window: Activity = NOTHING

    def __attrs_post_init__(self) -> None:
        if self.start > self.end:
            problem = f"expected at most end {self.end}, got {self.start}"
            raise checks.FieldError("start", problem)
