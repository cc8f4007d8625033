"""Refilled: nodes that rebalance, one for each thing that a plan or an order says of it."""

from typing import Any

import attrs
from property.attempts import tried
from property.money import READY, ample, node, planned, short
from property.obstacles import AMPLE, DRAIN, FILL, NODE, SHORT, knowing
from property.world import START, peer

from revops.core.config import Config
from revops.core.plan import RebalancePlan
from revops.core.reasons import Code
from revops.core.rebalance.order import Order, ordered
from revops.core.units import DAY, from_sats

POOR = Config(daily_budget_sats=3, proportional_budget=False)
BACK = tried(
    at=START - 2 * DAY,
    to_channel=AMPLE.channel_id,
    to_peer=peer(9),
    from_channels=(SHORT.channel_id,),
)
UNSOLD = [tried(n, sold=0.0, to_channel="ee" * 32, to_peer=peer(9)) for n in range(9)]


def two(config: Config | None = None, **fields: Any) -> RebalancePlan:
    """
    Return the plan for a channel that is short and one that can give; *fields* are the former's.
    """
    return planned(attrs.evolve(SHORT, **fields), AMPLE, config=config)


def three(config: Config | None = None, **fields: Any) -> RebalancePlan:
    """
    Return the plan for two channels that are short, and more that can give.
    """
    return planned(short(0, fee_ppm=900), short(1, **fields), ample(2), ample(3), config=config)


def order(sats: int = 200_000, fee: int | None = None, **fields: Any) -> RebalancePlan:
    """
    Return what comes of an order to fill the channel that is short.
    """
    asked = Order(
        to_channels=frozenset({SHORT.channel_id}),
        from_channels=frozenset({AMPLE.channel_id}),
        amount_sats=sats,
        most_fee_msat=None if fee is None else from_sats(fee),
        force=False,
    )
    decision = ordered(asked, node(SHORT, attrs.evolve(AMPLE, **fields)), Config())
    return attrs.evolve(planned(), decisions=(decision,))


def _examples() -> dict[Code, Any]:
    obstacles = {
        code: lambda fields=fields, more=more: planned(attrs.evolve(SHORT, **fields), AMPLE, **more)
        for code, fields, more in reversed(FILL)
    }
    drains = {
        code: lambda fields=fields, more=more: planned(SHORT, attrs.evolve(AMPLE, **fields), **more)
        for code, fields, more in reversed(DRAIN)
        if code not in obstacles
    }
    blocks = {
        code: lambda config=config, more=more: planned(SHORT, AMPLE, config=config, **more)
        for code, config, more in reversed(NODE)
    }
    return obstacles | drains | blocks


REFILLED = _examples() | {
    Code.BUDGET: two,
    Code.LOSING: lambda: planned(**knowing(refill_cost_week_msat=from_sats(10**6))),
    Code.PROFIT_UNKNOWN: lambda: planned(**knowing(refill_cost_week_msat=None)),
    Code.SHORT: two,
    Code.NOT_SHORT: lambda: planned(short(share=0.4)),
    Code.CAN_GIVE: lambda: planned(AMPLE),
    Code.GIVES: lambda: planned(AMPLE, SHORT),
    Code.PRICE_CLOSES_GAP: lambda: planned(short(into=20), AMPLE),
    Code.WANTED: two,
    Code.COVERED: lambda: planned(short(out=1, share=0.15), AMPLE),
    Code.TOO_LITTLE: lambda: two(Config(rebalance_min_amount=5_000_000)),
    Code.SIBLING: lambda: three(peer_id=peer(0)),
    Code.KELLY: lambda: planned(
        SHORT,
        AMPLE,
        config=Config(enable_kelly=True),
        treasury=attrs.evolve(READY, attempts=UNSOLD),
    ),
    Code.PAIR: two,
    Code.NO_SOURCE: lambda: planned(SHORT),
    Code.NO_RETURN: lambda: planned(SHORT, AMPLE, **knowing(attempts=(BACK,))),
    Code.EARNS_TOO_LITTLE: lambda: two(Config(rebalance_min_profit=100_000)),
    Code.DEARER_THAN_ALLOWED: lambda: two(Config(rebalance_max_ppm=100)),
    Code.SOURCES_TAKEN: lambda: planned(short(0, fee_ppm=900), short(1), ample(2)),
    Code.OUTBID: lambda: three(Config(max_concurrent_jobs=1)),
    Code.BUDGET_SHORT: lambda: three(POOR),
    Code.REFILL: two,
    Code.REFILL_ORDERED: order,
    Code.NO_ROOM: lambda: order(100_000_000),
    Code.CANNOT_GIVE: lambda: order(htlc_max_msat=1),
    Code.FEE_TOO_LOW: lambda: order(fee=1),
}
