"""Reading: what all replies of lightningd have in common: rows, amounts, moments."""

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from revops.adapters.errors import WireError
from revops.adapters.wire_reader import Hook, problem_at, wrong
from revops.core.checks import MOST_MSAT
from revops.core.units import Instant, Msat, parse_msat

T = TypeVar("T")

LATEST: Final = 2**40
"""Seconds since the epoch that no clock will show."""
LAST: Final = 2**63 - 1
"""The highest number of a row that the books can hold."""


def _amount(value: Any, kind: Any) -> Any:  # noqa: ANN401 -- see wire_reader.Hook
    if type(value) is int and 0 <= value <= MOST_MSAT:
        return value
    if type(value) is str:
        with contextlib.suppress(ValueError):
            return _amount(int(parse_msat(value)), kind)
    raise wrong(value, "an amount in msat")


def _moment(value: Any, _kind: Any) -> Any:  # noqa: ANN401 -- see wire_reader.Hook
    # Written so that NaN, which compares false to everything, is refused.
    if type(value) in (float, int) and 0 <= value < LATEST:
        return int(value)
    raise wrong(value, "seconds since 1970")


HOOKS: Final[dict[Any, Hook]] = {Msat: _amount, Instant: _moment}
"""How amounts and moments are read: older versions wrote `"1500msat"`, some times are floats."""


def moment_of(timestamp: str) -> float:
    """
    Return the seconds since 1970 that an ISO 8601 *timestamp* in UTC means.

    Raises:
        ValueError: It is none.
    """
    return datetime.fromisoformat(timestamp.removesuffix("Z") + "+00:00").timestamp()


def rows_of(reply: object, method: str, key: str) -> list[Any]:
    """
    Return the rows that the *reply* to *method* holds under *key*.

    Raises:
        WireError: It holds none.
    """
    if type(reply) is not dict:
        raise WireError((problem_at(method, str(wrong(reply, "an object"))),))
    rows = reply.get(key)
    if type(rows) is not list:
        raise WireError((problem_at(f"{method}.{key}", str(wrong(rows, "a list"))),))
    return rows


def readable(
    rows: list[Any], path: str, read: Callable[[Any, str], T | None]
) -> tuple[tuple[T, ...], tuple[str, ...]]:
    """
    Return what *read* makes of *rows*, and what is wrong with those that it cannot read.
    """
    results: list[T] = []
    problems: list[str] = []
    for index, row in enumerate(rows):
        try:
            result = read(row, f"{path}[{index}]")
            if result is not None:
                results.append(result)
        except WireError as error:
            problems.extend(error.problems)
    return tuple(results), tuple(problems)
