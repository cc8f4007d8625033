"""revenue-remanage: CLBOSS manages a peer again, and revops does not claim it anew."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from revops.core.clboss import KNOWN, Tags
from revops.core.units import PeerId
from revops.shell.commands.command import Answer, Argument, Command, Given
from revops.shell.commands.ignoring import (
    EXAMPLE,
    GRANULARITY,
    order,
    remanaging,
    the_peer,
    the_tags,
)

if TYPE_CHECKING:
    from revops.shell.app import App

_ALL: Final = "all"
_FOR_GOOD: Final = (
    "peers that come later are claimed as before; to claim none, set clboss-enabled to false"
)


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-remanage`.
    """
    tags = the_tags("tag", given["tag"]) if "tag" in given else KNOWN
    done = {"action": "remanaged", "tag": given.get("tag")}
    if given["peer_id"] == _ALL:
        return {**done, **_everybody(app, tags)}
    peer_id = the_peer(given["peer_id"])
    effect = "CLBOSS manages it again but for the operator's own tags, until revenue-unignore"
    return {
        **done,
        **order(app, peer_id, lambda claim: remanaging(claim, tags), effect),
        "warning": _rivalry(app, [peer_id], tags),
    }


def _everybody(app: "App", tags: Tags) -> Answer:
    peers = sorted({*app.store.clboss.claims(), *app.keeper.due})
    _, why_not = app.keeper.order(peers, lambda claim: remanaging(claim, tags))
    effect = f"CLBOSS manages {len(peers)} peers again but for the operator's own tags; {_FOR_GOOD}"
    return {
        "status": "pending" if why_not else "success",
        "success": not why_not,
        "peer_id": _ALL,
        "count": len(peers),
        "message": f"it is noted, and not done yet: {why_not}" if why_not else effect,
        "granularity": GRANULARITY,
        "warning": _rivalry(app, peers, tags),
    }


def _rivalry(app: "App", peers: Collection[PeerId], tags: Tags) -> str | None:
    """
    Return what happens where revops goes on with what CLBOSS does now.
    """
    both = sum(bool(app.keeper.due.get(peer, frozenset()) & tags) for peer in peers)
    if not both:
        return None
    return (
        f"revops goes on with {both} of these peers, and so will CLBOSS: a policy of"
        " strategy=passive rebalance=disabled leaves a peer to CLBOSS altogether"
    )


COMMAND = Command(
    name="revenue-remanage",
    help="Have CLBOSS manage a peer again, but for what its operator told it to leave alone.",
    arguments=(
        Argument("peer_id", "the peer, by its node id; all for every one", needed=True),
        Argument("tag", "only this side of it: lnfee, balance, open or close"),
    ),
    run=run,
    examples=(
        f"revenue-remanage {EXAMPLE}",
        f"revenue-remanage {EXAMPLE} balance",
        "revenue-remanage all",
    ),
    slow=True,
)
