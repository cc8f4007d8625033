"""A plugin whose world may be struck by anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.conftest import NOW
from e2e.fake_lightningd import FakeLightningd
from e2e.life import Start
from e2e.thirsty import TARGET
from fakes import FakeNode
from faults.patient import Patient


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """
    Where every patient begins: a node with a channel to fill, known for a day.
    """
    return Start(tmp_path_factory.mktemp("patient") / "regtest", NOW, TARGET)


@pytest.fixture
def patient(start: Start, tmp_path: Path) -> Iterator[Patient]:
    """
    A plugin that was just started, with much to do.
    """
    office = Patient(tmp_path / "regtest", start.again(tmp_path / "regtest"))
    office.stir()
    yield office
    office.close()


@pytest.fixture
def lightningd(tmp_path: Path) -> Iterator[FakeLightningd]:
    """
    A lightningd with the recorded node, and no plugin yet.
    """
    daemon = FakeLightningd(tmp_path / "regtest", FakeNode(now=NOW))
    yield daemon
    daemon.close()
