"""Lived: forecasts made by hand, of any size, that look like those of a node that earns."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from revops.core.snapshot import Channel
from revops.core.units import DAY, Msat
from revops.simulate.forecast.lives import EVERY_S, Forecast, Life, Path, Side

DAYS = 30


def path(channel: Channel, rng: np.random.Generator, *, moves: bool, days: int) -> Path:
    """
    Return what becomes of *channel*: a fee that stays or wanders, and a balance that wanders.
    """
    looks = days * DAY // EVERY_S + 1
    steps = rng.choice((0.8, 1, 1, 1, 1, 1.25), looks) if moves else np.ones(looks)
    fees = channel.fee_ppm * np.cumprod(steps)
    share = channel.to_us_msat / channel.capacity_msat
    drift = accumulate(rng.normal(0, 0.04, looks), initial=share)
    earned = int(rng.gamma(2, channel.capacity_msat / 40_000) * (1.3 if moves else 1))
    return Path(
        scid=channel.scid or channel.channel_id,
        fee_ppm=tuple(int(fee) for fee in np.clip(fees, 1, 5_000)),
        local_share=tuple(min(1.0, max(0.0, place)) for place in drift)[:looks],
        earned_msat=Msat(earned),
        spent_msat=Msat(earned // 10 if moves else 0),
        out_msat=Msat(earned * 1_000),
        in_msat=Msat(earned * 900),
        updates=int(np.count_nonzero(steps != 1)),
    )


def life(channels: Sequence[Channel], seed: int, *, moves: bool, days: int) -> Life:
    """
    Return one future of a node with *channels*.
    """
    rng = np.random.default_rng([seed, moves])
    paths = tuple(path(channel, rng, moves=moves, days=days) for channel in channels)
    earned, spent = sum(p.earned_msat for p in paths), sum(p.spent_msat for p in paths)
    shares = rng.dirichlet(np.ones(days))
    return Life(
        seed=seed,
        income_msat=tuple(Msat(int(earned * share)) for share in shares),
        spent_msat=tuple(Msat(int(spent * share)) for share in shares),
        updates=tuple(int(n) for n in rng.poisson(len(channels) if moves else 0, days)),
        left_msat=Msat(int(rng.normal(0, earned / 30))),
        paths=paths,
    )


def forecast(
    channels: Sequence[Channel],
    sides: Mapping[str, bool],
    *,
    runs: int = 30,
    days: int = DAYS,
    warnings: tuple[str, ...] = (),
) -> Forecast:
    """
    Return *runs* futures of a node with *channels*; *sides* say whether they move fees.
    """
    return Forecast(
        days=days,
        seeds=tuple(range(runs)),
        sides=tuple(
            Side(
                name=name,
                options={},
                lives=tuple(life(channels, seed, moves=moves, days=days) for seed in range(runs)),
            )
            for name, moves in sides.items()
        ),
        warnings=warnings,
    )
