"""Ignoring: what CLBOSS leaves alone of a peer, whose doing it is, and what is ordered about it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from revops.core.checks import FieldError
from revops.core.clboss import KNOWN, NONE, Claim, Tags, tags_of
from revops.core.units import Instant, PeerId
from revops.shell.commands.command import Answer, Argument, CommandError, text

if TYPE_CHECKING:
    from revops.shell.app import App

PEER: Final = Argument("peer_id", "the peer, by its node id", needed=True)
EXAMPLE: Final = "032b3392899275267a2283a6e19a1f4c69d387d6a09045b49d7f8275c51e19b5d1"
GRANULARITY: Final = (
    "CLBOSS knows peers, not channels: what it leaves alone of a peer, it does in all its channels"
)


def the_peer(value: object) -> PeerId:
    """
    Return the argument `peer_id`.

    Raises:
        CommandError: It is no node id.
    """
    try:
        return Claim(peer_id=PeerId(text(PEER.name, value)), since=Instant(0)).peer_id
    except FieldError as error:
        raise CommandError(str(error)) from None


def the_tags(name: str, value: object) -> Tags:
    """
    Return the argument *name* as tags, with commas or blanks between them.

    Raises:
        CommandError: It has none, or one that CLBOSS does not know.
    """
    words = value if isinstance(value, list) else [value]
    tags = NONE.union(*(tags_of(text(name, word)) for word in words))
    if not tags or tags - KNOWN:
        msg = (
            f"{name}: expected some of {', '.join(sorted(KNOWN))}, got {value!r}; to have revops"
            " itself leave a peer alone, set its policy to strategy=passive rebalance=disabled"
        )
        raise CommandError(msg)
    return tags


def order(app: "App", peer_id: PeerId, change: Callable[[Claim], Claim], effect: str) -> Answer:
    """
    Order *change* about a peer and answer; *effect* says what it is for.
    """
    (claim,), why_not = app.keeper.order([peer_id], change)
    return {
        "status": "pending" if why_not else "success",
        "success": not why_not,
        "peer_id": peer_id,
        **whose(claim),
        "message": effect if not why_not else f"it is noted, and not done yet: {why_not}",
        "granularity": GRANULARITY,
    }


def rows(app: "App", unmanaged: Mapping[PeerId, Tags] | None) -> list[Answer]:
    """
    Return a row for each peer of which CLBOSS leaves something alone, or of which revops or the
    operator wants it to; what CLBOSS itself says is null where it is not known.
    """
    claims = app.store.clboss.claims()
    found = {peer: tags for peer, tags in (unmanaged or {}).items() if tags}
    channels = _channels(app)
    return [
        {
            "peer_id": peer,
            "channels": channels.get(peer, []),
            "clboss_tags": None if unmanaged is None else sorted(found.get(peer, NONE)),
            **whose(_seen(claims.get(peer), peer, unmanaged)),
        }
        for peer in sorted({*claims, *found})
    ]


def _seen(claim: Claim | None, peer: PeerId, unmanaged: Mapping[PeerId, Tags] | None) -> Claim:
    claim = claim or Claim(peer_id=peer, since=Instant(0))
    return claim if unmanaged is None else claim.after(unmanaged.get(peer, NONE))


def whose(claim: Claim) -> Answer:
    """
    Return which tags of a peer are ours, which come back when ours go, and what is ordered.
    """
    return {
        "our_tags": sorted(claim.ours),
        "will_restore": sorted(claim.theirs),
        "ordered": sorted(claim.ignored),
        "remanaged": sorted(claim.remanaged),
    }


def _channels(app: "App") -> dict[PeerId, list[str]]:
    channels: dict[PeerId, list[str]] = {}
    for channel in app.cycle.last.snapshot.channels if app.cycle.last else ():
        channels.setdefault(channel.peer_id, []).append(channel.scid or channel.channel_id)
    return channels


def ignoring(claim: Claim, tags: Tags) -> Claim:
    """
    Return *claim* with *tags* ordered to be left alone.
    """
    return attrs.evolve(claim, ignored=claim.ignored | tags, remanaged=claim.remanaged - tags)


def remanaging(claim: Claim, tags: Tags) -> Claim:
    """
    Return *claim* with *tags* ordered to be CLBOSS's.
    """
    return attrs.evolve(claim, ignored=claim.ignored - tags, remanaged=claim.remanaged | tags)


def status(app: "App") -> Answer:
    """
    Return in a few words how it stands with CLBOSS, as of the last look.
    """
    last = app.keeper.last
    return {
        "enabled": app.settings.config.clboss_enabled,
        "there": last.there if last else None,
        "asked_at": last.at if last else None,
        "peers": app.store.clboss.peers(),
        "note": last.note or None if last else None,
    }
