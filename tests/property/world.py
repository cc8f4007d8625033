"""World: a node in memory that does what a Plan says - or does not - and remembers what passed."""

from collections.abc import Callable
from typing import Any

import attrs

from revops.core.actions import SetFee
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import ChannelMemory, FeeMemory, FlowMemory, Memory, Price, VegasMemory
from revops.core.plan import Decision, FlowView, Plan
from revops.core.policy import Policy
from revops.core.snapshot import (
    NORMAL,
    Channel,
    FeePin,
    FeerateSample,
    Node,
    Slice,
    Snapshot,
    Traffic,
)
from revops.core.tally import by_day, merged, size_of
from revops.core.units import DAY, HOUR, from_sats

START = 1_750_000_000
"""When a World begins: some summer, at 15:06:40."""


HOUR_NOW = START // HOUR
CLIMBING = {"fee_optimizer": "hill-climb", "balance_factor": 1.0}
"""Options under which a price is what the climber says, and nothing else."""


def peer(number: int) -> str:
    """
    Return the public key of a peer.
    """
    return f"02{number:064x}"


def quiet_channel(number: int = 0, **fields: Any) -> Channel:
    """
    Return an open channel of 5 M sat, half of it ours, at 500 ppm for years.
    """
    capacity = fields.pop("capacity_msat", from_sats(5_000_000))
    plain = {
        "channel_id": f"{number:064x}",
        "scid": f"700000x{number}x0",
        "peer_id": peer(number),
        "state": NORMAL,
        "to_us_msat": capacity // 2,
        "spendable_msat": capacity // 2,
        "receivable_msat": capacity // 2,
        "fee_ppm": 500,
        "base_fee_msat": 0,
        "opened_at": START - 1000 * DAY,
    }
    return Channel(capacity_msat=capacity, **(plain | fields))


def looked(
    channel: Channel,
    config: Config | None = None,
    now: int = START,
    *,
    flow: FlowMemory | None = None,
    fee: FeeMemory | None = None,
    vegas: VegasMemory | None = None,
    **fields: Any,
) -> Plan:
    """
    Return the plan for a node with one channel, of which this *flow* and *fee* are remembered.
    """
    known = ChannelMemory(
        channel_id=channel.channel_id,
        first_seen_at=min(now, channel.opened_at or 0),
        last_seen_at=0,
        flow=flow,
        fee=fee or FeeMemory(),
    )
    memory = Memory(since=0, at=0, vegas=vegas or VegasMemory(), channels=[known])
    snapshot = Snapshot(
        now=now, node=Node(node_id=peer(2**200)), channels=[channel], memory=memory, **fields
    )
    return decide(snapshot, config or Config())


def look(
    channel: Channel,
    memory: FlowMemory | None = None,
    now: int = START,
    config: Config | None = None,
) -> tuple[FlowView | None, FlowMemory | None]:
    """
    Return the view and the memory of one channel's flow after one cycle.
    """
    plan = looked(channel, config, now, flow=memory)
    return plan.states[0].flow, plan.memory.channels[0].flow


def decided(channel: Channel, config: Config | None = None, **fields: Any) -> Decision:
    """
    Return what is decided about the only channel of a node; *fields* as `looked` takes them.
    """
    (decision,) = looked(channel, config, **fields).decisions
    return decision


def forwarded(hour: int, count: int, amount: int) -> Slice:
    """
    Return what *count* forwards of *amount* out of a channel come to in the books.
    """
    size = size_of(amount)
    return Slice(
        start=hour,
        out_count=count,
        out_msat=count * amount,
        size_sum=count * size,
        size_squares=count * size * size,
    )


def yes(_action: SetFee) -> bool:
    """
    Do what is asked.
    """
    return True


