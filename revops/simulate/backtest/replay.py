"""Replay: one tape that the past may be what was seen of, and a life on it under each config."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import numpy as np

from revops.core.config import Config
from revops.core.units import MAX_PPM, MILLION, Msat, Ppm
from revops.simulate.arena.core_policy import CorePolicy
from revops.simulate.arena.dice import Dice
from revops.simulate.arena.market import STEP_S, STEPS_A_DAY, Market
from revops.simulate.arena.play import Maker, Observation, Orders, Policy, Start
from revops.simulate.arena.scenario import Scenario
from revops.simulate.arena.spreads import Array
from revops.simulate.arena.tape import Beginning, Tape, tape_in
from revops.simulate.arena.world import Refill, World
from revops.simulate.backtest.history import History, Moved
from revops.simulate.backtest.missing import who_came, who_did_not
from revops.simulate.backtest.reading import Reading, read
from revops.simulate.forecast.lives import Life
from revops.simulate.forecast.roll import played, told

NAME: Final = "backtest"
"""What the streams of chance are keyed by."""
_NEAR: Final = 1.1
_EDGE: Final = 1e-12
_AMPLE: Final = Msat(1 << 60)

Makers = Mapping[str, Maker | None]
"""Policies by name; `None` for the prices as they were."""


def maker_for(config: Config | None) -> Maker | None:
    """
    Return who prices as the live core does under *config*; `None` for the prices as they were.
    """
    if config is None:
        return None
    return lambda start: CorePolicy(config, start)


@attrs.frozen
class Replay:
    """
    One tape, played.

    Attributes:
        lives: What each policy made of it, by name.
        elasticity: By which power of the price payments stay away on this tape, at the prices as
            they were: the mean of all channels, weighted by what they earned.
    """

    lives: Mapping[str, Life]
    elasticity: float


def replayed(reading: Reading, makers: Makers, seed: int) -> Replay:
    """
    Return what each policy makes of the tape that is drawn from *seed*.
    """
    history = reading.history
    if not history.balanced:
        shares = Dice(NAME, seed).of("balances").random(len(history.places))
        reading = read(history, shares.tolist())
    moves = _by_step(history, reading.held.moves)
    tape = tape_for(reading, moves, seed)
    names = [place.scid for place in history.places]
    start = Start(seed, tape.capacity, tape.local, is_new=False)
    lives = {}
    for name, maker in makers.items():
        policy = maker(start) if maker else AsItWas(reading.seen.fee_ppm)
        world = World(tape)
        looks = played(world, Living(policy, moves))
        lives[name] = told(names, world, looks)
    return Replay(lives, elasticity(reading, tape.market))


def elasticity(reading: Reading, market: Market) -> float:
    """
    Return by which power of the price payments stay away in *market*.
    """
    history = reading.history
    earned = np.bincount(
        [forward.out for forward in history.forwards],
        [forward.fee_msat for forward in history.forwards],
        len(history.places),
    )
    prices = np.maximum(reading.seen.fee_ppm.mean(axis=0), 1.0)
    near = prices[:, None] * np.array([1 / _NEAR, _NEAR])
    shares = np.array([law.share(row) for law, row in zip(market.laws, near, strict=True)])
    powers = np.diff(np.log(np.maximum(shares, _EDGE)), axis=1)[:, 0] / (2 * math.log(_NEAR))
    weights = earned + 1e-9
    return float((powers * weights).sum() / weights.sum())


def tape_for(reading: Reading, moves: Sequence[Sequence[Moved]], seed: int) -> Tape:
    """
    Return one of the tapes that the past may be what was seen of.
    """
    history, held, fee_ppm = reading.history, reading.held, reading.seen.fee_ppm
    count = len(history.places)
    scenario = Scenario(
        name=NAME,
        about="A node's past.",
        channels=count,
        days=history.days,
        branching=reading.branching,
    )
    market = reading.fit.drawn(seed, history.days)
    node = Beginning(
        capacity=tuple(place.capacity_msat for place in history.places),
        local=held.start,
        ppm=tuple(Ppm(round(ppm)) for ppm in fee_ppm[0].tolist()),
        at=history.since,
    )
    tape = tape_in(market, node, scenario, seed)
    came = who_came(history, market, fee_ppm, Dice(NAME, seed))
    payments = tuple(sorted((*came, *who_did_not(history, tape.payments, held, fee_ppm))))
    times = np.array([payment.at for payment in payments], dtype=np.int64)
    first = np.searchsorted(times, history.since + np.arange(tape.steps + 1) * STEP_S)
    heard = tuple(place.market_ppm for place in history.places)
    return attrs.evolve(
        tape,
        payments=payments,
        first=tuple(first.tolist()),
        market_ppm=(heard,) * history.days,
        # What was moved costs what it did; there is no other market.
        refill_ppm=[_costs(count, now) for now in moves],
        refill_msat=[[_AMPLE] * count] * tape.steps,
    )


def _costs(count: int, moves: Sequence[Moved]) -> list[Ppm]:
    ppm = [Ppm(0)] * count
    for move in moves:
        ppm[move.target] = Ppm(-(-move.cost_msat * MILLION // max(move.amount_msat, 1)))
    return ppm


def _by_step(history: History, moves: Sequence[Moved]) -> list[list[Moved]]:
    """
    Return *moves* by the step in which they are made; one at a time goes into a channel.
    """
    last = history.days * STEPS_A_DAY - 1
    steps: list[list[Moved]] = [[] for _ in range(last + 1)]
    for move in moves:
        step = min(max((move.at - history.since) // STEP_S, 0), last)
        while step < last and any(move.target == other.target for other in steps[step]):
            step += 1
        steps[step].append(move)
    return steps


class AsItWas:
    """
    A policy that charges what was charged.
    """

    def __init__(self, fee_ppm: Array) -> None:
        self._fee_ppm = np.rint(fee_ppm).astype(np.int64).tolist()

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices that came into force.
        """
        then = enumerate(zip(self._fee_ppm[seen.step], seen.fee_ppm, strict=True))
        return Orders({channel: Ppm(ppm) for channel, (ppm, now) in then if ppm != now})


class Living:
    """
    A policy in whose life all but its prices is as it was.
    """

    def __init__(self, policy: Policy, moves: Sequence[Sequence[Moved]]) -> None:
        self._policy = policy
        self._moves = moves

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices of the policy, and what moved at that time as far as there is room.
        """
        orders = self._policy.step(seen)
        return orders._replace(refills=tuple(_fitting(m, seen) for m in self._moves[seen.step]))


def _fitting(move: Moved, seen: Observation) -> Refill:
    room = min(seen.spendable[move.source] - move.cost_msat, seen.receivable[move.target])
    amount = Msat(max(min(move.amount_msat, room), 0))
    return Refill(move.source, move.target, amount, MAX_PPM)
