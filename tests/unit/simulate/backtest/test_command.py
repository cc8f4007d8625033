"""`simulate backtest`: one question, one answer, and exit codes that tell whose fault."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result
from unit.simulate.backtest.pasts import SINCE, past, there_and_back, written

from revops.core.units import DAY
from revops.simulate.__main__ import app

QUICK = ("--runs", "3", "--jobs", "1", "--now", str(SINCE + 4 * DAY))


def simulate(*words: str) -> Result:
    return CliRunner().invoke(app, ("backtest", *words))


@pytest.fixture
def replies(tmp_path: Path) -> str:
    return str(written(tmp_path / "replies", past(there_and_back())))


def test_a_page_tells_the_difference_and_how_far_it_can_be_trusted(replies: str) -> None:
    """
    Both configs stand beside the past as it was, and what is not known is said.
    """
    answer = simulate(
        replies, *QUICK, "--config", "min-fee-ppm=200", "--against", "max-fee-ppm=150"
    )

    assert answer.exit_code == 0
    assert answer.stderr == ""
    assert "By its own list the node earned 96 sat." in answer.stdout
    assert "as set, compared with against: " in answer.stdout
    assert "as set, compared with as it was: " in answer.stdout
    assert "is what is usual on the network" in " ".join(answer.stdout.split())
    assert "\x1b" not in answer.stdout


def test_config_files_and_options_can_be_mixed(replies: str, tmp_path: Path) -> None:
    """
    The last one of an option counts.
    """
    file = tmp_path / "config"
    file.write_text("revenue-ops-min-fee-ppm=20\nrevenue-ops-max-fee-ppm=900\n")
    answer = simulate(
        replies, *QUICK, "--json", "--config", str(file), "--config", "min-fee-ppm=30"
    )
    (first, _) = json.loads(answer.stdout)["sides"]

    assert first["options"] == {"min-fee-ppm": "30", "max-fee-ppm": "900"}


def test_the_same_words_give_the_same_bytes(replies: str) -> None:
    """
    Nothing in the answer depends on the clock or the machine.
    """
    words = (replies, *QUICK, "--json", "--seed", "5")

    assert simulate(*words).stdout == simulate(*words).stdout != ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nowhere",), "nowhere: there is no such file"),
        (("REPLIES", "--config", "colour=blue"), "colour"),
        (("REPLIES", "--config", "min-fee-ppm=often"), "min-fee-ppm"),
        (("REPLIES", "--config", "nowhere.conf"), "nowhere.conf: No such file"),
        (("REPLIES", "--against", "max-fee-ppm=-3"), "max-fee-ppm"),
        (("REPLIES", "--days", "0"), "--days"),
        (("REPLIES", "--runs", "0"), "--runs"),
        (("nowhere", "--now", "5"), "--now is for raw replies"),
    ],
)
def test_bad_input_is_told_in_a_sentence(
    replies: str, words: tuple[str, ...], sentence: str
) -> None:
    """
    Exit code 2, a sentence on stderr that names what was given, and nothing on stdout.
    """
    answer = simulate(*(replies if word == "REPLIES" else word for word in words))

    assert answer.exit_code == 2
    assert sentence in answer.stderr
    assert answer.stdout == ""
