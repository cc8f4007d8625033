"""Outcomes: what became of an action. An unknown outcome is not a refusal."""

import attrs

from revops.core.actions import Action, SetFee
from revops.core.memory import Price
from revops.core.units import Msat, Ppm


@attrs.frozen(kw_only=True)
class Applied:
    """
    The node confirmed it, with these values in force.
    """

    fee_ppm: Ppm
    base_fee_msat: Msat
    htlc_max_msat: Msat | None = None


@attrs.frozen(kw_only=True)
class Started:
    """
    The rebalancer is at work; the books know the rebalance by this number.
    """

    rebalance_id: int


@attrs.frozen(kw_only=True)
class Stopped:
    """
    The rebalancer is seen to work on it no more.
    """

    rebalance_id: int


@attrs.frozen(kw_only=True)
class Refused:
    """
    The node, or the shell because the world had moved, said no; nothing happened.
    """

    error: str


@attrs.frozen(kw_only=True)
class Unknown:
    """
    No answer: it may have happened. The next snapshot settles it.
    """

    error: str


@attrs.frozen(kw_only=True)
class Rehearsed:
    """
    A dry run: decided and written down, not done.
    """


PriceOutcome = Applied | Refused | Unknown | Rehearsed
"""What becomes of a price."""
JobOutcome = Started | Stopped | Refused | Unknown | Rehearsed
"""What becomes of a rebalance that is to be started or stopped."""
Outcome = PriceOutcome | JobOutcome


def shown_by(action: Action, in_force: Price) -> Applied | Refused | None:
    """
    Return what became of *action*, of which nobody knows, by the price that a later look found in
    force; `None` for what leaves no such trace.
    """
    if not isinstance(action, SetFee):
        return None
    if in_force != Price(fee_ppm=action.new_ppm, base_fee_msat=action.new_base_msat):
        return Refused(error="the next look at the channel showed another fee")
    return Applied(
        fee_ppm=action.new_ppm,
        base_fee_msat=action.new_base_msat,
        htlc_max_msat=action.htlc_max_msat,
    )
