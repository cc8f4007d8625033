"""Books: what a node counts of its channels in the arena, hour by hour."""

from collections.abc import Iterable

from revops.core.amend import amended
from revops.core.snapshot import Hour, Slice, Traffic, as_hour
from revops.core.tally import Forward, merged, tally
from revops.core.units import DAY, HOUR, Instant, Msat, Scid
from revops.simulate.arena.world import Passed


def scid_of(channel: int) -> Scid:
    """
    Return the short channel id of the channel with this number.
    """
    return Scid(f"700000x{channel}x0")


class Books:
    """
    What the node's own books say of its channels, hour by hour.
    """

    def __init__(self, channels: int, since: Instant) -> None:
        self._number = {scid_of(channel): channel for channel in range(channels)}
        self._known = [Traffic(since=since, until=since) for _ in range(channels)]
        self._hours: list[dict[int, Slice]] = [{} for _ in range(channels)]
        self._days: list[dict[int, Slice]] = [{} for _ in range(channels)]

    def go_on(self, channel: int, past: Traffic) -> None:
        """
        Open the books of a channel with what was in them before.
        """
        self._known[channel] = past
        self._days[channel] = {day.start: day for day in past.days}
        self._hours[channel] = {hour.start: _as_slice(hour) for hour in past.hours}

    def add(self, passed: Iterable[Passed]) -> None:
        """
        Count forwards, as they are counted on a node; they come in the order of time.
        """
        sums = tally(map(_listed, passed))
        for (scid, hour), part in sums.hours.items():
            channel = self._number[scid]
            known = self._known[channel]
            self._known[channel] = amended(
                known,
                out_count=known.out_count + part.out_count,
                last_in_at=sums.last_in_at.get(scid, known.last_in_at),
                last_out_at=sums.last_out_at.get(scid, known.last_out_at),
            )
            _merge(self._hours[channel], hour, part)
            _merge(self._days[channel], hour // 24, part)

    def traffic(self, channel: int, now: Instant, digested: int, window_days: int) -> Traffic:
        """
        Return the traffic of a channel, with the complete hours after the last one *digested*.
        """
        hours, days = self._hours[channel], self._days[channel]
        _drop(hours, digested + 1)
        _drop(days, (now - window_days * DAY) // DAY)
        complete = now // HOUR
        return amended(
            self._known[channel],
            until=now,
            hours=tuple(as_hour(part) for part in hours.values() if part.start < complete),
            days=tuple(days.values()),
        )


def _drop(parts: dict[int, Slice], first: int) -> None:
    """
    Forget what began before *first*; the oldest comes first.
    """
    while parts and (oldest := next(iter(parts))) < first:
        del parts[oldest]


def _as_slice(hour: Hour) -> Slice:
    return Slice(
        start=hour.start,
        in_count=hour.in_count,
        out_count=hour.out_count,
        in_msat=hour.in_msat,
        out_msat=hour.out_msat,
    )


def _merge(parts: dict[int, Slice], start: int, part: Slice) -> None:
    known = parts.get(start)
    if known is None and part.start == start:
        parts[start] = part
    else:
        parts[start] = merged([part] if known is None else [known, part], start)


def _listed(passed: Passed) -> Forward:
    at, into, out, amount, fee, status = passed
    return Forward(
        None,
        None,
        scid_of(into),
        scid_of(out),
        Msat(amount + fee),
        amount,
        fee,
        status,
        at,
        at,
    )
