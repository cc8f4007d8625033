"""Options: what lightningd offers its operator, made from Config, and the Config in force."""

from collections.abc import Mapping
from typing import Any, Final

from revops.core.config import OPTIONS, Config, configured, option_named
from revops.core.option import Option

PREFIX: Final = "revenue-ops-"

# lightningd has no type for fractions, nor for a number that may be a word.
_TYPES: Final = {bool: "bool", int: "int"}


def declared(option: Option) -> dict[str, Any]:
    """
    Return *option* as lightningd is told of it.
    """
    kind = "string" if option.none else _TYPES.get(option.kind, "string")
    default = option.default
    if kind == "string" and default is not None:
        default = option.format(default)
    unit = f" ({option.unit})" if option.unit else ""
    return {
        "name": PREFIX + option.name,
        "default": default,
        "description": f"{option.help} Takes {option.expectation()}{unit}.",
        "opt_type": kind,
        "dynamic": option.dynamic,
    }


def declarations() -> tuple[dict[str, Any], ...]:
    """
    Return every option as lightningd is told of it.
    """
    return tuple(declared(option) for option in OPTIONS.values())


class Settings:
    """
    The Config in force: replaced as a whole or not at all.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._config = Config()

    @property
    def config(self) -> Config:
        """
        Return the Config in force; read it once and it cannot change underneath.
        """
        return self._config

    def start(self, options: Mapping[str, object]) -> None:
        """
        Take over what lightningd hands out at start.

        Raises:
            ConfigError: One sentence for each value that cannot be.
        """
        self._texts = {
            option_named(name).name: _as_text(value)
            for name, value in options.items()
            if value is not None
        }
        self._config = configured(self._texts)

    def change(self, name: str, value: object) -> None:
        """
        Set the option *name*, or leave everything as it is.

        Raises:
            ConfigError: There is no such option, or the value cannot be.
        """
        texts = self._texts | {option_named(name).name: _as_text(value)}
        self._config = configured(texts)
        self._texts = texts


def _as_text(value: object) -> str:
    # lightningd hands over JSON at start and strings in setconfig.
    return str(value).lower() if isinstance(value, bool) else str(value)
