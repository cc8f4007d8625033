"""The examples: made by their scripts, and decided as it was agreed on."""

import runpy
from pathlib import Path

import pytest

from revops.adapters.wire import read_snapshot, write_plan, write_snapshot
from revops.core import Code, decide
from revops.core.actions import SetFee

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"


@pytest.mark.parametrize("name", ["forty", "regtest"])
def test_the_plan_of_an_example_stays(name: str) -> None:
    """
    An example gives the plan that was committed for it; `make golden` agrees on a new one.
    """
    snapshot, config = read_snapshot((EXAMPLES / f"{name}.json").read_bytes())

    assert write_plan(decide(snapshot, config)) == (HERE / f"{name}.json").read_text("utf-8")


@pytest.mark.parametrize("name", ["forty", "regtest"])
def test_an_example_is_what_its_script_makes(name: str) -> None:
    """
    The script beside an example makes it again, byte for byte.
    """
    made = runpy.run_path(str(EXAMPLES / f"make_{name}.py"))[name]()

    assert write_snapshot(made) == (EXAMPLES / f"{name}.json").read_text("utf-8")


def test_the_forty_channels_tell_most_of_the_story() -> None:
    """
    Somebody who reads the example meets every stage of the alpha sequence at work.
    """
    snapshot, config = read_snapshot((EXAMPLES / "forty.json").read_bytes())
    plan = decide(snapshot, config)
    told = {reason.code for decision in plan.decisions for reason in decision.trail}

    assert len(plan.decisions) == 40
    assert told >= {
        *(Code.PASSIVE, Code.STATIC, Code.HIVE, Code.PINNED, Code.MANUAL_CHANGE),
        *(Code.NOT_NORMAL, Code.FIRST_CONTACT, Code.NEW_CHANNEL),
        *(Code.BOUNDS, Code.POLICY_BOUNDS, Code.CHAIN_FLOOR, Code.REFILL_FLOOR),
        *(Code.STALE_CEILING, Code.CONGESTED, Code.CONGESTION_EASES),
        *(Code.SCARCITY, Code.AMNESTY, Code.MULTIPLIER),
        *(Code.CLIMB_PAUSED, Code.CLIMB_WAITING, Code.CLIMB_PROBE, Code.CLIMB_BETTER),
        *(Code.CLIMB_WORSE, Code.CLIMB_UNDECIDED, Code.CLIMB_NOBODY, Code.CLIMB_RESTING),
        *(Code.CLIMB_WOKE, Code.STEP_LIMIT, Code.DEAD_BAND, Code.GOSSIP_CHANNEL),
    }
    assert 10 < sum(isinstance(d.action, SetFee) for d in plan.decisions) < 30
