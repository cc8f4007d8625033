"""Books in trouble: full, locked or damaged, they are told of, and never harmed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from random import Random  # noqa: TID251 -- a test draws what no decision depends on
from typing import Final

import pytest
from e2e.fake_lightningd import PLUGIN, FakeLightningd
from e2e.life import Start
from e2e.office import Office
from fakes import RpcRefusalError
from faults.patient import Patient
from unit.adapters.store_examples import NOW, channel, forward, take

from revops.adapters.errors import StoreError
from revops.adapters.store import Store
from revops.adapters.store.settings import peek
from revops.core.memory import Memory
from revops.shell.commands import COMMANDS
from revops.shell.commands.command import CommandError, NotDoneError

DAMAGES: Final = int(os.environ.get("DAMAGES", "6"))
ROOT: Final = os.geteuid() == 0
MISLED: Final = 32
"""Damage that nobody notices who looks at what is needed first, and that misleads later."""
CUTS: Final = 15
PAGE: Final = 4096
LOOPS: Final = ("fees", "forwards", "books", "upkeep", "rebalance", "jobs")


# Damage --------------------------------------------------------------------------------------


def damaged(chance: Random, books: bytes) -> bytes:
    """
    Return *books* with some harm done to them.
    """
    text = bytearray(books)
    size = len(text)
    at, length = chance.randrange(size), chance.choice((1, 100, PAGE, 10 * PAGE))
    match chance.choice(("bits", "zeros", "noise", "short", "moved", "header")):
        case "bits":
            for _ in range(chance.choice((1, 5, 50))):
                text[chance.randrange(size)] ^= 1 << chance.randrange(8)
        case "zeros":
            text[at : at + length] = bytes(len(text[at : at + length]))
        case "noise":
            text[at : at + length] = chance.randbytes(len(text[at : at + length]))
        case "short":
            del text[at:]
        case "moved":
            there = PAGE * chance.randrange(1, size // PAGE)
            text[at // PAGE * PAGE :][:PAGE] = text[there:][:PAGE]
        case _:
            text[chance.randrange(100)] = chance.randrange(256)
    return bytes(text)


@pytest.mark.parametrize("seed", sorted({*range(DAMAGES), MISLED}))
def test_damage_is_an_error_and_never_a_surprise(start: Start, tmp_path: Path, seed: int) -> None:
    """
    Books that were damaged anywhere are refused with advice, and not a byte of them is changed;
    or what is left can be worked with, and every command answers.
    """
    node = start.again(tmp_path / "regtest")
    books = tmp_path / "regtest" / "revenue_ops.db"
    books.write_bytes(damaged(Random(seed), books.read_bytes()))
    before = books.read_bytes()
    peek(books)
    try:
        office = Office(tmp_path / "regtest", node)
    except StoreError as error:
        told = str(error)
    else:
        with closing(office):
            live_on(office)
        return

    assert told.startswith(f"{books}: ")
    assert books.read_bytes() == before


def live_on(office: Office) -> None:
    """
    Have every loop run and every command answer, or say in a sentence why not.
    """
    for loop in LOOPS:
        office.app.worker.run_once(loop)
    for command in COMMANDS:
        if not any(argument.needed for argument in command.arguments):
            with suppress(CommandError, NotDoneError, StoreError):
                office.call(command.name)

    assert [line for _, line in office.logs if "Traceback" in line] == []


def test_what_a_power_cut_left_of_the_last_writes_is_whole(tmp_path: Path) -> None:
    """
    However little of what was written last is on the disk: the books hold some first of the
    writes, each of these whole, with what it says of how far was counted.
    """
    books, crashed = tmp_path / "books.db", tmp_path / "crashed.db"
    with closing(Store.open(books)) as store:
        store.know_channels([channel(2)], NOW)
        for number in range(1, 9):
            take(store, [forward(number)], **{"forwards.created": number})
        main, wal = books.read_bytes(), Path(f"{books}-wal").read_bytes()
    found = set()
    for part in range(CUTS + 1):
        crashed.write_bytes(main)
        Path(f"{crashed}-wal").write_bytes(wal[: len(wal) * part // CUTS])
        with closing(Store.open(crashed)) as store:
            counted = store.cursors().get("forwards.created", 0)
            traffic = store.traffic(NOW, 7, Memory()).get(channel(2).channel_id)
            assert counted == (traffic.out_count if traffic else 0)
            found.add(counted)

    assert {0, 8} < found


# Books that cannot be written ----------------------------------------------------------------


def check_that_nothing_is_done(patient: Patient) -> None:
    """
    No loop that would write does anything, and the operator is told.
    """
    patient.node.calls.clear()
    patient.run(LOOPS)

    assert {"fees", "rebalance"} <= set(patient.failing())
    assert patient.node.called("setchannel") == []
    assert patient.node.called("sling-once") == []
    assert patient.surprises() == []


def check_that_all_is_well(patient: Patient) -> None:
    """
    All is done that was not, and nothing is forgotten.
    """
    patient.recover(LOOPS)

    assert patient.failing() == {}
    assert patient.node.called("setchannel") != []
    assert patient.node.called("sling-once") != []
    assert patient.known <= patient.remembered()
    assert patient.surprises() == []
    assert patient.ledger.settled == patient.ledger.paid


_HOLD: Final = """
import sqlite3, sys
books = sqlite3.connect(sys.argv[1], isolation_level=None)
books.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_what_another_process_locks_waits_for_it(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    As long as another program holds the books nothing is done that cannot be written down, and
    what was written before can be asked for; then all goes on.
    """
    monkeypatch.setattr("revops.adapters.store.store._PATIENCE_S", 0.02)
    patient.restart()
    command = [sys.executable, "-c", _HOLD, patient.app.store.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        check_that_nothing_is_done(patient)
        status = patient.call("revenue-status")
        other.stdin.close()

    assert any("database is locked; another program holds it" in t for t in status["troubles"])
    check_that_all_is_well(patient)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """
    A disk of two megabytes; only root can have one made.
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_disk_that_is_full_stops_what_would_be_written(start: Start, small_disk: Path) -> None:
    """
    On a full disk nothing is done that cannot be written down; when there is room again all goes
    on, with all that was learned.
    """
    patient = Patient(small_disk / "regtest", start.again(small_disk / "regtest"))
    with closing(patient):
        patient.stir()
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(PAGE))
        check_that_nothing_is_done(patient)
        troubles = patient.call("revenue-status")["troubles"]
        filler.unlink()

        assert any("full; make room on the disk" in trouble for trouble in troubles)
        check_that_all_is_well(patient)


