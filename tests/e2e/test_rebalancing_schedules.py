"""Lives of a node that rebalances, drawn by chance: every msat is accounted for."""

import os
from pathlib import Path
from typing import Final

import pytest
from e2e.conftest import NOW
from e2e.happenings import HAPPENINGS
from e2e.life import TARGETS, Life, Start
from e2e.office import Office
from e2e.thirsty import DAY, MINUTE, Ledger, asked, hang_up, until_over
from e2e.wishes import WISHES

from revops.core.treasury import Ending

LIVES: Final = 700 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 60
LENGTH: Final = 40


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """
    Where every life begins.
    """
    return Start(tmp_path_factory.mktemp("start") / "regtest", NOW, *TARGETS)


@pytest.mark.parametrize("seed", range(LIVES))
def test_whatever_happens_every_msat_is_accounted_for(
    start: Start, tmp_path: Path, seed: int
) -> None:
    """
    Nothing is reserved beyond the budget, and nothing settled before all of it is known; what is
    settled is what the node paid for us, no more and no less; nothing of others is touched; and
    after a quiet day nothing is left open.
    """
    life = Life(seed, start.again(tmp_path / "regtest"), tmp_path / "regtest")
    try:
        for _ in range(LENGTH):
            life.go_on({**HAPPENINGS, **WISHES})
        life.end()
    except BaseException as error:
        story = "\n  ".join(life.story)
        msg = f"seed {seed}: {error}\n  {story}"
        raise AssertionError(msg) from error
    finally:
        life.close()


# What they found ------------------------------------------------------------------------------


def test_nothing_begins_in_the_second_of_a_stop(thirsty: Office, ledger: Ledger) -> None:
    """
    Where a refill was stopped just now, sling would go on with its order beside the next one and
    pay both: the next one waits.
    """
    thirsty.configure(rebalance_cooldown_hours="0")
    thirsty.node.sling.usual_ppm = None
    thirsty.move()
    thirsty.pass_by(21 * MINUTE)
    thirsty.node.sling.usual_ppm = 100
    thirsty.tend()
    thirsty.move()
    assert len(asked(thirsty, "sling-stop")) == len(asked(thirsty, "sling-once")) == 1

    thirsty.move(after_s=MINUTE)
    over = until_over(thirsty, ledger)
    assert (over.rebalance_id, over.moved_msat) == (2, over.amount_msat)
    assert ledger.paid == ledger.settled == over.fee_msat


def test_a_clock_set_ahead_ends_no_patience(thirsty: Office, ledger: Ledger) -> None:
    """
    Two days later by the clock, one answer that is lost is still one: nothing is given up for it,
    and the refill is settled at what it cost.
    """
    thirsty.move()
    thirsty.clock._now += 2 * DAY
    thirsty.node.before["sling-stats"] = hang_up
    thirsty.tend(after_s=MINUTE)
    thirsty.node.before.clear()
    over = until_over(thirsty, ledger)

    assert over.ending is Ending.DONE
    assert ledger.paid == ledger.settled == over.fee_msat > 0


def test_a_clock_set_back_keeps_no_payment_of_an_old_node_waiting(
    thirsty: Office, ledger: Ledger
) -> None:
    """
    Where payments are booked ten minutes after they completed, those of tomorrow are not waited for
    until tomorrow.
    """
    thirsty.node.absent.add("listchannelmoves")
    thirsty.configure(rebalance_min_amount="50000")
    thirsty.move()
    thirsty.pass_by(MINUTE)
    thirsty.clock._now -= DAY
    over = until_over(thirsty, ledger, minutes=30)

    assert over.ending is Ending.DONE
    assert ledger.paid == ledger.settled == over.fee_msat > 0
