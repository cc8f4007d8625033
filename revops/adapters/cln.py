"""lightningd, asked through a call: its answers in core terms, its errors told apart."""

from collections.abc import Callable
from typing import Final, Literal, TypeVar

from revops.adapters import replies, replies_books, replies_forwards
from revops.adapters.errors import NoAnswerError, NodeRefusedError, WireError
from revops.adapters.rpc import Call
from revops.core.actions import SetFee
from revops.core.costs import ChainEvent, Closing
from revops.core.outcomes import Applied
from revops.core.refills import Move, Page, Payment, Pending
from revops.core.snapshot import Channel, Node
from revops.core.tally import Forward, Misfit
from revops.core.units import ChannelId, Instant, Msat, PeerId

T = TypeVar("T")
Unread = tuple[str, ...]
Forwards = tuple[tuple[Forward, ...], tuple[Misfit, ...]]

_UNKNOWN_METHOD: Final = -32601
_WRONG_PARAMETERS: Final = -32602


class Lightningd:
    """
    The node, asked in its own words and understood in ours.

    Raises:
        NodeRefusedError: By every method: lightningd said no.
        NoAnswerError: By every method: it said nothing, or nothing that can be read.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._absent: set[str] = set()

    def info(self) -> Node:
        """
        Return who we are.
        """
        return self._ask("getinfo", {}, replies.node_of)

    def channels(
        self, now: Instant, blockheight: int | None = None, peer_id: PeerId | None = None
    ) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
        """
        Return the channels, all or those with one peer, and a sentence for what could not be read
        of them.
        """
        return self._ask(
            "listpeerchannels",
            {"id": peer_id} if peer_id else {},
            lambda reply: replies.channels_of(reply, blockheight=blockheight, now=now),
        )

    def alias(self, node_id: PeerId) -> str:
        """
        Return what a node calls itself; empty when gossip does not know it.
        """
        return self._ask("listnodes", {"id": node_id}, replies.aliases_of).get(node_id, "")

    def feerate(self) -> int | None:
        """
        Return what confirms within 12 blocks, in sat per 1000 weight; `None` if nobody knows.
        """
        return self._ask("feerates", {"style": "perkw"}, replies.feerate_of)

    def onchain(self) -> Msat:
        """
        Return the confirmed funds that nothing has reserved.
        """
        return self._ask("listfunds", {}, replies.onchain_of)

    def forwards(self, index: Literal["created", "updated"], start: int, limit: int) -> Forwards:
        """
        Return up to *limit* forwards from *start* on in the order of *index* (since v23.11), and
        the rows that cannot be read.
        """
        page: dict[str, object] = {"index": index, "start": start, "limit": limit}
        return self._ask("listforwards", page, replies_forwards.forwards_of)

    def all_forwards(self) -> Forwards:
        """
        Return every forward, for nodes that cannot page.
        """
        return self._ask("listforwards", {}, replies_forwards.forwards_of)

    def last_forward(self, index: Literal["created", "updated"]) -> int:
        """
        Return how far *index* goes; 0 before the first.
        """
        now: dict[str, object] = {"subsystem": "forwards", "indexname": index, "nextvalue": 0}
        return self._ask("wait", now, lambda reply: replies_forwards.last_of(reply, index))

    def set_fee(self, action: SetFee) -> Applied:
        """
        Set the price of one channel and return what is in force then.

        Raises:
            NodeRefusedError: lightningd said no, or set something else.
        """
        params: dict[str, object] = {
            "id": action.scid,
            "feebase": action.new_base_msat,
            "feeppm": action.new_ppm,
        }
        if action.htlc_max_msat is not None:
            params["htlcmax"] = action.htlc_max_msat
        applied = self._ask(
            "setchannel", params, lambda reply: replies.price_of(reply, action.scid)
        )
        if problem := _other_than_asked(action, applied):
            raise NodeRefusedError("setchannel", None, problem)
        return applied

    def moves(self, start: int, limit: int) -> Page[Move] | None:
        """
        Return up to *limit* of what moved in channels from row *start* on; `None` before v25.09.
        """
        page: dict[str, object] = {"index": "created", "start": start, "limit": limit}
        return self._ask_if_there("listchannelmoves", page, replies_books.moves_of)

    def last_move(self) -> int:
        """
        Return the number of the latest row of what moved in channels; 0 before the first.
        """
        now: dict[str, object] = {
            "subsystem": "channelmoves",
            "indexname": "created",
            "nextvalue": 0,
        }
        return self._ask("wait", now, replies_books.created_of)

    def payments(self, to: PeerId, start: int, limit: int) -> Page[Payment] | None:
        """
        Return the payments to the node *to* among *limit* changes from number *start* on; `None`
        before v23.11.
        """
        page: dict[str, object] = {"index": "updated", "start": start, "limit": limit}
        try:
            return self._ask(
                "listsendpays", page, lambda reply: replies_books.payments_of(reply, to)
            )
        except NodeRefusedError as error:
            if error.code != _WRONG_PARAMETERS:
                raise
            return None

    def pending_to(self, to: PeerId) -> tuple[Pending, ...]:
        """
        Return the payments to the node *to* that are under way.
        """
        asked: dict[str, object] = {"status": "pending"}
        return self._ask("listsendpays", asked, lambda reply: replies_books.pending_of(reply, to))

    def arriving(self, peer_id: PeerId, channel_id: ChannelId) -> tuple[Msat, ...]:
        """
        Return what is coming in by a channel, HTLC by HTLC. What has come in is among it until
        it is among what moved: a payment is complete before that.
        """
        return self._ask(
            "listpeerchannels",
            {"id": peer_id},
            lambda reply: replies_books.arriving_in(reply, channel_id),
        )

    def payment_moves(self, payment_hash: str) -> tuple[tuple[Move, ...], Unread]:
        """
        Return the sides of one payment; none before v24.08, or where bookkeeper does not run.
        """
        asked: dict[str, object] = {"payment_id": payment_hash}
        return self._ask_bookkeeper(asked, replies_books.payment_moves_of) or ((), ())

    def account(self, channel_id: ChannelId) -> tuple[tuple[ChainEvent, ...], Unread] | None:
        """
        Return what bookkeeper knows of a channel and the chain; `None` where it does not run.
        """
        return self._ask_bookkeeper({"account": channel_id}, replies_books.account_of)

    def closing_channels(self, peer_id: PeerId) -> tuple[tuple[Closing, ...], Unread]:
        """
        Return the channels with a peer that are over and that the node has not forgotten yet.
        """
        return self._ask("listpeerchannels", {"id": peer_id}, replies_books.closing_of)

    def closed_channels(self, peer_id: PeerId | None = None) -> tuple[tuple[Closing, ...], Unread]:
        """
        Return the channels, all or those with one peer, that the node has done with.
        """
        asked: dict[str, object] = {"id": peer_id} if peer_id else {}
        found = self._ask_if_there("listclosedchannels", asked, replies_books.closed_of)
        return found or ((), ())

    def _ask_bookkeeper(
        self, params: dict[str, object], read: Callable[[object], tuple[tuple[T, ...], Unread]]
    ) -> tuple[tuple[T, ...], Unread] | None:
        try:
            return self._ask_if_there("bkpr-listaccountevents", params, read)
        except NodeRefusedError as error:
            # An account that it does not know, or a filter of later versions.
            if error.code != _WRONG_PARAMETERS:
                raise
            return (), ()

    def _ask_if_there(
        self, method: str, params: dict[str, object], read: Callable[[object], T]
    ) -> T | None:
        if method in self._absent:
            return None
        try:
            return self._ask(method, params, read)
        except NodeRefusedError as error:
            if error.code != _UNKNOWN_METHOD:
                raise
            self._absent.add(method)
            return None

    def _ask(self, method: str, params: dict[str, object], read: Callable[[object], T]) -> T:
        reply = self._call(method, params)
        try:
            return read(reply)
        except WireError as error:
            raise NoAnswerError(str(error)) from error


def _other_than_asked(action: SetFee, applied: Applied) -> str | None:
    asked = (action.new_ppm, action.new_base_msat)
    got = (applied.fee_ppm, applied.base_fee_msat)
    if got != asked:
        return f"asked for {asked} ppm and msat base on {action.scid}, in force is {got}"
    # lightningd lowers what the channel cannot carry, with a warning.
    most = action.htlc_max_msat
    if most is not None and (applied.htlc_max_msat or 0) > most:
        return f"asked for htlcmax {most} on {action.scid}, in force is {applied.htlc_max_msat}"
    return None
