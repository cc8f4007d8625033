"""Kelly: how much of what the node earned may be staked on one refill being sold."""

from typing import Final

from revops.core.config import Config
from revops.core.units import Msat

ALIKE: Final = 0.25
"""
How far refills sell or fail together: channels of one node share much of who pays through it.
Nobody measured it; at this, ten bets at once are staked like three.
"""


def kelly_share(chance: float, revenue: Msat, cost: Msat) -> float:
    """
    Return f* = p - (1 - p)/b: the share of a bankroll that grows it fastest, staked on a refill
    that costs *cost* and brings *revenue* with a *chance* p; b = revenue/cost - 1 are the odds.
    """
    if chance * revenue <= cost:
        return 0.0
    if cost <= 0:
        return chance
    # Written with b, each step rounds the same way: a better bet never gets a smaller share.
    odds = (revenue - cost) / cost
    return max(0.0, chance - (1 - chance) / odds)


def stake_msat(
    chance: float,
    revenue_msat: Msat,
    cost_msat: Msat,
    bankroll_msat: Msat,
    similar: int,
    config: Config,
) -> Msat:
    """
    Return the most that a refill may cost, if it costs *cost_msat* and sells for *revenue_msat*
    with a *chance*: 0 for a bet that is not worth making.

    The bet is whether what was refilled is sold: a circular payment that fails costs nothing.
    *bankroll_msat* is what may be lost at all, the income of a month; *similar* bets stand at the
    same time, this one included. The stake sizes the amount, and lifts neither a fee limit nor a
    budget.
    """
    full = config.kelly_fraction * kelly_share(chance, revenue_msat, cost_msat)
    share = full / (1 + (max(similar, 1) - 1) * ALIKE)
    bankroll = max(bankroll_msat, Msat(0))
    return Msat(min(int(bankroll * share), bankroll))
