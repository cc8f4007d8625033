"""Forwards: counted once and turn by turn, whatever the node lists, forgets or restores."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from e2e.office import Office
from fakes import FakeNode, RpcRefusalError

from revops.core.units import DAY, HOUR, MINUTE
from revops.shell import forwards

SCID = "150x6x0"
NUMBERS = ("created_index", "updated_index")
ENTRY = "150x1x0"


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Turns of two pages with five rows each.
    """
    monkeypatch.setattr(forwards, "PAGE", 5)
    monkeypatch.setattr(forwards, "PAGES", 2)


def counted(office: Office) -> tuple[int, int]:
    """
    Return how many settled forwards the books hold, and what they earned.
    """
    query = "SELECT sum(out_count), sum(earned_msat) FROM forward_stats WHERE span = 'day'"
    return office.app.store._read(lambda books: books.execute(query).fetchone())


def settled(node: FakeNode) -> tuple[int, int]:
    """
    Return how many the node lists, and their fees.
    """
    fees = [row["fee_msat"] for row in node.forwards if row["status"] == "settled"]
    return len(fees), sum(fees)


def status(office: Office) -> dict[str, Any]:
    """
    Return what the operator sees of forwards.
    """
    return office.call("revenue-status")["forwards"]


def follow(office: Office) -> None:
    """
    Run the loop until it waits for its interval.
    """
    while office.app.worker.state("forwards").next_run <= office.clock.now():
        office.app.worker.run_once("forwards")


@pytest.mark.usefixtures("pages")
def test_prices_do_not_wait_for_a_long_past(office: Office, node: FakeNode) -> None:
    """
    The first cycle counts what one turn holds, and prices without traffic; the rest is counted
    turn by turn, and then a cycle follows soon.
    """
    office.cycle()
    first = office.app.cycle.last
    assert len(node.called("listforwards")) == 1 + 2
    assert all(channel.traffic is None for channel in first.snapshot.channels)
    assert first.problems == ()
    assert status(office)["behind"] > 0
    assert status(office)["until"] is None

    follow(office)
    assert counted(office) == settled(node)
    assert status(office)["behind"] == 0
    assert office.app.worker.state("fees").next_run <= office.clock.now() + MINUTE

    office.cycle(after_s=MINUTE)
    assert all(channel.traffic for channel in office.app.cycle.last.snapshot.channels)


@pytest.mark.usefixtures("pages")
def test_each_forward_is_counted_once_while_they_go_on_ending(
    office: Office, node: FakeNode
) -> None:
    """
    Forwards that end while the past is counted, one that had begun before, and a break-off in the
    middle of a turn change nothing: each is counted once.
    """
    pending = node.forward(ENTRY, SCID, 1_000_000, office.clock.now())
    ended = {name: pending.pop(name) for name in ("updated_index", "resolved_time", "status")}
    pending["status"] = "offered"
    office.app.worker.run_once("forwards")
    pending.update(ended, updated_index=ended["updated_index"] + 1)
    node.forward(ENTRY, SCID, 2_000_000, office.clock.now() + 1)
    asked = []

    def break_off() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise RpcRefusalError(-32600, "not now")

    node.before["listforwards"] = break_off
    office.app.worker.run_once("forwards")
    assert office.app.worker.state("forwards").last_error == (
        "NodeRefusedError: listforwards: not now"
    )
    office.clock.pass_by(HOUR)
    office.restart()
    node.before.clear()
    follow(office)

    assert counted(office) == settled(node)


def test_a_past_is_listed_once(office: Office, node: FakeNode) -> None:
    """
    What had ended when the books were begun is read by its creation, and not again by its end.
    """
    node.calls.clear()
    office.cycle()
    last = max(row.get("updated_index", 0) for row in node.forwards)

    walk = [call for call in node.called("listforwards") if call["limit"] > 1]
    assert [(call["index"], call["start"]) for call in walk] == [
        ("created", 1),
        ("updated", last + 1),
    ]
    assert counted(office) == settled(node)


