"""Wire: our own formats as JSON, strict both ways; what is written is read back equal."""

import contextlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, TypeVar, get_args

import attrs
import cattrs
from cattrs.gen import make_dict_unstructure_fn, override

from revops.adapters.errors import WireError
from revops.adapters.wire_reader import Reader, parsed, problem_at, wrong
from revops.core.actions import Action, Hold, SetFee, StartRebalance, StopRebalance
from revops.core.config import Config, changed_options, configured
from revops.core.memory import ChannelMemory, Memory
from revops.core.option import ConfigError
from revops.core.outcomes import (
    Applied,
    Outcome,
    Refused,
    Rehearsed,
    Started,
    Stopped,
    Unknown,
)
from revops.core.plan import Plan, RebalancePlan
from revops.core.reasons import Fact, Reason, sentence
from revops.core.snapshot import Snapshot

__all__ = [
    "SCHEMA",
    "WireError",
    "read_action",
    "read_channel_memory",
    "read_node_memory",
    "read_outcome",
    "read_snapshot",
    "read_trail",
    "snapshot_document",
    "write_action",
    "write_channel_memory",
    "write_node_memory",
    "write_outcome",
    "write_plan",
    "write_plans",
    "write_snapshot",
    "write_trail",
]

SCHEMA: Final = 1
"""The version of the snapshot format."""

T = TypeVar("T")

_ACTIONS: Final[Mapping[str, type[Action]]] = {
    "set_fee": SetFee,
    "start_rebalance": StartRebalance,
    "stop_rebalance": StopRebalance,
    "hold": Hold,
}
_OUTCOMES: Final[Mapping[str, type[Outcome]]] = {
    "applied": Applied,
    "started": Started,
    "stopped": Stopped,
    "refused": Refused,
    "unknown": Unknown,
    "rehearsed": Rehearsed,
}

_OF_REBALANCES: Final = {
    "rebalances": "decisions",
    "rebalance_trail": "node_trail",
    "rebalance_limits": "limits",
}
"""What the plan of rebalances is called beside that of prices."""

# NaN would be written as a word that is no JSON.
_encode: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


_Facts = tuple[tuple[str, Fact], ...]


def _facts(value: Any, _kind: Any) -> _Facts:  # noqa: ANN401 -- see wire_reader.Hook
    if type(value) is not dict:
        raise wrong(value, "an object")
    for fact in value.values():
        if type(fact) not in get_args(Fact) or fact in (math.inf, -math.inf):
            raise wrong(value, "facts that are numbers, text, true or false")
    return tuple(value.items())


def _brief(kind: type, converter: cattrs.Converter) -> Any:  # noqa: ANN401 -- what cattrs calls
    # Only what means nothing is left out: other defaults may change from version to version,
    # and must not change what was written before.
    nothing = (None, (), 0, "")
    left_out: Any = {
        field.name: override(omit_if_default=field.default in nothing)
        for field in attrs.fields(kind)
    }
    return make_dict_unstructure_fn(kind, converter, **left_out)


def _plain(kind: Any, converter: cattrs.Converter) -> Any:  # noqa: ANN401 -- see _brief
    write = make_dict_unstructure_fn(kind, converter)
    if kind is Reason:
        return lambda reason: {**write(reason), "text": sentence(reason)}
    tag = next((tag for tag, action in _ACTIONS.items() if action is kind), None)
    return write if tag is None else lambda action: {"do": tag, **write(action)}


def _writer(how: Any) -> cattrs.Converter:  # noqa: ANN401 -- see _brief
    converter = cattrs.Converter()
    converter.register_unstructure_hook_factory(attrs.has, how)
    converter.register_unstructure_hook_func(lambda kind: kind == _Facts, dict)
    return converter


_reader: Final = Reader(hooks={_Facts: _facts})
_brief_writer: Final = _writer(_brief)
_plain_writer: Final = _writer(_plain)


