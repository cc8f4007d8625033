"""Core policy: the live core itself in the arena, looking at what it would see on a node."""

from collections import deque
from typing import Final

from revops.core.actions import SetFee
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import Memory
from revops.core.plan import Plan
from revops.core.snapshot import (
    NORMAL,
    Channel,
    FeerateSample,
    Node,
    Snapshot,
)
from revops.core.units import DAY, ChannelId, Instant, Msat, PeerId
from revops.simulate.arena.books import Books, scid_of
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
        self.memory = Memory()
        self._start = start
        self._books: Books | None = None
        self._feerates: deque[FeerateSample] = deque()
        self._began = 0

    def step(self, seen: Observation) -> Orders:
        """
        Return the fees that the core would set.
        """
        plan = self.plan(seen)
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

    def plan(self, seen: Observation) -> Plan:
        """
        Return what the core makes of what is *seen*.
        """
        if self._books is None:
            self._began = seen.now
            since = Instant(seen.now if self._start.is_new else seen.now - _OLD_S)
            self._books = Books(len(seen.capacity), since)
        self._books.add(seen.passed)
        self._feerates.append(FeerateSample(at=seen.now, perkw=seen.perkw))
        while self._feerates[0].at <= seen.now - _FEERATES_S:
            self._feerates.popleft()
        return self.decided(self._snapshot(seen, self._books))

    def decided(self, snapshot: Snapshot) -> Plan:
        """
        Return what the core makes of *snapshot*.
        """
        return decide(snapshot, self.config)

    def _snapshot(self, seen: Observation, books: Books) -> Snapshot:
        digested = [m.flow.hour if m.flow else 0 for m in self.memory.channels]
        digested = digested or [0] * len(seen.capacity)
        return Snapshot(
            now=seen.now,
            seed=self._start.seed,
            node=_NODE,
            channels=[
                self._channel(number, seen, books, hour) for number, hour in enumerate(digested)
            ],
            feerates=self._feerates,
            memory=self.memory,
        )

    def _channel(self, number: int, seen: Observation, books: Books, digested: int) -> Channel:
        age = 0 if self._start.is_new else _OLD_S
        return Channel(
            channel_id=ChannelId(f"{number:064x}"),
            scid=scid_of(number),
            peer_id=PeerId(f"02{number:064x}"),
            state=NORMAL,
            capacity_msat=seen.capacity[number],
            to_us_msat=seen.local[number],
            spendable_msat=seen.spendable[number],
            receivable_msat=seen.receivable[number],
            fee_ppm=seen.fee_ppm[number],
            base_fee_msat=Msat(0),
            htlc_max_msat=seen.htlc_max[number],
            opener="local" if self._start.local[number] else "remote",
            htlcs_out=seen.slots[number],
            max_htlcs=MAX_HTLCS,
            opened_at=Instant(self._began - age),
            market_ppm=seen.market_ppm[number],
            traffic=books.traffic(number, seen.now, digested, self.config.flow_window_days),
        )
