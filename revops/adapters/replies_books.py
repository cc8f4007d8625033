"""Replies about money: what moved, what the chain took, what is over; preimages are never read."""

from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

import attrs

from revops.adapters.errors import WireError
from revops.adapters.reading import HOOKS, LAST, moment_of, readable, rows_of
from revops.adapters.wire_reader import Reader, problem_at, wrong
from revops.core import checks
from revops.core.costs import SETTLING, ChainEvent, Closing, How
from revops.core.refills import Move, Page, Payment, Pending
from revops.core.units import ChannelId, Msat, PeerId

T = TypeVar("T")

_TIME: Final = {"at": "timestamp"}
_moves: Final = Reader(
    lenient=True,
    names=_TIME | {"index": "created_index", "channel_id": "account_id", "fee_msat": "fees_msat"},
    hooks=HOOKS,
)
_events: Final = Reader(
    lenient=True,
    names=_TIME | {"channel_id": "account", "payment_hash": "payment_id", "fee_msat": "fees_msat"},
    hooks=HOOKS,
)
_payments: Final = Reader(
    lenient=True, names={"index": "updated_index", "sent_msat": "amount_sent_msat"}, hooks=HOOKS
)
_channels: Final = Reader(
    lenient=True,
    names={"scid": "short_channel_id", "capacity_msat": "total_msat"},
    hooks=HOOKS,
)

_PAYMENT: Final = "invoice"
"""How lightningd tags what we pay or are paid, whether there was an invoice or not."""
_WHAT: Final = {
    "channel_open": "funds",
    "channel_proposed": "funds",
    "channel_close": "spends",
    "onchain_fee": "fee",
}


@attrs.frozen(kw_only=True)
class _Waited:
    created: int = attrs.field(validator=checks.whole())


@attrs.frozen(kw_only=True)
class _Change:
    timestamp: str
    new_state: str
    cause: str | None = None


@attrs.frozen(kw_only=True)
class _Over:
    state: str
    to_us_msat: Msat
    last_tx_fee_msat: Msat | None = None
    state_changes: tuple[_Change, ...] = ()


@attrs.frozen(kw_only=True)
class _Closed:
    final_to_us_msat: Msat
    last_commitment_fee_msat: Msat | None = None
    close_cause: str | None = None
    last_stable_connection: int | None = None


@attrs.frozen(kw_only=True)
class _Sent:
    status: str
    destination: PeerId | None


@attrs.frozen(kw_only=True)
class _Htlc:
    direction: Literal["in", "out"]
    amount_msat: Msat


@attrs.frozen(kw_only=True)
class _Traffic:
    htlcs: tuple[_Htlc, ...]


def moves_of(reply: object) -> Page[Move]:
    """
    Return the sides of our own payments in a `listchannelmoves` reply; what was routed is a
    forward, listed elsewhere.

    Raises:
        WireError: It is no such reply. So do all that read here.
    """

    def move(row: dict[str, Any], path: str) -> Move:
        part = f"{row.get('group_id', 0)}:{row.get('part_id', 0)}"
        return _moves.read({**row, "part": part}, Move, path)

    def is_ours(row: dict[str, Any]) -> bool:
        return row.get("primary_tag") == _PAYMENT

    return _page(reply, ("listchannelmoves", "channelmoves", "created_index"), is_ours, move)


def created_of(reply: object) -> int:
    """
    Return how far a `wait` reply says that a list goes.
    """
    return _moves.read(reply, _Waited, "wait").created


def payments_of(reply: object, to: PeerId) -> Page[Payment]:
    """
    Return the completed payments to the node *to* in a `listsendpays` reply.
    """

    def payment(row: dict[str, Any], path: str) -> Payment:
        return _payments.read({**row, "part": str(row.get("partid", 0))}, Payment, path)

    def is_ours(row: dict[str, Any]) -> bool:
        return row.get("status") == "complete" and row.get("destination") == to

    return _page(reply, ("listsendpays", "payments", "updated_index"), is_ours, payment)


def pending_of(reply: object, to: PeerId) -> tuple[Pending, ...]:
    """
    Return the payments to the node *to* that are under way, by a `listsendpays` reply: all of
    them, as one that is overlooked would be taken for one that ended.
    """

    def pending(row: Any, path: str) -> Pending | None:  # noqa: ANN401 -- a JSON value
        is_ours = _payments.read(row, _Sent, path) == _Sent(status="pending", destination=to)
        return _payments.read(row, Pending, path) if is_ours else None

    rows = rows_of(reply, "listsendpays", "payments")
    found, problems = readable(rows, "listsendpays.payments", pending)
    if problems:
        raise WireError(problems)
    return found


def arriving_in(reply: object, channel_id: ChannelId) -> tuple[Msat, ...]:
    """
    Return what is coming in by a channel, HTLC by HTLC, by a `listpeerchannels` reply; nothing by
    a channel that is not listed.
    """
    rows = rows_of(reply, "listpeerchannels", "channels")
    channels = (
        _channels.read(row, _Traffic, f"listpeerchannels.channels[{index}]")
        for index, row in enumerate(rows)
        if type(row) is dict and row.get("channel_id") == channel_id
    )
    return tuple(
        htlc.amount_msat for channel in channels for htlc in channel.htlcs if htlc.direction == "in"
    )


