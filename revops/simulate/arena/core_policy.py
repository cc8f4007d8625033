"""Core policy: the live core itself in the arena, looking at what it would see on a node."""

from collections import deque
from typing import Final

from revops.core.actions import SetFee
from revops.core.amend import amended
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.plan import Plan
from revops.core.snapshot import (
    NORMAL,
    Channel,
    FeerateSample,
    Node,
    Snapshot,
    Traffic,
)
from revops.core.units import DAY, ChannelId, Instant, Msat, PeerId, Ppm
from revops.simulate.arena.books import Books, scid_of
from revops.simulate.arena.payments import START
from revops.simulate.arena.play import Observation, Orders, Start
from revops.simulate.arena.world import MAX_HTLCS

_OLD_S: Final = 1000 * DAY
_FEERATES_S: Final = 7 * DAY
_NODE: Final = Node(node_id=PeerId("02" + "f" * 64))


class CorePolicy:
    """
    `decide` on snapshots made from what is observed, with its memory carried.
    """

    def __init__(self, config: Config, start: Start) -> None:
        self.config = config
        self._origin = start.origin or _invented(start)
        self.memory = self._origin.memory
        self._books = Books(len(start.capacity), self._origin.now)
        for number, channel in enumerate(self._origin.channels):
            if channel.traffic is not None:
                self._books.go_on(number, channel.traffic)
        self._feerates = deque(self._origin.feerates)
        self._due = Instant(0)

    def step(self, seen: Observation) -> Orders:
        """
        Return the fees that the core would set.
        """
        self._note(seen)
        if seen.now < self._due:
            return Orders({})
        self._due = Instant(seen.now + self.config.fee_interval)
        plan = self.decided(self._snapshot(seen))
        self.memory = plan.memory
        fees = {}
        limits = {}
        for channel, decision in enumerate(plan.decisions):
            action = decision.action
            if isinstance(action, SetFee):
                fees[channel] = action.new_ppm
                if action.htlc_max_msat is not None:
                    limits[channel] = action.htlc_max_msat
        return Orders(fees, htlc_max=limits)

    def _note(self, seen: Observation) -> None:
        self._books.add(seen.passed)
        self._feerates.append(FeerateSample(at=seen.now, perkw=seen.perkw))
        while self._feerates[0].at <= seen.now - _FEERATES_S:
            self._feerates.popleft()

    def decided(self, snapshot: Snapshot) -> Plan:
        """
        Return what the core makes of *snapshot*.
        """
        return decide(snapshot, self.config)

    def _snapshot(self, seen: Observation) -> Snapshot:
        digested = {m.channel_id: m.flow.hour for m in self.memory.channels if m.flow}
        return amended(
            self._origin,
            now=seen.now,
            channels=tuple(
                self._channel(number, seen, digested.get(before.channel_id, 0))
                for number, before in enumerate(self._origin.channels)
            ),
            feerates=tuple(self._feerates),
            memory=self.memory,
        )

    def _channel(self, number: int, seen: Observation, digested: int) -> Channel:
        """
        Return a channel as it is seen; of what nobody sees, it is as it was before.
        """
        before = self._origin.channels[number]
        return amended(
            before,
            to_us_msat=seen.local[number],
            spendable_msat=seen.spendable[number],
            receivable_msat=seen.receivable[number],
            fee_ppm=seen.fee_ppm[number],
            htlc_max_msat=seen.htlc_max[number],
            htlcs_out=seen.slots[number],
            market_ppm=seen.market_ppm[number],
            traffic=self._books.traffic(number, seen.now, digested, self.config.flow_window_days),
        )


def _invented(start: Start) -> Snapshot:
    """
    Return a node without a past, or with one of which nothing is known but that it was long.
    """
    age = 0 if start.is_new else _OLD_S
    return Snapshot(
        now=START,
        seed=start.seed,
        node=_NODE,
        channels=[
            Channel(
                channel_id=ChannelId(f"{number:064x}"),
                scid=scid_of(number),
                peer_id=PeerId(f"02{number:064x}"),
                state=NORMAL,
                capacity_msat=capacity,
                to_us_msat=ours,
                spendable_msat=ours,
                receivable_msat=Msat(capacity - ours),
                fee_ppm=Ppm(0),
                base_fee_msat=Msat(0),
                opener="local" if ours else "remote",
                max_htlcs=MAX_HTLCS,
                opened_at=Instant(START - age),
                traffic=Traffic(since=Instant(START - age), until=START),
            )
            for number, (capacity, ours) in enumerate(zip(start.capacity, start.local, strict=True))
        ],
    )
