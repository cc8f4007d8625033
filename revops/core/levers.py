"""Levers: what an operator would set to change what a reason says."""

import enum
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


def _option(name: str) -> Lever:
    return Lever(Kind.OPTION, name)


def _policy(field: str) -> Lever:
    return Lever(Kind.POLICY, field)


_SET_FEE: Final = Lever(Kind.COMMAND, "revenue-set-fee")
_WAKE_ALL: Final = Lever(Kind.COMMAND, "revenue-wake-all")
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
    # Rebalances that run
    Code.JOB_OVER: _by(*_SIZES),
    Code.JOB_STOPPING: _by(_option("rebalancer"), waits_for="a payment under way has to end first"),
    Code.JOB_DONE: _by(*_SIZES),
    Code.JOB_STUCK: _by(*_SIZES, waits_for="the channel has to be able to receive"),
    Code.JOB_UNWANTED: _by(_option("paused"), _option("rebalancer"), _option("authority")),
    Code.JOB_OVERCHARGED: _by(_DEAREST),
    Code.JOB_LEAKS: _by(_policy("rebalance"), *_SIZES),
    Code.JOB_EXPIRED: _by(*_SIZES, _DEAREST),
    Code.JOB_NO_ROUTE: _by(*_SIZES, waits_for="a route has to be found"),
    Code.JOB_TOO_EXPENSIVE: _by(_DEAREST, waits_for="a cheaper route has to be found"),
}
"""What changes each reason. There is always something, be it the nearest."""
