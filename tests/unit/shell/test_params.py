"""What comes with a call: by place or by name, and never guessed."""

from typing import Any

import pytest

from revops.shell.commands.command import CommandError, Params, switch


@pytest.mark.parametrize(
    ("positional", "named"),
    [(("a", 2), {}), (("a",), {"size": 2}), ((), {"size": 2, "name": "a"}), (("a", 2, None), {})],
)
def test_arguments_come_by_place_or_by_name(
    positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    """
    Either way means the same, and null is not given.
    """
    params = Params(positional=positional, named=named)

    assert params.bind("name", "size", "colour", needed=1) == {"name": "a", "size": 2}


@pytest.mark.parametrize(
    ("positional", "named", "sentence"),
    [
        (("a", 2, 3), {}, "3: there is no place for it; it takes name, size"),
        (("a",), {"name": "b"}, "name: it is given twice"),
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
        params.bind("name", "size", needed=1)
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