def _page(
    reply: object,
    names: tuple[str, str, str],
    is_ours: Callable[[dict[str, Any]], bool],
    read: Callable[[dict[str, Any], str], T],
) -> Page[T]:
    # A busy node lists millions of rows that are none of our business: only the others are read.
    method, key, index = names
    rows = rows_of(reply, method, key)
    numbers = [
        number
        for row in rows
        if type(row) is dict and type(number := row.get(index)) is int and 0 <= number <= LAST
    ]
    if rows and not numbers:
        raise WireError((problem_at(f"{method}.{key}", f"no row has {index}"),))

    def ours(row: Any, path: str) -> T | None:  # noqa: ANN401 -- a JSON value
        if type(row) is not dict:
            raise WireError((problem_at(path, str(wrong(row, "an object"))),))
        return read(row, path) if is_ours(row) else None

    found, problems = readable(rows, f"{method}.{key}", ours)
    last = max(numbers, default=None)
    return Page(rows=found, last=last, count=len(rows), problems=problems)


def account_of(reply: object) -> tuple[tuple[ChainEvent, ...], tuple[str, ...]]:
    """
    Return what a channel's account, by a `bkpr-listaccountevents` reply, had to do with the
    chain, and what is wrong with the events left out.
    """

    def event(row: Any, path: str) -> ChainEvent | None:  # noqa: ANN401 -- a JSON value
        if type(row) is not dict:
            raise WireError((problem_at(path, str(wrong(row, "an object"))),))
        if type(row.get("tag")) is not str:
            raise WireError((problem_at(f"{path}.tag", str(wrong(row.get("tag"), "text"))),))
        what = _WHAT.get(row["tag"])
        txid = str(row.get("outpoint")).split(":")[0] if what == "funds" else row.get("txid")
        if what is None or (what == "funds" and "outpoint" not in row):
            return None
        # What funds a channel is its balance, and no cost.
        amounts = {} if what == "fee" else {"credit_msat": 0, "debit_msat": 0}
        return _events.read({**row, **amounts, "what": what, "txid": txid}, ChainEvent, path)

    rows = rows_of(reply, "bkpr-listaccountevents", "events")
    return readable(rows, "bkpr-listaccountevents.events", event)


def payment_moves_of(reply: object) -> tuple[tuple[Move, ...], tuple[str, ...]]:
    """
    Return the sides of one payment that a `bkpr-listaccountevents` reply shows, and what is wrong
    with those left out.
    """
    rows = rows_of(reply, "bkpr-listaccountevents", "events")
    numbers = iter(range(len(rows)))

    def move(row: Any, path: str) -> Move | None:  # noqa: ANN401 -- a JSON value
        number = next(numbers)
        if type(row) is not dict or row.get("type") != "channel" or row.get("tag") != _PAYMENT:
            return None
        part = str(row.get("part_id", 0))
        return _events.read({"fees_msat": 0, **row, "index": number, "part": part}, Move, path)

    return readable(rows, "bkpr-listaccountevents.events", move)


def closing_of(reply: object) -> tuple[tuple[Closing, ...], tuple[str, ...]]:
    """
    Return the channels of a `listpeerchannels` reply that are over, and what is wrong with those
    left out.
    """

    def closing(row: Any, path: str) -> Closing | None:  # noqa: ANN401 -- a JSON value
        if type(row) is not dict or str(row.get("state")) not in SETTLING:
            return None
        state = _channels.read(row, _Over, path)
        over = [change for change in state.state_changes if change.new_state in SETTLING]
        found = {
            "at": _began(over[0], path) if over else None,
            "how": _how(over),
            "final_to_us_msat": state.to_us_msat,
            "fee_msat": state.last_tx_fee_msat,
        }
        return _channels.read({**row, **found}, Closing, path)

    rows = rows_of(reply, "listpeerchannels", "channels")
    return readable(rows, "listpeerchannels.channels", closing)


def _began(over: _Change, path: str) -> int:
    try:
        return int(moment_of(over.timestamp))
    except ValueError as error:
        raise WireError((problem_at(f"{path}.state_changes", str(error)),)) from None


def _how(over: list[_Change]) -> How:
    for change in over:
        if change.new_state == "CLOSINGD_COMPLETE":
            return "mutual"
        if change.new_state == "AWAITING_UNILATERAL":
            # lightningd learns from the chain alone when the peer forced it.
            return "remote_force" if change.cause == "onchain" else "local_force"
    return "unknown"


def closed_of(reply: object) -> tuple[tuple[Closing, ...], tuple[str, ...]]:
    """
    Return the channels of a `listclosedchannels` reply, and what is wrong with those left out.
    """

    def closing(row: Any, path: str) -> Closing:  # noqa: ANN401 -- a JSON value
        closed = _channels.read(row, _Closed, path)
        how: Literal["remote_force", "unknown"] = (
            "remote_force" if closed.close_cause == "onchain" else "unknown"
        )
        found = {
            "at": closed.last_stable_connection,
            "how": how,
            "fee_msat": closed.last_commitment_fee_msat,
        }
        return _channels.read({**row, **found}, Closing, path)

    rows = rows_of(reply, "listclosedchannels", "closedchannels")
    return readable(rows, "listclosedchannels.closedchannels", closing)
