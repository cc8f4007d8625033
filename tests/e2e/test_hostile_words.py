"""Hostile words: whoever says them, revops shows them on lines of its own and obeys none."""

from collections.abc import Iterator
from typing import Any

import pytest
from e2e.everything import Answer, Every, answers, refusing
from e2e.office import Office
from e2e.thirsty import HOUR, TARGET

CODES = "\x1b\x9b\r\u202e\u2066\u2028"
"""Terminal codes, and marks that end lines or reorder letters."""
WORDS = f"{CODES}[2J\n[bold]<script>alert(1)</script>{{{{7*7}}}}'; DROP TABLE books; --=cmd|x!A0"
SAID = {"alias", "status", "state", "version", "tier", "governance_mode", "comment", "message"}
"""What others say in words, as far as revops reads it."""


def saying(words: str) -> Answer:
    """
    Return what puts *words* wherever somebody says something.
    """

    def said(value: Any) -> Any:
        if isinstance(value, list):
            return [said(item) for item in value]
        if isinstance(value, dict):
            return {
                name: words if name in SAID and isinstance(item, str) else said(item)
                for name, item in value.items()
            }
        return value

    return said


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """
    Return every text in an answer, with the name that it goes by.
    """
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, name)


@pytest.mark.parametrize(
    "answer",
    [saying(WORDS), refusing(WORDS), lambda _reply: [WORDS], lambda _reply: {"error": WORDS}],
    ids=["said", "refused", "wrong", "no"],
)
def test_no_word_of_others_leaves_its_line(thirsty: Office, answer: Answer) -> None:
    """
    No answer, log line or journal has a control character or a mark that reorders letters; lines
    end where revops ends them.
    """
    node = thirsty.node
    node.clboss.there = True
    node.hive.join()
    node.info["alias"] = WORDS
    node.garbage = Every(answer)
    thirsty.live(HOUR // 2)
    for loop in thirsty.app.worker._loops:
        thirsty.app.worker.run_once(loop)
    found = [
        text
        for said in answers(thirsty.call, node.channel(TARGET)["peer_id"])
        for text in texts(said)
    ]
    found += [("log", line) for _, line in thirsty.logs]

    assert len(found) > 1000
    assert [(name, text) for name, text in found if set(text) & set(CODES)] == []
    assert [line for _, line in thirsty.logs if line.startswith(("[bold]", "<script>"))] == []
