"""Writes `regtest.json`: the node whose raw replies stand in `regtest/`, in the snapshot format."""

from pathlib import Path

from revops.adapters.wire import write_snapshot
from revops.core.config import Config
from revops.core.snapshot import Snapshot
from revops.simulate.load import from_directory

HERE = Path(__file__).parent


def regtest() -> Snapshot:
    """
    Return the node.
    """
    return from_directory(HERE / "regtest").snapshot(Config())


if __name__ == "__main__":
    (HERE / "regtest.json").write_text(write_snapshot(regtest()), encoding="utf-8")
