"""Who stayed away is drawn, who came is known."""

import attrs
import numpy as np
from unit.simulate.backtest.pasts import AMOUNT, SINCE, past, there_and_back

from revops.core.units import Ppm
from revops.simulate.arena.dice import Dice
from revops.simulate.arena.payments import Payment
from revops.simulate.backtest.missing import who_came, who_did_not
from revops.simulate.backtest.reading import read

HISTORY = past(there_and_back())
READING = read(HISTORY)
MARKET = READING.fit.drawn(0, HISTORY.days)


def test_everybody_who_came_would_pay_what_they_paid() -> None:
    """
    Each forward is a payment of that amount, at that time, that would pay its price at least.
    """
    came = who_came(HISTORY, MARKET, READING.seen.fee_ppm, Dice("backtest", 0))

    assert [row[:4] for row in came] == [row[:4] for row in HISTORY.forwards]
    assert min(row.reservation_ppm for row in came) >= 100
    assert len({row.reservation_ppm for row in came}) > 10


def test_who_would_have_come_and_did_not_is_nobody() -> None:
    """
    A payment that the price and all balances allowed is not added: it would be in the list.
    """
    at = SINCE + 5000
    rich = Payment(at, 0, 1, AMOUNT, Ppm(100))
    poor = Payment(at, 0, 1, AMOUNT, Ppm(99))
    large = Payment(at, 0, 1, AMOUNT * 1000, Ppm(5000))

    left = who_did_not(HISTORY, (rich, poor, large), READING.held, READING.seen.fee_ppm)

    assert left == (poor, large)


def test_nobody_misses_a_channel_before_it_is_open() -> None:
    """
    Who would have used it is not added either.
    """
    late = past(there_and_back())
    places = [attrs.evolve(each, opened_at=SINCE + 9000) for each in late.places]
    history = past(late.forwards, places=places[:3])
    reading = read(history)
    poor = Payment(SINCE + 5000, 0, 1, AMOUNT, Ppm(1))

    assert who_did_not(history, (poor,), reading.held, reading.seen.fee_ppm) == ()
    assert not np.any(reading.seen.open[:4])
