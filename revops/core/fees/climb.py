"""Hill climbing: the price that earns most, found by comparing counts at two prices."""

import math
from typing import Final

import attrs

from revops.core.chance import draw
from revops.core.fees.band import dead_band
from revops.core.fees.quote import ChannelView, Context, Learned, Quote, unbalanced
from revops.core.fees.vegas import WAKES
from revops.core.memory import MOST_COUNT, MOST_LIVE_S, ClimbMemory, Window
from revops.core.reasons import Code, Fact, Facts
from revops.core.snapshot import NORMAL, Traffic
from revops.core.tally import size_quantile
from revops.core.units import DAY, HOUR, Ppm, nearest_ppm

CLOSING_COUNT: Final = 20
LONGEST_S: Final = 3 * DAY
# A channel that nobody has ever paid for comes down three times as fast.
LONGEST_UNTRIED_S: Final = DAY
SHORTEST_S: Final = 6 * HOUR
FIRST_STEP: Final = 0.3
WIDEST_STEP: Final = 0.6
NARROWEST_STEP: Final = 0.1
TOLERANCE: Final = 0.08
"""How far the price in force may be off, as a share of it: less than the narrowest step."""
GROWTH: Final = 1.2
SHRINKAGE: Final = 0.8
CONFIDENCE_Z: Final = 0.5
"""Standard errors by which one price must beat the other."""
LIVE_SHARE: Final = 0.05
LIVE_QUANTILE_Z: Final = 1.2816
"""The 90 % quantile of a normal distribution."""
DISPERSION: Final = (1.0, 10.0)
FEWEST_DAYS: Final = 5
MOST_DAYS: Final = 30
LONGEST_GAP: Final = 3
"""Fee intervals; after a longer gap nobody knows what the channel was like meanwhile."""

Step = tuple[ClimbMemory, Code, Facts]


def climb(quote: Quote, view: ChannelView, context: Context) -> Learned:
    """
    Return the price that the search has come to, one step further.
    """
    memory = bound(quote.memory.climb or begin(quote, view, context), quote)
    traffic = view.channel.traffic
    if traffic is None:
        return _learned(memory, Code.CLIMB_BLIND, {"base_ppm": memory.base_ppm}, quote)
    if quote.disturbed:
        facts: Facts = {"by": quote.disturbed, "base_ppm": memory.base_ppm}
        resting = memory.resting and context.vegas < WAKES
        memory = attrs.evolve(seen(memory, view, traffic, context), resting=resting)
        return _learned(memory, Code.CLIMB_PAUSED, facts, quote)
    return _learned(*step(memory, quote, view, traffic, context), quote)


def _learned(memory: ClimbMemory, code: Code, facts: Facts, quote: Quote) -> Learned:
    # A probe under another stage's factor would compare nothing.
    base = memory.base_ppm if quote.disturbed else memory.window.fee_ppm
    # Learning has begun again, so a pin that ran out has done its work.
    fee = attrs.evolve(quote.memory, climb=memory, belief=None, pin=None)
    return Learned(base, fee, code, facts, TOLERANCE)


def begin(quote: Quote, view: ChannelView, context: Context) -> ClimbMemory:
    """
    Return the start of a search at the quote's base.
    """
    upward = draw(context.seed, "first side", view.channel.channel_id) < 0.5  # noqa: PLR2004 -- an even chance
    base = unbalanced(quote)
    return ClimbMemory(
        base_ppm=base,
        step=FIRST_STEP,
        side=1 if upward else -1,
        window=Window(fee_ppm=base),
        seen_at=context.now,
    )


def bound(memory: ClimbMemory, quote: Quote) -> ClimbMemory:
    """
    Return *memory* with its base within the bounds: they bind the search, not only its result.
    """
    base = max(min(memory.base_ppm, quote.upper), quote.lower)
    tried = memory.window.fee_ppm
    if tried != memory.base_ppm and not quote.lower <= tried <= quote.upper:
        return _restarted(memory, base)
    if base == memory.base_ppm:
        return memory
    if abs(base - memory.base_ppm) >= dead_band(memory.base_ppm):
        return _restarted(memory, base)
    # A floor that creeps must not void the evidence gathered at it.
    window = memory.window if memory.first else attrs.evolve(memory.window, fee_ppm=base)
    return attrs.evolve(memory, base_ppm=base, window=window)


def _restarted(memory: ClimbMemory, base: Ppm) -> ClimbMemory:
    return attrs.evolve(
        memory, base_ppm=base, first=None, window=Window(fee_ppm=base), resting=False
    )