def test_what_the_node_forgets_stays_in_the_books(office: Office, node: FakeNode) -> None:
    """
    What autoclean and delforward take from the list stays counted.
    """
    office.cycle()
    before = counted(office)
    del node.forwards[:20]
    node.forward(ENTRY, SCID, 1_000_000, office.clock.now() + 1)
    office.restart()
    office.cycle(after_s=HOUR)

    assert counted(office) == (before[0] + 1, before[1] + node.forwards[-1]["fee_msat"])
    assert status(office)["notice"] is None


# A restored node ------------------------------------------------------------------------------


def test_a_restored_node_counts_nothing_twice(office: Office, node: FakeNode) -> None:
    """
    A node that was set back gives numbers anew: what it earned before stays counted, what it
    earns from then on is counted, and both the log and the status say so.
    """
    saved = copy.deepcopy(node.forwards)
    for number in range(1, 4):
        node.forward(ENTRY, SCID, 1_000_000 * number, office.clock.now() + number)
    office.cycle(after_s=HOUR)
    before = counted(office)
    assert status(office)["notice"] is None

    node.forwards = saved
    office.restart()
    office.cycle(after_s=HOUR)
    assert counted(office) == before
    created, updated = (max(row.get(name, 0) for row in saved) for name in NUMBERS)
    said = (
        f"the node's forwards end at {created} created, {updated} updated and were counted up to"
        f" {created + 3} created, {updated + 3} updated: its database was restored; what is counted"
        " stays, and counting goes on from there"
    )
    assert status(office)["notice"] == said
    assert ("unusual", said) in office.logs

    fees = [
        node.forward(ENTRY, SCID, 1_000_000, office.clock.now() + number)["fee_msat"]
        for number in range(1, 3)
    ]
    office.cycle(after_s=HOUR)
    assert counted(office) == (before[0] + 2, before[1] + sum(fees))
    office.restart()
    office.cycle(after_s=HOUR)
    assert counted(office) == (before[0] + 2, before[1] + sum(fees))
    assert status(office)["notice"] is None


def test_what_was_in_flight_when_the_node_was_saved_is_not_counted_again(
    office: Office, node: FakeNode
) -> None:
    """
    A forward that was under way in the restored database, and had settled since, settles there
    once more: it is the same money.
    """
    row = node.forward(ENTRY, SCID, 1_000_000, office.clock.now())
    saved = copy.deepcopy(node.forwards)
    del saved[-1]["updated_index"], saved[-1]["resolved_time"]
    saved[-1]["status"] = "offered"
    office.cycle(after_s=HOUR)
    before = counted(office)

    node.forwards = saved
    office.restart()
    office.cycle(after_s=HOUR)
    saved[-1].update(row, resolved_time=office.clock.now())
    office.cycle(after_s=HOUR)

    assert counted(office) == before


def test_a_counter_that_lags_behind_its_list_restores_nothing(
    office: Office, node: FakeNode
) -> None:
    """
    As long as the node lists the last forward that was counted, it was not set back.
    """
    office.cycle()
    before = counted(office)
    node.garbage["wait"] = lambda reply: {**reply, "created": 3, "updated": 3}
    office.restart()
    office.cycle(after_s=HOUR)

    assert counted(office) == before
    assert status(office)["notice"] is None


def test_another_nodes_forwards_are_never_mixed_in(office: Office, node: FakeNode) -> None:
    """
    When the node says late that it is another one, every loop stops before it reads anything.
    """
    office.cycle()
    before = counted(office)
    node.info["id"] = "02" + "77" * 32
    node.forward(ENTRY, SCID, 1_000_000, office.clock.now() + 1)
    office.restart()
    for loop in ("fees", "forwards"):
        office.app.worker.run_once(loop)
        assert "these are the books of node" in office.app.worker.state(loop).last_error

    assert counted(office) == before


# Rows that cannot be --------------------------------------------------------------------------


ODD: Final = (
    ({"out_msat": 2_000_000}, "out_msat 2000000 is above in_msat 2000"),
    ({"fee_msat": None}, "settled without fee_msat"),
    ({"received_time": 0.0}, "received_time is 0"),
    ({"in_msat": "lots"}, "in_msat: expected an amount in msat, got 'lots'"),
)
"""What old versions wrote, or a bad disk made of it, and what is said of that."""


