"""Levers: what an operator would set to change what a reason says."""

import enum
import functools
from typing import Final

import attrs

from revops.core.reasons import Code


class Kind(str, enum.Enum):
    """
    Where a lever is found.
    """

    OPTION = "option"
    POLICY = "policy"
    COMMAND = "command"


@attrs.frozen
class Lever:
    """
    Something that an operator can set.

    Attributes:
        name: An option, a field of `revenue-policy set`, or a command, as it is typed.
    """

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"revenue-policy {self.name}" if self.kind is Kind.POLICY else self.name


@attrs.frozen
class Remedy:
    """
    What changes what a reason says.

    Attributes:
        levers: What the operator can do, the most direct first; never empty.
        waits_for: What time or the network has to do, where no lever does it: the levers are
            then the nearest that there are. Empty where a lever is all it takes.
    """

    levers: tuple[Lever, ...]
    waits_for: str = ""


def _by(*levers: Lever, waits_for: str = "") -> Remedy:
    return Remedy(levers, waits_for)


_option: Final = functools.partial(Lever, Kind.OPTION)
_policy: Final = functools.partial(Lever, Kind.POLICY)

_SET_FEE: Final = Lever(Kind.COMMAND, "revenue-set-fee")
_WAKE_ALL: Final = Lever(Kind.COMMAND, "revenue-wake-all")
_REFILL: Final = Lever(Kind.COMMAND, "revenue-rebalance")
_STRATEGY: Final = _policy("strategy")
_CEILING: Final = (_option("max-fee-ppm"), _policy("max_fee_ppm"))
_FLOOR: Final = (_option("min-fee-ppm"), _policy("min_fee_ppm"))
_FACTOR: Final = (_policy("fee_multiplier_min"), _policy("fee_multiplier_max"))
_CONGESTION: Final = _option("htlc-congestion-threshold")
_REFLEX: Final = _option("vegas-reflex")
_DECAY: Final = _option("vegas-decay")
_SCARCITY: Final = _option("scarcity-pricing")
_THRESHOLD: Final = _option("scarcity-threshold")
_INTERVAL: Final = _option("fee-interval")
_SIZES: Final = (_option("rebalance-max-amount"), _option("rebalance-chunk"))
_DEAREST: Final = _option("rebalance-max-ppm")
_REBALANCE: Final = _policy("rebalance")
_LOW: Final = _option("low-liquidity-threshold")
_HIGH: Final = _option("high-liquidity-threshold")
_WINDOW: Final = _option("flow-window-days")
_BUDGET: Final = (
    _option("daily-budget-sats"),
    _option("weekly-budget-sats"),
    _option("proportional-budget-pct"),
)
_PROFIT: Final = (_option("rebalance-min-profit"), _option("rebalance-min-profit-ppm"))
_PIN_ENDS: Final = "the time of the price that was set runs out"
_EVIDENCE: Final = "payments have to come, or stay away, for long enough"

