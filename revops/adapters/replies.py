"""Replies: what lightningd v23.05 to v26.06 answers, in core terms, and nothing asked."""

from typing import Any, Final, Literal

import attrs

from revops.adapters.errors import WireError
from revops.adapters.reading import HOOKS, moment_of, readable, rows_of
from revops.adapters.strangers import name
from revops.adapters.wire_reader import Reader, problem_at, wrong
from revops.core.checks import MOST_MSAT
from revops.core.outcomes import Applied
from revops.core.snapshot import MOST_PERKW, NORMAL, Channel, Node
from revops.core.units import (
    MINUTE,
    ChannelId,
    Instant,
    Msat,
    PeerId,
    Ppm,
    Scid,
    scid_key,
)

_BLOCK: Final = 10 * MINUTE
_BLOCKS: Final = 12
"""Confirmation target of the feerate that samples are made of."""

# What the core's fields are called in lightningd's replies.
_NAMES: Final = {
    "base_fee_msat": "fee_base_msat",
    "capacity_msat": "total_msat",
    "fee_ppm": "fee_proportional_millionths",
    "htlc_max_msat": "maximum_htlc_out_msat",
    "htlc_min_msat": "minimum_htlc_out_msat",
    "max_htlcs": "max_accepted_htlcs",
    "node_id": "id",
    "scid": "short_channel_id",
}


@attrs.frozen(kw_only=True)
class _Htlc:
    direction: Literal["in", "out"]


@attrs.frozen(kw_only=True)
class _Update:
    fee_base_msat: Msat
    fee_proportional_millionths: Ppm


@attrs.frozen(kw_only=True)
class _Updates:
    remote: _Update | None = None


@attrs.frozen(kw_only=True)
class _StateChange:
    timestamp: str
    new_state: str


@attrs.frozen(kw_only=True)
class _Beside:
    """
    What an entry of `listpeerchannels` says in other words than a Channel, or must say.

    Attributes:
        reestablished: Since v24.02; before that, a connected peer is taken at its word.
        updates: Since v24.02.
    """

    opener: Literal["local", "remote"]
    peer_connected: bool
    reestablished: bool | None = None
    htlcs: tuple[_Htlc, ...] | None = None
    updates: _Updates | None = None
    state_changes: tuple[_StateChange, ...] = ()


@attrs.frozen(kw_only=True)
class _Estimate:
    blockcount: int
    feerate: int


@attrs.frozen(kw_only=True)
class _Rates:
    opening: int | None = None
    estimates: tuple[_Estimate, ...] = ()


@attrs.frozen(kw_only=True)
class _Feerates:
    perkw: _Rates | None = None
    perkb: _Rates | None = None


@attrs.frozen(kw_only=True)
class _Output:
    amount_msat: Msat
    status: str
    reserved: bool = False


@attrs.frozen(kw_only=True)
class _Funds:
    outputs: tuple[_Output, ...]


_reader: Final = Reader(lenient=True, names=_NAMES, hooks=HOOKS)


def channels_of(
    reply: object, *, blockheight: int | None = None, now: Instant | None = None
) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
    """
    Return the channels of a `listpeerchannels` reply, and what is wrong with those left out.

    What is not funded yet has no id; it is no channel yet, and no problem. *blockheight* and
    *now* tell the age of channels from before lightningd kept `state_changes`.

    Raises:
        WireError: It is no such reply.
    """
    rows = rows_of(reply, "listpeerchannels", "channels")
    seen: set[ChannelId] = set()

    def channel(row: Any, path: str) -> Channel | None:  # noqa: ANN401 -- a JSON value
        if type(row) is dict and "channel_id" not in row:
            return None
        beside = _reader.read(row, _Beside, path)
        opened_at = _opened_at(beside, row.get("short_channel_id"), blockheight, now)
        result = _reader.read(_translated(row, beside, opened_at), Channel, path)
        if result.channel_id in seen:
            raise WireError((problem_at(f"{path}.channel_id", "expected once, came before"),))
        seen.add(result.channel_id)
        return result

    return readable(rows, "listpeerchannels.channels", channel)


