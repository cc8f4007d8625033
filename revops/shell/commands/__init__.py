"""Commands: what operators and neighbours may ask. They read, or write policies, and answer."""

from typing import Final

from revops.shell.commands import (
    analyze,
    capacity_report,
    cleanup_closed,
    clear_reservations,
    config,
    dashboard,
    explain,
    fee_debug,
    history,
    jobs,
    policy,
    profitability,
    rebalance,
    rebalance_debug,
    report,
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
    rebalance_debug.COMMAND,
    analyze.COMMAND,
    dashboard.COMMAND,
    report.COMMAND,
    profitability.COMMAND,
    history.COMMAND,
    capacity_report.COMMAND,
    cleanup_closed.COMMAND,
    snapshot.COMMAND,
    policy.COMMAND,
    set_fee.COMMAND,
    restore_fees.COMMAND,
    wake_all.COMMAND,
    rebalance.COMMAND,
    jobs.COMMAND,
    clear_reservations.COMMAND,
    config.COMMAND,
)
