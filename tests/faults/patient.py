"""A patient: the plugin's own pieces on a node with work for every loop, and calls to be struck."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from e2e.office import Office
from e2e.rpc_socket import RpcSocket
from e2e.thirsty import SIZES, Ledger, attempts
from fakes import FakeNode
from faults.rpc import ENDLESS, Fault, FaultySocket, Strike

from revops.adapters.rpc import connect
from revops.core import Code
from revops.shell.main import build

EVERY: Final = os.environ.get("FAULTS") == "all"
"""Whether all is tried, or a choice of it."""
REST: Final = 61
"""Seconds after which a call that went unanswered is tried again."""
REPRICED: Final = "150x4x0"
PRICE_PPM: Final = 1234
KEPT: Final = {
    "scid": "150x6x0",
    "direction": "pull",
    "amount": 50_000,
    "maxppm": 10,
    "candidates": ["150x8x0"],
    "target": 0.1,
}
"""A job that is not ours; sling was not told to begin it."""
_PATIENCE_S: Final = 20.0
_SHORT_PATIENCE_S: Final = 0.1
_ROUNDS: Final = 30


class Patient(Office):
    """
    It waits long for an answer, but for one that is known not to come.
    """

    def __init__(self, directory: Path, node: FakeNode) -> None:
        self._strike: Strike | None = None
        super().__init__(directory, node, **SIZES)
        self.ledger = Ledger(self)
        self.known = self.remembered()

    def _listen(self) -> RpcSocket:
        return FaultySocket(self._rpc, self.node)

    def _open(self) -> None:
        def call(method: str, params: dict[str, object]) -> object:
            patience, strike = _PATIENCE_S, self._strike
            if strike and strike.method == method:
                strike.asked += 1
                patience = _SHORT_PATIENCE_S if strike.fault in ENDLESS else _PATIENCE_S
            return connect(str(self._rpc), patience)(method, params)

        def write(line: str, level: str) -> None:
            self.logs.append((level, line))

        self.app = build(call, self.directory, self.settings, self.clock, write)

    def strike(self, method: str, fault: Fault) -> Strike:
        """
        Have *fault* happen to every call of *method* from now on.
        """
        self._strike = self._socket.strike = Strike(method, fault)
        return self._strike

    def lift(self) -> None:
        """
        Let everything be well again.
        """
        if self._strike:
            self._strike.over.set()
        self._strike = self._socket.strike = None

    def run(self, loops: Iterable[str]) -> None:
        """
        Run *loops* one after the other; money is accounted for after each.
        """
        for loop in loops:
            self.app.worker.run_once(loop)
            self.ledger.check()

    def stir(self) -> None:
        """
        Have something to do for every loop: beside a channel that is to be filled, one is to be
        priced, one forwarded, bookkeeper is to be asked about all, sling has a job of somebody
        else's, and CLBOSS tags.
        """
        peer_id = self.node.channel(REPRICED)["peer_id"]
        self.call("revenue-policy", "set", peer_id=peer_id, strategy="static", fee_ppm=PRICE_PPM)
        self.app.store._write(lambda books: books.execute("UPDATE channels SET asked_at = NULL"))
        self.node.answer("sling-job", KEPT)
        self.node.clboss.there = True
        self.node.clboss.unmanage(peer_id, "open")
        self.node.forward("150x6x0", "150x8x0", 1_000_000, self.clock.now() - 5)

    def recover(self, loops: Iterable[str]) -> None:
        """
        Live on as the worker would until nothing is open.
        """
        for _ in range(_ROUNDS):
            self.pass_by(REST)
            self.run(dict.fromkeys((*loops, "jobs")))
            if not any(attempt.open for attempt in attempts(self)):
                return
        raise AssertionError(attempts(self)[-1])

    # What it is like -------------------------------------------------------------------------

    def told(self) -> str:
        """
        Return what an operator is told is wrong: by `revenue-status` and in the log.
        """
        status = self.call("revenue-status")
        told = [
            *status["troubles"],
            status["sling"]["why_not"] or "",
            status["neighbours"]["clboss"]["note"] or "",
            *(loop["last_error"] or "" for loop in status["loops"]),
            *(group["last_error"] or "" for group in status["rpc"]),
            *(line for level, line in self.logs if level != "info"),
        ]
        return "\n".join(told)

    def surprises(self) -> list[str]:
        """
        Return what was logged that nobody foresaw.
        """
        return [line for _, line in self.logs if "Traceback" in line]

    def failing(self) -> dict[str, str]:
        """
        Return the loops whose last run was in vain, and why.
        """
        return {state.name: state.last_error for state in self.app.worker.states() if state.failing}

    def remembered(self) -> set[str]:
        """
        Return the channels that it remembers, by what it knows and by what is in the books.
        """
        known = {channel.channel_id for channel in self.app.cycle.memory.channels}
        kept = {channel.channel_id for channel in self.app.store.load_memory().channels}
        assert known == kept
        return known

    def met_anew(self) -> set[str]:
        """
        Return the channels that the last cycle took for new ones.
        """
        last = self.app.cycle.last
        return {
            decision.scid
            for decision in (last.plan.decisions if last else ())
            if Code.FIRST_CONTACT in {reason.code for reason in decision.trail}
        }
