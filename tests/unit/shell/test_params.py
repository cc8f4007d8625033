"""What comes with a call: by place or by name, and never guessed."""

from typing import Any

import pytest

from revops.shell.commands.command import (
    Action,
    Argument,
    Command,
    CommandError,
    Params,
    bound,
    switch,
    whole,
)

NAME = Argument("name", "who", needed=True, aliases=("who",))
SIZE = Argument("size", "how big")
COLOUR = Argument("colour", "which")


@pytest.mark.parametrize(
    ("positional", "named"),
    [(("a", 2), {}), (("a",), {"size": 2}), ((), {"size": 2, "who": "a"}), (("a", 2, None), {})],
)
def test_arguments_come_by_place_or_by_name(
    positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    """
    Either way means the same, and null is not given.
    """
    params = Params(positional=positional, named=named)

    assert bound(params, (NAME, SIZE, COLOUR)) == {"name": "a", "size": 2}


@pytest.mark.parametrize(
    ("positional", "named", "sentence"),
    [
        (("a", 2, 3), {}, "3: there is no place for it; it takes name, size"),
        (("a",), {"name": "b"}, "name: it is given twice"),
        (("a",), {"who": "b"}, "who: it is given twice"),
        ((), {"name": "a", "colour": "red"}, "colour: there is no such argument"),
        ((), {"size": 2}, "name: it is missing"),
        ((None, 2), {}, "name: it is missing"),
    ],
)
def test_what_does_not_fit_is_named(
    positional: tuple[Any, ...], named: dict[str, Any], sentence: str
) -> None:
    """
    Too many, twice, unknown or missing: the sentence says which.
    """
    params = Params(positional=positional, named=named)

    with pytest.raises(CommandError) as refused:
        bound(params, (NAME, SIZE))
    assert str(refused.value).startswith(sentence)


def test_the_first_argument_can_be_taken_alone() -> None:
    """
    A command whose further arguments depend on the first takes that one and passes on the others.
    """
    by_place = Params(positional=("set", "a")).shift("action")
    by_name = Params(named={"name": "a", "action": "set"}).shift("action")

    assert by_place == ("set", Params(positional=("a",)))
    assert by_name == ("set", Params(named={"name": "a"}))
    assert Params().shift("action") == (None, Params())


def test_a_switch_is_true_or_false_in_either_spelling() -> None:
    """
    JSON's own words and their text; `yes` or 1 is neither.
    """
    assert (switch("x", True), switch("x", "false")) == (True, False)
    for value in ("yes", 1, None):
        with pytest.raises(CommandError, match="x: expected true or false, got"):
            switch("x", value)


def test_a_whole_number_is_within_its_bounds_in_either_spelling() -> None:
    """
    A number or its digits; fractions, signs, switches and what is out of bounds are refused.
    """
    assert (whole("x", 5, 0, 9), whole("x", "7", 0, 9)) == (5, 7)
    for value in (10, -1, "10", "-1", "1_0", " 5", "٣", 5.0, True, None, [5], "9" * 5000):
        with pytest.raises(CommandError, match="x: expected a whole number from 0 to 9, got"):
            whole("x", value, 0, 9)


def test_a_command_of_many_actions_shows_and_takes_the_arguments_of_each() -> None:
    """
    The first word chooses; each action takes its own arguments and the usage shows them all.
    """
    command = Command(
        name="pet",
        help="Pets.",
        actions=(
            Action(name="list", help="All.", run=lambda _app, _given: {"did": "list"}),
            Action(name="get", help="One.", arguments=(NAME,), run=lambda _, given: dict(given)),
        ),
        default_action="list",
    )

    assert command.usage == "[action] [name]"
    assert command.answer(None, Params()) == {"did": "list"}
    assert command.answer(None, Params(positional=("get", "a"))) == {"name": "a"}
    with pytest.raises(CommandError, match="action: expected one of list, get, got 'sell'"):
        command.answer(None, Params(positional=("sell",)))


def test_a_neighbour_gets_its_refusal_as_an_answer() -> None:
    """
    Programs that expect `status: error` get it; others get an error.
    """
    command = Command(
        name="pet", help="Pets.", arguments=(NAME,), run=lambda _, __: {}, neighbourly=True
    )

    assert command.answer(None, Params())["status"] == "error"
