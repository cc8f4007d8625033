"""What a command is: a name, the arguments it takes, and a function that answers at once."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:  # It knows the store and more that a manifest has no use for.
    from revops.shell.app import App

Answer = dict[str, Any]
Given = Mapping[str, Any]
"""The arguments of a call by name, as JSON has them; what was not given is not there."""
Run = Callable[["App", Given], Answer]
"""Answers with a JSON object, or raises CommandError."""


# int() also takes " 5", "1_000" and digits of other scripts.
_DIGITS: Final = re.compile("[0-9]{1,18}")
_HEAD: Final = 700
_TAIL: Final = 200
"""Letters that are left of a sentence that quotes at great length."""


class CommandError(Exception):
    """
    A question that cannot be answered; the sentence names the argument and its value.
    """


class NotDoneError(Exception):
    """
    A proper wish that came to nothing, or perhaps not; the sentence says which.
    """


@attrs.frozen(kw_only=True)
class Params:
    """
    What came with a call, by place or by name.
    """

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = attrs.field(factory=dict)

    @classmethod
    def of(cls, params: object) -> "Params":
        """
        Return what JSON-RPC has as *params*.

        Raises:
            CommandError: They are neither a list nor an object.
        """
        if isinstance(params, list):
            return cls(positional=tuple(params))
        if isinstance(params, dict):
            return cls(named=params)
        msg = f"params: expected a list or an object, got {params!r}"
        raise CommandError(msg)

    def shift(self, name: str) -> tuple[Any, "Params"]:
        """
        Return the first argument, called *name*, and the others; `None` when it is not given.
        """
        if self.positional:
            return self.positional[0], attrs.evolve(self, positional=self.positional[1:])
        others = {key: value for key, value in self.named.items() if key != name}
        return self.named.get(name), attrs.evolve(self, named=others)


@attrs.frozen
class Argument:
    """
    One argument of a command.

    Attributes:
        help: A phrase for the documentation: what it means, its unit, what happens without it.
        needed: The question makes no sense without it.
        aliases: Other names that it may be given by.
    """

    name: str
    help: str
    needed: bool = False
    aliases: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Action:
    """
    One of the things that a command does, chosen by its first word.
    """

    name: str
    help: str
    arguments: tuple[Argument, ...] = ()
    run: Run


@attrs.frozen(kw_only=True)
class Command:
    """
    One RPC method: it has `run`, or `actions` of which the first word chooses one.

    Attributes:
        help: One or two sentences, for `lightning-cli help` and the documentation.
        default_action: The action that no word at all chooses; empty when one is needed.
        word: What that first word is called where arguments go by name.
        examples: Calls as an operator types them, without `lightning-cli`.
        slow: It asks the node or thinks for long: it is answered by another thread, one such call
            after the other, and holds up nobody else.
        neighbourly: Programs call it that expect a refusal as an answer, not as an error.
    """

    name: str
    help: str
    arguments: tuple[Argument, ...] = ()
    run: Run | None = None
    actions: tuple[Action, ...] = ()
    default_action: str = ""
    word: str = "action"
    examples: tuple[str, ...] = ()
    slow: bool = False
    neighbourly: bool = False

    @property
    def usage(self) -> str:
        """
        Return its arguments as `lightning-cli help` shows them.
        """
        taken = {argument.name: argument for argument in self.arguments}
        words = []
        if self.actions:
            words = [f"[{self.word}]" if self.default_action else self.word]
            for action in self.actions:
                taken |= {a.name: attrs.evolve(a, needed=False) for a in action.arguments}
        words += [a.name if a.needed else f"[{a.name}]" for a in taken.values()]
        return " ".join(words)

    def answer(self, app: "App", params: Params) -> Answer:
        """
        Return the answer to a call.

        Raises:
            CommandError: There is none; the sentence says what is wrong with the question.
            NotDoneError: What was asked for is not done, for no fault of the question.
        """
        try:
            if self.run is not None:
                return self.run(app, bound(params, self.arguments))
            word, rest = params.shift(self.word)
            action = self._action(word)
            return action.run(app, bound(rest, action.arguments))
        except CommandError as error:
            if self.neighbourly:
                return {"status": "error", "error": brief(str(error))}
            raise

    def _action(self, word: object) -> Action:
        wanted = self.default_action if word is None else word
        for action in self.actions:
            if action.name == wanted:
                return action
        names = ", ".join(action.name for action in self.actions)
        msg = f"{self.word}: expected one of {names}, got {word!r}"
        raise CommandError(msg)


def bound(params: Params, arguments: tuple[Argument, ...]) -> Given:
    """
    Return *params* by the names of *arguments*; null is not given, as lightning-cli means it.

    Raises:
        CommandError: One is unknown, given twice, or needed and missing.
    """
    takes = f"it takes {', '.join(a.name for a in arguments) or 'no argument'}"
    if len(params.positional) > len(arguments):
        msg = f"{params.positional[len(arguments)]!r}: there is no place for it; {takes}"
        raise CommandError(msg)
    names = {alias: a.name for a in arguments for alias in (a.name, *a.aliases)}
    given = dict(zip((a.name for a in arguments), params.positional, strict=False))
    for alias, value in params.named.items():
        name = names.get(alias)
        if name is None or name in given:
            trouble = "it is given twice" if name else "there is no such argument"
            msg = f"{alias}: {trouble}; {takes}"
            raise CommandError(msg)
        given[name] = value
    given = {name: value for name, value in given.items() if value is not None}
    for argument in arguments:
        if argument.needed and argument.name not in given:
            msg = f"{argument.name}: it is missing; {takes}"
            raise CommandError(msg)
    return given


def brief(sentence: str) -> str:
    """
    Return *sentence* on one line, without the middle of what it quotes at great length.
    """
    if len(sentence) > _HEAD + _TAIL:
        sentence = f"{sentence[:_HEAD]} … {sentence[-_TAIL:]}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in sentence)


def switch(name: str, value: object) -> bool:
    """
    Return the argument *name* as true or false.

    Raises:
        CommandError: *value* is neither.
    """
    words = {"true": True, "false": False}
    if isinstance(value, str) and value in words:
        return words[value]
    if not isinstance(value, bool):
        msg = f"{name}: expected true or false, got {value!r}"
        raise CommandError(msg)
    return value


def text(name: str, value: object) -> str:
    """
    Return the argument *name* as text.

    Raises:
        CommandError: *value* is none.
    """
    # lightning-cli hands over as a number what looks like one.
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        msg = f"{name}: expected text, got {value!r}"
        raise CommandError(msg)
    return value


def whole(name: str, value: object, low: int, high: int) -> int:
    """
    Return the argument *name* as a whole number from *low* to *high*.

    Raises:
        CommandError: *value* is no such number.
    """
    # lightning-cli hands over as text what an operator quotes.
    digits = isinstance(value, str) and _DIGITS.fullmatch(value)
    number = int(digits[0]) if digits else value
    if type(number) is not int or not low <= number <= high:
        msg = f"{name}: expected a whole number from {low} to {high}, got {value!r}"
        raise CommandError(msg)
    return number
