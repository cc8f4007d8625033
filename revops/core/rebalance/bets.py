"""Bets: how much of what the node earned may be staked on one refill being sold, if asked for."""

from collections.abc import Callable

from revops.core.budget import Limits
from revops.core.rebalance.case import Case, Scene
from revops.core.rebalance.kelly import stake_msat
from revops.core.treasury import Treasury
from revops.core.units import Msat, Ppm

Stake = Callable[[Case, Ppm], Msat | None]
"""The most that a refill may cost, of which a route takes so much; `None` for no such limit."""


def staked(scene: Scene, treasury: Treasury, most: Limits) -> Stake:
    """
    Return what may be staked under *most*; nothing limits it unless the operator asked for it, nor
    for a member of the hive.
    """
    config = scene.config
    # What was earned, or what the operator has put up; income that is unknown adds nothing.
    bankroll = max(treasury.income_month_msat or Msat(0), most.day_msat)
    similar = 1 if treasury.one_at_a_time else config.max_concurrent_jobs

    def stake(case: Case, cost: Ppm) -> Msat | None:
        if not config.enable_kelly or case.hive:
            return None
        chance = scene.experience.sale_chance(case.channel.channel_id)
        # The odds are those of any amount.
        return stake_msat(chance, Msat(case.price_ppm), Msat(cost), bankroll, similar, config)

    return stake
