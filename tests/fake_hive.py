"""A cl-hive with state: it takes and answers what the real one does, and refuses what that does."""

import re
from collections.abc import Callable
from typing import Any

_PEER = re.compile("0[23][0-9a-f]{64}")
_REQUIRED = object()


class HiveRefusalError(Exception):
    """
    Parameters that the real one's framework refuses.
    """


class FakeHive:
    """
    Attributes:
        there: Whether it runs.
        us: Our node.
        tiers: By node, "member" or "neophyte"; empty where there is no hive.
        profiles: By peer, what was found out of the fees toward it.
        busy: By member, the peers whose channels it fills.
        observations: What was reported of fees.
        health, liquidity: What was reported of us last.
        period_costs: What refills of this settlement period cost, as reported last.
    """

    def __init__(self, us: str) -> None:
        self.there = False
        self.us = us
        self.tiers: dict[str, str] = {}
        self.profiles: dict[str, dict[str, Any]] = {}
        self.busy: dict[str, set[str]] = {}
        self.observations: list[dict[str, Any]] = []
        self.health: dict[str, Any] = {}
        self.liquidity: dict[str, Any] = {}
        self.period_costs: int | None = None

    def join(self, tier: str = "member") -> None:
        """
        Be there, with us in it.
        """
        self.there = True
        self.tiers[self.us] = tier

    def learn(self, peer_id: str, optimal: int, confidence: float) -> None:
        """
        Have members report of the fees toward *peer_id*.
        """
        self.profiles[peer_id] = {
            "peer_id": peer_id,
            "avg_fee_charged": optimal,
            "min_fee": optimal // 2,
            "max_fee": optimal * 2,
            "fee_volatility": 0.15,
            "estimated_elasticity": -0.8,
            "optimal_fee_estimate": optimal,
            "confidence": confidence,
            "market_share": 0.0,
            "hive_capacity_sats": 6_000_000,
            "hive_reporters": 3,
            "last_updated": 1_795_000_000,
        }

    def answer(self, method: str, params: dict[str, Any]) -> Any:
        """
        Return the reply to a call.
        """
        handle, wanted = METHODS[method]
        if unknown := set(params) - set(wanted):
            raise HiveRefusalError(", ".join(unknown))
        given = wanted | params
        if missing := [name for name, value in given.items() if value is _REQUIRED]:
            raise HiveRefusalError(", ".join(missing))
        return handle(self, given)

    def _status(self, _given: dict[str, Any]) -> Any:
        tiers, ours = list(self.tiers.values()), self.tiers.get(self.us)
        membership = {"tier": None, "joined_at": None}
        if ours:
            membership = {"tier": ours, "joined_at": 1_795_000_000, "pubkey": self.us}
        return {
            "status": "active" if tiers else "no_members",
            "governance_mode": "advisor",
            "membership": membership,
            "members": {
                "total": len(tiers),
                "member": tiers.count("member"),
                "neophyte": tiers.count("neophyte"),
            },
            "limits": {"max_members": 50, "market_share_cap": 0.2},
            "version": "0.1.0-dev",
        }

    def _members(self, _given: dict[str, Any]) -> Any:
        rows = [
            {"peer_id": peer_id, "tier": tier, "joined_at": 1_795_000_000, "uptime_pct": 99.0}
            for peer_id, tier in self.tiers.items()
        ]
        return {"count": len(rows), "members": rows}

    def _intel(self, given: dict[str, Any]) -> Any:
        if given["action"] == "list":
            return {"peers": list(self.profiles.values())[:100], "count": len(self.profiles)}
        if not given["peer_id"]:
            return {"error": "peer_id required for query action"}
        found = self.profiles.get(given["peer_id"])
        return found or {"error": "no_data", "peer_id": given["peer_id"]}

    def _conflict(self, given: dict[str, Any]) -> Any:
        if self.tiers.get(self.us) != "member":
            return {"error": "permission_denied", "required_tier": "member"}
        for member, peers in self.busy.items():
            if given["peer_id"] in peers:
                return {
                    "conflict": True,
                    "member_id": member,
                    "peer_id": given["peer_id"],
                    "recommendation": "delay_rebalance",
                    "reason": f"Member {member[:12]}... is actively rebalancing through this peer",
                }
        return {"conflict": False}

    def _observe(self, given: dict[str, Any]) -> Any:
        _demand_peer(given["peer_id"])
        for name in ("our_fee_ppm", "volume_sats", "forward_count"):
            _demand_count(name, given[name])
        if given["period_hours"] <= 0:
            return {"error": "Failed to store observation: period_hours"}
        self.observations.append(given)
        return {
            "status": "accepted",
            "observation_id": len(self.observations),
            "peer_id": given["peer_id"],
        }

    def _report_health(self, given: dict[str, Any]) -> Any:
        counts = ("profitable_channels", "underwater_channels", "stagnant_channels")
        for name in counts:
            _demand_count(name, given[name])
        if not any(given[name] for name in counts):
            return {"error": "At least one channel category must have a non-zero count"}
        _demand(given["revenue_trend"] in {"improving", "stable", "declining"}, "revenue_trend")
        _demand(0 <= given["liquidity_score"] <= 100, "liquidity_score")
        self.health = given
        return {"status": "reported", "health_score": 65, "health_tier": "stable"}

    def _report_liquidity(self, given: dict[str, Any]) -> Any:
        for name in ("depleted_channels", "saturated_channels"):
            for row in given[name] or []:
                _demand_peer(row["peer_id"])
                _demand_count("capacity_sats", row["capacity_sats"])
                _demand(0 <= row["local_pct"] <= 1, "local_pct")
        _demand(type(given["rebalancing_active"]) is bool, "rebalancing_active")
        for peer_id in given["rebalancing_peers"]:
            _demand_peer(peer_id)
        self.liquidity = given
        return {
            "status": "recorded",
            "depleted_count": len(given["depleted_channels"]),
            "saturated_count": len(given["saturated_channels"]),
        }

    def _report_costs(self, given: dict[str, Any]) -> Any:
        costs = given["rebalance_costs_sats"]
        if type(costs) is not int or costs < 0:
            return {"error": "rebalance_costs_sats must be a non-negative integer"}
        self.period_costs = costs
        return {"status": "accepted", "rebalance_costs_sats": costs}


