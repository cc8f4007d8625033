"""A fake lightningd for the real process, and an office: the same pieces under a fake clock."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from fakes import FakeNode


@pytest.fixture
def node() -> FakeNode:
    """
    The recorded node, as if the recording ended a minute ago.
    """
    return FakeNode(now=int(time.time()))


@pytest.fixture
def lightningd(tmp_path: Path, node: FakeNode) -> Iterator[FakeLightningd]:
    """
    A lightningd with that node, and no plugin yet.
    """
    daemon = FakeLightningd(tmp_path / "regtest", node)
    yield daemon
    daemon.close()


@pytest.fixture
def office(tmp_path: Path, node: FakeNode) -> Iterator[Office]:
    """
    The plugin's own pieces on that node, with time in the test's hands.
    """
    office = Office(tmp_path, node)
    yield office
    office.close()
