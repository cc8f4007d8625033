"""Settings: options as the operator writes them, on the command line or in a file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from revops.core.config import option_named
from revops.core.option import ConfigError

PREFIX: Final = "revenue-ops-"


def from_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """
    Return `option=value` *pairs* by the option's own name; the last of a name wins.

    Raises:
        ConfigError: A sentence for each that is no such pair or names no option.
    """
    return _read(pairs, "", "")


def from_file(path: Path) -> dict[str, str]:
    """
    Return the options that the lightningd config file at *path* sets.

    Raises:
        ConfigError: A sentence for each line that sets no option of revops.
        OSError: The file cannot be read.
    """
    lines = map(str.strip, path.read_text(encoding="utf-8", errors="replace").splitlines())
    settings = (line for line in lines if line and not line.startswith("#"))
    return _read(settings, PREFIX, f"{path}: ")


def _read(pairs: Iterable[str], prefix: str, where: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    problems: list[str] = []
    for pair in pairs:
        name, equals, text = map(str.strip, pair.partition("="))
        if not equals or not name.startswith(prefix):
            problems.append(f"{where}expected {prefix}option=value, got {pair!r}")
            continue
        try:
            texts[option_named(name).name] = text
        except ConfigError as error:
            problems.extend(where + problem for problem in error.problems)
    if problems:
        raise ConfigError(tuple(problems))
    return texts