def _demand(so: object, name: str) -> None:
    # The real one takes many of these as they come, and is wrong from then on.
    if not so:
        raise HiveRefusalError(name)


def _demand_peer(value: Any) -> None:
    _demand(isinstance(value, str) and _PEER.fullmatch(value), "peer_id")


def _demand_count(name: str, value: Any) -> None:
    _demand(type(value) is int and value >= 0, name)


Handler = Callable[[FakeHive, dict[str, Any]], Any]

METHODS: dict[str, tuple[Handler, dict[str, Any]]] = {
    "hive-status": (FakeHive._status, {}),
    "hive-members": (FakeHive._members, {}),
    "hive-fee-intel-query": (FakeHive._intel, {"peer_id": None, "action": "query"}),
    "hive-check-rebalance-conflict": (FakeHive._conflict, {"peer_id": _REQUIRED}),
    "hive-report-fee-observation": (
        FakeHive._observe,
        {
            "peer_id": "",
            "our_fee_ppm": 0,
            "their_fee_ppm": None,
            "volume_sats": 0,
            "forward_count": 0,
            "period_hours": 1.0,
            "revenue_rate": None,
        },
    ),
    "hive-report-health": (
        FakeHive._report_health,
        {
            "profitable_channels": 0,
            "underwater_channels": 0,
            "stagnant_channels": 0,
            "total_channels": None,
            "revenue_trend": "stable",
            "liquidity_score": 50,
        },
    ),
    "hive-report-liquidity-state": (
        FakeHive._report_liquidity,
        {
            "depleted_channels": None,
            "saturated_channels": None,
            "rebalancing_active": False,
            "rebalancing_peers": None,
        },
    ),
    "hive-report-period-costs": (FakeHive._report_costs, {"rebalance_costs_sats": _REQUIRED}),
}
"""By method: who handles it, and what it takes."""
