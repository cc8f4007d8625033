"""revenue-clboss-status: what CLBOSS leaves alone by its own word, and how much of it is ours."""

from typing import TYPE_CHECKING

from revops.shell.commands.command import Answer, Command, Given
from revops.shell.commands.ignoring import GRANULARITY, rows
from revops.shell.commands.money import LIMIT, rows_wanted

if TYPE_CHECKING:
    from revops.shell.app import App


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-clboss-status`.
    """
    limit = rows_wanted(given)
    look = app.keeper.look()
    found = rows(app, look.unmanaged)
    ours = sum(bool(row["our_tags"]) for row in found)
    return {
        "clboss_enabled": app.settings.config.clboss_enabled,
        "clboss_available": look.unmanaged is not None,
        "message": look.note
        or f"CLBOSS leaves something alone of {len(found)} peers, of {ours} because of revops",
        "granularity": GRANULARITY,
        "count": len(found),
        "unmanaged_peers": found[:limit],
    }


COMMAND = Command(
    name="revenue-clboss-status",
    help="Ask CLBOSS what it leaves alone of which peers, and show whose doing that is and what is"
    " left of it when revops stops.",
    arguments=(LIMIT,),
    run=run,
    examples=("revenue-clboss-status",),
    slow=True,
)
