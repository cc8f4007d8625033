"""Reference pages and sample files: they say what the code has, and a node starts with them."""

import ast
import re
from pathlib import Path

import pytest
from e2e.fake_lightningd import FakeLightningd
from fakes import FakeNode

from revops.core.config import OPTIONS, Config
from revops.core.presets import PRESETS
from revops.core.reasons import Code
from revops.shell.clock import Clock
from revops.shell.commands import COMMANDS
from revops.shell.handbook.pages import pages
from revops.shell.options import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
FULL = ROOT / "config" / "cl-revenue-ops.conf.full"
MINIMAL = ROOT / "config" / "cl-revenue-ops.conf.minimal"


def options_of(text: str) -> list[tuple[str, str]]:
    """
    Return the options that a config file sets.
    """
    return re.findall(rf"^({PREFIX}[^=]+)=(.*)$", text, flags=re.MULTILINE)


def uncommented() -> list[tuple[str, str]]:
    """
    Return the options of the full file with every one of them taken in.
    """
    return options_of(FULL.read_text(encoding="utf-8").replace(f"# {PREFIX}", PREFIX))


@pytest.mark.parametrize("page", pages())
def test_no_page_is_stale(page: str) -> None:
    """
    Each page is, to the byte, what `make docs` writes.
    """
    assert (ROOT / page).read_text(encoding="utf-8") == pages()[page], "run make docs"


def test_the_full_file_has_every_option_once_and_sets_none() -> None:
    """
    Every option stands in it once at its default, commented out.
    """
    defaults = [(PREFIX + o.name, o.format(o.default)) for o in OPTIONS.values()]

    assert uncommented() == defaults
    assert options_of(FULL.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("line", uncommented(), ids=lambda line: line[0])
def test_any_line_of_the_full_file_may_be_uncommented(line: tuple[str, str]) -> None:
    """
    A line of it alone starts the plugin, with what it has by default.
    """
    settings = Settings()
    settings.start(dict([line]))

    assert settings.problems() == ()
    assert settings.config == Config()


@pytest.mark.parametrize(
    "options",
    [uncommented(), options_of(MINIMAL.read_text(encoding="utf-8"))],
    ids=["full", "minimal"],
)
def test_a_node_starts_with_a_sample_file(tmp_path: Path, options: list[tuple[str, str]]) -> None:
    """
    The plugin runs with every line of the full file taken in, and with the minimal file.
    """
    lightningd = FakeLightningd(tmp_path / "regtest", FakeNode(now=Clock().now()))
    try:
        lightningd.config = dict(options)
        lightningd.start()

        assert lightningd.first_cycle()["status"] == "running"
        assert lightningd.logged("broken") == []
    finally:
        lightningd.close()


def test_the_minimal_file_sets_no_fee_at_first() -> None:
    """
    Who starts with it watches first.
    """
    settings = Settings()
    settings.start(dict(options_of(MINIMAL.read_text(encoding="utf-8"))))

    assert settings.config.dry_run


def test_every_command_and_action_is_described() -> None:
    """
    The commands page has a section for each command, and one for each of its actions.
    """
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    titles = re.findall(r"^##+ (.*)$", page, flags=re.MULTILINE)
    expected: list[str] = []
    for command in COMMANDS:
        expected += [command.name, *(f"{command.name} {a.name}" for a in command.actions)]

    assert titles == expected


def test_every_option_and_preset_is_described() -> None:
    """
    The options page has a row for each option, in the order of the declarations, and below them
    one for each option that a preset sets.
    """
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \|", page, flags=re.MULTILINE)
    chosen = [choice.option for choice in PRESETS["small"].choices]

    assert rows == [option.name for option in OPTIONS.values()] + chosen
    assert all(f"- `{name}`: " in page for name in PRESETS)


def test_every_reason_is_described() -> None:
    """
    The reasons page has a heading for each reason that there is.
    """
    page = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    codes = re.findall(r"^### (.*)$", page, flags=re.MULTILINE)

    assert sorted(codes) == sorted(Code)


def test_an_option_that_nothing_reads_says_so() -> None:
    """
    What waits for something that has yet to come is marked: it has no effect yet.
    """
    waiting = {field for field, option in OPTIONS.items() if option.waits_for}

    assert set(OPTIONS) - read_somewhere() - waiting == set()


def read_somewhere() -> set[str]:
    """
    Return every attribute that some module of the package reads.
    """
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.glob("revops/**/*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}
