"""Play: one policy in one tape, once, with the world's own books of what it earned and spent."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

import attrs

from revops.core.snapshot import Snapshot
from revops.core.units import DAY, Instant, Msat, Ppm
from revops.simulate.arena.market import STEPS_A_DAY
from revops.simulate.arena.tape import Tape
from revops.simulate.arena.world import Passed, Refill, Refilled, World

LOWEST: Final = Ppm(0)
HIGHEST: Final = Ppm(5000)
"""What no policy may charge less or more than."""
UPDATES_A_DAY: Final = 6
"""How often a channel may be updated in 24 hours: `max-fee-updates-per-day` and its reserve."""


class Observation(NamedTuple):
    """
    What a node knows of itself and of the network.

    Attributes:
        fee_ppm: What it charges, set though perhaps not yet heard of.
        passed: Forwards since the last look.
        refilled: What became of the refills that were asked for then.
        market_ppm: What gossip says others charge toward each peer; `None` for nothing.
        peer_ppm: What each peer charges toward us.
        slots: HTLC slots in use of `MAX_HTLCS`.
        perkw: What the chain charges.
    """

    now: Instant
    step: int
    capacity: tuple[Msat, ...]
    local: tuple[Msat, ...]
    spendable: tuple[Msat, ...]
    receivable: tuple[Msat, ...]
    fee_ppm: tuple[Ppm, ...]
    htlc_max: tuple[Msat, ...]
    passed: tuple[Passed, ...]
    refilled: tuple[Refilled, ...]
    market_ppm: tuple[Ppm | None, ...]
    peer_ppm: tuple[Ppm, ...]
    slots: tuple[int, ...]
    perkw: int


class Orders(NamedTuple):
    """
    What a policy wants done.

    Attributes:
        fees: By channel.
        refills: In their order.
        htlc_max: Set together with the fee; by channel.
    """

    fees: Mapping[int, Ppm]
    refills: tuple[Refill, ...] = ()
    htlc_max: Mapping[int, Msat] = {}


class Policy(Protocol):
    """
    A way to run a node: fresh for each run, it may remember what it saw.
    """

    def step(self, seen: Observation) -> Orders:
        """
        Return what is to be done now.
        """


class Start(NamedTuple):
    """
    What a policy may know before it begins.

    Attributes:
        is_new: The channels were opened just now.
        origin: The node as it was before, with its past; `None` for one that has none.
    """

    seed: int
    capacity: tuple[Msat, ...]
    local: tuple[Msat, ...]
    is_new: bool
    origin: Snapshot | None = None


Maker = Callable[[Start], Policy]
"""Makes a policy for one run."""


@attrs.frozen(eq=False)
class Run:
    """
    What became of one policy in one tape.

    Attributes:
        local: What was on our side of each channel at the end.
        violations: Fees out of bounds, which were not set.
        held: Updates over the limit, which were not made.
    """

    world: World
    violations: int
    held: int

    @property
    def net_msat(self) -> Msat:
        """
        Return what was earned less what was spent, in this very run.
        """
        ledger = self.world.ledger
        return Msat(ledger.income_msat - ledger.spent_msat)


def observed(world: World, passed: list[Passed], refilled: list[Refilled]) -> Observation:
    """
    Return what a node knows now, that *passed* payments and *refilled* channels since it looked.
    """
    tape = world.tape
    channels = range(tape.channels)
    return Observation(
        now=world.now,
        step=world.step,
        capacity=tape.capacity,
        local=tuple(world.local),
        spendable=tuple(map(world.spendable, channels)),
        receivable=tuple(map(world.receivable, channels)),
        fee_ppm=tuple(world.fee_ppm),
        htlc_max=tuple(world.htlc_max),
        passed=tuple(passed),
        refilled=tuple(refilled),
        market_ppm=tape.market_ppm[world.step // STEPS_A_DAY],
        peer_ppm=tape.peer_ppm,
        slots=tuple(tape.held_slots[world.step]),
        perkw=tape.perkw[world.step],
    )


@attrs.define(eq=False)
class _Table:
    """
    Where a policy sits: its orders are kept to the limits of all.
    """

    world: World
    updates: dict[int, deque[int]] = attrs.field(factory=dict)
    violations: int = 0
    held: int = 0

    def charge(self, orders: Orders) -> None:
        """
        Set the fees that were ordered, as far as that is allowed.
        """
        world = self.world
        for channel, ppm in sorted(orders.fees.items()):
            htlc_max = orders.htlc_max.get(channel)
            if not LOWEST <= ppm <= HIGHEST:
                self.violations += 1
            elif (ppm, htlc_max or world.htlc_max[channel]) == (
                world.fee_ppm[channel],
                world.htlc_max[channel],
            ):
                continue
            elif self._spent(channel):
                self.held += 1
            else:
                world.charge(channel, ppm, htlc_max)

    def _spent(self, channel: int) -> bool:
        made = self.updates.setdefault(channel, deque(maxlen=UPDATES_A_DAY))
        if len(made) == UPDATES_A_DAY and self.world.now - made[0] < DAY:
            return True
        made.append(self.world.now)
        return False


def play(tape: Tape, maker: Maker) -> Run:
    """
    Return what a policy, made for this run alone, makes of *tape*.
    """
    world = World(tape)
    table = _Table(world)
    start = Start(tape.seed, tape.capacity, tape.local, tape.scenario.is_new)
    policy = maker(start)
    passed: list[Passed] = []
    refilled: list[Refilled] = []
    moved = 0
    while not world.over:
        orders = policy.step(observed(world, passed, refilled))
        table.charge(orders)
        refilled = [world.refill(refill) for refill in orders.refills]
        moved += sum(result.moved for result in refilled)
        passed = world.advance()
    # What was spent is read from the run in which the refills were made.
    assert moved == sum(world.ledger.refills)  # noqa: S101 -- the harness checks itself
    assert moved or not world.ledger.spent_msat  # noqa: S101 -- see above
    return Run(world, table.violations, table.held)
