"""History: what went through a node, at which prices, and what its channels held."""

from collections.abc import Sequence
from typing import NamedTuple

import attrs

from revops.core.checks import MOST_MSAT
from revops.core.units import DAY, Instant, Msat, Ppm, Scid


class Forwarded(NamedTuple):
    """
    A forward that settled.

    Attributes:
        into, out: Channels by their number.
    """

    at: Instant
    into: int
    out: int
    amount_msat: Msat
    fee_msat: Msat


class Moved(NamedTuple):
    """
    What moved without being forwarded: a refill, a splice, a payment of our own.

    Attributes:
        source, target: Channels by their number.
        amount_msat: What arrived.
        cost_msat: What it took besides.
    """

    at: Instant
    source: int
    target: int
    amount_msat: Msat
    cost_msat: Msat


class Priced(NamedTuple):
    """
    A price that came into force.
    """

    at: Instant
    ppm: Ppm


@attrs.frozen(kw_only=True)
class Place:
    """
    A channel, or the outside: whatever is behind channels that are gone, the chain, our own wallet.

    Attributes:
        outside: It holds as much as anybody moves, and nobody asks for it.
        local_msat: On our side at the end; `None` when nothing tells.
        fee_ppm, base_fee_msat: What it charges at the end.
        opened_at: `None` when nothing tells.
        market_ppm: What others charge toward the peer; `None` when nothing tells.
        priced: Changes that were written down, in their order; `None` when nobody did.
    """

    scid: Scid
    outside: bool = False
    alias: str | None = None
    capacity_msat: Msat
    local_msat: Msat | None
    fee_ppm: Ppm
    base_fee_msat: Msat = Msat(0)
    opened_at: Instant | None = None
    market_ppm: Ppm | None = None
    priced: tuple[Priced, ...] | None = None


@attrs.frozen(kw_only=True)
class History:
    """
    What is known of a node's past.

    Attributes:
        since, until: What it covers: whole days.
        places: The last one is the outside.
        forwards: In the order in which they settled.
        moves: What is known of them, in their order.
        gone_msat: What was earned by channels that are gone; it is in no comparison.
        perkw: What the chain charges.
        warnings: Sentences on what is missing.
    """

    since: Instant
    until: Instant
    places: tuple[Place, ...]
    forwards: tuple[Forwarded, ...]
    moves: tuple[Moved, ...] = ()
    gone_msat: Msat = Msat(0)
    perkw: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def days(self) -> int:
        """
        Return how many days it covers.
        """
        return (self.until - self.since) // DAY

    @property
    def earned_msat(self) -> Msat:
        """
        Return what its forwards earned.
        """
        return Msat(sum(forward.fee_msat for forward in self.forwards))

    @property
    def balanced(self) -> bool:
        """
        Return whether it tells what every channel holds at the end.
        """
        return all(place.local_msat is not None for place in self.places)

    @property
    def outside(self) -> int:
        """
        Return the number of the outside.
        """
        return len(self.places) - 1


def the_outside(places: Sequence[Place]) -> Place:
    """
    Return the outside of a node with these *places*.
    """
    # Half of it is ours: whatever moves, it neither fills nor empties.
    most = Msat(min(100 * sum(place.capacity_msat for place in places) + 2, MOST_MSAT))
    return Place(
        scid=Scid("outside"),
        outside=True,
        capacity_msat=most,
        local_msat=Msat(most // 2),
        fee_ppm=Ppm(0),
    )
