"""Scenario: the kind of node and of market that a tape is drawn from."""

from typing import Literal

import attrs

from revops.simulate.arena.spreads import LogNormal, Spread

PerChannel = tuple[float, ...]
"""A value for each channel; a short one is repeated."""


@attrs.frozen(kw_only=True)
class Feerates:
    """
    What the chain charges.

    Attributes:
        spike: From 5 to 80 sat/vB and back, days 20 to 23, and a single wrong sample on day 40.
        pull: How far a rise lifts what payments would pay.
    """

    perkw: int = 1250
    noise: float = 0.15
    spike: bool = False
    pull: float = 0.0


@attrs.frozen(kw_only=True)
class Rivals:
    """
    Those that payments could take instead of us.

    Attributes:
        kind: Their price stays, wanders, answers ours, or leaves and enters by steps.
        part: Of the channels, those where it is as *kind* says; it stays on the others.
        up: Share of the time in which they have liquidity; else payments would pay three times as
            much to us.
    """

    kind: Literal["constant", "wandering", "war", "steps"] = "constant"
    part: float = 1.0
    up: float = 1.0


@attrs.frozen(kw_only=True)
class Scenario:
    """
    A kind of node and of market.

    Attributes:
        about: What it is for, in a sentence.
        luck: The scenario with which it shares all chance; empty for its own.
        size_factor: How many times the usual capacity.
        local_share: Of the capacity, what is ours at the beginning.
        out_factor, in_factor: How many times the usual number of payments leave and enter.
        per_day: Payments a day that would leave by a channel if that cost nothing.
        mixing: How unlike what enters a channel is to what leaves it: sd of the logarithm.
        branching: Share of the payments that another one has brought about (Hawkes).
        daily, weekly: Amplitude of the seasons.
        demand: Logit curves, those that a logit learner does not expect, or measured ones.
        middle_ppm, slope: Of a logit curve.
        budget_ppm: The most that senders pay at all is drawn from here, evenly in its logarithm.
        drift: How far the middle price wanders in a day: sd of the logarithm.
        shift_day: When prices and numbers change for good; `None` for never.
        known: Share of the channels of which gossip tells what others charge.
        hearsay: How far what they charge is off what payments would pay: sd of the logarithm.
        start_ppm: What the operator charged so far.
        is_new: The channels were opened just now.
        attacked: By probes, by somebody who empties the cheapest channel, and by a siphon.
        refill_level: What a refill costs, as a share of the middle price.
    """

    name: str
    about: str
    luck: str = ""
    channels: int = 12
    days: int = 60
    capacity_sat: Spread = LogNormal(4_000_000, 0.5)
    size_factor: PerChannel = (1.0,)
    local_share: PerChannel = (0.5,)
    out_factor: PerChannel = (1.0,)
    in_factor: PerChannel = (1.0,)
    per_day: Spread = LogNormal(20, 1.0)
    mixing: float = 0.0
    amount_sat: LogNormal = LogNormal(12_000, 1.7)
    branching: float = 0.0
    daily: float = 0.0
    weekly: float = 0.0
    demand: Literal["logit", "misspecified", "measured"] = "logit"
    middle_ppm: Spread = LogNormal(80, 1.0)
    slope: Spread = LogNormal(1.7, 0.35, 1.15, 8.0)
    budget_ppm: tuple[float, float] = (1000, 10_000)
    drift: float = 0.0
    shift_day: int | None = None
    rivals: Rivals = Rivals()
    feerates: Feerates = Feerates()
    known: float = 0.7
    hearsay: float = 0.5
    start_ppm: Spread = LogNormal(100)
    is_new: bool = False
    attacked: bool = False
    refill_level: float = 0.7
