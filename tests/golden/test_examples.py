"""The examples: made by their scripts, and decided as it was agreed on."""

import runpy
from pathlib import Path

import pytest

from revops.adapters.wire import read_snapshot, write_plans, write_snapshot
from revops.core import Code, decide
from revops.core.actions import SetFee, StartRebalance
from revops.core.plan import decisive
from revops.core.rebalance.decide import rebalance

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"


@pytest.mark.parametrize("name", ["forty", "regtest"])
def test_the_plan_of_an_example_stays(name: str) -> None:
    """
    An example gives the plans that were committed for it; `make golden` agrees on a new one.
    """
    snapshot, config = read_snapshot((EXAMPLES / f"{name}.json").read_bytes())

    plans = write_plans(decide(snapshot, config), rebalance(snapshot, config))
    assert plans == (HERE / f"{name}.json").read_text("utf-8")


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
        *(Code.BALANCE, Code.BELIEF, Code.BELIEF_STANDS, Code.BELIEF_NOT_LIVE),
        *(Code.BELIEF_NOBODY, Code.BELIEF_RESTING),
        *(Code.STEP_LIMIT, Code.DEAD_BAND, Code.GOSSIP_CHANNEL),
    }
    assert 10 < sum(isinstance(d.action, SetFee) for d in plan.decisions) < 30


def test_some_of_the_forty_are_filled_and_some_are_not() -> None:
    """
    Somebody who reads the example meets refills that start, and the usual reasons against others.
    """
    snapshot, config = read_snapshot((EXAMPLES / "forty.json").read_bytes())
    decisions = rebalance(snapshot, config).decisions
    starts = [d for d in decisions if isinstance(d.action, StartRebalance)]
    refused = {decisive(d).code for d in decisions if not isinstance(d.action, StartRebalance)}

    assert len(starts) >= 2
    assert refused >= {
        *(Code.FUTILE, Code.ENGAGED, Code.UPTIME_LOW, Code.NO_OUTFLOW),
        *(Code.DEARER_THAN_SOLD, Code.PRICE_CLOSES_GAP, Code.CAN_GIVE, Code.GIVES),
    }
