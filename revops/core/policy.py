"""Policies: what the operator wants for one peer, changed within limits and never by halves."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from revops.core import checks
from revops.core.units import HOUR, MINUTE, Instant, PeerId, Ppm

CHANGES_PER_MINUTE: Final = 10
MOST_UPDATES_AT_ONCE: Final = 100
_LONGEST_HOURS: Final = 720
MULTIPLIERS: Final = (0.1, 5.0)
"""What a factor of a policy may be."""


class Strategy(str, enum.Enum):
    """
    Who sets the fee: the alpha sequence, the operator once, nobody, or the hive's tariff.
    """

    DYNAMIC = "dynamic"
    STATIC = "static"
    PASSIVE = "passive"
    HIVE = "hive"


class RebalanceMode(str, enum.Enum):
    """
    What rebalancing may do: anything, nothing, only drain, only fill.
    """

    ENABLED = "enabled"
    DISABLED = "disabled"
    SOURCE_ONLY = "source_only"
    SINK_ONLY = "sink_only"


def _multiplier(_policy: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if value is not None:
        checks.number(*MULTIPLIERS)(_policy, attribute, value)


def _as_set(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(tags), key=str))


def _tags(_policy: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:  # noqa: ANN401 -- attrs validators take anything
    for tag in value:
        if not isinstance(tag, str) or not tag or len(tag) > 64 or not tag.isprintable():  # noqa: PLR2004 -- long enough for any name
            raise checks.FieldError(
                attribute.name, f"expected words of 1 to 64 printable letters, got {tag!r}"
            )


_fee = checks.whole(0, 100_000, optional=True)


@attrs.frozen(kw_only=True)
class Policy:
    """
    The operator's wishes for every channel with one peer.

    Attributes:
        fee_ppm: What strategy `static` charges; needed there.
        fee_multiplier_min, fee_multiplier_max: Bounds of the factor that scarcity and its like
            put on the learned fee; both 2.0 doubles it.
        min_fee_ppm, max_fee_ppm: Replace the node's own bounds.
        expires_at: When the peer is back to default by itself; `None` for never.
    """

    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    strategy: Strategy = Strategy.DYNAMIC
    rebalance: RebalanceMode = RebalanceMode.ENABLED
    fee_ppm: Ppm | None = attrs.field(default=None, validator=_fee)
    fee_multiplier_min: float | None = attrs.field(default=None, validator=_multiplier)
    fee_multiplier_max: float | None = attrs.field(default=None, validator=_multiplier)
    min_fee_ppm: Ppm | None = attrs.field(default=None, validator=_fee)
    max_fee_ppm: Ppm | None = attrs.field(default=None, validator=_fee)
    tags: tuple[str, ...] = attrs.field(default=(), converter=_as_set, validator=_tags)
    expires_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    updated_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))

    def __attrs_post_init__(self) -> None:
        if self.strategy is Strategy.STATIC and self.fee_ppm is None:
            raise checks.FieldError("fee_ppm", "strategy static needs it, got none")
        for low, high in (
            ("min_fee_ppm", "max_fee_ppm"),
            ("fee_multiplier_min", "fee_multiplier_max"),
        ):
            lower, upper = getattr(self, low), getattr(self, high)
            if lower is not None and upper is not None and lower > upper:
                raise checks.FieldError(low, f"expected at most {high} {upper}, got {lower}")


DEFAULT: Final = Policy(peer_id=PeerId("00" * 33))
"""What holds for a peer that nobody spoke of."""


# When it ends is said in hours from now, so that no policy is meant to last for ever by mistake.
_SETTABLE: Final = {field.name for field in attrs.fields(Policy)} - {
    "peer_id",
    "updated_at",
    "expires_at",
} | {"expires_in_hours"}


class PolicyRefusedError(Exception):
    """
    A change of policies that is not made; nothing of it was.
    """


@attrs.frozen(kw_only=True)
class PolicyChange:
    """
    That something was changed about a peer, and when.
    """

    peer_id: PeerId
    at: Instant
    deleted: bool = False


Fields = Mapping[str, Any]
"""Fields of a `Policy` to set, `expires_in_hours` among them; what is absent stays."""


@attrs.frozen(kw_only=True)
class PolicyBook:
    """
    Every policy, and the changes that the rate limit and `changes since` look at.
    """

    policies: tuple[Policy, ...] = attrs.field(default=(), converter=checks.by_peer)
    changes: tuple[PolicyChange, ...] = ()

    def get(self, peer_id: PeerId, now: Instant) -> Policy:
        """
        Return the policy in force for *peer_id*; an expired or absent one is the default.
        """
        return in_force(self.policies, now).get(peer_id) or Policy(peer_id=peer_id)

    def updated(
        self, updates: Sequence[tuple[PeerId, Fields | None]], now: Instant
    ) -> "PolicyBook":
        """
        Return the book with all *updates* made, in their order; `None` deletes. What is so already
        is no change: it is not counted, and cannot be made too often.

        Raises:
            PolicyRefusedError: One of them cannot be, or a peer was changed too often: none is.
        """
        if len(updates) > MOST_UPDATES_AT_ONCE:
            msg = f"updates: expected at most {MOST_UPDATES_AT_ONCE} at once, got {len(updates)}"
            raise PolicyRefusedError(msg)
        book = {policy.peer_id: policy for policy in self.policies}
        changes = list(self.changes)
        for peer_id, fields in updates:
            known = in_force(book.values(), now).get(peer_id)
            current = known or Policy(peer_id=peer_id)
            wanted = None if fields is None else _changed(current, fields, now)
            # cl-hive says of every member what it is each time it starts: that changes nothing.
            if wanted and known and attrs.evolve(wanted, updated_at=known.updated_at) == known:
                continue
            _refuse_haste(changes, peer_id, now)
            changes.append(PolicyChange(peer_id=peer_id, at=now, deleted=wanted is None))
            book.pop(peer_id, None)
            if wanted:
                book[peer_id] = wanted
        return PolicyBook(policies=tuple(book.values()), changes=tuple(changes))


def in_force(policies: Iterable[Policy], now: Instant) -> dict[PeerId, Policy]:
    """
    Return the policies that have not expired at *now*, by peer.
    """
    return {
        policy.peer_id: policy
        for policy in policies
        if policy.expires_at is None or policy.expires_at > now
    }


def _refuse_haste(changes: Sequence[PolicyChange], peer_id: PeerId, now: Instant) -> None:
    lately = [c.at for c in changes if c.peer_id == peer_id and now - MINUTE < c.at <= now]
    if len(lately) >= CHANGES_PER_MINUTE:
        wait = min(lately) + MINUTE - now
        msg = f"peer {peer_id}: {CHANGES_PER_MINUTE} changes in a minute are made, wait {wait} s"
        raise PolicyRefusedError(msg)


def _changed(current: Policy, fields: Fields, now: Instant) -> Policy:
    changes = dict(fields)
    if unknown := sorted(set(changes) - _SETTABLE):
        msg = f"{unknown[0]}: there is no such field of a policy"
        raise PolicyRefusedError(msg)
    if "expires_in_hours" in changes:
        changes["expires_at"] = _expiry(changes.pop("expires_in_hours"), now)
    try:
        changes |= {
            name: member(kind, name, changes[name])
            for name, kind in (("strategy", Strategy), ("rebalance", RebalanceMode))
            if name in changes
        }
        return attrs.evolve(current, **changes, updated_at=now)
    except checks.FieldError as error:
        raise PolicyRefusedError(str(error)) from error


def member(kind: type[enum.Enum], name: str, value: object) -> enum.Enum:
    """
    Return the member of *kind* that *value* is the word for.

    Raises:
        FieldError: There is none; the sentence calls the field *name*.
    """
    words = [member.value for member in kind]
    if value not in words:
        raise checks.FieldError(name, f"expected one of {', '.join(words)}, got {value!r}")
    return kind(value)


def _expiry(hours: object, now: Instant) -> Instant | None:
    if hours is None:
        return None
    if (
        isinstance(hours, bool)
        or not isinstance(hours, (int, float))
        or not 0 < hours <= _LONGEST_HOURS
    ):
        msg = f"expires_in_hours: expected a number above 0 up to 720, got {hours!r}"
        raise PolicyRefusedError(msg)
    return Instant(now + max(1, int(hours * HOUR)))


def allows_fill(mode: RebalanceMode) -> bool:
    """
    Return whether rebalancing may bring liquidity to the peer's channels.
    """
    return mode in (RebalanceMode.ENABLED, RebalanceMode.SINK_ONLY)


def allows_drain(mode: RebalanceMode) -> bool:
    """
    Return whether rebalancing may take liquidity from the peer's channels.
    """
    return mode in (RebalanceMode.ENABLED, RebalanceMode.SOURCE_ONLY)
