"""A routing node of any size, drawn from a seed: what it lists is a function of the time."""

import bisect
import hashlib
import itertools
import json
import random  # noqa: TID251 -- examples are drawn here, not decisions
from typing import Any

from fakes import UNKNOWN_METHOD, RpcRefusalError

from revops.adapters.errors import NodeRefusedError

DAY = 86_400
HEIGHT = 930_000
FORWARDS_A_DAY = 18
"""Forwards per channel, failed ones included: 125 in a week, of which 100 settle."""
_BLOCK = 1000
# Every so many forwards one is refused on the spot; those get no updated_index.
_REFUSED_EVERY = 20
_NO_MONEY = {
    "listfunds": {"outputs": [], "channels": []},
    "listchannelmoves": {"channelmoves": []},
    "listsendpays": {"payments": []},
    "listclosedchannels": {"closedchannels": []},
    "bkpr-listaccountevents": {"events": []},
    "listconfigs": {"configs": {"sling-timeoutpay": {"value_int": 120}}},
    "sling-version": {"version": "v4.3.1"},
    "sling-jobsettings": {},
    "sling-stats": [],
}
"""What a node answers that keeps books and moved nothing, and a sling that is at nothing."""


def _hex(digits: int, *parts: object) -> str:
    text = ":".join(map(str, parts))
    return hashlib.shake_128(text.encode()).hexdigest(digits // 2)


class GeneratedNode:
    """
    A node of *size* channels, a tenth of them second ones with their peer.

    A few channels carry most of the forwards and every twelfth carries none; some drain and some
    fill. Forwards come evenly since a week before it was made, or *history* of them came before.
    It answers what the plugin asks, in the shape of v26.06.

    Attributes:
        calls: Names of the methods called so far.
    """

    def __init__(self, size: int, now: int, seed: int = 1, history: int | None = None) -> None:
        self.now = now
        self.calls: list[str] = []
        self._seed = seed
        self._step = DAY / (FORWARDS_A_DAY * size)
        self._start = now - (7 * DAY if history is None else history * self._step)
        self._draw = random.Random(f"channels {seed} {size}")
        self.channels = [self._channel(number) for number in range(size)]
        self._by_scid = {channel["short_channel_id"]: channel for channel in self.channels}
        busy = [
            self._draw.lognormvariate(0, 1.2) * (self._draw.random() > 1 / 12)
            for _ in self.channels
        ]
        drift = [self._draw.uniform(-1, 1) for _ in self.channels]
        self._leaving = list(
            itertools.accumulate(b * (1 + d) for b, d in zip(busy, drift, strict=True))
        )
        self._entering = list(
            itertools.accumulate(b * (1 - d) for b, d in zip(busy, drift, strict=True))
        )
        self._blocks: dict[int, list[dict[str, Any]]] = {}
        self.info = {
            "id": "03" + _hex(64, "us", seed),
            "alias": f"generated-{size}",
            "color": "008040",
            "num_peers": size * 9 // 10,
            "num_pending_channels": 0,
            "num_active_channels": size,
            "num_inactive_channels": 0,
            "address": [],
            "binding": [],
            "version": "v26.06.6",
            "blockheight": HEIGHT,
            "network": "bitcoin",
            "fees_collected_msat": 0,
            "lightning-dir": "/home/operator/.lightning/bitcoin",
        }

    def answer(self, method: str, params: dict[str, Any]) -> Any:
        """
        Return the reply to a call.
        """
        self.calls.append(method)
        return _NO_MONEY[method] if method in _NO_MONEY else self._told(method, params)

    def _told(self, method: str, params: dict[str, Any]) -> Any:
        match method:
            case "getinfo":
                return self.info
            case "listpeerchannels":
                return {"channels": self.channels}
            case "feerates":
                return self._feerates()
            case "listforwards":
                return {"forwards": self._listed(**params)}
            case "wait":
                forwards = params["subsystem"] == "forwards"
                created, updated = self._counted() if forwards else (0, 0)
                last = created if params["indexname"] == "created" else updated
                return {"subsystem": params["subsystem"], params["indexname"]: last}
            case "setchannel":
                return {"channels": [self._price(params)]}
            case _:
                # Other plugins, which are not there.
                raise RpcRefusalError(UNKNOWN_METHOD, f"Unknown command '{method}'")

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """
        Return the reply to a call, or refuse as the adapters know it: for who has no socket.
        """
        try:
            return self.answer(method, params)
        except RpcRefusalError as refusal:
            raise NodeRefusedError(method, refusal.code, refusal.message) from None

    def pass_by(self, seconds: int) -> None:
        """
        Let time go by; forwards come meanwhile.
        """
        self.now += seconds

    # Channels ------------------------------------------------------------------------------

    def _channel(self, number: int) -> dict[str, Any]:
        draw = self._draw
        peer = "02" + _hex(64, "peer", self._seed, number - (number % 10 == 9))
        capacity = 1000 * int(min(5e8, max(5e5, draw.lognormvariate(15.4, 0.9))))
        reserve = capacity // 100
        share = draw.choice(
            (draw.uniform(0, 0.2), draw.random(), draw.random(), draw.uniform(0.8, 1))
        )
        to_us = int(capacity * share)
        block = 700_000 + number * 229_000 // 10_000 % 229_000
        scid = f"{block}x{1 + number % 3000}x{draw.choice((0, 0, 1))}"
        ours = self._policy(draw.lognormvariate(5.2, 0.9), 0, capacity - reserve)
        theirs = self._policy(draw.lognormvariate(5.0, 1.1), 1000, capacity - reserve)
        connected = draw.random() < 0.97
        slots = draw.choice((0, 0, 0, 0, 0, 0, 0, 1, 4, 12)) if draw.random() > 0.01 else 28
        return {
            "peer_id": peer,
            "peer_connected": connected,
            "reestablished": connected,
            "channel_type": {"bits": [12, 22], "names": ["static_remotekey/even", "anchors/even"]},
            "ignore_fee_limits": False,
            "updates": {"local": ours, "remote": theirs},
            "state": "CHANNELD_NORMAL",
            "scratch_txid": _hex(64, "scratch", scid),
            "last_tx_fee_msat": 1_411_000,
            "lost_state": False,
            "feerate": {"perkw": 1255, "perkb": 5020},
            "owner": "channeld",
            "short_channel_id": scid,
            "direction": number % 2,
            "channel_id": _hex(64, "channel", self._seed, number),
            "funding_txid": _hex(64, "funding", self._seed, number),
            "funding_outnum": 0,
            "close_to_addr": "bc1p" + _hex(58, "close", scid),
            "close_to": "5120" + _hex(64, "close", scid),
            "private": False,
            "opener": "local" if draw.random() < 0.6 else "remote",
            "alias": {"local": f"{number + 1}x77x9899", "remote": f"{number + 1}x86x7086"},
            "features": ["option_static_remotekey", "option_anchors"],
            "funding": {
                "local_funds_msat": capacity,
                "remote_funds_msat": 0,
                "pushed_msat": 0,
                "withheld": False,
            },
            "to_us_msat": to_us,
            "min_to_us_msat": 0,
            "max_to_us_msat": capacity,
            "total_msat": capacity,
            "fee_base_msat": ours["fee_base_msat"],
            "fee_proportional_millionths": ours["fee_proportional_millionths"],
            "dust_limit_msat": 546_000,
            "their_max_htlc_value_in_flight_msat": 18_446_744_073_709_551_615,
            "our_max_htlc_value_in_flight_msat": 18_446_744_073_709_551_615,
            "their_reserve_msat": reserve,
            "our_reserve_msat": reserve,
            "spendable_msat": max(0, to_us - reserve),
            "receivable_msat": max(0, capacity - to_us - reserve),
            "minimum_htlc_in_msat": 0,
            "minimum_htlc_out_msat": 0,
            "maximum_htlc_out_msat": capacity - reserve,
            "their_to_self_delay": 144,
            "our_to_self_delay": 144,
            "max_accepted_htlcs": 30,
            "state_changes": [
                {
                    "timestamp": "2025-01-01T00:00:00.000Z",
                    "old_state": "CHANNELD_AWAITING_LOCKIN",
                    "new_state": "CHANNELD_NORMAL",
                    "cause": "user",
                    "message": "Lockin complete",
                }
            ],
            "status": ["CHANNELD_NORMAL:Channel ready for use. Channel announced."],
            "in_payments_offered": 0,
            "in_offered_msat": 0,
            "in_payments_fulfilled": 0,
            "in_fulfilled_msat": 0,
            "out_payments_offered": 0,
            "out_offered_msat": 0,
            "out_payments_fulfilled": 0,
            "out_fulfilled_msat": 0,
            "htlcs": [_htlc(scid, index) for index in range(slots)],
        }

    def _policy(self, ppm: float, base: int, most: int) -> dict[str, int]:
        return {
            "htlc_minimum_msat": 0,
            "htlc_maximum_msat": most,
            "cltv_expiry_delta": 34,
            "fee_base_msat": base,
            "fee_proportional_millionths": int(min(3000, max(1, ppm))),
        }

    def _price(self, params: dict[str, Any]) -> dict[str, Any]:
        channel = self._by_scid[params["id"]]
        most = channel["total_msat"] - channel["our_reserve_msat"]
        price = {
            "fee_base_msat": params["feebase"],
            "fee_proportional_millionths": params["feeppm"],
            "maximum_htlc_out_msat": min(
                most, params.get("htlcmax", channel["maximum_htlc_out_msat"])
            ),
        }
        channel.update(price)
        same = ("peer_id", "channel_id", "short_channel_id", "minimum_htlc_out_msat")
        return {name: channel[name] for name in same} | price

    def _feerates(self) -> dict[str, Any]:
        perkw = 1250 + int(100 * random.Random(self.now).random())
        estimates = [
            {"blockcount": blocks, "feerate": feerate, "smoothed_feerate": feerate}
            for blocks, feerate in ((2, perkw * 3), (6, perkw * 2), (12, perkw), (100, 253))
        ]
        known = {"min_acceptable": 126, "max_acceptable": 37_500, "floor": 253, "opening": perkw}
        return {"perkw": known | {"estimates": estimates}}

    # Forwards ------------------------------------------------------------------------------

    def _listed(self, index: str, start: int, limit: int) -> list[dict[str, Any]]:
        count, ended = self._counted()
        if index == "created":
            return [self._forward(k) for k in range(start, min(start + limit, count + 1))]
        return [
            self._forward(place + (place - 1) // (_REFUSED_EVERY - 1))
            for place in range(start, min(start + limit, ended + 1))
        ]

    def _counted(self) -> tuple[int, int]:
        count = int((self.now - self._start) / self._step)
        return count, count - count // _REFUSED_EVERY

    def _forward(self, created_index: int) -> dict[str, Any]:
        number, place = divmod(created_index, _BLOCK)
        if number not in self._blocks:
            if len(self._blocks) > 3:
                self._blocks.clear()
            self._blocks[number] = self._block(number)
        return self._blocks[number][place]

    def _block(self, number: int) -> list[dict[str, Any]]:
        draw = random.Random(f"forwards {self._seed} {number}")
        return [self._drawn(draw, number * _BLOCK + place) for place in range(_BLOCK)]

    def _drawn(self, draw: random.Random, index: int) -> dict[str, Any]:
        leaves = bisect.bisect(self._leaving, draw.random() * self._leaving[-1])
        enters = bisect.bisect(self._entering, draw.random() * self._entering[-1])
        out = self.channels[leaves]
        into = self.channels[enters if enters != leaves else enters - 1]
        amount = int(min(out["total_msat"] / 5, max(1000, draw.lognormvariate(17.4, 1.8))))
        fee = amount * out["fee_proportional_millionths"] // 1_000_000 + out["fee_base_msat"]
        at = self._start + index * self._step
        forward = {
            "created_index": index,
            "in_channel": into["short_channel_id"],
            "in_htlc_id": index,
            "out_channel": out["short_channel_id"],
            "in_msat": amount + fee,
            "received_time": round(at - draw.uniform(0.3, 5), 6),
        }
        if index % _REFUSED_EVERY == 0:
            reason = {"failcode": 4103, "failreason": "WIRE_TEMPORARY_CHANNEL_FAILURE"}
            return forward | reason | {"status": "local_failed"}
        return forward | {
            "updated_index": index - index // _REFUSED_EVERY,
            "out_htlc_id": index,
            "out_msat": amount,
            "fee_msat": fee,
            "status": "settled" if draw.random() < 0.84 else "failed",
            "style": "tlv",
            "resolved_time": round(at, 6),
        }


def _htlc(scid: str, index: int) -> dict[str, Any]:
    return {
        "direction": "out" if index % 2 else "in",
        "id": index,
        "amount_msat": 50_000_000,
        "expiry": HEIGHT + 144,
        "payment_hash": _hex(64, "payment", scid, index),
        "state": "SENT_ADD_ACK_REVOCATION" if index % 2 else "RCVD_ADD_ACK_REVOCATION",
    }


def as_text(reply: Any) -> str:
    """
    Return *reply* as lightningd sends it.
    """
    return json.dumps(reply, separators=(",", ":"))
