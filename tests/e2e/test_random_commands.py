"""Ten thousand random commands: none ends the plugin, and none that is refused changes a thing."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from e2e.anything import RAW, Call, Event, asked, events
from e2e.fake_lightningd import FakeLightningd, PluginGoneError
from fakes import FakeNode, RpcRefusalError
from hypothesis import HealthCheck, Phase, example, given, note, settings
from hypothesis import strategies as st

from revops.shell.clock import Clock

CALLS: Final = int(os.environ.get("RANDOM_COMMANDS", "10000"))
BATCH: Final = 25
MOST_LETTERS: Final = 1000

WISHES: Final = {"config", "policies", "policy_tags", "policy_changes", "fee_pins"}
"""Tables that only commands write."""


class Talker(FakeLightningd):
    """
    Says what JSON can hold and Python does not write.
    """

    def _written(self, message: dict[str, Any]) -> bytes:
        text = json.dumps(message)
        for name, literal in RAW.items():
            text = text.replace(name, literal)
        return text.encode()


class Books:
    """
    The plugin's books, as they are and as they were at the last question.
    """

    def __init__(self, path: Path) -> None:
        self._past, self._present = (
            sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
            for _ in range(2)
        )
        rows = self._present.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        self._tables = [name for (name,) in rows]
        self._version = 0

    @contextmanager
    def remembered(self) -> Iterator[None]:
        """
        Keep the past as it is now.
        """
        self._version = self._data_version()
        self._past.execute("BEGIN")
        self._past.execute("SELECT * FROM policies LIMIT 1").fetchall()  # the past begins here
        try:
            yield
        finally:
            self._past.execute("COMMIT")

    def changed(self) -> set[str]:
        """
        Return the tables that were changed since.
        """
        if self._data_version() == self._version:
            return set()
        select = "SELECT * FROM {}".format
        return {
            table
            for table in self._tables
            if self._past.execute(select(table)).fetchall()
            != self._present.execute(select(table)).fetchall()
        }

    def _data_version(self) -> int:
        # SQLite counts what others change: most of the time there is nothing to compare.
        (version,) = self._present.execute("PRAGMA data_version").fetchone()
        return version

    def close(self) -> None:
        """
        Look no more.
        """
        self._past.close()
        self._present.close()


class Siege:
    """
    One plugin that is asked all of it, and what its operator can see of its state.
    """

    def __init__(self, lightningd: FakeLightningd) -> None:
        self.lightningd = lightningd
        self._books: Books

    def begin(self) -> None:
        """
        Start the plugin, and its first cycle.
        """
        self.lightningd.start()
        self.lightningd.block()
        self.lightningd.call("revenue-status")
        self._books = Books(self.lightningd.directory / "revenue_ops.db")

    def end(self) -> None:
        """
        Let the plugin go.
        """
        self._books.close()
        self.lightningd.shutdown()

    def take(self, event: Event, call: Call) -> None:
        """
        Let something happen, ask, and look.
        """
        if event[0] == "restart":
            self.end()
            self.begin()
        elif event[0] != "none":
            self.lightningd.notify(*event)
        try:
            with self._books.remembered():
                self._ask(*call)
        except PluginGoneError:
            self._books.close()
            self.begin()  # for the next one
            raise
        logs = self.lightningd.logs[:]
        self.lightningd.logs.clear()
        assert [line for level, line in logs if level in ("broken", "error")] == []
        assert not any("Traceback" in line for _, line in logs)

    def _ask(self, method: str, params: Any) -> None:
        fees, files, at = self.lightningd.node.fees(), self._files(), Clock().now()
        refusal = self._refusal(method, params)
        if refusal is None:
            return
        assert refusal.isprintable()
        assert len(refusal) < MOST_LETTERS
        assert "Error:" not in refusal, "that is the name of an exception"
        changed = self._books.changed()
        assert not changed & WISHES
        assert self._files() == files
        if changed or self.lightningd.node.fees() != fees:
            # The loops change things too: one must have been at work just now.
            loops = self.lightningd.call("revenue-status")["loops"]
            assert any(loop["running_since"] or (loop["last_ok"] or 0) >= at - 1 for loop in loops)

    def _refusal(self, method: str, params: Any) -> str | None:
        try:
            result = self.lightningd._ask(method, params)
        except RpcRefusalError as error:
            told = error
        else:
            assert isinstance(result, dict)
            return result["error"] if result.get("status") == "error" else None
        assert type(told.code) is int
        assert told.message.startswith(f"{method}: ")
        return told.message

    def _files(self) -> list[str]:
        return sorted(file.name for file in self.lightningd.directory.iterdir())


@pytest.fixture
def siege(tmp_path: Path) -> Iterator[Siege]:
    """
    A plugin that has started.
    """
    node = FakeNode(now=Clock().now())
    node.clboss.there = True
    lightningd = Talker(tmp_path / "regtest", node)
    siege = Siege(lightningd)
    siege.begin()
    yield siege
    siege.end()
    lightningd.close()


def test_random_commands(siege: Siege) -> None:
    """
    Whatever it is asked and told, ten thousand times: the plugin lives, answers with a result or
    with one sentence, logs nothing broken, and what it refuses has changed nothing.
    """
    siege.lightningd.first_cycle()
    none = ("none", None)

    @settings(
        max_examples=CALLS // BATCH,
        database=None,
        # The last note says what went wrong; to find a shorter way there takes minutes.
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @example([(none, ("revenue-policy", ["changes", word])) for word in ("<half>", [], {}, 0.5)])
    @example([(none, ("revenue-report", ["peer", word])) for word in ({}, [], 1, "<nest>")])
    @example([(none, ("revenue-explain", [word])) for word in ("<digits>", "<deep>", "<nests>")])
    @example([(none, ("revenue-snapshot", {"save": name})) for name in ("<half>", "\0", [], True)])
    @example([(none, ("revenue-status", {"plugin": 1})), (none, ("revenue-status", "text"))])
    @given(st.lists(st.tuples(events, asked), min_size=BATCH, max_size=BATCH))
    def ask(batch: list[tuple[Event, Call]]) -> None:
        for event, call in batch:
            note(f"{event!r:.200} {call!r:.400}")
            siege.take(event, call)

    ask()

    assert siege.lightningd.stderr == ""


def test_what_python_cannot_read_is_refused(siege: Siege) -> None:
    """
    Numbers of thousands of digits and lists of thousands within each other pass lightningd; the
    call is refused, by whatever way its params come, and the next one is answered.
    """
    for params in (["<digits>"], ["<deep>"], {"channel": "<nests>"}, {'"id": "x"': ["<deep>"]}):
        with pytest.raises(RpcRefusalError, match="revenue-explain: a number is too long") as told:
            siege.lightningd._ask("revenue-explain", params)
        assert told.value.code == -32602
    assert siege.lightningd.call("revenue-status")["status"] == "running"


def test_arguments_named_as_pyln_names_its_own_are_refused_too(siege: Siege) -> None:
    """
    `plugin` and `request` are unknown arguments like any other; params that are neither a list
    nor an object are refused.
    """
    for params, sentence in (
        ({"plugin": 1}, "plugin: there is no such argument"),
        ({"request": 1}, "request: there is no such argument"),
        ("text", "params: expected a list or an object, got 'text'"),
    ):
        with pytest.raises(RpcRefusalError, match=f"revenue-status: {sentence}"):
            siege.lightningd._ask("revenue-status", params)
