"""Flow: which channels drain and which fill, from hours that are digested once."""

import math
from operator import attrgetter
from typing import Final, NamedTuple

from revops.core.amend import amended
from revops.core.memory import FlowMemory, FlowState
from revops.core.plan import FlowView
from revops.core.snapshot import Channel, Hour, Traffic
from revops.core.units import DAY, HOUR, Instant, Msat

HALF_LIFE_H: Final = 48
ENTER: Final = 0.3
LEAVE: Final = 0.2
FEWEST_FORWARDS: Final = 3
LEAST_TURNOVER: Final = 0.001
SURPRISE_SD: Final = 2.5
SURPRISES: Final = 3
FULL_CONFIDENCE: Final = 20
CONFIDENCE_HALF_LIFE_DAYS: Final = 3

# A net flow may drift by 10 % of capacity per day within a day (0.02 per square root of an hour);
# its trend is a much slower thing, and what is left of a trend halves in a day.
_RATIO_NOISE: Final = 0.02**2
_VELOCITY_NOISE: Final = 0.001**2
_VELOCITY_KEPT: Final = 0.5 ** (1 / 24)
# E[A^2]/E[A]^2 of the amounts of one channel, which are far less spread than the node's.
_AMOUNT_SPREAD: Final = 5.0
_MOST_RATIO: Final = 100.0


class _State(NamedTuple):
    """
    The fields of `FlowMemory`: a tuple, because a first cycle digests a week of hours.
    """

    hour: int
    in_sum: float
    out_sum: float
    count_sum: float
    ratio: float
    velocity: float
    variance: float
    covariance: float
    velocity_variance: float
    surprises: int
    regime_hour: int | None
    state: FlowState


_fields_of: Final = attrgetter(*_State._fields)


def _state(memory: FlowMemory) -> _State:
    return _State._make(_fields_of(memory))


_NEVER: Final = FlowMemory(hour=0)
_NOTHING: Final = _state(_NEVER)


def digest(memory: FlowMemory | None, traffic: Traffic, capacity: Msat) -> FlowMemory | None:
    """
    Return *memory* after the complete hours of *traffic* that it has not seen; `None` when there
    never was one.
    """
    last = memory.hour if memory else -1
    until = traffic.until // HOUR
    new = [part for part in traffic.hours if last < part.start < until]
    if not new:
        return memory
    state = _state(memory) if memory else _NOTHING._replace(hour=new[0].start - 1)
    for part in new:
        state = _after(state, part, capacity)
    return amended(memory or _NEVER, **state._asdict())


def _after(state: _State, part: Hour, capacity: Msat) -> _State:
    gap = part.start - state.hour
    kept = 0.5 ** (gap / HALF_LIFE_H)
    count = part.in_count + part.out_count
    state = state._replace(
        hour=part.start,
        in_sum=state.in_sum * kept + part.in_msat,
        out_sum=state.out_sum * kept + part.out_msat,
        count_sum=state.count_sum * kept + count,
    )
    seen = _share(part.out_msat - part.in_msat, capacity) * 24 / gap
    return _observed(state, gap, seen, _noise(state, count, gap, capacity))._replace(
        state=_classified(state.state, _direction(state.in_sum, state.out_sum))
    )


def _share(amount: float, capacity: Msat) -> float:
    return min(max(amount / capacity, -_MOST_RATIO), _MOST_RATIO)


def _noise(memory: _State | FlowMemory, count: int, hours: int, capacity: Msat) -> float:
    """
    Return the variance of a net flow per day made of *count* forwards: compound Poisson.
    """
    typical = (memory.in_sum + memory.out_sum) / max(memory.count_sum, 1.0)
    amount = min(_share(typical, capacity), 1.0)
    return max((24 / hours * amount) ** 2 * max(count, 1) * _AMOUNT_SPREAD, 1e-8)


class _Predicted(NamedTuple):
    """
    Where the Kalman filter expects the flow to be before it looks.
    """

    ratio: float
    velocity: float
    variance: float
    covariance: float
    velocity_variance: float


def _predicted(memory: _State | FlowMemory, hours: int) -> _Predicted:
    kept = _VELOCITY_KEPT**hours
    drift = (1 - kept) / (1 - _VELOCITY_KEPT)
    return _Predicted(
        ratio=memory.ratio + drift * memory.velocity,
        velocity=kept * memory.velocity,
        variance=memory.variance
        + 2 * drift * memory.covariance
        + drift * drift * memory.velocity_variance
        + _RATIO_NOISE * hours,
        covariance=kept * (memory.covariance + drift * memory.velocity_variance),
        velocity_variance=kept * kept * memory.velocity_variance + _VELOCITY_NOISE * hours,
    )


