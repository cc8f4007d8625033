"""The live core in the arena: it sees what a node would show it, and does what it decides."""

from typing import TypeVar

import attrs

from revops.core.config import Config
from revops.core.decide import decide
from revops.core.plan import Plan
from revops.core.snapshot import Snapshot
from revops.core.units import DAY
from revops.simulate.arena.books import scid_of
from revops.simulate.arena.core_policy import CorePolicy
from revops.simulate.arena.play import Observation, Orders, Run, Start, play
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import tape_of

Record = TypeVar("Record", bound=attrs.AttrsInstance)

TAPE = tape_of(shortened(SCENARIOS["mixed_20"], 10), 0)


class Watched(CorePolicy):
    """
    The core's policy, which keeps what it showed the core and what came of it.
    """

    def __init__(self, config: Config, start: Start) -> None:
        super().__init__(config, start)
        self.snapshots: list[Snapshot] = []
        self.looks: list[Observation] = []
        self.orders: list[Orders] = []

    def step(self, seen: Observation) -> Orders:
        """
        Return the core's orders.
        """
        self.looks.append(seen)
        self.orders.append(super().step(seen))
        return self.orders[-1]

    def decided(self, snapshot: Snapshot) -> Plan:
        """
        Return the core's plan.
        """
        self.snapshots.append(snapshot)
        return super().decided(snapshot)


def watched(config: Config | None = None) -> tuple[Watched, Run]:
    policies: list[Watched] = []

    def made(start: Start) -> Watched:
        policies.append(Watched(config or Config(), start))
        return policies[-1]

    run = play(TAPE, made)
    return policies[0], run


POLICY, RUN = watched()


def test_the_core_sees_every_forward_once() -> None:
    """
    What the books tell the core adds up to what the node listed until then.
    """
    last = POLICY.snapshots[-1]
    for number, channel in enumerate(last.channels):
        left = [
            passed
            for seen in POLICY.looks
            for passed in seen.passed
            if passed.out == number and passed.status == "settled"
        ]
        window = [passed for passed in left if passed.at // DAY >= last.now // DAY - 7]
        traffic = channel.traffic
        assert traffic is not None
        assert traffic.out_count == len(left)
        assert sum(day.out_msat for day in traffic.days) == sum(p.amount_msat for p in window)
        assert sum(day.earned_msat for day in traffic.days) == sum(p.fee_msat for p in window)
        assert traffic.last_out_at == max((passed.at for passed in left), default=None)


def test_the_core_sees_the_node_as_it_is() -> None:
    """
    Balances and fees in a snapshot are those of the look it was made from.
    """
    for snapshot, seen in zip(POLICY.snapshots, POLICY.looks, strict=True):
        assert snapshot.now == seen.now
        assert [channel.scid for channel in snapshot.channels] == [scid_of(n) for n in range(12)]
        assert tuple(channel.to_us_msat for channel in snapshot.channels) == seen.local
        assert tuple(channel.fee_ppm for channel in snapshot.channels) == seen.fee_ppm


def test_the_core_sees_what_the_checks_let_pass() -> None:
    """
    Neither a snapshot nor a memory holds what a reader of it would refuse or put in order.
    """
    for snapshot in POLICY.snapshots:
        channels = [_checked(channel) for channel in snapshot.channels]
        memories = [_checked(memory) for memory in snapshot.memory.channels]
        memory = attrs.evolve(snapshot.memory, channels=memories)
        assert attrs.evolve(snapshot, channels=channels, memory=memory) == snapshot


def _checked(record: Record) -> Record:
    """
    Return *record* made anew with all that is in it, converted and checked.
    """
    parts = {
        field.name: _checked(value)
        for field in attrs.fields(type(record))
        if attrs.has(type(value := getattr(record, field.name)))
    }
    return attrs.evolve(record, **parts)


def test_the_core_decides_in_the_arena_as_it_does_live() -> None:
    """
    Each plan is what `decide` makes of the snapshot; the next one begins with its memory.
    """
    for snapshot, later in zip(POLICY.snapshots[:60], POLICY.snapshots[1:], strict=False):
        assert later.memory == decide(snapshot, Config()).memory


def test_what_the_core_orders_is_done() -> None:
    """
    The core keeps to its own limits, which are no wider than those of the arena.
    """
    assert (RUN.held, RUN.violations) == (0, 0)
    for orders, later in zip(POLICY.orders, POLICY.looks[1:], strict=False):
        for channel, ppm in orders.fees.items():
            assert later.fee_ppm[channel] == ppm


def test_options_matter() -> None:
    """
    Another Config plays another game.
    """
    policy, _ = watched(Config(min_fee_ppm=400, max_fee_ppm=400))

    assert policy.looks[-1].fee_ppm == (400,) * 12
