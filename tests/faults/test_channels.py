"""Channels that change between a look and what is done about it: spliced, closed or gone."""

from collections.abc import Callable
from typing import Final

import pytest
from e2e.thirsty import SOURCE, TARGET
from faults.patient import EVERY, REPRICED, Patient

SPLICED: Final = "901x1x0"
STAMP: Final = "2026-11-22T10:00:00.000Z"
MOMENTS: Final = (
    ((), "fees", "feerates"),
    (("fees",), "rebalance", "sling-stats"),
    (("fees",), "rebalance", "sling-once"),
    (("fees", "rebalance"), "jobs", "sling-stats"),
)
"""What was done before, and after which call of which loop it happens."""


def splice(patient: Patient, scid: str) -> None:
    """
    Give a channel another name and a little less in it.
    """
    patient.node.books.splice(scid, SPLICED, 0, 1_000_000, patient.clock.now())


def close(patient: Patient, scid: str) -> None:
    """
    Close a channel for good.
    """
    patient.node.books.close(scid, fee=1000, at=patient.clock.now(), stamp=STAMP)


def vanish(patient: Patient, scid: str) -> None:
    """
    Have the node show a channel no more.
    """
    patient.node.channels.remove(patient.node.channel(scid))


CELLS: Final = [
    (happen, scid, moment)
    for row, happen in enumerate((splice, close, vanish))
    for column, scid in enumerate((TARGET, SOURCE, REPRICED))
    for number, moment in enumerate(MOMENTS)
    if EVERY or (row + 2 * column + number) % 6 == 0
]


@pytest.mark.parametrize(("happen", "scid", "moment"), CELLS)
def test_a_channel_that_changes_before_something_is_done_about_it(
    patient: Patient,
    happen: Callable[[Patient, str], None],
    scid: str,
    moment: tuple[tuple[str, ...], str, str],
) -> None:
    """
    What was decided about a channel that is another by now is refused or ends well: every msat is
    accounted for, no loop fails, and a splice keeps all that was learned.
    """
    before, loop, method = moment
    patient.run(before)
    patient.node.after[method] = lambda: happen_once(patient, happen, scid)
    patient.run([loop])
    assert method not in patient.node.after
    patient.recover(("fees", "books", "rebalance"))

    assert patient.surprises() == []
    assert patient.failing() == {}
    assert patient.ledger.settled == patient.ledger.paid
    assert patient.known <= patient.remembered()
    assert patient.met_anew() == set()


def happen_once(patient: Patient, happen: Callable[[Patient, str], None], scid: str) -> None:
    """
    Have it happen, and not again.
    """
    patient.node.after.clear()
    happen(patient, scid)
