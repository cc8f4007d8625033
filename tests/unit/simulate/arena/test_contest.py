"""Many policies on the same tapes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from revops.core.option import ConfigError
from revops.simulate.arena.contest import contest, sitting
from revops.simulate.arena.policies import PRICING, REFILLING, maker_of
from revops.simulate.arena.scenarios import SCENARIOS

POLICIES = ("static-100", "clboss", "clboss+refills")


def test_a_sitting_has_a_cell_for_each_policy() -> None:
    """
    Every policy is measured on the same tape against the same oracles, afresh each time.
    """
    once, again = (sitting("mixed_5", 1, POLICIES) for _ in range(2))

    assert [cell.policy for cell in once] == list(POLICIES)
    assert [cell.score for cell in once] == [cell.score for cell in again]
    assert {cell.static_msat for cell in once} == {once[0].static_msat}
    assert all(0 < cell.of_fluid < 1 for cell in once)
    assert all(cell.of_static is not None and cell.of_static > 0 for cell in once)


def test_who_refills_is_measured_against_a_bound_that_refills() -> None:
    """
    The bound of a policy that refills knows the market for refills, and is not below the other.
    """
    _, without, with_refills = sitting("mixed_20", 2, POLICIES, static=False)

    assert with_refills.score.refills
    assert with_refills.fluid_msat > without.fluid_msat
    assert without.of_static is None


def test_a_contest_is_the_same_on_any_executor() -> None:
    """
    Sittings come in the order of scenarios and seeds, whoever plays them.
    """
    with ThreadPoolExecutor(2) as pool:
        found = list(contest(["mixed_5"], [3, 1], ["static-50"], pool, static=False))

    assert [(cell.scenario, cell.seed) for (cell,) in found] == [("mixed_5", 3), ("mixed_5", 1)]
    (alone,) = sitting("mixed_5", 1, ["static-50"], static=False)
    assert found[1][0].score == alone.score


def test_every_policy_has_a_name() -> None:
    """
    A policy is found by its name, the core with any of its options; what is not known is named.
    """
    assert all(callable(maker_of(name)) for name in (*PRICING, *REFILLING))
    assert callable(maker_of("core,min-fee-ppm=50,max-fee-ppm=60"))
    with pytest.raises(ConfigError, match=r"'nobody'.*core, core.refills, static-50"):
        maker_of("nobody")
    with pytest.raises(ConfigError, match="min-fee-ppm"):
        maker_of("core,min-fee-ppm=none")
    assert len(SCENARIOS) == 19
