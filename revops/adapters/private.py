"""Private: files that only their owner may read, from the first byte on and whatever the umask."""

import os
import stat
from pathlib import Path
from typing import Final

_OURS: Final = 0o600
_OTHERS: Final = 0o077


def claim(path: Path) -> None:
    """
    Have the file at *path* there, empty if it was not, and readable by nobody else. What is no
    file, such as a terminal, stays as it is.

    Raises:
        OSError: It cannot be made, or is not ours to change.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OURS))
        path.chmod(_OURS)
    except FileExistsError:
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and found.st_mode & _OTHERS:
            path.chmod(_OURS)
