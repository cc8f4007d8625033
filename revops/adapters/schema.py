"""Schema: the snapshot file as JSON Schema, made from the classes that read it."""

import enum
import inspect
import json
import math
import sys
import types
from collections.abc import Mapping
from typing import Any, Final, Literal, Union, get_args, get_origin

import attrs

from revops.adapters.wire import SCHEMA
from revops.core.config import OPTIONS
from revops.core.snapshot import Snapshot

Schema = dict[str, Any]

_TYPES: Final[Mapping[Any, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
}
_TAG_LENGTH: Final = 64


def snapshot_schema() -> Schema:
    """
    Return the JSON Schema (draft 2020-12) of the snapshot file.

    It cannot say what holds between two fields, nor tell 3.0 from 3; reading refuses those.
    """
    parts: Schema = {}
    _schema_of(Snapshot, parts)
    snapshot = parts.pop("Snapshot")
    options = {
        option.name: {"type": "string", "description": option.help} for option in OPTIONS.values()
    }
    snapshot["properties"] = {
        "schema": {"const": SCHEMA},
        "config": {
            "description": "Options that are not at their default, as text.",
            "type": "object",
            "properties": options,
            "additionalProperties": False,
        },
        **snapshot["properties"],
    }
    snapshot["required"].insert(0, "schema")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A snapshot of a Lightning node, as revops reads and writes it",
        **snapshot,
        "$defs": dict(sorted(parts.items())),
    }


def _schema_of(kind: Any, parts: Schema) -> Schema:  # noqa: ANN401 -- any type a field may have
    """
    Return the schema of values of *kind*; classes are put into *parts*, and referred to.
    """
    kind = getattr(kind, "__supertype__", kind)
    origin, inside = get_origin(kind), get_args(kind)
    if attrs.has(kind):
        if kind.__name__ not in parts:
            parts[kind.__name__] = _object(kind, parts)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if origin in (Union, types.UnionType):
        (part,) = (part for part in inside if part is not type(None))
        return {"anyOf": [_schema_of(part, parts), {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": _schema_of(inside[0], parts)}
    if origin is Literal:
        return {"enum": list(inside)}
    if issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    return {"type": _TYPES[kind]}


def _object(kind: Any, parts: Schema) -> Schema:  # noqa: ANN401 -- an attrs class
    fields = attrs.fields(kind)
    properties = {}
    for field in fields:
        schema = _schema_of(field.type, parts)
        # The bounds of `X | None` are those of X.
        target = schema["anyOf"][0] if "anyOf" in schema else schema
        target.update(_bounds(field.validator))
        properties[field.name] = schema
    return {
        "description": inspect.cleandoc(kind.__doc__).split("\n\n")[0].replace("\n", " "),
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields if field.default is attrs.NOTHING],
        "additionalProperties": False,
    }


def _bounds(validator: Any) -> Schema:  # noqa: ANN401 -- attrs validators are any callables
    """
    Return what a validator of `revops.core.checks` asks for, read off its arguments.
    """
    if validator is None:
        return {}
    around = inspect.getclosurevars(validator)
    arguments = around.nonlocals
    check = validator.__qualname__.split(".")[0]
    if check == "hexadecimal":
        return {"pattern": f"^[0-9a-f]{{{arguments['digits']}}}$"}
    if check == "scid":
        return {"pattern": "^[0-9]+x[0-9]+x[0-9]+$"}
    if check == "unique":
        return {"description": f"No {arguments['name']} stands there twice."}
    if check == "_tags":
        return {"items": {"type": "string", "minLength": 1, "maxLength": _TAG_LENGTH}}
    low, high = around.globals.get("MULTIPLIERS") or (arguments.get("low"), arguments.get("high"))
    bounds = {"minimum": low, "maximum": high}
    return {
        word: bound for word, bound in bounds.items() if bound is not None and math.isfinite(bound)
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(snapshot_schema(), indent=1) + "\n")
