"""Looks: observations made by hand."""

from typing import Any

from revops.core.units import Instant, Msat, Ppm
from revops.simulate.arena.market import STEP_S
from revops.simulate.arena.payments import START
from revops.simulate.arena.play import Observation, Start
from revops.simulate.arena.world import Passed

CAPACITY = Msat(5_000_000_000)


def look(*shares: float, step: int = 0, **fields: Any) -> Observation:
    """
    Return what a node sees whose channels of 5 M sat have these *shares* on our side.
    """
    count = len(shares)
    local = tuple(Msat(round(CAPACITY * share)) for share in shares)
    plain = {
        "now": Instant(START + step * STEP_S),
        "step": step,
        "capacity": (CAPACITY,) * count,
        "local": local,
        "spendable": local,
        "receivable": tuple(Msat(CAPACITY - ours) for ours in local),
        "fee_ppm": (Ppm(100),) * count,
        "htlc_max": (CAPACITY,) * count,
        "passed": (),
        "refilled": (),
        "market_ppm": (Ppm(200),) * count,
        "peer_ppm": (Ppm(20),) * count,
        "slots": (0,) * count,
        "perkw": 1250,
    }
    return Observation(**(plain | fields))


def start(count: int, seed: int = 0) -> Start:
    """
    Return what a policy knows before it begins.
    """
    return Start(seed, (CAPACITY,) * count, (Msat(CAPACITY // 2),) * count, is_new=False)


def paid(out: int, fee: int, into: int = 1, step: int = 1, amount: int = 100_000_000) -> Passed:
    """
    Return a forward that settled just before *step*.
    """
    at = Instant(START + step * STEP_S - 1)
    return Passed(at, into, out, Msat(amount), Msat(fee), "settled")


def refused(out: int, into: int = 1) -> Passed:
    """
    Return a forward that could not leave.
    """
    return paid(out, 0, into)._replace(status="local_failed")
