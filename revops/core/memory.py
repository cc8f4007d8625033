"""Memory: what one cycle leaves to the next, per channel and for the node."""

import enum
from operator import attrgetter
from typing import Final, Literal

import attrs

from revops.core import checks
from revops.core.units import DAY, HOUR, ChannelId, Instant, Msat, Ppm

YIELD_S: Final = DAY
"""How long a fee that somebody else set is left alone."""
MOST_LIVE_S: Final = 30 * DAY
MOST_COUNT: Final = 1_000_000_000
FEW: Final = 10
"""What the counters that wait for the second or third time in a row never exceed."""


class FlowState(str, enum.Enum):
    """
    Which way a channel's liquidity moves.
    """

    DORMANT = "dormant"
    SOURCE = "source"
    SINK = "sink"
    BALANCED = "balanced"


@attrs.frozen(kw_only=True, slots=False)
class FlowMemory:
    """
    What the hours so far say about a channel's flow; see `revops.core.flow`.

    Attributes:
        hour: The last hour digested, since the epoch; no hour is digested twice.
        in_sum, out_sum, count_sum: Exponentially weighted sums of msat and forwards at *hour*.
        ratio, velocity: Kalman state: net outflow as a share of capacity per day, and its change
            per hour.
        variance, covariance, velocity_variance: Its uncertainty.
        surprises: Innovations beyond 2.5 sd in a row.
        regime_hour: When the flow last changed for good; `None` for never.
        state: Source, sink or balanced, as the last hour left it; hysteresis needs it.
    """

    hour: int = attrs.field(validator=checks.whole())
    in_sum: float = attrs.field(default=0.0, validator=checks.number(0))
    out_sum: float = attrs.field(default=0.0, validator=checks.number(0))
    count_sum: float = attrs.field(default=0.0, validator=checks.number(0))
    ratio: float = attrs.field(default=0.0, validator=checks.number())
    velocity: float = attrs.field(default=0.0, validator=checks.number())
    variance: float = attrs.field(default=1.0, validator=checks.number(0))
    covariance: float = attrs.field(default=0.0, validator=checks.number())
    velocity_variance: float = attrs.field(default=0.01, validator=checks.number(0))
    surprises: int = attrs.field(default=0, validator=checks.whole(0, FEW))
    regime_hour: int | None = attrs.field(default=None, validator=checks.whole(optional=True))
    state: FlowState = FlowState.BALANCED


@attrs.frozen(kw_only=True, slots=False)
class Window:
    """
    What came at one price: forwards out, in live time.
    """

    fee_ppm: Ppm = attrs.field(validator=checks.whole())
    live_s: int = attrs.field(default=0, validator=checks.whole(0, MOST_LIVE_S))
    count: int = attrs.field(default=0, validator=checks.whole(0, MOST_COUNT))


@attrs.frozen(kw_only=True, slots=False)
class ClimbMemory:
    """
    Where the search for a channel's best fee stands; see `revops.core.fees.climb`.

    Attributes:
        base_ppm: The best price so far.
        step: Distance to the price compared with it, in ln units.
        side: Which way: 1 dearer, -1 cheaper.
        first: The closed window at *base_ppm* while the other price is tried, else `None`.
        window: The window that is open.
        seen_out_count, seen_at: How far the traffic has been counted.
        live: Whether the channel was live when last seen.
        resting: At the floor, and nobody comes: no gradient to climb.
    """

    base_ppm: Ppm = attrs.field(validator=checks.whole())
    step: float = attrs.field(default=0.3, validator=checks.number(0, 10))
    side: Literal[-1, 1] = 1
    first: Window | None = None
    window: Window
    seen_out_count: int | None = attrs.field(default=None, validator=checks.whole(optional=True))
    seen_at: Instant = attrs.field(validator=checks.whole())
    live: bool = False
    resting: bool = False


@attrs.frozen(kw_only=True, slots=False)
class Tried:
    """
    What came at about one price; what is long ago counts less, so neither number is whole.

    Attributes:
        fee_ppm: Of all prices on its rung of `revops.core.demand`.
        live_s: Seconds in which a payment could have been forwarded at it.
        count: Forwards out in that time.
    """

    fee_ppm: Ppm = attrs.field(validator=checks.whole())
    live_s: float = attrs.field(default=0.0, validator=checks.number(0))
    count: float = attrs.field(default=0.0, validator=checks.number(0))


@attrs.frozen(kw_only=True, slots=False)
class BeliefMemory:
    """
    What is believed of the demand for a channel; see `revops.core.fees.posterior`.

    Attributes:
        base_ppm: The price that is expected to earn most.
        tried: What came at the prices that were in force, up to *judged_at*.
        window: What came since, at the price in force.
        news: Forwards out since *judged_at*.
        quiet_s: Live seconds since the last forward out.
        judged_at: When the belief was last made up.
        middle_ppm: The price at which half of the payments are believed to come.
        per_day: How many are believed to come a day for nothing; `None` before there is evidence.
        seen_out_count, seen_at: How far the traffic has been counted.
        live: Whether the channel was live when last seen.
        resting: At the floor, and nobody comes.
    """

    base_ppm: Ppm = attrs.field(validator=checks.whole())
    tried: tuple[Tried, ...] = ()
    window: Window
    news: int = attrs.field(default=0, validator=checks.whole(0, MOST_COUNT))
    quiet_s: int = attrs.field(default=0, validator=checks.whole(0, MOST_LIVE_S))
    judged_at: Instant = attrs.field(validator=checks.whole())
    middle_ppm: float | None = attrs.field(default=None, validator=checks.number(0, optional=True))
    per_day: float | None = attrs.field(default=None, validator=checks.number(0, optional=True))
    seen_out_count: int | None = attrs.field(default=None, validator=checks.whole(optional=True))
    seen_at: Instant = attrs.field(validator=checks.whole())
    live: bool = False
    resting: bool = False


