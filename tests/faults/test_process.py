"""The plugin's own process, whose calls are struck: it lives, answers and tells."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.conftest import NOW
from e2e.fake_lightningd import FakeLightningd
from e2e.rpc_socket import RpcSocket
from fakes import FakeNode
from faults.rpc import FAULTS, FaultySocket, Strike


class StruckLightningd(FakeLightningd):
    """
    One whose answers to one method may be struck.
    """

    def _listen(self) -> RpcSocket:
        return FaultySocket(self.directory / "lightning-rpc", self.node)

    def strike(self, method: str, fault: str) -> Strike:
        """
        Have *fault* happen to every call of *method* from now on.
        """
        self._socket.strike = Strike(method, FAULTS[fault])
        return self._socket.strike


@pytest.fixture
def struck(tmp_path: Path) -> Iterator[StruckLightningd]:
    """
    A lightningd whose plugin waits a second for an answer, and not before it asks again.
    """
    daemon = StruckLightningd(tmp_path / "regtest", FakeNode(now=NOW))
    daemon.config = {
        "revenue-ops-rpc-timeout-seconds": "1",
        "revenue-ops-rpc-circuit-breaker-seconds": "0",
    }
    yield daemon
    daemon.close()


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("listpeerchannels", "drips"),
        ("listforwards", "breaks off"),
        ("setchannel", "hangs after it was done"),
        ("getinfo", "is too deep"),
    ],
)
def test_the_process_lives_and_tells(struck: StruckLightningd, method: str, fault: str) -> None:
    """
    From the first moment on a call is answered as nobody would: commands are answered, the status
    names the call, and the end comes in time, without a word on stderr or a traceback.
    """
    strike = struck.strike(method, fault)
    struck.start()
    struck.block()

    def told() -> list[Any] | None:
        troubles = struck.call("revenue-status")["troubles"]
        return troubles if method in "\n".join(troubles) else None

    assert struck.wait_for(told)
    assert struck.call("revenue-policy", "list")["count"] == 0
    strike.over.set()
    assert struck.shutdown() < 2.0
    assert struck.stderr == ""
    assert [line for line in struck.logged("broken", "error") if "Traceback" in line] == []
