"""Decide: the pipeline and nothing else."""

from revops.core.actions import Hold
from revops.core.config import Config
from revops.core.plan import Decision, Plan
from revops.core.reasons import Code, because
from revops.core.snapshot import Snapshot


def decide(snapshot: Snapshot, config: Config) -> Plan:  # noqa: ARG001
    """Placeholder while the stages are written."""
    return Plan(
        at=snapshot.now,
        decisions=tuple(
            Decision(
                channel_id=c.channel_id,
                scid=c.scid,
                peer_id=c.peer_id,
                action=Hold(),
                trail=(because(Code.UNCHANGED, c.fee_ppm, c.fee_ppm),),
            )
            for c in snapshot.channels
        ),
        states=(),
        node_trail=(),
        memory=snapshot.memory,
    )
