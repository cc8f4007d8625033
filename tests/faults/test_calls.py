"""Every call that revops makes, struck by everything that can become of a call."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs
import pytest
from faults.patient import EVERY, Patient
from faults.rpc import ANSWERS, FAULTS

ROOT: Final = Path(__file__).resolve().parents[2]
LOOPS: Final = ("fees", "forwards", "books", "upkeep", "rebalance", "jobs")


@attrs.frozen
class Asked:
    """
    Attributes:
        by: The loops that make the call, those first that make it without the others.
        once: What was done before, so that they do.
        stopping: What is under way is unwanted then.
    """

    by: tuple[str, ...]
    once: tuple[str, ...] = ()
    stopping: bool = False


ELSEWHERE: Final = ("hive-", "help", "listnodes")
"""Calls on which no loop here depends: e2e/test_hive and e2e/test_metrics strike them."""
FILLING: Final = ("fees", "rebalance")
CALLS: Final[Mapping[str, Asked]] = {
    "getinfo": Asked(("fees", "rebalance")),
    "listpeerchannels": Asked(("fees", "rebalance", "jobs"), FILLING),
    "feerates": Asked(("fees",)),
    "listforwards": Asked(("fees", "forwards")),
    "wait": Asked(("fees", "books", "rebalance", "jobs"), ("rebalance",)),
    "setchannel": Asked(("fees",)),
    "clboss-status": Asked(("fees", "rebalance")),
    "clboss-unmanage": Asked(("fees",)),
    "listfunds": Asked(("rebalance",)),
    "listchannelmoves": Asked(("books", "rebalance", "jobs"), FILLING),
    "listclosedchannels": Asked(("books",), ("fees",)),
    "bkpr-listaccountevents": Asked(("books",), ("fees",)),
    "listsendpays": Asked(("jobs",), FILLING),
    "listconfigs": Asked(("rebalance", "jobs"), ("fees",)),
    "sling-version": Asked(("rebalance", "jobs"), ("fees",)),
    "sling-jobsettings": Asked(("rebalance", "jobs"), FILLING),
    "sling-stats": Asked(("rebalance", "jobs"), FILLING),
    "sling-once": Asked(("rebalance",), ("fees",)),
    "sling-stop": Asked(("jobs",), FILLING, stopping=True),
    "sling-deletejob": Asked(("jobs",), FILLING, stopping=True),
}
NO_MATTER: Final = ("sling-stop", "sling-deletejob", "clboss-unmanage")
BORNE: Final = {
    *((method, fault) for method in NO_MATTER for fault in ANSWERS),
    ("sling-jobsettings", "an empty object"),
    ("feerates", "an empty object"),
    ("getinfo", "a list of null"),
    ("listconfigs", "absurd values"),
    ("bkpr-listaccountevents", "absurd values"),
}
"""
Answers that are as good as any: what sling says of a stop, and CLBOSS of tags, is not believed but
looked at, sling may keep no jobs and be patient for ages, there may be no feerates, where the node
listens is not asked, and what kinds of events bookkeeper knows is its own business.
"""
CELLS: Final = [
    (method, fault)
    for row, method in enumerate(CALLS)
    for column, fault in enumerate(FAULTS)
    if EVERY or (row + column) % 12 == 0
]
"""Every call and every fault is among them; `make faults` has them all."""


@pytest.mark.parametrize(("method", "fault"), CELLS)
def test_a_call_that_goes_wrong_is_told_and_forgotten(
    patient: Patient, method: str, fault: str
) -> None:
    """
    No loop ends, no msat is spent that is not accounted for, the operator is told which call went
    wrong; once it goes well again, all does, and nothing that was learned is forgotten.
    """
    asked = CALLS[method]
    patient.run(asked.once)
    patient.pass_by(3)
    patient.configure(paused=str(asked.stopping).lower())
    patient.logs.clear()

    strike = patient.strike(method, FAULTS[fault])
    patient.run(asked.by)
    told = patient.told()
    patient.lift()
    patient.configure(paused="false")
    patient.recover(asked.by)

    assert strike.asked
    assert patient.surprises() == []
    assert (method in told) == (strike.wrong and (method, fault) not in BORNE), told
    assert patient.failing() == {}
    assert patient.known <= patient.remembered()
    assert patient.met_anew() == set()
    assert patient.ledger.settled == patient.ledger.paid


def test_every_call_is_struck() -> None:
    """
    There is no call in the adapters that is not in the table above.
    """
    named = {
        node.args[0].value
        for path in (ROOT / "revops" / "adapters").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("_ask", "_ask_if_there", "_call")
        and isinstance(node.args[0], ast.Constant)
        and not node.args[0].value.startswith(ELSEWHERE)
    }

    assert named == set(CALLS)


def test_every_loop_that_makes_a_call_is_struck(patient: Patient) -> None:
    """
    No loop makes a call that is not struck while it runs.
    """
    asked: dict[str, set[str]] = {}
    for loop in LOOPS:
        patient.node.calls.clear()
        patient.run([loop])
        patient.configure(paused=str(loop == "rebalance").lower())
        asked[loop] = {m for m, _ in patient.node.calls if not m.startswith(ELSEWHERE)}

    for loop, methods in asked.items():
        assert methods <= {method for method, call in CALLS.items() if loop in call.by}


def test_the_handbook_tells_of_every_call() -> None:
    """
    Each call stands in the table of docs/faults.md, with each loop that is struck.
    """
    told: dict[str, str] = {}
    for row in (ROOT / "docs" / "faults.md").read_text(encoding="utf-8").splitlines():
        calls, *loops = row.strip("| ").split(" | ")
        for method in re.findall("`([a-z-]+)`", calls) if loops else ():
            told[method] = f"{told.get(method, '')} {loops[0]}"

    assert [(m, loop) for m, c in CALLS.items() for loop in c.by if loop not in told[m]] == []
