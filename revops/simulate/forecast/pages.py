"""Pages: a forecast for people, and for machines."""

from typing import Any, Final

import attrs
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from revops.adapters.strangers import plain
from revops.simulate.forecast.lives import Forecast, Life
from revops.simulate.forecast.sums import Difference, Levels, differences, sums_of

MODELLED: Final = (
    "A model of this node's own traffic: what came at the prices it charged, while it could pay."
    " What comes in depends on other nodes as well. No promise."
)
_ROWS: Final = {
    "earned": "fees earned",
    "spent": "refills cost",
    "left": "liquidity gained",
    "net": "net",
    "net_a_day": "net a day",
}
_KEYS: Final = {
    "earned": "earned_sats_a_month",
    "spent": "spent_sats_a_month",
    "left": "left_sats_a_month",
    "net": "net_sats_a_month",
    "net_a_day": "net_sats_a_day",
    "updates": "updates_a_channel_and_day",
}


def forecast_report(found: Forecast) -> RenderableType:
    """
    Return what the sides come to: the differences first, then what they are made of.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("sat in a month: p50, and p10 to p90")
    for side in found.sides:
        table.add_column(side.name, justify="right", no_wrap=True)
    sums = [sums_of(side, found.days) for side in found.sides]
    for name, words in _ROWS.items():
        cells = (_cell(getattr(part, name), ",.0f") for part in sums)
        table.add_row(words, *cells, style="bold" if name == "net" else "")
    table.add_row("updates per channel and day", *(_cell(part.updates, ".2f") for part in sums))
    count = len(found.seeds)
    length, futures = _number(found.days, "day"), _number(count, "future")
    return Group(
        Text(f"{length} from now, {futures} from seed {found.seeds[0]} on", "bold"),
        *(Text(_told(difference, count)) for difference in differences(found)),
        table,
        *(Text(plain(warning), "italic") for warning in (*found.warnings, MODELLED)),
    )


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _cell(levels: Levels, form: str) -> str:
    low, middle, high = (format(number, form) for number in levels)
    return f"{middle}\n{low} to {high}"


def _told(difference: Difference, count: int) -> str:
    low, middle, high = (f"{number:+,.0f}" for number in difference.more)
    told = (
        f"{difference.side}, compared with {difference.other}: {middle} sat in a month"
        f" ({low} to {high}); better in {difference.better} of {count}"
    )
    if difference.mean is None:
        return told
    least, most = f"{difference.mean.low:+,.0f}", f"{difference.mean.high:+,.0f}"
    return f"{told}; the mean is between {least} and {most} (95 %)"


def forecast_json(found: Forecast) -> dict[str, Any]:
    """
    Return all of a forecast but the paths that prices and balances take.
    """
    return {
        "days": found.days,
        "seeds": list(found.seeds),
        "warnings": list(found.warnings),
        "differences": [_difference_json(difference) for difference in differences(found)],
        "sides": [
            {
                "name": side.name,
                "options": dict(side.options),
                "sums": {
                    key: _levels_json(getattr(sums_of(side, found.days), name))
                    for name, key in _KEYS.items()
                },
                "lives": [_life_json(life) for life in side.lives],
            }
            for side in found.sides
        ],
    }


def _levels_json(levels: Levels) -> dict[str, float]:
    return dict(zip(("p10", "p50", "p90"), levels, strict=True))


def _difference_json(difference: Difference) -> dict[str, Any]:
    return {
        "side": difference.side,
        "other": difference.other,
        "more_sats_a_month": _levels_json(difference.more),
        "better": difference.better,
        "mean": attrs.asdict(difference.mean) if difference.mean else None,
    }


def _life_json(life: Life) -> dict[str, Any]:
    return {
        "seed": life.seed,
        "income_msat": life.income_msat,
        "spent_msat": life.spent_msat,
        "left_msat": life.left_msat,
        "net_msat": life.net_msat,
        "updates": life.updates,
        "channels": [
            {
                "scid": path.scid,
                "earned_msat": path.earned_msat,
                "spent_msat": path.spent_msat,
                "out_msat": path.out_msat,
                "in_msat": path.in_msat,
                "updates": path.updates,
                "fee_ppm": path.fee_ppm[-1],
            }
            for path in life.paths
        ],
    }