@attrs.frozen(kw_only=True)
class Price:
    """
    A fee as lightningd holds it.
    """

    fee_ppm: Ppm = attrs.field(validator=checks.whole())
    base_fee_msat: Msat = attrs.field(validator=checks.whole())


@attrs.frozen(kw_only=True)
class Asked:
    """
    A price that was decided; whether it came into force, the next snapshot tells.
    """

    price: Price
    at: Instant = attrs.field(validator=checks.whole())
    urgent: bool = False


@attrs.frozen(kw_only=True)
class Pin:
    """
    A price that stays until *until*, because a person or another tool set it.

    Attributes:
        ordered: The operator set it by a command of ours.
    """

    price: Price
    until: Instant = attrs.field(validator=checks.whole())
    ordered: bool = False


@attrs.frozen(kw_only=True)
class Change:
    """
    A fee update that was seen in force: what the gossip budget counts.
    """

    at: Instant = attrs.field(validator=checks.whole())
    urgent: bool = False


@attrs.frozen(kw_only=True, slots=False)
class FeeMemory:
    """
    What pricing remembers of a channel.

    Attributes:
        known: The price we last saw in force, by our own doing or at first contact.
        asked: What we decided since; settled by the next snapshot.
        pin: A price set by somebody else that we yield to.
        changes: Our updates of the last day.
        congested: Priced at the ceiling for want of HTLC slots.
        calm: Cycles in a row with slots to spare again.
        climb, belief: Where the search stands, by optimizer; `None` before its first cycle.
    """

    known: Price | None = None
    asked: Asked | None = None
    pin: Pin | None = None
    changes: tuple[Change, ...] = ()
    congested: bool = False
    calm: int = attrs.field(default=0, validator=checks.whole(0, FEW))
    climb: ClimbMemory | None = None
    belief: BeliefMemory | None = None

    @property
    def search(self) -> ClimbMemory | BeliefMemory | None:
        """
        Return the search that goes on, of whichever kind; `None` for none.
        """
        return self.belief or self.climb

    @property
    def tried(self) -> tuple[Tried, ...]:
        """
        Return what came at the prices that were in force, as far as that was written down.
        """
        belief = self.belief
        if belief is None:
            return ()
        window = belief.window
        now = Tried(fee_ppm=window.fee_ppm, live_s=window.live_s, count=window.count)
        return (*belief.tried, now) if window.live_s else belief.tried


@attrs.frozen(kw_only=True, slots=False)
class ChannelMemory:
    """
    What is remembered of one channel, through splices and absence.
    """

    channel_id: ChannelId = attrs.field(validator=checks.hexadecimal(64))
    first_seen_at: Instant = attrs.field(validator=checks.whole())
    last_seen_at: Instant = attrs.field(validator=checks.whole())
    flow: FlowMemory | None = None
    fee: FeeMemory = attrs.field(factory=FeeMemory)


@attrs.frozen(kw_only=True, slots=False)
class VegasMemory:
    """
    How strongly the node reacts to on-chain fees, 0 to 1.

    Attributes:
        sample_at: The last feerate sample it reacted to.
        hot: Samples in a row at twice the median or more.
        spiking: Whether the spike still holds.
    """

    intensity: float = attrs.field(default=0.0, validator=checks.number(0, 1))
    sample_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    hot: int = attrs.field(default=0, validator=checks.whole(0, FEW))
    spiking: bool = False


@attrs.frozen(kw_only=True)
class Memory:
    """
    What one cycle leaves to the next.

    Attributes:
        since: When revops first ran on this node; `None` before that.
        at: When the last cycle was.
    """

    since: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    vegas: VegasMemory = attrs.field(factory=VegasMemory)
    channels: tuple[ChannelMemory, ...] = attrs.field(
        default=(),
        converter=checks.by_channel,
        validator=checks.unique("channel_id", attrgetter("channel_id")),
    )


def recalled(memory: Memory, now: Instant) -> Memory:
    """
    Return *memory* with nothing in it later than *now*: a clock that once was ahead must not leave
    channels held, budgets spent and hours undigested until time catches up with it.
    """
    if memory.at is None or memory.at <= now:
        return memory
    return attrs.evolve(
        memory,
        at=now,
        vegas=attrs.evolve(memory.vegas, sample_at=_at_most(memory.vegas.sample_at, now)),
        channels=[_recalled(channel, now) for channel in memory.channels],
    )


def _recalled(channel: ChannelMemory, now: Instant) -> ChannelMemory:
    fee, flow = channel.fee, channel.flow
    pin = fee.pin and attrs.evolve(fee.pin, until=Instant(min(fee.pin.until, now + YIELD_S)))
    changes = tuple(attrs.evolve(change, at=min(change.at, now)) for change in fee.changes)
    return attrs.evolve(
        channel,
        last_seen_at=min(channel.last_seen_at, now),
        flow=flow and attrs.evolve(flow, hour=min(flow.hour, now // HOUR - 1)),
        fee=attrs.evolve(fee, pin=pin, changes=changes),
    )


def _at_most(at: Instant | None, now: Instant) -> Instant | None:
    # One second before: a sample of this very moment is news.
    return at and min(at, Instant(now - 1))
