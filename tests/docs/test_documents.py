"""Documents: every block that a reader may copy runs, and answers what it shows."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.world import ROOT, World, agrees, steps
from e2e.office import Office
from fakes import FakeNode
from predecessors import make, one_of_each
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from revops.core.config import OPTIONS
from revops.shell.clock import Clock
from revops.shell.commands import COMMANDS
from revops.shell.options import PREFIX, Settings

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
IN_CHECKOUT = {
    "README.md",
    "CONTRIBUTING.md",
    "docs/what-if.md",
    "docs/sweep.md",
    "docs/backtest.md",
}
INSTALLING = {"README.md", "docs/operations.md"}
"""Documents that begin on a node without the plugin."""
Done = subprocess.CompletedProcess[str]
FAILURES = ('"code": -', '"status": "error"')
"""What an error that lightning-cli shows has in it."""
COPIED = re.compile(r"^(revenue-|plugin=|lightning-cli |make |\$ )", re.MULTILINE)
"""What a reader would copy, and so belongs in a block that is run."""


def name(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def run(example: Example) -> str | None:
    """
    Run a script; it succeeds.
    """
    done = world_of(example).sh(example.parsed)
    return told(done) if failed(done) else None


def compare(example: Example) -> str | None:
    """
    Run the commands of a terminal one by one; each answers what is shown below it. One that fails
    shows the error that it fails with.
    """
    for command, shown in steps(example.parsed):
        done = world_of(example).sh(command)
        if failed(done) != any(sign in shown for sign in FAILURES):
            return f"$ {command}\n{told(done)}"
        if not agrees(shown, done.stdout):
            return f"$ {command}\nexpected:\n{shown}\n\n{told(done)}"
    return None


def failed(done: Done) -> bool:
    # Commands that neighbours call answer with an error where others fail.
    return done.returncode != 0 or FAILURES[1] in done.stdout


def told(done: Done) -> str:
    return f"exit code {done.returncode}:\n{done.stdout}"


def configure(example: Example) -> str | None:
    """
    Read lines of lightningd's config file: each sets an option to what it may be.
    """
    lines = [line for line in example.parsed.splitlines() if line and not line.startswith("#")]
    foreign = [line for line in lines if not line.startswith((PREFIX, "plugin=/"))]
    options = dict(line.split("=", 1) for line in lines if line.startswith(PREFIX))
    settings = Settings()
    settings.start(options)
    problems = (*settings.problems(), *(f"{line}: no option of ours" for line in foreign))
    return "\n".join(problems) or None


def look(example: Example) -> str | None:
    """
    A drawing holds nothing that a reader would copy.
    """
    return "copied, but not run" if COPIED.search(example.parsed) else None


def world_of(example: Example) -> World:
    return example.namespace["world"]


SYBIL = Sybil(
    parsers=[
        CodeBlockParser("sh", run),
        CodeBlockParser("console", compare),
        CodeBlockParser("ini", configure),
        CodeBlockParser("text", look),
        PythonCodeBlockParser(),
    ]
)


@pytest.fixture(name="world")
def _world(request: pytest.FixtureRequest) -> Iterator[World]:
    document = request.getfixturevalue("document")
    world = World(in_checkout=name(document) in IN_CHECKOUT)
    try:
        if name(document) in INSTALLING:
            make(world.home / ".lightning" / "revenue_ops.db", one_of_each())
        elif "lightning-cli" in document.read_text("utf-8"):
            world.desk.answer("plugin", ["start", str(world.checkout / "cl-revenue-ops.py")])
        yield world
    finally:
        world.close()


def with_blocks() -> list[Path]:
    return [d for d in DOCUMENTS if any(True for _ in SYBIL.parse(d))]


@pytest.mark.parametrize("document", with_blocks(), ids=name)
def test_every_block_works_as_it_is_written(document: Path, world: World) -> None:
    """
    From top to bottom, each block of a document does what it says on a node with channels.
    """
    parsed = SYBIL.parse(document)
    parsed.namespace["world"] = world
    for example in parsed:
        example.evaluate()

    assert [line for _, line in world.desk.daemon.logs if "Traceback" in line] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_block_is_of_a_kind_that_is_checked(document: Path) -> None:
    """
    Each fence opens a block that the test above evaluates; there is no way around it.
    """
    fences = re.findall(r"^\s*```", document.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert len(fences) == 2 * len(list(SYBIL.parse(document)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_name_of_a_command_or_option_exists(document: Path) -> None:
    """
    A document names no command or option that is not there.
    """
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"\brevenue-[a-z]+(?:-[a-z]+)*", text))
    known = {command.name for command in COMMANDS} | {PREFIX + o.name for o in OPTIONS.values()}

    assert named - known - {"revenue-ops"} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_leads_somewhere(document: Path) -> None:
    """
    A link into the repository leads to a file that is there, and to a heading that it has.
    """
    links = re.findall(r"\]\((?!https?:)([^)]*)\)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not leads_somewhere(document, link)] == []


def leads_somewhere(document: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = document.parent / path if path else document
    if not heading:
        return target.exists()
    titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return heading in {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}


def test_the_readme_names_every_command() -> None:
    """
    Whoever reads the README knows what there is.
    """
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [c.name for c in COMMANDS if f"| `{c.name}` |" not in readme] == []


def table_below(title: str) -> list[str]:
    """
    Return what stands in backquotes in the first column of the handbook's tables below *title*.
    """
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    tables, *_ = re.split(r"\n##+ ", text.partition(f"\n{title}\n")[2])
    cells = re.findall(r"^\| (`.*?`) \|", tables, flags=re.MULTILINE)
    return [quoted for cell in cells for quoted in re.findall("`(.*?)`", cell)]


@pytest.mark.parametrize("title", ["## Trouble", "### The log"])
def test_the_handbook_quotes_what_the_program_says(title: str) -> None:
    """
    Each message in the tables of troubles and of the log is one that the code has.
    """
    quoted = table_below(title)
    fragments = [part.strip() for message in quoted for part in message.split("…")]
    said = "\n".join(constants())

    assert len(quoted) > 5
    assert [fragment for fragment in fragments if fragment not in said] == []


def test_the_handbook_names_fields_of_the_status(tmp_path: Path) -> None:
    """
    Each field to watch is one that revenue-status has.
    """
    office = Office(tmp_path, FakeNode(now=Clock().now()))
    try:
        fields, status = table_below("## What to watch"), office.call("revenue-status")
    finally:
        office.close()

    assert len(fields) > 10
    assert [field for field in fields if field not in status] == []


def constants() -> Iterator[str]:
    """
    Return every string in the package.
    """
    for path in ROOT.glob("revops/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
