"""A lightningd for one plugin: it starts the real process and talks to it as lightningd does."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from e2e.rpc_socket import RpcSocket
from fakes import FakeNode, RpcRefusalError

from revops.shell.clock import Clock

T = TypeVar("T")

PLUGIN = Path(__file__).resolve().parents[2] / "cl-revenue-ops.py"
PATIENCE = 20.0
HASH = "00" * 32


class PluginGoneError(Exception):
    """
    The plugin's process has ended.
    """


class FakeLightningd:
    """
    Attributes:
        directory: Of this network; the books are in there.
        config: What stands in the config file, by option name.
        logs: What the plugin logged, as (level, line).
        stderr: What it said there; lightningd passes that on to its own.
        path: Where programs are looked for.
    """

    def __init__(self, directory: Path, node: FakeNode) -> None:
        self.directory = directory
        self.node = node
        if isinstance(node, FakeNode):  # one that is made for benches has no sling
            node.sling.clock = Clock().now  # as the plugin's process has it
        self.config: dict[str, str] = {}
        self.logs: list[tuple[str, str]] = []
        self.stderr = ""
        self.path = os.environ["PATH"]
        self.height = 155
        self.manifest: dict[str, Any] = {}
        directory.mkdir(parents=True, exist_ok=True)
        self._socket = self._listen()
        self._process: subprocess.Popen[bytes] | None = None
        self._replies: dict[str, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._next_id = 0

    def _listen(self) -> RpcSocket:
        return RpcSocket(self.directory / "lightning-rpc", self.node)

    # Life of the plugin --------------------------------------------------------------------

    def start(
        self,
        *,
        startup: bool = True,
        developer: bool = False,
        flags: tuple[str, ...] = (),
        plugin: Path | None = None,
    ) -> dict[str, Any] | None:
        """
        Start the plugin, or the executable *plugin*, and return its answer to `init`.
        """
        command = [str(plugin)] if plugin else [sys.executable, *flags, str(PLUGIN)]
        self._spawn([*command, *(["--developer"] if developer else [])])
        options = {option["name"]: option for option in self.manifest["options"]}
        assert set(self.config) <= set(options), "lightningd refuses to start: unknown option"
        configuration = {
            "lightning-dir": str(self.directory),
            "rpc-file": "lightning-rpc",
            "startup": startup,
            "network": self.node.info["network"],
            "feature_set": {"init": "", "node": "", "channel": "", "invoice": ""},
        }
        values = {
            name: self._typed(option, self.config.get(name, option.get("default")))
            for name, option in options.items()
            if name in self.config or "default" in option
        }
        return self._ask("init", {"options": values, "configuration": configuration})

    def manifest_only(self, *flags: str) -> None:
        """
        Start the plugin, with *flags* for Python, hear what it is, and end it.
        """
        self._spawn([sys.executable, *flags, str(PLUGIN)])
        self.kill()

    def _spawn(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.directory,
            env={
                "PATH": self.path,
                "LIGHTNINGD_PLUGIN": "1",
                "LIGHTNINGD_VERSION": self.node.info["version"],
            },
        )
        self._replies.clear()
        self._readers = [
            threading.Thread(target=target, args=(self._process,), daemon=True)
            for target in (self._read, self._read_stderr)
        ]
        for reader in self._readers:
            reader.start()
        self.manifest = self._ask("getmanifest", {"allow-deprecated-apis": False})

    def abandon(self) -> int:
        """
        Be gone without a word, and return the plugin's exit code.
        """
        self._process.stdin.close()
        return self._reap()

    def shutdown(self) -> float:
        """
        Say goodbye and return how long the plugin took to go.
        """
        began = time.monotonic()
        self.notify("shutdown", {})
        assert self._reap() == 0
        return time.monotonic() - began

    def kill(self) -> None:
        """
        End the plugin as a power cut would.
        """
        self._process.kill()
        self._reap()

    def close(self) -> None:
        """
        End what is left.
        """
        if self._process is not None:
            self.kill()
        self._socket.close()

    def _reap(self) -> int:
        code = self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join()
        self._process.stdout.close()
        self._process.stderr.close()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        return code

    # Talk ----------------------------------------------------------------------------------

    def block(self) -> None:
        """
        Tell of a new block.
        """
        self.height += 1
        self.notify("block_added", {"hash": HASH, "height": self.height})

    def notify(self, topic: str, payload: dict[str, Any]) -> None:
        """
        Send a notification, if the plugin asked for it.
        """
        if topic in self.manifest["subscriptions"]:
            self._send({"jsonrpc": "2.0", "method": topic, "params": {topic: payload}})

    def call(self, method: str, *positional: Any, **named: Any) -> Any:
        """
        Call a command of the plugin.
        """
        known = {offered["name"] for offered in self.manifest["rpcmethods"]}
        if method not in known:
            raise RpcRefusalError(-32601, f"Unknown command '{method}'")
        return self.wait_for(lambda: self._once_started(method, list(positional) or named))

    def _once_started(self, method: str, params: Any) -> Any:
        # On a busy machine the plugin may ask to be asked again.
        try:
            return self._ask(method, params)
        except RpcRefusalError as refusal:
            if "it is starting" in refusal.message:
                return None
            raise

    def setconfig(self, name: str, value: str | None, *, transient: bool = False) -> None:
        """
        Change an option; what the plugin accepts stands in the config file from then on, unless
        it is transient, which the plugin is not told.
        """
        option = next((o for o in self.manifest["options"] if o["name"] == name), None)
        if option is None or not option["dynamic"]:
            raise RpcRefusalError(
                -32602, f"config: Not a dynamic config option: invalid token '{name}'"
            )
        self._ask("setconfig", {"config": name} | ({} if value is None else {"val": value}))
        if not transient:
            self.config[name] = value

    def wait_for(self, look: Callable[[], T | None]) -> T:
        """
        Return what *look* sees as soon as it sees something.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if seen := look():
                return seen
            time.sleep(0.01)
        raise TimeoutError(self.logs[-5:], self.stderr)

    def first_cycle(self) -> dict[str, Any]:
        """
        Bring the first block and return `revenue-status` after the cycle that it started.
        """
        self.block()

        def status() -> dict[str, Any] | None:
            status = self.call("revenue-status")
            return status if status["last_cycle"] else None

        return self.wait_for(status)

    def logged(self, *levels: str) -> list[str]:
        """
        Return the lines that were logged at *levels*.
        """
        return [line for level, line in self.logs if level in levels]

    def _typed(self, option: dict[str, Any], value: Any) -> Any:
        # A config file is text; lightningd knows the types and does not start on others.
        if option["type"] == "int":
            return int(value)
        if option["type"] == "bool":
            return value if isinstance(value, bool) else {"true": True, "false": False}[value]
        return value

    def _ask(self, method: str, params: Any) -> Any:
        self._next_id += 1
        name = f"cln:{method}#{self._next_id}"
        self._send({"jsonrpc": "2.0", "id": name, "method": method, "params": params})
        with self._changed:
            done = self._changed.wait_for(
                lambda: name in self._replies or self._process.poll() is not None, PATIENCE
            )
            if name not in self._replies:
                raise PluginGoneError(self.stderr) if done else TimeoutError(method)
            reply = self._replies.pop(name)
        if error := reply.get("error"):
            raise RpcRefusalError(error["code"], error["message"])
        return reply["result"]

    def _send(self, message: dict[str, Any]) -> None:
        # That the plugin is gone, lightningd notices by the end of what it reads.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(self._written(message) + b"\n\n")
            self._process.stdin.flush()

    def _written(self, message: dict[str, Any]) -> bytes:
        return json.dumps(message).encode()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        # Whatever is no JSON followed by an empty line makes lightningd drop the plugin.
        buffer = b""
        for line in process.stdout:
            buffer += line
            if line == b"\n":
                self._take(json.loads(buffer))
                buffer = b""
        assert not buffer.strip(), buffer
        process.wait()
        with self._changed:
            self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("method") == "log":
            level = message["params"]["level"]
            assert level in {"debug", "info", "unusual", "broken", "warn", "error"}
            self.logs.append((level, message["params"]["message"]))
            return
        with self._changed:
            self._replies[message["id"]] = message
            self._changed.notify_all()

    def _read_stderr(self, process: subprocess.Popen[bytes]) -> None:
        for line in process.stderr:
            self.stderr += line.decode()
