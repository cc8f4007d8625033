"""Costs: what the chain took for a channel's transactions, each of them counted once."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, Literal

import attrs

from revops.core import checks
from revops.core.capacity import SPLICE_VB
from revops.core.fees.floors import CLOSING_VB, OPENING_VB
from revops.core.units import ChannelId, Instant, Msat, PeerId, Scid

Kind = Literal["open", "close", "splice"]
How = Literal["mutual", "local_force", "remote_force", "unknown"]

SETTLING: Final = frozenset(
    {"CLOSINGD_COMPLETE", "AWAITING_UNILATERAL", "FUNDING_SPEND_SEEN", "ONCHAIN", "CLOSED"}
)
"""States in which a channel is over, and the chain has still to say what becomes of its funds."""

_VBYTES: Final = {"open": OPENING_VB, "close": CLOSING_VB, "splice": SPLICE_VB}
_WEIGHT: Final = 4
"""Units of weight in a vbyte."""


@attrs.frozen(kw_only=True)
class ChainEvent:
    """
    What bookkeeper says of a channel and one transaction.

    Attributes:
        what: Whether it funds the channel, spends its funds, or was paid for.
        credit_msat, debit_msat: Of what was paid for: bookkeeper corrects itself by debits.
    """

    what: Literal["funds", "spends", "fee"]
    txid: str = attrs.field(validator=checks.hexadecimal(64))
    at: Instant = attrs.field(validator=checks.whole())
    credit_msat: Msat = attrs.field(default=Msat(0), validator=checks.msat())
    debit_msat: Msat = attrs.field(default=Msat(0), validator=checks.msat())


@attrs.frozen(kw_only=True)
class ChainCost:
    """
    What we paid the chain for one transaction of a channel.

    Attributes:
        ref: Its transaction id, or what stands in for one that is unknown.
        estimated: It is what such a transaction usually costs.
    """

    kind: Kind
    ref: str
    at: Instant
    amount_msat: Msat = attrs.field(validator=checks.whole())
    estimated: bool = False


@attrs.frozen(kw_only=True)
class Closing:
    """
    A channel that is over.

    Attributes:
        at: When it was, as far as anybody can tell.
        final_to_us_msat: Our side of it at the end.
        fee_msat: What the transaction that closes it costs its opener; `None` when not said.
    """

    channel_id: ChannelId = attrs.field(validator=checks.hexadecimal(64))
    scid: Scid | None = attrs.field(default=None, validator=checks.scid(optional=True))
    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    opener: Literal["local", "remote"]
    capacity_msat: Msat = attrs.field(validator=checks.whole(1, checks.MOST_MSAT))
    at: Instant | None = None
    how: How = "unknown"
    final_to_us_msat: Msat | None = attrs.field(default=None, validator=checks.msat(optional=True))
    fee_msat: Msat | None = attrs.field(default=None, validator=checks.msat(optional=True))


def chain_costs(events: Iterable[ChainEvent]) -> tuple[ChainCost, ...]:
    """
    Return what each transaction of one channel cost us, 0 included, in their order.

    The first that funds the channel opens it, any other that funds it splices it, and what came
    of spending its funds for good closes it. A sum below zero is one that bookkeeper has yet to
    correct: that transaction is left out.
    """
    seen = tuple(events)
    paid: dict[str, int] = defaultdict(int)
    times: dict[str, Instant] = {}
    for event in seen:
        paid[event.txid] += event.credit_msat - event.debit_msat
        times[event.txid] = min(event.at, times.get(event.txid, event.at))
    funds = {event.txid for event in seen if event.what == "funds"}
    spends = {event.txid for event in seen if event.what == "spends"}
    opening = min(funds - spends, key=lambda txid: (times[txid], txid), default=None)

    def kind(txid: str) -> Kind:
        if txid in funds:
            return "open" if txid == opening else "splice"
        return "close" if spends - funds else "open"

    return tuple(
        ChainCost(kind=kind(txid), ref=txid, at=times[txid], amount_msat=Msat(paid[txid]))
        for txid in sorted(times, key=lambda txid: (times[txid], txid))
        if paid[txid] >= 0
    )


def estimate(kind: Kind, perkw: int) -> Msat:
    """
    Return what such a transaction costs at *perkw* sat per 1000 weight.
    """
    return Msat(_VBYTES[kind] * _WEIGHT * perkw)


def closing_cost(closing: Closing, perkw: int | None) -> Msat | None:
    """
    Return what the end of a channel is expected to cost us; `None` when that needs a feerate.

    The opener pays the fee of what closes a channel, and who forces the close pays for fetching
    his funds.
    """
    ours = closing.opener == "local"
    if ours and closing.fee_msat is not None:
        return closing.fee_msat
    if not ours and closing.how != "local_force":
        return Msat(0)
    return None if perkw is None else estimate("close", perkw)
