"""sling, the plugin that moves liquidity, asked through a call: what it is at, a start, a stop."""

from collections.abc import Callable
from typing import Final, TypeVar

from revops.adapters import replies_sling
from revops.adapters.errors import NoAnswerError, NodeRefusedError, WireError
from revops.adapters.rpc import Call
from revops.adapters.strangers import quoted
from revops.core.actions import StartRebalance
from revops.core.treasury import Engine
from revops.core.units import Scid, sats_up

T = TypeVar("T")

_STOPPING_S: Final = 1.0
"""How long sling needs to see that it was stopped: what it forgets before that has it panic."""
_PATIENCE_S: Final = 180
LEAST_TIMEOUT_S: Final = 120
"""
What sling takes for failed and pays anew may yet arrive. Orders are looked at every minute, and one
with a payment that hangs is stopped: with sling's own timeout, before that happens.
"""
MOST_HOPS: Final = 8
"""Channels of others on a route."""
_UNKNOWN_METHOD: Final = -32601
# JSON-RPC: no JSON (which is how sling says no to everything), no request, no such method, wrong
# parameters. A plugin that dies over a call has another code: nobody knows what it did before.
_NOTHING_DONE: Final = frozenset({-32700, -32600, _UNKNOWN_METHOD, -32602})


def patience(method: str, others: int) -> int:
    """
    Return for how many seconds an answer to *method* is waited for, where those of *others* than
    sling may take so long. It answers one call after the other, and a stop waits for the payment
    that is under way, for two minutes if need be.
    """
    return max(others, _PATIENCE_S) if method.startswith("sling-") else others


class Sling:
    """
    sling: it fills a channel by circular payments until it moved what it was told to, or is
    stopped, or lightningd or sling restarts.
    """

    def __init__(self, call: Call, pause: Callable[[float], None]) -> None:
        self._call = call
        self._pause = pause

    def look(self) -> Engine:
        """
        Return how it was found; if it is not there, it is at nothing.
        """
        version = None
        try:
            version = self._ask("sling-version", {}, replies_sling.version_of)
            # What is started is listed an instant after "started" was answered. An answer to
            # this, which waits behind earlier calls, is longer than that.
            kept = self._ask("sling-jobsettings", {}, replies_sling.partners_of)
            haste = self._haste()
            jobs = self._ask(
                "sling-stats", {"json": True}, lambda reply: replies_sling.jobs_of(reply, kept)
            )
        except NodeRefusedError as error:
            if error.code == _UNKNOWN_METHOD:
                return Engine(trouble=f"sling is not there: {error.message}", jobs=())
            return Engine(version=version, trouble=str(error))
        except NoAnswerError as error:
            return Engine(version=version, trouble=str(error))
        return Engine(version=version, trouble=haste, jobs=jobs)

    def start(self, action: StartRebalance) -> None:
        """
        Have a channel filled.

        Raises:
            NodeRefusedError: It said no, or cannot be told what is asked for: nothing happened.
            NoAnswerError: Nobody knows; a NotAskedError says that nothing happened.
        """
        if problem := _unspeakable(action):
            raise NodeRefusedError("sling-once", None, problem)
        done = self._ask("sling-once", _order(action), replies_sling.result_of)
        if done != "started":
            msg = f"sling-once: expected to hear that it started, heard {quoted(done)!r}"
            raise NoAnswerError(msg)

    def stop(self, scid: Scid) -> None:
        """
        End what it is at on *scid* and have it forgotten, unless that is a job that it keeps for
        ever: ours never are. A payment that is under way may still arrive.

        Raises:
            NodeRefusedError, NoAnswerError: It is not seen to have ended.
        """
        if not self._lists(scid):
            return
        # Without a channel it would stop everything, whosever it is.
        self._ask("sling-stop", {"scid": scid}, lambda reply: reply)
        self._pause(_STOPPING_S)
        # What is left would spoil the next job on this channel. That we saw it listed says that
        # sling has been up for a while: in its first moment, this would make it forget all jobs.
        self._ask("sling-deletejob", {"job": scid}, lambda reply: reply)
        if self._lists(scid):
            msg = f"sling-stop: {scid} was to be stopped and is still listed"
            raise NoAnswerError(msg)

    def _haste(self) -> str:
        """
        Return what is wrong with sling's own patience; empty when nothing is.
        """
        option: dict[str, object] = {"config": replies_sling.TIMEOUT}
        try:
            timeout = self._ask("listconfigs", option, replies_sling.timeout_of)
        except (NodeRefusedError, NoAnswerError) as error:
            return str(error)
        if timeout >= LEAST_TIMEOUT_S:
            return ""
        return (
            f"{replies_sling.TIMEOUT} is {timeout} s: below {LEAST_TIMEOUT_S} s sling pays anew"
            " what may yet arrive, before it can be stopped"
        )

    def _lists(self, scid: Scid) -> bool:
        found = self.look()
        if found.jobs is None:
            raise NoAnswerError(found.trouble)
        return any(job.scid == scid and job.progress for job in found.jobs)

    def _ask(self, method: str, params: dict[str, object], read: Callable[[object], T]) -> T:
        try:
            return read(self._call(method, params))
        except NodeRefusedError as error:
            if error.code in _NOTHING_DONE:
                raise
            raise NoAnswerError(str(error)) from error
        except WireError as error:
            raise NoAnswerError(str(error)) from error


def _unspeakable(action: StartRebalance) -> str:
    """
    Return why sling cannot be told to do *action*; empty when it can.
    """
    if not action.sources:
        # It would take none for any.
        return "sources: expected at least one, got none"
    if action.chunk_msat <= 0 or action.chunk_msat % 1000:
        return f"chunk_msat: expected whole satoshi, got {action.chunk_msat}"
    if action.amount_msat <= 0 or action.amount_msat % action.chunk_msat:
        return (
            f"amount_msat: expected whole chunks of {action.chunk_msat}, got {action.amount_msat}"
        )
    return ""


def _order(action: StartRebalance) -> dict[str, object]:
    return {
        "scid": action.scid,
        "direction": "pull",
        "amount": action.chunk_msat // 1000,
        "onceamount": action.amount_msat // 1000,
        "maxppm": action.max_ppm,
        "maxhops": MOST_HOPS,
        "candidates": [source.scid for source in action.sources],
        "depleteuptopercent": action.keep_share,
        "depleteuptoamount": sats_up(action.keep_msat),
        # More than one at a time would make more than one that may yet arrive.
        "paralleljobs": 1,
    }
