"""Tally: what forwards add up to, per channel and hour or day, each counted once."""

import math
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import attrs

from revops.core.snapshot import Slice
from revops.core.units import HOUR, Instant, Msat, Scid

Status = Literal["offered", "settled", "failed", "local_failed"]

_UNIT: Final = 1024
"""Parts of an octave in which `Slice.size_sum` counts."""


@attrs.frozen(kw_only=True)
class Forward:
    """
    One forward as the node lists it.

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


@attrs.frozen(kw_only=True)
class Tally:
    """
    What some forwards add up to.

    Attributes:
        hours: By short channel id and hour.
        last_in_at, last_out_at: The latest that settled, by short channel id.
        quarantined: A sentence for each row that cannot be; such rows are counted nowhere.
    """

    hours: Mapping[tuple[Scid, int], Slice]
    last_in_at: Mapping[Scid, Instant]
    last_out_at: Mapping[Scid, Instant]
    quarantined: tuple[str, ...]


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
    name = f"forward {forward.created_index or '?'} from {forward.in_scid}"
    if forward.received_at <= 0:
        return f"{name}: received_time is {forward.received_at}"
    if forward.status != "settled":
        return None
    for field, value in (
        ("out_channel", forward.out_scid),
        ("out_msat", forward.out_msat),
        ("fee_msat", forward.fee_msat),
    ):
        if value is None:
            return f"{name}: settled without {field}"
    if forward.out_msat is not None and forward.out_msat > forward.in_msat:
        return f"{name}: out_msat {forward.out_msat} is above in_msat {forward.in_msat}"
    if forward.resolved_at is None:
        return f"{name}: settled without resolved_time"
    return None


# Places in the row of counters that becomes a Slice, in the order of its fields.
(_IN_N, _OUT_N, _IN, _OUT, _EARNED, _SOURCED, _FAILED, _REFUSED, _SIZE, _SQUARES) = range(10)
_FIELDS: Final = tuple(field.name for field in attrs.fields(Slice))[1:]


def tally(forwards: Iterable[Forward]) -> Tally:
    """
    Add up *forwards*; those in flight are left out, those that cannot be are named.
    """
    rows: dict[tuple[Scid, int], list[int]] = {}
    last_in: dict[Scid, Instant] = {}
    last_out: dict[Scid, Instant] = {}
    quarantined = []
    for forward in forwards:
        if problem := problem_of(forward):
            quarantined.append(problem)
        elif forward.status == "settled":
            _add_settled(forward, rows, last_in, last_out)
        elif forward.status != "offered" and forward.out_scid is not None:
            at = forward.resolved_at or forward.received_at
            row = rows.setdefault((forward.out_scid, at // HOUR), [0] * 10)
            row[_FAILED if forward.status == "failed" else _REFUSED] += 1
    return Tally(
        hours={
            key: Slice(start=key[1], **dict(zip(_FIELDS, row, strict=True)))  # type: ignore[arg-type]  # whole numbers, all of them
            for key, row in rows.items()
        },
        last_in_at=last_in,
        last_out_at=last_out,
        quarantined=tuple(quarantined),
    )


def _add_settled(
    forward: Forward,
    rows: dict[tuple[Scid, int], list[int]],
    last_in: dict[Scid, Instant],
    last_out: dict[Scid, Instant],
) -> None:
    # problem_of() has asked for all four.
    assert forward.out_scid is not None  # noqa: S101 -- tells the type checker
    assert forward.out_msat is not None  # noqa: S101 -- see above
    assert forward.fee_msat is not None  # noqa: S101 -- see above
    assert forward.resolved_at is not None  # noqa: S101 -- see above
    at = forward.resolved_at
    into = rows.setdefault((forward.in_scid, at // HOUR), [0] * 10)
    into[_IN_N] += 1
    into[_IN] += forward.in_msat
    into[_SOURCED] += forward.fee_msat
    out = rows.setdefault((forward.out_scid, at // HOUR), [0] * 10)
    size = size_of(forward.out_msat)
    out[_OUT_N] += 1
    out[_OUT] += forward.out_msat
    out[_EARNED] += forward.fee_msat
    out[_SIZE] += size
    out[_SQUARES] += size * size
    last_in[forward.in_scid] = max(at, last_in.get(forward.in_scid, at))
    last_out[forward.out_scid] = max(at, last_out.get(forward.out_scid, at))


def merged(slices: Iterable[Slice], start: int) -> Slice:
    """
    Return *slices* added up into one that starts at *start*.
    """
    sums = dict.fromkeys(_FIELDS, 0)
    for part in slices:
        for name in _FIELDS:
            sums[name] += getattr(part, name)
    return Slice(start=start, **sums)  # type: ignore[arg-type]  # whole numbers, all of them


def by_day(hours: Iterable[Slice]) -> tuple[Slice, ...]:
    """
    Return *hours* added up per day (UTC), in order.
    """
    days: dict[int, list[Slice]] = {}
    for part in hours:
        days.setdefault(part.start // 24, []).append(part)
    return tuple(merged(parts, day) for day, parts in sorted(days.items()))
