"""The physics of the arena: what settles, settles for good reason, and nothing gets lost."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from property.whims import Whim, short, tapes

from revops.core.units import DAY, Ppm
from revops.simulate.arena.market import STEP_S, STEPS_A_DAY
from revops.simulate.arena.payments import Kind
from revops.simulate.arena.play import (
    HIGHEST,
    LOWEST,
    UPDATES_A_DAY,
    Observation,
    Orders,
    Run,
    play,
)
from revops.simulate.arena.rivals.still import Static
from revops.simulate.arena.tape import Tape
from revops.simulate.arena.world import Passed, World

whims = st.integers(0, 10_000)


def played(tape: Tape, seed: int) -> tuple[Whim, Run]:
    whim = Whim(seed)
    return whim, play(tape, lambda _: whim)


@given(tapes, whims)
def test_no_millisatoshi_comes_from_nowhere(tape: Tape, seed: int) -> None:
    """
    Whatever a policy does, what is ours is what it was at first, plus fees, less refills.
    """
    _, run = played(tape, seed)
    ledger = run.world.ledger

    assert sum(run.world.local) - sum(tape.local) == ledger.income_msat - ledger.spent_msat
    assert all(0 <= ours <= most for ours, most in zip(run.world.local, tape.capacity, strict=True))


@given(tapes, st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_the_ledger_is_the_sum_of_what_was_listed(tape: Tape, prices: list[int]) -> None:
    """
    What the node listed, added up one by one, is what the ledger holds.
    """
    world, listed = World(tape), list[Passed]()
    while not world.over:
        world.charge(world.step % tape.channels, Ppm(prices[world.step % len(prices)]))
        listed += world.advance()
    ledger, earned, sent = world.ledger, Counter[int](), Counter[int]()
    for passed in listed:
        if passed.status == "settled":
            earned[passed.out] += passed.fee_msat
            sent[passed.into] += passed.amount_msat + passed.fee_msat

    assert ledger.earned == [earned[channel] for channel in range(tape.channels)]
    assert ledger.in_msat == [sent[channel] for channel in range(tape.channels)]
    assert sum(ledger.refused) == sum(passed.status == "local_failed" for passed in listed)
    assert sum(ledger.income_by_day.values()) == ledger.income_msat == sum(ledger.sourced)


@given(tapes, whims)
def test_who_settles_paid_no_more_than_it_would(tape: Tape, seed: int) -> None:
    """
    A forward paid a fee that was in force, of an amount that the channel had, and within what the
    payment would pay at all.
    """
    whim, _ = played(tape, seed)
    wanted = {(p.at, p.into, p.amount_msat): p for p in tape.payments}

    for seen, later in zip(whim.seen, whim.seen[1:], strict=False):
        orders = whim.orders[seen.step]
        for passed in later.passed:
            payment = wanted[passed.at, passed.into, passed.amount_msat]
            prices = {seen.fee_ppm[passed.out], orders.fees.get(passed.out, 0)}
            prices |= {later.fee_ppm[passed.out]}
            fees = {passed.amount_msat * ppm // 1_000_000 for ppm in prices}
            assert passed.fee_msat in fees
            assert passed.fee_msat <= passed.amount_msat * payment.reservation_ppm // 1_000_000
            assert passed.amount_msat <= tape.capacity[passed.out]
            assert (passed.status == "failed") <= (payment.kind is Kind.PROBE)


class Stubborn:
    """
    The same prices again at every look.
    """

    def step(self, seen: Observation) -> Orders:
        """
        Return all prices.
        """
        return Orders(dict.fromkeys(range(len(seen.capacity)), 150))


@given(tapes)
def test_equal_prices_meet_equal_luck(tape: Tape) -> None:
    """
    Two policies that charge the same get the same, however they come to it.
    """
    one, other = play(tape, lambda _: Static(150)), play(tape, lambda _: Stubborn())

    assert one.world.local == other.world.local
    assert one.world.ledger.earned == other.world.ledger.earned
    assert one.world.ledger.updates == other.world.ledger.updates


@given(tapes, whims)
def test_a_run_replays_bit_for_bit(tape: Tape, seed: int) -> None:
    """
    The same policy on the same tape sees and does the same again.
    """
    (one, first), (other, second) = played(tape, seed), played(tape, seed)

    assert one.seen == other.seen
    assert first.world.local == second.world.local
    assert (first.violations, first.held) == (second.violations, second.held)


@given(tapes, whims)
def test_only_what_moved_is_paid_for(tape: Tape, seed: int) -> None:
    """
    A refill costs what the market asks there and then, and nothing when it fails.
    """
    whim, run = played(tape, seed)

    for seen, later in zip(whim.seen, whim.seen[1:], strict=False):
        assert [result.refill for result in later.refilled] == list(whim.orders[seen.step].refills)
        for result in later.refilled:
            ppm = tape.refill_ppm[seen.step][result.refill.target]
            asked = result.refill.amount_msat * ppm // 1_000_000
            assert result.cost_msat == (asked if result.moved else 0)
            assert not result.moved or ppm <= result.refill.max_ppm
    assert bool(run.world.ledger.spent_msat) <= bool(sum(run.world.ledger.refills))


@given(tapes, whims)
def test_orders_are_kept_to_the_limits_of_all(tape: Tape, seed: int) -> None:
    """
    No price leaves the bounds, and no channel is updated more often than any may be.
    """
    whim, run = played(tape, seed)
    asked = [ppm for orders in whim.orders for ppm in orders.fees.values()]

    assert all(LOWEST <= ppm <= HIGHEST for seen in whim.seen for ppm in seen.fee_ppm)
    assert run.violations == sum(not LOWEST <= ppm <= HIGHEST for ppm in asked)
    assert max(run.world.ledger.updates.values(), default=0) <= 2 * UPDATES_A_DAY
    for channel in range(tape.channels):
        changes = [
            later.now
            for seen, later in zip(whim.seen, whim.seen[1:], strict=False)
            if seen.fee_ppm[channel] != later.fee_ppm[channel]
        ]
        for first, last in zip(changes, changes[UPDATES_A_DAY:], strict=False):
            assert last - first >= DAY


@given(st.integers(0, 5))
def test_a_policy_sees_no_more_than_a_node(seed: int) -> None:
    """
    An observation has what a node lists and gossip tells; nothing in it knows the market.
    """
    whim, _ = played(short("fee_war", seed), seed)
    seen = whim.seen[STEPS_A_DAY]

    assert not any(name in Observation._fields for name in ("market", "tape", "payments"))
    assert all(passed.at >= seen.now - STEP_S for passed in seen.passed)
    assert len(seen.market_ppm) == len(seen.capacity)
