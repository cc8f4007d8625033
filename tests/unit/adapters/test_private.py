"""Private files: whatever was there before, and whatever the umask."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from revops.adapters.private import claim


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o277, 0o777])
def test_a_new_file_is_its_owners_alone(tmp_path: Path, mask: int) -> None:
    """
    The umask takes nothing away and leaves nothing open.
    """
    with umask(mask):
        claim(tmp_path / "new")

    assert mode(tmp_path / "new") == 0o600


@pytest.mark.parametrize("before", [0o644, 0o660, 0o606, 0o777])
def test_a_file_that_others_could_read_is_so_no_longer(tmp_path: Path, before: int) -> None:
    """
    What is in it stays.
    """
    path = tmp_path / "old"
    path.write_text("kept")
    path.chmod(before)
    claim(path)

    assert mode(path) == 0o600
    assert path.read_text() == "kept"


def test_what_the_owner_made_stricter_stays_so(tmp_path: Path) -> None:
    """
    Rights are taken from others, and none is given.
    """
    path = tmp_path / "old"
    path.touch()
    path.chmod(0o400)
    claim(path)

    assert mode(path) == 0o400


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    """
    A report may go into a pipe; nobody else loses a right to that.
    """
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o644)
    claim(pipe)

    assert mode(pipe) == 0o644
