"""A node with state: it answers as Core Lightning v26.06 does, and refuses what that refuses."""

import copy
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fake_books import FakeBooks, RefusedBooksError
from fake_clboss import METHODS as CLBOSS
from fake_clboss import ClbossRefusalError, FakeClboss
from fake_hive import METHODS as HIVE
from fake_hive import FakeHive, HiveRefusalError
from fake_sling import SLING, FakeSling, SilentSlingError
from fake_sling_orders import SlingRefusalError
from jsonschema import Draft202012Validator, validators

TESTS = Path(__file__).parent
RECORDINGS = TESTS / "contract" / "recordings"
SCHEMAS = TESTS / "e2e" / "schemas"

INVALID_PARAMS = -32602
PARSE_ERROR = -32700
UNKNOWN_METHOD = -32601
PRICEABLE = {"CHANNELD_NORMAL", "CHANNELD_AWAITING_LOCKIN", "DUALOPEND_AWAITING_LOCKIN"}


def recorded(name: str) -> Any:
    """
    Return a reply as a real node gave it.
    """
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))


class RpcRefusalError(Exception):
    """
    An error reply.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class HangUpError(Exception):
    """
    The end of a connection on which no answer was sent.
    """


def _whole(bits: int) -> Callable[[Any, Any], bool]:
    return lambda _checker, value: type(value) is int and 0 <= value < 1 << bits


def _text(pattern: str) -> Callable[[Any, Any], bool]:
    return lambda _checker, value: isinstance(value, str) and bool(re.fullmatch(pattern, value))


# Core Lightning's schemas have types of their own.
_TYPES = {
    **{f"u{bits}": _whole(bits) for bits in (8, 16, 32, 64)},
    "msat": _whole(64),
    "pubkey": _text("0[23][0-9a-f]{64}"),
    "hash": _text("[0-9a-f]{64}"),
    "secret": _text("[0-9a-f]{64}"),
    "txid": _text("[0-9a-f]{64}"),
    "hex": _text("([0-9a-f]{2})*"),
    "short_channel_id": _text(r"\d+x\d+x\d+"),
}
_Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(_TYPES),
)


class Schema:
    """
    What a method takes and answers, by Core Lightning's own documents.
    """

    def __init__(self, method: str) -> None:
        document = json.loads((SCHEMAS / f"{method}.json").read_text(encoding="utf-8"))
        self._request = document["request"]
        self._response = _Validator(document["response"])

    def names(self) -> tuple[str, ...]:
        """
        Return what may be given, in the order in which it may be given by place.
        """
        return tuple(self._request["properties"])

    def check_params(self, params: dict[str, Any]) -> None:
        """
        Refuse *params* as lightningd would.
        """
        for name in self._request.get("required", ()):
            if name not in params:
                raise RpcRefusalError(INVALID_PARAMS, f"missing required parameter: {name}")
        for name, value in params.items():
            known = self._request["properties"].get(name)
            if known is None:
                raise RpcRefusalError(INVALID_PARAMS, f"unknown parameter: {name}")
            if not _Validator(known).is_valid(value):
                message = (
                    f"{name}: should be a {known['type']}: invalid token '{json.dumps(value)}'"
                )
                raise RpcRefusalError(INVALID_PARAMS, message)

    def check_reply(self, reply: Any) -> None:
        """
        Fail where a real node would not have answered so.
        """
        self._response.validate(reply)


class FakeNode:
    """
    A node with channels, forwards and feerates; it starts as the recorded one was.

    Attributes:
        calls: Every call so far, with its parameters.
        before, after: By method, what happens before a call has an effect, and between its effect
            and its answer: whatever they raise is the answer.
        garbage: By method, what is done to a finished answer; it is not held to the schema then.
        strict: Whether its own answers are held to the schema, which takes most of its time.
        counters: Whether forwards have indexes, as they do since v23.11.
        absent: Methods that this version, or this choice of plugins, does not have.
        books: What it knows of money.
        hive: The plugin of those who route together, where it runs.
        clboss: The plugin that manages nodes by itself, where it runs.
        sling: The plugin that moves liquidity on it.
        lock: Held while it answers; whoever changes it while plugins run takes it.
    """

    def __init__(self, now: int, *, phase: str = "", counters: bool = True) -> None:
        self.now = now
        self.counters = counters
        self.absent: set[str] = set()
        self._unwilling: set[str] = set()
        self.info = recorded(f"{phase}getinfo")
        self.channels = recorded(f"{phase}listpeerchannels")["channels"]
        self.feerates = recorded(f"{phase}feerates_perkw")
        self.outputs = recorded("listfunds")["outputs"]
        self.forwards = _ending(recorded(f"{phase}listforwards")["forwards"], now - 60)
        self.books = FakeBooks(
            self.info["id"],
            self.channels,
            lambda method, key: _booked(f"{phase}{method}", key, now - 60),
        )
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        self.garbage: dict[str, Callable[[Any], Any]] = {}
        self.strict = True
        self.lock = threading.Lock()
        self.clboss = FakeClboss()
        self.hive = FakeHive(self.info["id"])
        self.sling = FakeSling(self)
        self._let_go = threading.Event()
        self._schemas = {method: Schema(method) for method in _METHODS}

    def answer(self, method: str, params: dict[str, Any]) -> Any:
        """
        Return the reply to a call, or raise what comes instead.
        """
        self.calls.append((method, params))
        if method not in self._known() or method in self.absent:
            raise RpcRefusalError(UNKNOWN_METHOD, f"Unknown command '{method}'")
        self.before.get(method, _nothing)()
        with self.lock:
            reply = self._reply(method, params)
        comparable = method in _METHODS and (self.counters or method != "listforwards")
        if comparable and self.strict:
            self._schemas[method].check_reply(reply)
        self.after.get(method, _nothing)()
        return self.garbage.get(method, _as_it_is)(reply)

    def _known(self) -> set[str]:
        plugins = (self.sling, SLING), (self.clboss, CLBOSS), (self.hive, HIVE)
        return {*_METHODS}.union(*(methods for plugin, methods in plugins if plugin.there))

    def _reply(self, method: str, params: Any) -> Any:
        if method in SLING:
            return self._ask_sling(method, params)
        if method in CLBOSS:
            return self._ask_clboss(method, params)
        if method in HIVE:
            return self._ask_hive(method, params)
        self._schemas[method].check_params(params)
        return copy.deepcopy(_METHODS[method](self, params))

    def _ask_sling(self, method: str, params: Any) -> Any:
        try:
            return self.sling.answer(method, params)
        except SlingRefusalError as refusal:
            raise RpcRefusalError(PARSE_ERROR, str(refusal)) from None
        except SilentSlingError:
            raise HangUpError from None

    def _ask_clboss(self, method: str, params: Any) -> Any:
        try:
            return self.clboss.answer(method, params)
        except ClbossRefusalError as refusal:
            raise RpcRefusalError(INVALID_PARAMS, str(refusal)) from None

    def _ask_hive(self, method: str, params: Any) -> Any:
        try:
            return copy.deepcopy(self.hive.answer(method, params))
        except HiveRefusalError as refusal:
            raise RpcRefusalError(INVALID_PARAMS, str(refusal)) from None

    def _help(self, _params: dict[str, Any]) -> Any:
        return {"help": [{"command": method} for method in sorted(self._known())]}

    def _listconfigs(self, params: dict[str, Any]) -> Any:
        name, known = params.get("config"), self.sling.options if self.sling.there else {}
        if name is not None and name not in known:
            raise RpcRefusalError(
                INVALID_PARAMS, f"config: Unknown config option: invalid token '{json.dumps(name)}'"
            )
        return {"configs": known if name is None else {name: known[name]}}

    def never_answer(self) -> None:
        """
        Keep a call waiting until `let_go`, and hang up then.
        """
        self._let_go.wait()
        raise HangUpError

    def let_go(self) -> None:
        """
        Hang up on those who wait, and on whoever waits later at once.
        """
        self._let_go.set()

    def called(self, method: str) -> list[dict[str, Any]]:
        """
        Return the parameters of every call of *method*.
        """
        return [params for name, params in self.calls if name == method]

    def channel(self, scid: str) -> dict[str, Any]:
        """
        Return the channel *scid* for the test to look at or to change.
        """
        return next(c for c in self.channels if c.get("short_channel_id") == scid)

    def fees(self) -> dict[str, tuple[int, int]]:
        """
        Return ppm and base of every channel.
        """
        return {
            c["short_channel_id"]: (c["fee_proportional_millionths"], c["fee_base_msat"])
            for c in self.channels
        }

    def forward(self, enters: str, leaves: str, amount_msat: int, at: float) -> dict[str, Any]:
        """
        Forward a payment that settles at once, at the fee in force, and return its row.
        """
        out = self.channel(leaves)
        fee = amount_msat * out["fee_proportional_millionths"] // 1_000_000 + out["fee_base_msat"]
        assert amount_msat <= out["spendable_msat"], "a real node would refuse this forward"
        out["to_us_msat"] -= amount_msat
        out["spendable_msat"] -= amount_msat
        self.channel(enters)["to_us_msat"] += amount_msat + fee
        row = {
            "created_index": 1 + max((f["created_index"] for f in self.forwards), default=0),
            "updated_index": 1 + max((f.get("updated_index", 0) for f in self.forwards), default=0),
            "in_channel": enters,
            "in_htlc_id": len(self.forwards),
            "out_channel": leaves,
            "out_htlc_id": len(self.forwards),
            "in_msat": amount_msat + fee,
            "out_msat": amount_msat,
            "fee_msat": fee,
            "status": "settled",
            "style": "tlv",
            "received_time": at - 0.5,
            "resolved_time": at,
        }
        self.forwards.append(row)
        return row

    def spike(self, factor: int) -> None:
        """
        Let every on-chain fee estimate rise.
        """
        for estimate in self.feerates["perkw"]["estimates"]:
            estimate["feerate"] *= factor
            estimate["smoothed_feerate"] *= factor

    def refuse_to_price(self, scid: str) -> None:
        """
        Know nothing of *scid* when its fee is to be set, as while a channel closes.
        """
        self._unwilling.add(scid)

    def _getinfo(self, _params: dict[str, Any]) -> Any:
        return self.info

    def _listpeerchannels(self, params: dict[str, Any]) -> Any:
        return {
            "channels": [
                channel
                for channel in self.channels
                if params.get("id") in (None, channel["peer_id"])
                and params.get("short_channel_id") in (None, channel.get("short_channel_id"))
            ]
        }

    def _listnodes(self, params: dict[str, Any]) -> Any:
        nodes = recorded("listnodes")["nodes"]
        return {"nodes": [node for node in nodes if params.get("id") in (None, node["nodeid"])]}

    def _listfunds(self, _params: dict[str, Any]) -> Any:
        return {"outputs": self.outputs, "channels": []}

    def _feerates(self, params: dict[str, Any]) -> Any:
        if params["style"] != "perkw":
            raise NotImplementedError(params)
        return self.feerates

    def _listforwards(self, params: dict[str, Any]) -> Any:
        if not self.counters:
            return self._old_listforwards(params)
        for name in ("start", "limit"):
            if name in params and "index" not in params:
                message = f"Can only specify {{{name}}} with {{index}}"
                raise RpcRefusalError(INVALID_PARAMS, message)
        key = f"{params.get('index', 'created')}_index"
        rows = [row for row in self.forwards if row.get(key, 0) >= params.get("start", 1)]
        return {"forwards": sorted(rows, key=lambda row: row[key])[: params.get("limit")]}

    def _old_listforwards(self, params: dict[str, Any]) -> Any:
        if "index" in params:
            raise RpcRefusalError(INVALID_PARAMS, "unknown parameter: index")
        indexes = ("created_index", "updated_index")
        return {
            "forwards": [
                {name: value for name, value in row.items() if name not in indexes}
                for row in self.forwards
            ]
        }

    def _wait(self, params: dict[str, Any]) -> Any:
        if params["subsystem"] != "forwards":
            return _asked_of_books(FakeBooks.wait)(self, params)
        if not self.counters or params["nextvalue"]:
            raise NotImplementedError(params)
        index = params["indexname"]
        last = max((row.get(f"{index}_index", 0) for row in self.forwards), default=0)
        return {"subsystem": "forwards", index: last}

    def _setchannel(self, params: dict[str, Any]) -> Any:
        found = [
            channel
            for channel in self.channels
            if _is_meant(channel, params["id"])
            and channel.get("short_channel_id") not in self._unwilling
        ]
        if not found:
            token = json.dumps(params["id"])
            message = f"id: Short channel id not found: invalid token '{token}'"
            raise RpcRefusalError(INVALID_PARAMS, message)
        return {"channels": [_priced(channel, params) for channel in found]}


def _asked_of_books(
    list_rows: Callable[[FakeBooks, dict[str, Any]], Any],
) -> Callable[[FakeNode, dict[str, Any]], Any]:
    def ask(node: FakeNode, params: dict[str, Any]) -> Any:
        try:
            return list_rows(node.books, params)
        except RefusedBooksError as refusal:
            raise RpcRefusalError(INVALID_PARAMS, str(refusal)) from None

    return ask


_METHODS: dict[str, Callable[[FakeNode, dict[str, Any]], Any]] = {
    "getinfo": FakeNode._getinfo,
    "listpeerchannels": FakeNode._listpeerchannels,
    "feerates": FakeNode._feerates,
    "listfunds": FakeNode._listfunds,
    "listnodes": FakeNode._listnodes,
    "listforwards": FakeNode._listforwards,
    "setchannel": FakeNode._setchannel,
    "bkpr-listaccountevents": _asked_of_books(FakeBooks.listaccountevents),
    "listchannelmoves": _asked_of_books(FakeBooks.listchannelmoves),
    "listclosedchannels": _asked_of_books(FakeBooks.listclosedchannels),
    "listsendpays": _asked_of_books(FakeBooks.listsendpays),
    "wait": FakeNode._wait,
    "help": FakeNode._help,
    "listconfigs": FakeNode._listconfigs,
}


def _nothing() -> None:
    pass


def _as_it_is(reply: Any) -> Any:
    return reply


def _ending(forwards: list[dict[str, Any]], at: int) -> list[dict[str, Any]]:
    """
    Return *forwards* moved in time by whole seconds so that the last ends at *at*.
    """
    last = max((row.get("resolved_time", row["received_time"]) for row in forwards), default=at)
    shift = at - int(last) - 1
    times = ("received_time", "resolved_time")
    return [
        {name: value + shift if name in times else value for name, value in row.items()}
        for row in forwards
    ]


def _booked(name: str, key: str, at: int) -> list[dict[str, Any]]:
    """
    Return the recorded rows, moved in time so that the last is at *at*; none where no such reply
    was recorded.
    """
    if not (RECORDINGS / f"{name}.json").exists():
        return []
    rows = recorded(name)[key]
    times = ("timestamp", "created_at", "completed_at")
    last = max((row[time] for row in rows for time in times if time in row), default=at)
    return [
        {field: value + at - last if field in times else value for field, value in row.items()}
        for row in rows
    ]


def _is_meant(channel: dict[str, Any], name: str) -> bool:
    ids = (channel.get("short_channel_id"), channel.get("channel_id"), channel["peer_id"], "all")
    return channel["state"] in PRICEABLE and name in ids


def _priced(channel: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    least = params.get("htlcmin", channel["minimum_htlc_out_msat"])
    most = params.get("htlcmax", channel["maximum_htlc_out_msat"])
    warning = {}
    possible = channel["total_msat"] - channel["our_reserve_msat"]
    if most > possible:
        most = possible
        text = "Set maximum_htlc_out_msat to maximum possible in channel"
        warning = {"warning_htlcmax_too_high": text}
    if most < least:
        raise RpcRefusalError(-1, "htlcmax cannot be less than htlcmin")
    price = {
        "fee_base_msat": params.get("feebase", channel["fee_base_msat"]),
        "fee_proportional_millionths": params.get("feeppm", channel["fee_proportional_millionths"]),
    }
    limits = {"minimum_htlc_out_msat": least, "maximum_htlc_out_msat": most}
    channel.update(price | limits)
    if "local" in channel.get("updates", {}):
        channel["updates"]["local"].update(
            price | {"htlc_minimum_msat": least, "htlc_maximum_msat": most}
        )
    same = ("peer_id", "channel_id", "short_channel_id", "ignore_fee_limits")
    return {name: channel[name] for name in same if name in channel} | price | limits | warning


class FakeClock:
    """
    A clock that stands until a test moves it.
    """

    def __init__(self, now: int) -> None:
        self._now = now
        self._ticks = 1000.0

    def now(self) -> int:
        """
        Return the time of day.
        """
        return self._now

    def ticks(self) -> float:
        """
        Return what never goes back.
        """
        return self._ticks

    def pause(self, _seconds: float) -> None:
        """
        Go on at once: whoever waits needs time, and a test has it.
        """

    def pass_by(self, seconds: int) -> None:
        """
        Let time go by.
        """
        self._now += seconds
        self._ticks += seconds
