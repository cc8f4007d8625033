"""CLBOSS: whose the tags of a peer are, and what CLBOSS is to hear so that nobody's are lost."""

import re
from collections.abc import Mapping
from typing import Final

import attrs

from revops.core import checks
from revops.core.config import Config
from revops.core.costs import SETTLING
from revops.core.policy import Policy, RebalanceMode, Strategy, in_force
from revops.core.snapshot import Snapshot
from revops.core.units import Instant, PeerId

Tags = frozenset[str]
"""What CLBOSS leaves alone of a peer, each in its own word."""

NONE: Final[Tags] = frozenset()
_FEES: Final[Tags] = frozenset({"lnfee"})
_REFILLS: Final[Tags] = frozenset({"balance"})
OURS: Final[Tags] = _FEES | _REFILLS
"""What revops does itself, at most."""
KNOWN: Final[Tags] = OURS | {"open", "close"}
"""All that CLBOSS knows up to 0.17; later ones may know more."""

# CLBOSS shows "a, b" and takes "a,b"; people write both, and blanks alone.
_BETWEEN: Final = re.compile(r"[,\s]+")


def tags_of(text: str) -> Tags:
    """
    Return the tags in *text*, however they are set apart.
    """
    return frozenset(tag for tag in _BETWEEN.split(text) if tag)


def text_of(tags: Tags) -> str:
    """
    Return *tags* as CLBOSS takes them.
    """
    return ",".join(sorted(tags))


@attrs.frozen(kw_only=True)
class Claim:
    """
    What revops has to do with CLBOSS about one peer.

    Attributes:
        theirs: The operator's own tags as far as we know: they stay when ours go.
        ours: Tags that CLBOSS was told by us, or was about to be.
        ignored: Tags that the operator wants CLBOSS told, whatever revops does.
        remanaged: Tags that revops is not to tell it.
        since: When it began.
    """

    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    theirs: Tags = NONE
    ours: Tags = NONE
    ignored: Tags = NONE
    remanaged: Tags = NONE
    since: Instant

    @property
    def told(self) -> Tags:
        """
        Return all that CLBOSS is to leave alone.
        """
        return self.theirs | self.ours

    @property
    def empty(self) -> bool:
        """
        Return whether nothing of ours is left of it.
        """
        return not (self.ours or self.ignored or self.remanaged)

    def wanted(self, due: Tags) -> Tags:
        """
        Return which tags are to be ours where *due* are, by what revops does.
        """
        return (due | self.ignored) - self.remanaged

    def after(self, found: Tags) -> "Claim":
        """
        Return the claim when CLBOSS is *found* to have these tags: those that are not ours are the
        operator's, as they are now; among ours, those that were his before.
        """
        return attrs.evolve(self, theirs=(found - self.ours) | (self.theirs & self.ours))


@attrs.frozen(kw_only=True)
class Step:
    """
    From what CLBOSS was found to have about a peer to what it is to have.

    Attributes:
        seen: What was claimed, by what was found.
        then: What is claimed when it is done.
    """

    found: Tags
    seen: Claim
    then: Claim

    @property
    def pending(self) -> Claim:
        """
        Return what is claimed while nobody knows whether it is done.
        """
        return attrs.evolve(self.then, ours=self.seen.ours | self.then.ours)

    @property
    def to_tell(self) -> Tags | None:
        """
        Return the tags that CLBOSS is to be told: all that it shall have, as it forgets others.
        `None` where it has them.
        """
        return None if self.then.told == self.found else self.then.told


def step(claim: Claim, found: Tags, wanted: Tags) -> Step:
    """
    Return what makes *wanted* ours where CLBOSS is *found* to have these tags.
    """
    seen = claim.after(found)
    return Step(found=found, seen=seen, then=attrs.evolve(seen, ours=wanted))


def hands_off(config: Config) -> bool:
    """
    Return whether revops may do nothing by itself, and so tells CLBOSS nothing.
    """
    return config.dry_run or config.paused or config.authority == "observe"


def due(snapshot: Snapshot, config: Config) -> dict[PeerId, Tags]:
    """
    Return what CLBOSS is to leave alone of each peer because revops does it.
    """
    if hands_off(config) or not config.clboss_enabled:
        return {}
    policies = in_force(snapshot.policies, snapshot.now)
    peers = {c.peer_id for c in snapshot.channels if c.state not in SETTLING}
    return {peer: _due(policies.get(peer) or Policy(peer_id=peer), config) for peer in peers}


def _due(policy: Policy, config: Config) -> Tags:
    if policy.strategy is Strategy.PASSIVE:
        return NONE
    refills = config.authority == "liquidity" and config.rebalancer != "none"
    return _FEES | (
        _REFILLS if refills and policy.rebalance is not RebalanceMode.DISABLED else NONE
    )


def steps(
    claims: Mapping[PeerId, Claim],
    found: Mapping[PeerId, Tags],
    wanted: Mapping[PeerId, Tags],
    now: Instant,
) -> tuple[Step, ...]:
    """
    Return what is to be done about every peer of *claims* and *wanted*; nothing where all is well.
    """
    made = []
    for peer in sorted({*claims, *wanted}):
        claim = claims.get(peer) or Claim(peer_id=peer, since=now)
        new = step(claim, found.get(peer, NONE), wanted.get(peer, NONE))
        forgotten = peer not in claims and new.then.empty
        if new.to_tell is not None or (new.then != claim and not forgotten):
            made.append(new)
    return tuple(made)
