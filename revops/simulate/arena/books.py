"""Books: what a node counts of its channels in the arena, hour by hour."""

from collections.abc import Iterable

from revops.core.snapshot import Hour, Slice, Traffic
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

    Attributes:
        hours, days: What passed, by channel and hour or day.
    """

    def __init__(self, channels: int, since: Instant) -> None:
        self._since = [since] * channels
        self._number = {scid_of(channel): channel for channel in range(channels)}
        self._hours: list[dict[int, Slice]] = [{} for _ in range(channels)]
        self._days: list[dict[int, Slice]] = [{} for _ in range(channels)]
        self._out_count = [0] * channels
        self._last_in: list[Instant | None] = [None] * channels
        self._last_out: list[Instant | None] = [None] * channels

    def go_on(self, channel: int, past: Traffic) -> None:
        """
        Open the books of a channel with what was in them before.
        """
        self._since[channel] = past.since
        self._out_count[channel] = past.out_count
        self._last_in[channel], self._last_out[channel] = past.last_in_at, past.last_out_at
        self._days[channel] = {day.start: day for day in past.days}
        self._hours[channel] = {hour.start: _as_slice(hour) for hour in past.hours}

    def add(self, passed: Iterable[Passed]) -> None:
        """
        Count forwards, as they are counted on a node.
        """
        sums = tally(map(_listed, passed))
        for scid, at in sums.last_in_at.items():
            self._last_in[self._number[scid]] = at
        for scid, at in sums.last_out_at.items():
            self._last_out[self._number[scid]] = at
        for (scid, hour), part in sums.hours.items():
            channel = self._number[scid]
            self._out_count[channel] += part.out_count
            _merge(self._hours[channel], hour, part)
            _merge(self._days[channel], hour // 24, part)

    def traffic(self, channel: int, now: Instant, digested: int, window_days: int) -> Traffic:
        """
        Return the traffic of a channel, with the complete hours after the last one *digested*.
        """
        hours, days = self._hours[channel], self._days[channel]
        first_day = (now - window_days * DAY) // DAY
        for hour in [hour for hour in hours if hour <= digested]:
            del hours[hour]
        for day in [day for day in days if day < first_day]:
            del days[day]
        complete = now // HOUR
        return Traffic(
            since=self._since[channel],
            until=now,
            out_count=self._out_count[channel],
            last_in_at=self._last_in[channel],
            last_out_at=self._last_out[channel],
            hours=[part for hour, part in hours.items() if hour < complete],
            days=days.values(),
        )


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
