"""Backtest: configs side by side in the past of a node, as often as it may have been otherwise."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from typing import Final

import attrs
import numpy as np

from revops.core.config import Config, changed_options
from revops.core.units import Msat
from revops.simulate.backtest.history import History
from revops.simulate.backtest.prices import prices
from revops.simulate.backtest.reading import Reading, read
from revops.simulate.backtest.replay import Replay, elasticity, maker_for, replayed
from revops.simulate.forecast.beliefs import believed_of
from revops.simulate.forecast.fit import THIN
from revops.simulate.forecast.lives import Forecast, Life, Side

AS_IT_WAS: Final = "as it was"
AS_SET: Final = "as set"
AGAINST: Final = "against"

Sides = Mapping[str, Config | None]
"""Configs by name; `None` for the prices as they were."""

# A past may be large, and goes to whoever plays as often as this.
_PARTS: Final = 16
_LEAST_REPLAYED: Final = 0.98
_ENOUGH: Final = 10
"""From fewer runs nothing is said of their variance."""
_PRIOR_DRAWS: Final = 100
_VARIED: Final = 1.2
"""A price that was never higher than this times its lowest tells nothing of elasticity."""
_SHORT_DAYS: Final = 14


@attrs.frozen(kw_only=True)
class Backtest:
    """
    What would have become of a node.

    Attributes:
        replays: The sides on the same tapes.
        earned_msat: What the node earned, by its own list.
        band_of_elasticity: Which part of the variance of the difference is how payments answer
            prices; `None` for nothing to compare, or too few runs.
        learned: Which part of what is unknown of that the past has cleared up.
    """

    replays: Forecast
    earned_msat: Msat
    band_of_elasticity: float | None
    learned: float


def backtest(
    history: History,
    sides: Sides,
    *,
    runs: int,
    seed: int,
    executor: Executor,
    each: Callable[[], object] = lambda: None,
) -> Backtest:
    """
    Return what would have become of the node in *history* on all *sides*, on as many tapes as
    there are *runs*; *each* is called whenever one of them is played.
    """
    reading = read(history)
    seeds = range(seed, seed + runs)
    work = [
        executor.submit(_played, reading, dict(sides), seeds[first::_PARTS])
        for first in range(min(_PARTS, runs))
    ]
    found: dict[int, Replay] = {}
    for future in as_completed(work):
        for number, replay in future.result().items():
            found[number] = replay
            each()
    ordered = [found[number] for number in seeds]
    return Backtest(
        replays=Forecast(
            days=history.days,
            seeds=tuple(seeds),
            sides=tuple(
                Side(
                    name=name,
                    options=changed_options(config) if config else {},
                    lives=tuple(replay.lives[name] for replay in ordered),
                )
                for name, config in sides.items()
            ),
            warnings=(*history.warnings, *_doubts(reading, ordered)),
        ),
        earned_msat=history.earned_msat,
        band_of_elasticity=_part(ordered, tuple(sides)),
        learned=_learned(reading),
    )


def _played(reading: Reading, sides: Sides, seeds: Sequence[int]) -> dict[int, Replay]:
    makers = {name: maker_for(config) for name, config in sides.items()}
    return {seed: replayed(reading, makers, seed) for seed in seeds}


def net_msat(life: Life) -> int:
    """
    Return what *life* earned, less what it spent.
    """
    return sum(life.income_msat) - sum(life.spent_msat)


def _part(replays: list[Replay], names: tuple[str, ...]) -> float | None:
    """
    Return which part of the variance of the first difference goes along with the elasticity.
    """
    more = [net_msat(r.lives[names[0]]) - net_msat(r.lives[names[1]]) for r in replays]
    powers = [replay.elasticity for replay in replays]
    if len(replays) < _ENOUGH or len(set(more)) == 1 or len(set(powers)) == 1:
        return None
    return float(np.corrcoef(more, powers)[0, 1] ** 2)


def _learned(reading: Reading) -> float:
    """
    Return how much less the elasticity varies now than if nothing was known of this node.
    """
    places = reading.history.places
    told = np.array([float(place.market_ppm or 0) for place in places])
    blank = attrs.evolve(
        reading.fit, beliefs=believed_of([()] * len(places), told, [1.0] * len(places))
    )
    spread = [
        np.var([elasticity(reading, fit.drawn(seed, 1)) for seed in range(_PRIOR_DRAWS)])
        for fit in (reading.fit, blank)
    ]
    return float(np.clip(1 - spread[0] / max(spread[1], 1e-12), 0.0, 1.0))


def _doubts(reading: Reading, replays: list[Replay]) -> Iterator[str]:
    """
    Yield what makes the answer less certain.
    """
    history = reading.history
    inside = [n for n, place in enumerate(history.places) if not place.outside]
    came = np.bincount([f.out for f in history.forwards], minlength=len(history.places))
    thin = sum(int(came[n]) < THIN for n in inside)
    if history.days < _SHORT_DAYS:
        yield f"no more than {_days(history.days)}: learning a price takes weeks"
    if thin:
        yield (
            f"thin data: fewer than {THIN} forwards left by {thin} of {len(inside)} channels,"
            " whose demand is little more than a guess"
        )
    known = prices(history)
    still = sum(_still([price.ppm for price in known[n]]) for n in inside)
    if still:
        yield (
            f"the price hardly ever changed on {still} of {len(inside)} channels: how payments"
            " answer prices there is taken from what is usual on the network"
        )
    if reading.held.unexplained_msat:
        yield (
            f"{reading.held.unexplained_msat // 1000:,} sat moved that no list explains (payments,"
            " refills, splices): they move on all sides alike"
        )
    yield from _unlike(history, replays)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _still(ppm: list[int]) -> bool:
    return max(ppm) <= max(min(ppm), 1) * _VARIED


def _unlike(history: History, replays: list[Replay]) -> Iterator[str]:
    lives = [replay.lives[AS_IT_WAS] for replay in replays if AS_IT_WAS in replay.lives]
    if lives and history.earned_msat:
        part = sum(sum(life.income_msat) for life in lives) / len(lives) / history.earned_msat
        if not _LEAST_REPLAYED < part < 1 / _LEAST_REPLAYED:
            yield f"played again as it was, the node earns {part:.0%} of what it did earn"
