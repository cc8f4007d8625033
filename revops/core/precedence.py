"""Precedence: the newest explicit setting of an option wins, and a restart changes nothing."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import attrs

from revops.core.config import OPTIONS, Config, configured, option_named
from revops.core.option import ConfigError
from revops.core.units import Instant

Setter = Literal["setconfig", "revenue-config"]
"""Who sets options while revops runs."""
Source = Literal["default", "config file", Setter]
"""Where a value comes from; the config file stands for the command line too."""

_DEFAULTS: Final = {option.name: option.format(option.default) for option in OPTIONS.values()}


@attrs.frozen(kw_only=True)
class Setting:
    """
    What an option was set to while revops ran.

    Attributes:
        option: Its name, as in Option.
        value: As `Option.format` writes it.
        given: What lightningd had for the option then. As long as it has that, no file was edited
            since.
    """

    option: str
    value: str
    given: str
    source: Setter
    at: Instant


@attrs.frozen(kw_only=True)
class InForce:
    """
    What is in force: what lightningd has for each option, and what was set over it.

    Attributes:
        given: By option; `started` fills it.
        settings: By option.
    """

    given: Mapping[str, str] = attrs.field(factory=lambda: dict(_DEFAULTS))
    settings: Mapping[str, Setting] = attrs.field(factory=dict)

    def config(self) -> Config:
        """
        Return the Config that this makes.

        Raises:
            ConfigError: Some of it cannot be.
        """
        return configured({**self.given, **{s.option: s.value for s in self.settings.values()}})

    def problems(self) -> tuple[str, ...]:
        """
        Return a sentence for all that cannot be.
        """
        try:
            self.config()
        except ConfigError as error:
            return error.problems
        return ()

    def source(self, option: str) -> Source:
        """
        Return where the value of *option* comes from.
        """
        if option in self.settings:
            return self.settings[option].source
        return "default" if self.given[option] == _DEFAULTS[option] else "config file"

    def changed(self, texts: Mapping[str, str], source: Setter, at: Instant) -> "InForce":
        """
        Return this with the options of *texts* set, by any spelling of their names.

        Raises:
            ConfigError: One cannot be, by itself or beside the others.
        """
        values = {}
        for name, text in texts.items():
            option = option_named(name)
            if not option.dynamic:
                msg = f"{option.name}: it is fixed while revops runs; set it in lightningd's config"
                raise ConfigError((f"{msg} file and restart",))
            values[option.name] = option.format(option.parse(text))
        given = {**self.given, **(values if source == "setconfig" else {})}
        settings = {
            name: Setting(option=name, value=value, given=given[name], source=source, at=at)
            for name, value in values.items()
        }
        return self._followed_by(InForce(given=given, settings={**self.settings, **settings}))

    def reset(self, name: str) -> "InForce":
        """
        Return this without what revenue-config set the option *name* to.

        Raises:
            ConfigError: There is no such option, or what lightningd has cannot be any more.
        """
        option = option_named(name).name
        if self.source(option) != "revenue-config":
            return self
        others = {key: setting for key, setting in self.settings.items() if key != option}
        return self._followed_by(attrs.evolve(self, settings=others))

    def _followed_by(self, after: "InForce") -> "InForce":
        if problems := _new_problems(self, after):
            raise ConfigError(problems)
        return after


def started(given: Mapping[str, str], saved: Iterable[Setting]) -> tuple[InForce, tuple[str, ...]]:
    """
    Return what is in force when lightningd starts with *given* and the books hold *saved*, and a
    sentence for each setting that is not any more.

    A setting stands as long as lightningd has what it had when it was made; else somebody edited
    the file since, and that is newer. But a line that was taken out of the file is no new wish:
    lightningd falls back to its default, and what revenue-config set still stands. What has come
    to contradict the file gives way to it.
    """
    now = InForce(given=_DEFAULTS | {n: option_named(n).spelled(text) for n, text in given.items()})
    waiting: list[Setting] = []
    told: list[str] = []
    for setting in sorted(saved, key=lambda s: (-s.at, s.option)):
        has = now.given.get(setting.option)
        if has is None:
            told.append(f"{_said(setting)}: there is no such option any more")
        elif has == setting.given or _lapsed(setting, has):
            waiting.append(attrs.evolve(setting, given=has))
        else:
            told.append(f"{_said(setting)}: lightningd has {has} now and had {setting.given}")
    # One may need another before it fits: a new minimum above the old maximum, for example.
    while fitting := next((s for s in waiting if not _new_problems(now, _with(now, s))), None):
        now = _with(now, fitting)
        waiting.remove(fitting)
    told += [f"{_said(s)}: {'; '.join(_new_problems(now, _with(now, s)))}" for s in waiting]
    return now, tuple(told)


def _lapsed(setting: Setting, has: str) -> bool:
    return setting.source == "revenue-config" and has == _DEFAULTS[setting.option]


def _said(setting: Setting) -> str:
    return f"{setting.option}={setting.value}, set by {setting.source}, is no longer in force"


def _with(in_force: InForce, setting: Setting) -> InForce:
    return attrs.evolve(in_force, settings={**in_force.settings, setting.option: setting})


def _new_problems(before: InForce, after: InForce) -> tuple[str, ...]:
    # A bad config file is mended option by option: what was wrong before may still be.
    known = before.problems()
    return tuple(problem for problem in after.problems() if problem not in known)
