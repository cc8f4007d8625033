"""Reading: all that a history tells once it is laid out in time, with one guess at what it held."""

from collections.abc import Sequence
from typing import Final

import attrs

from revops.simulate.backtest.balances import Balances, balances
from revops.simulate.backtest.demand import arrivals, branching, bursts, fit_of
from revops.simulate.backtest.exposure import Exposure, exposure
from revops.simulate.backtest.history import History
from revops.simulate.backtest.prices import prices
from revops.simulate.backtest.sizes import sizes
from revops.simulate.forecast.fit import Fit

_HALF: Final = 0.5


@attrs.frozen(eq=False, kw_only=True)
class Reading:
    """
    What a history tells.

    Attributes:
        held: What the channels held at any time.
        seen: When they could have been paid, at which prices.
        fit: Who would come at which price.
        branching: Share of the payments that another one has brought about.
    """

    history: History
    held: Balances
    seen: Exposure
    fit: Fit
    branching: float


def read(history: History, shares: Sequence[float] | None = None) -> Reading:
    """
    Return what *history* tells; where it does not tell what a channel holds now, that is one of
    these *shares* of what is possible.
    """
    held = balances(history, shares or [_HALF] * len(history.places))
    amounts = sizes(history, held)
    seen = exposure(history, prices(history), held, amounts)
    came = arrivals(history)
    found = bursts(seen, came)
    return Reading(
        history=history,
        held=held,
        seen=seen,
        fit=fit_of(history, seen, amounts, came, found),
        branching=branching(found, came),
    )
