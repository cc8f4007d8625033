"""What a channel charged is told by its records, or by what was paid."""

from unit.simulate.backtest.pasts import SINCE, forward, past, place

from revops.core.units import DAY, Instant, Msat, Ppm
from revops.simulate.backtest.history import Priced
from revops.simulate.backtest.prices import prices


def test_one_price_explains_what_was_always_paid() -> None:
    """
    Forwards at one price tell of that price alone, whatever their amounts.
    """
    history = past([forward(hour, 0, 1, amount=Msat(1000 + 777 * hour)) for hour in range(40)])

    assert prices(history)[1] == (Priced(SINCE, Ppm(100)),)


def test_a_change_lies_between_the_forwards_that_tell_of_it() -> None:
    """
    It is put midway: nobody knows better.
    """
    history = past([forward(1, 0, 1, 250), forward(5, 0, 1, 250), forward(9, 0, 1, 100)])

    assert prices(history)[1] == (
        Priced(SINCE, Ppm(250)),
        Priced(Instant(SINCE + 7 * 3600), Ppm(100)),
    )


def test_a_price_that_nobody_paid_yet_came_after_the_last_forward() -> None:
    """
    What is in force now was set some time since.
    """
    history = past([forward(0, 0, 1, 250)], days=2)

    assert prices(history)[1][-1] == Priced(Instant(SINCE + DAY), Ppm(100))


def test_what_was_written_down_counts_more_than_what_was_paid() -> None:
    """
    Recorded changes tell of prices at which nobody came as well.
    """
    changes = (Priced(Instant(SINCE - 5), Ppm(70)), Priced(Instant(SINCE + 99), Ppm(900)))
    history = past([forward(1, 0, 1, 100)], places=[place(0), place(1, priced=changes), place(2)])

    assert prices(history)[1] == (Priced(SINCE, Ppm(70)), changes[1])


def test_a_base_fee_is_part_of_the_price_of_a_usual_payment() -> None:
    """
    20 000 sat pay a base fee of 1 sat as they would 50 ppm.
    """
    history = past(
        [forward(1, 0, 1, 150)], places=[place(0), place(1, base_fee_msat=Msat(1000)), place(2)]
    )

    assert prices(history)[1] == (Priced(SINCE, Ppm(150)),)


def test_a_channel_without_forwards_charged_what_it_does() -> None:
    """
    Nothing tells otherwise.
    """
    assert prices(past())[2] == (Priced(SINCE, Ppm(100)),)
