"""The file of the books: made private, brought up to date, and left alone when it is not ours."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from unit.adapters.store_examples import NOW, PEER, channel, forward, plan, remembered, take

from revops.adapters.errors import StoreError
from revops.adapters.store import Store
from revops.adapters.store.schema import MARKS, bring_up_to_date, migrations_dir
from revops.core.memory import Memory
from revops.core.policy import Policy, PolicyBook

NEWEST = int(max(file.name for file in migrations_dir().glob("*.sql")).split(".")[0])


@pytest.fixture
def path(tmp_path):
    """
    Return where books may be made.
    """
    return tmp_path / "books.db"


@pytest.fixture
def migrations(tmp_path):
    """
    Return a directory with our migrations, to put further ones beside them.
    """
    return shutil.copytree(migrations_dir(), tmp_path / "migrations")


def make_books(path):
    """
    Make books at *path* with something in each of the tables that matter most.
    """
    with closing(Store.open(path)) as store:
        store.know_channels([channel(1), channel(2)], NOW)
        take(store, [forward(1)])
        store.write_down(plan(channels=(remembered(1),)), (remembered(1),))


def dump(path):
    """
    Return all that is in the database at *path*, as SQL.
    """
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def tables(path):
    """
    Return the names of the tables at *path*.
    """
    with closing(sqlite3.connect(path)) as connection:
        return {
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        }


def wal_size(path):
    """
    Return how much has been written beside the database; SQLite comes and goes there.
    """
    try:
        return Path(f"{path}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def mode(path):
    """
    Return who may do what with the file.
    """
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_closed_is_all_there_when_opened_again(path):
    """Opening the books a second time changes nothing in them."""
    make_books(path)
    before = dump(path)
    with closing(Store.open(path)) as store:
        assert store.schema_version() == NEWEST
        assert store.load_memory().channels == (remembered(1),)
    assert dump(path) == before


def test_only_the_operator_may_read(path):
    """The file and those that SQLite puts beside it are private, whatever they were before."""
    path.touch(mode=0o644)
    with closing(Store.open(path)) as store:
        take(store, [forward(1)])
        files = sorted(path.parent.glob("books.db*"))
        assert [file.name for file in files] == ["books.db", "books.db-shm", "books.db-wal"]
        assert [mode(file) for file in files] == [0o600] * 3
        assert store.size_bytes() == sum(file.stat().st_size for file in files)


def test_what_a_crash_left_readable_is_private_again(path):
    """Files of the books that others could read are no longer so once the books are open."""
    make_books(path)
    beside = [Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm")]
    for file in beside:
        file.touch()
        file.chmod(0o664)
    with closing(Store.open(path)) as store:
        take(store, [forward(1)])
        assert [mode(file) for file in beside] == [0o600] * 3


def test_no_umask_makes_the_books_anything_but_private(path):
    """Neither one that hides nothing nor one that hides everything."""
    for umask in (0o000, 0o777):
        before = os.umask(umask)
        try:
            with closing(Store.open(path)) as store:
                take(store, [forward(1)])
                assert {mode(file) for file in path.parent.glob("books.db*")} == {0o600}
        finally:
            os.umask(before)
        path.unlink()


def test_another_programs_file_is_refused_as_it_is(path):
    """What is not ours keeps its mode too."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    path.chmod(0o644)
    with pytest.raises(StoreError, match="another program's"):
        Store.open(path)
    assert mode(path) == 0o644


@pytest.mark.parametrize("name", ["what?.db", "100%.db", "a#b.db", "a b.db", "[x].db"])
def test_any_name_will_do(tmp_path, name):
    """Letters that mean something in an address or a pattern are just part of the name."""
    make_books(tmp_path / name)

    assert (tmp_path / name).exists()
    with closing(Store.open(tmp_path / name)) as store:
        assert store.load_memory().channels == (remembered(1),)


def test_money_survives_a_power_cut(path):
    """A write is on the disk when it returns: WAL with full synchronisation, keys checked."""
    with closing(Store.open(path)) as store:

        def settings(connection):
            names = ("journal_mode", "synchronous", "foreign_keys")
            return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

        assert store._write(settings) == ["wal", 2, 1]


def test_every_table_is_strict(path):
    """No column takes a value of another type than its own."""
    make_books(path)
    with closing(sqlite3.connect(path)) as connection:
        listed = connection.execute("PRAGMA table_list").fetchall()
    ours = {row[1]: row[5] for row in listed if not row[1].startswith(("sqlite_", "_yoyo_", MARKS))}
    assert set(ours.values()) == {1}


