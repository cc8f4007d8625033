"""Replies of sling: what it says of itself and its tasks, in core terms."""

import re
from collections import defaultdict
from typing import Final

import attrs

from revops.adapters.errors import WireError
from revops.adapters.strangers import quoted
from revops.adapters.wire_reader import Reader, problem_at, wrong
from revops.core import checks
from revops.core.treasury import Job, Progress
from revops.core.units import Scid

TIMEOUT: Final = "sling-timeoutpay"
_reader: Final = Reader(lenient=True)
_VERSION: Final = re.compile(r"v?(\d+(?:\.\d+)*)", re.ASCII)

# The states of a task, the one that is farthest from its end first.
_STATES: Final = {
    "Starting": Progress.WORKING,
    "Rebalancing": Progress.WORKING,
    "HTLCcapped": Progress.WAITING,
    "Disconnected": Progress.WAITING,
    "PeerNotReady": Progress.WAITING,
    "PeerBad": Progress.WAITING,
    "GraphEmpty": Progress.WAITING,
    "ChanNotInGraph": Progress.WAITING,
    "NoCheapRoute": Progress.TOO_EXPENSIVE,
    "NoRoutes": Progress.NO_ROUTE,
    "NoCandidates": Progress.NO_ROUTE,
    "Balanced": Progress.DONE,
    "Error": Progress.DEAD,
    "ChanNotNormal": Progress.DEAD,
    "PeerNotFound": Progress.DEAD,
    "NotStarted": Progress.DEAD,
    "Stopped": Progress.DEAD,
    "Stopping": Progress.DEAD,
}
_FARTHEST: Final = tuple(dict.fromkeys(_STATES.values()))


@attrs.frozen(kw_only=True)
class _Version:
    version: str


@attrs.frozen(kw_only=True)
class _Option:
    value_int: int


@attrs.frozen(kw_only=True)
class _Row:
    scid: Scid = attrs.field(validator=checks.scid())
    status: tuple[str, ...]


@attrs.frozen(kw_only=True)
class _Settings:
    scid: Scid = attrs.field(validator=checks.scid())
    candidates: tuple[Scid, ...] | None


@attrs.frozen(kw_only=True)
class _Result:
    result: str


def version_of(reply: object) -> str:
    """
    Return the numbers of the version in a `sling-version` reply.

    Raises:
        WireError: It holds none. So do all that read here.
    """
    text = _reader.read(reply, _Version, "sling-version").version
    if found := _VERSION.fullmatch(text):
        return found[1]
    raise WireError((problem_at("sling-version", str(wrong(text, "a version such as v4.3.1"))),))


def timeout_of(reply: object) -> int:
    """
    Return after how many seconds sling takes a payment for failed, by a `listconfigs` reply.
    """
    configs = reply.get("configs") if type(reply) is dict else None
    option = configs.get(TIMEOUT) if type(configs) is dict else None
    return _reader.read(option, _Option, f"listconfigs.configs.{TIMEOUT}").value_int


def result_of(reply: object) -> str:
    """
    Return the word with which a `sling-once` reply says what it did.
    """
    return _reader.read(reply, _Result, "sling-once").result


def partners_of(reply: object) -> dict[Scid, tuple[Scid, ...]]:
    """
    Return the channels with a job that sling keeps for ever, by its `sling-jobsettings` reply,
    and the channels that each may use.
    """
    if type(reply) is not dict:
        raise WireError((problem_at("sling-jobsettings", str(wrong(reply, "an object"))),))
    jobs = {
        scid: {**job, "scid": scid} if type(job) is dict else job for scid, job in reply.items()
    }
    settings = [
        _reader.read(job, _Settings, f"sling-jobsettings.{scid}") for scid, job in jobs.items()
    ]
    return {job.scid: job.candidates or () for job in settings}


def jobs_of(reply: object, kept: dict[Scid, tuple[Scid, ...]]) -> tuple[Job, ...]:
    """
    Return what sling is at by its `sling-stats` reply, where *kept* are the jobs that it keeps for
    ever. What is over stays listed: no state tells for sure, as a task in `Balanced` may pay again
    and one in `Error` does not rest.
    """
    if type(reply) is not list:
        raise WireError((problem_at("sling-stats", str(wrong(reply, "a list"))),))
    states: dict[Scid, list[str]] = defaultdict(list)
    for index, row in enumerate(reply):
        # A channel is listed twice once a job was made on it over a task that is done.
        found = _reader.read(row, _Row, f"sling-stats[{index}]")
        states[found.scid] += [text for text in found.status if text not in states[found.scid]]
    return (
        *(
            Job(scid=scid, partners=partners, words=quoted(", ".join(states[scid])))
            for scid, partners in kept.items()
        ),
        *(
            Job(scid=scid, progress=_progress(texts), words=quoted(", ".join(texts)))
            for scid, texts in states.items()
            if scid not in kept
        ),
    )


def _progress(texts: list[str]) -> Progress:
    """
    Return how far the tasks are, each told as `"1:NoCheapRoute"`.
    """
    # Of a state that is not known nobody says that it is an end.
    states = {_STATES.get(text.rpartition(":")[2], Progress.WORKING) for text in texts}
    return next((state for state in _FARTHEST if state in states), Progress.WORKING)
