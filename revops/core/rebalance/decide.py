"""Decide: what to do about the liquidity of every channel, the pipeline and nothing else."""

from revops.core.actions import Hold
from revops.core.budget import limits
from revops.core.config import Config
from revops.core.plan import Decision, RebalancePlan
from revops.core.reasons import Code, Reason, because
from revops.core.snapshot import Snapshot


def rebalance(snapshot: Snapshot, config: Config) -> RebalancePlan:
    """
    Return which channels of *snapshot* to refill, from where and at what price, and why.

    Pure: same arguments, same result, in whatever order the channels came.
    """
    treasury = snapshot.treasury
    trail = _node(config)
    return RebalancePlan(
        at=snapshot.now,
        decisions=tuple(
            Decision(
                channel_id=channel.channel_id,
                scid=channel.scid,
                peer_id=channel.peer_id,
                area="rebalance",
                action=Hold(),
                trail=trail,
            )
            for channel in snapshot.channels
        ),
        node_trail=trail,
        limits=limits(
            config,
            treasury.revenue_day_msat if treasury else None,
            treasury.revenue_week_msat if treasury else None,
        ),
    )


def _node(config: Config) -> tuple[Reason, ...]:
    if config.rebalancer == "none":
        return (because(Code.NO_REBALANCER),)
    if config.authority != "liquidity":
        return (because(Code.NO_LIQUIDITY_RIGHT, authority=config.authority),)
    return (because(Code.REBALANCING_PAUSED),)
