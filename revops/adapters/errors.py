"""Errors of the world outside: whose fault it was, and whether it may have happened."""


class NodeRefusedError(Exception):
    """
    lightningd answered with an error: nothing happened.
    """

    def __init__(self, method: str, code: int | None, message: str) -> None:
        super().__init__(f"{method}: {message}")
        self.method = method
        self.code = code
        self.message = message


class NoAnswerError(Exception):
    """
    lightningd did not answer: what was asked may or may not have happened.
    """


class StoreError(Exception):
    """
    The books cannot be opened, read or written; the sentence says what to do.
    """
