"""Everything: all answers of a node spoilt alike, and all there is to ask asked."""

import shlex
from collections.abc import Callable, Iterator
from typing import Any

from e2e.thirsty import SOURCE, TARGET
from fakes import RpcRefusalError

from revops.adapters.errors import NoAnswerError, NodeRefusedError, StoreError
from revops.shell.commands import COMMANDS
from revops.shell.commands.command import CommandError, NotDoneError

EXAMPLES = {"851370x470x1": TARGET, "851371x8x0": SOURCE, "851371x1x0": TARGET}
"""What is called so in the examples of commands."""
ERRORS = (CommandError, NotDoneError, StoreError, NodeRefusedError, NoAnswerError, RpcRefusalError)

Answer = Callable[[Any], Any]


class Every(dict[str, Answer]):
    """
    The same done to the answers of all methods, as a node's `garbage`.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def get(self, _method: str, _default: object = None) -> Answer:
        """
        Return what is done.
        """
        return self._answer


def refusing(message: str) -> Answer:
    """
    Return what answers with an error that says *message*.
    """

    def refuse(_reply: Any) -> Any:
        raise RpcRefusalError(-1, message)

    return refuse


def examples(peer_id: str) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """
    Return each example of each command: its name, and the arguments by place or by name.
    """

    def meant(word: str) -> str:
        return peer_id if len(word) == len(peer_id) else EXAMPLES.get(word, word)

    for line in (line for command in COMMANDS for line in command.examples):
        name, *words = shlex.split(line)
        if "-k" in words:
            pairs = (word.split("=", 1) for word in words if word != "-k")
            yield name, [], {field: meant(value) for field, value in pairs}
        else:
            yield name, [*map(meant, words)], {}


def answers(call: Callable[..., Any], peer_id: str) -> Iterator[Any]:
    """
    Ask everything there is to ask, and return what came: answers, and sentences of refusals.
    """
    for name, placed, named in examples(peer_id):
        try:
            yield call(name, *placed, **named)
        except ERRORS as error:
            yield str(error)
