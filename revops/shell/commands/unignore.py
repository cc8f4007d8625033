"""revenue-unignore: what was ordered about CLBOSS and a peer counts no more."""

from typing import TYPE_CHECKING

import attrs

from revops.core.clboss import NONE
from revops.shell.commands.command import Answer, Command, Given
from revops.shell.commands.ignoring import EXAMPLE, PEER, order, the_peer

if TYPE_CHECKING:
    from revops.shell.app import App

_EFFECT = "CLBOSS leaves alone what revops does with this peer, and nothing else on our account"


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-unignore`.
    """
    peer_id = the_peer(given["peer_id"])
    answer = order(
        app, peer_id, lambda claim: attrs.evolve(claim, ignored=NONE, remanaged=NONE), _EFFECT
    )
    return {"action": "unignored", **answer}


COMMAND = Command(
    name="revenue-unignore",
    help="Take back what was ordered about a peer with revenue-ignore or revenue-remanage.",
    arguments=(PEER,),
    run=run,
    examples=(f"revenue-unignore {EXAMPLE}",),
    slow=True,
)
