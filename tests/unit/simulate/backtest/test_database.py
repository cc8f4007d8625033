"""The past of a node is read from revops's own books, which are not touched."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from unit.simulate.backtest.pasts import CAPACITY, SCIDS, SINCE, past, there_and_back

from revops.adapters.errors import StoreError, WireError
from revops.adapters.store.store import Store
from revops.core.snapshot import NORMAL, Channel
from revops.core.tally import Forward, tally
from revops.core.units import DAY, ChannelId, Instant, Msat, PeerId, Ppm
from revops.simulate.backtest.database import from_database
from revops.simulate.backtest.history import History, Moved, Priced

END = Instant(SINCE + 4 * DAY)
IDS = tuple(ChannelId(f"{number:064x}") for number in range(3))


def channels() -> list[Channel]:
    """
    Return the channels of the node.
    """
    return [
        Channel(
            channel_id=IDS[number],
            scid=scid,
            peer_id=PeerId(f"02{number:064x}"),
            state=NORMAL,
            capacity_msat=CAPACITY,
            to_us_msat=Msat(0),
            spendable_msat=Msat(0),
            receivable_msat=Msat(0),
            fee_ppm=Ppm(100),
            base_fee_msat=Msat(0),
        )
        for number, scid in enumerate(SCIDS)
    ]


def books(path: Path, history: History, oldest_hour: int = 0) -> Path:
    """
    Return *path* with the books of a node that has this *history* behind it.
    """
    rows = [
        Forward(
            *(None, None, SCIDS[row.into], SCIDS[row.out]),
            *(Msat(row.amount_msat + row.fee_msat), row.amount_msat, row.fee_msat),
            *("settled", row.at, row.at),
        )
        for row in history.forwards
    ]
    store = Store.open(path)
    store.know_channels(channels(), SINCE)
    store.costs.see(channels(), END)
    store.take_forwards(tally(rows), {}, END, END, oldest_hour)
    store.close()
    return path


def written(path: Path, statement: str, *values: object) -> None:
    """
    Write into the books what took a whole plugin to come about.
    """
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


@pytest.mark.parametrize("oldest_hour", [0, END // 3600 - 30, END // 3600])
def test_sums_are_as_they_are_in_the_books(tmp_path: Path, oldest_hour: int) -> None:
    """
    Forwards are drawn so that nothing of what left and was earned is lost, whether hours are still
    kept or days alone.
    """
    history = past(there_and_back())

    read, _ = from_database(books(tmp_path / "revops.db", history, oldest_hour), None)

    assert (read.days, len(read.forwards)) == (4, 48)
    assert read.earned_msat == history.earned_msat
    for channel in range(3):
        mine, theirs = (
            [row.amount_msat for row in past_.forwards if row.out == channel]
            for past_ in (read, history)
        )
        assert (len(mine), sum(mine)) == (len(theirs), sum(theirs))
    assert all(row.into != row.out for row in read.forwards)
    assert [place.local_msat for place in read.places[:3]] == [None] * 3


def test_recorded_prices_and_refills_are_known(tmp_path: Path) -> None:
    """
    What was written down need not be guessed.
    """
    path = books(tmp_path / "revops.db", past(there_and_back()))
    change = "INSERT INTO fee_history VALUES (1, ?, ?, ?, 'x', 100, 250, 0, 0, NULL)"
    written(path, change, SINCE + DAY, IDS[1], SCIDS[1])
    refill = "INSERT INTO refills VALUES ('x', '0', ?, ?, ?, 5000, 7, NULL)"
    written(path, refill, SINCE + 9, IDS[2], IDS[0])

    read, _ = from_database(path, None)

    assert read.places[1].priced == (
        Priced(Instant(0), Ppm(100)),
        Priced(Instant(SINCE + DAY), Ppm(250)),
    )
    assert read.moves == (Moved(Instant(SINCE + 9), 2, 0, Msat(5000), Msat(7)),)


def test_options_that_were_set_are_in_force(tmp_path: Path) -> None:
    """
    What the operator set while revops ran is what the config under test begins from.
    """
    path = books(tmp_path / "revops.db", past(there_and_back()))
    written(path, "INSERT INTO config VALUES ('min-fee-ppm', '77', '10', 'setconfig', 1)")

    assert from_database(path, None)[1].min_fee_ppm == 77


def test_books_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    """
    One sentence says what the file is, and nothing is written into it.
    """
    path = books(tmp_path / "revops.db", past(there_and_back()))
    foreign, newer = tmp_path / "foreign.db", tmp_path / "newer.db"
    newer.write_bytes(path.read_bytes())
    written(foreign, "CREATE TABLE x (y)")
    written(newer, "INSERT INTO schema_migrations VALUES ('x', '9999.later', 0)")
    (tmp_path / "text.db").write_text("these are not the books you are looking for" * 99)
    before = foreign.read_bytes()

    for name, sentence in {
        "foreign.db": "another program's database",
        "newer.db": "a newer revops has written it (9999.later)",
        "text.db": "cannot be read as revops's database",
        "none.db": "there is no such file",
    }.items():
        with pytest.raises(StoreError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
            from_database(tmp_path / name, None)

    assert foreign.read_bytes() == before
    assert not (tmp_path / "none.db").exists()


def test_books_without_forwards_have_nothing_to_replay(tmp_path: Path) -> None:
    """
    That is said, instead of an answer about nothing.
    """
    with pytest.raises(WireError, match="nothing to replay"):
        from_database(books(tmp_path / "revops.db", past()), None)
