"""Decide: the pipeline and nothing else."""

from revops.core.amend import amended
from revops.core.config import Config
from revops.core.fees.alpha import price
from revops.core.fees.gossip import Proposal, rationed
from revops.core.memory import ChannelMemory, Memory, recalled
from revops.core.plan import ChannelState, Decision, Plan
from revops.core.prepare import prepared
from revops.core.snapshot import Snapshot
from revops.core.units import DAY, ChannelId, Instant

FORGOTTEN_AFTER_S = 90 * DAY
"""How long a channel that is not listed any more is remembered."""


def decide(snapshot: Snapshot, config: Config) -> Plan:
    """
    Return what to do about every channel of *snapshot*, why, and what to remember.

    Pure: same arguments, same result, in whatever order the channels came.
    """
    memory = recalled(snapshot.memory, snapshot.now)
    if memory is not snapshot.memory:
        snapshot = amended(snapshot, memory=memory)
    ready = prepared(snapshot, config)
    proposals = rationed([price(view, ready.context) for view in ready.views], ready.context)
    memories = {memory.channel_id: memory for memory in snapshot.memory.channels}
    for proposal in proposals:
        channel_id = proposal.view.channel.channel_id
        known = memories.get(channel_id) or _never_seen(channel_id, snapshot.now)
        memories[channel_id] = amended(
            known,
            last_seen_at=snapshot.now,
            flow=ready.flows.get(channel_id),
            fee=proposal.quote.memory,
        )
    return Plan(
        at=snapshot.now,
        decisions=tuple(_decision(proposal) for proposal in proposals),
        states=tuple(_state(proposal) for proposal in proposals),
        node_trail=ready.trail,
        memory=Memory(
            since=snapshot.now if snapshot.memory.since is None else snapshot.memory.since,
            at=snapshot.now,
            vegas=ready.vegas,
            channels=tuple(
                memory
                for memory in memories.values()
                if snapshot.now - memory.last_seen_at <= FORGOTTEN_AFTER_S
            ),
        ),
    )


def _never_seen(channel_id: ChannelId, now: Instant) -> ChannelMemory:
    return ChannelMemory(channel_id=channel_id, first_seen_at=now, last_seen_at=now)


def _decision(proposal: Proposal) -> Decision:
    channel = proposal.view.channel
    return Decision(
        channel_id=channel.channel_id,
        scid=channel.scid,
        peer_id=channel.peer_id,
        action=proposal.action,
        trail=proposal.quote.trail,
    )


def _state(proposal: Proposal) -> ChannelState:
    channel = proposal.view.channel
    return ChannelState(
        channel_id=channel.channel_id,
        scid=channel.scid,
        peer_id=channel.peer_id,
        fee_ppm=channel.fee_ppm,
        capacity_msat=channel.capacity_msat,
        to_us_msat=channel.to_us_msat,
        congested=proposal.quote.memory.congested,
        flow=proposal.view.flow,
    )