def seen(
    memory: ClimbMemory,
    view: ChannelView,
    traffic: Traffic,
    context: Context,
    window: Window | None = None,
) -> ClimbMemory:
    """
    Return *memory* having looked at the traffic up to now, with its open window replaced.
    """
    return ClimbMemory(
        base_ppm=memory.base_ppm,
        step=memory.step,
        side=memory.side,
        first=memory.first,
        window=window or memory.window,
        seen_out_count=traffic.out_count,
        seen_at=context.now,
        live=why_not_live(view) is None,
        resting=memory.resting,
    )


def why_not_live(view: ChannelView) -> str | None:
    """
    Return why a payment could not have been forwarded now, or `None` when it could.
    """
    channel, traffic = view.channel, view.channel.traffic
    if channel.state != NORMAL or not channel.connected:
        return "the peer is not connected"
    needed = int(channel.capacity_msat * LIVE_SHARE)
    usual = size_quantile(traffic.days, LIVE_QUANTILE_Z) if traffic else None
    if channel.spendable_msat <= max(needed, usual or 0):
        return "too little is on our side for a usual payment"
    return None


def step(
    memory: ClimbMemory, quote: Quote, view: ChannelView, traffic: Traffic, context: Context
) -> Step:
    """
    Return the search after the time since the last look, with what it concluded.

    Paired windows at the base and beside it, of equal live time, compared by
    `ln(fee x rate)` with its standard error; only time in which the price in question was in
    force, and the channel could forward, is evidence.
    """
    came = max(0, traffic.out_count - _or(memory.seen_out_count, traffic.out_count))
    if view.woken:
        return _woken(seen(memory, view, traffic, context), "revenue-wake-all")
    if memory.resting:
        return _rested(seen(memory, view, traffic, context), came, quote)
    wanted = quote.price_of(memory.window.fee_ppm)
    band = max(dead_band(quote.in_force), int(quote.in_force * TOLERANCE) + 1)
    in_force = abs(wanted - quote.in_force) < band
    looked = seen(memory, view, traffic, context, _longer(memory, came, context, teaches=in_force))
    why = why_not_live(view)
    if why:
        unchanged = attrs.evolve(looked, window=memory.window)
        return unchanged, Code.CLIMB_NOT_LIVE, {"why": why}
    if not in_force:
        return looked, Code.CLIMB_NOT_LIVE, {"why": f"{wanted} ppm is not in force yet"}
    return _concluded(looked, quote, traffic)


