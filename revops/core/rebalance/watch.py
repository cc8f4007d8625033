"""Watch: whether a rebalance that runs goes on, is to be stopped, or is over."""

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from revops.core.config import Config
from revops.core.reasons import Code, Fact, Reason
from revops.core.treasury import Attempt, Ending, Job, Progress
from revops.core.units import HOUR, MILLION, MINUTE, Instant, Msat

DEADLINE_S: Final = 2 * HOUR
"""What is not done by then waits for a better time."""
PATIENCE_S: Final = 20 * MINUTE
"""How long a market that says no is asked again."""
HANGS_S: Final = 45
"""
How old a payment under way may be. sling takes one of 120 s for failed and pays anew, though it may
yet arrive: looked at every minute, none gets so old that more than one chunk comes on top.
"""


@attrs.frozen
class Keep:
    """
    It goes on.
    """


@attrs.frozen
class Stop:
    """
    The rebalancer is to be told to end it.

    Attributes:
        ending: Why it ends, as `Attempt.stopping` remembers it until it is over.
    """

    ending: Ending
    reason: Reason


@attrs.frozen
class Over:
    """
    The rebalancer is at it no more.

    Attributes:
        ending: How it ended by what has moved; what moves until its money is settled may change
            that.
    """

    ending: Ending
    reason: Reason


@attrs.frozen(kw_only=True)
class _Look:
    attempt: Attempt
    job: Job
    to_us_msat: Msat | None
    now: Instant
    config: Config
    paying: tuple[Instant, ...]

    def since(self, *moments: Instant | None) -> int:
        """
        Return how long the nearest of *moments* is away: a clock that went back far enough ends a
        patience as well.
        """
        return min(abs(self.now - moment) for moment in moments if moment is not None)

    def stop(self, ending: Ending, code: Code, **facts: Fact) -> Stop:
        return Stop(ending, _because(code, self.attempt, **facts))


def watch(
    attempt: Attempt,
    job: Job | None,
    to_us_msat: Msat | None,
    now: Instant,
    config: Config,
    paying: tuple[Instant, ...] = (),
) -> Keep | Stop | Over:
    """
    Return what is to become of *attempt*, of which the rebalancer says *job*: `None` when it does
    not list it. *to_us_msat* is on our side of the filled channel; `None` when nobody knows.
    *paying* is when the payments were begun that are under way and may be of it.

    As long as anything of it is listed it is stopped, and never taken to be over: what sling calls
    balanced may only sleep, and what it calls an error goes on trying.
    """
    if job is None or job.progress is None:
        # A job that is only listed is not ours, and none of ours runs beside it.
        cause = attempt.stopping or Ending.VANISHED
        return Over(ending_of(cause, attempt), _because(Code.JOB_OVER, attempt))
    look = _Look(
        attempt=attempt, job=job, to_us_msat=to_us_msat, now=now, config=config, paying=paying
    )
    return next((stop for rule in _RULES if (stop := rule(look))), Keep())


def ending_of(cause: Ending, attempt: Attempt) -> Ending:
    """
    Return how *attempt* ended, by what has moved, where *cause* is why it ended.
    """
    if _all_moved(attempt):
        return Ending.DONE
    if attempt.moved_msat:
        return cause if cause is Ending.STOPPED else Ending.PARTIAL
    return Ending.VANISHED if cause in (Ending.DONE, Ending.PARTIAL) else cause


def _all_moved(attempt: Attempt) -> bool:
    return attempt.moved_msat >= attempt.amount_msat > 0


def _because(code: Code, attempt: Attempt, **facts: Fact) -> Reason:
    moved: Mapping[str, Fact] = {
        "moved_msat": attempt.moved_msat,
        "amount_msat": attempt.amount_msat,
        "fee_msat": attempt.fee_msat,
    }
    return Reason(code, (*moved.items(), *facts.items()))


# What stops a job, the first that has something to say.


def _under_way(look: _Look) -> Stop | None:
    cause = look.attempt.stopping
    return look.stop(cause, Code.JOB_STOPPING, cause=cause.value) if cause else None


def _done(look: _Look) -> Stop | None:
    return look.stop(Ending.DONE, Code.JOB_DONE) if _all_moved(look.attempt) else None


def _stuck(look: _Look) -> Stop | None:
    ending = _STUCK.get(look.job.progress)
    return look.stop(ending, Code.JOB_STUCK, words=look.job.words) if ending else None


def _unwanted(look: _Look) -> Stop | None:
    config = look.config
    if config.paused:
        said = "paused is set"
    elif config.rebalancer == "none":
        said = "rebalancer is none"
    elif config.authority != "liquidity" and not look.attempt.ordered:
        said = f"authority is {config.authority}"
    else:
        return None
    return look.stop(Ending.STOPPED, Code.JOB_UNWANTED, said=said)


def _overcharged(look: _Look) -> Stop | None:
    attempt = look.attempt
    # The limit is for one chunk more than is to move; see `StartRebalance.max_fee_msat`.
    limited = attempt.amount_msat + attempt.chunk_msat
    if attempt.fee_msat * limited <= attempt.limit_msat * attempt.moved_msat:
        return None
    planned = -(-attempt.limit_msat * MILLION // limited)
    return look.stop(Ending.TOO_EXPENSIVE, Code.JOB_OVERCHARGED, planned_ppm=planned)


def _leaking(look: _Look) -> Stop | None:
    attempt, to_us = look.attempt, look.to_us_msat
    if to_us is None or to_us > attempt.before_msat:
        return None
    # A payment through the channel may be larger than what the first chunks brought.
    if not attempt.fee_msat or attempt.moved_msat * 2 < attempt.amount_msat:
        return None
    return look.stop(Ending.STOPPED, Code.JOB_LEAKS, to_us_msat=to_us)


def _hanging(look: _Look) -> Stop | None:
    waited = max(map(look.since, look.paying), default=0)
    if waited < HANGS_S:
        return None
    return look.stop(Ending.STOPPED, Code.JOB_HANGS, seconds=waited)


def _expired(look: _Look) -> Stop | None:
    if look.since(look.attempt.at) < DEADLINE_S:
        return None
    return look.stop(Ending.EXPIRED, Code.JOB_EXPIRED, hours=DEADLINE_S // HOUR)


def _priced_out(look: _Look) -> Stop | None:
    found = _PRICED_OUT.get(look.job.progress)
    idle = look.since(look.attempt.at, look.attempt.moved_at)
    if found is None or idle < PATIENCE_S:
        return None
    ending, code = found
    return look.stop(ending, code, minutes=idle // MINUTE)


_STUCK: Final[Mapping[Progress | None, Ending]] = {
    Progress.DONE: Ending.DONE,
    Progress.DEAD: Ending.VANISHED,
}
_PRICED_OUT: Final[Mapping[Progress | None, tuple[Ending, Code]]] = {
    Progress.NO_ROUTE: (Ending.NO_ROUTE, Code.JOB_NO_ROUTE),
    Progress.TOO_EXPENSIVE: (Ending.TOO_EXPENSIVE, Code.JOB_TOO_EXPENSIVE),
}
_RULES: Final[tuple[Callable[[_Look], Stop | None], ...]] = (
    _under_way,
    _done,
    _stuck,
    _unwanted,
    _overcharged,
    _leaking,
    _hanging,
    _expired,
    _priced_out,
)
