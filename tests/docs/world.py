"""The machine that a document's reader sits at: a home, a checkout, programs, and a node."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.desk import Desk
from docs.shims import NAME, PROGRAMS

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "build", "dist", "*.egg-info")
_ONLY_IF_ABSENT = "sqlite3"


class World:
    """
    What the blocks of one document find, and leave behind for the next block.

    Attributes:
        home: The reader's home directory.
        checkout: This repository as it stands now, in there.
        directory: Where a block begins.
    """

    def __init__(self, *, in_checkout: bool) -> None:
        # A socket's path is short, so this cannot be one of pytest's directories.
        self._temporary = tempfile.TemporaryDirectory(prefix="doc")
        self.home = Path(self._temporary.name)
        self.checkout = self.home / NAME
        shutil.copytree(ROOT, self.checkout, ignore=_LEFT_OUT)
        self.directory = self.checkout if in_checkout else self.home
        self._path = f"{self._programs()}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.desk = Desk(self.home, self._path)

    def _programs(self) -> Path:
        bin_ = self.home / "bin"
        bin_.mkdir()
        for name in PROGRAMS:
            if name == _ONLY_IF_ABSENT and shutil.which(name):
                continue
            shim = Path(__file__).with_name("shims.py")
            (bin_ / name).write_text(f'#!/bin/sh\nexec {sys.executable} {shim} {name} "$@"\n')
            (bin_ / name).chmod(0o755)
        return bin_

    def close(self) -> None:
        """
        End what runs and delete what was written.
        """
        self.desk.close()
        self._temporary.cleanup()

    def sh(self, script: str) -> subprocess.CompletedProcess[str]:
        """
        Run *script* up to its first failure.
        """
        return subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=self.directory,
            env={
                "HOME": str(self.home),
                "PATH": self._path,
                "LANG": "C.UTF-8",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PIP_NO_INDEX": "1",
                "MAKE_PROGRAM": shutil.which("make") or "make",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def steps(console: str) -> list[tuple[str, str]]:
    """
    Return the commands of a block that shows a terminal, each with what is shown below it.
    """
    found: list[tuple[str, str]] = []
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        length = 1
        while lines[length - 1].endswith("\\"):
            length += 1
        found.append(("\n".join(lines[:length]), "\n".join(lines[length:]).strip()))
    return found


def agrees(shown: str, came: str) -> bool:
    """
    Say whether *came* is what is *shown*, in which … stands for anything.
    """
    pattern = ".*?".join(re.escape(part.strip(" ")) for part in shown.split("…"))
    return re.fullmatch(pattern, came.strip(), flags=re.DOTALL) is not None
