"""The walls of the house: who may import whom, and what the core may not do."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "revops"
SOURCES = sorted(PACKAGE.rglob("*.py"))
CORE = sorted((PACKAGE / "core").rglob("*.py"))

LONGEST_BODY = 40
LONGEST_FILE = 400

# Modules of the standard library that cannot touch the world.
PURE = {
    "bisect",
    "collections",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "statistics",
    "string",
    "typing",
}
IMPURE_CALLS = {
    *("__import__", "breakpoint", "compile", "eval", "exec", "exit", "globals", "id", "input"),
    *("locals", "open", "print", "quit", "setattr", "vars"),
}
# What a layer may name beside the standard library and revops itself.
THIRD_PARTIES = {
    "core": {"attrs"},
    "adapters": {"attrs", "cattrs", "pybreaker", "yoyo"},
    "shell": {"attrs", "prometheus_client", "pyln", "structlog"},
    "simulate": {
        *("attrs", "distributed", "jinja2", "markupsafe", "numpy", "plotly", "rich", "scipy"),
        *("tomli", "typer"),
    },
}
# Doors to the outside, and the only modules that open them.
DOORS = {
    "cattrs": ("adapters/wire",),
    "ctypes": (),
    "distributed": ("simulate/sweep/crews",),
    "jinja2": ("simulate/report/document",),
    "markupsafe": ("simulate/report/document",),
    "http": ("shell/metrics/server",),
    "marshal": (),
    "numpy": ("simulate/",),
    "pickle": (),
    "plotly": ("simulate/report/document",),
    "prometheus_client": ("shell/metrics/exposition",),
    "pybreaker": ("adapters/breaker",),
    "pyln": ("shell/",),
    "socket": ("adapters/rpc", "shell/metrics/server"),
    "socketserver": ("shell/metrics/server",),
    "sqlite3": ("adapters/store", "simulate/kept"),
    "yoyo": ("adapters/store",),
    "scipy": ("simulate/",),
    "structlog": ("shell/",),
    "subprocess": (),
    # A socket's deadline and what a run takes are the machine's own time.
    "time": ("shell/clock", "adapters/rpc", "simulate/arena/contest", "simulate/sweep/cells"),
    "random": (),
    "rich": ("simulate/",),
    "tomli": ("simulate/sweep/grid_file",),
    "typer": ("simulate/",),
    "urllib": ("shell/metrics/server",),
}
# Who writes files, having thought of who may read them.
WRITERS = {
    "adapters/private",
    "shell/commands/snapshot",
    "shell/handbook/__main__",
    "simulate/arena_command",
    "simulate/plan_command",
    "simulate/sweep_command",
}
OUTSIDE = {
    "revops.adapters.clboss",
    "revops.adapters.cln",
    "revops.adapters.hive",
    "revops.adapters.sling",
    "revops.adapters.store",
}


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix().removesuffix(".py")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def test_contracts_of_import_linter_hold() -> None:
    """
    The layers and contracts that `pyproject.toml` declares are kept, indirect imports included.
    """
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_a_layer_names_only_its_third_parties(path: Path) -> None:
    """
    Each layer uses the libraries that docs/architecture.md gives it, and no others.
    """
    outside = {top(name) for name in imports(tree(path))} - {"revops"} - sys.stdlib_module_names
    layer = place(path).split("/")[0]

    assert set() == outside - THIRD_PARTIES.get(layer, set())


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_a_door_to_the_outside_is_opened_in_one_place(path: Path) -> None:
    """
    SQLite, lightningd's socket, JSON structuring and the clock have one module each.
    """
    used = {top(name) for name in imports(tree(path))} & DOORS.keys()

    assert [door for door in used if not place(path).startswith(DOORS[door])] == []


def test_files_are_written_in_few_places() -> None:
    """
    What makes or writes a file is listed above; everything else goes into the books.
    """
    writing = {"mkdir", "touch", "write_bytes", "write_text"}
    found = {
        place(path)
        for path in SOURCES
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr in writing)
        or (isinstance(node, ast.Call) and ast.unparse(node.func) in {"open", "os.open"})
    }

    assert found == WRITERS


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_only_the_composition_root_knows_every_adapter(path: Path) -> None:
    """
    Two outside adapters meet in `shell/main.py` and nowhere else.
    """
    known = {door for door in OUTSIDE for name in imports(tree(path)) if name.startswith(door)}

    assert len(known) < 2 or place(path) == "shell/main"


@pytest.mark.parametrize("path", CORE, ids=place)
def test_the_core_is_pure(path: Path) -> None:
    """
    The core imports only what cannot touch the world, and calls no builtin that can.
    """
    module = tree(path)
    foreign = {top(name) for name in imports(module)} - {"revops", "attrs"}
    called = {
        node.func.id
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert set() == foreign - PURE
    assert set() == called & IMPURE_CALLS


@pytest.mark.parametrize("path", CORE, ids=place)
def test_the_core_keeps_no_state(path: Path) -> None:
    """
    No function of the core writes to its module, and every name a module binds is `Final`, a
    type, or its public face.
    """
    module = tree(path)
    rebinding = [n for n in ast.walk(module) if isinstance(n, (ast.Global, ast.Nonlocal))]

    assert rebinding == []
    assert [ast.unparse(node) for node in module.body if is_mutable(node)] == []


def is_mutable(node: ast.stmt) -> bool:
    """
    Say whether *node* binds a container that somebody could write to.
    """
    if isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        return names != ["__all__"] and isinstance(node.value, CONTAINERS)
    if isinstance(node, ast.AnnAssign):
        return not ast.unparse(node.annotation).startswith("Final") and isinstance(
            node.value, CONTAINERS
        )
    return False


CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


@pytest.mark.parametrize("path", CORE, ids=place)
def test_classes_of_the_core_are_frozen(path: Path) -> None:
    """
    A class of the core is a frozen attrs class, a named tuple, an enum or an error.
    """
    loose = [
        node.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        and not any("frozen" in ast.unparse(decorator) for decorator in node.decorator_list)
        and not any(ast.unparse(base) in CLOSED_BASES for base in node.bases)
    ]

    assert loose == []


CLOSED_BASES = {"enum.Enum", "Exception", "ValueError", "NamedTuple", "Protocol"}


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_files_and_functions_are_short(path: Path) -> None:
    """
    A file fits in the head, a function on a screen.
    """
    module = tree(path)
    long = [
        f"{node.name}: {body_lines(node)}"
        for node in ast.walk(module)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and body_lines(node) > LONGEST_BODY
    ]

    assert long == []
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """
    Return how many lines *function* has below its signature and docstring.
    """
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_every_module_opens_with_a_claim() -> None:
    """
    A module says in its first lines what it is for.
    """
    assert [place(path) for path in SOURCES if not ast.get_docstring(tree(path))] == []
