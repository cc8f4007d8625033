"""What the cells of many policies say about who is better."""

import math

import pytest
from unit.simulate.league.cells import bounds, cell, score

from revops.core.units import Msat
from revops.simulate.arena.contest import Reference
from revops.simulate.arena.measures import Mean
from revops.simulate.league.standings import boards, without_refills

SEEDS = range(5)


def test_a_standing_is_the_mean_over_the_seeds() -> None:
    """
    Two cells of 500 and 700 sats in two days are 300 a day, three quarters of the static oracle,
    60 % of the bound - and 30 % of the one of those who refill.
    """
    cells = [
        *(cell("core", seed, 500 + 200 * seed) for seed in (1, 0)),
        *(cell("core+refills", seed, 600) for seed in (0, 1)),
    ]
    (board,) = boards(cells, ["mixed_5"], "core")
    found = {standing.policy: standing for standing in board.standings}

    assert board.seeds == (0, 1)
    assert found["core"].sat_per_day.mean == 300
    assert found["core"].of_static == Mean(pytest.approx(0.75), 0.625, 0.875)
    assert found["core"].of_fluid.mean == pytest.approx(0.6)
    assert found["core+refills"].of_fluid.mean == pytest.approx(0.3)
    assert found["core"].of_regime is None
    assert found["core"].early_per_day == 300
    assert found["core"].late_per_day is None
    # 12 channels, 96 steps.
    assert found["core"].cpu_us == pytest.approx(100)


def test_days_after_the_first_fourteen_are_told_apart() -> None:
    """
    What is earned while there is most to learn and what is earned after it do not mix.
    """
    days = (Msat(1000),) * 14 + (Msat(3000),) * 2
    one = cell("core", 0, 20, days=16, score=score(20, by_day=days), bounds=bounds(static=None))
    (board,) = boards([one], ["mixed_5"], "core")

    assert board.standings[0].early_per_day == 1
    assert board.standings[0].late_per_day == 3
    assert board.standings[0].of_static is None
    assert board.standings[0].regret_sat == {}


def test_regret_adds_up() -> None:
    """
    The oracle earned 500 and 300 sats, the policy 200 and 300: it is 300 behind from the first day
    on; beside one of a market that changed it is 400 and then 300.
    """
    regime = Reference(net_msat=Msat(900_000), by_day=(Msat(600_000), Msat(200_000)))
    one = cell("core", 0, 500, bounds=bounds(regime=regime))
    (board,) = boards([one], ["mixed_5"], "core")

    assert board.standings[0].regret_sat == {"static": [300, 300], "regime": [400, 300]}


def test_all_are_compared_with_one() -> None:
    """
    A lead is that of the core over a rival, seed by seed; the core has none over itself. All of the
    page are corrected together: five seeds won of five are one chance in 16, three of them more.
    """
    cells = [
        cell(policy, seed, net, scenario)
        for scenario in ("mixed_5", "mixed_20")
        for policy, net in (("core", 800), ("static-50", 400))
        for seed in SEEDS
    ] + [cell("clboss", seed, 800 + seed) for seed in SEEDS]
    one, other = boards(cells, ["mixed_20", "mixed_5"], "core")

    assert (one.scenario, other.scenario) == ("mixed_20", "mixed_5")
    assert [s.policy for s in other.standings] == ["clboss", "core", "static-50"]
    clboss, core, static = other.standings
    assert core.lead is None
    assert core.chance is None
    assert static.lead
    assert static.lead.ratio.mean == pytest.approx(math.log(2))
    assert static.lead.wins == 1
    assert static.lead.chance == pytest.approx(1 / 16)
    assert static.chance == pytest.approx(3 / 16)
    assert clboss.lead
    assert clboss.lead.ratio.mean < 0
    assert clboss.lead.wins == pytest.approx(0.1)
    assert clboss.chance == pytest.approx(3 / 16)


def test_the_return_is_beside_the_same_policy_without_refills() -> None:
    """
    100 sats spent that brought 150 beyond them return one and a half; who has nobody to be
    compared with, or spent nothing, has no return.
    """
    with_refills = [
        cell("core+refills", s, 650, score=score(650, spent_msat=100_000)) for s in (0, 1)
    ]
    plain = [cell("core", seed, 500) for seed in (0, 1)]
    (board,) = boards([*plain, *with_refills], ["mixed_5"], "core")
    (alone,) = boards(with_refills, ["mixed_5"], "core+refills")

    assert board.standings[0].roi == Mean(1.5, 1.5, 1.5)
    assert board.standings[1].roi is None
    assert alone.standings[0].roi is None


@pytest.mark.parametrize(
    ("policy", "plain"),
    [
        ("clboss+refills", "clboss"),
        ("core+refills,min-fee-ppm=5", "core,min-fee-ppm=5"),
        ("core+marginal", "core"),
        ("core", None),
    ],
)
def test_a_policy_is_known_by_its_name_without_refills(policy: str, plain: str | None) -> None:
    """
    What is compared differs in its refills alone: options stay.
    """
    assert without_refills(policy) == plain
