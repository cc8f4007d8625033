"""Futures: what became of the sides of a forecast, as headline numbers, charts and a table."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from revops.core.units import Msat, sats_down
from revops.simulate.forecast.lives import Forecast, Life, Side
from revops.simulate.forecast.sums import (
    Difference,
    by_month,
    differences,
    sums_of,
)
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

_SUMS: Final = {
    "fees earned": "earned",
    "refills cost": "spent",
    "liquidity gained": "left",
    "net": "net",
}


def band(name: str, rows: Sequence[Sequence[float]]) -> Band:
    """
    Return p10, p50 and p90 of *rows*, one row a life, at each place along them: each a value that
    came out.
    """
    ordered: NDArray[Any] = np.sort(np.array(rows), axis=0)
    last = len(rows) - 1
    low, middle, high = (tuple(ordered[round(last * part / 10)].tolist()) for part in (1, 5, 9))
    return Band(name=name, low=low, middle=middle, high=high)


def headline(forecast: Forecast) -> tuple[Card, ...]:
    """
    Return what each side earns in a month, and how much more one does than another.
    """
    count = len(forecast.seeds)
    return (
        *(_card(side, forecast.days) for side in forecast.sides),
        *(_lead(difference, count) for difference in differences(forecast)),
    )


def _card(side: Side, days: int) -> Card:
    low, middle, high = sums_of(side, days).net
    return Card(
        label=f"{side.name}: net in a month",
        value=f"{middle:,.0f} sat",
        note=f"from {low:,.0f} (p10) to {high:,.0f} (p90)",
    )


def _lead(difference: Difference, count: int) -> Card:
    low, middle, high = difference.more
    return Card(
        label=f"{difference.side}, compared with {difference.other}",
        value=f"{_signed(middle)} sat",
        note=f"a month; from {_signed(low)} (p10) to {_signed(high)} (p90);"
        f" better in {difference.better} of {count} futures",
        tone="good" if low > 0 else "bad" if high < 0 else "",
    )


def _signed(number: float) -> str:
    return f"{number:+,.0f}" if number else "0"


def outcomes(forecast: Forecast) -> Section:
    """
    Return what the sides earned: over time, in each future, and what that is made of.
    """
    count = len(forecast.seeds)
    futures = f"{count} futures" if count > 1 else "One future"
    return Section(
        title="What it would earn",
        intro=f"{futures} of {forecast.days} days, drawn from this node's own traffic; each side"
        " lives through the same. Bands and ranges run from p10 to p90: a tenth of the futures is"
        " below, a tenth above. Net is what was earned, less what refills cost, with what the"
        " liquidity at the end is worth.",
        blocks=(_running(forecast), _nets(forecast), *_leads(forecast), _sums(forecast)),
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


def _nets(forecast: Forecast) -> Spreads:
    return Spreads(
        title="Net in a month, future by future",
        x_title="sat in a month",
        spreads=tuple(
            Spread(name=side.name, values=tuple(by_month(side, forecast.days)))
            for side in forecast.sides
        ),
    )


def _leads(forecast: Forecast) -> Iterator[Spreads]:
    first, *others = forecast.sides
    mine = by_month(first, forecast.days)
    spreads = tuple(
        Spread(
            name=f"than {other.name}",
            values=tuple(a - b for a, b in zip(mine, by_month(other, forecast.days), strict=True)),
        )
        for other in others
    )
    if spreads:
        yield Spreads(
            title=f"What {first.name} earns more, future by future",
            x_title="sat in a month",
            spreads=spreads,
            first=1,
        )


def _sums(forecast: Forecast) -> Table:
    numbers = (*_SUMS, "updates per channel and day")
    return Table(
        title="What the net is made of (sat in a month, median and p10 to p90)",
        columns=(Column(title="side"), *(Column(title=name, number=True) for name in numbers)),
        rows=tuple(Row(cells=tuple(_sum_cells(side, forecast.days))) for side in forecast.sides),
    )


def _sum_cells(side: Side, days: int) -> Iterator[Cell]:
    yield Cell(text=side.name)
    sums = sums_of(side, days)
    for levels, form in (
        *((getattr(sums, n), ",.0f") for n in _SUMS.values()),
        (sums.updates, ".2f"),
    ):
        low, middle, high = (format(number, form) for number in levels)
        yield Cell(text=middle, below=f"{low} to {high}")
