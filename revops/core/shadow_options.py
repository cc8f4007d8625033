"""Shadow options: what shadow-config sets, written as option=value,option=value."""

import re
from collections.abc import Mapping
from typing import Final

from revops.core.option import ConfigError

PATTERN: Final = r"(?:[a-z][a-z_-]*=[^,=\x00-\x20]+(?:,[a-z][a-z_-]*=[^,=\x00-\x20]+)*)?"
FORM: Final = "option=value,option=value"

_NOTHING: Final = "it changes no decision"
_RHYTHM: Final = "a shadow decides whenever the live config does"
_WINDOW: Final = "a shadow sees the days that the live config reads"

OF_NO_USE: Final[Mapping[str, str]] = {
    "shadow-config": "a shadow has none itself",
    "db-path": "where the books are changes no decision",
    "dry-run": "a shadow never acts",
    "flow-interval": _RHYTHM,
    "fee-interval": _RHYTHM,
    "rebalance-interval": _RHYTHM,
    "flow-window-days": _WINDOW,
    "target-flow": "it is for advice, and changes no decision",
    "htlc-max": "it changes no price and no refill",
    "clboss-enabled": _NOTHING,
    "hive-enabled": "a shadow hears what the live config hears",
    "rpc-timeout-seconds": _NOTHING,
    "rpc-circuit-breaker-seconds": _NOTHING,
    "reservation-timeout-hours": _NOTHING,
    "prometheus": _NOTHING,
    "prometheus-port": _NOTHING,
    "prometheus-bind": _NOTHING,
    "history-days": _NOTHING,
}
"""Options that a shadow cannot have otherwise, and why."""


def shadow_texts(text: str) -> dict[str, str]:
    """
    Return the options that *text* sets, by name, in the order of their names.

    Raises:
        ConfigError: *text* is not of that form, sets an option twice, or one of no use.
    """
    if not re.fullmatch(PATTERN, text):
        raise ConfigError((f"expected {FORM}, got {text!r}",))
    texts: dict[str, str] = {}
    problems: list[str] = []
    for written, _, value in (part.partition("=") for part in text.split(",") if part):
        name = written.removeprefix("revenue-ops-").replace("_", "-")
        if name in texts:
            problems.append(f"{name}: it is set twice, to {texts[name]} and to {value}")
        elif name in OF_NO_USE:
            problems.append(f"{name}: {OF_NO_USE[name]}, got {value!r}")
        texts[name] = value
    if problems:
        raise ConfigError(tuple(problems))
    return dict(sorted(texts.items()))


def spelled(text: str | None) -> str:
    """
    Return *text* so that equal settings are equal texts; an empty one for none at all.

    Raises:
        ConfigError: As in `shadow_texts`.
    """
    return ",".join(f"{name}={value}" for name, value in shadow_texts(text or "").items())
