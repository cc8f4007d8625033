"""Payments: somebody who would route through the node, as whole numbers."""

import enum
from typing import Final, NamedTuple

from revops.core.units import DAY, Instant, Msat, Ppm

START: Final = Instant(20_254 * DAY)
"""When every tape begins: a midnight in June 2025."""
ANY: Final = -1
"""In place of a channel: the cheapest that there is."""


class Kind(enum.IntEnum):
    """
    What a payment is.

    A `PROBE` fails behind us whatever we do. A `DRAIN` leaves by the cheapest channel.
    """

    ORDINARY = 0
    PROBE = 1
    DRAIN = 2


class Payment(NamedTuple):
    """
    Somebody who would route through the node.

    Attributes:
        at: When it would arrive.
        into, out: The channels by which it would enter and leave, by their number.
        reservation_ppm: The most that it would pay for the way out.
    """

    at: Instant
    into: int
    out: int
    amount_msat: Msat
    reservation_ppm: Ppm
    kind: Kind = Kind.ORDINARY
