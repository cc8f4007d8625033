"""Pair: a channel that is short, one that can give, and what it comes to."""

from collections.abc import Callable

import attrs

from revops.core.rebalance.amounts import Amount
from revops.core.rebalance.ev import Prospect, Terms, pays, terms
from revops.core.snapshot import Channel
from revops.core.units import Msat, Ppm

Worth = Callable[[int], Msat]
"""What it changes in value when so much is added to our side of a channel, or taken."""


@attrs.frozen(eq=False)
class Taker:
    """
    A channel to fill, with *most_msat* at most.
    """

    channel: Channel
    prospect: Prospect
    most_msat: Msat
    worth: Worth


@attrs.frozen(eq=False)
class Giver:
    """
    A channel that can give *spare_msat*, fees included, and charges *price_ppm*.
    """

    channel: Channel
    spare_msat: Msat
    price_ppm: Ppm
    worth: Worth


@attrs.frozen(eq=False)
class Pair:
    """
    A refill that could be made.
    """

    taker: Taker
    giver: Giver
    amount: Amount
    terms: Terms

    @property
    def pays(self) -> bool:
        """
        Return whether it is worth starting.
        """
        return pays(self.terms, self.taker.prospect.cost_ppm)

    @property
    def reserve_msat(self) -> Msat:
        """
        Return what has to be reserved for it.
        """
        return self.amount.reserve_msat(self.terms.max_ppm)


def paired(taker: Taker, giver: Giver, amount: Amount, loss: int) -> Pair:
    """
    Return what it comes to if *giver*, who loses *loss* by it, gives *amount* to *taker*.
    """
    total = amount.total_msat
    return Pair(taker, giver, amount, terms(taker.prospect, total, taker.worth(total), Msat(loss)))
