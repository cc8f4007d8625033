"""Forecast: configs side by side in the futures that a node's own traffic leaves possible."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, as_completed
from typing import Final

from revops.core.config import Config, changed_options
from revops.core.snapshot import Snapshot
from revops.core.units import HOUR
from revops.simulate.forecast.fit import fitted
from revops.simulate.forecast.lives import Forecast, Side
from revops.simulate.forecast.roll import lived, paced, refills

AS_SET: Final = "as set"
AGAINST: Final = "against"
AS_IT_IS: Final = "as it is"
"""A node whose prices nobody touches."""

Sides = Mapping[str, Config | None]
"""Configs by name; `None` for a node that nobody touches."""


def forecast(  # noqa: PLR0913 -- what a forecast is made of
    snapshot: Snapshot,
    sides: Sides,
    *,
    days: int,
    runs: int,
    seed: int,
    executor: Executor,
    each: Callable[[], object] = lambda: None,
) -> Forecast:
    """
    Return what becomes of the node in *snapshot* on all *sides*, in as many futures as there are
    *runs*; *each* is called whenever one of them was lived on one side.
    """
    seeds = range(seed, seed + runs)
    # The long ones first: who leaves a node as it is has little to do.
    fit = fitted(snapshot)
    work = {
        executor.submit(lived, snapshot, config, days, number, fit): (name, number)
        for number in seeds
        for name, config in sorted(sides.items(), key=lambda side: side[1] is None)
    }
    lives = {}
    for future in as_completed(work):
        lives[work[future]] = future.result()
        each()
    return Forecast(
        days=days,
        seeds=tuple(seeds),
        sides=tuple(
            Side(
                name=name,
                options=changed_options(config) if config else {},
                lives=tuple(lives[name, number] for number in seeds),
            )
            for name, config in sides.items()
        ),
        warnings=(*fit.warnings, *_limits(snapshot, sides)),
    )


def _limits(snapshot: Snapshot, sides: Sides) -> Iterator[str]:
    """
    Yield what the futures leave out.
    """
    if not refills(snapshot):
        yield "nobody refills channels here: no rebalancer, or nothing is known of its money"
    for name, config in sides.items():
        if config is not None:
            yield from _reservations(name, config, len(snapshot.channels))


def _reservations(name: str, config: Config, channels: int) -> Iterator[str]:
    if config.paused or config.authority == "observe":
        yield f"{name}: nothing is changed while paused or authority=observe is set"
    pace = paced(config, channels)
    if pace.fee_interval > config.fee_interval:
        yield (
            f"{name}: with so many channels, prices are looked at every"
            f" {pace.fee_interval / HOUR:g} h and refills every"
            f" {pace.rebalance_interval / HOUR:g} h"
        )
