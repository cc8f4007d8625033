"""Watched: rebalances that run, one for each thing that the watch says of them."""

from property.attempts import AMOUNT, CHUNK, running
from property.world import START

from revops.core.actions import StopRebalance
from revops.core.budget import Limits
from revops.core.config import Config
from revops.core.plan import Decision, RebalancePlan
from revops.core.reasons import Code
from revops.core.rebalance.watch import DEADLINE_S, HANGS_S, watch
from revops.core.treasury import Ending, Job, Progress
from revops.core.units import Msat

SCID = "700000x0x0"


def watched(progress=Progress.WORKING, config=None, paying=(), **fields):
    """
    Return a plan that does about a rebalance what the watch says.
    """
    attempt = running(**fields)
    listed = progress and Job(scid=SCID, progress=progress, words="1:Balanced")
    found = watch(attempt, listed, Msat(0), START, config or Config(), paying)
    action = StopRebalance(
        rebalance_id=attempt.rebalance_id,
        channel_id=attempt.to_channel,
        scid=SCID,
        peer_id=attempt.to_peer,
    )
    decision = Decision(
        channel_id=attempt.to_channel,
        scid=SCID,
        peer_id=attempt.to_peer,
        area="rebalance",
        action=action,
        trail=(found.reason,),
    )
    limits = Limits(day_msat=Msat(0), week_msat=Msat(0))
    return RebalancePlan(at=START, decisions=(decision,), node_trail=(), limits=limits)


WATCHED = {
    Code.JOB_OVER: lambda: watched(None),
    Code.JOB_STOPPING: lambda: watched(stopping=Ending.NO_ROUTE),
    Code.JOB_DONE: lambda: watched(moved_msat=AMOUNT),
    Code.JOB_STUCK: lambda: watched(Progress.DONE),
    Code.JOB_UNWANTED: lambda: watched(config=Config(paused=True)),
    Code.JOB_OVERCHARGED: lambda: watched(moved_msat=CHUNK, fee_msat=CHUNK),
    Code.JOB_LEAKS: lambda: watched(moved_msat=9 * CHUNK, fee_msat=1),
    Code.JOB_HANGS: lambda: watched(paying=(START - HANGS_S,)),
    Code.JOB_EXPIRED: lambda: watched(at=START - DEADLINE_S),
    Code.JOB_NO_ROUTE: lambda: watched(Progress.NO_ROUTE),
    Code.JOB_TOO_EXPENSIVE: lambda: watched(Progress.TOO_EXPENSIVE),
}
