"""The past of a node is read from raw replies, and what cannot be is said in a sentence."""

import json
from pathlib import Path

import attrs
import pytest
from unit.simulate.backtest.pasts import SCIDS, SINCE, forward, past, there_and_back, written

from revops.adapters.errors import WireError
from revops.core.units import DAY, Instant, Scid
from revops.simulate.backtest.raw import from_directory

END = Instant(SINCE + 4 * DAY)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """
    Forwards, balances and prices come back as they were.
    """
    history = past(there_and_back())

    read = from_directory(written(tmp_path, history), END)

    assert (read.since, read.until) == (history.since, history.until)
    assert read.forwards == history.forwards
    assert [row.scid for row in read.places] == [*SCIDS, "outside"]
    assert [row.local_msat for row in read.places] == [row.local_msat for row in history.places]
    assert read.earned_msat == sum(row.fee_msat for row in history.forwards)


def test_only_the_last_days_are_read_if_that_is_asked(tmp_path: Path) -> None:
    """
    A day is 24 hours, and the last one ends now.
    """
    read = from_directory(written(tmp_path, past(there_and_back())), END, 1)

    assert (read.since, read.days) == (END - DAY, 1)
    assert {row.at // DAY for row in read.forwards} == {END // DAY - 1}


def test_channels_that_are_gone_are_outside(tmp_path: Path) -> None:
    """
    What entered by them came from outside; what left by them is in no sum, and that is said.
    """
    history = past([forward(1, 0, 1), forward(2, 1, 0), forward(3, 1, 2)])
    places = [attrs.evolve(history.places[0], scid=Scid("1x1x1")), *history.places[1:]]
    directory = written(tmp_path, attrs.evolve(history, places=tuple(places)))
    channels = json.loads((directory / "listpeerchannels.json").read_text())
    channels["channels"].pop(0)
    (directory / "listpeerchannels.json").write_text(json.dumps(channels))

    read = from_directory(directory, END)

    assert [(row.into, row.out) for row in read.forwards] == [(2, 0), (0, 1)]
    assert read.gone_msat == history.forwards[1].fee_msat
    assert "channels that are gone" in " ".join(read.warnings)


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("listforwards", None, "there is no listforwards.json"),
        ("listpeerchannels", None, "there is no listpeerchannels.json"),
        ("listforwards", '{"forwards": []}', "none that settled: there is nothing to replay"),
        ("listforwards", '{"forwards": 3}', "listforwards.forwards"),
        ("listforwards", "[", "not JSON"),
        ("listpeerchannels", "[]", "listpeerchannels"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, file: str, text: str | None, sentence: str) -> None:
    """
    One sentence names the file or the field.
    """
    directory = written(tmp_path, past(there_and_back()))
    place = directory / f"{file}.json"
    if text is None:
        place.unlink()
    else:
        place.write_text(text)

    with pytest.raises(WireError) as caught:
        from_directory(directory, END)

    assert sentence in " ".join(caught.value.problems)
