"""The wheel: what is shipped, and that the core needs attrs and nothing else."""

import importlib.metadata
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LIBRARY_USE = """
import importlib.util
from revops.core import Channel, Config, Node, Snapshot, decide, sentence

snapshot = Snapshot(
    now=1_790_000_000,
    node=Node(node_id="02" * 33),
    channels=(
        Channel(
            channel_id="ab" * 32,
            scid="700000x1x0",
            peer_id="03" * 33,
            state="CHANNELD_NORMAL",
            capacity_msat=5_000_000_000,
            to_us_msat=2_500_000_000,
            spendable_msat=2_450_000_000,
            receivable_msat=2_450_000_000,
            fee_ppm=100,
            base_fee_msat=0,
        ),
    ),
)
(decision,) = decide(snapshot, Config()).decisions
assert all(sentence(reason) for reason in decision.trail)
absent = ("cattrs", "pybreaker", "pyln", "rich", "sqlalchemy", "structlog", "typer", "yoyo")
print([name for name in absent if importlib.util.find_spec(name)])
"""


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    # From a copy, so that neither caches nor build output end up in the checkout.
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("revops", "migrations"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    subprocess.run(
        [*build, "--no-build-isolation", "--wheel-dir", str(out), str(source)], check=True
    )
    (wheel,) = out.glob("*.whl")
    return wheel


def test_core_needs_attrs_and_nothing_else(wheel: Path, tmp_path: Path) -> None:
    """
    In an environment that holds attrs and this wheel, a snapshot is decided.
    """
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False, symlinks=True)
    python = bare / "bin" / "python"
    (site,) = bare.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for file in importlib.metadata.files("attrs") or ():
        if "__pycache__" not in file.parts:
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), site / file)

    run = subprocess.run(
        [python, "-I", "-W", "error", "-c", LIBRARY_USE],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, "[]\n", "")


def requirements(wheel: Path, extra: str) -> list[str]:
    """
    Return what *wheel* asks for under *extra*, or without any.
    """
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("/METADATA"))
        lines = archive.read(name).decode().splitlines()
    asked = [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ")]
    suffix = f"; extra == '{extra}'" if extra else ""
    return [
        need.removesuffix(suffix)
        for need in asked
        if (need.endswith(suffix) if extra else "extra ==" not in need)
    ]


def test_wheel_asks_for_attrs_alone(wheel: Path) -> None:
    """
    Without an extra, installing revops brings attrs and no other library.
    """
    assert [need.split(">")[0] for need in requirements(wheel, "")] == ["attrs"]


def test_wheel_ships_types_and_migrations(wheel: Path) -> None:
    """
    The wheel is typed, and carries every migration that the store applies.
    """
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())

    assert "revops/py.typed" in shipped
    assert {f"revops/migrations/{path.name}" for path in ROOT.glob("migrations/*.sql")} <= shipped
    assert any(path.suffix == ".sql" for path in map(Path, shipped))


def test_requirements_are_the_plugin_s(wheel: Path) -> None:
    """
    `requirements.txt`, which reckless installs, names what the extra `plugin` names.
    """
    listed = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()

    assert sorted(listed) == sorted(requirements(wheel, "") + requirements(wheel, "plugin"))