REMEDIES: Final[dict[Code, Remedy]] = {
    # Standing
    Code.PASSIVE: _by(_STRATEGY),
    Code.STATIC: _by(_policy("fee_ppm"), _STRATEGY),
    Code.HIVE: _by(_option("hive-fee-ppm"), _STRATEGY),
    Code.PINNED: _by(_SET_FEE, waits_for=_PIN_ENDS),
    Code.MANUAL_CHANGE: _by(_SET_FEE, waits_for=_PIN_ENDS),
    Code.ORDERED: _by(_SET_FEE),
    Code.NO_SCID: _by(_STRATEGY, waits_for="the funding transaction needs more blocks on top"),
    Code.NOT_NORMAL: _by(_STRATEGY, waits_for="the channel has to reach CHANNELD_NORMAL"),
    Code.FIRST_CONTACT: _by(_SET_FEE, _STRATEGY),
    Code.NEW_CHANNEL: _by(_SET_FEE, _option("min-fee-ppm"), _STRATEGY),
    # Bounds
    Code.BOUNDS: _by(*_FLOOR, *_CEILING),
    Code.POLICY_BOUNDS: _by(_policy("min_fee_ppm"), _policy("max_fee_ppm")),
    Code.CHAIN_FLOOR: _by(*_CEILING, waits_for="on-chain fees fall, or more volume leaves"),
    Code.NO_FEERATES: _by(*_FLOOR, waits_for="lightningd has to know feerates"),
    Code.REFILL_FLOOR: _by(_option("rebalance-max-ppm"), *_CEILING),
    Code.STALE_CEILING: _by(*_CEILING, _STRATEGY, waits_for="a payment has to leave"),
    Code.FLOOR_ABOVE_CEILING: _by(*_CEILING, *_FLOOR),
    # Congestion, Vegas, scarcity
    Code.CONGESTED: _by(_CONGESTION, *_CEILING),
    Code.CONGESTION_EASES: _by(_CONGESTION, _INTERVAL),
    Code.VEGAS_SPIKE: _by(_REFLEX, _DECAY),
    Code.VEGAS_DECAY: _by(_DECAY, _REFLEX),
    Code.VEGAS_CALM: _by(_REFLEX, waits_for="on-chain fees have to rise"),
    Code.VEGAS_BLIND: _by(_INTERVAL, waits_for="a feerate is sampled in each cycle"),
    Code.VEGAS_FLOOR: _by(_REFLEX, _DECAY),
    Code.SCARCITY: _by(_THRESHOLD, _SCARCITY, _policy("fee_multiplier_max")),
    Code.AMNESTY: _by(_SCARCITY, _policy("fee_multiplier_min")),
    Code.MULTIPLIER: _by(*_FACTOR),
    Code.BALANCE: _by(_option("balance-factor"), *_FACTOR),
    # Belief
    Code.HIVE_HINT: _by(_option("hive-enabled")),
    Code.BELIEF: _by(_STRATEGY, *_FLOOR, *_CEILING),
    Code.BELIEF_STANDS: _by(_SET_FEE, _STRATEGY, waits_for=_EVIDENCE),
    Code.BELIEF_BLIND: _by(
        _option("rpc-timeout-seconds"), waits_for="lightningd has to list its forwards"
    ),
    Code.BELIEF_NOT_LIVE: _by(_STRATEGY, waits_for="the channel has to be able to forward"),
    Code.BELIEF_NOBODY: _by(*_FLOOR, _STRATEGY),
    Code.BELIEF_RESTING: _by(_WAKE_ALL, *_FLOOR),
    # Hill climbing
    Code.CLIMB_BLIND: _by(
        _option("rpc-timeout-seconds"), waits_for="lightningd has to list its forwards"
    ),
    Code.CLIMB_PAUSED: _by(_SCARCITY, _THRESHOLD, _REFLEX, _CONGESTION),
    Code.CLIMB_NOT_LIVE: _by(_STRATEGY, waits_for="the channel has to be able to forward"),
    Code.CLIMB_WAITING: _by(_SET_FEE, _STRATEGY, waits_for=_EVIDENCE),
    Code.CLIMB_COMPARING: _by(_SET_FEE, _STRATEGY, waits_for=_EVIDENCE),
    Code.CLIMB_PROBE: _by(_STRATEGY, *_FLOOR, *_CEILING),
    Code.CLIMB_BETTER: _by(_STRATEGY, *_CEILING, *_FLOOR),
    Code.CLIMB_WORSE: _by(_STRATEGY, *_FLOOR, *_CEILING),
    Code.CLIMB_UNDECIDED: _by(_STRATEGY, *_FLOOR, *_CEILING),
    Code.CLIMB_NOBODY: _by(*_FLOOR, _STRATEGY),
    Code.CLIMB_RESTING: _by(_WAKE_ALL, *_FLOOR),
    Code.CLIMB_WOKE: _by(_STRATEGY),
    Code.CLIMB_NO_ROOM: _by(*_FLOOR, *_CEILING),
    Code.CLIMB_QUIET: _by(_SET_FEE, *_FLOOR, waits_for="a payment has to leave"),
    # Rails
    Code.STEP_LIMIT: _by(_SET_FEE, _INTERVAL),
    Code.UNCHANGED: _by(_SET_FEE, _STRATEGY),
    Code.DEAD_BAND: _by(_SET_FEE),
    Code.HTLC_MAX: _by(_option("htlc-max")),
    Code.GOSSIP_CHANNEL: _by(_option("max-fee-updates-per-day"), _SET_FEE),
    Code.GOSSIP_NODE: _by(_option("max-node-updates-per-hour"), _SET_FEE),
    Code.PAUSED: _by(_option("paused")),
    Code.AUTHORITY: _by(_option("authority")),
    Code.SET: _by(_option("base-fee-msat"), _option("dry-run")),
    # Rebalancing: the node
    Code.NO_REBALANCER: _by(_option("rebalancer")),
    Code.NO_LIQUIDITY_RIGHT: _by(_option("authority")),
    Code.REBALANCING_PAUSED: _by(_option("paused")),
    Code.ENGINE_TROUBLE: _by(_option("rebalancer"), waits_for="sling has to answer"),
    Code.ENGINE_ABSENT: _by(
        _option("rebalancer"), waits_for="sling has to be installed and started"
    ),
    Code.ENGINE_OLD: _by(_option("sling-min-version")),
    Code.SPENDING_UNKNOWN: _by(
        _option("rpc-timeout-seconds"), waits_for="what moved in the node has to be read"
    ),
    Code.RESERVE_UNKNOWN: _by(
        _option("min-wallet-reserve"),
        _option("rpc-timeout-seconds"),
        waits_for="lightningd has to list its funds",
    ),
    Code.RESERVE_LOW: _by(_option("min-wallet-reserve")),
    Code.BUDGET: _by(*_BUDGET),
    Code.BUDGET_SPENT: _by(*_BUDGET, waits_for="what was spent has to be a day, or a week, ago"),
    Code.JOBS_FULL: _by(_option("max-concurrent-jobs"), waits_for="one of them has to end"),
    Code.ONE_AT_A_TIME: _by(_option("rebalancer"), waits_for="the rebalance that runs has to end"),
    Code.LOSING: _by(*_PROFIT, _option("daily-budget-sats")),
    Code.PROFIT_UNKNOWN: _by(*_PROFIT, waits_for="forwards and what moved have to be counted"),
    # Rebalancing: the channel
    Code.NOT_CARRYING: _by(_REBALANCE, waits_for="the channel has to reach CHANNELD_NORMAL"),
    Code.SHORT: _by(_LOW),
    Code.NOT_SHORT: _by(_LOW),
    Code.CAN_GIVE: _by(_HIGH, _REBALANCE),
    Code.GIVES: _by(_REBALANCE, _option("rebalance-max-amount")),
    Code.ENGAGED: _by(_REBALANCE, waits_for="that rebalance has to end"),
    Code.FILL_FORBIDDEN: _by(_REBALANCE),
    Code.DRAIN_FORBIDDEN: _by(_REBALANCE),
    Code.FILLS_ITSELF: _by(_REBALANCE, _WINDOW, waits_for="more has to leave than comes in"),
    Code.FLOW_UNKNOWN: _by(
        _option("rpc-timeout-seconds"), waits_for="lightningd has to list its forwards"
    ),
    Code.NEVER_LIVE: _by(_REBALANCE, waits_for="the channel has to be able to forward"),
    Code.NO_OUTFLOW: _by(_SET_FEE, _WINDOW, waits_for="a payment has to leave"),
    Code.OFFLINE: _by(_REBALANCE, waits_for="the peer has to come back"),
    Code.UPTIME_UNKNOWN: _by(_REBALANCE, waits_for="a day has to pass"),
    Code.UPTIME_LOW: _by(_REBALANCE, waits_for="the peer has to stay connected"),
    Code.SLOTS_UNKNOWN: _by(_REBALANCE, waits_for="lightningd has to list max_accepted_htlcs"),
    Code.SLOTS_BUSY: _by(_CONGESTION, waits_for="payments have to settle"),
    Code.STILL_CONGESTED: _by(_CONGESTION, _INTERVAL),
    Code.FOREIGN_JOB: _by(_REBALANCE, waits_for="whoever started it has to delete it"),
    Code.COOLING_DOWN: _by(_option("rebalance-cooldown-hours")),
    Code.CONTESTED: _by(_option("hive-enabled"), waits_for="that rebalance has to end"),
    Code.FUTILE: _by(_option("futility-failures"), _option("futility-cooldown-hours")),
    Code.PRICE_CLOSES_GAP: _by(_SCARCITY, _THRESHOLD, _policy("fee_multiplier_max")),
    Code.ROUTE_COST_UNKNOWN: _by(_REBALANCE, waits_for="the peer has to send a channel_update"),
    Code.WANTED: _by(_LOW, _WINDOW),
    Code.COVERED: _by(_LOW, _WINDOW, waits_for="more has to leave"),
    Code.TOO_LITTLE: _by(_option("rebalance-min-amount"), waits_for="more has to leave"),
    Code.SIBLING: _by(_REBALANCE),
    Code.KELLY: _by(
        _option("enable-kelly"),
        _option("kelly-fraction"),
        waits_for="more of what was refilled has to be sold",
    ),
    Code.PAIR: _by(*_PROFIT, _DEAREST),
    Code.NO_SOURCE: _by(
        _HIGH, _option("rebalance-min-amount"), waits_for="payments have to come in elsewhere"
    ),
    Code.NO_RETURN: _by(_HIGH, waits_for="a week has to pass since then"),
    Code.EARNS_TOO_LITTLE: _by(
        *_PROFIT, waits_for="more has to leave, or a route has to get cheaper"
    ),
    Code.DEARER_THAN_ALLOWED: _by(_DEAREST),
    Code.DEARER_THAN_SOLD: _by(_SET_FEE, *_CEILING, waits_for="a route has to get cheaper"),
    Code.SOURCES_TAKEN: _by(_HIGH, waits_for="those have to end"),
    Code.OUTBID: _by(_option("max-concurrent-jobs"), waits_for="one of them has to end"),
    Code.BUDGET_SHORT: _by(*_BUDGET),
    Code.REFILL: _by(_REBALANCE, _option("dry-run")),
    # Rebalancing: what the operator orders
    Code.REFILL_ORDERED: _by(_REFILL),
    Code.NO_ROOM: _by(_REFILL),
    Code.CANNOT_GIVE: _by(_REFILL, _option("rebalance-chunk")),
    Code.FEE_TOO_LOW: _by(_REFILL),
    # Rebalances that run
    Code.JOB_OVER: _by(*_SIZES),
    Code.JOB_STOPPING: _by(_option("rebalancer"), waits_for="a payment under way has to end first"),
    Code.JOB_DONE: _by(*_SIZES),
    Code.JOB_STUCK: _by(*_SIZES, waits_for="the channel has to be able to receive"),
    Code.JOB_UNWANTED: _by(_option("paused"), _option("rebalancer"), _option("authority")),
    Code.JOB_OVERCHARGED: _by(_DEAREST),
    Code.JOB_LEAKS: _by(_policy("rebalance"), *_SIZES),
    Code.JOB_HANGS: _by(*_SIZES, waits_for="a payment under way has to end first"),
    Code.JOB_EXPIRED: _by(*_SIZES, _DEAREST),
    Code.JOB_NO_ROUTE: _by(*_SIZES, waits_for="a route has to be found"),
    Code.JOB_TOO_EXPENSIVE: _by(_DEAREST, waits_for="a cheaper route has to be found"),
}
"""What changes each reason. There is always something, be it the nearest."""
