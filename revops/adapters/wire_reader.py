"""Strict reading: JSON values become attrs classes, or everything wrong is told with its path."""

import contextlib
import enum
import functools
import json
import math
import operator
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.cols import list_structure_factory
from cattrs.errors import (
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from revops.adapters.errors import WireError
from revops.adapters.strangers import quoted
from revops.core.checks import FieldError

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]
"""What cattrs calls with a JSON value and a type, to get a value of that type."""


class WrongValueError(ValueError):
    """
    A value that is not what its place asks for.
    """


def wrong(value: object, expected: str) -> WrongValueError:
    """
    Return the error for *value* where *expected* should be.
    """
    return WrongValueError(f"expected {expected}, got {value!r}")


def problem_at(path: str, problem: str) -> str:
    """
    Return the sentence for *problem* at *path*, both cut where somebody made them endless.
    """
    return f"{quoted(path)}: {quoted(problem)}"


def parsed(text: str | bytes) -> object:
    """
    Return the JSON value that *text* holds; NaN and Infinity are no JSON.

    Raises:
        WireError: It holds none.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise WireError((problem_at("$", f"expected JSON: {error}"),)) from None


def _no_constant(name: str) -> object:
    msg = f"{name} is no number"
    raise ValueError(msg)


class Reader:
    """
    Reads JSON values into attrs classes: nothing is converted, nothing is guessed.

    A first pass is fast and stops at the first fault; only then a second one finds them all.

    Attributes:
        lenient: Whether keys that a class does not have are passed over, and absent ones taken
            for null; refused otherwise.
        names: What fields are called outside, where that differs.
        hooks: How a type is read, where that differs.
    """

    def __init__(
        self,
        *,
        lenient: bool = False,
        names: Mapping[str, str] | None = None,
        hooks: Mapping[Any, Hook] | None = None,
    ) -> None:
        self._lenient = lenient
        self._names = names or {}
        self._fast = self._converter(hooks or {}, thorough=False)
        self._thorough = self._converter(hooks or {}, thorough=True)

    def read(self, value: object, kind: type[T], path: str = "$") -> T:
        """
        Return *value*, which stands at *path*, as a *kind*.

        Raises:
            WireError: It is none; every problem is in there.
        """
        try:
            return self._fast.structure(value, kind)
        except Exception:  # noqa: BLE001 -- whatever a hostile value made attrs or cattrs raise
            return self._read_again(value, kind, path)

    def _read_again(self, value: object, kind: type[T], path: str) -> T:
        try:
            return self._thorough.structure(value, kind)
        except Exception as error:  # noqa: BLE001 -- see read()
            raise WireError(tuple(self._problems(error, path))) from None

    def _problems(self, error: Exception, path: str) -> Iterator[str]:
        if isinstance(error, (ClassValidationError, IterableValidationError)):
            for inner, place in self._parts(error, path):
                yield from self._problems(inner, place)
        elif isinstance(error, ForbiddenExtraKeysError):
            for key in sorted(error.extra_fields):
                yield problem_at(f"{path}.{key}", "there is no such field")
        elif isinstance(error, FieldError):
            yield problem_at(f"{path}.{self._names.get(error.field, error.field)}", error.problem)
        else:
            yield problem_at(path, "is missing" if isinstance(error, KeyError) else str(error))

    def _parts(
        self, error: ClassValidationError | IterableValidationError, path: str
    ) -> Iterator[tuple[Exception, str]]:
        of_fields, others = error.group_exceptions()
        for inner, note in of_fields:
            if isinstance(note, IterableValidationNote):
                yield inner, f"{path}[{note.index}]"
            else:
                yield inner, f"{path}.{self._names.get(note.name, note.name)}"
        yield from ((inner, path) for inner in others)

    def _converter(self, hooks: Mapping[Any, Hook], *, thorough: bool) -> cattrs.Converter:
        converter = cattrs.Converter(detailed_validation=thorough)
        for kind, hook in _PLAIN.items():
            converter.register_structure_hook(kind, hook)
        converter.register_structure_hook_factory(_is_literal, _literal)
        converter.register_structure_hook_factory(_is_optional, _optional)
        converter.register_structure_hook_factory(_is_tuple, _items)
        converter.register_structure_hook_factory(attrs.has, self._object)
        for kind, hook in hooks.items():
            converter.register_structure_hook_func(functools.partial(operator.eq, kind), hook)
        return converter

    def _object(self, kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 -- any attrs class
        overrides: dict[str, Any] = {}
        blanks: dict[str, None] = {}
        for field in attrs.fields(kind):
            check = converter.detailed_validation and field.validator and not field.converter
            inner = converter.get_structure_hook(field.type)
            overrides[field.name] = override(
                rename=self._names.get(field.name),
                struct_hook=_checked(field, inner) if check else inner,
            )
            if self._lenient and field.default is attrs.NOTHING and _is_optional(field.type):
                blanks[self._names.get(field.name, field.name)] = None
        read = make_dict_structure_fn(
            kind,
            converter,
            _cattrs_forbid_extra_keys=not self._lenient,
            _cattrs_detailed_validation=converter.detailed_validation,
            **overrides,
        )

        def hook(value: Any, _kind: Any) -> Any:  # noqa: ANN401 -- see Hook
            if type(value) is not dict:
                raise wrong(value, "an object")
            if not blanks.keys() <= value.keys():
                value = {**blanks, **value}
            return read(value, kind)

        return hook


def _checked(field: "attrs.Attribute[Any]", inner: Hook) -> Hook:
    """
    Return *inner* followed by the validator of *field*: attrs would stop at the first that fails.
    """

    def checked(value: Any) -> None:  # noqa: ANN401 -- see Hook
        try:
            with contextlib.suppress(OverflowError):
                field.validator(None, field, value)  # type: ignore[misc]  # see _object()
        except FieldError as error:
            raise ValueError(error.problem) from None

    def hook(value: Any, kind: Any) -> Any:  # noqa: ANN401 -- see Hook
        try:
            result = inner(value, kind)
        except WrongValueError:
            # The validator says more about what is expected: bounds, the form of an id.
            checked(value)
            raise
        checked(result)
        return result

    return hook


def _exactly(kind: type, words: str) -> Hook:
    def hook(value: Any, _kind: Any) -> Any:  # noqa: ANN401 -- see Hook
        if type(value) is not kind:
            raise wrong(value, words)
        return value

    return hook


def _real(value: Any, _kind: Any) -> float:  # noqa: ANN401 -- see Hook
    if type(value) in (int, float):
        with contextlib.suppress(OverflowError):
            if math.isfinite(value):
                return float(value)
    raise wrong(value, "a number")


def _text(value: Any, kind: Any) -> Any:  # noqa: ANN401 -- see Hook
    if _is_enum(kind):
        # An enum of words is a word to cattrs, and comes here.
        return _member(value, kind)
    if type(value) is not str:
        raise wrong(value, "text")
    # JSON can escape half a surrogate pair, which no file and no database takes.
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise wrong(value, "text in Unicode")
    return value


_PLAIN: Final[Mapping[Any, Hook]] = {
    bool: _exactly(bool, "true or false"),
    int: _exactly(int, "an integer"),
    float: _real,
    str: _text,
}


def _is_enum(kind: Any) -> bool:  # noqa: ANN401 -- see Hook
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _member(value: Any, kind: Any) -> enum.Enum:  # noqa: ANN401 -- see Hook
    for member in kind:
        if type(value) is str and member.value == value:
            return member  # type: ignore[no-any-return]  # of the enum *kind*
    raise wrong(value, _one_of([member.value for member in kind]))


def _is_literal(kind: Any) -> bool:  # noqa: ANN401 -- see Hook
    return get_origin(kind) is Literal


def _literal(kind: Any, _converter: cattrs.Converter) -> Hook:  # noqa: ANN401 -- see Hook
    words = get_args(kind)
    # 1 equals True and 1.0.
    kinds = {type(word) for word in words}

    def hook(value: Any, _kind: Any) -> Any:  # noqa: ANN401 -- see Hook
        if type(value) in kinds and value in words:
            return value
        raise wrong(value, _one_of(words))

    return hook


def _one_of(words: Iterable[object]) -> str:
    listed = [str(word) for word in words]
    return listed[0] if len(listed) == 1 else "one of " + ", ".join(listed)


def _is_optional(kind: Any) -> bool:  # noqa: ANN401 -- see Hook
    return get_origin(kind) in (Union, types.UnionType)


def _optional(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 -- see Hook
    (inner,) = (part for part in get_args(kind) if part is not type(None))
    read = converter.get_structure_hook(inner)
    return lambda value, _kind: None if value is None else read(value, inner)


def _is_tuple(kind: Any) -> bool:  # noqa: ANN401 -- see Hook
    return get_origin(kind) is tuple


def _items(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 -- see Hook
    items: Any = list[get_args(kind)[0]]  # type: ignore[misc]  # a type made at run time
    read = list_structure_factory(items, converter)

    def hook(value: Any, _kind: Any) -> tuple[Any, ...]:  # noqa: ANN401 -- see Hook
        if type(value) is not list:
            raise wrong(value, "a list")
        return tuple(read(value, kind))

    return hook
