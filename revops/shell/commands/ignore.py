"""revenue-ignore: CLBOSS leaves something of a peer alone, because the operator says so."""

from typing import TYPE_CHECKING

from revops.core.clboss import OURS
from revops.shell.commands.command import Answer, Argument, Command, Given
from revops.shell.commands.ignoring import EXAMPLE, PEER, ignoring, order, the_peer, the_tags

if TYPE_CHECKING:
    from revops.shell.app import App


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-ignore`.
    """
    peer_id = the_peer(given["peer_id"])
    tags = the_tags("tags", given["tags"]) if "tags" in given else OURS
    effect = (
        f"CLBOSS leaves {' and '.join(sorted(tags))} of this peer alone for as long as revops runs,"
        " until revenue-unignore; revops itself goes by revenue-policy, as before"
    )
    answer = order(app, peer_id, lambda claim: ignoring(claim, tags), effect)
    return {"action": "ignored", "tags": sorted(tags), **answer}


COMMAND = Command(
    name="revenue-ignore",
    help="Have CLBOSS ignore a peer, or one side of managing it, whatever revops does there.",
    arguments=(
        PEER,
        Argument(
            "tags", "what it shall leave alone: lnfee, balance, open, close; lnfee,balance", False
        ),
    ),
    run=run,
    examples=(f"revenue-ignore {EXAMPLE}", f"revenue-ignore {EXAMPLE} open,close"),
    slow=True,
)
