"""Channels: the fee and the balance of each over time, one at a time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from revops.core.snapshot import Channel
from revops.core.units import DAY, Msat, Scid, sats_down, sats_up
from revops.simulate.forecast.lives import EVERY_S, Forecast, Path
from revops.simulate.forecast.sums import MONTH, levels
from revops.simulate.report.blocks import Band, Chooser, Item, Lines, Section
from revops.simulate.report.futures import band
from revops.simulate.report.trails import key_of, name_cell
from revops.simulate.table import peer

Paths = dict[str, list[Path]]
"""What became of one channel in each future, by side."""

# No screen shows more looks than these, and no browser likes more of them times 1000 channels.
_LOOKS: Final = 61


def over_time(channels: Sequence[Channel], forecast: Forecast) -> Section:
    """
    Return charts of one channel at a time, those that earn most first.
    """
    known = {key_of(channel): channel for channel in channels}
    lived = _lived(forecast)
    first = forecast.sides[0].name
    earned = {scid: _middle(p.earned_msat for p in paths[first]) for scid, paths in lived.items()}
    order = sorted(lived, key=lambda scid: -earned[scid])
    at = _looks(next(iter(lived.values()))[first][0])
    chooser = Chooser(
        label="channel",
        charts=_charts(tuple(round(look * EVERY_S / DAY, 2) for look in at)),
        items=tuple(_item(known[scid], lived[scid], at, forecast.days) for scid in order),
    )
    return Section(
        title="Channel by channel",
        intro="What it would charge and hold, those that earn most first. The line is the median"
        " of the futures, the band runs from p10 to p90.",
        blocks=(chooser,),
    )


def _lived(forecast: Forecast) -> dict[Scid, Paths]:
    lived: dict[Scid, Paths] = {}
    for side in forecast.sides:
        for life in side.lives:
            for path in life.paths:
                lived.setdefault(path.scid, {}).setdefault(side.name, []).append(path)
    return lived


def _looks(path: Path) -> range:
    count = len(path.fee_ppm)
    return range(0, count, -(-count // _LOOKS))


def _charts(x: tuple[float, ...]) -> tuple[Lines, ...]:
    fee = Lines(title="Fee", x_title="days from now", y_title="ppm", x=x, bands=(), steps=True)
    ours = Lines(
        title="Share of the capacity on our side",
        x_title="days from now",
        y_title="%",
        x=x,
        bands=(),
        least=0,
        most=100,
    )
    return fee, ours


def _item(channel: Channel, paths: Paths, at: Sequence[int], days: int) -> Item:
    fees, shares = zip(*(_bands(name, lives, at) for name, lives in paths.items()), strict=True)
    return Item(
        key=key_of(channel),
        name=f"{peer(channel)} · {name_cell(channel).below}",
        facts=tuple(_facts(channel, paths, days)),
        charts=(fees, shares),
    )


def _bands(name: str, lives: Sequence[Path], at: Sequence[int]) -> tuple[Band, Band]:
    fees = [[path.fee_ppm[look] for look in at] for path in lives]
    shares = [[round(100 * path.local_share[look]) for look in at] for path in lives]
    return band(name, fees), band(name, shares)


def _facts(channel: Channel, paths: Paths, days: int) -> Iterator[str]:
    yield f"{sats_down(channel.capacity_msat):,} sat"
    yield f"charges {channel.fee_ppm:,} ppm now"
    for name, lives in paths.items():
        earned = sats_down(_middle(path.earned_msat for path in lives)) * MONTH // days
        spent = sats_up(_middle(path.spent_msat for path in lives)) * MONTH // days
        refills = f", refills cost {spent:,}" if spent else ""
        yield f"{name}: earns {earned:,} sat a month{refills}"


def _middle(values: Iterable[Msat]) -> Msat:
    return Msat(int(levels(list(values))[1]))
