"""The composition root: `main` is what lightningd starts, `build` puts the pieces together."""

import contextlib
import gc
import importlib.util
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from revops.adapters.rpc import Call
    from revops.adapters.store import Store
    from revops.core.precedence import Setting
    from revops.shell.app import App
    from revops.shell.clock import Clock
    from revops.shell.cycle import Cycle
    from revops.shell.hive import HiveDesk
    from revops.shell.logs import Write
    from revops.shell.metrics.exporter import Exporter
    from revops.shell.options import Settings
    from revops.shell.readings import Readings
    from revops.shell.rebalancing.kit import Kit
    from revops.shell.rebalancing.money import Money
    from revops.shell.worker import Worker

_PATIENCE_S: Final = 1.0
"""How long a start waits for the node to say who it is."""
_NEEDED: Final = {
    "attrs": "attrs",
    "cattrs": "cattrs",
    "pybreaker": "pybreaker",
    "pyln.client": "pyln-client",
    "structlog": "structlog",
    "yoyo": "yoyo-migrations",
}
"""Modules that the plugin needs, and the packages they come with."""


def main() -> None:
    """
    Serve lightningd until it says goodbye.
    """
    if missing := sorted(package for module, package in _NEEDED.items() if not _is_there(module)):
        requirements = Path(__file__).resolve().parents[2] / "requirements.txt"
        sys.exit(
            f"cl-revenue-ops cannot start without {', '.join(missing)}:"
            f" run {sys.executable} -m pip install -r {requirements}"
        )
    from revops.shell.host import Host  # noqa: PLC0415 -- it needs what was just looked for

    Host(start, saved).serve()


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def saved(directory: Path, db_path: object) -> "tuple[Setting, ...]":
    """
    Return what options were set to while revops ran, by the books at *db_path* as lightningd has
    it; nothing, as long as they are not there or cannot be read.
    """
    from revops.adapters.store.settings import peek  # noqa: PLC0415 -- see start
    from revops.shell.takeover import places  # noqa: PLC0415 -- see start

    books, _ = places(directory, None if db_path == "default" else db_path)
    return peek(books)


def start(rpc: Path, settings: "Settings", clock: "Clock", write: "Write") -> "App":
    """
    Return the plugin at work on the lightningd that listens at *rpc*.

    Raises:
        StoreError: The books cannot be opened, or are another node's.
    """
    from revops.adapters import clboss, hive, sling  # noqa: PLC0415 -- lightningd waits for the manifest
    from revops.adapters.rpc import connect  # noqa: PLC0415 -- see the line above

    def call(method: str, params: dict[str, object]) -> object:
        seconds = sling.patience(method, settings.config.rpc_timeout_seconds)
        seconds = hive.patience(method, clboss.patience(method, seconds))
        return connect(str(rpc), seconds)(method, params)

    app = build(call, rpc.parent, settings, clock, write)
    try:
        _claim(app.store, connect(str(rpc), _PATIENCE_S))
    except BaseException:
        app.store.close()
        raise
    app.exporter.follow()  # before the first block, which may be long in coming
    return app


def _claim(store: "Store", call: "Call") -> None:
    """
    Take the books for those of the node that answers *call*; of one that has no time to say who
    it is, every loop finds out later, before it reads anything.
    """
    from revops.adapters.cln import Lightningd  # noqa: PLC0415 -- see start
    from revops.adapters.errors import NoAnswerError, NodeRefusedError  # noqa: PLC0415 -- see start

    with contextlib.suppress(NoAnswerError, NodeRefusedError):
        store.upkeep.belong_to(Lightningd(call).info().node_id)


