"""Strangers: their words, made fit to be repeated: one line, not endless, no secret among them."""

import re
from typing import Final

_LONGEST: Final = 160
"""Letters of a sentence; what comes from outside may be megabytes long."""
_LONGEST_NAME: Final = 64
"""A node's name has 32 bytes at most (BOLT #7); lightningd shows others in hexadecimal."""
# An invoice, a preimage, a payment secret and a rune are all one word of 43 letters or more, and a
# word that long says nothing to people. The id of a node does, and is no secret.
_LONG_WORD: Final = re.compile(r"(?<![\w-])(?!0[23][0-9a-f]{64}\b)[\w-]{40,}=*", re.ASCII)


def scrubbed(text: str) -> str:
    """
    Return *text* without what may be a secret in it.
    """
    return _LONG_WORD.sub(lambda word: f"({len(word[0])} letters left out)", text)


def quoted(text: str, longest: int = _LONGEST) -> str:
    """
    Return *text* as part of a sentence of ours: scrubbed, on one line, cut where it is endless.
    """
    text = scrubbed(text)
    text = text if len(text) <= longest else text[:longest] + "…"
    # Line breaks and terminal codes stay in the sentence.
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def name(text: str) -> str:
    """
    Return what somebody calls itself, or the state it is in, as people may be shown it.
    """
    short = text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"
    return plain(short)


def plain(text: str) -> str:
    """
    Return *text* with whatever could move the cursor, hide or reorder words made visible as �.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "�" for letter in text)
