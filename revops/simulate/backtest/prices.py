"""Prices: what each channel charged at any time, by its records or by what was paid."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from revops.core.units import MILLION, Instant, Msat, Ppm
from revops.simulate.backtest.history import Forwarded, History, Place, Priced

_USUAL_MSAT: Final = 50_000_000


class _Range(NamedTuple):
    """
    The prices that explain some forwards in a row.
    """

    first: Instant
    last: Instant
    low: int
    high: int


def prices(history: History) -> tuple[tuple[Priced, ...], ...]:
    """
    Return the prices of each channel since the beginning, the first in force then; what a usual
    payment pays as a base fee is part of them.
    """
    paid: list[list[Forwarded]] = [[] for _ in history.places]
    for forward in history.forwards:
        paid[forward.out].append(forward)
    found = []
    for place, forwards in zip(history.places, paid, strict=True):
        known = _written(place, history.since) or _inferred(place, forwards, history)
        base = _base_ppm(place, forwards)
        found.append(tuple(Priced(price.at, Ppm(price.ppm + base)) for price in known))
    return tuple(found)


def _base_ppm(place: Place, forwards: Sequence[Forwarded]) -> int:
    moved = sum(forward.amount_msat for forward in forwards)
    usual = moved // len(forwards) if forwards else _USUAL_MSAT
    return round(place.base_fee_msat * MILLION / max(usual, 1))


def _written(place: Place, since: Instant) -> tuple[Priced, ...]:
    if place.priced is None:
        return ()
    before = [price for price in place.priced if price.at <= since]
    after = [price for price in place.priced if price.at > since]
    first = before[-1].ppm if before else place.priced[0].ppm if place.priced else place.fee_ppm
    return (Priced(since, first), *after)


def _inferred(place: Place, forwards: Sequence[Forwarded], history: History) -> tuple[Priced, ...]:
    """
    Return the fewest prices that explain what was paid; a change is put midway between the
    forwards that tell of it.
    """
    ranges: list[_Range] = []
    for forward in forwards:
        low, high = bounds(forward.fee_msat - place.base_fee_msat, forward.amount_msat)
        known = ranges[-1] if ranges else None
        if known and max(low, known.low) <= min(high, known.high):
            low, high = max(low, known.low), min(high, known.high)
            ranges[-1] = _Range(known.first, forward.at, low, high)
        else:
            ranges.append(_Range(forward.at, forward.at, low, high))
    found: list[Priced] = []
    last = history.since
    for part in ranges:
        begins = Instant((last + part.first) // 2) if found else history.since
        found.append(Priced(begins, _within(part, place.fee_ppm)))
        last = part.last
    if not found or found[-1].ppm != place.fee_ppm:
        begins = Instant((last + history.until) // 2) if found else history.since
        found.append(Priced(begins, place.fee_ppm))
    return tuple(found)


def bounds(fee: int, amount: Msat) -> tuple[int, int]:
    """
    Return the lowest and the highest price that *fee* on *amount* can come from.
    """
    fee = max(fee, 0)
    low = -(-fee * MILLION // amount)
    return low, max(-(-(fee + 1) * MILLION // amount) - 1, low)


def _within(part: _Range, usual: Ppm) -> Ppm:
    return Ppm(min(max(usual, part.low), part.high))
