"""What channels held is rolled back from now."""

import numpy as np
from unit.simulate.backtest.pasts import AMOUNT, CAPACITY, SINCE, forward, past, place

from revops.core.units import DAY, Instant, Msat, from_sats
from revops.simulate.backtest.balances import balances
from revops.simulate.backtest.history import Moved

HALF = CAPACITY // 2


def test_what_left_was_there_before() -> None:
    """
    Before a forward the channel out held its amount more, the channel in that and the fee less.
    """
    row = forward(10, 0, 1)
    held = balances(past([row]), [0.5] * 4)

    assert held.start[:3] == (HALF - AMOUNT - row.fee_msat, HALF + AMOUNT, HALF)
    around = np.array([row.at, row.at + 1])
    assert held.of(1, around).tolist() == [HALF + AMOUNT, HALF]
    assert held.unexplained_msat == 0


def test_refills_are_rolled_back_with_what_they_cost() -> None:
    """
    The channel that paid held amount and fee more.
    """
    amount, cost = from_sats(100_000), from_sats(20)
    refill = Moved(Instant(SINCE + DAY), 2, 0, amount, cost)
    held = balances(past(moves=[refill]), [0.5] * 4)

    assert held.start[:3] == (HALF - amount, HALF, HALF + amount + cost)
    assert held.moves == (refill,)


def test_what_no_list_explains_came_from_outside() -> None:
    """
    No channel ever held less than nothing: what is missing for that moved in some other way.
    """
    places = [place(0, local_msat=Msat(0)), place(1), place(2)]
    row = forward(10, 0, 1)
    held = balances(past([row], places=places), [0.5] * 4)
    came = Msat(AMOUNT + row.fee_msat)

    assert held.start[0] == 0
    assert held.unexplained_msat == came
    assert held.moves == (Moved(row.at, 0, 3, came, Msat(0)),)


def test_what_a_channel_holds_is_somewhere_in_what_is_possible() -> None:
    """
    Without a balance of today, all shares of what its forwards allow are as likely.
    """
    places = [place(0), place(1, local_msat=None), place(2)]
    history = past([forward(hour, 0, 1) for hour in range(50)], places=places)
    low, high = (balances(history, [share] * 4).start[1] for share in (0.0, 1.0))

    assert (low, high) == (50 * AMOUNT, CAPACITY)
