"""Redact: a snapshot that may be shown to strangers still decides what it decided."""

import hashlib
from collections.abc import Iterable
from typing import TypeVar, cast

import attrs

from revops.core.snapshot import Channel, Snapshot
from revops.core.treasury import Attempt, Engine, Job, Treasury
from revops.core.units import ChannelId, PeerId

T = TypeVar("T")
Name = TypeVar("Name", ChannelId, PeerId)

_LEFT_OUT = "left out"
"""Instead of words: that there were some is known."""


def redacted(snapshot: Snapshot) -> Snapshot:
    """
    Return *snapshot* without names and words, and with hashes for ids, the same hash wherever an
    id stands. Channels keep their place in the chain.
    """
    treasury = snapshot.treasury
    return attrs.evolve(
        snapshot,
        node=attrs.evolve(snapshot.node, node_id=_hashed(snapshot.node.node_id), alias=""),
        channels=(_channel(channel) for channel in snapshot.channels),
        policies=(
            attrs.evolve(policy, peer_id=_hashed(policy.peer_id), tags=())
            for policy in snapshot.policies
        ),
        pins=_rehashed(snapshot.pins),
        treasury=_treasury(treasury) if treasury else None,
        memory=attrs.evolve(snapshot.memory, channels=_rehashed(snapshot.memory.channels)),
    )


def _channel(channel: Channel) -> Channel:
    return attrs.evolve(
        channel,
        channel_id=_hashed(channel.channel_id),
        peer_id=_hashed(channel.peer_id),
        alias=None,
    )


def _treasury(treasury: Treasury) -> Treasury:
    engine = treasury.engine
    return attrs.evolve(
        treasury,
        engine=_engine(engine) if engine else None,
        attempts=(_attempt(attempt) for attempt in treasury.attempts),
        reputations=(
            attrs.evolve(record, peer_id=_hashed(record.peer_id)) for record in treasury.reputations
        ),
        contested=map(_hashed, treasury.contested),
    )


def _engine(engine: Engine) -> Engine:
    jobs = None if engine.jobs is None else tuple(map(_job, engine.jobs))
    return attrs.evolve(engine, trouble=_words(engine.trouble), jobs=jobs)


def _job(job: Job) -> Job:
    return attrs.evolve(job, words=_words(job.words))


def _attempt(attempt: Attempt) -> Attempt:
    return attrs.evolve(
        attempt,
        to_channel=_hashed(attempt.to_channel),
        to_peer=_hashed(attempt.to_peer),
        from_channels=tuple(map(_hashed, attempt.from_channels)),
    )


def _rehashed(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(attrs.evolve(item, channel_id=_hashed(item.channel_id)) for item in items)  # type: ignore[attr-defined,misc]  # all of these have one


def _words(words: str) -> str:
    return _LEFT_OUT if words else ""


def _hashed(name: Name) -> Name:
    digest = hashlib.blake2b(name.encode(), digest_size=len(name) // 2)
    return cast(Name, digest.hexdigest())
