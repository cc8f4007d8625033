"""Checks: what a field of a snapshot may hold, said in one sentence when it may not."""

import math
import re
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, Final

import attrs

Check = Callable[[Any, "attrs.Attribute[Any]", Any], None]

_SCID: Final = re.compile(r"([0-9]{1,8})x([0-9]{1,8})x([0-9]{1,5})")
_HEX: Final = re.compile(r"[0-9a-f]+")
# More than all bitcoin: anything above is an absurd reply, not an amount.
MOST_MSAT: Final = 21_000_000 * 100_000_000 * 1000
_MOST: Final = 2**63 - 1


class FieldError(ValueError):
    """
    A value that a field cannot hold.

    Attributes:
        field: Its name.
        problem: What was expected and what came, without the name.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def whole(low: int = 0, high: int = _MOST, *, optional: bool = False) -> Check:
    """
    Return a check for an integer in *low*..*high*; a bool is not one.
    """

    def check(_instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if type(value) is int and low <= value <= high:
            return
        if value is not None or not optional:
            bound = f"from {low} to {high}" if high != _MOST else f"≥ {low}"
            raise FieldError(attribute.name, f"expected an integer {bound}, got {value!r}")

    return check


def msat(*, optional: bool = False) -> Check:
    """
    Return a check for an amount in millisatoshi: not negative, not above all bitcoin.
    """
    return whole(0, MOST_MSAT, optional=optional)


def number(low: float = -math.inf, high: float = math.inf, *, optional: bool = False) -> Check:
    """
    Return a check for a finite number in *low*..*high*.
    """

    def check(_instance: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:  # noqa: ANN401 -- see Check
        real = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is None and optional:
            return
        # Written so that NaN, which compares false to everything, is refused.
        if not (real and low <= value <= high and math.isfinite(value)):
            raise FieldError(
                attribute.name, f"expected a number from {low:g} to {high:g}, got {value!r}"
            )

    return check


def hexadecimal(digits: int) -> Check:
    """
    Return a check for an id of *digits* lower-case hex digits.
    """

    def check(_instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not isinstance(value, str) or len(value) != digits or not _HEX.fullmatch(value):
            raise FieldError(attribute.name, f"expected {digits} hex digits, got {value!r}")

    return check


def scid(*, optional: bool = False) -> Check:
    """
    Return a check for a short channel id, `BLOCKxTXxOUT`.
    """

    def check(_instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value is None and optional:
            return
        match = _SCID.fullmatch(value) if isinstance(value, str) else None
        # BOLT #7 packs the parts into 3, 3 and 2 bytes.
        if not match or int(match[1]) >> 24 or int(match[2]) >> 24 or int(match[3]) >> 16:
            raise FieldError(
                attribute.name, f"expected a short channel id like 700000x1x0, got {value!r}"
            )

    return check


def by_start(items: Iterable[Any]) -> tuple[Any, ...]:
    """
    Return slices of time in their order.
    """
    return tuple(sorted(items, key=attrgetter("start")))


def by_time(items: Iterable[Any]) -> tuple[Any, ...]:
    """
    Return feerate samples in their order.
    """
    return tuple(sorted(items, key=attrgetter("at", "perkw")))


def by_channel(items: Iterable[Any]) -> tuple[Any, ...]:
    """
    Return what belongs to channels in the order of their ids.
    """
    return tuple(sorted(items, key=attrgetter("channel_id")))


def by_peer(items: Iterable[Any]) -> tuple[Any, ...]:
    """
    Return what belongs to peers in the order of their ids.
    """
    return tuple(sorted(items, key=attrgetter("peer_id")))


def unique(name: str, key: Callable[[Any], Any]) -> Check:
    """
    Return a check that no two items have the same *key*, which the sentence calls *name*.
    """

    def check(_instance: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:  # noqa: ANN401 -- see Check
        keys = list(map(key, value))
        if len(set(keys)) < len(keys):
            twice = next(own for place, own in enumerate(keys) if own in keys[:place])
            raise FieldError(attribute.name, f"{name} {twice} stands there twice")

    return check
