"""What a run was worth, and what it takes to call one policy better."""

import math

import pytest

from revops.core.units import Msat
from revops.simulate.arena.measures import Score, interval, lead, marginal_roi, score_of
from revops.simulate.arena.play import play
from revops.simulate.arena.rivals.clboss import Clboss
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import tape_of
from revops.simulate.arena.worth import worth_of

TAPE = tape_of(shortened(SCENARIOS["mixed_20"], 15), 0)
WORTH = worth_of(TAPE)


def score(net: int, spent: int = 0) -> Score:
    return Score(
        income_msat=Msat(net + spent),
        spent_msat=Msat(spent),
        left_msat=Msat(0),
        early_msat=Msat(0),
        updates=0.0,
        most_updates=0,
        depleted=0.0,
        saturated=0.0,
        refills=0,
        refused=0,
        violations=0,
        held=0,
    )


def test_a_score_is_what_the_ledger_says() -> None:
    """
    Income, spending and what is left come from one and the same run.
    """
    run = play(TAPE, lambda start: Clboss(start, rebalances=True))
    found = score_of(run, WORTH)

    assert found.spent_msat == run.world.ledger.spent_msat > 0
    assert found.refills == sum(run.world.ledger.refills)
    assert found.net_msat == run.net_msat + found.left_msat
    assert 0 < found.early_msat <= found.income_msat
    assert 0 < found.updates < found.most_updates


def test_draining_is_no_profit() -> None:
    """
    What was on our side where somebody would pay for it is missed when it is gone.
    """
    empty = [Msat(0)] * TAPE.channels

    assert WORTH.change(TAPE.local, empty) < 0
    assert WORTH.change(TAPE.local, list(TAPE.local)) == 0
    assert WORTH.change(TAPE.local, list(TAPE.capacity)) > 0


def test_a_lead_is_the_mean_of_the_ratios() -> None:
    """
    Twice as much on every tape is a lead of ln 2 with no doubt about it, and every tape won.
    """
    found = lead([2.0, 4.0, 6.0], [1.0, 2.0, 3.0], [10.0, 10.0, 10.0])

    assert found.mean == pytest.approx(math.log(2))
    assert found.low == pytest.approx(found.mean) == pytest.approx(found.high)
    assert found.wins == 1.0


def test_a_loss_counts_as_next_to_nothing() -> None:
    """
    Who lost money has a ratio all the same; a tie is half a win.
    """
    found = lead([-5.0, 1.0], [1.0, 1.0], [1000.0, 1000.0])

    assert found.mean == pytest.approx(0.0)
    assert found.wins == 0.25


def test_an_interval_holds_the_mean() -> None:
    """
    The interval is around the mean, narrower with more tapes, and the same each time.
    """
    few = [0.1, -0.2, 0.4, 0.05, 0.3, -0.1]
    many = few * 10

    assert interval(few) == interval(few)
    assert interval(few)[0] < sum(few) / 6 < interval(few)[1]
    assert interval(many)[1] - interval(many)[0] < interval(few)[1] - interval(few)[0]


def test_the_return_on_refills_is_against_the_same_tape_without() -> None:
    """
    What refills brought, less what they cost, over what they cost; without any there is none.
    """
    assert marginal_roi(score(1500, spent=200), score(1400)) == 0.5
    assert marginal_roi(score(1400), score(1400)) is None
