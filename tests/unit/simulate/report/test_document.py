"""Documents: whatever is written into one is shown, and it needs nothing but itself."""

import base64
import hashlib
import re

import pytest
from unit.simulate.report.pages import HOSTILE, Parsed

from revops.adapters.strangers import plain
from revops.simulate.report.blocks import (
    Card,
    Cards,
    Cell,
    Column,
    Notes,
    Row,
    Section,
    Step,
    Table,
    Trail,
)
from revops.simulate.report.document import document

LETTERS = "".join(map(chr, range(0x20, 0x3000)))


def everywhere(text: str) -> str:
    """
    Return a document that has *text* in every place where a text may stand.
    """
    step = Step(stage=text, change=text, words=text)
    row = Row(
        cells=(Cell(text=text, below=text),),
        key=text,
        facts=(text,),
        trails=(Trail(title=text, steps=(step,)),),
    )
    table = Table(title=text, columns=(Column(title=text),), rows=(row,), only=text, empty=text)
    cards = Cards(cards=(Card(label=text, value=text, note=text),))
    blocks = (cards, Notes(sentences=(text,)), Notes(sentences=(text,), quiet=True), table)
    return document(text, [text], [Section(title=text, intro=text, blocks=blocks)])


@pytest.mark.parametrize("text", [*HOSTILE, LETTERS], ids=range(len(HOSTILE) + 1))
def test_what_is_written_is_shown_and_nothing_else(text: str) -> None:
    """
    A text becomes no element, no attribute and no script wherever it stands, and it reads as it
    was written, but for what would hide or reorder words: that is made visible.
    """
    usual, parsed = Parsed(everywhere("text")), Parsed(everywhere(text))

    assert parsed.elements == usual.elements
    assert parsed.scripts[1:] == usual.scripts[1:]
    assert parsed.texts == [plain(text).strip() if word == "text" else word for word in usual.texts]
    assert parsed.drawn[0]["title"] == plain(text)
    assert parsed.drawn[0]["rows"][0]["trails"][0]["steps"][0]["words"] == plain(text)


def test_nothing_is_asked_of_anybody() -> None:
    """
    No element names another place than one on the page, and the policy would forbid it.
    """
    parsed = Parsed(everywhere("text"))
    named = [value for _, traits in parsed.elements for value in references(traits)]
    policy = next(traits["content"] for _, traits in parsed.elements if "http-equiv" in traits)

    assert named
    assert all(value.startswith("#") for value in named)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy


def references(traits: dict[str, str | None]) -> list[str]:
    return [traits[name] or "" for name in ("src", "href", "action", "srcset") if name in traits]


def test_only_the_scripts_that_belong_to_it_may_run() -> None:
    """
    The policy names the hash of each script of the page; the data is none.
    """
    parsed = Parsed(everywhere("text"))
    policy = next(traits["content"] for _, traits in parsed.elements if "http-equiv" in traits)
    digests = [hashlib.sha256(script.encode()).digest() for script in parsed.scripts[1:]]

    assert re.findall(r"'sha256-([^']+)'", policy or "") == [
        base64.b64encode(digest).decode() for digest in digests
    ]
    assert [traits for tag, traits in parsed.elements if tag == "script"] == [
        {"type": "application/json", "id": "data"},
        {},
        {},
    ]


def test_what_is_as_it_mostly_is_takes_no_bytes() -> None:
    """
    A cell is its text, unless it has more to say.
    """
    row = Row(cells=(Cell(text="one"), Cell(text="0", by=0)))
    table = Table(title="t", columns=(Column(title="c"),) * 2, rows=(row,))
    parsed = Parsed(document("t", [], [Section(title="s", blocks=(table,))]))

    assert parsed.drawn[0]["rows"] == [{"cells": [{"text": "one"}, {"text": "0", "by": 0}]}]
