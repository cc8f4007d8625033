"""Decide: what to do about the liquidity of every channel, the pipeline and nothing else."""

from collections.abc import Mapping, Sequence

import attrs

from revops.core.actions import Action, Hold
from revops.core.budget import limits
from revops.core.config import Config
from revops.core.fees.quote import ChannelView
from revops.core.memory import recalled
from revops.core.plan import Decision, RebalancePlan
from revops.core.prepare import prepared
from revops.core.reasons import Reason
from revops.core.rebalance.amounts import amounts
from revops.core.rebalance.bets import staked
from revops.core.rebalance.case import cases, scene
from revops.core.rebalance.inventory import moved_by
from revops.core.rebalance.market import market
from revops.core.rebalance.means import Means, means
from revops.core.rebalance.pairing import Refused, Started, chosen
from revops.core.rebalance.roles import Casting, Role, Valuation, one_for_each_peer
from revops.core.rebalance.said import giving, refusal, start, starting
from revops.core.snapshot import Snapshot
from revops.core.treasury import Treasury
from revops.core.units import ChannelId, Msat

Choices = Mapping[ChannelId, Started | Refused]


def rebalance(snapshot: Snapshot, config: Config, valuation: Valuation = moved_by) -> RebalancePlan:
    """
    Return which channels of *snapshot* to refill, from where and at what price, and why, where
    *valuation* says what sats are worth.

    Pure: same arguments, same result, in whatever order the channels came.
    """
    treasury = snapshot.treasury or Treasury()
    most = limits(config, treasury.revenue_day_msat, treasury.revenue_week_msat)
    have = means(snapshot, treasury, most, config)
    views = _views(snapshot, config)
    seen = scene(snapshot.channels, treasury, snapshot.now, config)
    casting = Casting(
        scene=seen,
        amounts=amounts(config, single=treasury.one_at_a_time),
        losing=have.losing,
        stake=staked(seen, treasury, most),
        valuation=valuation,
    )
    roles = one_for_each_peer(map(casting.role, cases(views, seen)))
    takers = [role.taker for role in roles if role.taker]
    most_wanted = max((taker.most_msat for taker in takers), default=Msat(0))
    place = market(
        [role.giver for role in roles if role.giver],
        [amount for amount in casting.amounts if amount.total_msat <= most_wanted],
        seen.experience.forbids,
    )
    choices = chosen(place, takers, 0 if have.block else have.slots, have.room_msat)
    return RebalancePlan(
        at=snapshot.now,
        decisions=_decisions(roles, choices, have),
        node_trail=have.trail,
        limits=most,
    )


def _views(snapshot: Snapshot, config: Config) -> tuple[ChannelView, ...]:
    memory = recalled(snapshot.memory, snapshot.now)
    return prepared(attrs.evolve(snapshot, memory=memory), config).views


def _decisions(roles: Sequence[Role], choices: Choices, have: Means) -> tuple[Decision, ...]:
    gives: dict[ChannelId, Reason] = {
        giver.channel.channel_id: giving(choice)
        for choice in choices.values()
        if isinstance(choice, Started)
        for giver in choice.sources
    }
    return tuple(_decision(role, choices, gives, have) for role in roles)


def _decision(
    role: Role, choices: Choices, gives: Mapping[ChannelId, Reason], have: Means
) -> Decision:
    channel = role.case.channel
    choice = choices.get(channel.channel_id)
    action: Action = Hold(until=role.until)
    trail = role.trail
    if isinstance(choice, Started):
        action, trail = start(choice), (*trail, *starting(choice))
    elif choice:
        trail = (*trail, *refusal(choice, have))
    elif given := gives.get(channel.channel_id):
        trail = (*trail, given)
    return Decision(
        channel_id=channel.channel_id,
        scid=channel.scid,
        peer_id=channel.peer_id,
        area="rebalance",
        action=action,
        trail=trail,
    )
