"""Loops: what the worker does beside each other, on which thread, and how often."""

from functools import partial
from typing import Final

from revops.core.units import DAY, HOUR, MINUTE, Instant
from revops.shell.accounting import Accounting
from revops.shell.bookkeeper import Bookkeeper
from revops.shell.commands.seen import seen_in
from revops.shell.cycle import Cycle
from revops.shell.days import Days
from revops.shell.hive import HiveDesk
from revops.shell.metrics.exporter import INTERVAL_S, Exporter
from revops.shell.readings import Readings
from revops.shell.rebalancing.kit import Kit
from revops.shell.rebalancing.money import Money
from revops.shell.worker import Loop

_FOLLOW: Final = 10 * MINUTE
"""How often forwards are counted between cycles, so that reports are fresh."""
_TEND: Final = 10 * MINUTE
"""How often it is looked whether a rebalance is open."""


def loops(cycle: Cycle, readings: Readings, kit: Kit) -> list[Loop]:
    """
    Return what the worker does, in the order of its turns: prices come first, however long the
    counting of forwards takes; the books are kept by what a cycle saw.
    """
    clock, config, forwards = kit.clock, kit.config, kit.observer.forwards
    accounting = Accounting(kit.node, kit.store, clock, kit.walk)
    bookkeeper = Bookkeeper(accounting, Days(kit.node, kit.store, clock, config), cycle, kit.log)

    def look() -> None:
        seen_in(cycle.run())  # so that no command has to wait for the lists
        readings.renew(clock.now())
        if bookkeeper.has_news():
            books.hurry()

    def follow() -> bool:
        was_behind = forwards.behind > 0
        complete = forwards.turn(clock.now())
        if complete and was_behind:
            readings.renew(clock.now())
            fees.hurry()
        return not complete

    def keep() -> bool:
        behind = bookkeeper.run()
        readings.renew(clock.now())
        return behind

    def forget() -> bool:
        return kit.store.upkeep.forget(Instant(clock.now() - config().history_days * DAY))

    loop = partial(Loop, clock=clock, log=kit.log)
    fees = loop("fees", look, lambda: config().fee_interval)
    books = loop("books", keep, lambda: HOUR)
    return [
        fees,
        loop("forwards", follow, lambda: _FOLLOW),
        books,
        loop("upkeep", forget, lambda: DAY),
    ]


def metrics_loop(exporter: Exporter, kit: Kit) -> Loop:
    """
    Return what keeps up what Prometheus may read: the last of the worker's turns.
    """
    return Loop("metrics", exporter.renew, lambda: INTERVAL_S, kit.clock, kit.log)


def hive_loop(hive: HiveDesk, kit: Kit) -> Loop:
    """
    Return what has to do with cl-hive, on a thread that it may keep waiting.
    """
    loop = Loop("hive", hive.run, lambda: MINUTE, kit.clock, kit.log, hive.waiting)
    hive.ring = loop.ring
    return loop


def money_loops(money: Money, kit: Kit) -> list[Loop]:
    """
    Return what is done on the other thread, where an answer of sling is waited for for minutes:
    what is open is looked into first, every minute for as long as there is any.
    """

    def tend() -> None:
        if money.jobs.run():
            jobs.hurry()

    def move() -> None:
        moved = money.run()
        if moved.done:
            jobs.hurry()
        if moved.blind:
            rebalance.hurry()

    loop = partial(Loop, clock=kit.clock, log=kit.log)
    jobs = loop("jobs", tend, lambda: _TEND)
    rebalance = loop("rebalance", move, lambda: kit.config().rebalance_interval)
    return [jobs, rebalance]
