"""New books for each test of the treasury book."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from revops.adapters.store import Store


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """
    Return a file of new books.
    """
    path = tmp_path_factory.mktemp("empty") / "books.db"
    Store.open(path).close()
    return path


@pytest.fixture
def path(tmp_path, empty):
    """
    Return where new books are.
    """
    return Path(shutil.copy(empty, tmp_path))


@pytest.fixture
def store(path):
    """
    Return new books.
    """
    with closing(Store.open(path)) as store:
        yield store
