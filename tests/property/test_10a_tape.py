"""All chance is drawn before anybody plays: the same luck for every policy, each time."""

import attrs
from hypothesis import given
from hypothesis import strategies as st
from property.whims import DAYS, SMALL, short

from revops.simulate.arena.dice import Dice
from revops.simulate.arena.payments import ANY, START
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import Tape, tape_of


def told(tape: Tape) -> dict[str, object]:
    hidden = {"market", "scenario"}
    return {f.name: getattr(tape, f.name) for f in attrs.fields(Tape) if f.name not in hidden}


def numbers(value: object) -> list[object]:
    if isinstance(value, (list, tuple)):
        return [number for part in value for number in numbers(part)]
    return [] if value is None else [value]


@given(st.sampled_from(SMALL), st.integers(0, 3))
def test_a_tape_is_the_same_each_time(name: str, seed: int) -> None:
    """
    A scenario and a seed make one tape, to the last bit.
    """
    again = tape_of(shortened(SCENARIOS[name], DAYS), seed)

    assert told(again) == told(short(name, seed))


@given(st.sampled_from(SMALL), st.integers(0, 3))
def test_another_seed_is_another_tape(name: str, seed: int) -> None:
    """
    No two seeds have the same payments.
    """
    assert short(name, seed).payments != short(name, seed + 1).payments


@given(st.integers(0, 2**32), st.integers(1, 50))
def test_no_draw_moves_another(seed: int, count: int) -> None:
    """
    What is drawn for one purpose does not depend on how much was drawn for another.
    """
    dice = Dice("any", seed)
    alone = dice.of("amounts").random(3).tolist()
    dice.of("prices").random(count)

    assert dice.of("amounts").random(3).tolist() == alone
    assert dice.of("prices").random(3).tolist() != alone


@given(st.sampled_from(SMALL), st.integers(0, 3))
def test_a_tape_holds_whole_numbers(name: str, seed: int) -> None:
    """
    Whatever a policy can meet is a whole number, and money is not below zero.
    """
    tape = short(name, seed)

    for name_, value in told(tape).items():
        wholes = numbers(value)
        assert all(isinstance(number, int) for number in wholes), name_
        assert all(number >= (ANY if name_ == "payments" else 0) for number in wholes), name_


@given(st.sampled_from(SMALL), st.integers(0, 3))
def test_payments_come_in_order_and_in_time(name: str, seed: int) -> None:
    """
    Payments are sorted, within the days of the scenario, and go from one channel to another one.
    """
    tape = short(name, seed)
    times = [payment.at for payment in tape.payments]

    assert times == sorted(times)
    assert times[0] >= START
    assert times[-1] < START + tape.scenario.days * 86_400
    assert all(payment.into != payment.out for payment in tape.payments)
    assert tape.first[0] == 0
    assert tape.first[-1] == len(times)
