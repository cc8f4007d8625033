"""A fake lightningd for the real process, and an office: the same pieces under a fake clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from e2e.thirsty import SIZES, Ledger, make_thirsty, settle_in
from fakes import FakeNode

NOW = 1_795_338_900
"""Two hours after the recorded node opened its channels."""


@pytest.fixture
def node() -> FakeNode:
    """
    The recorded node, a minute after its last payment.
    """
    return FakeNode(now=NOW)


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


@pytest.fixture
def thirsty(tmp_path: Path, node: FakeNode) -> Iterator[Office]:
    """
    The plugin's own pieces on a node of which one channel is worth a refill, known for a day.
    """
    make_thirsty(node)
    office = Office(tmp_path, node, **SIZES)
    settle_in(office)
    yield office
    office.close()


@pytest.fixture
def ledger(thirsty: Office) -> Ledger:
    """
    What is really paid on that node.
    """
    return Ledger(thirsty)
