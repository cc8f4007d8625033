"""Decisions §10: a backtest of any past is finite, the same each time, and loses nothing of it."""

import json
import math
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from revops.core.config import Config
from revops.core.units import DAY, Instant, Msat, Ppm, Scid, fee_msat
from revops.simulate.backtest.backtest import AS_IT_WAS, AS_SET, Backtest, backtest
from revops.simulate.backtest.balances import balances
from revops.simulate.backtest.history import Forwarded, History, Place, the_outside
from revops.simulate.backtest.pages import backtest_json
from revops.simulate.workers import alone

SINCE = Instant(20_300 * DAY)
DAYS = 2


@st.composite
def pasts(draw: Any) -> History:
    """
    Draw any past: channels of any size, balances that forwards contradict, fees of any kind.
    """
    places = [
        Place(
            scid=Scid(f"1x{number}x1"),
            capacity_msat=capacity,
            local_msat=draw(st.none() | st.integers(0, capacity).map(Msat)),
            fee_ppm=draw(st.integers(0, 5000).map(Ppm)),
            base_fee_msat=draw(st.sampled_from([Msat(0), Msat(1000)])),
            opened_at=draw(st.none() | st.integers(0, SINCE + DAY).map(Instant)),
        )
        for number, capacity in enumerate(draw(st.lists(amounts, min_size=1, max_size=3)))
    ]
    count = len(places)
    forwards = st.builds(
        Forwarded,
        st.integers(SINCE, SINCE + DAYS * DAY - 1).map(Instant),
        st.integers(0, count),
        st.integers(0, count - 1),
        amounts,
        st.integers(0, 10**7).map(Msat),
    )
    rows = draw(st.lists(forwards, min_size=1, max_size=12))
    return History(
        since=SINCE,
        until=Instant(SINCE + DAYS * DAY),
        places=(*places, the_outside(places)),
        forwards=tuple(sorted(rows)),
    )


amounts = st.integers(1, 10**11).map(Msat)


def played(history: History) -> Backtest:
    """
    Return a backtest of the core's defaults, played twice.
    """
    with alone() as executor:
        return backtest(
            history, {AS_SET: Config(), AS_IT_WAS: None}, runs=2, seed=0, executor=executor
        )


@given(pasts())
@settings(max_examples=8)
def test_any_past_has_an_answer_of_finite_numbers(history: History) -> None:
    """
    Whatever the lists say, the answer is made of numbers, and is the same each time.
    """
    told = backtest_json(played(history))

    assert json.dumps(told, allow_nan=False) == json.dumps(backtest_json(played(history)))


@given(pasts())
@settings(max_examples=25)
def test_balances_stay_within_the_channel(history: History) -> None:
    """
    Nothing is ever below nothing or above the capacity; what does not fit came from outside.
    """
    held = balances(history, [0.5] * len(history.places))

    for place, start in zip(history.places, held.start, strict=True):
        assert 0 <= start <= place.capacity_msat
    assert held.unexplained_msat == sum(move.amount_msat for move in held.moves)


@given(st.integers(1, 3000), st.lists(st.integers(10**6, 10**8), min_size=1, max_size=30))
@settings(max_examples=15)
def test_as_it_was_nothing_is_lost(ppm: int, sizes: list[int]) -> None:
    """
    Where balances are known and forwards went both ways, all of them are played at what they paid.
    """
    rows = [
        Forwarded(
            Instant(SINCE + 4000 * number + 1000),
            number % 2,
            1 - number % 2,
            Msat(size),
            fee_msat(Msat(size), Ppm(ppm)),
        )
        for number, size in enumerate(sizes)
    ]
    usual = Place(
        scid=Scid("1x1x1"), capacity_msat=Msat(10**11), local_msat=Msat(5 * 10**10), fee_ppm=Ppm(0)
    )
    places = [attrs.evolve(usual, scid=Scid(f"1x{n}x1"), fee_ppm=Ppm(ppm)) for n in range(2)]
    history = History(
        since=SINCE,
        until=Instant(SINCE + DAYS * DAY),
        places=(*places, the_outside(places)),
        forwards=tuple(rows),
    )
    (side,) = [side for side in played(history).replays.sides if side.name == AS_IT_WAS]

    for life in side.lives:
        assert math.isclose(sum(life.income_msat), history.earned_msat, abs_tol=len(rows))
