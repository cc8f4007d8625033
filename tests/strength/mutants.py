"""
Changes the core in small ways, one at a time, and tells which changes no test sees.

A module has a workspace of its own below `build/mutants`, so that a run that was stopped goes on
where it was, and nothing that changes meanwhile disturbs it. What survived is tried again.

    python tests/strength/mutants.py budget rebalance/gates    # run these
    python tests/strength/mutants.py --most 60 flow            # of a large one, so many drawn
    python tests/strength/mutants.py --table docs/debts.md     # what all runs so far came to
    python tests/strength/mutants.py --survivors budget        # each with its change
"""

import argparse
import json
import os
import random  # noqa: TID251 -- which mutants are drawn decides no money
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents
from suites import ON_IMPORT, suite_of

ROOT = Path(__file__).resolve().parents[2]
CORE = Path("revops/core")
BUILD = ROOT / "build/mutants"
NEEDED = ("examples", "migrations", "revops", "tests")
SEED = 7
SURVIVED = {0, 33, None}  # 33: no test comes by
FAILED = 1  # what else there is ran out of time
MARK = "<!-- mutants -->"

CONFIG = """
[tool.mutmut]
source_paths = ["revops"]
only_mutate = ["{path}"]
also_copy = ["examples", "migrations"]
track_dependencies = false
timeout_multiplier = 3.0
timeout_constant = 5.0
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = [
    "-p", "no:cacheprovider", "-p", "no:unraisableexception", "-k", "not agrees_with and not finds"
]
"""


def modules() -> list[str]:
    return sorted(
        path.relative_to(ROOT / CORE).as_posix().removesuffix(".py")
        for path in (ROOT / CORE).rglob("*.py")
        if path.name != "__init__.py"
    )


def workspace(module: str) -> Path:
    return BUILD / module.replace("/", ".")


def prepared(module: str) -> Path:
    """
    Return the workspace of *module*, with everything as it is now; with other tests all that was
    found before is void.
    """
    place = workspace(module)
    for name in NEEDED:
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / name, place / name, ignore=ignored, dirs_exist_ok=True)
    config = CONFIG.format(path=CORE / f"{module}.py", tests=json.dumps(suite_of(module)))
    settings = place / "pyproject.toml"
    if settings.exists() and not settings.read_text().endswith(config):
        shutil.rmtree(place / "mutants", ignore_errors=True)
    settings.write_text((ROOT / "pyproject.toml").read_text() + config)
    return place


def verdicts(module: str) -> Mapping[str, int | None]:
    """
    Return what became of each mutant of *module*, by its name; nothing before the first run.
    """
    kept = workspace(module) / "mutants" / CORE / f"{module}.py.meta"
    found = json.loads(kept.read_text())["exit_code_by_key"] if kept.exists() else {}
    return {name: code for name, code in found.items() if can_be_tried(module, name)}


def can_be_tried(module: str, name: str) -> bool:
    """
    Return whether the mutant *name* of *module* is switched on before its function is called.
    """
    function = name.rpartition(".")[2].rpartition("__mutmut_")[0].removeprefix("x_")
    return function not in ON_IMPORT.get(module, ())


def mutants(module: str) -> list[str]:
    path = ROOT / CORE / f"{module}.py"
    os.chdir(workspace(module))  # there mutmut finds its configuration
    made = mutate_file_contents(str(path), path.read_text()).mutant_names
    prefix = f"revops.core.{module.replace('/', '.')}."
    return [prefix + name for name in made if can_be_tried(module, name)]


def run(module: str, most: int | None) -> None:
    """
    Try the mutants of *module*, or *most* of them, and again those that no test saw.
    """
    place = prepared(module)
    names = mutants(module)
    random.Random(SEED).shuffle(names)
    known = verdicts(module)
    drawn = [*names[:most], *(name for name in names if known.get(name) is not None)]
    left = [name for name in dict.fromkeys(drawn) if known.get(name) in SURVIVED]
    if left:
        # Which tests call which function is asked anew: they may have changed since.
        (place / "mutants/mutmut-stats.json").unlink(missing_ok=True)
        command = [Path(sys.executable).with_name("mutmut"), "run", "--max-children", "1", *left]
        environment = {**os.environ, "HYPOTHESIS_PROFILE": "mutants"}
        subprocess.run(command, cwd=place, env=environment, check=True)


def tried(module: str) -> dict[str, int]:
    return {name: code for name, code in verdicts(module).items() if code is not None}


def rows() -> Iterator[str]:
    """
    Yield the table of what all runs so far came to.
    """
    yield "| module | mutants | tried | seen | ran too long | not seen |"
    yield "|---|--:|--:|--:|--:|--:|"
    total = [0, 0, 0, 0, 0]
    for module in modules():
        known = tried(module)
        if not known:
            continue
        seen = sum(code == FAILED for code in known.values())
        missed = sum(code in SURVIVED for code in known.values())
        counts = [len(verdicts(module)), len(known), seen, len(known) - seen - missed, missed]
        total = [a + b for a, b in zip(total, counts, strict=True)]
        yield f"| `{module}` | {' | '.join(map(str, counts))} |"
    yield f"| all of these | {' | '.join(map(str, total))} |"


def survivors(module: str) -> None:
    for name, code in tried(module).items():
        if code in SURVIVED:
            command = [Path(sys.executable).with_name("mutmut"), "show", name]
            subprocess.run(command, cwd=workspace(module), check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--most", type=int)
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--table", type=Path, metavar="FILE")
    given = parser.parse_args()
    for module in given.modules or ([] if given.table else modules()):
        survivors(module) if given.survivors else run(module, given.most)
    if given.table:
        before, _, after = given.table.read_text().split(MARK)
        table = "\n".join(rows())
        given.table.write_text(f"{before}{MARK}\n{table}\n{MARK}{after}")


if __name__ == "__main__":
    main()
