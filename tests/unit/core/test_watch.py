"""Watch: what ends a rebalance, how it ends then, and the numbers that are said of it."""

import pytest
from property.attempts import AMOUNT, CHUNK, running
from property.world import START

from revops.core.config import Config
from revops.core.rebalance.watch import DEADLINE_S, HANGS_S, PATIENCE_S, Stop, watch
from revops.core.treasury import Ending, Job, Progress

ENDS = {
    "stopping": ({"stopping": Ending.NO_ROUTE}, {}, Ending.NO_ROUTE, {"cause": "no_route"}),
    "done": ({"moved_msat": AMOUNT}, {}, Ending.DONE, {}),
    "balanced": ({}, {"progress": Progress.DONE}, Ending.DONE, {"words": "1:Somehow"}),
    "dead": ({}, {"progress": Progress.DEAD}, Ending.VANISHED, {"words": "1:Somehow"}),
    "paused": ({}, {"paused": True}, Ending.STOPPED, {"said": "paused is set"}),
    "no rebalancer": ({}, {"rebalancer": "none"}, Ending.STOPPED, {"said": "rebalancer is none"}),
    "authority": ({}, {"authority": "fees"}, Ending.STOPPED, {"said": "authority is fees"}),
    "overcharged": (
        {"moved_msat": CHUNK, "fee_msat": CHUNK, "limit_msat": (AMOUNT + CHUNK) // 1000 - 1},
        {},
        Ending.TOO_EXPENSIVE,
        {"planned_ppm": 1000},
    ),
    "leaking": (
        {"moved_msat": AMOUNT // 2, "fee_msat": 1, "before_msat": 5},
        {"to_us": 5},
        Ending.STOPPED,
        {"to_us_msat": 5},
    ),
    "hanging": ({}, {"paying": HANGS_S + 1}, Ending.STOPPED, {"seconds": HANGS_S + 1}),
    "expired": ({"at": START - DEADLINE_S}, {}, Ending.EXPIRED, {"hours": DEADLINE_S // 3600}),
    "no route": (
        {"at": START - PATIENCE_S},
        {"progress": Progress.NO_ROUTE},
        Ending.NO_ROUTE,
        {"minutes": PATIENCE_S // 60},
    ),
    "too expensive": (
        {"at": START - PATIENCE_S},
        {"progress": Progress.TOO_EXPENSIVE},
        Ending.TOO_EXPENSIVE,
        {"minutes": PATIENCE_S // 60},
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_each_cause_has_its_ending_and_its_numbers(name):
    """
    What is written down of a rebalance is what stopped it, and what is said are the numbers that
    did.
    """
    fields, looked, ending, facts = ENDS[name]
    attempt = running(**{"at": START, "limit_msat": AMOUNT} | fields)
    looked = {**looked}
    job = Job(
        scid="700000x0x0", progress=looked.pop("progress", Progress.WORKING), words="1:Somehow"
    )
    paying = (START - looked.pop("paying"),) if "paying" in looked else ()
    to_us = looked.pop("to_us", None)
    found = watch(attempt, job, to_us, START, Config(**looked), paying)

    assert isinstance(found, Stop)
    assert found.ending is ending
    said = dict(found.reason.facts)
    moved = {
        "moved_msat": attempt.moved_msat,
        "amount_msat": AMOUNT,
        "fee_msat": attempt.fee_msat,
    }
    assert repr(said) == repr(moved | facts)
