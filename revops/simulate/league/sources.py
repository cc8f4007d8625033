"""Sources: which code a result of the arena depends on, so that none is shown for other code."""

import ast
import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import scipy

from revops.simulate.arena import contest, core_policy
from revops.simulate.arena.policies import CORES

_ARENA: Final = Path(contest.__file__).parent
_ROOT: Final = _ARENA.parents[2]
_WORLD: Final = ("play", "tape", "worth", "fluid", "static", "measures", "scenarios")
"""What makes a tape, plays it and knows its bounds, whoever plays."""
_OF_THE_CORE: Final = ("units", "value")
"""What the world takes from the core; the rest it hands on or does not know."""


def oracle_digest() -> str:
    """
    Return what changes with anything that decides what the oracles come to.
    """
    return _digest(())


def digest_of(policy: str) -> str:
    """
    Return what changes with anything that decides what *policy* comes to.
    """
    core = CORES.get(policy.partition(",")[0])
    if core is None:
        return _digest((_ARENA / "policies.py", *sorted((_ARENA / "rivals").glob("*.py"))))
    return _digest(tuple(filter(None, map(_file, {core.__module__, core_policy.__name__}))))


@cache
def _digest(files: tuple[Path, ...]) -> str:
    """
    Return a digest of the world's sources, of *files*, and of all that either of them import.
    """
    core = {_ROOT / "revops" / "core" / f"{name}.py" for name in _OF_THE_CORE}
    world = _closure(
        (_ARENA / f"{name}.py" for name in _WORLD),
        lambda file: file in core or _ARENA in file.parents,
    )
    # What puts things together names every policy, and is no reason to play them all again.
    together = {_ARENA / "contest.py", _ARENA / "policies.py"}
    played = _closure(files, lambda file: file not in together)
    text = hashlib.sha256(f"numpy {np.__version__}, scipy {scipy.__version__}".encode())
    for file in sorted({*world, *played, *files, *_ARENA.glob("*.json"), _ARENA / "contest.py"}):
        text.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return text.hexdigest()[:16]


def _closure(files: Iterable[Path], follows: Callable[[Path], bool]) -> set[Path]:
    """
    Return *files* and all that they import, as far as one *follows* that.
    """
    found = set[Path]()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file not in found and follows(file):
            found.add(file)
            waiting += imported(file)
    return found


@cache
def imported(file: Path) -> tuple[Path, ...]:
    """
    Return the files of ours that a *file* of ours imports.
    """
    found: list[Path | None] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [_file(alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            found += [_file(name) or _file(node.module) for name in names]
    return tuple(path for path in found if path is not None)


def _file(module: str) -> Path | None:
    """
    Return where a *module* of ours is; `None` for those of others, and for what is no module.
    """
    path = _ROOT.joinpath(*module.split("."))
    found = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in found if module.startswith("revops") and file.is_file()), None)
