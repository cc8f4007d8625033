"""Obstacles: what keeps a channel from being filled or from giving, each by itself."""

from typing import Any

import attrs
from property.attempts import running, tried
from property.money import READY, ample, books, remembered, short
from property.world import peer

from revops.core.budget import Spending
from revops.core.config import Config
from revops.core.memory import FeeMemory, FlowState
from revops.core.policy import Policy, RebalanceMode
from revops.core.reasons import Code
from revops.core.treasury import Ending, Engine, Job
from revops.core.units import from_sats

SHORT, AMPLE = short(0), ample(1)


def knowing(**fields: Any) -> dict[str, Any]:
    """
    Return the treasury of a node that is ready, but for *fields*.
    """
    return {"treasury": attrs.evolve(READY, **fields)}


def ruled(number: int, mode: RebalanceMode) -> dict[str, Any]:
    """
    Return what a policy of one peer adds to a node.
    """
    return {"policies": [Policy(peer_id=peer(number), rebalance=mode)]}


def recalled(**fields: Any) -> dict[str, Any]:
    """
    Return what the memory of both channels adds to a node, with *fields* for the short one.
    """
    return {"memory": [remembered(SHORT, **fields), remembered(AMPLE)]}


FAILED = [
    tried(n, ending=Ending.NO_ROUTE, to_channel=SHORT.channel_id, to_peer=SHORT.peer_id)
    for n in range(10)
]
REFILLED = tried(to_channel=SHORT.channel_id, to_peer=SHORT.peer_id, from_channels=("ff" * 32,))
RUNNING = running(to_channel=SHORT.channel_id, to_peer=SHORT.peer_id, from_channels=("ff" * 32,))
GIVING = running(to_channel="ee" * 32, to_peer=peer(9), from_channels=(AMPLE.channel_id,))
ELSEWHERE = running(to_channel="ee" * 32, to_peer=peer(9), from_channels=("ff" * 32,))
JOB = Job(scid=SHORT.scid)
PARTNER = Job(scid="1x1x1", partners=(AMPLE.scid,))

Obstacle = tuple[Code, dict[str, Any], dict[str, Any]]

FILL: list[Obstacle] = [
    (Code.NOT_CARRYING, {"state": "CHANNELD_AWAITING_SPLICE"}, {}),
    (Code.NO_SCID, {"scid": None}, {}),
    (Code.ENGAGED, {}, knowing(attempts=(RUNNING,))),
    (Code.FILL_FORBIDDEN, {}, ruled(0, RebalanceMode.DISABLED)),
    (Code.FILL_FORBIDDEN, {}, ruled(0, RebalanceMode.SOURCE_ONLY)),
    (Code.FILLS_ITSELF, {}, recalled(state=FlowState.SINK)),
    (Code.FLOW_UNKNOWN, {"traffic": None}, {}),
    (Code.NEVER_LIVE, {"live_share": 0.0}, {}),
    (Code.NO_OUTFLOW, {"traffic": books()}, {}),
    (Code.OFFLINE, {"connected": False}, {}),
    (Code.UPTIME_UNKNOWN, {"peer_uptime": None}, {}),
    (Code.UPTIME_LOW, {"peer_uptime": 0.89}, {}),
    (Code.SLOTS_UNKNOWN, {"max_htlcs": None}, {}),
    (Code.SLOTS_BUSY, {"htlcs_out": 15}, {}),
    (Code.SLOTS_BUSY, {"htlcs_in": 15}, {}),
    (Code.STILL_CONGESTED, {}, recalled(fee=FeeMemory(congested=True))),
    (Code.FOREIGN_JOB, {}, knowing(engine=Engine(version="4.3.1", jobs=(JOB,)))),
    (Code.COOLING_DOWN, {}, knowing(attempts=(REFILLED,))),
    (Code.FUTILE, {}, knowing(attempts=FAILED)),
    (Code.CONTESTED, {}, knowing(contested=(SHORT.peer_id,))),
    (Code.ROUTE_COST_UNKNOWN, {"peer_fee_ppm": None}, {}),
    (Code.ROUTE_COST_UNKNOWN, {"peer_base_fee_msat": None}, {}),
    (Code.DEARER_THAN_SOLD, {"peer_fee_ppm": 451}, {}),
]
"""By what is said of it: what is changed about the channel that is short, and about the node."""
DRAIN: list[Obstacle] = [
    (Code.NOT_CARRYING, {"state": "ONCHAIN"}, {}),
    (Code.NO_SCID, {"scid": None}, {}),
    (Code.FLOW_UNKNOWN, {"traffic": None}, {}),
    (Code.NEVER_LIVE, {"live_share": 0.0}, {}),
    (Code.ENGAGED, {}, knowing(attempts=(GIVING,))),
    (Code.DRAIN_FORBIDDEN, {}, ruled(1, RebalanceMode.DISABLED)),
    (Code.DRAIN_FORBIDDEN, {}, ruled(1, RebalanceMode.SINK_ONLY)),
    (Code.OFFLINE, {"connected": False}, {}),
    (Code.UPTIME_UNKNOWN, {"peer_uptime": None}, {}),
    (Code.UPTIME_LOW, {"peer_uptime": 0.5}, {}),
    (Code.SLOTS_UNKNOWN, {"max_htlcs": None}, {}),
    (Code.SLOTS_BUSY, {"htlcs_out": 29}, {}),
    (Code.FOREIGN_JOB, {}, knowing(engine=Engine(version="4.3.1", jobs=(PARTNER,)))),
]
"""The same for the channel that gives."""
NODE: list[tuple[Code, Config, dict[str, Any]]] = [
    (Code.NO_REBALANCER, Config(rebalancer="none"), {}),
    (Code.NO_LIQUIDITY_RIGHT, Config(authority="fees"), {}),
    (Code.NO_LIQUIDITY_RIGHT, Config(authority="observe"), {}),
    (Code.REBALANCING_PAUSED, Config(paused=True), {}),
    (Code.ENGINE_TROUBLE, Config(), knowing(engine=None)),
    (Code.ENGINE_TROUBLE, Config(), {"treasury": None}),
    (Code.ENGINE_TROUBLE, Config(), knowing(engine=Engine(version="4.3.1", trouble="it hangs"))),
    (Code.ENGINE_TROUBLE, Config(), knowing(engine=Engine(version="4.3.1"))),
    (Code.ENGINE_ABSENT, Config(), knowing(engine=Engine())),
    (Code.ENGINE_ABSENT, Config(), knowing(engine=Engine(trouble="Unknown command", jobs=()))),
    (Code.ENGINE_TROUBLE, Config(), knowing(engine=Engine(trouble="no answer within 180 s"))),
    (Code.ENGINE_OLD, Config(), knowing(engine=Engine(version="v4.2.1", jobs=()))),
    (Code.SPENDING_UNKNOWN, Config(), knowing(spending=None)),
    (Code.RESERVE_UNKNOWN, Config(), {"onchain_msat": None}),
    (Code.RESERVE_LOW, Config(min_wallet_reserve=10_000_000), {}),
    (Code.BUDGET_SPENT, Config(daily_budget_sats=0, proportional_budget=False), {}),
    (Code.BUDGET_SPENT, Config(), knowing(spending=Spending(held_msat=from_sats(5_000)))),
    (Code.JOBS_FULL, Config(max_concurrent_jobs=1), knowing(attempts=(ELSEWHERE,))),
    (Code.ONE_AT_A_TIME, Config(), knowing(one_at_a_time=True, attempts=(ELSEWHERE,))),
]
"""What keeps the node from rebalancing at all."""
