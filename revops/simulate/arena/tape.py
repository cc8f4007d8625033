"""Tape: all that will happen by chance, drawn before any policy looks; whole numbers from here."""

from functools import cached_property
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from revops.core.units import DAY, Instant, Msat, Ppm
from revops.simulate.arena.arrivals import Came, came
from revops.simulate.arena.attacks import attack, held_slots
from revops.simulate.arena.dice import Dice
from revops.simulate.arena.market import STEP_S, STEPS_A_DAY, Market, market_of, repeated
from revops.simulate.arena.payments import START, Kind, Payment
from revops.simulate.arena.scenario import Scenario
from revops.simulate.arena.spreads import Array

RESERVE_SHARE: Final = 100
"""A hundredth of the capacity cannot be spent, on either side (BOLT #2)."""

_DELAY_MEDIAN_S: Final = 240
# 95 % of the network know within 13 minutes (gossip measurements of 2022 and 2025).
_DELAY_SD: Final = 0.7165
_CHANNEL_COST_SD: Final = 0.5
_ATTEMPT_COST_SD: Final = 0.4
_DEPTH_MSAT: Final = 2_000_000_000
# Of what a refill usually costs, what the last one of those who forward it takes.
_LAST_HOP: Final = (0.2, 0.8)
# A rival answers after 6 to 24 hours.
_PATIENCE: Final = (12, 49)
_MOST_PPM: Final = 10_000_000