def test_readers_cannot_write(path):
    """A read that tries to change something is refused."""
    with (
        closing(Store.open(path)) as store,
        pytest.raises(StoreError, match="attempt to write a readonly database"),
    ):
        store._read(lambda connection: connection.execute("DELETE FROM memory"))


def test_any_thread_may_ask(path):
    """Reads and writes work from every thread, each sees what was written before."""
    with closing(Store.open(path)) as store:
        store.know_channels([channel(2)], NOW)
        seen = []

        def work(index):
            take(store, [forward(index)])
            seen.append(store.traffic(NOW, 7, store.load_memory())[channel(2).channel_id])

        threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert max(traffic.out_count for traffic in seen) == 8


def test_closed_books_stay_closed(path):
    """Whoever comes after the end is told so, and no file is left but the books."""
    store = Store.open(path)
    take(store, [forward(1)])
    store.cursors()
    store.close()

    with pytest.raises(StoreError, match=r"books are closed; revops is stopping"):
        take(store, [forward(1)])
    with pytest.raises(StoreError, match=r"a closed database\.; revops is stopping"):
        store.cursors()
    assert list(path.parent.iterdir()) == [path]


def test_migrations_say_nothing_on_stdout(path, capfd):
    """Making the books prints nothing: stdout is where lightningd listens."""
    make_books(path)

    assert capfd.readouterr().out == ""


def test_the_books_name_neither_user_nor_host(path):
    """The migration library's log, which would tell who and where, stays empty."""
    make_books(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM _yoyo_log").fetchone() == (0,)


def test_a_later_migration_keeps_what_is_there(path, migrations):
    """Books of an older revops are brought up to date with all they hold."""
    make_books(path)
    (migrations / "0002.more.sql").write_text("CREATE TABLE more (x INTEGER) STRICT;\n")
    before = dump(path)
    bring_up_to_date(path, migrations)

    assert "more" in tables(path)
    assert {line for line in before if MARKS not in line} < set(dump(path))


def test_a_migration_that_fails_leaves_nothing_of_it(path, migrations):
    """Not even the statements before the wrong one stay; the books can still be opened."""
    make_books(path)
    broken = migrations / "0002.broken.sql"
    broken.write_text("CREATE TABLE half (x INTEGER) STRICT;\nINSERT INTO nowhere VALUES (1);\n")
    before = dump(path)

    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        bring_up_to_date(path, migrations)
    assert dump(path) == before
    Store.open(path).close()


_APPLY = """
import sys
from pathlib import Path
from revops.adapters.store.schema import bring_up_to_date
bring_up_to_date(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_migration_that_is_killed_leaves_nothing_of_it(path, migrations):
    """After kill -9 in the middle there is no lock and no half, and the next start goes on."""
    make_books(path)
    (migrations / "0002.long.sql").write_text(
        "CREATE TABLE half (x INTEGER) STRICT;\nINSERT INTO half WITH RECURSIVE n(x) AS"
        " (VALUES (1) UNION ALL SELECT x + 1 FROM n LIMIT 10000000) SELECT x FROM n;\n"
    )
    before = dump(path)
    size = path.stat().st_size
    command = [sys.executable, "-c", _APPLY, path, migrations]
    with subprocess.Popen(command) as process:
        try:
            # What does not fit SQLite's cache any more is in the file before the commit.
            while process.poll() is None and wal_size(path) < size:
                time.sleep(0.001)
        finally:
            process.kill()

    assert process.returncode == -9
    assert dump(path) == before
    (migrations / "0002.long.sql").write_text("CREATE TABLE half (x INTEGER) STRICT;\n")
    bring_up_to_date(path, migrations)
    assert "half" in tables(path)


def test_a_newer_database_is_left_alone(path, migrations):
    """Books that a later revops has written are refused with advice, and not a byte changes."""
    make_books(path)
    (migrations / "0002.later.sql").write_text("CREATE TABLE later (x INTEGER) STRICT;\n")
    bring_up_to_date(path, migrations)
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"newer revops has written it \(0002\.later\); upgrade"):
        Store.open(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_left_alone(path):
    """A database without our marks is not ours, and not a byte of it changes."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    path.chmod(0o644)
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"another program's database; name a new file"):
        Store.open(path)
    assert path.read_bytes() == before
    assert mode(path) == 0o644


