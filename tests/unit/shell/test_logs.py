"""Lines in lightningd's log: levels kept, facts behind the sentence."""

from typing import Any

import pytest

from revops.shell.logs import logger


@pytest.fixture
def lines() -> list[tuple[str, str]]:
    """
    What was written, as (level, line).
    """
    return []


@pytest.fixture
def log(lines: list[tuple[str, str]]) -> Any:
    """
    A logger that writes there.
    """
    return logger(lambda line, level: lines.append((level, line)))


def test_every_level_arrives_as_lightningds_own(log: Any, lines: list[tuple[str, str]]) -> None:
    """
    A warning is unusual and an error broken; pyln's own handler would make the warning an info.
    """
    for write in (log.debug, log.info, log.warning, log.error):
        write("so it is")

    assert lines == [(level, "so it is") for level in ("debug", "info", "unusual", "broken")]


def test_facts_follow_the_sentence(log: Any, lines: list[tuple[str, str]]) -> None:
    """
    Bound facts and those of the line stand behind it as logfmt.
    """
    log.bind(scid="1x2x3").info("fee set", new_ppm=5, why="it is scarce")

    assert lines == [("info", 'fee set scid=1x2x3 new_ppm=5 why="it is scarce"')]


def test_a_traceback_follows_on_lines_of_its_own(log: Any, lines: list[tuple[str, str]]) -> None:
    """
    What went wrong can be read as Python wrote it.
    """
    try:
        [].pop()
    except IndexError:
        log.exception("oh")

    assert lines[0][1].startswith("oh\nTraceback (most recent call last):\n")
