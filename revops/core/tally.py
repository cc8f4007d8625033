"""Tally: what forwards add up to, per channel and hour or day, each counted once."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final, Literal, NamedTuple

import attrs

from revops.core.snapshot import Slice
from revops.core.units import HOUR, Instant, Msat, Scid

Status = Literal["offered", "settled", "failed", "local_failed"]

_UNIT: Final = 1024
"""Parts of an octave in which `Slice.size_sum` counts."""
_EARLIEST: Final = 1_231_006_505
"""When bitcoin's first block was made, before which nothing was forwarded."""
_MOST_MSAT: Final = 2**50
"""More than any channel holds; nine thousand times as much still fits into 64 bits."""


class Forward(NamedTuple):
    """
    One forward as the node lists it; a tuple, because there are millions of them.

    Attributes:
        created_index, updated_index: lightningd's counters; `None` where it has none.
        out_scid, out_msat, fee_msat: Absent from forwards that never got to the out channel.
        resolved_at: `None` while it is in flight, or when it was refused on the spot.
    """

    created_index: int | None
    updated_index: int | None
    in_scid: Scid
    out_scid: Scid | None
    in_msat: Msat
    out_msat: Msat | None
    fee_msat: Msat | None
    status: Status
    received_at: Instant
    resolved_at: Instant | None


class Misfit(NamedTuple):
    """
    A row of the node that cannot be and is counted nowhere.

    Attributes:
        why: In one sentence, which names it.
    """

    created_index: int | None
    updated_index: int | None
    why: str


_FIELDS: Final = tuple(field.name for field in attrs.fields(Slice))[1:]
Counts = Sequence[int]
"""The fields of a Slice but its `start`, in their order."""
_NONE: Final = (0,) * len(_FIELDS)
_counts: Final[Callable[[Slice], tuple[int, ...]]] = attrgetter(*_FIELDS)


@attrs.frozen(kw_only=True)
class Tally:
    """
    What some forwards add up to.

    Attributes:
        counts: By short channel id, and by hour.
        last_in_at, last_out_at: The latest that settled, by short channel id.
        misfits: Those that cannot be; they are counted nowhere.
        first_at: When the first of those that settled was received; `None` for none.
    """

    counts: Mapping[Scid, Mapping[int, Counts]]
    last_in_at: Mapping[Scid, Instant]
    last_out_at: Mapping[Scid, Instant]
    misfits: tuple[Misfit, ...]
    first_at: Instant | None

    @property
    def hours(self) -> dict[tuple[Scid, int], Slice]:
        """
        Return what went through each channel in each hour.
        """
        return {
            (scid, hour): _slice(hour, counts)
            for scid, hours in self.counts.items()
            for hour, counts in hours.items()
        }


def size_of(amount: Msat) -> int:
    """
    Return `round(1024 x log2(amount))`: what `Slice.size_sum` adds up.
    """
    return round(_UNIT * math.log2(amount)) if amount > 0 else 0


def size_quantile(slices: Iterable[Slice], deviations: float) -> Msat | None:
    """
    Return the amount *deviations* standard deviations above the typical one, taking amounts as
    log-normal; `None` when nothing was forwarded.
    """
    count = total = squares = 0
    for part in slices:
        count += part.out_count
        total += part.size_sum
        squares += part.size_squares
    if not count:
        return None
    mean = total / count
    spread = math.sqrt(max(0.0, squares / count - mean * mean))
    return Msat(int(2.0 ** min(62.0, (mean + deviations * spread) / _UNIT)))


def problem_of(forward: Forward) -> str | None:
    """
    Return why *forward* cannot be, in one sentence, or `None`.
    """
    absurdity = _absurdity(forward)
    return f"{_name(forward)}: {absurdity}" if absurdity else None


def _name(forward: Forward) -> str:
    return f"forward {forward.created_index or '?'} from {forward.in_scid}"