@pytest.mark.usefixtures("pages")
def test_rows_that_cannot_be_are_shown_and_counted_nowhere(office: Office, node: FakeNode) -> None:
    """
    Absurd and unreadable rows, pages full of them too, stop nothing: they are counted as such,
    the latest are shown, and what comes after them is counted.
    """
    good = settled(node)
    odd = {
        node.forward(ENTRY, SCID, 1_000, office.clock.now())["created_index"]: spoilt
        for spoilt in ODD * 4
    }
    row = node.forward(ENTRY, SCID, 5_000_000, office.clock.now())

    def spoil(reply: Any) -> Any:
        return {
            "forwards": [r | odd.get(r["created_index"], ({}, ""))[0] for r in reply["forwards"]]
        }

    node.garbage["listforwards"] = spoil
    follow(office)

    shown = status(office)
    assert shown["quarantined"] == len(odd) == 16
    assert shown["until"] == office.clock.now()
    assert len(shown["latest_quarantined"]) == 5
    told = [entry.why for entry in office.app.store.upkeep.quarantined(100)]
    for number, (_, words) in odd.items():
        assert [why for why in told if f"forward {number}" in why and words in why]
    assert counted(office) == (good[0] + 1, good[1] + row["fee_msat"])
    assert any("forwards cannot be and are left out, the last: " in line for _, line in office.logs)

    office.restart()
    office.clock.pass_by(HOUR)
    follow(office)
    assert status(office)["quarantined"] == 16


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("spoil", ["7", None, -1])
def test_a_page_without_a_number_is_no_end_of_the_list(
    office: Office, node: FakeNode, spoil: object
) -> None:
    """
    When no row of a page says its place, nobody knows what comes after it: the books are not
    complete, and the loop says why.
    """

    def without_numbers(reply: Any) -> Any:
        rows = [{**row, "created_index": spoil} for row in reply["forwards"]]
        return {"forwards": rows}

    node.garbage["listforwards"] = without_numbers
    office.app.worker.run_once("forwards")

    assert "created_index is above 0 in none of 5 rows" in (
        office.app.worker.state("forwards").last_error
    )
    assert status(office)["until"] is None
    node.garbage.clear()
    office.clock.pass_by(HOUR)
    follow(office)
    assert counted(office) == settled(node)


# Nodes without counters -----------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path, node: FakeNode) -> Iterator[Office]:
    """
    The pieces on a node of before v23.11.
    """
    office = Office(tmp_path / "old", FakeNode(now=node.now, counters=False))
    yield office
    office.close()


def hear(office: Office, at: int) -> None:
    """
    Have the node forward a payment and tell of it.
    """
    row = office.node.forward(ENTRY, SCID, 1_000_000, at)
    office.app.cycle.observer.forwards.event(row)


def test_more_events_than_are_kept_are_read_from_the_list(
    old: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    While the list cannot be read, a bounded number of events waits; when there were more, the
    next full read counts them all, each once.
    """
    monkeypatch.setattr(forwards, "HEARD", 3)
    old.cycle()
    for second in range(1, 9):
        hear(old, old.clock.now() + second)
    assert len(old.app.cycle.observer.forwards._heard) == 3
    old.cycle(after_s=MINUTE)
    assert counted(old) == settled(old.node)

    hear(old, old.clock.now() + 1)
    old.cycle(after_s=MINUTE)
    assert counted(old) == settled(old.node)
    assert len([call for call in old.node.called("listforwards") if call == {}]) == 2


def test_a_node_that_gets_counters_is_counted_on(old: Office) -> None:
    """
    After an upgrade to v23.11 the walks begin where time had led: nothing is counted twice, and
    what ended meanwhile is counted.
    """
    old.cycle()
    old.node.forward(ENTRY, SCID, 1_000_000, old.clock.now() + 5)
    old.clock.pass_by(DAY)
    old.node.counters = True
    old.restart()
    old.cycle()
    old.node.forward(ENTRY, SCID, 1_000_000, old.clock.now() + 5)
    old.cycle(after_s=MINUTE)

    assert counted(old) == settled(old.node)


def test_what_cannot_be_read_is_counted_once_by_time_too(old: Office) -> None:
    """
    A row without a readable time is told when all are read for the first time, not at each start.
    """
    old.node.forwards[3]["received_time"] = "noon"
    for _ in range(3):
        old.restart()
        old.cycle(after_s=MINUTE)

    assert status(old)["quarantined"] == 1
