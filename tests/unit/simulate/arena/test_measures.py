"""What a run was worth, and what it takes to call one policy better."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from revops.core.units import Msat
from revops.simulate.arena.measures import (
    Mean,
    Score,
    chance_of,
    holm,
    lead,
    marginal_roi,
    mean_of,
    score_of,
)
from revops.simulate.arena.play import Run, play
from revops.simulate.arena.rivals.clboss import Clboss
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import tape_of
from revops.simulate.arena.world import World
from revops.simulate.arena.worth import worth_of

TAPE = tape_of(shortened(SCENARIOS["mixed_20"], 15), 0)
WORTH = worth_of(TAPE)


def score(net: int, spent: int = 0) -> Score:
    return Score(
        income_msat=Msat(net + spent),
        spent_msat=Msat(spent),
        left_msat=Msat(0),
        by_day=(),
        worst_msat=0.0,
        missed_msat=Msat(0),
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
    assert len(found.by_day) == 15
    assert found.early_msat + found.late_msat == run.net_msat
    assert found.late_msat == found.by_day[14]
    assert found.worst_msat < 0 < found.missed_msat
    assert 0 < found.updates < found.most_updates


def test_draining_is_no_profit() -> None:
    """
    What was on our side where somebody would pay for it is missed when it is gone.
    """
    empty = [Msat(0)] * TAPE.channels

    assert WORTH.change(TAPE.local, empty) < 0
    assert WORTH.change(TAPE.local, list(TAPE.local)) == 0
    assert WORTH.change(TAPE.local, list(TAPE.capacity)) > 0


def test_the_worst_channels_and_days_are_those_that_cost() -> None:
    """
    Of 180 channels and days the 9 worst count; those of which nothing is known earned nothing.
    """
    world = World(TAPE)
    while not world.over:
        world.advance()
    world.ledger.net_by.clear()
    world.ledger.net_by.update({(0, 0): -900, (1, 0): -90, (2, 5): 5000})

    assert score_of(Run(world, 0, 0), WORTH).worst_msat == -110


def test_a_lead_is_the_mean_of_the_ratios() -> None:
    """
    Twice as much on every tape is a lead of ln 2 with no doubt about it, and every tape won.
    """
    found = lead([2.0, 4.0, 6.0], [1.0, 2.0, 3.0], [10.0, 10.0, 10.0])

    assert found.ratio.mean == pytest.approx(math.log(2))
    assert found.ratio.low == found.ratio.mean == found.ratio.high
    assert found.wins == 1.0


def test_a_loss_counts_as_next_to_nothing() -> None:
    """
    Who lost money has a ratio all the same; a tie is half a win.
    """
    found = lead([-5.0, 1.0], [1.0, 1.0], [1000.0, 1000.0])

    assert found.ratio.mean == pytest.approx(0.0)
    assert found.wins == 0.25


def test_an_interval_holds_the_mean() -> None:
    """
    The interval is around the mean, narrower with more tapes, and the same each time.
    """
    few = [0.1, -0.2, 0.4, 0.05, 0.3, -0.1]
    found, many = mean_of(few), mean_of(few * 10)

    assert found == mean_of(few)
    assert found.mean == pytest.approx(0.55 / 6)
    assert found.low < found.mean < found.high
    assert many.high - many.low < found.high - found.low


def test_the_interval_is_the_bca_one() -> None:
    """
    For skewed values the interval is that of Efron's BCa: worked out here step by step from the
    same resamples.
    """
    values = np.array([0.1, 0.2, 0.15, 0.4, 1.9, 0.05, 0.3])
    rng = np.random.default_rng(0)
    means = np.sort(values[rng.integers(0, 7, (10_000, 7))].mean(axis=1))
    normal = NormalDist()
    bias = normal.inv_cdf(((means < values.mean()).mean() + (means <= values.mean()).mean()) / 2)
    left_out = (values.sum() - values) / 6
    off = left_out.mean() - left_out
    skew = (off**3).sum() / (6 * (off**2).sum() ** 1.5)

    found = mean_of(values.tolist())
    for end, level in ((found.low, 0.025), (found.high, 0.975)):
        z = bias + normal.inv_cdf(level)
        share = normal.cdf(bias + z / (1 - skew * z))
        assert end == pytest.approx(np.quantile(means, share), abs=0.02)


def test_one_tape_tells_nothing_of_others() -> None:
    """
    A single value has a mean, no interval and no chance.
    """
    assert mean_of([0.7]) == Mean(0.7)
    assert chance_of([0.7]) == 1.0


def test_a_chance_is_counted_over_all_signs() -> None:
    """
    Five leads in one direction come about by chance once in 16 times, on either side; of 1, 2 and
    -3 every flip is as far from nothing as they are.
    """
    assert chance_of([0.1, 0.3, 0.2, 0.25, 0.05]) == pytest.approx(2 / 32)
    # Of the eight sums of ±1 ±2 ±4 four are as far from nothing as 1 + 4 - 2 = 3.
    assert chance_of([1.0, -2.0, 4.0]) == pytest.approx(6 / 8)
    assert chance_of([1.0, 2.0, -3.0]) == 1.0
    assert chance_of([0.1 + i / 100 for i in range(30)]) == pytest.approx(1e-4, rel=0.01)


def test_many_comparisons_are_corrected_by_holm() -> None:
    """
    Of four, the smallest counts four times, the next one three times, and none less than a
    smaller one; none is more than certain.
    """
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_return_on_refills_is_against_the_same_tape_without() -> None:
    """
    What refills brought, less what they cost, over what they cost, on the tapes where there were
    any; without any there is none.
    """
    plain = [score(1400), score(1000), score(700)]
    refilled = [score(1500, spent=200), score(1300, spent=600), score(700)]

    found = marginal_roi(refilled, plain)

    assert found
    assert found.mean == pytest.approx(400 / 800)
    assert marginal_roi(plain, plain) is None
    assert marginal_roi(refilled[:1], plain[:1]) == Mean(0.5)