@contextlib.contextmanager
def _into(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except WireError as error:
        problems.extend(error.problems)


def read_snapshot(text: str | bytes) -> tuple[Snapshot, Config]:
    """
    Return what a snapshot file holds; without `config`, every option is at its default.

    Raises:
        WireError: Every problem of the file, with its path.
    """
    document = _object(parsed(text), "$")
    schema, texts = document.pop("schema", None), document.pop("config", {})
    problems: list[str] = []
    with _into(problems):
        _reader.read(schema, Literal[SCHEMA], "$.schema")  # type: ignore[arg-type]  # mypy calls it no type
    with _into(problems):
        config = _config(_object(texts, "$.config"))
    with _into(problems):
        snapshot = _reader.read(document, Snapshot)
    if problems:
        raise WireError(tuple(problems))
    return snapshot, config


def _object(value: object, path: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise WireError((problem_at(path, str(wrong(value, "an object"))),))
    return value


def _config(texts: dict[str, Any]) -> Config:
    problems: list[str] = []
    for name, text in texts.items():
        with _into(problems):
            _reader.read(text, str, f"$.config.{name}")
    try:
        config = configured({name: text for name, text in texts.items() if type(text) is str})
    except ConfigError as error:
        problems += [_of_option(problem) for problem in error.problems]
        raise WireError(tuple(problems)) from None
    if problems:
        raise WireError(tuple(problems))
    return config


def _of_option(problem: str) -> str:
    name, colon, rest = problem.partition(": ")
    # A contradiction is about two options, and begins with neither.
    return problem_at(f"$.config.{name}", rest) if colon else problem_at("$.config", problem)


def write_snapshot(snapshot: Snapshot, config: Config | None = None) -> str:
    """
    Return the snapshot file: the same text for the same snapshot, a channel a line.
    """
    return _page(snapshot_document(snapshot, config))


def snapshot_document(snapshot: Snapshot, config: Config | None = None) -> dict[str, object]:
    """
    Return what the snapshot file says, as JSON has it.
    """
    options = changed_options(config) if config else {}
    document: dict[str, object] = {"schema": SCHEMA}
    document |= {"config": options} if options else {}
    written = _brief_writer.unstructure(snapshot)
    fields = (field.name for field in attrs.fields(Snapshot) if field.name in written)
    return document | {name: written[name] for name in fields}


def _page(document: Mapping[str, object]) -> str:
    parts = []
    for key, value in document.items():
        body = _encode(value)
        if isinstance(value, list) and value:
            body = "[\n" + ",\n".join(map(_encode, value)) + "\n]"
        parts.append(f"{_encode(key)}:{body}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write_plan(plan: Plan | RebalancePlan) -> str:
    """
    Return *plan* in full, with its reasons in words; the same text for the same plan.
    """
    return _page(_plain_writer.unstructure(plan))


def write_plans(prices: Plan, rebalances: RebalancePlan | None) -> str:
    """
    Return both plans for one moment, as one object; `None` for what could not be judged.
    """
    document = _plain_writer.unstructure(prices)
    decided = _plain_writer.unstructure(rebalances) if rebalances else {}
    for name, key in _OF_REBALANCES.items():
        document[name] = decided.get(key)
    return _page(document)


def write_trail(trail: Iterable[Reason]) -> str:
    """
    Return *trail* as `read_trail` reads it: codes and facts, no words.
    """
    # By hand, because a cycle writes some thousands of reasons.
    return _encode(
        [
            {"code": r.code.value, "facts": dict(r.facts), "before": r.before, "after": r.after}
            for r in trail
        ]
    )


def read_trail(text: str) -> tuple[Reason, ...]:
    """
    Return the trail that `write_trail` wrote.

    Raises:
        WireError: It did not write *text*. So do all that read here.
    """
    return _reader.read(parsed(text), tuple[Reason, ...])


def write_action(action: Action) -> str:
    """
    Return *action* as `read_action` reads it.
    """
    return _write_tagged("do", action, _ACTIONS)


def read_action(text: str) -> Action:
    """
    Return the action that `write_action` wrote.
    """
    return _read_tagged("do", text, _ACTIONS)


def write_outcome(outcome: Outcome) -> str:
    """
    Return *outcome* as `read_outcome` reads it.
    """
    return _write_tagged("became", outcome, _OUTCOMES)


def read_outcome(text: str) -> Outcome:
    """
    Return the outcome that `write_outcome` wrote.
    """
    return _read_tagged("became", text, _OUTCOMES)


def _write_tagged(tag: str, value: T, kinds: Mapping[str, type[T]]) -> str:
    word = next(word for word, kind in kinds.items() if kind is type(value))
    return _encode({tag: word, **_brief_writer.unstructure(value)})


def _read_tagged(tag: str, text: str, kinds: Mapping[str, type[T]]) -> T:
    document = _object(parsed(text), "$")
    word = document.pop(tag, None)
    if type(word) is not str or word not in kinds:
        expected = "one of " + ", ".join(kinds)
        raise WireError((problem_at(f"$.{tag}", str(wrong(word, expected))),))
    return _reader.read(document, kinds[word])


def write_channel_memory(memory: ChannelMemory) -> str:
    """
    Return what is remembered of one channel as `read_channel_memory` reads it.
    """
    return _encode(_brief_writer.unstructure(memory))


def read_channel_memory(text: str) -> ChannelMemory:
    """
    Return what `write_channel_memory` wrote.
    """
    return _reader.read(parsed(text), ChannelMemory)


def write_node_memory(memory: Memory) -> str:
    """
    Return what is remembered of the node, without its channels, as `read_node_memory` reads it.
    """
    return _encode(_brief_writer.unstructure(attrs.evolve(memory, channels=())))


def read_node_memory(text: str) -> Memory:
    """
    Return what `write_node_memory` wrote.
    """
    return _reader.read(parsed(text), Memory)
