"""What knows the tape is not beaten by what does not."""

from functools import cache

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from property.whims import short, tapes

from revops.core.units import Msat, Ppm
from revops.simulate.arena.fluid import Bound, fluid
from revops.simulate.arena.laws import Logit
from revops.simulate.arena.onechannel import Single
from revops.simulate.arena.scenarios import SCENARIOS
from revops.simulate.arena.static import Replay, Vector, best_static
from revops.simulate.arena.tape import Tape, tape_of
from revops.simulate.arena.world import World
from revops.simulate.arena.worth import Worth, worth_of

GOALS = ("balanced_20", "mixed_20", "mixed_5")
prices = st.integers(1, 5000)
singles = st.builds(
    Single,
    law=st.builds(Logit, st.floats(5, 1000), st.floats(1.2, 6)),
    lots=st.integers(2, 40),
    per_day=st.floats(0.5, 50),
    refilled=st.floats(0.1, 20),
    prices=st.just(np.geomspace(1, 5000, 60)),
)


@cache
def known(name: str) -> tuple[Tape, Bound, Vector]:
    tape = tape_of(SCENARIOS[name], 3)
    bound = fluid(tape)
    return tape, bound, best_static(tape, starts=[bound.base_ppm])


@pytest.mark.parametrize("name", GOALS)
def test_the_fluid_bound_is_above_the_best_static_prices(name: str) -> None:
    """
    What divisible payments and mixed prices would earn is more than any fixed prices do.
    """
    _, bound, vector = known(name)

    assert bound.net_msat > vector.net_msat > 0


@given(st.sampled_from(GOALS), st.lists(prices, min_size=12, max_size=12))
def test_no_static_prices_beat_the_best(name: str, others: list[int]) -> None:
    """
    Prices at random do not earn what those do that were searched for with the tape in hand.
    """
    tape, _, vector = known(name)

    assert Replay(tape).net_msat([Ppm(ppm) for ppm in others]) <= vector.net_msat


@given(tapes, st.lists(prices, min_size=12, max_size=12))
def test_a_quick_replay_is_the_world(tape: Tape, charged: list[int]) -> None:
    """
    The static oracle's short cut comes to what the world itself comes to.
    """
    ppm = tuple(map(Ppm, charged))
    world = World(attrs.evolve(tape, start_ppm=ppm))
    while not world.over:
        world.advance()
    worth = worth_of(tape)
    left = worth.change(tape.local, world.local)

    assert Replay(tape).net_msat(ppm) == world.ledger.income_msat
    assert Replay(tape, worth).net_msat(ppm) == world.ledger.income_msat + left


@given(st.sampled_from(("mixed_20", "seasonal", "cold_start")), st.integers(0, 3))
@settings(max_examples=10)
def test_a_market_for_refills_only_helps(name: str, seed: int) -> None:
    """
    With refills for sale the bound is not lower, and not lower either when what is left counts.
    """
    tape = short(name, seed)
    worth = worth_of(tape)

    assert fluid(tape, refills=True).net_msat >= fluid(tape).net_msat - 1
    assert fluid(tape, worth, refills=True).net_msat >= fluid(tape, worth).net_msat - 1


@given(tapes, st.integers(0, 11), st.integers(0, 10**12), st.integers(0, 10**12))
def test_more_on_our_side_is_worth_more(tape: Tape, channel: int, one: int, other: int) -> None:
    """
    What is left is worth more the more it is, and nothing when it cannot be spent.
    """
    worth: Worth = worth_of(tape)
    less, more = sorted((one, other))

    assert 0 <= worth.of(channel, Msat(less)) <= worth.of(channel, Msat(more))
    assert worth.of(channel, tape.floors[channel]) == 0


@given(singles)
def test_a_price_for_each_balance_is_not_worse_than_one_for_all(single: Single) -> None:
    """
    For one channel, the exact optimum earns no less than the best fixed price.
    """
    best, _ = single.best()
    static, _ = single.static()

    assert best >= static * (1 - 1e-9)


@given(singles)
def test_the_last_lots_are_the_dearest(single: Single) -> None:
    """
    For one channel, the less there is on our side, the more it charges.
    """
    _, charged = single.best()

    assert (np.diff(charged) <= 0).all()


@given(singles)
def test_a_lot_is_worth_less_the_more_there_are(single: Single) -> None:
    """
    Under the best prices another lot is worth less than the one before, and never below nothing.
    """
    _, charged = single.best()
    worth = single.marginal(charged)

    assert (np.diff(worth) <= 1e-6 * worth[0]).all()
    assert (worth >= -1e-6 * worth[0]).all()
