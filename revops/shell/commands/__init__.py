"""Commands: what operators and neighbours may ask. They read, or write policies, and answer."""

from typing import Final

from revops.shell.commands import explain, policy, snapshot, status
from revops.shell.commands.command import Command

COMMANDS: Final[tuple[Command, ...]] = (
    status.COMMAND,
    explain.COMMAND,
    snapshot.COMMAND,
    policy.COMMAND,
)
