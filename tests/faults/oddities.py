"""Oddities: any JSON that Python reads, and documents of which something was made odd."""

import copy
from typing import Any, Final

import attrs
from hypothesis import strategies as st

DEPTH: Final = 900
"""Lists in lists that Python can still read."""


def _deep() -> list[Any]:
    lists: list[Any] = []
    for _ in range(DEPTH):
        lists = [lists]
    return lists


words = st.sampled_from(["", "0", "-1", "1msat", "9" * 30 + "msat", "NaN", "all", "1x1x1", "0x0x0"])
ugly = st.sampled_from(["\ud800", "\x00", "\x1b[31m", "a\nb", "\u202eb", "💥", "٣", "x" * 5000])
numbers = st.sampled_from(
    [0, -1, 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30, -(2**63) - 1]
) | st.sampled_from([0.5, -0.0, 1e308, float("inf"), float("-inf"), float("nan")])
leaves = st.none() | st.booleans() | numbers | words | ugly | st.text(max_size=5)
anything = st.recursive(
    leaves | st.builds(_deep),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | ugly | st.text(max_size=3), inner)
    ),
    max_leaves=8,
)


@st.composite
def made_odd(draw: st.DrawFn, document: Any) -> Any:
    """
    Draw *document* with up to five oddities: values that are others, are missing or come twice.
    """
    holder = [copy.deepcopy(document)]
    for _ in range(draw(st.integers(0, 5))):
        inside, key = holder, 0
        while inside[key] and isinstance(inside[key], (list, dict)) and draw(st.integers(0, 7)):
            inside = inside[key]
            keys = [*inside] if isinstance(inside, dict) else range(len(inside))
            key = draw(st.sampled_from(keys))
        happens = draw(st.sampled_from(["other", "other", "other", "missing", "twice"]))
        if happens == "twice" and isinstance(inside, list):
            inside.append(inside[key])
        elif happens == "missing" and inside is not holder:
            del inside[key]
        else:
            inside[key] = draw(anything)
    return holder[0]


def unfit(value: Any) -> Any:
    """
    Return something in *value* that no database takes; `None` if all of it is fit.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**63 else value
    if isinstance(value, float):
        return None if abs(value) < float("inf") else repr(value)
    if isinstance(value, str):
        return None if value.encode(errors="ignore").decode() == value else value
    if attrs.has(type(value)):
        value = attrs.astuple(value, recurse=False)
    elif isinstance(value, dict):
        value = [*value.items()]
    parts = value if isinstance(value, (list, tuple, set, frozenset)) else ()
    return next((bad for part in parts if (bad := unfit(part)) is not None), None)
