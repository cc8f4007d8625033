"""lightningd, asked through a call: its answers in core terms, its errors told apart."""

import logging
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

from pyln.client import LightningRpc, RpcError

from revops.adapters import replies
from revops.adapters.errors import NoAnswerError, NodeRefusedError, WireError
from revops.core.actions import SetFee
from revops.core.outcomes import Applied
from revops.core.snapshot import Channel, Node
from revops.core.tally import Forward
from revops.core.units import Instant, Msat

T = TypeVar("T")
Call = Callable[[str, dict[str, object]], object]
"""Calls a method of lightningd with named parameters and returns what it answered."""
Forwards = tuple[tuple[Forward, ...], tuple[str, ...]]

# The client logs whole replies at debug level, and those hold preimages.
_silence: Final = logging.getLogger("revops.rpc")
_silence.setLevel(logging.INFO)


class _Rpc(LightningRpc):  # type: ignore[misc]  # pyln ships no types
    """
    pyln's client, which by itself waits for ever.
    """

    def __init__(self, rpc_path: str, timeout_s: float) -> None:
        super().__init__(rpc_path, logger=_silence)
        self._timeout_s = timeout_s

    def _writeobj(self, sock: Any, obj: object) -> None:  # noqa: ANN401 -- pyln's own socket
        sock.sock.settimeout(self._timeout_s)
        super()._writeobj(sock, obj)


def connect(rpc_path: str, timeout_s: float = 15) -> Call:
    """
    Return the call that reaches lightningd by its socket, a connection each time: threads may
    share it.

    Raises:
        NodeRefusedError: By the call: lightningd answered with an error.
        NoAnswerError: By the call: there was no answer, or none that can be read.
    """

    def call(method: str, params: dict[str, object]) -> object:
        try:
            return _Rpc(rpc_path, timeout_s).call(method, params)
        except RpcError as error:
            raise _refusal(method, error.error) from None
        # ValueError: what came is no JSON. The others: JSON, but no answer.
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            msg = f"{method}: no answer from lightningd: {type(error).__name__}"
            raise NoAnswerError(msg) from None

    return call


def _refusal(method: str, answer: object) -> NodeRefusedError | NoAnswerError:
    # pyln makes an error of a lost connection too; that one is no object.
    if isinstance(answer, dict):
        code, message = answer.get("code"), answer.get("message")
        if type(message) is str:
            return NodeRefusedError(method, code if type(code) is int else None, message)
    words = answer if type(answer) is str else "an error without a message"
    return NoAnswerError(f"{method}: no answer from lightningd: {words:.100}")


class Lightningd:
    """
    The node, asked in its own words and understood in ours.

    Raises:
        NodeRefusedError: By every method: lightningd said no.
        NoAnswerError: By every method: it said nothing, or nothing that can be read.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def info(self) -> Node:
        """
        Return who we are.
        """
        return self._ask("getinfo", {}, replies.node_of)

    def channels(
        self, now: Instant, blockheight: int | None = None
    ) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
        """
        Return the channels, and a sentence for what could not be read of them.
        """
        return self._ask(
            "listpeerchannels",
            {},
            lambda reply: replies.channels_of(reply, blockheight=blockheight, now=now),
        )

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
        a sentence for what could not be read of them.
        """
        page: dict[str, object] = {"index": index, "start": start, "limit": limit}
        return self._ask("listforwards", page, replies.forwards_of)

    def all_forwards(self) -> Forwards:
        """
        Return every forward, for nodes that cannot page.
        """
        return self._ask("listforwards", {}, replies.forwards_of)

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
