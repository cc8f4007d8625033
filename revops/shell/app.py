"""The running plugin: all that works, in one place, for commands to ask and for the end."""

from pathlib import Path

import attrs

from revops.adapters.breaker import Breaker
from revops.adapters.store import Store
from revops.shell.clboss import Keeper
from revops.shell.clock import Clock
from revops.shell.cycle import Cycle
from revops.shell.hive import HiveDesk
from revops.shell.metrics.exporter import Exporter
from revops.shell.options import Settings
from revops.shell.readings import Readings
from revops.shell.rebalancing.money import Money
from revops.shell.worker import Worker


@attrs.frozen(kw_only=True)
class App:
    """
    What `main.build` put together.

    Attributes:
        directory: lightningd's, of this network.
    """

    directory: Path
    settings: Settings
    clock: Clock
    store: Store
    readings: Readings
    cycle: Cycle
    keeper: Keeper
    money: Money
    hive: HiveDesk
    worker: Worker
    breaker: Breaker
    exporter: Exporter
