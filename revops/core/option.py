"""Option: what a setting may hold, read strictly and refused in one sentence."""

import re
from typing import Final

import attrs

Value = bool | int | float | str | None
"""What an option may hold. `None` is written as the option's *none* word, `keep` for example."""


@attrs.frozen(kw_only=True)
class Option:
    """
    The declaration of one option: what lightningd, the docs and the sample files are made from.

    Attributes:
        name: As the operator writes it, without the `revenue-ops-` prefix.
        kind: `bool`, `int`, `float` or `str`.
        unit: Of the number; empty for switches and words.
        low, high: Bounds, both allowed.
        choices: The words a `str` may be; empty for free text.
        pattern, form: What free text looks like, as a regular expression and in words.
        none: The word for `None`, where the option may be left to something else.
        dynamic: Whether it may change while the plugin runs.
        waits_for: What revops has yet to learn before the option does anything; its help says so.
    """

    name: str
    kind: type
    default: Value
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    form: str = ""
    none: str | None = None
    dynamic: bool = True
    waits_for: str = ""

    def problem(self, value: Value) -> str | None:
        """
        Return what is wrong with *value* in one sentence, or `None`.
        """
        if value is None and self.none is not None:
            return None
        kinds = (int, float) if self.kind is float else (self.kind,)
        if type(value) in kinds and self._allows(value):
            return None
        return f"{self.name}: expected {self.expectation()}, got {value!r}"

    def _allows(self, value: Value) -> bool:
        if isinstance(value, str):
            if self.choices:
                return value in self.choices
            return not self.pattern or re.fullmatch(self.pattern, value) is not None
        if value is None or isinstance(value, bool):
            return True
        # Written so that NaN, which compares false to everything, is refused too.
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def expectation(self) -> str:
        """
        Return in words what values the option takes.
        """
        words = self.form or _KIND_WORDS[self.kind]
        if self.choices:
            words = "one of " + ", ".join(self.choices)
        elif self.low is not None and self.high is not None:
            words += f" from {self.low:.16g} to {self.high:.16g}"
        return f"{words} or {self.none}" if self.none else words

    def parse(self, text: str) -> Value:
        """
        Return the value that *text* means; nothing is guessed (`yes` is not `true`).

        Raises:
            ConfigError: *text* is not such a value, or out of bounds.
        """
        value: Value = text
        try:
            if self.none is not None and text == self.none:
                value = None
            elif self.kind is bool:
                value = {"true": True, "false": False}.get(text, text)
            elif self.kind is not str and _NUMBER.fullmatch(text):
                value = self.kind(text)
        except ValueError:
            pass  # problem() says it with the name of the field.
        if problem := self.problem(value):
            raise ConfigError((problem,))
        return value

    def format(self, value: Value) -> str:
        """
        Return *value* as `parse` reads it.
        """
        if value is None:
            return self.none or ""
        return str(value).lower() if isinstance(value, bool) else str(value)

    def spelled(self, text: str) -> str:
        """
        Return *text* as `format` writes what it means, so that equal values are equal texts; as
        it is, when it means nothing.
        """
        try:
            return self.format(self.parse(text))
        except ConfigError:
            return text


# int() and float() also take " 5", "1_000" and digits of other scripts.
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?")
_KIND_WORDS: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}


class ConfigError(Exception):
    """
    Option values that cannot be; *problems* has a sentence for each.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
