"""Observe: ask the node and the books, and return one Snapshot."""

import hashlib
from typing import Final

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.store import Store
from revops.core.config import Config
from revops.core.memory import Memory
from revops.core.snapshot import Channel, FeerateSample, Node, Refills, Snapshot, Traffic
from revops.core.units import DAY, ChannelId, Instant, Msat, PeerId
from revops.core.uptime import Watched
from revops.shell.clock import Clock
from revops.shell.forwards import Forwards
from revops.shell.ports import NodePort
from revops.shell.uptime import Uptime

_FEERATES_KEPT: Final = 7 * DAY
_NO_REFILL: Final = Refills(count=0, amount_msat=Msat(0), cost_msat=Msat(0))


@attrs.frozen(kw_only=True)
class Observed:
    """
    What was seen, and a sentence for each thing that could not be.
    """

    snapshot: Snapshot
    problems: tuple[str, ...]


class Observer:
    """
    Four questions to the node in a cycle: channels, feerates, forwards created, forwards updated.
    """

    def __init__(self, node: NodePort, store: Store, clock: Clock, forwards: Forwards) -> None:
        self._node = node
        self._store = store
        self._clock = clock
        self._info: Node | None = None
        self.forwards = forwards
        self.uptime = Uptime(store)
        self.blockheight: int | None = None

    def observe(self, memory: Memory, config: Config, *, wake: bool = False) -> Observed:
        """
        Return the node as it is now, with what *memory* kept of it; *wake* is the operator's wish.

        Raises:
            NodeRefusedError, NoAnswerError: The node did not tell who it is or what channels it
                has: nothing can be decided. Feerates or forwards that fail are missing evidence.
            StoreError: The books are another node's, or cannot be read or written.
        """
        now = self._clock.now()
        info = self._who()
        channels, problems = self._node.channels(now, info.blockheight)
        self._store.know_channels(channels, now)
        uptime = self.uptime.look(channels, now, config.fee_interval)
        problems += self._sample_feerate(now)
        traffic, silent = self._traffic(now, memory, config)
        refills = self._store.costs.refills(now)
        snapshot = Snapshot(
            now=now,
            seed=_seed(info, now),
            node=info,
            channels=tuple(
                _with_history(channel, traffic, uptime, refills) for channel in channels
            ),
            feerates=self._store.feerates(Instant(now - _FEERATES_KEPT)),
            policies=self._store.policies().policies,
            pins=self._store.pins(now),
            wake=wake,
            memory=memory,
        )
        return Observed(snapshot=snapshot, problems=problems + silent)

    def _who(self) -> Node:
        if self._info is None:
            info = self._node.info()
            self._store.upkeep.belong_to(info.node_id)
            self._info = info
        height = self.blockheight or self._info.blockheight
        return attrs.evolve(self._info, blockheight=height)

    def _sample_feerate(self, now: Instant) -> tuple[str, ...]:
        try:
            perkw = self._node.feerate()
        except (NodeRefusedError, NoAnswerError) as error:
            return (str(error),)
        if perkw is not None:
            self._store.add_feerate(FeerateSample(at=now, perkw=perkw))
        return ()

    def _traffic(
        self, now: Instant, memory: Memory, config: Config
    ) -> tuple[dict[ChannelId, Traffic], tuple[str, ...]]:
        try:
            complete = self.forwards.turn(now)
        except (NodeRefusedError, NoAnswerError) as error:
            return {}, (str(error),)
        # Books that stop short would read as quiet channels: unknown is not none.
        return self._store.traffic(now, config.flow_window_days, memory) if complete else {}, ()


def _with_history(
    channel: Channel,
    traffic: dict[ChannelId, Traffic],
    uptime: dict[PeerId, Watched],
    refills: dict[ChannelId, Refills] | None,
) -> Channel:
    watched = uptime.get(channel.peer_id)
    return attrs.evolve(
        channel,
        traffic=traffic.get(channel.channel_id),
        refills=None if refills is None else refills.get(channel.channel_id, _NO_REFILL),
        peer_uptime=watched.share() if watched else None,
    )


def _seed(node: Node, now: Instant) -> int:
    digest = hashlib.blake2b(f"{node.node_id}:{now}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big")
