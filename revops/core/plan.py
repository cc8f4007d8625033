"""Plan: what is to be done about every channel, why, and what to remember."""

from typing import Literal

import attrs

from revops.core import checks
from revops.core.actions import Action, SetFee
from revops.core.budget import Limits
from revops.core.memory import FlowState, Memory
from revops.core.reasons import Code, Reason
from revops.core.units import ChannelId, Instant, Msat, PeerId, Ppm, Scid

Area = Literal["fee", "rebalance"]
"""What a decision is about."""


@attrs.frozen(kw_only=True, slots=False)
class Decision:
    """
    What is to be done about one channel in one area: exactly one, be it `Hold`.

    Attributes:
        trail: The path taken: a Reason from each stage that had a say, in order.
    """

    channel_id: ChannelId
    scid: Scid | None
    peer_id: PeerId
    area: Area = "fee"
    action: Action
    trail: tuple[Reason, ...]


def decisive(decision: Decision) -> Reason:
    """
    Return the step of *decision* that made the difference: what held the price, or what moved it
    most.
    """
    action = decision.action
    *path, last = decision.trail
    if isinstance(action, SetFee) and action.new_ppm == action.old_ppm:
        rebased = action.new_base_msat != action.old_base_msat
        return last if rebased or not path else path[-1]
    if last.code not in (Code.SET, Code.UNCHANGED) or not path:
        return last
    return max(reversed(path), key=_moved)


def _moved(reason: Reason) -> int:
    before, after = reason.before, reason.after
    return 0 if before is None or after is None else abs(after - before)


@attrs.frozen(kw_only=True, slots=False)
class FlowView:
    """
    What a channel's flow looks like, for people and for the rules of a cycle.

    Attributes:
        state: `source` drains, `sink` fills.
        direction: -1 all in .. 1 all out, over the flow window, recent hours weighing more.
        turnover: What moves in a day, as a share of capacity.
        net_ratio, net_ratio_sd: Net outflow per day as a share of capacity, and its uncertainty.
        forwards: Settled forwards, in and out, within the flow window.
        in_forwards: Those that came in.
        confidence: 0 knows nothing .. 1.
        out_msat_per_day: What leaves in a day.
        hours_to_empty, hours_to_full: At this rate; `None` when it moves the other way or not.
        regime_changed: The flow has changed for good within the last day.
    """

    state: FlowState
    direction: float
    turnover: float
    net_ratio: float
    net_ratio_sd: float
    forwards: int
    in_forwards: int
    confidence: float
    out_msat_per_day: Msat
    hours_to_empty: float | None
    hours_to_full: float | None
    regime_changed: bool


@attrs.frozen(kw_only=True, slots=False)
class ChannelState:
    """
    What a cycle made of one channel, beside its decision.
    """

    channel_id: ChannelId
    scid: Scid | None
    peer_id: PeerId
    fee_ppm: Ppm
    capacity_msat: Msat
    to_us_msat: Msat
    congested: bool
    flow: FlowView | None


@attrs.frozen(kw_only=True)
class Plan:
    """
    The answer to a Snapshot.

    Attributes:
        decisions: One per channel, sorted by channel id.
        states: How each channel was seen, in the same order.
        node_trail: What concerned all channels, such as the Vegas reflex.
        memory: For the next cycle. It claims nothing that has yet to be done.
    """

    at: Instant
    decisions: tuple[Decision, ...] = attrs.field(converter=checks.by_channel)
    states: tuple[ChannelState, ...] = attrs.field(converter=checks.by_channel)
    node_trail: tuple[Reason, ...]
    memory: Memory


@attrs.frozen(kw_only=True)
class RebalancePlan:
    """
    What to do about the liquidity of every channel.

    Attributes:
        decisions: One per channel, sorted by channel id.
        node_trail: What concerned all channels, such as the budget.
        limits: What may be spent: whoever reserves holds it against what was spent by then.
    """

    at: Instant
    decisions: tuple[Decision, ...] = attrs.field(converter=checks.by_channel)
    node_trail: tuple[Reason, ...]
    limits: Limits
