"""Commands: what operators and neighbours may ask. They read, or write policies, and answer."""

from typing import Final

from revops.shell.commands import (
    analyze,
    config,
    explain,
    fee_debug,
    policy,
    restore_fees,
    set_fee,
    snapshot,
    status,
    wake_all,
)
from revops.shell.commands.command import Command

COMMANDS: Final[tuple[Command, ...]] = (
    status.COMMAND,
    explain.COMMAND,
    fee_debug.COMMAND,
    analyze.COMMAND,
    snapshot.COMMAND,
    policy.COMMAND,
    set_fee.COMMAND,
    restore_fees.COMMAND,
    wake_all.COMMAND,
    config.COMMAND,
)
