"""Private: files that only their owner may read, from the first byte on and whatever the umask."""

import errno
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
            path.chmod(found.st_mode & _OURS)


def demand(path: Path) -> None:
    """
    Fail unless the file at *path* may be written: SQLite would open it all the same, and fail at
    the first write.

    Raises:
        PermissionError: It may not.
    """
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
