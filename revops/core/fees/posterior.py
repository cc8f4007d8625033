"""Posterior: the price that is expected to earn most, by all that came at the prices so far."""

import math
from typing import Final

from revops.core.amend import amended
from revops.core.demand import Belief, Prior, believed, price_on, rung_of
from revops.core.fees.climb import LONGEST_GAP, dispersion, why_not_live
from revops.core.fees.quote import ChannelView, Context, Learned, Quote, unbalanced
from revops.core.memory import MOST_COUNT, MOST_LIVE_S, BeliefMemory, Tried, Window
from revops.core.reasons import Code, Facts
from revops.core.snapshot import Traffic
from revops.core.units import DAY, HOUR, MILLION, Ppm, nearest_ppm

HALF_LIFE_S: Final = 14 * DAY
"""Evidence of then counts half: markets change."""
JUDGED_AFTER_S: Final = 6 * HOUR
QUIET_JUDGED_AFTER_S: Final = DAY
"""Without a forward there is less to think about."""
PATIENCE_S: Final = 4 * DAY
"""Live time without a forward after which the price comes down, whatever is believed."""
DECLINE_A_DAY: Final = 0.5
"""By how much then, in ln units."""
HEARD_SD: Final = 0.7
"""How far what others charge is from what payments would pay: sd of the logarithm."""
UNHEARD_SD: Final = 1.0
HINT_WEIGHT: Final = 0.5
"""Of a hint that the hive is certain of."""
SHAPE: Final = 0.5
TOLERANCE: Final = 0.2
"""How far the price in force may be off, as a share of it: the optimum is flat."""
_LEAST_LIVE_S: Final = 600
_HARDLY_LIVE: Final = "there was no price at which it could forward for ten minutes"


def posterior(quote: Quote, view: ChannelView, context: Context) -> Learned:
    """
    Return the price that is expected to earn most, after one more look.
    """
    traffic, memory = view.channel.traffic, quote.memory.belief
    if traffic is None:
        base = _within(memory.base_ppm if memory else unbalanced(quote), quote)
        return Learned(base, quote.memory, Code.BELIEF_BLIND, {"base_ppm": base}, TOLERANCE)
    seen = _seen(memory or _begun(quote, traffic, context), quote, view, traffic, context)
    if view.woken:
        seen, code, facts = _woken(seen)
    elif context.now - seen.judged_at >= (JUDGED_AFTER_S if seen.news else QUIET_JUDGED_AFTER_S):
        seen, code, facts = _judged(seen, quote, view, traffic, context)
    else:
        code, facts = _waiting(seen, quote, view)
    fee = amended(quote.memory, belief=seen, climb=None, pin=None)
    return Learned(_within(seen.base_ppm, quote), fee, code, facts, TOLERANCE)


def _within(base: Ppm, quote: Quote) -> Ppm:
    """
    Return *base* within the bounds of the learned price; to keep what is in force is no rise, even
    where the factor asks for a base beyond them.
    """
    most = max(quote.upper, nearest_ppm(quote.in_force / quote.factor))
    return max(min(base, most), least_base(quote))


def _begun(quote: Quote, traffic: Traffic, context: Context) -> BeliefMemory:
    """
    Return the start of a belief: the price as it is, and what the books tell of days gone by.
    """
    return BeliefMemory(
        base_ppm=unbalanced(quote),
        tried=_past(traffic),
        window=Window(fee_ppm=quote.in_force),
        judged_at=context.now,
        seen_at=context.now,
    )


def _past(traffic: Traffic) -> tuple[Tried, ...]:
    """
    Return what came on past days at the prices that were paid; about other days nobody knows what
    was charged, or whether anything could have left.
    """
    tried: tuple[Tried, ...] = ()
    for day in traffic.days:
        if day.out_count and day.out_msat:
            paid = nearest_ppm(day.earned_msat * MILLION / day.out_msat)
            count = min(day.out_count, MOST_COUNT)
            # Today is not over, and nobody watched before the books begin.
            lasted = min((day.start + 1) * DAY, traffic.until) - max(day.start * DAY, traffic.since)
            tried = _merged(tried, Window(fee_ppm=paid, live_s=max(lasted, 0), count=count), 1.0)
    return tried


def _seen(
    memory: BeliefMemory, quote: Quote, view: ChannelView, traffic: Traffic, context: Context
) -> BeliefMemory:
    """
    Return *memory* with the time since the last look, when that is evidence.
    """
    before = traffic.out_count if memory.seen_out_count is None else memory.seen_out_count
    came, elapsed = max(0, traffic.out_count - before), context.now - memory.seen_at
    tried, window, quiet = memory.tried, memory.window, memory.quiet_s
    if rung_of(quote.in_force) != rung_of(window.fee_ppm):
        tried, window = _merged(tried, window, 1.0), Window(fee_ppm=quote.in_force)
    known = 0 < elapsed <= LONGEST_GAP * context.config.fee_interval
    if memory.live and known and not quote.at_ceiling:
        window = amended(
            window,
            live_s=min(window.live_s + elapsed, MOST_LIVE_S),
            count=min(window.count + came, MOST_COUNT),
        )
        quiet = min(quiet + elapsed, MOST_LIVE_S)
    return amended(
        memory,
        tried=tried,
        window=window,
        quiet_s=0 if came else quiet,
        resting=memory.resting and not came,
        news=min(memory.news + came, MOST_COUNT),
        seen_out_count=traffic.out_count,
        seen_at=context.now,
        live=why_not_live(view) is None,
    )


