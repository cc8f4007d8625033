"""Cells made by hand."""

from typing import Any

from revops.core.units import Msat
from revops.simulate.arena.contest import Bounds, Cell, Reference
from revops.simulate.arena.measures import Score


def score(net: int, **fields: Any) -> Score:
    """
    Return a score of so many sats in two days.
    """
    plain = {
        "income_msat": Msat(net * 1000 + fields.get("spent_msat", 0)),
        "spent_msat": Msat(0),
        "left_msat": Msat(0),
        "by_day": (Msat(net * 400), Msat(net * 600)),
        "worst_msat": 0.0,
        "missed_msat": Msat(0),
        "updates": 0.5,
        "most_updates": 2,
        "depleted": 0.25,
        "saturated": 0.125,
        "refills": 0,
        "refused": 0,
        "violations": 0,
        "held": 0,
    }
    return Score(**(plain | fields))


def bounds(**fields: Any) -> Bounds:
    """
    Return what is known of a tape on which 1000 sats are all there is to earn.
    """
    best = Reference(net_msat=Msat(800_000), by_day=(Msat(500_000), Msat(300_000)))
    plain = {"fluid_msat": 1e6, "open_msat": 2e6, "static": best, "regime": None}
    return Bounds(**(plain | fields))


def cell(policy: str, seed: int, net: int, scenario: str = "mixed_5", **fields: Any) -> Cell:
    """
    Return what *policy* earned, in sats.
    """
    plain = {"days": 2, "bounds": bounds(), "cpu_s": 0.1152, "score": score(net)}
    return Cell(scenario=scenario, seed=seed, policy=policy, **(plain | fields))
