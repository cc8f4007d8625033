"""Bounds: between what a channel costs and what anybody pays."""

from typing import Final

from revops.core.config import Config
from revops.core.fees.quote import HIGHEST, ChannelView, Context, Mode, Quote
from revops.core.memory import FlowState
from revops.core.plan import FlowView
from revops.core.policy import Policy
from revops.core.reasons import Code, Facts
from revops.core.units import DAY, MILLION, Msat, Ppm

OPENING_VB: Final = 140
CLOSING_VB: Final = 200
LIFE_DAYS: Final = 365
# What a channel turns over before there is evidence: its capacity once a month, worth 30 days of
# evidence. Without it a young channel would be asked to pay for itself with its first payment.
PRIOR_TURNOVER: Final = 12 / 365
PRIOR_DAYS: Final = 30
# A floor above every rival's price only guarantees that nothing is earned at all.
MOST_OF_CEILING: Final = 0.5
MOST_OF_MIDDLE: Final = 0.25
"""The same of the price at which half of the payments are believed to come: what is full, and so
priced at less than it earns most at, is to find its way out as well."""
REFILL_MARGIN: Final = 1.2
FEWEST_REFILLS: Final = 3
MOST_OF_CEILING_REFILLS: Final = 0.9
STALE: Final = ((7, 0.5), (3, 0.75))
"""Days without an out-forward, and what is left of the ceiling then."""
LEAST_STALE_PPM: Final = 500
"""What the ceiling is not led below for want of payments."""


def bounds(quote: Quote, view: ChannelView, context: Context) -> Quote:
    """
    Put floor and ceiling around the price: the operator's, and what evidence says.
    """
    if quote.mode is not Mode.LEARNED:
        return quote
    quote = _configured(quote, view, context)
    quote = _stale_ceiling(quote, view, context)
    quote = _chain_floor(quote, view, context)
    quote = _refill_floor(quote, view)
    if quote.floor > quote.ceiling:
        facts = {"floor": quote.floor, "ceiling": quote.ceiling}
        return _with_floor(quote, Code.FLOOR_ABOVE_CEILING, facts, quote.ceiling)
    return quote


def _with_floor(quote: Quote, code: Code, facts: Facts, floor: Ppm) -> Quote:
    # What is learned stays above it as well.
    return quote.because(code, facts, floor=floor, lower=floor)


def operator_bounds(policy: Policy, config: Config) -> tuple[Ppm, Ppm]:
    """
    Return the floor and ceiling that the operator set, for the node or for this peer.
    """
    floor = config.min_fee_ppm if policy.min_fee_ppm is None else policy.min_fee_ppm
    ceiling = config.max_fee_ppm if policy.max_fee_ppm is None else policy.max_fee_ppm
    return min(floor, HIGHEST), min(ceiling, HIGHEST)


def _configured(quote: Quote, view: ChannelView, context: Context) -> Quote:
    floor, ceiling = operator_bounds(view.policy, context.config)
    own = view.policy.min_fee_ppm is not None or view.policy.max_fee_ppm is not None
    return quote.because(
        Code.POLICY_BOUNDS if own else Code.BOUNDS,
        {"floor": floor, "ceiling": ceiling},
        floor=floor,
        ceiling=ceiling,
        lower=floor,
        upper=ceiling,
    )


def _stale_ceiling(quote: Quote, view: ChannelView, context: Context) -> Quote:
    traffic = view.channel.traffic
    if traffic is None or quote.ceiling <= LEAST_STALE_PPM:
        return quote
    idle = view.age_s if traffic.last_out_at is None else context.now - traffic.last_out_at
    for days, kept in STALE:
        if idle >= days * DAY:
            # Whatever the price in force: what a raise may reach must not depend on the raise.
            ceiling = max(LEAST_STALE_PPM, Ppm(int(quote.ceiling * kept)))
            facts: Facts = {"days": idle / DAY, "ceiling": ceiling}
            return quote.because(Code.STALE_CEILING, facts, ceiling=ceiling, upper=ceiling)
    return quote


def _chain_floor(quote: Quote, view: ChannelView, context: Context) -> Quote:
    if context.week_perkw is None:
        return quote.because(Code.NO_FEERATES)
    ours = view.channel.opener == "local"
    cost = Msat((CLOSING_VB + (OPENING_VB if ours else 0)) * 4 * context.week_perkw)
    volume = expected_volume(view.flow, view.channel.capacity_msat, context.config.flow_window_days)
    needed = min(-(-cost * MILLION // volume), int(quote.ceiling * MOST_OF_CEILING))
    belief = view.memory.belief if context.config.fee_optimizer == "posterior" else None
    if belief and belief.middle_ppm is not None:
        needed = min(needed, int(belief.middle_ppm * MOST_OF_MIDDLE))
    if needed <= quote.floor:
        return quote
    facts = {
        "cost_msat": cost,
        "perkw": context.week_perkw,
        "volume_msat": volume,
        "floor": needed,
    }
    return _with_floor(quote, Code.CHAIN_FLOOR, facts, Ppm(needed))


def expected_volume(flow: FlowView | None, capacity: Msat, window_days: int) -> Msat:
    """
    Return what a channel is expected to route out in the rest of its life: what it did, mixed
    with a prior turnover that thin evidence leans on, and so never zero.
    """
    prior = capacity * PRIOR_TURNOVER * PRIOR_DAYS
    known_days = window_days if flow else 0
    known = flow.out_msat_per_day * known_days if flow else 0
    return Msat(int((known + prior) / (known_days + PRIOR_DAYS) * LIFE_DAYS))


def _refill_floor(quote: Quote, view: ChannelView) -> Quote:
    refills = view.channel.refills
    drains = view.peer.drains or (view.flow is not None and view.flow.state is FlowState.SOURCE)
    if not drains or refills is None or refills.count < FEWEST_REFILLS or not refills.amount_msat:
        return quote
    paid = refills.cost_msat * MILLION / refills.amount_msat
    needed = int(min(paid * REFILL_MARGIN, quote.ceiling * MOST_OF_CEILING_REFILLS))
    if needed <= quote.floor:
        return quote
    facts = {"count": refills.count, "cost_ppm": round(paid), "floor": needed}
    return _with_floor(quote, Code.REFILL_FLOOR, facts, Ppm(needed))
