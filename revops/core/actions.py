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


@attrs.frozen(kw_only=True)
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


Action = SetFee | Hold


def assert_never(value: NoReturn) -> NoReturn:
    """
    Tell the type checker that every member of a union was handled.
    """
    msg = f"unhandled: {value!r}"
    raise AssertionError(msg)
