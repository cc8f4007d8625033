"""revenue-snapshot: what the last cycle saw, as a file that `python -m revops.simulate` reads."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from revops.core.config import Config
from revops.core.snapshot import Snapshot
from revops.shell.commands.command import (
    Answer,
    Argument,
    Command,
    CommandError,
    Given,
    switch,
    text,
)
from revops.shell.commands.look import last_look, last_money_look

if TYPE_CHECKING:
    from revops.shell.app import App

Seen = tuple[Snapshot, Config]
"""A look, and the options under which it was decided on."""


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-snapshot`.
    """
    from revops.adapters import wire  # noqa: PLC0415 -- the manifest has no use for it
    from revops.adapters.redact import redacted  # noqa: PLC0415 -- likewise

    redact = switch("redact", given.get("redact", True))
    found, config = _look(given.get("cycle", "fees"))(app)
    snapshot = redacted(found) if redact else found
    # Where the books are decides nothing and names the operator's directories.
    config = attrs.evolve(config, db_path=None)
    if "save" not in given:
        return wire.snapshot_document(snapshot, config)
    path = _inside(app.directory, text("save", given["save"]))
    _write_private(path, wire.write_snapshot(snapshot, config))
    return {
        "saved": str(path),
        "size_bytes": path.stat().st_size,
        "channels": len(snapshot.channels),
    }


def _of_fees(app: "App") -> Seen:
    """
    Return the look of the last fee cycle, with what rebalancing found beside it in its last one:
    so that one file tells of both.
    """
    last, moved = last_look(app), app.money.last
    if moved is None:
        return last.snapshot, last.config
    money = moved.snapshot
    both = attrs.evolve(last.snapshot, onchain_msat=money.onchain_msat, treasury=money.treasury)
    return both, last.config


def _of_money(app: "App") -> Seen:
    last = last_money_look(app)
    return last.snapshot, last.config


def _look(word: object) -> Callable[["App"], Seen]:
    looks = {"fees": _of_fees, "rebalance": _of_money}
    if not isinstance(word, str) or word not in looks:
        msg = f"cycle: expected one of {', '.join(looks)}, got {word!r}"
        raise CommandError(msg)
    return looks[word]


def _inside(directory: Path, save: str) -> Path:
    root = directory.resolve()
    try:
        path = (root / save).resolve()
    except (OSError, ValueError):  # no file has such a name
        path = root
    if root not in path.parents:
        msg = f"save: expected a path inside {root}, got {save!r}"
        raise CommandError(msg)
    return path


def _write_private(path: Path, content: str) -> None:
    # A file that is there already is not ours to overwrite: keys live in this directory too.
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        msg = f"save: {path} cannot be written: {error.strerror}"
        raise CommandError(msg) from None
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(content)


COMMAND = Command(
    name="revenue-snapshot",
    help="Show what the last cycle saw, ready for python -m revops.simulate.",
    arguments=(
        Argument("redact", "false keeps names and ids; otherwise ids are hashed, names left out"),
        Argument(
            "cycle",
            "fees for the look of the last fee cycle with the last treasury beside it, or rebalance"
            " for that of the last rebalancing cycle; fees if not given",
        ),
        Argument("save", "a new file inside lightning-dir to write to, instead of answering it"),
    ),
    run=run,
    examples=("revenue-snapshot", "revenue-snapshot -k redact=false save=now.json"),
    slow=True,
)
