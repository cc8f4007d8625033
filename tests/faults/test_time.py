"""Time: the clock is set and blocks go back in the middle of anything; learning and money stay."""

from typing import Final

import pytest
from e2e.thirsty import DAY, HOUR, TARGET
from faults.patient import Patient

LOOPS: Final = ("fees", "forwards", "books", "rebalance", "jobs", "upkeep")
STEPS: Final = ((6 * HOUR, True), (-6 * HOUR, True), (400 * DAY, False), (-30 * DAY, False))
"""By how much it is set, and whether it is set right again."""
STRUCK: Final = ("listpeerchannels", "feerates", "setchannel", "sling-stats", "listchannelmoves")


@pytest.mark.parametrize(("step", "back"), STEPS)
def test_a_clock_that_is_set_in_the_middle_of_a_cycle_does_no_harm(
    patient: Patient, step: int, *, back: bool
) -> None:
    """
    Set ahead or back by hours or days at any call, and set right again or not: every loop goes on
    as often as it did, money is accounted for, and nothing that was learned is forgotten.
    """
    for method in STRUCK:
        patient.node.before[method] = lambda: set_once(patient, step)
        patient.run(LOOPS)
        due = {name: loop.due_in() for name, loop in patient.app.worker._loops.items()}
        patient.node.before.clear()
        if back:
            patient.clock._now -= step
        patient.pass_by(60)

        assert patient.failing() == {}
        assert due["fees"] <= patient.settings.config.fee_interval * 1.1
    patient.recover(LOOPS)

    assert patient.surprises() == []
    assert patient.failing() == {}
    assert patient.known <= patient.remembered()
    assert patient.met_anew() == set()
    assert patient.ledger.settled == patient.ledger.paid


def set_once(patient: Patient, step: int) -> None:
    """
    Set the clock, and no other time.
    """
    patient.clock._now += step
    patient.node.before.clear()


def test_blocks_may_go_back(patient: Patient) -> None:
    """
    A height that falls, as after a reorganisation or with a restored node, ends nothing: channels
    are seen, priced and filled as before.
    """
    patient.run(LOOPS)
    observer = patient.app.cycle.observer
    heights = []
    for height in (900, 1, 2**31 - 1, 800):
        observer.blockheight = height
        patient.recover(LOOPS)
        heights.append(patient.app.cycle.last.snapshot.node.blockheight)
        channels = patient.app.cycle.last.snapshot.channels
        assert TARGET in {channel.scid for channel in channels}
        assert len(channels) == len(patient.node.channels)

    assert heights[0] == 900
    assert heights[-1] == 800
    assert patient.surprises() == []
    assert patient.failing() == {}
    assert patient.met_anew() == set()
