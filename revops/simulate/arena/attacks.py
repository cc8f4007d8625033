"""Attacks: payments made to harm, or to mislead whoever learns from them."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from revops.core.units import DAY, Instant, Msat, Ppm, from_sats
from revops.simulate.arena.dice import Dice
from revops.simulate.arena.payments import ANY, START, Kind, Payment
from revops.simulate.arena.scenario import Scenario

_PROBES_A_DAY: Final = 200
_DRAINS_A_DAY: Final = 2
_DRAIN_MSAT: Final = from_sats(1_000_000)
_DRAIN_PPM: Final = Ppm(300)
_SIPHONED_A_DAY: Final = 5
_SIPHONED_MSAT: Final = from_sats(50_000)
_SIPHON_PPM: Final = Ppm(5000)
_SLOTS_HELD: Final = 483
_HELD_STEPS: Final = 8


def attack(scenario: Scenario, dice: Dice) -> list[Payment]:
    """
    Return what attackers send: probes that fail, payments to themselves that empty the cheapest
    channel, and those of a custodian who pays any fee because others bear it.
    """
    if not scenario.attacked:
        return []
    return [*_probes(scenario, dice), *_drains(scenario, dice), *_siphon(scenario, dice)]


def _times(rng: np.random.Generator, scenario: Scenario, per_day: int) -> list[int]:
    count = int(rng.poisson(per_day * scenario.days))
    return sorted(rng.integers(START, START + scenario.days * DAY, count).tolist())


def _probes(scenario: Scenario, dice: Dice) -> Iterator[Payment]:
    rng = dice.of("probes")
    for at in _times(rng, scenario, _PROBES_A_DAY):
        into, out = rng.choice(scenario.channels, 2, replace=False).tolist()
        amount = from_sats(int(rng.integers(10_000, 1_000_000)))
        yield Payment(Instant(at), into, out, amount, _SIPHON_PPM, Kind.PROBE)


def _drains(scenario: Scenario, dice: Dice) -> Iterator[Payment]:
    # The attacker is behind the last channel.
    entry = scenario.channels - 1
    for at in _times(dice.of("drains"), scenario, _DRAINS_A_DAY):
        yield Payment(Instant(at), entry, ANY, _DRAIN_MSAT, _DRAIN_PPM, Kind.DRAIN)


def _siphon(scenario: Scenario, dice: Dice) -> Iterator[Payment]:
    rng = dice.of("siphon")
    for at in _times(rng, scenario, _SIPHONED_A_DAY):
        into = int(rng.integers(1, scenario.channels))
        yield Payment(Instant(at), into, 0, Msat(_SIPHONED_MSAT), _SIPHON_PPM)


def held_slots(scenario: Scenario, steps: int, dice: Dice) -> list[list[int]]:
    """
    Return how many HTLC slots attackers hold, by step and channel: all of them, for hours.
    """
    slots = np.zeros((steps, scenario.channels), dtype=np.int64)
    if scenario.attacked:
        rng = dice.of("held slots")
        for begin in rng.integers(0, steps, max(scenario.days // 5, 1)).tolist():
            slots[begin : begin + _HELD_STEPS, int(rng.integers(scenario.channels))] = _SLOTS_HELD
    held: list[list[int]] = slots.tolist()
    return held