@attrs.frozen(eq=False)
class Tape:
    """
    What chance holds ready for a node in one scenario and seed.

    Everything that is `[step][channel]` tells what is met there, whether a policy asks or not.

    Attributes:
        payments: In the order of their arrival.
        first: Of each step, where its payments begin; one more for the end.
        capacity, local: Of each channel, at the beginning.
        start_ppm: What each charges at the beginning.
        refill_ppm, refill_msat: What an attempt to refill would cost, and the most it could move.
        peer_ppm: What each peer charges toward us: the last part of the way of a refill.
        delay_s: How long until the network has heard of a lower fee.
        market_ppm: By day: what gossip says others charge toward the peer; `None` for nothing.
        anchor_ppm: What a rival that answers our price charges at rest; `None` without one.
        patience: After how many steps it answers.
        held_slots: HTLC slots that somebody else holds.
        perkw: What the chain charges, by step.
        market: What made it; for oracles alone.
        began: When the first step begins, on the hour or half past.
    """

    scenario: Scenario
    seed: int
    payments: tuple[Payment, ...]
    first: tuple[int, ...]
    capacity: tuple[Msat, ...]
    local: tuple[Msat, ...]
    start_ppm: tuple[Ppm, ...]
    refill_ppm: list[list[Ppm]]
    refill_msat: list[list[Msat]]
    peer_ppm: tuple[Ppm, ...]
    delay_s: list[list[int]]
    market_ppm: tuple[tuple[Ppm | None, ...], ...]
    anchor_ppm: tuple[Ppm | None, ...]
    patience: list[list[int]]
    held_slots: list[list[int]]
    perkw: list[int]
    market: Market
    began: Instant = START

    @property
    def steps(self) -> int:
        """
        Return how often a policy looks.
        """
        return len(self.perkw)

    @property
    def channels(self) -> int:
        """
        Return how many channels there are.
        """
        return len(self.capacity)

    @property
    def floors(self) -> tuple[Msat, ...]:
        """
        Return what of each channel neither side can spend.
        """
        return tuple(Msat(most // RESERVE_SHARE) for most in self.capacity)

    @cached_property
    def volumes(self) -> npt.NDArray[np.float64]:
        """
        Return what would leave if nothing had a price, in msat: `volumes[day, in, out]`; without
        payments that no balance of the two channels lets through.
        """
        days = self.scenario.days
        sums = np.zeros((days, self.channels, self.channels))
        most = [each - 2 * floor for each, floor in zip(self.capacity, self.floors, strict=True)]
        for payment in self.payments:
            fits = payment.amount_msat <= min(most[payment.into], most[payment.out])
            if fits and payment.kind is Kind.ORDINARY:
                day = min((payment.at - self.began) // DAY, days - 1)
                sums[day, payment.into, payment.out] += payment.amount_msat
        return sums


@attrs.frozen
class Beginning:
    """
    What a node is like when a tape begins: what each of its channels holds, what of that is ours,
    and what it charges.

    Attributes:
        at: When that is, on the hour or half past.
    """

    capacity: tuple[Msat, ...]
    local: tuple[Msat, ...]
    ppm: tuple[Ppm, ...]
    at: Instant = START


def tape_of(scenario: Scenario, seed: int) -> Tape:
    """
    Return the tape of *scenario* and *seed*: always the same.
    """
    dice = _dice(scenario, seed)
    capacity = _capacity(scenario, dice)
    start = scenario.start_ppm.of(dice.of("start").standard_normal(scenario.channels))
    ppm = tuple(Ppm(round(ppm)) for ppm in start.tolist())
    node = Beginning(capacity, _local(scenario, capacity), ppm)
    return tape_in(market_of(scenario, dice), node, scenario, seed)


def tape_in(market: Market, node: Beginning, scenario: Scenario, seed: int) -> Tape:
    """
    Return the tape of *seed* for *node* in *market*; all else is as it is in *scenario*.
    """
    dice = _dice(scenario, seed)
    payments = _payments(scenario, market, dice, node.at)
    steps = len(market.perkw)
    times = np.array([payment.at - node.at for payment in payments], dtype=np.int64)
    first = np.searchsorted(times, np.arange(steps + 1) * STEP_S)
    refills = _refill_market(scenario, market, dice)
    return Tape(
        scenario=scenario,
        seed=seed,
        payments=payments,
        first=tuple(first.tolist()),
        capacity=node.capacity,
        local=node.local,
        start_ppm=node.ppm,
        refill_ppm=refills[0].tolist(),
        refill_msat=refills[1].tolist(),
        peer_ppm=_peers(scenario, market, dice),
        delay_s=_delays(scenario, steps, dice),
        market_ppm=_heard(scenario, market, dice),
        anchor_ppm=_anchors(scenario, market),
        patience=_patience(scenario, steps, dice),
        held_slots=held_slots(scenario, steps, dice),
        perkw=[round(perkw) for perkw in market.perkw.tolist()],
        market=market,
        began=node.at,
    )


def _dice(scenario: Scenario, seed: int) -> Dice:
    return Dice(scenario.luck or scenario.name, seed)


def _capacity(scenario: Scenario, dice: Dice) -> tuple[Msat, ...]:
    sats = scenario.capacity_sat.of(dice.of("capacity").standard_normal(scenario.channels))
    sized = sats * repeated(scenario.size_factor, scenario.channels)
    return tuple(Msat(round(sat) * 1000) for sat in sized.tolist())


def _local(scenario: Scenario, capacity: tuple[Msat, ...]) -> tuple[Msat, ...]:
    shares = repeated(scenario.local_share, scenario.channels).tolist()
    return tuple(Msat(int(most * share)) for most, share in zip(capacity, shares, strict=True))


def _payments(
    scenario: Scenario, market: Market, dice: Dice, began: Instant
) -> tuple[Payment, ...]:
    ordinary = map(Payment, *_rounded(came(scenario, market, dice), began))
    return tuple(sorted((*ordinary, *attack(scenario, dice))))


def _rounded(found: Came, began: Instant) -> tuple[list[int], ...]:
    return (
        [began + second for second in found.at.astype(np.int64).tolist()],
        found.into.tolist(),
        found.out.tolist(),
        np.maximum(found.amount_sat * 1000, 1).astype(np.int64).tolist(),
        np.minimum(found.reservation_ppm, _MOST_PPM).astype(np.int64).tolist(),
    )


def _refill_market(
    scenario: Scenario, market: Market, dice: Dice
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """
    Return what each attempt to refill a channel would cost, and the most it could move.

    It succeeds with a chance of e^(-amount / 2 M sat), whoever tries: the depth of its market is
    exponential.
    """
    shape = (len(market.perkw), scenario.channels)
    moment = np.exp(_ATTEMPT_COST_SD * dice.of("refill attempts").standard_normal(shape))
    cost = _usual_cost(scenario, market, dice) * moment
    depth = dice.of("refill depths").exponential(_DEPTH_MSAT, shape)
    return np.ceil(cost).astype(np.int64), depth.astype(np.int64)


def _usual_cost(scenario: Scenario, market: Market, dice: Dice) -> Array:
    usual = np.exp(_CHANNEL_COST_SD * dice.of("refill costs").standard_normal(scenario.channels))
    cost: Array = scenario.refill_level * market.going_ppm * usual
    return cost


def _peers(scenario: Scenario, market: Market, dice: Dice) -> tuple[Ppm, ...]:
    share = dice.of("peers").uniform(*_LAST_HOP, scenario.channels)
    prices = share * _usual_cost(scenario, market, dice)
    return tuple(Ppm(round(ppm)) for ppm in prices.tolist())


def _delays(scenario: Scenario, steps: int, dice: Dice) -> list[list[int]]:
    normal = dice.of("gossip").standard_normal((steps, scenario.channels))
    seconds = _DELAY_MEDIAN_S * np.exp(_DELAY_SD * normal)
    # By the next look everybody knows.
    delays: list[list[int]] = np.minimum(seconds, STEP_S).astype(np.int64).tolist()
    return delays


def _heard(scenario: Scenario, market: Market, dice: Dice) -> tuple[tuple[Ppm | None, ...], ...]:
    """
    Return what gossip says that others charge, day by day: hearsay of what payments would pay.
    """
    known = dice.of("known").random(scenario.channels) < scenario.known
    off = np.exp(scenario.hearsay * dice.of("hearsay").standard_normal(scenario.channels))
    by_day = market.level.reshape(scenario.days, STEPS_A_DAY, scenario.channels)
    prices = np.median(by_day, axis=1) * market.going_ppm * off
    return tuple(
        tuple(
            Ppm(max(round(ppm), 1)) if told else None for ppm, told in zip(day, known, strict=True)
        )
        for day in prices.tolist()
    )


def _anchors(scenario: Scenario, market: Market) -> tuple[Ppm | None, ...]:
    fighting = round(scenario.rivals.part * scenario.channels)
    answers = scenario.rivals.kind == "war"
    return tuple(
        Ppm(max(round(ppm), 1)) if answers and channel < fighting else None
        for channel, ppm in enumerate(market.going_ppm.tolist())
    )


def _patience(scenario: Scenario, steps: int, dice: Dice) -> list[list[int]]:
    shape = (steps, scenario.channels)
    patience: list[list[int]] = dice.of("patience").integers(*_PATIENCE, shape).tolist()
    return patience
