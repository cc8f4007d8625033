"""What a command is: a name, the arguments it takes, and a function that answers at once."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:  # It knows the store and more that a manifest has no use for.
    from revops.shell.app import App

Answer = dict[str, Any]


class CommandError(Exception):
    """
    A question that cannot be answered; the sentence names the argument and its value.
    """


@attrs.frozen(kw_only=True)
class Params:
    """
    What came with a call, by place or by name.
    """

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = attrs.field(factory=dict)

    def bind(self, *names: str, needed: int = 0) -> dict[str, Any]:
        """
        Return the arguments by name; null is not given, as lightning-cli means it.

        Raises:
            CommandError: One is unknown, given twice, or among the first *needed* and missing.
        """
        takes = f"it takes {', '.join(names) or 'no argument'}"
        if len(self.positional) > len(names):
            msg = f"{self.positional[len(names)]!r}: there is no place for it; {takes}"
            raise CommandError(msg)
        by_place = dict(zip(names, self.positional, strict=False))
        for name in self.named:
            if name not in names or name in by_place:
                trouble = "it is given twice" if name in by_place else "there is no such argument"
                msg = f"{name}: {trouble}; {takes}"
                raise CommandError(msg)
        given = {k: v for k, v in {**by_place, **self.named}.items() if v is not None}
        for name in names[:needed]:
            if name not in given:
                msg = f"{name}: it is missing; {takes}"
                raise CommandError(msg)
        return given

    def shift(self, name: str) -> tuple[Any, "Params"]:
        """
        Return the first argument, called *name*, and the others; `None` when it is not given.
        """
        if self.positional:
            return self.positional[0], attrs.evolve(self, positional=self.positional[1:])
        others = {key: value for key, value in self.named.items() if key != name}
        return self.named.get(name), attrs.evolve(self, named=others)


@attrs.frozen(kw_only=True)
class Command:
    """
    One RPC method.

    Attributes:
        usage: Its arguments as `lightning-cli help` shows them.
        run: Answers with a JSON object, or raises CommandError.
    """

    name: str
    usage: str = ""
    help: str
    run: Callable[["App", Params], Answer]


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
