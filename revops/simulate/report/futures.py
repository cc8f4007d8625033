"""Futures: what became of the sides of a forecast, as headline numbers, charts and tables."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from revops.core.units import Msat, sats_down, sats_up
from revops.simulate.forecast.lives import Forecast, Life, Side
from revops.simulate.report.blocks import (
    Band,
    Card,
    Cell,
    Column,
    Lines,
    Row,
    Section,
    Spread,
    Spreads,
    Table,
)

MONTH: Final = 30


def levels(values: Sequence[int]) -> tuple[int, int, int]:
    """
    Return which of *values* has a tenth of them below it, half of them, and nine tenths.
    """
    low, middle, high = _levels([[value] for value in values])
    return low[0], middle[0], high[0]


def _levels(rows: Sequence[Sequence[float]]) -> list[list[Any]]:
    # Each is a value that came out, so that sats stay whole.
    ordered: NDArray[Any] = np.sort(np.array(rows), axis=0)
    last = len(rows) - 1
    return [ordered[round(last * tenths / 10)].tolist() for tenths in (1, 5, 9)]


def band(name: str, rows: Sequence[Sequence[float]]) -> Band:
    """
    Return the `levels` of *rows*, one row a life, at each place along them.
    """
    low, middle, high = map(tuple, _levels(rows))
    return Band(name=name, low=low, middle=middle, high=high)


def headline(forecast: Forecast) -> tuple[Card, ...]:
    """
    Return what each side earns in a month, and how much more the first one does.
    """
    first, *others = forecast.sides
    return (
        *(_card(side, forecast.days) for side in forecast.sides),
        *(_lead(first, other, forecast.days) for other in others),
    )


def _card(side: Side, days: int) -> Card:
    low, middle, high = levels(_by_month(side, days))
    return Card(
        label=f"{side.name}: net in a month",
        value=f"{middle:,} sat",
        note=f"from {low:,} (p10) to {high:,} (p90)",
    )


def _lead(side: Side, other: Side, days: int) -> Card:
    low, middle, high = levels(_leads(side, other, days))
    better = sum(lead > 0 for lead in _leads(side, other, days))
    tone = "good" if low > 0 else "bad" if high < 0 else ""
    return Card(
        label=f"{side.name}, compared with {other.name}",
        value=f"{_signed(middle)} sat",
        note=f"a month; from {_signed(low)} (p10) to {_signed(high)} (p90);"
        f" better in {better} of {len(side.lives)} futures",
        tone=tone,
    )


def _signed(number: int) -> str:
    return f"{number:+,}" if number else "0"


def _by_month(side: Side, days: int) -> list[int]:
    return [sats_down(life.net_msat) * MONTH // days for life in side.lives]


def _leads(side: Side, other: Side, days: int) -> list[int]:
    pairs = zip(_by_month(side, days), _by_month(other, days), strict=True)
    return [mine - theirs for mine, theirs in pairs]


def outcomes(forecast: Forecast) -> Section:
    """
    Return what the sides earned: over time, in each future, and what that is made of.
    """
    first, *others = forecast.sides
    count = len(forecast.seeds)
    leads = tuple(
        Spread(name=f"than {other.name}", values=tuple(_leads(first, other, forecast.days)))
        for other in others
    )
    more = Spreads(
        title=f"What {first.name} earns more, future by future",
        x_title="sat in a month",
        spreads=leads,
        first=1,
    )
    return Section(
        title="What it would earn",
        intro=f"{count} futures of {forecast.days} days, drawn from this node's own traffic. Each"
        " side lives through the same futures. Bands and ranges run from p10 to p90: a tenth of"
        " the futures is below, a tenth above. Net is what was earned, less what refills"
        " cost, with what the liquidity at the end is worth.",
        blocks=(_running(forecast), _spreads(forecast), *([more] if leads else []), sums(forecast)),
    )


def _running(forecast: Forecast) -> Lines:
    return Lines(
        title="Earned less spent on refills, so far",
        x_title="days from now",
        y_title="sat",
        x=tuple(range(forecast.days + 1)),
        bands=tuple(band(s.name, [_so_far(life) for life in s.lives]) for s in forecast.sides),
    )


def _so_far(life: Life) -> list[int]:
    days = zip(life.income_msat, life.spent_msat, strict=True)
    return [sats_down(Msat(total)) for total in accumulate((i - s for i, s in days), initial=0)]


def _spreads(forecast: Forecast) -> Spreads:
    return Spreads(
        title="Net in a month, future by future",
        x_title="sat in a month",
        spreads=tuple(
            Spread(name=side.name, values=tuple(_by_month(side, forecast.days)))
            for side in forecast.sides
        ),
    )


def sums(forecast: Forecast) -> Table:
    """
    Return what the net of each side is made of.
    """
    numbers = ("fees earned", "refills cost", "liquidity gained", "net", "updates a day")
    return Table(
        title="What the net is made of (sat in a month, median and p10 to p90)",
        columns=(Column(title="side"), *(Column(title=name, number=True) for name in numbers)),
        rows=tuple(Row(cells=tuple(_sum_cells(side, forecast.days))) for side in forecast.sides),
    )


def _sum_cells(side: Side, days: int) -> Iterator[Cell]:
    yield Cell(text=side.name)
    for parts in (
        [sats_down(Msat(sum(life.income_msat))) * MONTH // days for life in side.lives],
        [sats_up(Msat(sum(life.spent_msat))) * MONTH // days for life in side.lives],
        [sats_down(life.left_msat) * MONTH // days for life in side.lives],
        _by_month(side, days),
        [sum(life.updates) // days for life in side.lives],
    ):
        low, middle, high = levels(parts)
        yield Cell(text=f"{middle:,}", below=f"{low:,} to {high:,}", by=middle)
