"""Takeover: what a predecessor's rows mean here, value by value, and which of them cannot be."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from revops.core import checks
from revops.core.costs import How, Kind
from revops.core.policy import Policy, RebalanceMode, Strategy, member
from revops.core.units import ChannelId, PeerId, Scid

USUAL_SATS: Final[Mapping[Kind, int]] = {"open": 5000, "close": 3000, "splice": 2000}
"""What it wrote down for the cost of a transaction that it knew nothing about."""
IGNORED_TAG: Final = "migrated_ignore"
"""What it tagged the policies with that it made of ignored peers."""
HOW: Final[Mapping[str, How]] = {
    "mutual": "mutual",
    "local_unilateral": "local_force",
    "remote_unilateral": "remote_force",
}
"""Its words for how a channel ended."""

Problems = tuple[str, ...]
"""A sentence for each value that is refused."""

_BY_ITSELF: Final = (
    ("fee_ppm",),
    ("rebalance",),
    ("tags",),
    ("updated_at",),
    ("fee_multiplier_min", "fee_multiplier_max"),
)
"""Wishes that a policy is the same without."""


def policy_of(
    peer_id: PeerId, strategy: object, wishes: Mapping[str, Any]
) -> tuple[Policy | None, Problems]:
    """
    Return the policy for *peer_id* that *wishes*, by our names of the fields, come to.

    Without its strategy, the fee that `static` needs, or the end that it was given, it would be
    another policy: `None` then. Any other value that cannot be is left out.
    """
    needed = {"expires_at"} | ({"fee_ppm"} if strategy == Strategy.STATIC.value else set())
    problems: Problems = ()
    try:
        policy = Policy(
            peer_id=peer_id,
            strategy=member(Strategy, "strategy", strategy),  # type: ignore[arg-type]  # a Strategy
            **{name: wishes[name] for name in needed},
        )
    except checks.FieldError as error:
        return None, (str(error),)
    for names in _BY_ITSELF:
        try:
            values: dict[str, Any] = {name: _read(name, wishes[name]) for name in names}
            policy = attrs.evolve(policy, **values)
        except checks.FieldError as error:
            problems += (str(error),)
    return policy, problems


def _read(name: str, value: object) -> object:
    if name == "rebalance":
        return member(RebalanceMode, name, value)
    if name == "tags" and not (isinstance(value, list) and all(type(t) is str for t in value)):
        raise checks.FieldError(name, f"expected a list of words, got {value!r}")
    return value


def ignored(peer_id: PeerId) -> Policy:
    """
    Return what it meant by a peer to ignore.
    """
    return Policy(
        peer_id=peer_id,
        strategy=Strategy.PASSIVE,
        rebalance=RebalanceMode.DISABLED,
        tags=(IGNORED_TAG,),
    )


def channel_id_of(funding_txid: str, scid: Scid) -> ChannelId:
    """
    Return the id of the channel that output *scid* of *funding_txid* funds, by BOLT #2; those
    that both sides funded have another.
    """
    output = int(scid.split("x")[2])
    number = int.from_bytes(bytes.fromhex(funding_txid)[::-1], "big") ^ output
    return ChannelId(f"{number:064x}")
