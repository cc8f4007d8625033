"""Errors of the world outside: whose fault it was, and whether it may have happened."""


class WireError(Exception):
    """
    A text or reply that is not what it should be; *problems* has a sentence for each fault.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NodeRefusedError(Exception):
    """
    lightningd answered with an error: nothing happened.

    Attributes:
        code: As JSON-RPC has it; `None` when lightningd said yes but did something else.
    """

    def __init__(self, method: str, code: int | None, message: str) -> None:
        super().__init__(f"{method}: {message}")
        self.method = method
        self.code = code
        self.message = message


class NoAnswerError(Exception):
    """
    lightningd did not answer, or not in words we know: what was asked may have happened.
    """


class NotAskedError(NoAnswerError):
    """
    lightningd was not asked, because it left a call like this one unanswered just now: nothing
    happened.
    """


class StoreError(Exception):
    """
    The books cannot be opened, read or written; the sentence says what to do.
    """
