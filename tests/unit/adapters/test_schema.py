"""The schema of the snapshot file: never stale, and of one mind with the reader."""

import json
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from property.money import anything
from property.strategies import configs, snapshots
from unit.adapters.wire_examples import FULL

from revops.adapters.schema import snapshot_schema
from revops.adapters.wire import WireError, read_snapshot, write_snapshot
from revops.core.snapshot import Channel

ROOT = Path(__file__).resolve().parents[3]
COMMITTED = ROOT / "docs" / "snapshot.schema.json"

validator = Draft202012Validator(snapshot_schema())


def test_the_committed_schema_is_not_stale():
    """
    `python -m revops.adapters.schema > docs/snapshot.schema.json` would change nothing.
    """
    command = [sys.executable, "-m", "revops.adapters.schema"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert made == COMMITTED.read_text(encoding="utf-8")


def test_the_schema_is_a_schema():
    """
    It is valid JSON Schema, draft 2020-12.
    """
    Draft202012Validator.check_schema(snapshot_schema())


@given(anything() | st.tuples(snapshots(), configs()))
def test_whatever_is_written_is_valid(known):
    """
    Every snapshot file that revops writes satisfies the schema.
    """
    snapshot, config = known
    validator.validate(json.loads(write_snapshot(snapshot, config)))


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.json")), ids=lambda p: p.name)
def test_examples_are_valid(path):
    """
    The examples satisfy the schema.
    """
    validator.validate(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("field", attrs.fields(Channel), ids=lambda field: field.name)
@pytest.mark.parametrize("value", [None, True, "x", -1, 2**63, 0.5, [], {}, "local"])
def test_reader_and_schema_refuse_the_same(field, value):
    """
    Whatever stands in a field of a channel, both accept it or both refuse it.
    """
    document = json.loads(write_snapshot(FULL))
    document["channels"][0][field.name] = value
    try:
        read_snapshot(json.dumps(document))
    except WireError:
        accepted = False
    else:
        accepted = True

    assert validator.is_valid(document) is accepted


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2),
        (("speed",), 1),
        (("config",), {"min-fee-ppm": 5}),
        (("config",), {"no-such-option": "5"}),
        (("node", "node_id"), "02"),
        (("feerates", 0, "perkw"), 0),
        (("policies", 0, "strategy"), "aggressive"),
        (("policies", 0, "fee_multiplier_min"), 9),
        (("policies", 0, "tags", 0), ""),
        (("memory", "vegas", "intensity"), 1.5),
        (("memory", "channels", 0, "fee", "climb", "side"), 0),
        (("channels", 0, "traffic", "hours", 0, "mood"), "good"),
    ],
)
def test_both_refuse_what_is_wrong_deeper_down(path, value):
    """
    Wrong versions, unknown fields and values out of bounds satisfy neither.
    """
    document = json.loads(write_snapshot(FULL))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    assert not validator.is_valid(document)
    with pytest.raises(WireError):
        read_snapshot(json.dumps(document))