def _longer(memory: ClimbMemory, came: int, context: Context, *, teaches: bool) -> Window:
    """
    Return the open window with the time since the last look, when that is evidence.
    """
    window, elapsed = memory.window, context.now - memory.seen_at
    known = 0 < elapsed <= LONGEST_GAP * context.config.fee_interval
    if not (teaches and memory.live and known):
        return window
    return Window(
        fee_ppm=window.fee_ppm,
        live_s=min(window.live_s + elapsed, MOST_LIVE_S),
        count=min(window.count + came, MOST_COUNT),
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _rested(memory: ClimbMemory, came: int, quote: Quote) -> Step:
    if not came and memory.base_ppm <= quote.lower:
        return memory, Code.CLIMB_RESTING, {"fee_ppm": memory.base_ppm}
    return _woken(memory, "a payment" if came else "a lower floor")


def _woken(memory: ClimbMemory, by: str) -> Step:
    facts: Facts = {"by": by, "base_ppm": memory.base_ppm}
    return _restarted(memory, memory.base_ppm), Code.CLIMB_WOKE, facts


def _concluded(memory: ClimbMemory, quote: Quote, traffic: Traffic) -> Step:
    window, first = memory.window, memory.first
    longest = LONGEST_S if traffic.out_count else LONGEST_UNTRIED_S
    if first is None:
        closed = window.count >= CLOSING_COUNT or window.live_s >= longest
        closed = closed and window.live_s >= SHORTEST_S
    else:
        closed = window.live_s >= first.live_s
    if not closed:
        return _waiting(memory, longest)
    if first is None:
        return _tried_base(memory, quote)
    return _compared(memory, first, quote, traffic)


def _waiting(memory: ClimbMemory, longest: int) -> Step:
    window, first = memory.window, memory.first
    facts: dict[str, Fact] = {
        "count": window.count,
        "live_h": window.live_s / HOUR,
        "fee_ppm": window.fee_ppm,
    }
    if first:
        facts |= {"base_ppm": first.fee_ppm, "need_h": first.live_s / HOUR}
        return memory, Code.CLIMB_COMPARING, facts
    facts |= {
        "need_count": CLOSING_COUNT,
        "need_h": longest / HOUR,
        "least_h": SHORTEST_S / HOUR,
    }
    return memory, Code.CLIMB_WAITING, facts


def _tried_base(memory: ClimbMemory, quote: Quote) -> Step:
    """
    Return the search after a window at the base: another price is tried, or a lower one taken.
    """
    window = memory.window
    if not window.count:
        return _cheaper(memory, quote)
    for side in (memory.side, -memory.side):
        other = beside(memory.base_ppm, memory.step, side, quote)
        if other is not None:
            trying = attrs.evolve(memory, side=side, first=window, window=Window(fee_ppm=other))
            facts: Facts = {
                "count": window.count,
                "live_h": window.live_s / HOUR,
                "base_ppm": memory.base_ppm,
                "fee_ppm": other,
            }
            return trying, Code.CLIMB_PROBE, facts
    facts = {"floor": quote.lower, "ceiling": quote.upper}
    return _restarted(memory, memory.base_ppm), Code.CLIMB_NO_ROOM, facts


def _cheaper(memory: ClimbMemory, quote: Quote) -> Step:
    window = memory.window
    facts: Facts = {"live_h": window.live_s / HOUR, "fee_ppm": window.fee_ppm}
    if window.fee_ppm <= quote.lower:
        rests = attrs.evolve(_restarted(memory, window.fee_ppm), resting=True)
        return rests, Code.CLIMB_RESTING, {"fee_ppm": window.fee_ppm}
    lower = beside(window.fee_ppm, memory.step, -1, quote)
    base = quote.lower if lower is None else lower
    return attrs.evolve(_restarted(memory, base), side=-1), Code.CLIMB_NOBODY, facts


def beside(base: Ppm, distance: float, side: int, quote: Quote) -> Ppm | None:
    """
    Return the price *distance* (ln units) from *base* on *side*, far enough to be set at all;
    `None` when the bounds leave no room for it.
    """
    band = dead_band(base)
    exact = nearest_ppm(base * math.exp(side * distance))
    other = max(exact, base + band) if side > 0 else min(exact, base - band)
    other = min(max(other, quote.lower), quote.upper)
    return Ppm(other) if abs(other - base) >= band else None


def _compared(memory: ClimbMemory, first: Window, quote: Quote, traffic: Traffic) -> Step:
    second = memory.window
    if not second.count and second.fee_ppm < first.fee_ppm:
        # Going back up would be a rise that nobody paid for.
        return _cheaper(memory, quote)
    gain = math.log(_earned(second)) - math.log(_earned(first))
    error = math.sqrt(dispersion(traffic) * (1 / (first.count + 0.5) + 1 / (second.count + 0.5)))
    facts: Facts = {
        "fee_ppm": second.fee_ppm,
        "base_ppm": memory.base_ppm,
        "gain": gain,
        "error": error,
    }
    if gain > CONFIDENCE_Z * error:
        wider = min(WIDEST_STEP, memory.step * GROWTH)
        moved = attrs.evolve(_restarted(memory, second.fee_ppm), step=wider)
        return moved, Code.CLIMB_BETTER, facts
    turned = attrs.evolve(_restarted(memory, memory.base_ppm), side=-memory.side)
    if gain < -CONFIDENCE_Z * error:
        narrower = max(NARROWEST_STEP, memory.step * SHRINKAGE)
        return attrs.evolve(turned, step=narrower), Code.CLIMB_WORSE, facts
    return turned, Code.CLIMB_UNDECIDED, facts


def _earned(window: Window) -> float:
    """
    Return fee times rate, in no particular unit; half a forward more, as none is not never.
    """
    return max(window.fee_ppm, 0.5) * (window.count + 0.5) / max(window.live_s, 1)


def dispersion(traffic: Traffic) -> float:
    """
    Return variance over mean of the forwards out per complete day: 1 for independent arrivals.
    """
    counts = {day.start: day.out_count for day in traffic.days}
    end = traffic.until // DAY
    start = max(-(-traffic.since // DAY), min(counts, default=end), end - MOST_DAYS)
    daily = [counts.get(day, 0) for day in range(start, end)]
    days, total = len(daily), sum(daily)
    if days < FEWEST_DAYS or not total:
        return DISPERSION[0]
    ratio = (days * sum(count * count for count in daily) - total * total) / (days * total)
    return min(max(ratio, DISPERSION[0]), DISPERSION[1])
