"""Missing: a tape of those who came and of those who did not, as far as anybody can tell."""

from typing import Final

import numpy as np
import numpy.typing as npt

from revops.core.units import MAX_PPM, MILLION, Ppm
from revops.simulate.arena.dice import Dice
from revops.simulate.arena.market import STEP_S, Market
from revops.simulate.arena.payments import Payment
from revops.simulate.arena.spreads import Array
from revops.simulate.arena.tape import RESERVE_SHARE
from revops.simulate.backtest.balances import Balances
from revops.simulate.backtest.history import History

Bools = npt.NDArray[np.bool_]
_EDGE: Final = 1e-12


def who_came(history: History, market: Market, fee_ppm: Array, dice: Dice) -> tuple[Payment, ...]:
    """
    Return the forwards of *history*, each with a price that it would have paid at most.

    Each would have paid what it paid, and what was asked when the step began: a change of price
    within a step is not played.
    """
    rows = history.forwards
    at = np.array([row.at for row in rows], dtype=np.int64) - history.since
    out = np.array([row.out for row in rows], dtype=np.int64)
    fee = np.array([row.fee_msat for row in rows], dtype=np.float64)
    amount = np.array([row.amount_msat for row in rows], dtype=np.float64)
    least = np.maximum(np.ceil(fee * MILLION / amount), fee_ppm[at // STEP_S, out])
    chance = dice.of("those who came").random(len(rows))
    most = least.copy()
    for channel, law in enumerate(market.laws):
        mine = out == channel
        share = law.share(np.maximum(least[mine], _EDGE))
        most[mine] = law.reservation(np.clip(chance[mine] * share, _EDGE, 1 - _EDGE))
    most = np.clip(np.maximum(np.floor(most), least), 0, MAX_PPM).astype(np.int64)
    return tuple(
        Payment(row.at, row.into, row.out, row.amount_msat, Ppm(ppm))
        for row, ppm in zip(rows, most.tolist(), strict=True)
    )


def who_did_not(
    history: History, drawn: tuple[Payment, ...], held: Balances, fee_ppm: Array
) -> tuple[Payment, ...]:
    """
    Return those of the *drawn* payments that could not come at the prices that were asked, or for
    want of room: all others would be in the books.
    """
    if not drawn:
        return ()
    at, into, out, amount, most, _ = np.array(drawn, dtype=np.int64).T
    came: Bools = most >= fee_ppm[(at - history.since) // STEP_S, out]
    for channel, place in enumerate(history.places):
        floor = place.capacity_msat // RESERVE_SHARE
        leaves, enters = out == channel, into == channel
        ours = held.of(channel, at[leaves])
        theirs = place.capacity_msat - held.of(channel, at[enters])
        came[leaves] &= amount[leaves] <= ours - floor
        came[enters] &= amount[enters] <= theirs - floor
    for channel, place in enumerate(history.places):
        # Nobody could come before it was open.
        came |= ((out == channel) | (into == channel)) & (at < (place.opened_at or 0))
    return tuple(payment for payment, there in zip(drawn, came, strict=True) if not there)
