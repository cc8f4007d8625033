"""The small arena: every cell as it was agreed on, so that nothing that decides changes unseen."""

import json
from pathlib import Path

import pytest
from golden.make_arena import POLICIES, SEEDS, SMALL, figures

AGREED = json.loads(Path(__file__).with_name("arena.json").read_text("utf-8"))


@pytest.mark.parametrize("scenario", SMALL)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_cell_comes_to_what_was_agreed_on(scenario: str, seed: int) -> None:
    """
    Each policy earns, spends and updates what was committed for it; `make golden` agrees on
    something else, and the diff says whether that is better.
    """
    assert figures(scenario, seed) == AGREED[scenario][str(seed)]


@pytest.mark.parametrize("scenario", SMALL)
def test_the_core_is_not_behind(scenario: str) -> None:
    """
    What was agreed on has the core ahead of prices that never change, over all seeds.
    """
    sums = {
        policy: sum(AGREED[scenario][str(seed)][policy]["net_msat"] for seed in SEEDS)
        for policy in POLICIES
    }

    assert sums["core"] > sums["gossip-median"]