def _observed(memory: _State, hours: int, seen: float, noise: float) -> _State:
    """
    Return *memory* one Kalman step on: *hours* later a net flow of *seen* was measured.
    """
    ratio, velocity, variance, covariance, velocity_variance = _predicted(memory, hours)
    surprise = seen - ratio
    surprising = surprise * surprise > SURPRISE_SD**2 * (variance + noise)
    surprises = memory.surprises + 1 if surprising else 0
    changed = surprises >= SURPRISES
    if changed:
        # What was known is about another regime: believe the new hours as if they were the first.
        variance, covariance = _NOTHING.variance, 0.0
        velocity_variance = _NOTHING.velocity_variance
    gain = variance / (variance + noise)
    velocity_gain = covariance / (variance + noise)
    return memory._replace(
        ratio=ratio + gain * surprise,
        velocity=velocity + velocity_gain * surprise,
        # (1 - gain) as noise / (variance + noise): it cannot cancel to below zero.
        variance=variance * noise / (variance + noise),
        covariance=covariance * noise / (variance + noise),
        velocity_variance=max(0.0, velocity_variance - velocity_gain * covariance),
        surprises=0 if changed else surprises,
        regime_hour=memory.hour if changed else memory.regime_hour,
    )


def direction(*memories: FlowMemory) -> float:
    """
    Return (out - in)/(out + in) of the weighted sums of *memories*: -1 only in, 1 only out.
    """
    latest = max(memory.hour for memory in memories)
    into = out = 0.0
    for memory in memories:
        kept = 0.5 ** ((latest - memory.hour) / HALF_LIFE_H)
        into += memory.in_sum * kept
        out += memory.out_sum * kept
    return _direction(into, out)


def _direction(into: float, out: float) -> float:
    return (out - into) / (out + into) if out + into > 0 else 0.0


def _classified(state: FlowState, towards: float) -> FlowState:
    """
    Return the class of a flow *towards* out (1) or in (-1), leaving a class later than entering.
    """
    if towards > ENTER or (state is FlowState.SOURCE and towards > LEAVE):
        return FlowState.SOURCE
    if towards < -ENTER or (state is FlowState.SINK and towards < -LEAVE):
        return FlowState.SINK
    return FlowState.BALANCED


def view(
    memory: FlowMemory | None, traffic: Traffic, channel: Channel, now: Instant, window_days: int
) -> FlowView:
    """
    Return what the flow of *channel* looks like at *now*, over the last *window_days*.
    """
    start = now - window_days * DAY
    covered = max((now - max(start, traffic.since)) / DAY, 1.0)
    forwards = in_forwards = out_msat = in_msat = 0
    first = start // DAY
    for day in traffic.days:
        if day.start >= first:
            forwards += day.in_count + day.out_count
            in_forwards += day.in_count
            out_msat += day.out_msat
            in_msat += day.in_msat
    moved = (out_msat + in_msat) / covered / channel.capacity_msat
    dormant = memory is None or forwards < FEWEST_FORWARDS or moved < LEAST_TURNOVER
    known = memory or _NEVER
    ratio, variance = known.ratio, known.variance
    if memory is not None:
        ratio, variance = _projected(memory, traffic.until, channel.capacity_msat)
    deviation = math.sqrt(variance)
    drained = ratio * channel.capacity_msat / 24
    moving = memory is not None and abs(ratio) > deviation
    return FlowView(
        state=FlowState.DORMANT if dormant else known.state,
        direction=_direction(known.in_sum, known.out_sum),
        turnover=moved,
        net_ratio=ratio,
        net_ratio_sd=deviation,
        forwards=forwards,
        in_forwards=in_forwards,
        confidence=_confidence(forwards, traffic, now),
        out_msat_per_day=Msat(int(out_msat / covered)),
        hours_to_empty=channel.spendable_msat / drained if moving and drained > 0 else None,
        hours_to_full=-channel.receivable_msat / drained if moving and drained < 0 else None,
        regime_changed=known.regime_hour is not None
        and known.regime_hour >= traffic.until // HOUR - 24,
    )


def _projected(memory: FlowMemory, until: Instant, capacity: Msat) -> tuple[float, float]:
    """
    Return the net flow and its variance, with the quiet hours since taken as a measurement of none.

    They are not digested for good: the hour that ends them will measure the whole gap.
    """
    quiet = until // HOUR - 1 - memory.hour
    if quiet < 1:
        return memory.ratio, memory.variance
    ahead, noise = _predicted(memory, quiet), _noise(memory, 1, quiet, capacity)
    kept = noise / (ahead.variance + noise)
    return ahead.ratio * kept, ahead.variance * kept


def _confidence(forwards: int, traffic: Traffic, now: Instant) -> float:
    times = [at for at in (traffic.last_in_at, traffic.last_out_at) if at is not None]
    if not times:
        return 0.0
    age_days = max(0, now - max(times)) / DAY
    return float(
        min(1.0, forwards / FULL_CONFIDENCE) * 0.5 ** (age_days / CONFIDENCE_HALF_LIFE_DAYS)
    )
