"""Pages: a backtest for people, and for machines."""

from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from revops.adapters.strangers import plain
from revops.core.units import Msat, sats_down
from revops.simulate.backtest.backtest import Backtest, net_msat
from revops.simulate.forecast.lives import Forecast, Side

_MODELLED: Final = (
    "Those who came are the node's own forwards. Those who stayed away are drawn from what it tells"
    " of its payments: what a price did not let come, nobody wrote down. Refills and whatever else"
    " moved are as they were. No promise."
)
_FIGURES: Final = {
    "net": "earned less refills, sat",
    "day": "the same a day, sat",
    "left": "liquidity gained, sat",
    "count": "million sat forwarded",
    "updates": "updates per channel and day",
}


@attrs.frozen
class Band:
    """
    What one in ten values is below, what half of them are, and what nine in ten are.
    """

    low: float
    middle: float
    high: float


def band(values: Sequence[float]) -> Band:
    """
    Return the band that the next value is in with a chance of 80 %, if it is drawn as these were.
    """
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], method="weibull").tolist()
    return Band(low, middle, high)


def figures(side: Side, days: int) -> dict[str, Band]:
    """
    Return what *side* comes to.
    """
    lives = side.lives
    net = [sats_down(Msat(net_msat(life))) for life in lives]
    moved = [sum(path.out_msat for path in life.paths) for life in lives]
    channels = max(len(lives[0].paths) - 1, 1)
    return {
        "net": band(net),
        "day": band([value / days for value in net]),
        "left": band([sats_down(life.left_msat) for life in lives]),
        "count": band([value / 1e9 for value in moved]),
        "updates": band([sum(life.updates) / days / channels for life in lives]),
    }


def difference(one: Side, other: Side) -> Band:
    """
    Return how much more the first earns than the second on the same tapes, in sat.
    """
    pairs = zip(one.lives, other.lives, strict=True)
    return band([sats_down(Msat(net_msat(mine) - net_msat(theirs))) for mine, theirs in pairs])


def backtest_report(found: Backtest) -> RenderableType:
    """
    Return the differences, what they are made of, and what is not known.
    """
    replays = found.replays
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("in all of these days")
    for side in replays.sides:
        for heading in (f"{side.name}: p10", "p50", "p90"):
            table.add_column(heading, justify="right", no_wrap=True)
    parts = [figures(side, replays.days) for side in replays.sides]
    for name, words in _FIGURES.items():
        style = "{:,.2f}" if name in ("count", "updates") else "{:,.0f}"
        bands = [attrs.astuple(part[name]) for part in parts]
        table.add_row(words, *(style.format(value) for cells in bands for value in cells))
    runs = len(replays.seeds)
    head = f"days: the last {replays.days}; played {runs} times, from seed {replays.seeds[0]} on"
    return Group(
        Text(head, "bold"),
        Text(f"By its own list the node earned {sats_down(found.earned_msat):,} sat."),
        *(Text(sentence) for sentence in _told(replays)),
        table,
        *(Text(sentence, "italic") for sentence in _uncertain(found)),
        *(Text(plain(warning), "italic") for warning in (*replays.warnings, _MODELLED)),
    )


def _pairs(replays: Forecast) -> list[tuple[Side, Side]]:
    """
    Return what is compared: the first side with each other one.
    """
    first, *others = replays.sides
    return [(first, other) for other in others]


def _told(replays: Forecast) -> list[str]:
    told = []
    for one, other in _pairs(replays):
        more, days = difference(one, other), replays.days
        told.append(
            f"{one.name}, compared with {other.name}: {more.middle:+,.0f} sat"
            f" ({more.low:+,.0f} to {more.high:+,.0f} in 8 of 10 cases),"
            f" {more.middle / days:+,.0f} sat a day"
            f" ({more.low / days:+,.0f} to {more.high / days:+,.0f})"
        )
    return told


def _uncertain(found: Backtest) -> list[str]:
    told = []
    if found.band_of_elasticity is not None:
        told.append(
            f"{found.band_of_elasticity:.0%} of the band is how payments answer prices, the rest"
            " who else would have come."
        )
    told.append(
        f"Of what is usually unknown about how payments answer prices, {found.learned:.0%} is told"
        f" by this past; {1 - found.learned:.0%} is what is usual on the network."
    )
    return told


def backtest_json(found: Backtest) -> dict[str, Any]:
    """
    Return all of a backtest but the paths that prices and balances take.
    """
    replays = found.replays
    return {
        "days": replays.days,
        "seeds": list(replays.seeds),
        "earned_msat": found.earned_msat,
        "band_of_elasticity": found.band_of_elasticity,
        "learned": found.learned,
        "warnings": list(replays.warnings),
        "differences": [
            {
                "side": one.name,
                "other": other.name,
                "more_sats": _json(difference(one, other)),
            }
            for one, other in _pairs(replays)
        ],
        "sides": [
            {
                "name": side.name,
                "options": dict(side.options),
                "figures": {
                    _KEYS[name]: _json(part) for name, part in figures(side, replays.days).items()
                },
                "income_msat": [list(life.income_msat) for life in side.lives],
                "spent_msat": [list(life.spent_msat) for life in side.lives],
            }
            for side in replays.sides
        ],
    }


_KEYS: Final = {
    "net": "net_sats",
    "day": "net_sats_a_day",
    "left": "left_sats",
    "count": "forwarded_million_sats",
    "updates": "updates_a_channel_and_day",
}


def _json(part: Band) -> dict[str, float]:
    return {"p10": part.low, "p50": part.middle, "p90": part.high}
