"""Gossip budget: which updates go now, and which wait for their turn."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from revops.core.actions import Hold, SetFee
from revops.core.amend import amended
from revops.core.config import Config
from revops.core.fees.quote import ChannelView, Context, Mode, Quote
from revops.core.memory import Asked, Change, Price
from revops.core.reasons import Code, Facts
from revops.core.units import DAY, HOUR, MINUTE, Instant

URGENT_SHARE: Final = 0.5
"""The reserve for urgent updates, as a share of each budget and beside it."""


@attrs.frozen(kw_only=True, slots=False)
class Proposal:
    """
    What one channel asks for.
    """

    view: ChannelView
    quote: Quote
    action: SetFee | Hold


def rationed(proposals: Sequence[Proposal], context: Context) -> tuple[Proposal, ...]:
    """
    Return *proposals* with those that the operator or the gossip budget does not allow held.

    The most valuable change goes first: the difference in price times what flows out. An urgent
    one draws on the reserve, and once that is spent on the budget that serves all.
    """
    left = _left(proposals, context)
    answers: dict[str, Proposal] = {}
    waiting = 0
    for proposal, action in sorted(_wishes(proposals), key=_rank):
        answer = _forbidden(proposal, action, context) or _drawn(proposal, action, left, context)
        if answer is proposal:
            waiting += 1
            answer = _queued(proposal, action, waiting, context)
        answers[action.channel_id] = answer
    return tuple(answers.get(p.view.channel.channel_id, p) for p in proposals)


def _wishes(proposals: Iterable[Proposal]) -> Iterator[tuple[Proposal, SetFee]]:
    for proposal in proposals:
        action = proposal.action
        if isinstance(action, SetFee):
            yield proposal, action


def _drawn(proposal: Proposal, action: SetFee, left: dict[bool, int], context: Context) -> Proposal:
    """
    Return *proposal* allowed or held by its channel's budget; as it is when only the node's is
    spent.
    """
    for urgent in (True, False) if action.urgent else (False,):
        if left[urgent] > 0 and not _spent(proposal, action, context, urgent=urgent):
            left[urgent] -= 1
            return _allowed(proposal, amended(action, urgent=urgent), context)
    return _spent(proposal, action, context, urgent=False) or proposal


def channel_budget(config: Config, *, urgent: bool) -> int:
    """
    Return how many updates a channel may make in 24 hours.
    """
    most = config.max_fee_updates_per_day
    return _reserve(most) if urgent else most


def node_budget(config: Config, *, urgent: bool) -> int:
    """
    Return how many updates the node may make in an hour.
    """
    most = config.max_node_updates_per_hour
    return _reserve(most) if urgent else most


def _reserve(most: int) -> int:
    return max(1, int(most * URGENT_SHARE))


def _rank(wish: tuple[Proposal, SetFee]) -> tuple[float, str]:
    proposal, action = wish
    flow = proposal.view.flow.out_msat_per_day if proposal.view.flow else 0
    moved = abs(action.new_ppm - action.old_ppm)
    return (-float(moved * (flow + 1)), action.channel_id)


def _recent(view: ChannelView, since: int, *, urgent: bool) -> list[Change]:
    return [c for c in view.memory.changes if c.at > since and c.urgent is urgent]


def _left(proposals: Iterable[Proposal], context: Context) -> dict[bool, int]:
    """
    Return how many updates the node may make in this hour, urgent ones and others.
    """
    left = {urgent: node_budget(context.config, urgent=urgent) for urgent in (True, False)}
    # Channels that are not listed now have used the budget as well.
    changes = itertools.chain(context.absent, *(p.view.memory.changes for p in proposals))
    for change in changes:
        if change.at > context.now - HOUR:
            left[change.urgent] -= 1
    return left


def _forbidden(proposal: Proposal, action: SetFee, context: Context) -> Proposal | None:
    facts: Facts = {"wanted_ppm": action.new_ppm}
    if context.config.paused:
        return _hold(proposal, Code.PAUSED, facts, None)
    if context.config.authority == "observe":
        return _hold(proposal, Code.AUTHORITY, {"authority": "observe", **facts}, None)
    return None


def _spent(
    proposal: Proposal, action: SetFee, context: Context, *, urgent: bool
) -> Proposal | None:
    budget = channel_budget(context.config, urgent=urgent)
    made = _recent(proposal.view, context.now - DAY, urgent=urgent)
    if len(made) < budget:
        return None
    free_at = Instant(sorted(change.at for change in made)[-budget] + DAY)
    facts: Facts = {
        "wanted_ppm": action.new_ppm,
        "count": len(made),
        "minutes": -(-(free_at - context.now) // MINUTE),
    }
    return _hold(proposal, Code.GOSSIP_CHANNEL, facts, free_at)


def _queued(proposal: Proposal, action: SetFee, place: int, context: Context) -> Proposal:
    hours = -(-place // node_budget(context.config, urgent=False))
    facts: Facts = {
        "wanted_ppm": action.new_ppm,
        "place": place,
        "minutes": hours * HOUR // MINUTE,
    }
    return _hold(proposal, Code.GOSSIP_NODE, facts, Instant(context.now + hours * HOUR))


def _hold(proposal: Proposal, code: Code, facts: Facts, until: Instant | None) -> Proposal:
    held = proposal.quote.because(code, facts, mode=Mode.HELD)
    return amended(proposal, quote=held, action=Hold(until=until))


def _allowed(proposal: Proposal, action: SetFee, context: Context) -> Proposal:
    asked = Asked(
        price=Price(fee_ppm=action.new_ppm, base_fee_msat=action.new_base_msat),
        at=context.now,
        urgent=action.urgent,
    )
    facts: Facts = {
        "fee_ppm": action.new_ppm,
        "base_fee_msat": action.new_base_msat,
    }
    memory = amended(proposal.quote.memory, asked=asked)
    quote = proposal.quote.because(Code.SET, facts, memory=memory)
    return amended(proposal, quote=quote, action=action)
