"""Settings in the books: what is saved is what is seen before the books are opened."""

import sqlite3
from contextlib import closing

import pytest
from unit.adapters.store_examples import NOW

from revops.adapters.store import Store
from revops.adapters.store.settings import peek
from revops.core.precedence import Setting


def setting(option, value="1"):
    """
    Return a setting by revenue-config.
    """
    return Setting(option=option, value=value, given="0", source="revenue-config", at=NOW)


@pytest.fixture
def path(tmp_path):
    """
    Return where the books are to be.
    """
    return tmp_path / "books#1?.db"


def test_what_is_saved_is_seen_beside_the_open_books(path):
    """
    New ones are added, changed ones replaced, those that are no more deleted.
    """
    one, two, three = setting("one"), setting("two"), setting("three")
    with closing(Store.open(path)) as store:
        store.save_settings([one, two], [])
        assert peek(path) == (one, two)
        changed = setting("one", "7")
        store.save_settings([changed, three], [one, two])
        assert peek(path) == (changed, three)
    assert peek(path) == (changed, three)


def test_what_was_not_seen_is_not_deleted(path):
    """
    Settings that could not be read at the start are still there at the next.
    """
    one, two = setting("one"), setting("two")
    with closing(Store.open(path)) as store:
        store.save_settings([one], [])
        store.save_settings([two], [])

    assert set(peek(path)) == {one, two}


def test_nothing_is_seen_where_there_is_nothing(path):
    """
    No file, a directory, a file of somebody else, books from before there were settings: none of
    it is an error here, and nothing is made.
    """
    assert peek(path) == ()
    assert not path.exists()
    assert peek(path.parent) == ()
    assert peek(path / "below") == ()
    assert peek(path.parent / ("x" * 300)) == ()
    with closing(sqlite3.connect(path)) as books:
        books.execute("CREATE TABLE other (a)")
    assert peek(path) == ()
    path.write_text("a letter")
    assert peek(path) == ()


def test_looking_leaves_nothing_behind(path):
    """
    A look changes no byte, so that books which cannot be opened are still as they were.
    """
    with closing(Store.open(path)) as store:
        store.save_settings([setting("one")], [])
    before = path.read_bytes()
    peek(path)

    assert path.read_bytes() == before
