"""From a predecessor to revops through the real process: its database is found, read once, kept."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from fakes import FakeNode
from predecessors import DAY, Rows, insert, make

from revops.shell.clock import Clock
from revops.shell.takeover import places

SCID = "150x6x0"
MANY = 20_000


@pytest.fixture
def node() -> FakeNode:
    """
    The recorded node, whose last payment was a minute ago by this machine's clock.
    """
    return FakeNode(now=Clock().now())


def peer_of(node: FakeNode) -> str:
    """
    Return the peer with that channel.
    """
    return next(c["peer_id"] for c in node.channels if c["short_channel_id"] == SCID)


def left_behind(node: FakeNode, forwards: int = 1) -> Rows:
    """
    Return what a predecessor on that node knows: a peer to leave alone, what a channel cost, and
    forwards, of which the node lists only those of today.
    """
    midnight = Clock().now() // DAY * DAY
    rows = Rows().add("peer_policies", peer_id=peer_of(node), strategy="passive")
    rows.add("channel_costs", channel_id=SCID, opened_at=midnight - 90 * DAY)
    rows.add("daily_forwarding_stats", channel_id=SCID, date=midnight - 30 * DAY)
    rows.add("config_overrides").add("config_overrides", key="snapshot", value="foo")
    rows.add("forwards", timestamp=0)
    for number in range(forwards):
        rows.add("forwards", out_channel=SCID, timestamp=midnight - 3 * DAY - number)
    return rows


def named_like_ours(path: Path) -> dict[str, bytes]:
    """
    Return the predecessor's files as they are.
    """
    return {file.name: file.read_bytes() for file in path.parent.glob(f"{path.name}*")}


def test_pointing_to_the_new_plugin_is_enough(lightningd: FakeLightningd, node: FakeNode) -> None:
    """
    The predecessor's file stays byte for byte; its policies hold from the first cycle on, its
    costs and forwards count, and log and status say what came over and what did not.
    """
    theirs = lightningd.directory / "revenue_ops.db"
    make(theirs, left_behind(node))
    before = named_like_ours(theirs)
    lightningd.start()
    lightningd.first_cycle()
    status = lightningd.wait_for(
        lambda: (s := lightningd.call("revenue-status"))["db"]["imported"]["forwards"] and s
    )
    imported, log = status["db"]["imported"], "\n".join(lightningd.logged("info"))

    assert named_like_ours(theirs) == before
    assert status["db"]["path"] == str(lightningd.directory / "revops.db")
    assert SCID not in {call["id"] for call in node.called("setchannel")}
    assert len(node.called("setchannel")) > 0
    assert imported["taken"]["peer_policies"] == 1
    assert imported["refused"] == {"forwards": 1}
    assert (imported["forwards"]["count"], imported["forwards"]["earned_msat"]) == (8, 8000)
    assert imported["settings"][0] == "revenue-config set min-fee-ppm 25"
    assert "snapshot was foo: snapshot: there is no such option" in imported["settings"][1]
    assert f"{theirs} is an earlier cl-revenue-ops' database: it was read and stays" in log
    assert "not taken over from forwards: 1: timestamp: expected a time" in log
    assert "type it if you want it: revenue-config set min-fee-ppm 25" in log


def test_a_second_start_takes_nothing_over(lightningd: FakeLightningd, node: FakeNode) -> None:
    """
    What the operator deletes stays deleted, and no sum grows, though the old file is still there.
    """
    theirs = lightningd.directory / "revenue_ops.db"
    make(theirs, left_behind(node))
    lightningd.start()
    lightningd.first_cycle()
    lightningd.call("revenue-policy", "delete", peer_of(node))
    first = lightningd.call("revenue-status")["db"]["imported"]
    lightningd.shutdown()
    lightningd.logs.clear()
    lightningd.start()
    lightningd.first_cycle()
    again = lightningd.call("revenue-status")["db"]

    assert lightningd.call("revenue-policy", "list")["policies"] == []
    assert (again["path"], again["imported"]["at"]) == (
        str(theirs.with_name("revops.db")),
        first["at"],
    )
    assert not any("taken over" in line for line in lightningd.logged("info"))


def test_a_kill_in_the_middle_leaves_nothing_half_taken(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    Killed while it reads, the plugin begins anew at the next start and takes all of it.
    """
    theirs = lightningd.directory / "revenue_ops.db"
    books = theirs.with_name("revops.db")
    make(theirs, left_behind(node, forwards=MANY))
    before = named_like_ours(theirs)
    lightningd.start()
    lightningd.wait_for(lambda: tables(books) >= {"imports"})
    time.sleep(0.05)  # It takes half a second and more.
    lightningd.kill()
    with closing(sqlite3.connect(books)) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 -- the test's own
            for table in ("imports", "policies", "costs", "imported_days")
        ]
    lightningd.start()
    lightningd.first_cycle()
    taken = lightningd.call("revenue-status")["db"]["imported"]["taken"]

    assert counts == [0, 0, 0, 0]
    assert taken["forwards"] == MANY
    assert taken["peer_policies"] == 1
    assert named_like_ours(theirs) == before


def tables(path: Path) -> set[str]:
    """
    Return the tables of books that somebody else writes.
    """
    if not path.exists():
        return set()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}


def test_a_database_that_cannot_be_read_stops_nothing_but_revops(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    Without knowing which peers are to be left alone no price is set; the log says what to do.
    """
    theirs = lightningd.directory / "revenue_ops.db"
    make(theirs, left_behind(node))
    with closing(sqlite3.connect(theirs, isolation_level=None)) as writer:
        insert(writer, Rows().add("ignored_peers"))
        # As a program does that repairs it.
        writer.execute("PRAGMA locking_mode = EXCLUSIVE")
        insert(writer, Rows().add("ignored_peers", peer_id="02" + "11" * 32))
        lightningd.start()
        lightningd.wait_for(lambda: lightningd.logged("broken"))

    assert "is locked; another program holds it: stop that one" in lightningd.logged("broken")[0]
    assert node.called("setchannel") == []


# Where it is looked for ----------------------------------------------------------------------


def test_its_own_default_is_found_too(tmp_path: Path) -> None:
    """
    It kept its database above the network's directory: on mainnet that one is taken over, and
    the books have their usual name. Another network's node leaves it alone.
    """
    theirs = tmp_path / "revenue_ops.db"
    make(theirs, {})
    mainnet, regtest = tmp_path / "bitcoin", tmp_path / "regtest"

    assert places(mainnet, None) == (mainnet / "revenue_ops.db", theirs)
    assert places(regtest, None) == (regtest / "revenue_ops.db", None)
    assert places(mainnet, "mine.db") == (mainnet / "mine.db", None)
    assert places(regtest, str(theirs)) == (tmp_path / "revops.db", theirs)


def test_settings_are_found_in_the_books_beside(tmp_path: Path, node: FakeNode) -> None:
    """
    What was set while revops ran still counts after a restart, under whatever name the books are.
    """
    make(tmp_path / "revenue_ops.db", {})
    office = Office(tmp_path, node)
    office.settings.change({"min-fee-ppm": "77"}, "revenue-config", office.clock.now())
    office.close()

    assert saved_in(tmp_path) == {"min-fee-ppm": "77"}


def saved_in(directory: Path) -> dict[str, str]:
    """
    Return what options the books hold that lightningd's `directory` has.
    """
    from revops.shell.main import saved  # noqa: PLC0415 -- beside its only use

    return {setting.option: setting.value for setting in saved(directory, "default")}