def build(
    call: "Call", directory: Path, settings: "Settings", clock: "Clock", write: "Write"
) -> "App":
    """
    Return the pieces put together; nothing runs yet.

    Raises:
        StoreError: The books cannot be opened.
    """
    from revops.adapters.breaker import Breaker  # noqa: PLC0415 -- see start
    from revops.shell.app import App  # noqa: PLC0415 -- see start
    from revops.shell.hive import HiveDesk  # noqa: PLC0415 -- see start
    from revops.shell.hive_reports import HiveReports  # noqa: PLC0415 -- see start
    from revops.shell.logs import logger  # noqa: PLC0415 -- see start
    from revops.shell.metrics.exporter import Exporter  # noqa: PLC0415 -- see start
    from revops.shell.metrics.names import Names  # noqa: PLC0415 -- see start
    from revops.shell.metrics.pages import Pages  # noqa: PLC0415 -- see start
    from revops.shell.readings import Readings  # noqa: PLC0415 -- see start
    from revops.shell.rebalancing.money import Money  # noqa: PLC0415 -- see start
    from revops.shell.takeover import opened, places  # noqa: PLC0415 -- see start

    breaker = Breaker(call, lambda: settings.config.rpc_circuit_breaker_seconds, clock)
    log, stopping = logger(write), Event()
    store = opened(*places(directory, settings.config.db_path), clock.now(), log)
    settings.keep_in(store.save_settings)
    # Its calls rest by themselves: what cl-hive does not answer keeps nobody else from asking.
    hive = HiveDesk(call, lambda: settings.config, clock, log)
    kit = _kit(breaker.call, store, settings, clock, log, stopping, hive)
    cycle = _cycle(kit)
    money, readings = Money(kit, lambda: cycle.memory, cycle.shadow), Readings(store)
    hive.reports = HiveReports(lambda: cycle.last, readings, store)
    exporter = Exporter(lambda: settings.config, Pages(lambda: app, Names(kit.node, clock)), log)
    _tune_python()
    app = App(
        directory=directory,
        settings=settings,
        clock=clock,
        store=store,
        readings=readings,
        cycle=cycle,
        keeper=kit.keeper,
        money=money,
        hive=hive,
        worker=_worker(kit, cycle, readings, money, exporter),
        breaker=breaker,
        exporter=exporter,
    )
    return app


def _worker(
    kit: "Kit", cycle: "Cycle", readings: "Readings", money: "Money", exporter: "Exporter"
) -> "Worker":
    from revops.shell import loops  # noqa: PLC0415 -- see start
    from revops.shell.worker import Worker  # noqa: PLC0415 -- see start

    return Worker(
        [*loops.loops(cycle, readings, kit), loops.metrics_loop(exporter, kit)],
        kit.stopping,
        beside=loops.money_loops(money, kit),
        neighbours=[loops.hive_loop(kit.hive, kit)],
    )


def _cycle(kit: "Kit") -> "Cycle":
    from revops.shell.cycle import Cycle  # noqa: PLC0415 -- see start
    from revops.shell.perform import Performer  # noqa: PLC0415 -- see start
    from revops.shell.shadow import Shadow  # noqa: PLC0415 -- see start

    return Cycle(
        observer=kit.observer,
        performer=Performer(
            node=kit.node,
            store=kit.store,
            clock=kit.clock,
            log=kit.log,
            stopping=kit.stopping,
        ),
        store=kit.store,
        keeper=kit.keeper,
        shadow=Shadow(kit.store.shadow, kit.log),
        config=kit.config,
        log=kit.log,
        memory=kit.store.load_memory(),
    )


def _kit(  # noqa: PLR0913, PLR0917 -- what the pieces have in common
    call: "Call",
    store: "Store",
    settings: "Settings",
    clock: "Clock",
    log: Any,  # noqa: ANN401 -- structlog's loggers have no better type
    stopping: Event,
    hive: "HiveDesk",
) -> "Kit":
    from revops.adapters.clboss import Clboss  # noqa: PLC0415 -- see start
    from revops.adapters.cln import Lightningd  # noqa: PLC0415 -- see start
    from revops.adapters.sling import Sling  # noqa: PLC0415 -- see start
    from revops.shell.clboss import Keeper  # noqa: PLC0415 -- see start
    from revops.shell.forwards import Forwards  # noqa: PLC0415 -- see start
    from revops.shell.observe import Observer  # noqa: PLC0415 -- see start
    from revops.shell.rebalancing.kit import Kit  # noqa: PLC0415 -- see start
    from revops.shell.refills import RefillWalk  # noqa: PLC0415 -- see start

    node = Lightningd(call)
    forwards = Forwards(node, store, lambda: settings.config.history_days, log)
    return Kit(
        node=node,
        sling=Sling(call, clock.pause),
        keeper=Keeper(Clboss(call), store, clock, lambda: settings.config, log),
        walk=RefillWalk(node, store),
        observer=Observer(node, store, clock, forwards, hive.hints),
        store=store,
        clock=clock,
        config=lambda: settings.config,
        log=log,
        stopping=stopping,
        hive=hive,
    )


def _tune_python() -> None:
    # A cycle makes a hundred thousand short-lived values and no circles of them: looking for
    # garbage every 700, as Python does, takes a fifth of its time.
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    # While a cycle computes, a command waits so long for its turn, and once more after each row
    # that it reads from the books: with Python's own 5 ms that adds up. The cycle notices nothing.
    sys.setswitchinterval(0.0005)
