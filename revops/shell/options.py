"""Options: what lightningd offers its operator, made from Config, and the Config in force."""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from revops.core.config import OPTIONS, Config, option_named
from revops.core.option import ConfigError, Option
from revops.core.precedence import InForce, Setter, Setting, started
from revops.core.units import Instant

Save = Callable[[Iterable[Setting], Iterable[Setting]], None]
"""Writes down settings in place of those that were there before."""

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
    The Config in force: written down and replaced as a whole, or not at all.

    Attributes:
        version: How often it was changed since the start.
    """

    def __init__(self) -> None:
        self.version = 0
        self._in_force = InForce()
        self._config = Config()
        self._saved: tuple[Setting, ...] = ()
        self._save: Save | None = None
        # lightningd may change an option while the worker opens the books.
        self._lock = threading.Lock()

    @property
    def config(self) -> Config:
        """
        Return the Config in force; read it once and it cannot change underneath.
        """
        return self._config

    @property
    def in_force(self) -> InForce:
        """
        Return what the Config in force is made of.
        """
        return self._in_force

    def start(
        self, options: Mapping[str, object], saved: Iterable[Setting] = ()
    ) -> tuple[str, ...]:
        """
        Take over what lightningd hands out at start and what the books hold; return a sentence for
        each setting of these that is not in force any more.

        Nothing is in force before `problems` is empty.
        """
        given = {
            option_named(name).name: _as_text(name, value)
            for name, value in options.items()
            if value is not None
        }
        self._saved = tuple(saved)
        in_force, told = started(given, self._saved)
        self._put_in_force(in_force)
        return told

    def problems(self) -> tuple[str, ...]:
        """
        Return what must be mended before revops can work.
        """
        return self._in_force.problems()

    def keep_in(self, save: Save) -> None:
        """
        Keep what is set in the books that *save* writes, from now on and what was before.

        Raises:
            StoreError: They cannot be written.
        """
        with self._lock:
            self._save = save
            self._write_down(self._in_force)

    def change(self, values: Mapping[str, object], source: Setter, at: Instant) -> None:
        """
        Set the options that *values* names, all or none.

        Raises:
            ConfigError: There is no such option, or a value cannot be.
            StoreError: It cannot be written down.
        """
        texts = {name: _as_text(name, value) for name, value in values.items()}
        with self._lock:
            self._swap(self._in_force.changed(texts, source, at))

    def reset(self, name: str) -> None:
        """
        Forget what revenue-config set the option *name* to.

        Raises:
            ConfigError: There is no such option, or what lightningd has cannot be any more.
            StoreError: It cannot be written down.
        """
        with self._lock:
            self._swap(self._in_force.reset(name))

    def _swap(self, after: InForce) -> None:
        self._write_down(after)
        self._put_in_force(after)
        self.version += 1

    def _write_down(self, after: InForce) -> None:
        if self._save is not None:
            settings = tuple(after.settings.values())
            self._save(settings, self._saved)
            self._saved = settings

    def _put_in_force(self, after: InForce) -> None:
        self._in_force = after
        if not after.problems():
            self._config = after.config()


def _as_text(name: str, value: object) -> str:
    # lightningd hands over JSON at start and strings in setconfig; nothing at all for a flag.
    if isinstance(value, (str, int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    option = option_named(name)
    got = "nothing" if value is None else repr(value)
    raise ConfigError((f"{option.name}: expected {option.expectation()}, got {got}",))