def _translated(row: dict[str, Any], beside: _Beside, opened_at: float | None) -> dict[str, Any]:
    theirs = beside.updates.remote if beside.updates else None
    inward = sum(htlc.direction == "in" for htlc in beside.htlcs or ())
    channel = {
        **row,
        "alias": None,  # lightningd's are short channel ids.
        "connected": beside.peer_connected and beside.reestablished is not False,
        "htlcs_in": inward,
        "htlcs_out": len(beside.htlcs or ()) - inward,
        "peer_fee_ppm": theirs.fee_proportional_millionths if theirs else None,
        "peer_base_fee_msat": theirs.fee_base_msat if theirs else None,
        "opened_at": opened_at,
    }
    if type(state := row.get("state")) is str:
        channel["state"] = name(state)
    if beside.htlcs is None:
        # Slots that nobody counted are unknown, not free.
        channel["max_accepted_htlcs"] = None
    return channel


def _opened_at(
    beside: _Beside, scid: object, blockheight: int | None, now: Instant | None
) -> float | None:
    try:
        for change in beside.state_changes:
            if change.new_state == NORMAL:
                return moment_of(change.timestamp)
        if type(scid) is str and blockheight is not None and now is not None:
            return max(0, now - _BLOCK * max(0, blockheight - scid_key(Scid(scid))[0]))
    except ValueError:
        pass
    return None


def node_of(reply: object) -> Node:
    """
    Return who a `getinfo` reply says that we are.

    Raises:
        WireError: It does not say. So do all that read here.
    """
    node = _reader.read(reply, Node, "getinfo")
    return attrs.evolve(node, alias=name(node.alias))


def feerate_of(reply: object) -> int | None:
    """
    Return what a `feerates` reply, in either style, asks for 12 blocks, in sat per 1000 weight.
    """
    styles = _reader.read(reply, _Feerates, "feerates")
    rates = styles.perkw or styles.perkb
    if rates is None:
        return None
    # What lightningd opens channels at is its own estimate for 12 blocks.
    found = [each.feerate for each in rates.estimates if each.blockcount == _BLOCKS]
    rate = found[0] if found else rates.opening
    if rate is None or rate <= 0:
        return None
    perkw = rate if styles.perkw else max(1, rate // 4)
    if perkw > MOST_PERKW:
        raise WireError((problem_at("feerates", str(wrong(perkw, f"at most {MOST_PERKW}"))),))
    return perkw


def onchain_of(reply: object) -> Msat:
    """
    Return what a `listfunds` reply shows as confirmed and not reserved for something.
    """
    funds = _reader.read(reply, _Funds, "listfunds")
    total = sum(
        output.amount_msat
        for output in funds.outputs
        if output.status == "confirmed" and not output.reserved
    )
    if total > MOST_MSAT:
        raise WireError((problem_at("listfunds.outputs", str(wrong(total, "less in all"))),))
    return Msat(total)


def price_of(reply: object, scid: Scid) -> Applied:
    """
    Return the price of *scid* that a `setchannel` reply confirms.
    """
    for index, row in enumerate(rows_of(reply, "setchannel", "channels")):
        if type(row) is dict and row.get("short_channel_id") == scid:
            return _reader.read(row, Applied, f"setchannel.channels[{index}]")
    raise WireError((f"setchannel.channels: expected {scid} among them, it is not",))


def aliases_of(reply: object) -> dict[PeerId, str]:
    """
    Return what nodes call themselves in a `listnodes` reply: words of strangers.

    They decorate, so that rows without a readable one are passed over, and what is no text in
    others is made visible.
    """
    return {
        PeerId(row["nodeid"]): name(alias)
        for row in rows_of(reply, "listnodes", "nodes")
        if type(row) is dict
        and type(row.get("nodeid")) is str
        and type(alias := row.get("alias")) is str
    }