@pytest.fixture
def launcher(tmp_path: Path) -> Path:
    """
    What starts the plugin as somebody who may do no more than the modes of files say, as root may.
    """
    drop = "setpriv --bounding-set=-dac_override --inh-caps=-dac_override" if ROOT else ""
    script = tmp_path / "launcher.sh"
    script.write_text(f'#!/bin/sh\nexec {drop} "{sys.executable}" "{PLUGIN}" "$@"\n')
    script.chmod(0o755)
    return script


@pytest.mark.skipif(ROOT and not shutil.which("setpriv"), reason="root may write anything")
@pytest.mark.parametrize("locked", ["books", "books/own.db"])
def test_what_may_not_be_written_is_left_alone(
    lightningd: FakeLightningd, launcher: Path, locked: str
) -> None:
    """
    Where the file or its directory is read-only revops does not start, says what it needs to be
    allowed, and changes nothing; once it may write it starts.
    """
    directory = lightningd.directory / "books"
    directory.mkdir()
    lightningd.config = {"revenue-ops-db-path": "books/own.db"}
    lightningd.start(plugin=launcher)
    lightningd.first_cycle()
    lightningd.shutdown()
    books, place = directory / "own.db", lightningd.directory / locked
    before, mode = books.read_bytes(), place.stat().st_mode
    place.chmod(mode & ~0o222)
    lightningd.start(plugin=launcher)
    with pytest.raises(RpcRefusalError, match="; let the user that runs lightningd write"):
        lightningd.call("revenue-status")
    assert lightningd.shutdown() < 2.0
    assert books.read_bytes() == before

    place.chmod(mode)
    lightningd.start(plugin=launcher)
    assert lightningd.first_cycle()["troubles"] == []