@attrs.define
class World:
    """
    A node, its books and what revops remembers.

    Attributes:
        channels: As the node has them, by channel id.
        hidden: Channels that the node does not list for now.
        orders: What the operator ordered by a command, by channel id.
        wake: The operator asked to wake whoever rests.
        set_at: When each update came into force, by channel id, with whether it was urgent.
    """

    channels: dict[str, Channel] = attrs.field(
        converter=lambda found: {channel.channel_id: channel for channel in found}
    )
    config: Config = attrs.field(factory=Config)
    policies: tuple[Policy, ...] = ()
    feerates: tuple[FeerateSample, ...] = ()
    memory: Memory = attrs.field(factory=Memory)
    now: int = START
    since: int = START - 100 * DAY
    hidden: set[str] = attrs.field(factory=set)
    orders: dict[str, FeePin] = attrs.field(factory=dict)
    wake: bool = False
    books: dict[str, dict[int, Slice]] = attrs.field(factory=dict)
    last_in: dict[str, int] = attrs.field(factory=dict)
    last_out: dict[str, int] = attrs.field(factory=dict)
    set_at: dict[str, list[tuple[int, bool]]] = attrs.field(factory=dict)

    def cycle(self, does: Callable[[SetFee], bool] = yes) -> Plan:
        """
        Observe, decide, remember, and set the fees that *does* agrees to.
        """
        plan = decide(self.snapshot(), self.config)
        self.memory = plan.memory
        self.wake = False
        self.orders = {
            channel_id: order
            for channel_id, order in self.orders.items()
            if order.until >= self.now or channel_id in self.hidden
        }
        for decision in plan.decisions:
            if isinstance(decision.action, SetFee) and does(decision.action):
                self._set(decision.action)
        return plan

    def price(self, does: Callable[[SetFee], bool] = yes) -> Decision:
        """
        Run a cycle of the only channel, and return what was decided about it.
        """
        (decision,) = self.cycle(does).decisions
        return decision

    def _set(self, action: SetFee) -> None:
        urgent_at = self.set_at.setdefault(action.channel_id, [])
        urgent_at.append((self.now, action.urgent))
        self.change(
            action.channel_id,
            fee_ppm=action.new_ppm,
            base_fee_msat=action.new_base_msat,
            **({} if action.htlc_max_msat is None else {"htlc_max_msat": action.htlc_max_msat}),
        )

    def change(self, channel_id: str, **fields: Any) -> None:
        """
        Make something else of a channel: what a human, the peer or a payment did to it.
        """
        self.channels[channel_id] = attrs.evolve(self.channels[channel_id], **fields)

    def order(self, channel_id: str, ppm: int, hours: int = 24, *, done: bool = True) -> None:
        """
        Let the operator order a fee, which the node sets unless it does not get to it.
        """
        base = self.channels[channel_id].base_fee_msat
        self.orders[channel_id] = FeePin(
            channel_id=channel_id,
            price=Price(fee_ppm=ppm, base_fee_msat=base),
            set_at=self.now,
            until=self.now + hours * HOUR,
        )
        if done:
            self.change(channel_id, fee_ppm=ppm)

    def wait(self, seconds: int) -> None:
        """
        Let time pass.
        """
        self.now += seconds

    def forward(self, channel_id: str, count: int = 1, amount: int = 50_000_000) -> None:
        """
        Let *count* payments leave by a channel, now.
        """
        hour = self.now // HOUR
        self._book(channel_id, forwarded(hour, count, amount))
        self.last_out[channel_id] = self.now

    def receive(self, channel_id: str, count: int = 1, amount: int = 50_000_000) -> None:
        """
        Let *count* payments enter by a channel, now.
        """
        hour = self.now // HOUR
        self._book(channel_id, Slice(start=hour, in_count=count, in_msat=count * amount))
        self.last_in[channel_id] = self.now

    def _book(self, channel_id: str, part: Slice) -> None:
        hours = self.books.setdefault(channel_id, {})
        hours[part.start] = merged([part, *filter(None, [hours.get(part.start)])], part.start)

    def snapshot(self) -> Snapshot:
        """
        Return what the node and the books say now.
        """
        listed = [
            attrs.evolve(channel, traffic=self._traffic(channel.channel_id))
            for channel in self.channels.values()
            if channel.channel_id not in self.hidden
        ]
        return Snapshot(
            now=self.now,
            node=Node(node_id=peer(2**200)),
            channels=listed,
            feerates=self.feerates,
            policies=self.policies,
            pins=self.orders.values(),
            wake=self.wake,
            memory=self.memory,
        )

    def _traffic(self, channel_id: str) -> Traffic:
        window = (self.now - self.config.flow_window_days * DAY) // DAY
        hours = self.books.get(channel_id, {})
        flow = next((m.flow for m in self.memory.channels if m.channel_id == channel_id), None)
        digested = flow.hour if flow else window * 24 - 1
        return Traffic(
            since=self.since,
            until=self.now,
            out_count=sum(part.out_count for part in hours.values()),
            last_in_at=self.last_in.get(channel_id),
            last_out_at=self.last_out.get(channel_id),
            hours=[p for p in hours.values() if digested < p.start < self.now // HOUR],
            days=by_day(part for part in hours.values() if part.start // 24 >= window),
        )
