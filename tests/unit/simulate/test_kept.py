"""Results that outlive whoever worked them out."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from revops.core.option import ConfigError
from revops.simulate.kept import Kept


def test_a_result_is_there_for_the_next_one(tmp_path: Path) -> None:
    """
    What is kept in a file is found by whoever opens it, and by nothing but its own key.
    """
    path = tmp_path / "results"
    Kept(path).put(("arena", "core", 7), "one")
    again = Kept(path)
    again.put(("arena", "core", 8), "two")
    again.put(("arena", "core", 8), "three")

    assert again.get(("arena", "core", 7)) == "one"
    assert again.get(("arena", "core", 8)) == "three"
    assert again.get(("arena", "core", "7")) is None


def test_what_is_kept_is_kept_from_others(tmp_path: Path) -> None:
    """
    Nobody but the owner may read it, also where they could before; another program's file is
    refused as it is.
    """
    new, loose, other = (tmp_path / name for name in ("new", "loose", "other"))
    loose.touch()
    sqlite3.connect(other).execute("CREATE TABLE theirs (x)").connection.close()
    loose.chmod(0o664)
    other.chmod(0o644)
    for path in (new, loose):
        with closing(Kept(path)) as kept:
            kept.put(("x",), "y")
    with pytest.raises(ConfigError):
        Kept(other)

    assert [stat.S_IMODE(p.stat().st_mode) for p in (new, loose, other)] == [0o600, 0o600, 0o644]


def test_without_a_file_nothing_outlives_us(tmp_path: Path) -> None:
    """
    Without a path results are kept for as long as somebody holds them.
    """
    mine = Kept(None)
    mine.put(("a",), "one")

    assert mine.get(("a",)) == "one"
    assert Kept(None).get(("a",)) is None
    assert list(tmp_path.iterdir()) == []


def test_what_holds_no_results_is_said(tmp_path: Path) -> None:
    """
    A file of another kind, or one that cannot be made, is refused by name and left as it was.
    """
    other = tmp_path / "notes.txt"
    other.write_text("I am not a database, and never was one.\n" * 20, "utf-8")

    with pytest.raises(ConfigError, match=r"--store: '.*notes.txt' holds no results"):
        Kept(other)
    with pytest.raises(ConfigError, match="holds no results"):
        Kept(tmp_path / "nowhere" / "results")
    assert other.read_text("utf-8").startswith("I am not")


def test_the_books_of_a_node_are_no_place_for_results(tmp_path: Path) -> None:
    """
    A database that holds something else is refused, and not a table of it is touched.
    """
    books = tmp_path / "revenue_ops.db"
    with closing(sqlite3.connect(books)) as database:
        database.execute("CREATE TABLE journal (id INTEGER)")
    before = books.read_bytes()

    with pytest.raises(ConfigError, match="holds no results, but other tables"):
        Kept(books)
    assert books.read_bytes() == before


def test_a_file_that_takes_no_more_is_said(tmp_path: Path) -> None:
    """
    What cannot be kept ends in a sentence that names the file.
    """
    path = tmp_path / "results"
    kept = Kept(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE results")

    with pytest.raises(
        ConfigError, match=r"--store: '.*results' keeps nothing more: no such table"
    ):
        kept.put(("a",), "one")