def _absurdity(forward: Forward) -> str | None:  # noqa: PLR0911 -- a sentence for each thing
    _, _, _, out_scid, in_msat, out_msat, fee_msat, status, received_at, resolved_at = forward
    if received_at < _EARLIEST:
        return f"received_time is {received_at}"
    if status != "settled":
        return None
    if out_scid is None or out_msat is None or fee_msat is None or resolved_at is None:
        return f"settled without {_missing(forward)}"
    if resolved_at < _EARLIEST:
        return f"resolved_time is {resolved_at}"
    if out_msat + fee_msat == in_msat <= _MOST_MSAT:
        return None
    if out_msat > in_msat:
        return f"out_msat {out_msat} is above in_msat {in_msat}"
    if out_msat + fee_msat != in_msat:
        return f"fee_msat {fee_msat} is not in_msat {in_msat} less out_msat {out_msat}"
    return f"in_msat {in_msat} is more than a channel holds"


def _missing(forward: Forward) -> str:
    names = {
        "out_channel": forward.out_scid,
        "out_msat": forward.out_msat,
        "fee_msat": forward.fee_msat,
        "resolved_time": forward.resolved_at,
    }
    return ", ".join(name for name, value in names.items() if value is None)


# Places in the row of counters that becomes a Slice, in the order of its fields.
(_IN_N, _OUT_N, _IN, _OUT, _EARNED, _SOURCED, _FAILED, _REFUSED, _SIZE, _SQUARES) = range(10)

_Counts = defaultdict[Scid, dict[int, list[int]]]


def tally(forwards: Iterable[Forward]) -> Tally:
    """
    Add up *forwards*; those in flight are left out, those that cannot be are named.
    """
    counts: _Counts = defaultdict(dict)
    last_in: dict[Scid, Instant] = {}
    last_out: dict[Scid, Instant] = {}
    misfits = []
    first: Instant | None = None
    for forward in forwards:
        status = forward.status
        if status == "offered":
            continue
        if absurdity := _absurdity(forward):
            why = f"{_name(forward)}: {absurdity}"
            misfits.append(Misfit(forward.created_index, forward.updated_index, why))
        elif status == "settled":
            _add_settled(forward, counts, last_in, last_out)
            if first is None or forward.received_at < first:
                first = forward.received_at
        elif forward.out_scid is not None:
            at = forward.resolved_at or forward.received_at
            row = counts[forward.out_scid].setdefault(at // HOUR, [0] * 10)
            row[_FAILED if status == "failed" else _REFUSED] += 1
    return Tally(
        counts=dict(counts),
        last_in_at=last_in,
        last_out_at=last_out,
        misfits=tuple(misfits),
        first_at=first,
    )


def _add_settled(
    forward: Forward,
    counts: _Counts,
    last_in: dict[Scid, Instant],
    last_out: dict[Scid, Instant],
) -> None:
    _, _, in_scid, out_scid, in_msat, out_msat, fee_msat, _, _, at = forward
    # problem_of() has asked for all four.
    assert out_scid is not None  # noqa: S101 -- tells the type checker
    assert out_msat is not None  # noqa: S101 -- see above
    assert fee_msat is not None  # noqa: S101 -- see above
    assert at is not None  # noqa: S101 -- see above
    hour = at // HOUR
    hours = counts[in_scid]
    into = hours.get(hour)
    if into is None:
        into = hours[hour] = [0] * 10
    into[_IN_N] += 1
    into[_IN] += in_msat
    into[_SOURCED] += fee_msat
    hours = counts[out_scid]
    out = hours.get(hour)
    if out is None:
        out = hours[hour] = [0] * 10
    size = size_of(out_msat)
    out[_OUT_N] += 1
    out[_OUT] += out_msat
    out[_EARNED] += fee_msat
    out[_SIZE] += size
    out[_SQUARES] += size * size
    if at > last_in.get(in_scid, 0):
        last_in[in_scid] = at
    if at > last_out.get(out_scid, 0):
        last_out[out_scid] = at


def merged(slices: Iterable[Slice], start: int) -> Slice:
    """
    Return *slices* added up into one that starts at *start*.
    """
    return _slice(start, [sum(counts) for counts in zip(_NONE, *map(_counts, slices), strict=True)])


def _slice(start: int, counts: Counts) -> Slice:
    return Slice(start=start, **dict(zip(_FIELDS, counts, strict=True)))  # type: ignore[arg-type]  # whole numbers, all of them


def by_day(hours: Iterable[Slice]) -> tuple[Slice, ...]:
    """
    Return *hours* added up per day (UTC), in order.
    """
    days: dict[int, list[Slice]] = {}
    for part in hours:
        days.setdefault(part.start // 24, []).append(part)
    return tuple(merged(parts, day) for day, parts in sorted(days.items()))
