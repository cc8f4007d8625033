"""One channel, exactly."""

import numpy as np
import pytest

from revops.simulate.arena.laws import Logit
from revops.simulate.arena.onechannel import Single

PRICES = np.geomspace(5, 5000, 200)


def single(slope: float, inflow: float) -> Single:
    """
    Return eight buyers a day around 100 ppm, of which *inflow* comes back.
    """
    return Single(law=Logit(100.0, slope), per_day=8, refilled=8 * inflow, prices=PRICES)


@pytest.mark.parametrize(
    ("slope", "inflow", "best", "static", "gentle", "steep"),
    [
        (1.7, 0.10, 290, 98.0, 99.7, 98.1),
        (1.7, 0.25, 380, 98.5, 99.7, 97.8),
        (1.7, 0.50, 406, 100.0, 99.8, 98.7),
        (3.0, 0.25, 287, 98.0, 99.3, 96.2),
        (3.0, 0.50, 397, 98.5, 99.0, 94.6),
        (1.3, 0.10, 433, 98.7, 99.9, 99.0),
    ],
)
def test_an_independent_dynamic_program_found_the_same(
    slope: float, inflow: float, best: float, static: float, gentle: float, steep: float
) -> None:
    """
    The optimum, the best fixed price and the best powers of the balance are, in percent of the
    optimum, what value iteration on the same channel came to.
    """
    channel = single(slope, inflow)
    earned, _ = channel.best()

    assert earned == pytest.approx(best, abs=1)
    assert 100 * channel.static()[0] / earned == pytest.approx(static, abs=0.15)
    assert 100 * channel.by_balance(3) / earned == pytest.approx(gentle, abs=0.15)
    assert 100 * channel.by_balance(50) / earned == pytest.approx(steep, abs=0.15)


def test_the_price_rises_only_at_the_edge() -> None:
    """
    With half of the demand coming back, an emptying channel gets dearer below a fifth: 309 ppm at
    2.5 %, 201 at 5 %, 156 at 10 %, and 121 when there is plenty.
    """
    _, charged = single(1.7, 0.5).best()

    assert charged[[0, 1, 3, 30]] == pytest.approx([309, 201, 156, 121], rel=0.04)


def test_a_price_that_ignores_supply_is_poor() -> None:
    """
    Where a tenth of the demand comes back, the price that would be best with plenty earns a third.
    """
    channel = single(1.7, 0.1)
    earned, _ = channel.best()
    plenty = PRICES[np.argmax(PRICES * channel.law.share(PRICES))]

    assert channel.income(np.full(40, plenty)) / earned == pytest.approx(0.333, abs=0.02)
