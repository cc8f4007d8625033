"""Loops: what the one worker does beside each other, and how often."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from revops.core.config import Config
from revops.core.units import DAY, HOUR, MINUTE, Instant
from revops.shell.accounting import Accounting
from revops.shell.bookkeeper import Bookkeeper
from revops.shell.clock import Clock
from revops.shell.commands.seen import seen_in
from revops.shell.cycle import Cycle
from revops.shell.days import Days, WalletPort
from revops.shell.ports import BooksPort
from revops.shell.readings import Readings
from revops.shell.refills import RefillWalk
from revops.shell.worker import Loop

_FOLLOW: Final = 10 * MINUTE
"""How often forwards are counted between cycles, so that reports are fresh."""


class MoneyPort(BooksPort, WalletPort, Protocol):
    """
    All that a node tells about money.
    """


def loops(
    cycle: Cycle,
    readings: Readings,
    node: MoneyPort,
    config: Callable[[], Config],
    clock: Clock,
    log: Any,  # noqa: ANN401 -- structlog's loggers have no better type
) -> list[Loop]:
    """
    Return what the worker does, in the order of its turns: prices come first, however long the
    counting of forwards takes; the books are kept by what a cycle saw.
    """
    forwards = cycle.observer.forwards
    accounting = Accounting(node, cycle.store, clock, RefillWalk(node, cycle.store))
    days = Days(node, cycle.store, clock, config)
    bookkeeper = Bookkeeper(accounting, days, cycle, log)

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
        return cycle.store.upkeep.forget(Instant(clock.now() - config().history_days * DAY))

    def loop(name: str, job: Callable[[], object], interval: Callable[[], int]) -> Loop:
        return Loop(name=name, job=job, interval=interval, clock=clock, log=log)

    fees = loop("fees", look, lambda: config().fee_interval)
    books = loop("books", keep, lambda: HOUR)
    return [
        fees,
        loop("forwards", follow, lambda: _FOLLOW),
        books,
        loop("upkeep", forget, lambda: DAY),
    ]
