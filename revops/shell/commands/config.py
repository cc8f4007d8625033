"""revenue-config: every option, its value and where that comes from, changed by command."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from revops.core.config import OPTIONS, Config, option_named
from revops.core.option import ConfigError, Option, Value
from revops.core.presets import PRESETS, Preset, preset_named
from revops.shell.commands.command import (
    Action,
    Answer,
    Argument,
    Command,
    CommandError,
    Given,
    switch,
)
from revops.shell.options import PREFIX

if TYPE_CHECKING:
    from revops.shell.app import App

_KEY: Final = Argument("key", "an option, with dashes or underscores", needed=True)
_PREDECESSORS: Final = {
    "enable_proportional_budget": "proportional-budget",
    "enable_scarcity_pricing": "scarcity-pricing",
    "enable_vegas_reflex": "vegas-reflex",
    "rebalancer_plugin": "rebalancer",
    "sling_chunk_size_sats": "rebalance-chunk",
    "vegas_decay_rate": "vegas-decay",
}
"""Keys by which an earlier cl-revenue-ops knew options of another name."""


def _get(app: "App", given: Given) -> Answer:
    settings = app.settings
    if "key" in given:
        option = _option(given["key"])
        return {**_told(app, option), "key": given["key"], "version": settings.version}
    rows = [_told(app, option) for _, option in sorted(OPTIONS.items())]
    return {
        "config": {row["key"]: row["value"] for row in rows},
        "options": rows,
        "count": len(rows),
        "version": settings.version,
    }


def _set(app: "App", given: Given) -> Answer:
    option = _option(given["key"])
    before = _value(option, app.settings.config)
    _change(app, {option.name: given["value"]})
    return _changed(app, option, given["key"], before)


def _reset(app: "App", given: Given) -> Answer:
    option = _option(given["key"])
    before = _value(option, app.settings.config)
    source = app.settings.in_force.source(option.name)
    if source != "revenue-config":
        message = f"it was not set by revenue-config; its value is by {source}"
        return {**_changed(app, option, given["key"], before), "message": message}
    try:
        app.settings.reset(option.name)
    except ConfigError as error:
        raise CommandError(str(error)) from None
    app.worker.ring()
    return _changed(app, option, given["key"], before)


def _list_mutable(app: "App", given: Given) -> Answer:
    del app, given
    keys = sorted(field for field, option in OPTIONS.items() if option.dynamic)
    return {"mutable_keys": keys, "count": len(keys)}


def _presets(app: "App", given: Given) -> Answer:
    del given
    presets = [
        {
            "name": preset.name,
            "help": preset.help,
            "in_force": not _differences(app, preset),
            "count": len(preset.choices),
        }
        for preset in PRESETS.values()
    ]
    return {"presets": presets, "count": len(presets)}


def _preset(app: "App", given: Given) -> Answer:
    apply = switch("apply", given.get("apply", False))
    try:
        preset = preset_named(str(given["name"]))
    except ConfigError as error:
        raise CommandError(str(error)) from None
    changes = _differences(app, preset)
    if apply:
        texts = preset.texts()
        _change(app, {option.name: texts[option.name] for option, _ in changes})
    return {
        "status": "success" if apply else "preview",
        "preset": preset.name,
        "help": preset.help,
        "applied": apply,
        "changes": [change for _, change in changes],
        "count": len(changes),
        "version": app.settings.version,
    }


def _differences(app: "App", preset: Preset) -> list[tuple[Option, Answer]]:
    config, in_force = app.settings.config, app.settings.in_force
    found = []
    for choice in preset.choices:
        option = option_named(choice.option)
        now, then = _value(option, config), _shown(option, choice.value)
        if now != then:
            source = in_force.source(option.name)
            words = {"now": now, "source": source, "would_be": then, "why": choice.why}
            found.append((option, {"key": _field(option), **words}))
    return found


def _change(app: "App", values: Mapping[str, object]) -> None:
    try:
        app.settings.change(values, "revenue-config", app.clock.now())
    except ConfigError as error:
        raise CommandError(str(error)) from None
    app.worker.ring()


def _changed(app: "App", option: Option, key: str, before: Value) -> Answer:
    return {
        "status": "success",
        "key": key,
        "old_value": before,
        "new_value": _value(option, app.settings.config),
        "source": app.settings.in_force.source(option.name),
        "version": app.settings.version,
    }


def _told(app: "App", option: Option) -> Answer:
    in_force = app.settings.in_force
    setting = in_force.settings.get(option.name)
    return {
        "key": _field(option),
        "option": PREFIX + option.name,
        "value": _value(option, app.settings.config),
        "source": in_force.source(option.name),
        "set_at": setting.at if setting else None,
        "default": _shown(option, option.default),
        "given_by_lightningd": in_force.given[option.name],
        "takes": option.expectation(),
        "low": option.low,
        "high": option.high,
        "choices": list(option.choices),
        "unit": option.unit,
        "help": option.help,
        "dynamic": option.dynamic,
    }


def _option(key: object) -> Option:
    if not isinstance(key, str):
        msg = f"key: expected the name of an option, got {key!r}"
        raise CommandError(msg)
    try:
        return option_named(_PREDECESSORS.get(key, key))
    except ConfigError as error:
        msg = f"key: {error}; see revenue-config list-mutable"
        raise CommandError(msg) from None


def command_for(key: str, value: str) -> str:
    """
    Return the command that sets what an earlier cl-revenue-ops called *key*, or why there is none.
    """
    try:
        option = option_named(_PREDECESSORS.get(key, key))
        # It took any spelling of its switches.
        text = option.format(option.parse(value.lower() if option.kind is bool else value))
    except ConfigError as error:
        return f"{key} was {value}: {error}"
    return f"revenue-config set {option.name} {text}"


def _field(option: Option) -> str:
    return option.name.replace("-", "_")


def _value(option: Option, config: Config) -> Value:
    return _shown(option, getattr(config, _field(option)))


def _shown(option: Option, value: Value) -> Value:
    return option.none if value is None else value


COMMAND = Command(
    name="revenue-config",
    help="Show or change options. The newest change wins, be it by revenue-config, by setconfig or"
    " by an edited config file, and a restart changes nothing.",
    actions=(
        Action(
            name="get",
            help="One option, or all: value, source, default, bounds, unit and what it does.",
            arguments=(attrs.evolve(_KEY, needed=False),),
            run=_get,
        ),
        Action(
            name="set",
            help="Change an option; it counts at once and after a restart.",
            arguments=(_KEY, Argument("value", "what it takes; see get", needed=True)),
            run=_set,
        ),
        Action(
            name="reset",
            help="Forget what revenue-config set: back to what lightningd has, or the default.",
            arguments=(_KEY,),
            run=_reset,
        ),
        Action(
            name="list-mutable", help="The options that can change at run time.", run=_list_mutable
        ),
        Action(name="presets", help="The presets, and which of them is in force.", run=_presets),
        Action(
            name="preset",
            help="What a preset would change; with apply=true, change it, all or nothing. A preset"
            " sets the same options as every other one, and no more.",
            arguments=(
                Argument("name", f"one of {', '.join(PRESETS)}", needed=True),
                Argument("apply", "true to do it; only shown without"),
            ),
            run=_preset,
        ),
    ),
    default_action="get",
    examples=(
        "revenue-config get min-fee-ppm",
        "revenue-config set min-fee-ppm 25",
        "revenue-config preset small",
        "revenue-config -k action=preset name=small apply=true",
    ),
    neighbourly=True,
)
