"""EV: what a rebalance is expected to bring, and the most that it may cost for that."""

import math
from typing import Final

import attrs

from revops.core.config import Config
from revops.core.reasons import Code
from revops.core.units import MILLION, Msat, Ppm, from_sats
from revops.core.value import expected_down

ATTEMPT_MSAT: Final = Msat(1000)
"""What trying costs, whatever comes of it: HTLC slots, and the patience of those who forward."""
MOST_OF_PRICE: Final = 0.9
"""Of the price that a sat will be sold at, the most that buying it may take."""
CAUTION: Final = 3
"""How many times the usual profit is asked for while rebalancing loses money."""


@attrs.frozen(kw_only=True)
class Prospect:
    """
    What holds for every refill of one channel, whoever gives.

    Attributes:
        chance: That a route is found; without one, nothing is paid.
        cost_ppm: What it is expected to take.
        price_ppm: What the channel charges afterwards.
        most_ppm: What it may take at most, whatever it promises.
        profit_msat, profit_ppm: The least profit, and per amount: the larger counts.
        tolerance_msat: The loss that is accepted instead, for a member of the hive.
    """

    chance: float
    cost_ppm: Ppm
    price_ppm: Ppm
    most_ppm: Ppm
    profit_msat: Msat
    profit_ppm: Ppm
    tolerance_msat: Msat | None = None


@attrs.frozen
class Terms:
    """
    A refill in numbers.

    Attributes:
        gain_msat: What the channel that is filled will earn more.
        loss_msat: What the one that gives will earn less.
        cost_msat: What the route is expected to take.
        ev_msat: The expected value, `value_msat` of the above.
        least_msat: What that has to reach.
        max_ppm: The most that the route may take: there the expected value is the least, unless
            something else comes first.
        bound: What says so.
    """

    amount_msat: Msat
    gain_msat: Msat
    loss_msat: Msat
    cost_msat: Msat
    ev_msat: Msat
    least_msat: Msat
    max_ppm: Ppm
    bound: Code


def prospect(
    chance: float, cost: Ppm, price: Ppm, config: Config, *, hive: bool, losing: bool
) -> Prospect:
    """
    Return what a channel's refill promises; while rebalancing is *losing* money, more is asked of
    it and nobody is exempt.
    """
    times = CAUTION if losing else 1
    tolerated = hive and not losing and config.hive_rebalance_tolerance
    return Prospect(
        chance=chance,
        cost_ppm=cost,
        price_ppm=price,
        most_ppm=config.rebalance_max_ppm,
        profit_msat=Msat(times * from_sats(config.rebalance_min_profit)),
        profit_ppm=Ppm(times * config.rebalance_min_profit_ppm),
        tolerance_msat=from_sats(config.hive_rebalance_tolerance) if tolerated else None,
    )


def terms(prospect: Prospect, amount: Msat, gain: Msat, loss: Msat) -> Terms:
    """
    Return what refilling *amount* comes to, where it is worth *gain* and is missed by *loss*.
    """
    cost = cost_msat(amount, prospect.cost_ppm)
    needed, least = _asked(prospect, amount)
    bound, most = Code.EARNS_TOO_LITTLE, max(0, (gain - loss - needed) * MILLION // amount)
    if prospect.most_ppm < most:
        bound, most = Code.DEARER_THAN_ALLOWED, prospect.most_ppm
    resold = resold_ppm(prospect.price_ppm)
    if resold < most and prospect.tolerance_msat is None:
        bound, most = Code.DEARER_THAN_SOLD, resold
    value = value_msat(prospect.chance, gain, loss, cost)
    return Terms(amount, gain, loss, cost, value, least, Ppm(most), bound)


def pays(terms: Terms, cost_ppm: Ppm) -> bool:
    """
    Say whether a refill is worth starting if the route takes *cost_ppm*.

    Then its expected value reaches the least, and the gain is above loss and cost.
    """
    return 0 < terms.max_ppm >= cost_ppm


def resold_ppm(price: Ppm) -> Ppm:
    """
    Return the most that a sat which is sold for *price* may be bought for.
    """
    return Ppm(int(price * MOST_OF_PRICE))


def cost_msat(amount: Msat, ppm: Ppm) -> Msat:
    """
    Return what a route of *ppm* takes of *amount*; we lose the remainder.
    """
    return Msat(-(-amount * ppm // MILLION))


def value_msat(chance: float, gain: Msat, loss: Msat, cost: Msat) -> Msat:
    """
    Return the expected value: p x (gain - loss - cost) - the cost of trying.
    """
    return Msat(expected_down(chance * (gain - loss - cost)) - ATTEMPT_MSAT)


def _asked(prospect: Prospect, amount: Msat) -> tuple[int, Msat]:
    """
    Return what has to be left of the gain once everything is paid, and the expected value then.
    """
    if prospect.tolerance_msat is not None:
        # The loss that is accepted is that of a refill that is made, trying included.
        lost = Msat(prospect.tolerance_msat - ATTEMPT_MSAT)
        return -lost, value_msat(prospect.chance, Msat(0), Msat(0), lost)
    asked = max(prospect.profit_msat, cost_msat(amount, prospect.profit_ppm))
    # No profit may be asked for, but nothing is done for nothing.
    least = max(asked, Msat(1))
    # One msat more, for what floats round away.
    return math.ceil((least + ATTEMPT_MSAT) / prospect.chance) + 1, least
