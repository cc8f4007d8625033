"""revenue-cleanup-closed: what became of channels that closed, and what is still to come."""

from typing import TYPE_CHECKING, Final

from revops.core.costs import SETTLING
from revops.shell.commands.command import Answer, Command, Given
from revops.shell.commands.money import LIMIT, earned, rows_wanted

if TYPE_CHECKING:
    from revops.adapters.store import Closed
    from revops.shell.app import App

_ON_CHAIN: Final = "the chain has yet to settle what it held"
_NOT_YET: Final = "it closes; the books have yet to take note"
_LOST: Final = (
    "no look at the node shows it any more; unless the node says what became of it, it is called"
    " closed after a day"
)


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-cleanup-closed`.
    """
    limit = rows_wanted(given)
    closed = app.store.reports.closed()
    done = [_row(item) for item in closed[::-1] if item.resolved]
    pending = [{**_row(item), "why": _ON_CHAIN} for item in closed if not item.resolved]
    pending += _unnoticed(app, {item.closing.channel_id for item in closed})
    app.worker.hurry("books")
    return {
        "status": "success",
        "archived": len(done),
        "pending_count": len(pending),
        "pending": pending[:limit],
        "channels": done[:limit],
        # Nothing is ever deleted: a channel's account stays for ever.
        "cleaned": 0,
        "errors": [],
        "message": f"{len(done)} closed channels are archived, {len(pending)} will be; the node's"
        " lists are looked through again now",
    }


def _unnoticed(app: "App", known: set[str]) -> list[Answer]:
    """
    Return the channels that are over by what was seen last, and of which the books do not know.
    """
    if app.cycle.last is None:
        return []
    seen = app.cycle.last.snapshot.channels
    over = [
        {
            "channel_id": channel.scid or channel.channel_id,
            "peer_id": channel.peer_id,
            "why": f"{channel.state}: {_NOT_YET}",
        }
        for channel in seen
        if channel.state in SETTLING and channel.channel_id not in known
    ]
    lost = [
        {
            "channel_id": closing.scid or closing.channel_id,
            "peer_id": closing.peer_id,
            "last_seen_at": closing.at,
            "why": _LOST,
        }
        for closing in app.store.costs.unlisted(channel.channel_id for channel in seen)
        if closing.channel_id not in known
    ]
    return over + lost


def _row(item: "Closed") -> Answer:
    closing = item.closing
    return {
        "channel_id": closing.scid or closing.channel_id,
        "peer_id": closing.peer_id,
        "closed_at": closing.at,
        "how": closing.how,
        **earned("final_to_us", closing.final_to_us_msat),
    }


COMMAND = Command(
    name="revenue-cleanup-closed",
    help="Show which closed channels are archived and which are not yet, and why, and look again"
    " at once. The books keep every channel's account for ever.",
    arguments=(LIMIT,),
    run=run,
    examples=("revenue-cleanup-closed",),
)