def test_a_start_that_was_killed_early_can_be_repeated(path):
    """Tables of the migration library alone make no database of another program."""
    make_books(path)
    with closing(sqlite3.connect(path)) as connection:
        for name in tables(path):
            if not name.startswith(("sqlite_", "_yoyo_", MARKS)):
                connection.execute(f"DROP TABLE {name}")
        connection.execute(f"DELETE FROM {MARKS}")  # noqa: S608 -- a constant
        connection.commit()

    with closing(Store.open(path)) as store:
        assert store.schema_version() == NEWEST


def test_what_is_no_database_is_left_alone(path):
    """A file of another kind is refused, and not a byte of it changes."""
    path.write_bytes(b"plugin=/opt/cl-revenue-ops.py\n" * 100)

    with pytest.raises(StoreError, match=r"books\.db: file is not a database; name another file"):
        Store.open(path)
    assert path.read_bytes() == b"plugin=/opt/cl-revenue-ops.py\n" * 100


def test_damage_is_told(path):
    """A damaged page is an error with advice when it is read, and nothing is deleted."""
    make_books(path)
    page = 4096
    damaged = bytearray(path.read_bytes())
    damaged[page:] = b"\xff" * (len(damaged) - page)
    path.write_bytes(damaged)

    with pytest.raises(StoreError, match=r"disk image is malformed; restore a backup"):
        Store.open(path)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("change", "read", "problem"),
    [
        ('UPDATE memory SET data = \'{"at": "noon"}\'', Store.load_memory, r"\$\.at: expected"),
        ("UPDATE policies SET strategy = 'bold'", Store.policies, "'bold' is not a valid Strategy"),
        ("UPDATE policies SET fee_ppm = -1", Store.policies, "fee_ppm: expected an integer from 0"),
    ],
)
def test_a_row_that_cannot_be_read_is_told(path, change, read, problem):
    """What somebody else wrote there is an error that names the place."""
    with closing(Store.open(path)) as store:
        store.write_down(plan(), ())
        store.save_policies(PolicyBook(policies=(Policy(peer_id=PEER),)), PolicyBook())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
        connection.commit()

    with (
        closing(Store.open(path)) as store,
        pytest.raises(StoreError, match=rf"books\.db: a row was changed .* read: {problem}"),
    ):
        read(store)


def test_a_full_disk_is_told(path):
    """What does not fit is not written, and the books go on when there is room again."""
    memory = tuple(remembered(number) for number in range(500))
    with closing(Store.open(path)) as store:
        (size,) = store._write(lambda books: books.execute("PRAGMA page_count").fetchone())
        store._write(lambda books: books.execute(f"PRAGMA max_page_count = {size}"))
        with pytest.raises(StoreError, match=r"disk is full; make room on the disk"):
            store.write_down(plan(channels=memory), memory)
        assert store.load_memory() == Memory()

        store._write(lambda books: books.execute("PRAGMA max_page_count = 100000"))
        store.write_down(plan(channels=memory), memory)
        assert len(store.load_memory().channels) == 500


def test_a_lock_that_another_holds_is_told(path, monkeypatch):
    """A write that waits too long for another program's is given up, and nothing is lost."""
    monkeypatch.setattr("revops.adapters.store.store._PATIENCE_S", 0.05)
    with closing(Store.open(path)) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"is locked; another program holds it: stop that"):
            take(store, [forward(1)])
        other.rollback()
        take(store, [forward(1)])
        assert store.books().until == NOW


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("missing/books.db", "No such file or directory; make its directory"),
        ("", "unable to open database file; let the user that runs lightningd write"),
    ],
)
def test_a_place_where_no_file_can_be_is_told(tmp_path, place, problem):
    """A missing directory, or one where the file should be, is named with what to do."""
    with pytest.raises(StoreError, match=problem):
        Store.open(tmp_path / place)


def test_a_directory_that_is_read_only_is_told():
    """Where nobody may write, not even root, the books are refused with what to do."""
    with pytest.raises(StoreError, match=r"/sys/books\.db: .*; let the user that runs lightningd"):
        Store.open(Path("/sys/books.db"))


def test_an_old_sqlite_is_told(path, monkeypatch):
    """Before SQLite 3.37 there are no STRICT tables: the sentence says what is needed."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))

    with pytest.raises(StoreError, match=r"Python needs 3\.37 or later"):
        Store.open(path)
    assert not path.exists()


def test_a_place_without_migrations_is_told(path, tmp_path):
    """An installation without its SQL makes no empty books."""
    with pytest.raises(StoreError, match="no migrations are there; install revops anew"):
        bring_up_to_date(path, tmp_path)
    assert not path.exists()
