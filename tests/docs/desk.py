"""The node of a document: `lightning-cli` reaches it, and it keeps a config file as lightningd."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from e2e.fake_lightningd import FakeLightningd, PluginGoneError
from fakes import INVALID_PARAMS, FakeNode, HangUpError, RpcRefusalError, Schema, recorded

from revops.shell.clock import Clock

HEIGHT = 968_400
RENAMED = (("150x6x0", "851370x470x1"), ('"150x', '"851371x'))
"""Channels get the names that documents use."""
_OURS = "revenue-ops-"


class Desk(FakeNode):
    """
    A lightningd with its own commands, which reads its config file when it starts.

    Attributes:
        daemon: What runs the plugin.
        plugin: The plugin that runs.
    """

    def __init__(self, home: Path, path: str) -> None:
        super().__init__(now=Clock().now())
        self.channels, self.forwards = json.loads(_renamed([self.channels, self.forwards]))
        self.info |= {"network": "bitcoin", "blockheight": HEIGHT}
        self.directory = home / ".lightning" / "bitcoin"
        self.daemon = FakeLightningd(self.directory, self)
        self.daemon.path = path
        self.daemon.height = HEIGHT
        self.plugin: Path | None = None
        self._runs = True
        self._config = self.directory / "config"
        self._config.touch()

    def answer(self, method: str, params: Any) -> Any:
        """
        Answer as lightningd does: for itself, for the plugin that runs, or as a node.
        """
        if method == "start the daemon":
            return self._boot()
        if not self._runs:
            raise HangUpError
        if own := _OWN.get(method):
            words, named = (params, {}) if isinstance(params, list) else ([], params)
            return own(self, *words, **named)
        offered = {m["name"] for m in self.daemon.manifest.get("rpcmethods", ())}
        if self.plugin and method in offered:
            words, named = (params, {}) if isinstance(params, list) else ([], params)
            return self.daemon.call(method, *words, **named)
        if isinstance(params, list) and params:
            params = dict(zip(Schema(method).names(), params, strict=False))
        return super().answer(method, params or {})

    def close(self) -> None:
        """
        End the plugin and listen no more.
        """
        self.daemon.close()

    # Its life --------------------------------------------------------------------------------

    def _boot(self) -> dict[str, Any]:
        """
        Start as the config files say; lightningd does not start with an option it does not know.
        """
        self.daemon.config.clear()
        plugins = []
        for name, value in _settings(self._config):
            if name == "plugin":
                plugins.append(Path(value))
            else:
                self.daemon.config[name] = value
        if not plugins and self.daemon.config:
            raise RpcRefusalError(-1, f"{next(iter(self.daemon.config))}: unrecognized option")
        self._runs = True
        for plugin in plugins:
            self._start(plugin, startup=True)
        return {}

    def _stop(self) -> str:
        if self.plugin:
            self._end()
        self._runs = False
        return "Shutdown complete"

    def _start(self, plugin: Path, *, startup: bool) -> None:
        if not plugin.is_file():
            raise RpcRefusalError(INVALID_PARAMS, f"{plugin} is not executable: No such file")
        try:
            answer = self.daemon.start(startup=startup, plugin=plugin)
        except PluginGoneError as error:
            raise RpcRefusalError(-3, f"{plugin}: exited before replying: {error}") from None
        if answer and "disable" in answer:
            self.daemon.kill()
            raise RpcRefusalError(-3, f"{plugin}: disabled itself at init: {answer['disable']}")
        self.plugin = plugin
        with contextlib.suppress(RpcRefusalError):  # A plugin that does not run says so.
            self.daemon.first_cycle()
            self.daemon.wait_for(lambda: self.daemon.call("revenue-status")["last_money_cycle"])

    def _end(self) -> None:
        self.plugin = None
        self.daemon.shutdown()

    # What it answers for itself --------------------------------------------------------------

    def _plugin(self, subcommand: str, plugin: str = "", **options: str) -> Any:
        if subcommand == "start":
            if self.plugin:
                raise RpcRefusalError(INVALID_PARAMS, f"{plugin}: already registered")
            self.daemon.config |= {name: _text(value) for name, value in options.items()}
            self._start(Path(plugin), startup=False)
        elif subcommand == "stop":
            if self.plugin is None or plugin not in {str(self.plugin), self.plugin.name}:
                raise RpcRefusalError(INVALID_PARAMS, f"Could not find plugin {plugin}")
            self._end()
            return {"command": "stop", "result": f"Successfully stopped {Path(plugin).name}."}
        elif subcommand != "list":
            raise RpcRefusalError(INVALID_PARAMS, f"subcommand: unknown: {subcommand}")
        running = [{"name": str(self.plugin), "active": True, "dynamic": True}]
        return {"command": subcommand, "plugins": running if self.plugin else []}

    def _setconfig(self, config: str, val: Any = None) -> Any:
        if self.plugin is None:
            if not self.daemon.config:
                raise RpcRefusalError(INVALID_PARAMS, f"config: Unknown config option '{config}'")
            # The options of a plugin that is gone stand in the config: lightningd crashes.
            self._runs = False
            raise HangUpError
        self.daemon.setconfig(config, _text(val))
        self._save(config, _text(val))
        return {"config": {"config": config} | self._shown(config)}

    def _save(self, name: str, text: str) -> None:
        ours = self._config.with_suffix(".setconfig")
        if not ours.exists():
            with self._config.open("a") as file:
                file.write(f"# Inserted by setconfig\ninclude {ours.name}\n")
            ours.write_text("# Created and update by setconfig\n")
        for path in (self._config, ours):
            lines = path.read_text().splitlines()
            kept = [f"# {line}" if line.startswith(f"{name}=") else line for line in lines]
            path.write_text("\n".join(kept) + "\n")
        with ours.open("a") as file:
            file.write(f"{name}={text}\n")

    def _listconfigs(self, config: str | None = None) -> Any:
        if config in self.sling.options:
            return super()._listconfigs({"config": config})
        names = [config] if config else [o["name"] for o in self.daemon.manifest["options"]]
        return {"configs": {name: self._shown(name) for name in names}}

    def _shown(self, name: str) -> dict[str, Any]:
        option = next((o for o in self.daemon.manifest["options"] if o["name"] == name), None)
        if option is None:
            raise RpcRefusalError(INVALID_PARAMS, f"config: Unknown config option '{name}'")
        kind = {"string": "str"}.get(option["type"], option["type"])
        value = self.daemon.config.get(name, option.get("default"))
        shown = {f"value_{kind}": self.daemon._typed(option, value)}
        source = "default"
        for path in (self._config, self._config.with_suffix(".setconfig")):
            for number, line in enumerate(
                path.read_text().splitlines() if path.exists() else (), 1
            ):
                source = f"{path}:{number}" if line.startswith(f"{name}=") else source
        return shown | {"source": source, "plugin": str(self.plugin), "dynamic": option["dynamic"]}

    def _getlog(self, level: str = "info") -> Any:
        levels = ("broken", "unusual", "info", "debug")
        told = levels[: levels.index(level) + 1]
        return {
            "log": [
                {"type": at.upper(), "source": f"plugin-{self.plugin.name}", "log": line}
                for at, line in self.daemon.logs
                if at in told
            ]
        }


def _settings(path: Path) -> list[tuple[str, str]]:
    """
    Return the settings of the config file *path* and of what it includes.
    """
    found: list[tuple[str, str]] = []
    for line in map(str.strip, path.read_text().splitlines()):
        if line.startswith("include "):
            found += _settings(path.parent / line.removeprefix("include "))
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            if name != "plugin" and not name.startswith(_OURS):
                raise RpcRefusalError(-1, f"{name}: unrecognized option")
            found.append((name, value))
    return found


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _renamed(value: Any) -> str:
    text = json.dumps(value)
    for old, new in RENAMED:
        text = text.replace(old, new)
    return text


_OWN: dict[str, Callable[..., Any]] = {
    "plugin": Desk._plugin,
    "setconfig": Desk._setconfig,
    "listconfigs": Desk._listconfigs,
    "getlog": Desk._getlog,
    "stop": Desk._stop,
    "listfunds": lambda _: json.loads(_renamed(recorded("listfunds"))),
    "listnodes": lambda _: recorded("listnodes"),
}
