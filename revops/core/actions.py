"""Actions: what is intended, with what it believed. One closed union."""

from typing import NoReturn

import attrs

from revops.core.units import ChannelId, Instant, Msat, PeerId, Ppm, Scid


@attrs.frozen(kw_only=True)
class Hold:
    """
    Do nothing; the trail says why.

    Attributes:
        until: When that may change by itself; `None` when time alone changes nothing.
    """

    until: Instant | None = None


@attrs.frozen(kw_only=True, slots=False)
class SetFee:
    """
    Charge *new_ppm* on one channel.

    Attributes:
        old_ppm, old_base_msat: What was believed to be in force.
        htlc_max_msat: `None` leaves it as it is.
        urgent: Drawn from the reserve of the gossip budget.
    """

    channel_id: ChannelId
    scid: Scid
    peer_id: PeerId
    old_ppm: Ppm
    new_ppm: Ppm
    old_base_msat: Msat
    new_base_msat: Msat
    htlc_max_msat: Msat | None = None
    urgent: bool = False


@attrs.frozen(kw_only=True)
class Source:
    """
    A channel that may give.
    """

    channel_id: ChannelId
    scid: Scid


@attrs.frozen(kw_only=True)
class StartRebalance:
    """
    Fill one channel from others of ours, by circular payments of *chunk_msat*.

    Attributes:
        channel_id, scid, peer_id: What is filled.
        sources: At least one, the best first; none is the channel itself or of its peer.
        amount_msat: Whole chunks.
        max_ppm: The most that a payment may cost.
        max_fee_msat: The most that all of it may cost: what is reserved.
        expected_fee_msat: What it is believed to cost.
        keep_share, keep_msat: No source is drained below the smaller of the two (of its capacity).
        to_us_msat: What was believed to be on our side of the channel.
        ordered: By the operator, whatever the expected value.
    """

    channel_id: ChannelId
    scid: Scid
    peer_id: PeerId
    sources: tuple[Source, ...]
    amount_msat: Msat
    chunk_msat: Msat
    max_ppm: Ppm
    max_fee_msat: Msat
    expected_fee_msat: Msat
    keep_share: float
    keep_msat: Msat
    to_us_msat: Msat
    ordered: bool = False


@attrs.frozen(kw_only=True)
class StopRebalance:
    """
    End a rebalance that runs.
    """

    rebalance_id: int
    channel_id: ChannelId
    scid: Scid
    peer_id: PeerId


Action = SetFee | StartRebalance | StopRebalance | Hold


def assert_never(value: NoReturn) -> NoReturn:
    """
    Tell the type checker that every member of a union was handled.
    """
    msg = f"unhandled: {value!r}"
    raise AssertionError(msg)
