"""A refill through the real process: killed at any step of it, its money is accounted for."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from e2e.hasty import HastyLightningd
from e2e.life import Start
from e2e.thirsty import TARGET
from fake_circular import Fate

from revops.shell.clock import Clock

FOREIGN: Final = "150x5x0"


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """
    A node and its books, a day after they met.
    """
    return Start(tmp_path_factory.mktemp("start") / "regtest", Clock().now(), TARGET)


@pytest.fixture
def lightningd(start: Start, tmp_path: Path) -> Iterator[HastyLightningd]:
    """
    That node, on which the operator has a job of their own in sling.
    """
    node = start.again(tmp_path / "regtest")
    daemon = HastyLightningd(tmp_path / "regtest", node)
    node.sling.fate = lambda _pair: Fate(arrives_s=20)
    order = {
        "scid": FOREIGN,
        "direction": "pull",
        "amount": 1000,
        "maxppm": 1,
        "candidates": ["150x4x0"],
        "depleteuptopercent": 0.1,
        "depleteuptoamount": 1000,
    }
    node.answer("sling-job", order)
    node.answer("sling-go", {"scid": FOREIGN})
    node.calls.clear()
    yield daemon
    node.let_go()
    daemon.close()


# What the books say ---------------------------------------------------------------------------


def opened(lightningd: HastyLightningd) -> int:
    """
    Return of how many rebalances the money is held.
    """
    query = "SELECT count(*) FROM reservations WHERE state NOT IN ('settled', 'released')"
    return lightningd.rows(query)[0][0]


def spent(lightningd: HastyLightningd) -> int:
    """
    Return what the books say that rebalancing cost.
    """
    return lightningd.rows("SELECT ifnull(sum(spent_msat), 0) FROM reservations")[0][0]


def complete(lightningd: HastyLightningd) -> dict[str, int]:
    """
    Return what the node's circular payments cost, by their hashes.
    """
    return {
        circle.row["payment_hash"]: circle.fee
        for _, circle in lightningd.node.sling.sent
        if circle.status == "complete"
    }


def all_paid(lightningd: HastyLightningd) -> bool:
    """
    Say whether everything arrived that was ordered first.
    """
    sent = lightningd.node.sling.sent
    return bool(sent) and len(complete(lightningd)) == sent[0][0].once // sent[0][0].amount


def check(lightningd: HastyLightningd) -> None:
    """
    Check that every msat is counted, once, and that nothing is left in sling but what was there.
    """
    paid = complete(lightningd)
    counted = lightningd.rows(
        "SELECT payment_hash, fee_msat FROM refills WHERE rebalance_id IS NOT NULL"
    )
    assert sorted(counted) == sorted(paid.items())
    assert spent(lightningd) == sum(paid.values()) > 0
    sling = lightningd.node.sling
    assert list(sling.jobs) == [FOREIGN]
    listed = [row["scid"] for row in lightningd.node.answer("sling-stats", {"json": True})]
    assert listed == [FOREIGN]
    named = {
        call.get("scid", call.get("job"))
        for method in ("sling-stop", "sling-deletejob")
        for call in lightningd.node.called(method)
    }
    assert named <= {TARGET}


def settled(lightningd: HastyLightningd) -> bool:
    """
    Say whether a rebalance has cost something, and none is open.
    """
    return spent(lightningd) > 0 and not opened(lightningd)


# Where it is killed ---------------------------------------------------------------------------


class Moment:
    """
    A moment of a refill; `wait` returns when it has come, and it lasts until the plugin is killed.
    """

    def __init__(self, lightningd: HastyLightningd) -> None:
        self.lightningd = lightningd
        self.node = lightningd.node
        self.come = threading.Event()
        self.lock = sqlite3.connect(
            lightningd.directory / "revenue_ops.db", isolation_level=None, check_same_thread=False
        )

    def hold(self) -> None:
        """
        Let whoever asks wait for ever.
        """
        self.come.set()
        self.node.never_answer()

    def wait(self) -> None:
        """
        Return when it has come.
        """
        self.lightningd.wait_for(self.come.is_set)

    def pass_over(self) -> None:
        """
        Let everything go on, now that the plugin is dead.
        """
        self.node.before.clear()
        self.node.after.clear()
        self.node.let_go()
        self.lock.close()


def before_it_is_reserved(moment: Moment) -> None:
    """
    All was looked at, and nothing is written down.
    """
    moment.node.after["sling-stats"] = moment.hold


def once_it_is_reserved(moment: Moment) -> None:
    """
    Sling has not heard of it.
    """
    moment.node.before["sling-once"] = moment.hold


def before_its_start_is_heard(moment: Moment) -> None:
    """
    Sling has begun, and nobody knows.
    """
    moment.node.after["sling-once"] = moment.hold


def once_its_start_is_written(moment: Moment) -> None:
    """
    Nothing was paid yet.
    """

    def wait() -> None:
        query = "SELECT 1 FROM reservations WHERE state = 'in_flight'"
        moment.lightningd.wait_for(lambda: moment.lightningd.rows(query))

    moment.wait = wait


def amid_the_payments(moment: Moment) -> None:
    """
    Three are paid, and the fourth is under way.
    """
    sent = moment.node.sling.sent

    def fate(_pair: Any) -> Fate:
        if len(sent) == 3:
            moment.lightningd.freeze()
            moment.come.set()
        return Fate(arrives_s=20)

    moment.node.sling.fate = fate
    moment.lightningd.flow()


def after_the_last_payment(moment: Moment) -> None:
    """
    All are paid, and nobody has looked.
    """
    moment.lightningd.flow()
    moment.wait = lambda: moment.lightningd.wait_for(lambda: all_paid(moment.lightningd))


def before_it_is_stopped(moment: Moment) -> None:
    """
    All is paid, and what is listed yet is to go.
    """
    moment.node.before["sling-stop"] = moment.hold
    moment.lightningd.flow()


def before_its_end_is_heard(moment: Moment) -> None:
    """
    Sling has forgotten it, and nobody knows.
    """
    moment.node.after["sling-deletejob"] = moment.hold
    moment.lightningd.flow()


def before_it_is_settled(moment: Moment) -> None:
    """
    All is known, but for what moved since.
    """
    moment.node.before["listchannelmoves"] = _look_after(moment, 1, moment.hold)
    moment.lightningd.flow()


def while_it_is_settled(moment: Moment) -> None:
    """
    All is known, and what is to be written waits for the disk.
    """

    def occupy() -> None:
        moment.lock.execute("BEGIN IMMEDIATE")
        moment.come.set()

    moment.node.before["listchannelmoves"] = _look_after(moment, 2, occupy)
    moment.lightningd.flow()


def _look_after(moment: Moment, nth: int, then: Callable[[], None]) -> Callable[[], None]:
    looks: list[int] = []

    def look() -> None:
        if moment.node.called("sling-deletejob"):
            looks.append(len(moment.node.calls))
            if len(looks) == nth:
                then()

    return look


MOMENTS: Final = {
    before_it_is_reserved: [],
    once_it_is_reserved: ["reserved"],
    before_its_start_is_heard: ["reserved"],
    once_its_start_is_written: ["in_flight"],
    amid_the_payments: ["in_flight"],
    after_the_last_payment: ["in_flight"],
    before_it_is_stopped: ["in_flight"],
    before_its_end_is_heard: ["in_flight"],
    before_it_is_settled: ["in_flight"],
    while_it_is_settled: ["in_flight"],
}
"""With what the books say of the money then."""


def test_a_refill_is_paid_and_booked_to_the_msat(lightningd: HastyLightningd) -> None:
    """
    All payments arrive; the books know what each cost, and nothing stays reserved.
    """
    lightningd.flow()
    lightningd.begin()
    lightningd.wait_for(lambda: settled(lightningd))
    check(lightningd)

    (order, _), *_ = lightningd.node.sling.sent
    assert all_paid(lightningd)
    [(moved,)] = lightningd.rows("SELECT sum(amount_msat) FROM refills WHERE rebalance_id = 1")
    assert moved == order.once
    [(ending, amount)] = lightningd.rows("SELECT ending, amount_msat FROM rebalance_log")
    assert (ending, amount) == ("done", order.once)
    assert lightningd.call("revenue-jobs")["count"] == 0
    assert lightningd.logged("broken") == []


@pytest.mark.parametrize("sling", ["goes on", "dies"])
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_a_kill_at_any_step_loses_no_msat(
    lightningd: HastyLightningd, moment: Callable[[Moment], None], sling: str
) -> None:
    """
    Whether sling goes on meanwhile or dies as well, the next start finds out what became of the
    money: what was paid is settled, nothing twice, nothing stays reserved or listed, and what
    belongs to others is as it was.
    """
    now = Moment(lightningd)
    moment(now)
    lightningd.begin()
    now.wait()
    lightningd.kill()
    states = lightningd.rows("SELECT state FROM reservations")
    assert [state for (state,) in states] == MOMENTS[moment]
    now.pass_over()
    if sling == "dies":
        lightningd.node.sling.die()
        lightningd.node.sling.begin()
    lightningd.flow()
    lightningd.begin()
    lightningd.wait_for(lambda: settled(lightningd))
    check(lightningd)
    assert lightningd.logged("broken") == []
