"""Observe: ask the node and the books, and return one Snapshot."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.store import Store
from revops.core.config import Config
from revops.core.ledger import Looks
from revops.core.memory import Memory
from revops.core.snapshot import Channel, FeerateSample, HiveHint, Node, Refills, Snapshot, Traffic
from revops.core.units import DAY, ChannelId, Instant, Msat, PeerId
from revops.core.uptime import Watched
from revops.shell.clock import Clock
from revops.shell.days import LOOKS_KEPT
from revops.shell.forwards import Forwards
from revops.shell.ports import NodePort
from revops.shell.uptime import Uptime

Hints = Callable[[], Mapping[PeerId, HiveHint]]
"""What our hive says of the fees toward peers; nobody is asked for it."""
_FEERATES_KEPT: Final = 7 * DAY
_ENOUGH_LOOKS: Final = 24
"""As many as there are in a day: fewer say nothing."""
_NO_REFILL: Final = Refills(count=0, amount_msat=Msat(0), cost_msat=Msat(0))


@attrs.frozen(kw_only=True)
class Observed:
    """
    What was seen, and a sentence for each thing that could not be.
    """

    snapshot: Snapshot
    problems: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Listed:
    """
    What the node itself told, and a sentence for each thing that cannot be read.
    """

    now: Instant
    node: Node
    channels: tuple[Channel, ...]
    problems: tuple[str, ...]


class Observer:
    """
    Four questions to the node in a cycle: channels, feerates, forwards created, forwards updated.
    """

    def __init__(
        self, node: NodePort, store: Store, clock: Clock, forwards: Forwards, hints: Hints
    ) -> None:
        self._node = node
        self._hints = hints
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
        listed = self.listed()
        uptime = self.uptime.look(listed.channels, listed.now, config.fee_interval)
        silent = self._sample_feerate(listed.now)
        traffic, uncounted = self._traffic(listed.now, memory, config)
        snapshot = self.snapshot(listed, memory, traffic, uptime)
        return Observed(
            snapshot=attrs.evolve(snapshot, wake=wake),
            problems=listed.problems + silent + uncounted,
        )

    def who(self) -> Node:
        """
        Return whose node it is, asked once.

        Raises:
            NodeRefusedError, NoAnswerError: It did not tell.
            StoreError: The books are another node's.
        """
        if self._info is None:
            info = self._node.info()
            self._store.upkeep.belong_to(info.node_id)
            self._info = info
        height = self.blockheight or self._info.blockheight
        return attrs.evolve(self._info, blockheight=height)

    def listed(self) -> Listed:
        """
        Return what the node tells of its channels now.

        Raises:
            NodeRefusedError, NoAnswerError, StoreError: As in `observe`.
        """
        now = self._clock.now()
        node = self.who()
        channels, problems = self._node.channels(now, node.blockheight)
        self._store.know_channels(channels, now)
        return Listed(now=now, node=node, channels=channels, problems=problems)

    def snapshot(
        self,
        listed: Listed,
        memory: Memory,
        traffic: Mapping[ChannelId, Traffic],
        uptime: Mapping[PeerId, Watched],
    ) -> Snapshot:
        """
        Return what is *listed*, with what the books know of it.
        """
        now, store = listed.now, self._store
        refills = store.costs.refills(now)
        looks = store.reports.looks(now // DAY - LOOKS_KEPT + 1)
        hints = self._hints()

        def with_history(channel: Channel) -> Channel:
            own, watched = channel.channel_id, uptime.get(channel.peer_id)
            return attrs.evolve(
                channel,
                traffic=traffic.get(own),
                refills=None if refills is None else refills.get(own, _NO_REFILL),
                peer_uptime=watched.share() if watched else None,
                live_share=_live_share(looks.get(own)),
                hive_hint=hints.get(channel.peer_id),
            )

        return Snapshot(
            now=now,
            seed=_seed(listed.node, now),
            node=listed.node,
            channels=tuple(map(with_history, listed.channels)),
            feerates=store.feerates(Instant(now - _FEERATES_KEPT)),
            policies=store.policies().policies,
            pins=store.pins(now),
            memory=memory,
        )

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


def _live_share(looks: Looks | None) -> float | None:
    return looks.live / looks.count if looks and looks.count >= _ENOUGH_LOOKS else None


def _seed(node: Node, now: Instant) -> int:
    digest = hashlib.blake2b(f"{node.node_id}:{now}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big")
