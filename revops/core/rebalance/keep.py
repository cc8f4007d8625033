"""Keep: what channels that give hold back, said as the rebalancer takes it."""

import math
from collections.abc import Sequence
from typing import Final

import attrs

from revops.core.rebalance.amounts import Amount
from revops.core.rebalance.pair import Giver
from revops.core.units import Msat, from_sats, sats_up

OWN_KEEP: Final = from_sats(10_000)
"""What sling leaves in a channel beside the payment that it makes, whatever it is told."""
SLACK: Final = from_sats(2)
"""For what is rounded: sling counts in sats and in shares of the capacity."""
MOST_SHARE: Final = 0.99
"""Of the capacity, what a channel may have to hold back: sling takes a share below 1."""
_DIGITS: Final = 1_000_000


@attrs.frozen
class Keep:
    """
    sling pays from a channel that has more than the smaller of *share* (of its capacity) and
    *msat*.
    """

    share: float
    msat: Msat

    def of(self, capacity: Msat) -> Msat:
        """
        Return what a channel has to have more than.
        """
        return min(Msat(math.ceil(self.share * capacity)), self.msat)


def gives(giver: Giver, amount: Amount) -> bool:
    """
    Say whether *giver* can give all of *amount*, and sling would take it from there.
    """
    channel = giver.channel
    if amount.count * amount.piece_msat + SLACK > giver.spare_msat:
        return False
    # sling takes it that half of htlc_maximum gets through.
    if channel.htlc_max_msat is not None and channel.htlc_max_msat < 2 * amount.chunk_msat:
        return False
    return _keeps(giver, amount) <= channel.capacity_msat * MOST_SHARE


def kept(givers: Sequence[Giver], amount: Amount) -> Keep:
    """
    Return what *givers* are to hold back, so that none gives more of *amount* than it can spare.
    """
    keeps = [_keeps(giver, amount) for giver in givers]
    shares = [keep / giver.channel.capacity_msat for keep, giver in zip(keeps, givers, strict=True)]
    return Keep(math.ceil(max(shares) * _DIGITS) / _DIGITS, max(keeps))


def suffices(giver: Giver, amount: Amount, keep: Keep) -> bool:
    """
    Say whether *giver* can make all payments of *amount* and hold *keep* back.
    """
    least = max(keep.of(giver.channel.capacity_msat), amount.chunk_msat + OWN_KEEP)
    return giver.channel.to_us_msat - (amount.count - 1) * amount.piece_msat > least


def _keeps(giver: Giver, amount: Amount) -> Msat:
    """
    Return what *giver* has to have before each payment, so that what it cannot spare is left after.
    """
    floor = giver.channel.to_us_msat - giver.spare_msat
    return from_sats(sats_up(Msat(floor + amount.piece_msat)))
