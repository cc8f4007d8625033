"""Loops: prices every fee interval, the books hourly and whenever channels have changed."""

from collections.abc import Callable
from typing import Any, Protocol

from revops.core.config import Config
from revops.core.units import HOUR
from revops.shell.accounting import Accounting
from revops.shell.bookkeeper import Bookkeeper
from revops.shell.clock import Clock
from revops.shell.commands.seen import seen_in
from revops.shell.cycle import Cycle
from revops.shell.days import Days, WalletPort
from revops.shell.ports import BooksPort
from revops.shell.worker import Loop


class MoneyPort(BooksPort, WalletPort, Protocol):
    """
    All that a node tells about money.
    """


def loops(
    cycle: Cycle,
    node: MoneyPort,
    config: Callable[[], Config],
    clock: Clock,
    log: Any,  # noqa: ANN401 -- structlog's loggers have no better type
) -> list[Loop]:
    """
    Return what the worker does, in the order of its turns: the books go by what a cycle saw.
    """
    accounting = Accounting(node, cycle.store, clock)
    days = Days(node, cycle.store, clock, config)
    bookkeeper = Bookkeeper(accounting, days, cycle, log)
    books = Loop(name="books", job=bookkeeper.run, interval=lambda: HOUR, clock=clock, log=log)

    def look() -> None:
        seen_in(cycle.run())  # so that no command has to wait for the lists
        if bookkeeper.has_news():
            books.hurry()

    def interval() -> int:
        return config().fee_interval

    return [Loop(name="fees", job=look, interval=interval, clock=clock, log=log), books]
