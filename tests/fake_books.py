"""A node's own books with state: what moved, what the chain took, what is over."""

import copy
import hashlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any


class RefusedBooksError(Exception):
    """
    What the node refuses, for its RPC to say.
    """


def named(text: str) -> str:
    """
    Return 64 hex digits that *text* always comes to.
    """
    return hashlib.sha256(text.encode()).hexdigest()


class FakeBooks:
    """
    The lists of lightningd and of bookkeeper about money, starting with what was recorded, and
    what happens to channels that they are about.

    Attributes:
        channels: The node's own list of them, as `listpeerchannels` shows it.
        moves, events, payments, closed: The rows of `listchannelmoves`,
            `bkpr-listaccountevents`, `listsendpays` and `listclosedchannels`.
    """

    def __init__(
        self, node_id: str, channels: list[dict[str, Any]], rows: Callable[[str, str], list[Any]]
    ) -> None:
        self._node_id = node_id
        self.channels = channels
        self.moves = rows("listchannelmoves", "channelmoves")
        self.events = rows("bkpr-listaccountevents", "events")
        self.payments = rows("listsendpays", "payments")
        # The node was recorded a second time when it had closed channels.
        shown = {channel.get("channel_id") for channel in channels}
        listed = rows("listclosedchannels", "closedchannels")
        self.closed = [row for row in listed if row["channel_id"] not in shown]

    # What happens --------------------------------------------------------------------------

    def pay(
        self,
        leaves: str | None,
        enters: str | None,
        amount: int,
        *,
        at: int,
        fee: int = 0,
        name: str = "",
    ) -> str:
        """
        Pay *amount* by the channel *leaves*, be paid by *enters*, or both in a circle, and return
        the payment's hash. The other side of one may come later, and further parts, by its *name*.
        """
        payment_hash = named(name or f"payment {len(self.moves)} {len(self.events)}")
        if enters:
            # As a payee the node tells the preimage first, and is paid before it has paid.
            self._channel(enters)["to_us_msat"] += amount
            self.book(self._account(enters), payment_hash, (amount, 0, 0), at, {})
        if leaves:
            self._channel(leaves)["to_us_msat"] -= amount + fee
            part = sum(row["payment_hash"] == payment_hash for row in self.payments)
            ids = {"part_id": part, "group_id": 1}
            self.book(self._account(leaves), payment_hash, (0, amount + fee, fee), at, ids)
            to = self._node_id if enters else f"02{named('a shop')}"
            self._send(payment_hash, part, (amount, amount + fee), to, at)
        return payment_hash

    def route(self, enters: str, leaves: str, amount: int, fee: int, at: int) -> None:
        """
        Note what a forward moved.
        """
        payment_hash = named(f"routed {len(self.moves)}")
        taken, brought = (0, amount, fee), (amount + fee, 0, fee)
        self.book(self._account(leaves), payment_hash, taken, at, {}, "routed")
        self.book(self._account(enters), payment_hash, brought, at, {}, "routed")

    def book(
        self,
        account: str,
        payment_hash: str,
        amounts: tuple[int, int, int],
        at: int,
        ids: dict[str, int],
        tag: str = "invoice",
    ) -> None:
        """
        Note what a payment moved in one channel: credit, debit and the fees in there.
        """
        credit, debit, fee = amounts
        row = {"credit_msat": credit, "debit_msat": debit, "timestamp": at, "fees_msat": fee, **ids}
        self.moves.append(
            {
                "created_index": 1 + max((m["created_index"] for m in self.moves), default=0),
                "account_id": account,
                "primary_tag": tag,
                "payment_hash": payment_hash,
                **row,
            }
        )
        row.pop("group_id", None)
        known = {"account": account, "type": "channel", "tag": tag, "currency": "bcrt"}
        self.events.append({**known, "payment_id": payment_hash, **row})

    def open(self, scid: str, *, like: str, fee: int, at: int) -> dict[str, Any]:
        """
        Open a channel *like* another one, at *fee*, and return it.
        """
        channel = copy.deepcopy(self._channel(like))
        txid = named(f"funding {scid}")
        channel |= {
            "short_channel_id": scid,
            "channel_id": txid[::-1],
            "opener": "local" if fee else "remote",
            "funding_txid": txid,
            "state_changes": [],
        }
        self.channels.append(channel)
        self._chain(channel, "channel_open", at, credit=channel["to_us_msat"], outpoint=f"{txid}:0")
        self._fee(channel, txid, fee, 0, at)
        return channel

    def splice(self, scid: str, new_scid: str, change: int, fee: int, at: int) -> None:
        """
        Splice *change* in, or out when it is negative; bookkeeper takes all of it for fees at
        first, and corrects itself.
        """
        channel = self._channel(scid)
        txid = named(f"splice {new_scid}")
        before = channel["to_us_msat"]
        spent = channel["funding_txid"]
        channel |= {
            "short_channel_id": new_scid,
            "funding_txid": txid,
            "total_msat": channel["total_msat"] + change - fee,
            "to_us_msat": before + change - fee,
        }
        self._chain(channel, "channel_close", at, debit=before, outpoint=f"{spent}:0", txid=txid)
        self._chain(channel, "channel_open", at, credit=before + change - fee, outpoint=f"{txid}:1")
        self._fee(channel, txid, before, 0, at)
        self._fee(channel, txid, 0, before - fee, at)

    def close(self, scid: str, *, fee: int, at: int, stamp: str, cause: str = "user") -> None:
        """
        Close a channel together with its peer, or by force when *cause* is not "user".
        """
        channel = self._channel(scid)
        txid = named(f"closing {channel['channel_id']}")
        first = "CLOSINGD_COMPLETE" if cause == "user" else "AWAITING_UNILATERAL"
        states = ["CHANNELD_NORMAL", first, "FUNDING_SPEND_SEEN", "ONCHAIN"]
        channel["state_changes"] = channel.get("state_changes", []) + [
            {"timestamp": stamp, "old_state": old, "new_state": new, "cause": cause, "message": ""}
            for old, new in pairwise(states)
        ]
        channel |= {"state": "ONCHAIN", "closer": "remote" if cause == "onchain" else "local"}
        outpoint = f"{channel['funding_txid']}:0"
        debit = channel["to_us_msat"]
        self._chain(channel, "channel_close", at, debit=debit, outpoint=outpoint, txid=txid)
        if fee:
            self._fee(channel, txid, fee, 0, at)

    def forget(self, scid: str) -> None:
        """
        Have done with a channel that was closed a hundred blocks ago.
        """
        channel = self._channel(scid)
        self.channels.remove(channel)
        same = ("peer_id", "channel_id", "short_channel_id", "opener", "private", "total_msat")
        self.closed.append(
            {name: channel[name] for name in (*same, "closer") if name in channel}
            | {
                "funding_txid": channel["funding_txid"],
                "funding_outnum": 0,
                "funding_withheld": False,
                "leased": False,
                "total_local_commitments": 1,
                "total_remote_commitments": 1,
                "total_htlcs_sent": 0,
                "final_to_us_msat": channel["to_us_msat"],
                "min_to_us_msat": 0,
                "max_to_us_msat": channel["total_msat"],
                "last_commitment_fee_msat": 700_000,
                "close_cause": channel["state_changes"][-1]["cause"],
            }
        )

    # What is answered ----------------------------------------------------------------------

    def listchannelmoves(self, params: dict[str, Any]) -> Any:
        """
        Return a page of what moved in channels.
        """
        return {"channelmoves": _page(self.moves, "created_index", params)}

    def listsendpays(self, params: dict[str, Any]) -> Any:
        """
        Return a page of what was sent.
        """
        key = f"{params.get('index', 'created')}_index"
        rows = [row for row in self.payments if params.get("status") in (None, row["status"])]
        return {"payments": _page(rows, key, params)}

    def listclosedchannels(self, params: dict[str, Any]) -> Any:
        """
        Return what the node has done with.
        """
        return {
            "closedchannels": [
                row for row in self.closed if params.get("id") in (None, row["peer_id"])
            ]
        }

    def wait(self, params: dict[str, Any]) -> Any:
        """
        Return how far the list of moves goes.
        """
        if params != {"subsystem": "channelmoves", "indexname": "created", "nextvalue": 0}:
            raise NotImplementedError(params)
        last = max((row["created_index"] for row in self.moves), default=0)
        return {"subsystem": "channelmoves", "created": last}

    def listaccountevents(self, params: dict[str, Any]) -> Any:
        """
        Return what bookkeeper knows of an account, or a payment.
        """
        name, value = next(iter(params.items()), ("account", None))
        key = {"account": "account", "payment_id": "payment_id"}[name]
        events = [event for event in self.events if value in (None, event.get(key))]
        if name == "account" and not events and value:
            msg = f"Account '{value}' not found"
            raise RefusedBooksError(msg)
        return {"events": events}

    # Rows ----------------------------------------------------------------------------------

    def _channel(self, scid: str) -> dict[str, Any]:
        return next(c for c in self.channels if c.get("short_channel_id") == scid)

    def _account(self, scid: str) -> str:
        return self._channel(scid)["channel_id"]

    def _send(
        self, payment_hash: str, part: int, amounts: tuple[int, int], to: str, at: int
    ) -> None:
        number = 1 + max((row["created_index"] for row in self.payments), default=0)
        self.payments.append(
            {
                "created_index": number,
                "id": number,
                "updated_index": number,
                "payment_hash": payment_hash,
                "groupid": 1,
                "partid": part,
                "status": "complete",
                "destination": to,
                "amount_msat": amounts[0],
                "amount_sent_msat": amounts[1],
                "created_at": at,
                "completed_at": at,
                "payment_preimage": named(f"preimage {payment_hash}"),
            }
        )

    def _chain(self, channel: dict[str, Any], tag: str, at: int, **more: Any) -> None:
        amounts = {"credit_msat": more.pop("credit", 0), "debit_msat": more.pop("debit", 0)}
        self.events.append(
            {
                "account": channel["channel_id"],
                "type": "chain",
                "tag": tag,
                "currency": "bcrt",
                "timestamp": at,
                "blockheight": 200,
                **amounts,
                **more,
            }
        )

    def _fee(self, channel: dict[str, Any], txid: str, credit: int, debit: int, at: int) -> None:
        self.events.append(
            {
                "account": channel["channel_id"],
                "type": "onchain_fee",
                "tag": "onchain_fee",
                "credit_msat": credit,
                "debit_msat": debit,
                "currency": "bcrt",
                "timestamp": at,
                "txid": txid,
            }
        )


def _page(rows: list[dict[str, Any]], key: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    for name in ("start", "limit"):
        if name in params and "index" not in params:
            msg = f"Can only specify {{{name}}} with {{index}}"
            raise RefusedBooksError(msg)
    found = [row for row in rows if row.get(key, 0) >= params.get("start", 1)]
    return sorted(found, key=lambda row: row[key])[: params.get("limit")]
