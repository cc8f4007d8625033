"""Anything: what a command may be asked and a plugin be told, drawn from the declarations."""

import json
from typing import Any, Final

from fakes import FakeNode
from hypothesis import strategies as st

from revops.core.config import OPTIONS
from revops.shell.clock import Clock
from revops.shell.commands import COMMANDS
from revops.shell.commands.command import Argument

Call = tuple[str, Any]
"""A method and its params."""
Event = tuple[str, Any]
"""A notification; or `restart`, or `none`."""

# What JSON can hold and Python's writer does not write.
RAW: Final = {
    '"<inf>"': "1e400",
    '"<digits>"': "9" * 5000,
    '"<deep>"': "[" * 5000 + "]" * 5000,
    '"<nest>"': "[" * 60 + "]" * 60,
    '"<nests>"': '{"a":' * 900 + "0" + "}" * 900,
    '"<half>"': '"\\ud800"',
}
NODE: Final = FakeNode(now=Clock().now())
SCIDS: Final = [channel["short_channel_id"] for channel in NODE.channels]
PEERS: Final = sorted({channel["peer_id"] for channel in NODE.channels})
WORDS: Final = [
    *SCIDS[:3],
    *PEERS[:2],
    NODE.channels[0]["channel_id"],
    *("true", "false", "none", "all", "static", "passive", "dynamic", "disabled", "sink_only"),
    *("small", "balanced", "aggressive", "money", "now.json", "fee", "0x10", "1e3", "-1", " 5"),
]
words = st.sampled_from(WORDS)
options = st.sampled_from([o.name for o in OPTIONS.values() if o.dynamic])
whole = st.sampled_from([0, 1, 2, 10, 59, 60, 100, 250, 5000, 100_000, 10**6, -1, 2**31, 2**63])
numbers = whole | whole.map(str) | st.sampled_from([0.0, 0.5, 1.5, -0.1, 1e-9, 1e308, "0.5", "5k"])
odd_text = st.sampled_from(
    ["", " ", "\0", "a\nb", "é" * 70, "x" * 20_000, "<half>", "../x", "/", "'; --", "💥", "\u2028"]
)
raw = st.sampled_from([name.strip('"') for name in RAW])
garbage = st.recursive(
    st.none() | st.booleans() | numbers | words | odd_text | raw | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(words | odd_text | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
booleans = st.sampled_from([True, False, "true", "false"])
tags = st.lists(words | odd_text, max_size=3) | st.just("a,b") | st.just('["a"]') | st.just("[")
# What an argument is likely to take; what is not here takes any word or number.
LIKELY: Final = {
    **dict.fromkeys(("channel", "scid", "from", "to"), st.sampled_from([*SCIDS, *PEERS])),
    "amount_sats": st.sampled_from([1, 1000, 50_000, 250_000, "100000"]),
    "cycle": st.sampled_from(["fees", "rebalance"]),
    "peer_id": st.sampled_from(PEERS),
    "key": options,
    "strategy": st.sampled_from(["dynamic", "static", "passive", "hive"]),
    "rebalance": st.sampled_from(["enabled", "disabled", "source_only"]),
    "tags": tags | st.just("open, close"),
    "tag": words | st.sampled_from(["lnfee", "balance"]),
    "redact": booleans,
    "apply": booleans,
    "force": booleans,
    "save": odd_text
    | st.sampled_from(["now.json", "lightning-rpc", "revenue_ops.db", "x" * 300, "a/b"]),
}


def value(name: str) -> st.SearchStrategy[Any]:
    """
    Return what may be given for the argument *name*: mostly what it takes.
    """
    likely = LIKELY.get(name, words | numbers)
    return st.sampled_from(range(4)).flatmap(lambda luck: likely if luck else garbage)


names = words | odd_text | st.sampled_from(["plugin", "request", "self", "args", "app"])
updates = st.lists(
    st.fixed_dictionaries(
        {"peer_id": value("peer_id")},
        optional={name: value(name) for name in ("strategy", "fee_ppm", "tags", "nonsense")},
    )
    | garbage,
    max_size=3,
)
LIKELY["updates"] = updates | updates.map(json.dumps)


def rarely(draw: st.DrawFn) -> bool:
    """
    Draw true, one time in ten.
    """
    return draw(st.sampled_from(range(10))) == 9


@st.composite
def given_to(draw: st.DrawFn, first: dict[str, str], arguments: tuple[Argument, ...]) -> Any:
    """
    Draw the params of a call that begins with *first*: by place or by name, enough of them or
    not, too many or unknown ones.
    """
    if draw(st.booleans()):
        some = arguments[: draw(st.integers(0, len(arguments)))]
        more = draw(st.lists(garbage, max_size=2)) if rarely(draw) else []
        return [*first.values(), *(draw(value(a.name)) for a in some), *more]
    named: dict[str, Any] = dict(first)
    for argument in arguments:
        if argument.needed or draw(st.booleans()):
            called = st.sampled_from([argument.name, argument.name, *argument.aliases])
            named[draw(called)] = draw(value(argument.name))
    if rarely(draw):
        named[draw(names)] = draw(garbage)
    return named


QUESTIONS: Final = [
    (command.name, word, arguments)
    for command in COMMANDS
    for word, arguments in (
        [({command.word: action.name}, action.arguments) for action in command.actions]
        or [({}, command.arguments)]
    )
]


@st.composite
def commands(draw: st.DrawFn) -> Call:
    """
    Draw a call of a command.
    """
    name, word, arguments = draw(st.sampled_from(QUESTIONS))
    return (name, draw(given_to({} if rarely(draw) else word, arguments)))


@st.composite
def setconfigs(draw: st.DrawFn) -> Call:
    """
    Draw a change of an option; lightningd hands over text, whatever it was.
    """
    text = draw(numbers.map(str) | booleans.map(str) | words | odd_text)
    return ("setconfig", {"config": f"revenue-ops-{draw(options)}", "val": text})


PAYLOADS: Final[dict[str, dict[str, Any]]] = {
    "block_added": {"hash": "00" * 32, "height": 156},
    "forward_event": NODE.forwards[0],
    "connect": {"id": PEERS[0], "direction": "in", "address": {"type": "ipv4"}},
    "disconnect": {"id": PEERS[0]},
    "channel_opened": {"id": PEERS[0], "funding_msat": 1, "funding_txid": "00", "channel_ready": 1},
    "channel_state_changed": {"peer_id": PEERS[0], "new_state": "CHANNELD_NORMAL"},
}


@st.composite
def notifications(draw: st.DrawFn) -> Event:
    """
    Draw a notification: a real one, one with a field that is missing or wrong, or garbage.
    """
    topic = draw(st.sampled_from(sorted(PAYLOADS)))
    payload: Any = dict(PAYLOADS[topic])
    match draw(st.sampled_from(("real", "wrong", "missing", "garbage"))):
        case "wrong":
            payload[draw(st.sampled_from(sorted(payload)))] = draw(garbage)
        case "missing":
            del payload[draw(st.sampled_from(sorted(payload)))]
        case "garbage":
            payload = draw(garbage)
    return (topic, payload)


asked = st.sampled_from(range(6)).flatmap(lambda luck: commands() if luck else setconfigs())
events = st.sampled_from(range(400)).flatmap(
    lambda luck: (
        notifications() if luck > 360 else st.just(("restart" if luck == 360 else "none", None))
    )
)
