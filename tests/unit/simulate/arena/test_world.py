"""The physics, one rule at a time, on tapes written by hand."""

from typing import Any

import attrs
import numpy as np
import pytest
from unit.simulate.arena.looks import CAPACITY

from revops.core.units import Instant, Msat, Ppm
from revops.simulate.arena.market import STEP_S
from revops.simulate.arena.payments import ANY, START, Kind, Payment
from revops.simulate.arena.play import Start, play
from revops.simulate.arena.rivalry import Rivalry
from revops.simulate.arena.rivals.still import Static
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import Tape, tape_of
from revops.simulate.arena.world import Refill, World

PLAIN = tape_of(shortened(SCENARIOS["mixed_5"], 1), 0)
COUNT = PLAIN.channels
FLOOR = CAPACITY // 100
AMOUNT = Msat(10_000_000)


def pay(
    minute: float, out: int = 1, ppm: int = 5000, amount: int = AMOUNT, kind: Kind = Kind.ORDINARY
) -> Payment:
    return Payment(Instant(START + int(minute * 60)), 0, out, Msat(amount), Ppm(ppm), kind)


def tape(*payments: Payment, **fields: Any) -> Tape:
    """
    Return a tape with these payments alone; all channels have 5 M sat, half of it ours, and charge
    100 ppm.
    """
    times = np.array([payment.at for payment in payments], dtype=np.int64)
    first = np.searchsorted(times, START + np.arange(PLAIN.steps + 1) * STEP_S)
    plain = {
        "payments": payments,
        "first": tuple(first.tolist()),
        "capacity": (CAPACITY,) * COUNT,
        "local": (Msat(CAPACITY // 2),) * COUNT,
        "start_ppm": (Ppm(100),) * COUNT,
    }
    return attrs.evolve(PLAIN, **(plain | fields))


def at_half(channel: int, local: int) -> tuple[Msat, ...]:
    """
    Return half of every channel, but *local* of one.
    """
    return tuple(Msat(local if c == channel else CAPACITY // 2) for c in range(COUNT))


def test_a_payment_pays_what_is_charged() -> None:
    """
    10 000 sat at 100 ppm bring a sat; the amount leaves here and comes in there with the fee.
    """
    world = World(tape(pay(5)))
    (passed,) = world.advance()

    assert (passed.status, passed.fee_msat) == ("settled", 1000)
    assert world.local[0] == CAPACITY // 2 + AMOUNT + 1000
    assert world.local[1] == CAPACITY // 2 - AMOUNT


@pytest.mark.parametrize(("ppm", "comes"), [(99, 0), (100, 1)])
def test_nobody_pays_more_than_it_would(ppm: int, comes: int) -> None:
    """
    A payment comes if it would pay the fee or more; else the node never hears of it.
    """
    assert len(World(tape(pay(5, ppm=ppm))).advance()) == comes


def test_a_rise_holds_after_ten_minutes() -> None:
    """
    For ten minutes after a rise the old fee does.
    """
    world = World(tape(pay(9.9), pay(10)))
    world.charge(1, Ppm(200))

    assert [passed.fee_msat for passed in world.advance()] == [1000, 2000]


def test_a_cut_has_to_get_about() -> None:
    """
    A lower fee attracts nobody before the network has heard of it.
    """
    delay = [[240] * COUNT] * PLAIN.steps
    world = World(tape(pay(3.9, ppm=50), pay(4, ppm=50), delay_s=delay))
    world.charge(1, Ppm(50))

    assert [passed.at - START for passed in world.advance()] == [240]


def test_a_payment_needs_liquidity_beyond_the_reserve() -> None:
    """
    What cannot leave is refused and seen; a hundredth of the channel cannot be spent.
    """
    enough = World(tape(pay(5), local=at_half(1, FLOOR + AMOUNT)))
    short = World(tape(pay(5), local=at_half(1, FLOOR + AMOUNT - 1)))

    assert [passed.status for passed in enough.advance()] == ["settled"]
    assert [passed.status for passed in short.advance()] == ["local_failed"]
    assert short.ledger.refused[1] == 1
    assert short.local == list(short.tape.local)


def test_a_payment_needs_room_to_enter() -> None:
    """
    What cannot enter is never offered, so the node does not see it.
    """
    room = AMOUNT + 1000
    enough = World(tape(pay(5), local=at_half(0, CAPACITY - FLOOR - room)))
    full = World(tape(pay(5), local=at_half(0, CAPACITY - FLOOR - room + 1)))

    assert len(enough.advance()) == 1
    assert full.advance() == []


def test_a_payment_needs_slots() -> None:
    """
    Without a free slot on the way out it is refused, on the way in it is not offered.
    """
    busy = [[483 if channel == 1 else 0 for channel in range(COUNT)]] * PLAIN.steps
    world = World(tape(pay(5), pay(6)._replace(into=1, out=2), held_slots=busy))

    assert [passed.status for passed in world.advance()] == ["local_failed"]


def test_larger_payments_than_allowed_stay_away() -> None:
    """
    Nobody tries to send more than htlc_maximum_msat.
    """
    world = World(tape(pay(5), pay(6, amount=AMOUNT + 1)))
    world.charge(1, Ppm(100), htlc_max=AMOUNT)

    assert [passed.amount_msat for passed in world.advance()] == [AMOUNT]


def test_a_probe_fails_behind_us() -> None:
    """
    A probe is seen to fail, and moves nothing.
    """
    world = World(tape(pay(5, kind=Kind.PROBE)))

    assert [passed.status for passed in world.advance()] == ["failed"]
    assert world.ledger.income_msat == 0


def test_a_drain_leaves_by_the_cheapest_way() -> None:
    """
    Who only wants to empty a channel takes the cheapest that has enough.
    """
    prices = tuple(Ppm(10 * channel + 10) for channel in range(COUNT))
    drain = pay(5, out=ANY, kind=Kind.DRAIN)
    rich = World(tape(drain, start_ppm=prices))
    poor = World(tape(drain, start_ppm=prices, local=at_half(1, FLOOR)))

    assert [passed.out for passed in rich.advance()] == [1]
    assert [passed.out for passed in poor.advance()] == [2]


def refilling(ppm: int = 70, most: int = 2 * AMOUNT, **fields: Any) -> World:
    return World(
        tape(
            refill_ppm=[[Ppm(ppm)] * COUNT] * PLAIN.steps,
            refill_msat=[[Msat(most)] * COUNT] * PLAIN.steps,
            **fields,
        )
    )


def test_a_refill_moves_and_costs() -> None:
    """
    The source gives the amount and what the routes take.
    """
    world = refilling()
    result = world.refill(Refill(0, 1, AMOUNT, Ppm(70)))

    assert (result.moved, result.cost_msat) == (True, 700)
    assert world.local[:2] == [CAPACITY // 2 - AMOUNT - 700, CAPACITY // 2 + AMOUNT]
    assert world.ledger.spent_msat == 700
    world.advance()


@pytest.mark.parametrize(
    ("refill", "fields"),
    [
        (Refill(0, 1, AMOUNT, Ppm(69)), {}),
        (Refill(0, 1, Msat(2 * AMOUNT + 1), Ppm(70)), {}),
        (Refill(1, 1, AMOUNT, Ppm(70)), {}),
        (Refill(0, 1, Msat(0), Ppm(70)), {}),
        (Refill(0, 1, AMOUNT, Ppm(70)), {"local": at_half(0, FLOOR + AMOUNT + 699)}),
        (Refill(0, 1, AMOUNT, Ppm(70)), {"local": at_half(1, CAPACITY - FLOOR - AMOUNT + 1)}),
    ],
    ids=["dear", "deep", "circle", "nothing", "poor source", "full target"],
)
def test_a_refill_that_fails_costs_nothing(refill: Refill, fields: dict[str, Any]) -> None:
    """
    Too dear, too much, nowhere to go or nothing to take: nothing moves and nothing is paid.
    """
    world = refilling(**fields)

    assert not world.refill(refill).moved
    assert world.local == list(world.tape.local)
    assert world.ledger.spent_msat == 0


def test_the_market_for_a_channel_is_asked_once_a_step() -> None:
    """
    A second try in the same step meets nothing; the next step's market is another one.
    """
    world, refill = refilling(), Refill(0, 1, AMOUNT, Ppm(70))
    tries = [world.refill(refill).moved, world.refill(refill).moved]
    world.advance()

    assert [*tries, world.refill(refill).moved] == [True, False, True]


def test_a_rival_undercuts_and_comes_back() -> None:
    """
    Annoyed long enough by a price below one and a half times its own it asks a tenth less, so that
    payments are worth less to us; left alone it comes back.
    """
    anchors = (Ppm(100), *(None,) * (COUNT - 1))
    rivalry = Rivalry(tape(anchor_ppm=anchors, patience=[[12] * COUNT] * PLAIN.steps))
    worth = [rivalry.worth(0, Ppm(1000))]
    for step, charged in enumerate([80] * 13 + [200] * 40):
        rivalry.look(step, [Ppm(charged)])
        worth.append(rivalry.worth(0, Ppm(1000)))

    assert worth[:13] == [1000] * 13
    assert worth[13] == 720
    assert worth[-1] == 1000
    assert rivalry.worth(1, Ppm(1000)) == 1000


def test_a_step_that_loses_money_is_noticed() -> None:
    """
    The world holds its balances against its books each step, and stops when they differ.
    """
    world = World(tape(pay(5)))
    world.local[3] = Msat(world.local[3] - 1)

    with pytest.raises(AssertionError, match="step 1"):
        world.advance()


def test_every_run_has_a_policy_of_its_own() -> None:
    """
    A maker is asked once for each run, and told what a node knows at the beginning.
    """
    told: list[Start] = []

    def made(start: Start) -> Static:
        told.append(start)
        return Static(50)

    for _ in range(2):
        play(tape(), made)

    assert [start.capacity for start in told] == [(CAPACITY,) * COUNT] * 2
