"""Suggest: policies that the books speak for; an operator sets them, nobody else."""

import enum
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from revops.core.ledger import Account
from revops.core.memory import ChannelMemory
from revops.core.policy import Policy, Strategy, allows_fill, in_force
from revops.core.profit import Assessment, ProfitClass
from revops.core.units import ChannelId, Instant, PeerId, Ppm


class Why(str, enum.Enum):
    """
    What speaks for another policy; a zombie bleeds no less, and is named so first.
    """

    ZOMBIE = "zombie"
    BLEEDER = "bleeder"
    NO_GRADIENT = "no_gradient"


TEXTS: Final[dict[Why, str]] = {
    Why.ZOMBIE: "refills did not revive it: stop refilling it",
    Why.BLEEDER: "refills cost more than it brought in 30 days: stop refilling it",
    Why.NO_GRADIENT: "at the lowest fee nobody came, so that no fee is better than another: keep"
    " one and stop refilling it",
}
"""The sentence for each."""


@attrs.frozen(kw_only=True)
class Suggestion:
    """
    Another policy for the peer of one channel.

    Attributes:
        fee_ppm: What a static policy would charge; `None` to leave pricing as it is.
    """

    account: Account
    why: Why
    fee_ppm: Ppm | None = None


def suggestions(
    assessments: Iterable[Assessment],
    memories: Mapping[ChannelId, ChannelMemory],
    policies: Iterable[Policy],
    now: Instant,
) -> tuple[Suggestion, ...]:
    """
    Return what the books of open channels speak for, unless the operator ordered it already.
    """
    ordered = in_force(policies, now)
    found = []
    for assessment in assessments:
        account = assessment.account
        suggested = _suggested(assessment, memories.get(account.channel_id))
        if suggested and account.closed_at is None and not _is_so(suggested, ordered):
            found.append(suggested)
    return tuple(found)


def _suggested(assessment: Assessment, memory: ChannelMemory | None) -> Suggestion | None:
    if assessment.profit_class is ProfitClass.ZOMBIE:
        return Suggestion(account=assessment.account, why=Why.ZOMBIE)
    if assessment.bleeding:
        return Suggestion(account=assessment.account, why=Why.BLEEDER)
    search = memory.fee.search if memory else None
    if search and search.resting and assessment.profit_class is ProfitClass.STAGNANT:
        return Suggestion(
            account=assessment.account, why=Why.NO_GRADIENT, fee_ppm=search.window.fee_ppm
        )
    return None


def _is_so(suggestion: Suggestion, ordered: Mapping[PeerId, Policy]) -> bool:
    policy = ordered.get(suggestion.account.peer_id)
    if policy is None or allows_fill(policy.rebalance):
        return False
    return suggestion.fee_ppm is None or policy.strategy is not Strategy.DYNAMIC
