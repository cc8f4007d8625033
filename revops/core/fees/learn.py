"""Learning: the chosen optimizer, which may not raise a price that nobody has paid of late."""

from collections.abc import Mapping
from typing import Final

from revops.core.fees.climb import LONGEST_S, climb
from revops.core.fees.posterior import least_base, posterior
from revops.core.fees.quote import ChannelView, Context, Mode, Optimizer, Quote
from revops.core.reasons import Code, Facts
from revops.core.units import DAY, Ppm

OPTIMIZERS: Final[Mapping[str, Optimizer]] = {"posterior": posterior, "hill-climb": climb}
"""By the words of the option `fee-optimizer`."""

QUIET_S: Final = 2 * LONGEST_S
"""Without a payment for two of the longest windows, nothing speaks for a higher price."""


def learn(quote: Quote, view: ChannelView, context: Context) -> Quote:
    """
    Put the learned price into the quote.
    """
    if quote.mode is not Mode.LEARNED:
        return quote
    quote = _hinted(_kept_from_rising(quote, view, context), view, context)
    learned = OPTIMIZERS[context.config.fee_optimizer](quote, view, context)
    return quote.because(
        learned.code,
        learned.facts,
        base_ppm=learned.base_ppm,
        memory=learned.memory,
        tolerance=learned.tolerance,
    )


def _hinted(quote: Quote, view: ChannelView, context: Context) -> Quote:
    hint = view.channel.hive_hint
    if hint is None or not hint.confidence or context.config.fee_optimizer != "posterior":
        return quote
    facts: Facts = {"fee_ppm": hint.fee_ppm, "confidence": hint.confidence}
    return quote.because(Code.HIVE_HINT, facts)


def _kept_from_rising(quote: Quote, view: ChannelView, context: Context) -> Quote:
    traffic = view.channel.traffic
    if traffic is None or view.is_new:
        return quote
    last = traffic.last_out_at
    if last is not None and context.now - last < QUIET_S:
        return quote
    # What another stage put into force says nothing of what was learned.
    most = quote.base_ppm if quote.disturbed else Ppm(int(quote.in_force / quote.factor))
    upper = min(max(most, least_base(quote)), quote.upper)
    if quote.base_ppm <= upper:
        return quote._replace(upper=upper)
    days = (view.age_s if last is None else context.now - last) / DAY
    return quote.because(Code.CLIMB_QUIET, {"days": days}, base_ppm=upper, upper=upper)
