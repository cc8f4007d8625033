"""Hostile snapshots: whatever stands in a file, it is read or refused, never a crash."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from unit.adapters.wire_examples import FULL

from revops.adapters.wire import WireError, read_snapshot, write_snapshot

TEXT = write_snapshot(FULL)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from([math.inf, 10**400, -(10**400), "1x1x1", "ab" * 32, "static"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """
    Return every container of a JSON value with each of its keys.
    """
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in list(pairs):
        found.append((value, key))
        if isinstance(item, (dict, list)):
            found += places(item)
    return found


def problems_with(text: str | bytes) -> tuple[str, ...]:
    """
    Return why *text* is refused; what is read instead is written and read back equal.
    """
    try:
        snapshot, config = read_snapshot(text)
    except WireError as error:
        return error.problems
    assert read_snapshot(write_snapshot(snapshot, config)) == (snapshot, config)
    return ()


@given(
    st.lists(st.tuples(st.integers(0), values), min_size=1, max_size=3), st.text(), st.booleans()
)
def test_a_spoilt_snapshot_is_read_or_refused(changes, key, adds):
    """
    Any JSON value at any place of a valid file raises WireError with short sentences that begin
    with a path, or is a value that can be.
    """
    document = json.loads(TEXT)
    for place, value in changes:
        every = places(document)
        container, at = every[place % len(every)]
        if adds and isinstance(container, dict):
            container[key] = value
        else:
            container[at] = value

    for problem in problems_with(json.dumps(document)):
        assert problem.startswith("$")
        assert problem.isprintable()
        assert len(problem) < 1000


@given(st.binary() | st.text(st.characters()))
def test_any_bytes_are_read_or_refused(text):
    """
    What is no JSON is refused as that.
    """
    assert problems_with(text)
