"""Many policies on the same tapes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from revops.core.option import ConfigError
from revops.simulate.arena.contest import Sitting, contest, sit
from revops.simulate.arena.policies import PRICING, REFILLING, maker_of
from revops.simulate.arena.scenarios import SCENARIOS

POLICIES = ("static-100", "clboss", "clboss+refills")


def test_a_sitting_has_a_cell_for_each_policy() -> None:
    """
    Every policy is measured on the same tape against the same oracles, afresh each time; oracles
    that are known are not asked again.
    """
    once = sit(sitting("mixed_5", 1))
    assert once[0].bounds.regime is None
    again = sit(sitting("mixed_5", 1, bounds=once[0].bounds))

    assert [cell.policy for cell in once] == list(POLICIES)
    assert [cell.score for cell in once] == [cell.score for cell in again]
    assert all(cell.bounds is once[0].bounds for cell in (*once, *again))
    assert all(0 < cell.of_fluid < 1 for cell in once)
    assert all(cell.of_static is not None and cell.of_static > 0 for cell in once)


def test_who_refills_is_measured_against_a_bound_that_refills() -> None:
    """
    The bound of a policy that refills knows the market for refills, and is not below the other.
    """
    _, without, with_refills = sit(sitting("mixed_20", 2))

    assert with_refills.score.refills
    assert with_refills.fluid_msat == with_refills.bounds.open_msat
    assert without.fluid_msat == without.bounds.fluid_msat < with_refills.fluid_msat


def test_where_the_market_changes_so_may_the_prices_that_know_it() -> None:
    """
    Prices that change when the market does earn at least as much as those that never do.
    """
    (cell,) = sit(sitting("regime_change", 1, days=33, policies=("static-50",)))

    assert cell.bounds.static
    assert cell.bounds.regime
    assert cell.bounds.regime.net_msat >= cell.bounds.static.net_msat
    assert len(cell.bounds.regime.by_day) == 33


def test_a_fleet_has_no_static_oracle() -> None:
    """
    Of hundreds of channels nobody finds the best static prices in time: they are not made up.
    """
    (cell,) = sit(sitting("large_fleet", 1, days=1, policies=("static-50",)))

    assert cell.of_static is None
    assert cell.bounds.fluid_msat > 0


def test_a_contest_is_the_same_on_any_executor() -> None:
    """
    Every sitting is played once, whoever plays it.
    """
    wanted = [sitting("mixed_5", seed, policies=("static-50",)) for seed in (3, 1)]
    with ThreadPoolExecutor(2) as pool:
        found = {cells[0].seed: cells for cells in contest(wanted, pool)}

    assert sorted(found) == [1, 3]
    assert found[1][0].score == sit(wanted[1])[0].score


def sitting(name: str, seed: int, **fields: Any) -> Sitting:
    plain = {"scenario": name, "seed": seed, "days": 10, "policies": POLICIES}
    return Sitting(**(plain | fields))


def test_every_policy_has_a_name() -> None:
    """
    A policy is found by its name, the core with any of its options; what is not known is named.
    """
    assert all(callable(maker_of(name)) for name in (*PRICING, *REFILLING))
    assert callable(maker_of("core,min-fee-ppm=50,max-fee-ppm=60"))
    with pytest.raises(ConfigError, match=r"'nobody'.*core.refills, core.marginal, static-50"):
        maker_of("nobody")
    with pytest.raises(ConfigError, match="min-fee-ppm"):
        maker_of("core,min-fee-ppm=none")
    assert len(SCENARIOS) == 19
