"""Predecessor's rows: what each of its tables holds, with nothing in it that cannot be."""

from typing import Any, Final

import attrs

from revops.core import checks
from revops.core.units import Instant, PeerId

MOMENT: Final = "moment"
"""Marks fields that hold a time."""
_MOST_SATS: Final = 10_000_000_000
"""What it clamped amounts to; the sum of any number of them fits into 64 bits."""
_MOST_MSAT: Final = _MOST_SATS * 1000


def _moment() -> Any:  # noqa: ANN401 -- attrs.field() has no better type
    return attrs.field(validator=checks.whole(), metadata={MOMENT: True})


def _moment_if_known() -> Any:  # noqa: ANN401 -- see _moment
    known = checks.whole(optional=True)
    return attrs.field(default=None, validator=known, metadata={MOMENT: True})


def _text(value: object, attribute: "attrs.Attribute[Any]", text: object) -> None:
    del value
    if not isinstance(text, str):
        raise checks.FieldError(attribute.name, f"expected text, got {text!r}")


def _channel(row: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    # It was told one or the other, and kept whatever it was told.
    if isinstance(value, str) and "x" not in value:
        checks.hexadecimal(64)(row, attribute, value)
    else:
        checks.scid()(row, attribute, value)


def _sats() -> Any:  # noqa: ANN401 -- see _moment
    return attrs.field(validator=checks.whole(0, _MOST_SATS))


def _msat(most: int = _MOST_MSAT) -> Any:  # noqa: ANN401 -- see _moment
    return attrs.field(validator=checks.whole(0, most))


def _id() -> Any:  # noqa: ANN401 -- see _moment
    return attrs.field(validator=checks.whole())


@attrs.frozen(kw_only=True)
class Wishes:
    """
    `peer_policies`: it was checked on some of the ways in, so that anything may stand here.
    """

    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    strategy: object
    rebalance_mode: object = "enabled"
    fee_ppm_target: object = None
    tags: object = None
    updated_at: object = None
    fee_multiplier_min: object = None
    fee_multiplier_max: object = None
    expires_at: object = None


@attrs.frozen(kw_only=True)
class Ignored:
    """
    `ignored_peers`, before there were policies.
    """

    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))


@attrs.frozen(kw_only=True)
class Forward:
    """
    `forwards`: those of the last days, by when they were received.
    """

    id: int = _id()
    in_channel: str = attrs.field(validator=checks.scid())
    out_channel: str = attrs.field(validator=checks.scid())
    in_msat: int = _msat()
    out_msat: int = _msat()
    fee_msat: int = _msat()
    timestamp: Instant = _moment()


@attrs.frozen(kw_only=True)
class DaySum:
    """
    `daily_forwarding_stats`: what older forwards came to, by the channel that they left through
    and the midnight (UTC) before they were received.
    """

    channel_id: str = attrs.field(validator=checks.scid())
    date: Instant = _moment()
    total_in_msat: int = _msat(1000 * _MOST_MSAT)
    total_out_msat: int = _msat(1000 * _MOST_MSAT)
    total_fee_msat: int = _msat(1000 * _MOST_MSAT)
    forward_count: int = attrs.field(validator=checks.whole(1))


@attrs.frozen(kw_only=True)
class OpenCost:
    """
    `channel_costs`; an opening of the peer's has cost 0.
    """

    channel_id: str = attrs.field(validator=_channel)
    open_cost_sats: int = _sats()
    opened_at: Instant | None = _moment_if_known()


@attrs.frozen(kw_only=True)
class CloseCost:
    """
    `channel_closure_costs`.
    """

    channel_id: str = attrs.field(validator=_channel)
    total_closure_cost_sats: int = _sats()
    closing_txid: object = None
    closed_at: Instant | None = _moment_if_known()


@attrs.frozen(kw_only=True)
class SpliceCost:
    """
    `splice_costs`.
    """

    id: int = _id()
    channel_id: str = attrs.field(validator=_channel)
    fee_sats: int = _sats()
    txid: object = None
    timestamp: Instant | None = _moment_if_known()


@attrs.frozen(kw_only=True)
class RefillCost:
    """
    `rebalance_costs`, by the channel that was filled.
    """

    id: int = _id()
    channel_id: str = attrs.field(validator=_channel)
    cost_sats: int = _sats()
    amount_sats: int = _sats()
    timestamp: Instant = _moment()


@attrs.frozen(kw_only=True)
class Closed:
    """
    `closed_channels`; its sums are made of the other tables.
    """

    channel_id: str = attrs.field(validator=_channel)
    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    capacity_sats: int = attrs.field(validator=checks.whole(1, _MOST_SATS))
    opened_at: Instant | None = _moment_if_known()
    closed_at: Instant = _moment()
    close_type: object = "unknown"
    open_cost_sats: int = _sats()
    closure_cost_sats: int = _sats()
    funding_txid: object = None


@attrs.frozen(kw_only=True)
class Override:
    """
    `config_overrides`: options that `revenue-config set` changed.
    """

    key: str = attrs.field(validator=_text)
    value: str = attrs.field(validator=_text)


TABLE_OF: Final[dict[type[Any], str]] = {
    Wishes: "peer_policies",
    Ignored: "ignored_peers",
    Forward: "forwards",
    DaySum: "daily_forwarding_stats",
    OpenCost: "channel_costs",
    CloseCost: "channel_closure_costs",
    SpliceCost: "splice_costs",
    RefillCost: "rebalance_costs",
    Closed: "closed_channels",
    Override: "config_overrides",
}
"""Where the rows of each kind are."""