def _merged(tried: tuple[Tried, ...], window: Window, kept: float) -> tuple[Tried, ...]:
    """
    Return *tried*, of which the share *kept* still counts, with *window* on its rung.
    """
    on: dict[int, tuple[float, float]] = {
        rung_of(one.fee_ppm): (one.live_s * kept, one.count * kept) for one in tried
    }
    rung = rung_of(window.fee_ppm)
    live_s, count = on.get(rung, (0.0, 0.0))
    on[rung] = (live_s + window.live_s, count + window.count)
    return tuple(
        Tried(fee_ppm=price_on(rung), live_s=live_s, count=count)
        for rung, (live_s, count) in sorted(on.items())
        if live_s >= _LEAST_LIVE_S
    )


def _judged(
    memory: BeliefMemory, quote: Quote, view: ChannelView, traffic: Traffic, context: Context
) -> tuple[BeliefMemory, Code, Facts]:
    kept = 0.5 ** ((context.now - memory.judged_at) / HALF_LIFE_S)
    tried = _merged(memory.tried, memory.window, kept)
    memory = amended(
        memory,
        tried=tried,
        window=Window(fee_ppm=quote.in_force),
        news=0,
        judged_at=context.now,
    )
    if not tried:
        return memory, Code.BELIEF_NOT_LIVE, {"why": why_not_live(view) or _HARDLY_LIVE}
    belief = believed(tried, prior_of(view, context), dispersion(traffic))
    least = least_base(quote)
    best = belief.best(least, max(quote.upper, least))
    memory = amended(memory, base_ppm=best, middle_ppm=math.exp(belief.middle), per_day=belief.rate)
    if memory.quiet_s > PATIENCE_S:
        return _declined(memory, quote)
    return memory, Code.BELIEF, _facts(belief, best, tried)


def prior_of(view: ChannelView, context: Context) -> Prior:
    """
    Return what is believed of a channel before anything is seen: what others charge, if gossip
    tells, or else what is believed of the node's other channels; leaning toward what our hive says.
    """
    heard, hint = view.channel.market_ppm, view.channel.hive_hint
    middle = context.pool.middle if heard is None else math.log(max(heard, 1))
    if hint:
        # It moves what is believed and makes it no surer: a hint may be wrong, or a lie.
        least, most = context.config.min_fee_ppm, context.config.max_fee_ppm
        told = math.log(max(min(hint.fee_ppm, most), least, 1))
        middle += HINT_WEIGHT * hint.confidence * (told - middle)
    return Prior(
        middle=middle,
        middle_sd=UNHEARD_SD if heard is None else HEARD_SD,
        per_day=context.pool.per_day,
        shape=SHAPE,
    )


def _woken(memory: BeliefMemory) -> tuple[BeliefMemory, Code, Facts]:
    facts: Facts = {"by": "revenue-wake-all", "base_ppm": memory.base_ppm}
    return amended(memory, quiet_s=0, resting=False), Code.CLIMB_WOKE, facts


def _declined(memory: BeliefMemory, quote: Quote) -> tuple[BeliefMemory, Code, Facts]:
    """
    Return what becomes of the price while nobody comes: down to the floor, where it rests.
    """
    days = (memory.quiet_s - PATIENCE_S) / DAY
    least = least_base(quote)
    base = max(nearest_ppm(memory.base_ppm * math.exp(-DECLINE_A_DAY * days)), least)
    if base > least:
        facts: Facts = {"live_h": memory.quiet_s / HOUR, "base_ppm": base}
        return amended(memory, base_ppm=base), Code.BELIEF_NOBODY, facts
    resting = amended(memory, base_ppm=base, resting=True)
    return resting, Code.BELIEF_RESTING, {"fee_ppm": quote.price_of(base)}


def least_base(quote: Quote) -> Ppm:
    """
    Return the base that comes to the floor.
    """
    return min(quote.lower, nearest_ppm(quote.lower / quote.factor))


def _facts(belief: Belief, best: Ppm, tried: tuple[Tried, ...]) -> Facts:
    return {
        "base_ppm": best,
        "per_day": belief.per_day(best),
        "count": sum(one.count for one in tried),
        "days": sum(one.live_s for one in tried) / DAY,
        "prices": len(tried),
    }


def _waiting(memory: BeliefMemory, quote: Quote, view: ChannelView) -> tuple[Code, Facts]:
    if memory.resting:
        return Code.BELIEF_RESTING, {"fee_ppm": quote.price_of(memory.base_ppm)}
    why = why_not_live(view)
    if why:
        return Code.BELIEF_NOT_LIVE, {"why": why}
    return Code.BELIEF_STANDS, {"base_ppm": memory.base_ppm, "count": memory.news}
