"""revenue-list-ignored: the peers of which CLBOSS leaves something alone because of us."""

from typing import TYPE_CHECKING

from revops.core.clboss import Claim
from revops.shell.commands.command import Answer, Command, Given
from revops.shell.commands.ignoring import GRANULARITY, whose
from revops.shell.commands.money import LIMIT, rows_wanted

if TYPE_CHECKING:
    from revops.shell.app import App


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-list-ignored`.
    """
    limit = rows_wanted(given)
    claims = tuple(app.store.clboss.claims().values())
    return {
        "ignored_peers": [_row(claim) for claim in claims[:limit]],
        "count": len(claims),
        "granularity": GRANULARITY,
    }


def _row(claim: Claim) -> Answer:
    return {
        "peer_id": claim.peer_id,
        "reason": _reason(claim),
        "ignored_at": claim.since,
        **whose(claim),
    }


def _reason(claim: Claim) -> str:
    if claim.ignored:
        return "ordered with revenue-ignore"
    return "left to CLBOSS with revenue-remanage" if claim.remanaged else "revops does it itself"


COMMAND = Command(
    name="revenue-list-ignored",
    help="Show, from the books alone, what CLBOSS was told about which peers, why, and what it is"
    " told when revops stops.",
    arguments=(LIMIT,),
    run=run,
    examples=("revenue-list-ignored",),
)
