"""Scenarios: the worlds that policies are measured in."""

from typing import Final

import attrs

from revops.simulate.arena.scenario import Feerates, Rivals, Scenario
from revops.simulate.arena.spreads import LogNormal, Measured

_GOALS: Final = (
    Scenario(
        name="balanced_20",
        about="What leaves comes back; 20 payments a day and channel at no fee.",
    ),
    Scenario(
        name="mixed_20",
        about="Channels drain and fill, as they do; 20 payments a day and channel at no fee.",
        mixing=1.0,
    ),
    Scenario(
        name="mixed_20_cheap",
        about="The same payments where refills cost less than half as much.",
        luck="mixed_20",
        mixing=1.0,
        refill_level=0.3,
    ),
    Scenario(
        name="mixed_20_dear",
        about="The same payments where refills cost more than payments would pay.",
        luck="mixed_20",
        mixing=1.0,
        refill_level=1.2,
    ),
    Scenario(
        name="mixed_5",
        about="The same in thin traffic: 5 payments a day and channel at no fee.",
        mixing=1.0,
        per_day=LogNormal(5, 1.0),
    ),
)
_HELD_OUT: Final = Scenario(
    name="held_out",
    about="Demand, capacities and fees resampled from the public network; nobody tunes on it.",
    demand="measured",
    mixing=1.0,
    capacity_sat=Measured("capacity_sat"),
    # 213 000 payments a day are routed at least (River, August 2023).
    per_day=Measured("share_of_payments_at_1_ppm", 213_000),
    start_ppm=Measured("posted_ppm"),
    rivals=Rivals(kind="wandering", up=0.7),
)
_STATED: Final = (
    Scenario(
        name="steady_sink",
        about="Eight channels that drain four to one, two that bring it in.",
        out_factor=(1,) * 8 + (0.25,) * 2 + (1,) * 2,
        in_factor=(0.25,) * 8 + (3.25,) * 2 + (1,) * 2,
        per_day=LogNormal(20, 0.3),
    ),
    Scenario(
        name="steady_source",
        about="Eight channels that fill four to one, two that take it out.",
        out_factor=(0.25,) * 8 + (3.25,) * 2 + (1,) * 2,
        in_factor=(1,) * 8 + (0.25,) * 2 + (1,) * 2,
        per_day=LogNormal(20, 0.3),
    ),
    Scenario(
        name="bidirectional",
        about="As much in as out everywhere, 40 payments a day.",
        per_day=LogNormal(40),
        slope=LogNormal(1.7),
    ),
    Scenario(
        name="bursty_exchange",
        about="An exchange has 60 % of the volume, in bursts and huge amounts.",
        size_factor=(8,) + (1,) * 11,
        out_factor=(16.5,) + (1,) * 11,
        in_factor=(16.5,) + (1,) * 11,
        per_day=LogNormal(4, 0.5),
        amount_sat=LogNormal(12_000, 2.3),
        branching=0.7,
    ),
    Scenario(
        name="dead_channel",
        about="Nobody ever pays for four of the channels.",
        out_factor=(0,) * 4 + (1,) * 8,
        in_factor=(0,) * 4 + (1,) * 8,
        mixing=1.0,
    ),
    Scenario(
        name="regime_change",
        about="On day 30 all prices and numbers become others.",
        mixing=0.5,
        shift_day=30,
    ),
    Scenario(
        name="fee_war",
        about="On half of the channels a rival undercuts us.",
        mixing=0.5,
        rivals=Rivals(kind="war", part=0.5),
    ),
    Scenario(
        name="mempool_spike",
        about="On-chain fees rise from 5 to 80 sat/vB and fall again; later one sample is wrong.",
        mixing=0.5,
        feerates=Feerates(spike=True, pull=0.3),
    ),
    Scenario(
        name="drain_probe",
        about="Somebody empties the cheapest channel, probes fail, a siphon pays any fee.",
        mixing=0.5,
        attacked=True,
    ),
    Scenario(
        name="seasonal",
        about="Days and weeks have their tides.",
        mixing=0.5,
        daily=0.5,
        weekly=0.2,
    ),
    Scenario(
        name="large_fleet",
        about="200 channels of every size, 30 days.",
        channels=200,
        days=30,
        capacity_sat=LogNormal(5_000_000, 1.5, 100_000),
        per_day=LogNormal(8, 1.5),
        mixing=1.0,
        rivals=Rivals(kind="wandering", up=0.7),
    ),
    Scenario(
        name="cold_start",
        about="All channels are new: eight we opened, four were bought; gossip tells nothing.",
        # All ours everywhere, no payment could enter.
        local_share=(1,) * 8 + (0,) * 4,
        in_factor=(0.7,) * 8 + (1.6,) * 4,
        known=0.0,
        start_ppm=LogNormal(10),
        is_new=True,
    ),
    Scenario(
        name="misspecified",
        about="Demand that falls off a cliff or has two kinds of senders, none of them rich.",
        demand="misspecified",
        mixing=0.5,
        budget_ppm=(500, 500),
    ),
)

SCENARIOS: Final = {scenario.name: scenario for scenario in (*_GOALS, *_STATED, _HELD_OUT)}
"""By name."""


def shortened(scenario: Scenario, days: int) -> Scenario:
    """
    Return *scenario* ending after so many *days*.
    """
    return attrs.evolve(scenario, days=min(days, scenario.days))
