"""Accounting at a node that lives: opened, refilled, spliced, closed, restored, killed anywhere."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_of_books import BookDesk, total
from e2e.office import Office
from fake_books import named
from fakes import FakeNode, RpcRefusalError

from revops.adapters.store import Store
from revops.core.capacity import SPLICE_VB
from revops.core.fees.floors import CLOSING_VB, OPENING_VB
from revops.core.ledger import Cost
from revops.core.snapshot import Refills
from revops.core.units import DAY, HOUR, MINUTE

NOW = 1_800_000_000
OURS = "150x6x0"
THEIRS = "150x1x0"
OTHER = "150x8x0"
STAMP = "2027-01-15T08:00:00.000Z"
PERKW = 1000


@pytest.fixture
def node() -> FakeNode:
    """
    Return a node that has forwarded and refilled once before the books begin.
    """
    return FakeNode(NOW)


@pytest.fixture
def desk(tmp_path: Path, node: FakeNode) -> Iterator[BookDesk]:
    """
    Return books that are up to date with all that was before.
    """
    desk = BookDesk(tmp_path, node, perkw=PERKW)
    desk.catch_up(HOUR)
    yield desk
    desk.store.close()


def channel_id(node: FakeNode, scid: str) -> str:
    """
    Return the id of a channel that has *scid* now.
    """
    return node.channel(scid)["channel_id"]


def refusal(code: int, message: str) -> Callable[[], None]:
    """
    Return what says no.
    """

    def refuse() -> None:
        raise RpcRefusalError(code, message)

    return refuse


def guess(vbytes: int) -> Cost:
    """
    Return what a transaction is thought to cost.
    """
    return Cost(amount_msat=vbytes * 4 * PERKW, estimated=True)


def paid(msat: int) -> Cost:
    """
    Return what a transaction is known to have cost.
    """
    return Cost(amount_msat=msat)


# Refills


def test_a_refill_is_counted_when_its_second_side_comes(desk: BookDesk, node: FakeNode) -> None:
    """
    The two sides come in different hours, among payments that are no refills; the refill is
    counted once, to the channel that it filled, at what it cost.
    """
    before = total(desk.refills())
    node.books.pay(None, OTHER, 50_000_000, at=NOW + HOUR, name="ours")
    node.books.pay(OURS, None, 7_000_000, fee=10, at=NOW + HOUR)
    desk.catch_up(HOUR)
    assert total(desk.refills()) == before

    node.books.pay(OURS, None, 50_000_000, fee=12_345, at=NOW + HOUR, name="ours")
    node.books.pay(None, THEIRS, 7_000_000, at=NOW + HOUR)
    desk.catch_up(HOUR)
    desk.catch_up(HOUR)
    assert desk.refills()[channel_id(node, OTHER)] == Refills(
        count=1, amount_msat=50_000_000, cost_msat=12_345
    )
    assert total(desk.refills()).count == before.count + 1


def test_each_part_of_a_refill_goes_where_it_went(desk: BookDesk, node: FakeNode) -> None:
    """
    A circular payment in parts fills two channels, each with its own part and fee.
    """
    for enters, amount, fee in ((OTHER, 30_000_000, 300), (THEIRS, 20_000_000, 100)):
        node.books.pay(OURS, enters, amount, fee=fee, at=NOW, name="in parts")
    before = desk.refills()
    desk.catch_up(HOUR)

    filled = {key: value for key, value in desk.refills().items() if before.get(key) != value}
    assert filled[channel_id(node, OTHER)].cost_msat == 300
    assert filled[channel_id(node, THEIRS)].cost_msat - 44_022 == 100


def test_refills_reach_the_channels_for_as_long_as_they_are_known(
    desk: BookDesk, node: FakeNode
) -> None:
    """
    The last 30 days of refills are known while the books follow, and unknown when they stopped.
    """
    known = desk.store.costs.refills(desk.clock.now())
    assert known == {
        channel_id(node, THEIRS): Refills(count=1, amount_msat=20_000_000, cost_msat=44_022)
    }

    desk.clock.pass_by(2 * DAY)
    assert desk.store.costs.refills(desk.clock.now()) is None
    desk.catch_up(29 * DAY)
    assert desk.store.costs.refills(desk.clock.now()) == {}


def test_a_restored_node_is_told_and_nothing_is_counted_twice(
    desk: BookDesk, node: FakeNode
) -> None:
    """
    The node's list ends before the place that was read: that is said once; what was counted
    stays, and what comes after the new end is counted.
    """
    node.books.pay(OURS, OTHER, 50_000_000, fee=5, at=NOW)
    node.books.pay(None, OTHER, 1_000, at=NOW)
    desk.catch_up(HOUR)
    before = total(desk.refills())
    del node.books.moves[-3:]
    last = node.books.moves[-1]["created_index"]

    desk.catch_up(HOUR)
    (problem,) = desk.problems
    assert problem.startswith(f"listchannelmoves ends at row {last} and went to {last + 3} before")
    for _ in range(3):
        node.books.pay(None, OTHER, 2_000, at=NOW)
    node.books.pay(OURS, OTHER, 60_000_000, fee=7, at=NOW)
    desk.catch_up(HOUR)
    assert desk.problems == ()
    assert total(desk.refills()).count == before.count + 1
    assert total(desk.refills()).cost_msat == before.cost_msat + 7


# Before v25.09


@pytest.fixture
def old_node() -> FakeNode:
    """
    Return a node of before v25.09: it lists its payments, and not what moved.
    """
    node = FakeNode(NOW)
    node.absent = {"listchannelmoves"}
    return node


@pytest.fixture
def old_desk(tmp_path: Path, old_node: FakeNode) -> Iterator[BookDesk]:
    """
    Return books at the old node, up to date.
    """
    desk = BookDesk(tmp_path, old_node)
    desk.catch_up(HOUR)
    yield desk
    desk.store.close()


def test_before_v25_09_refills_are_payments_to_ourselves(
    old_desk: BookDesk, old_node: FakeNode
) -> None:
    """
    Payments to ourselves are refills; bookkeeper tells by which channels they went. Payments to
    others are none.
    """
    theirs = channel_id(old_node, THEIRS)
    recorded = Refills(count=1, amount_msat=20_000_000, cost_msat=44_022)
    assert old_desk.refills() == {theirs: recorded}

    old_node.books.pay(OURS, OTHER, 9_000_000, fee=90, at=old_desk.clock.now())
    old_desk.catch_up()
    assert old_desk.refills() == {theirs: recorded}, "bookkeeper may not know all of it yet"
    old_desk.catch_up(HOUR)
    other = Refills(count=1, amount_msat=9_000_000, cost_msat=90)
    assert old_desk.refills() == {theirs: recorded, channel_id(old_node, OTHER): other}
    assert old_desk.store.costs.refills(old_desk.clock.now()) == old_desk.refills()


def test_without_bookkeeper_a_refill_costs_though_nobody_knows_whom(
    tmp_path: Path, old_node: FakeNode
) -> None:
    """
    The node's total is right, and no channel is said to have had none.
    """
    old_node.absent.add("bkpr-listaccountevents")
    desk = BookDesk(tmp_path, old_node)
    old_node.books.pay(OURS, OTHER, 9_000_000, fee=90, at=NOW, name="in parts")
    old_node.books.pay(OURS, OTHER, 8_000_000, fee=80, at=NOW, name="in parts")
    desk.catch_up(HOUR)
    desk.catch_up(HOUR)

    assert desk.refills() == {None: Refills(count=3, amount_msat=37_000_000, cost_msat=44_192)}
    assert desk.store.costs.refills(desk.clock.now()) is None


def test_an_upgrade_counts_no_refill_twice(old_desk: BookDesk, old_node: FakeNode) -> None:
    """
    Once the node lists what moved, with all of the past, the books are as they were.
    """
    before = old_desk.refills()
    old_node.absent.clear()
    old_desk.restart()
    old_desk.catch_up(HOUR)

    assert old_desk.refills() == before


def test_before_v23_11_refills_are_unknown(tmp_path: Path, old_node: FakeNode) -> None:
    """
    A node that cannot page its payments is not asked for all of them: unknown is not none.
    """
    old_node.before["listsendpays"] = refusal(-32602, "unknown parameter: index")
    desk = BookDesk(tmp_path, old_node)
    desk.catch_up(HOUR)

    assert desk.problems == ()
    assert desk.store.costs.refills(desk.clock.now()) is None


def test_no_preimage_is_kept(old_desk: BookDesk, old_node: FakeNode) -> None:
    """
    The file of the books holds nothing of what proves a payment.
    """
    old_node.books.pay(OURS, OTHER, 9_000_000, fee=90, at=NOW)
    old_desk.catch_up(HOUR)
    directory = next(iter(Path(old_desk.store.path).parent.glob("*.db"))).parent
    kept = b"".join(file.read_bytes() for file in directory.iterdir())
    preimages = [
        row["payment_preimage"] for row in old_node.books.payments if "payment_preimage" in row
    ]

    assert preimages
    assert not any(preimage.encode() in kept for preimage in preimages)
    assert not any(bytes.fromhex(preimage) in kept for preimage in preimages)


# What the chain took


def test_an_opening_is_estimated_until_bookkeeper_knows(desk: BookDesk, node: FakeNode) -> None:
    """
    A channel that we opened costs an estimate at once, which says so, and what was paid once
    bookkeeper has had time to hear of it; never an estimate again.
    """
    new = node.books.open("300x1x0", like=OURS, fee=1_500_000, at=desk.clock.now())
    desk.catch_up()
    assert desk.cost(new["channel_id"], "open") == guess(OPENING_VB)

    desk.catch_up(HOUR)
    assert desk.cost(new["channel_id"], "open") == paid(1_500_000)
    desk.catch_up(2 * DAY)
    assert desk.cost(new["channel_id"], "open") == paid(1_500_000)


def test_what_the_peer_opened_costs_us_nothing(desk: BookDesk, node: FakeNode) -> None:
    """
    A channel that the peer opened is not estimated, and bookkeeper says that it cost nothing.
    """
    new = node.books.open("300x1x0", like=THEIRS, fee=0, at=desk.clock.now())
    desk.catch_up()
    assert desk.cost(new["channel_id"], "open") is None
    desk.catch_up(HOUR)
    assert desk.cost(new["channel_id"], "open") == paid(0)


def test_a_splice_is_followed_by_the_channel_id(desk: BookDesk, node: FakeNode) -> None:
    """
    The short channel id and the capacity change: the splice is in the books, with an estimate at
    first. What bookkeeper takes for fees until it has heard of every output is not believed.
    """
    spliced = channel_id(node, OURS)
    before = node.channel(OURS)["total_msat"]
    node.books.splice(OURS, "310x1x1", 400_000_000, 1_161_000, desk.clock.now())
    correction = node.books.events.pop()
    desk.catch_up(MINUTE)
    after = before + 400_000_000 - 1_161_000
    ((at, *event),) = desk.sql(
        "SELECT at, channel_id, old_scid, new_scid, old_capacity_msat,"
        " new_capacity_msat FROM splice_events"
    )
    assert event == [spliced, OURS, "310x1x1", before, after]
    assert at == desk.clock.now()
    assert desk.cost(spliced, "splice") == guess(SPLICE_VB)

    node.books.events.append(correction)
    desk.catch_up(HOUR)
    desk.catch_up(2 * DAY)
    assert desk.cost(spliced, "splice") == paid(1_161_000)
    assert desk.cost(spliced, "open") == paid(986_000)
    assert len(desk.sql("SELECT * FROM splice_events")) == 1


@pytest.mark.parametrize(
    ("scid", "cause", "how", "expected"),
    [
        (OURS, "user", "mutual", "last_tx_fee_msat"),
        (OURS, "onchain", "remote_force", "last_tx_fee_msat"),
        (THEIRS, "user", "mutual", 0),
        (THEIRS, "protocol", "local_force", CLOSING_VB * 4 * PERKW),
    ],
)
def test_a_close_is_archived_with_what_it_cost(
    desk: BookDesk, node: FakeNode, scid: str, cause: str, how: str, expected: str | int
) -> None:
    """
    A channel that closes is archived with how it did and what that is expected to cost; with what
    it did cost, once bookkeeper knows; and as settled, once the node has done with it.
    """
    closing = node.channel(scid)
    over = desk.clock.now()
    node.books.close(scid, fee=748_216, at=over, stamp=STAMP, cause=cause)
    desk.catch_up()
    msat = closing[expected] if isinstance(expected, str) else expected
    assert desk.cost(closing["channel_id"], "close") == Cost(amount_msat=msat, estimated=True)
    assert desk.sql("SELECT how, resolved FROM closed_channels") == [(how, 0)]

    desk.catch_up(HOUR)
    assert desk.cost(closing["channel_id"], "close") == paid(748_216)
    node.books.forget(scid)
    desk.catch_up(DAY)
    assert desk.cost(closing["channel_id"], "close") == paid(748_216)
    desk.catch_up(2 * DAY)
    assert desk.cost(closing["channel_id"], "close") == paid(748_216)
    assert desk.sql("SELECT * FROM closed_channels") == [
        (closing["channel_id"], over, how, 1, closing["to_us_msat"])
    ]


def test_sweeps_weeks_later_are_part_of_the_close(desk: BookDesk, node: FakeNode) -> None:
    """
    While a close is not settled, bookkeeper is asked every day what came of it.
    """
    closing = channel_id(node, OURS)
    node.books.close(OURS, fee=500_000, at=desk.clock.now(), stamp=STAMP, cause="protocol")
    for _ in range(10):
        desk.catch_up(DAY)
    sweep = {**node.books.events[-1], "txid": named("a sweep"), "credit_msat": 300_000}
    node.books.events.append(sweep | {"timestamp": desk.clock.now()})
    desk.catch_up(DAY)

    assert desk.cost(closing, "close") == paid(800_000)


def test_channels_that_were_closed_before_the_books_began_are_in_them(tmp_path: Path) -> None:
    """
    What the node has done with is archived at the first look, with its short channel id, so that
    its forwards have a channel.
    """
    desk = BookDesk(tmp_path, FakeNode(NOW, phase="after_close/"))
    desk.catch_up(HOUR)

    rows = "SELECT scid FROM closed_channels JOIN channel_scids USING (channel_id) ORDER BY scid"
    assert desk.sql(rows) == [("150x2x0",), ("150x4x0",), ("150x8x0",)]
    desk.store.close()


def test_a_channel_that_is_only_not_shown_is_not_closed(desk: BookDesk, node: FakeNode) -> None:
    """
    A channel whose row could not be read stays open: the node does not call it closed. After a
    day it is given up, and taken back when it is there again.
    """
    hidden = node.channel(OURS)
    node.channels.remove(hidden)
    desk.catch_up(HOUR)
    assert desk.sql("SELECT * FROM closed_channels") == []
    desk.catch_up(2 * DAY)
    assert desk.sql("SELECT how, resolved FROM closed_channels") == [("unknown", 1)]

    node.channels.append(hidden)
    desk.catch_up(HOUR)
    assert desk.sql("SELECT * FROM closed_channels") == []


def test_a_channel_that_never_came_to_be_is_forgotten(desk: BookDesk, node: FakeNode) -> None:
    """
    A funding that was never confirmed costs nothing, and leaves nothing.
    """
    new = node.books.open("300x1x0", like=OURS, fee=1_500_000, at=desk.clock.now())
    del new["short_channel_id"]
    new["state"] = "CHANNELD_AWAITING_LOCKIN"
    desk.catch_up(HOUR)
    node.channels.remove(new)
    desk.catch_up(2 * DAY)

    assert desk.cost(new["channel_id"], "open") is None
    known = {row for (row,) in desk.sql("SELECT channel_id FROM channels")}
    assert new["channel_id"] not in known


def test_without_bookkeeper_estimates_stand(tmp_path: Path, node: FakeNode) -> None:
    """
    Where no bookkeeper runs it is asked once; what we opened and closed is estimated.
    """
    node.absent = {"bkpr-listaccountevents"}
    desk = BookDesk(tmp_path, node, perkw=PERKW)
    closing = node.channel(OURS)
    node.books.close(OURS, fee=748_216, at=NOW, stamp=STAMP)
    for _ in range(3):
        desk.catch_up(HOUR)

    assert desk.problems == ()
    assert len(node.called("bkpr-listaccountevents")) == 1
    assert desk.cost(closing["channel_id"], "open") == guess(OPENING_VB)
    assert desk.cost(closing["channel_id"], "close").estimated
    desk.store.close()


def test_without_a_feerate_there_is_no_estimate(tmp_path: Path, node: FakeNode) -> None:
    """
    What nobody can tell is not written down as nothing.
    """
    node.absent = {"bkpr-listaccountevents"}
    desk = BookDesk(tmp_path, node, perkw=None)
    desk.catch_up(HOUR)

    assert desk.sql("SELECT * FROM costs") == []
    desk.store.close()


# Refusals, silence, the end


def test_what_the_node_refuses_holds_nothing_else_up(desk: BookDesk, node: FakeNode) -> None:
    """
    One list is refused: that is said, and the others are read.
    """
    node.books.open("300x1x0", like=OURS, fee=1_500_000, at=desk.clock.now())
    node.before["listchannelmoves"] = refusal(-1, "not now")
    desk.catch_up()
    desk.catch_up(HOUR)

    assert desk.problems == ("listchannelmoves: not now",)
    assert desk.cost(channel_id(node, "300x1x0"), "open") == paid(1_500_000)


class DyingStore(Store):
    """
    Books that die with their process, after so many writes.
    """

    writes_left = 0

    def _write(self, *args: Any, **kwargs: Any) -> Any:
        written = super()._write(*args, **kwargs)
        DyingStore.writes_left -= 1
        if not DyingStore.writes_left:
            raise KilledError
        return written


class KilledError(BaseException):
    """
    The end of the process.
    """


def lived(directory: Path, writes: int) -> tuple[dict[str, Any], int]:
    """
    Let much happen, and the books follow, in a process that is killed after so many *writes* of
    the following; return what they come to, and how many writes it was short of being killed.
    """
    node = FakeNode(NOW)
    desk = BookDesk(directory, node, perkw=PERKW, store=DyingStore)
    desk.catch_up(HOUR)
    now = desk.clock.now()
    node.books.pay(OURS, OTHER, 50_000_000, fee=12_345, at=now)
    node.books.pay(None, OTHER, 1_000_000, at=now, name="later")
    node.books.open("300x1x0", like=OURS, fee=1_500_000, at=now)
    node.books.splice(OURS, "310x1x1", 400_000_000, 1_161_000, now)
    node.books.close(OTHER, fee=748_216, at=now, stamp=STAMP)
    node.books.close(THEIRS, fee=0, at=now, stamp=STAMP, cause="onchain")
    node.books.forget(THEIRS)
    DyingStore.writes_left = writes
    for _ in range(2):
        desk.clock.pass_by(HOUR)
        try:
            desk.catch_up()
        except KilledError:
            desk.restart()
            desk.catch_up()
    left, DyingStore.writes_left = DyingStore.writes_left, 0
    node.books.pay("310x1x1", None, 1_000_000, fee=11, at=now, name="later")
    desk.catch_up(HOUR)
    contents = desk.contents()
    desk.store.close()
    return contents, left


def test_killed_at_any_moment_the_books_come_to_the_same(tmp_path: Path) -> None:
    """
    After whatever write the process dies, the next one goes on, and the books are those of a
    process that lived.
    """
    most = 1000
    wanted, left = lived(tmp_path / "lived", most)
    writes = most - left

    assert writes > 10
    for fatal in range(1, writes + 1):
        contents, left = lived(tmp_path / str(fatal), fatal)
        assert left <= 0
        assert contents == wanted


# The loop


@pytest.fixture
def office(tmp_path: Path, node: FakeNode) -> Iterator[Office]:
    """
    Return the plugin at work.
    """
    office = Office(tmp_path, node)
    yield office
    office.close()


def test_what_a_refill_cost_is_known_to_the_next_cycle(office: Office) -> None:
    """
    Before the books were kept once refills are unknown; then each channel has its own, none
    included.
    """
    office.cycle()
    assert {c.refills for c in office.app.cycle.last.snapshot.channels} == {None}
    office.keep_books()
    office.cycle(HOUR)

    refills = {c.scid: c.refills for c in office.app.cycle.last.snapshot.channels}
    none = Refills(count=0, amount_msat=0, cost_msat=0)
    assert refills.pop(THEIRS) == Refills(count=1, amount_msat=20_000_000, cost_msat=44_022)
    assert set(refills.values()) == {none}


def test_the_books_are_due_hourly_and_soon_after_channels_change(
    office: Office, node: FakeNode
) -> None:
    """
    Nothing is asked before the first cycle; then the books follow once an hour, and within a
    minute of a cycle that saw a channel come, go or change. Cycles ask no more than ever.
    """
    office.keep_books()
    assert node.calls == []
    office.cycle()
    asked = {method for method, _ in node.calls}
    start = {"getinfo", "wait"}
    cycle = {"listpeerchannels", "feerates", "listforwards", "clboss-status", "setchannel"}
    assert asked == start | cycle
    assert office.app.worker.state("books").next_run <= office.clock.now() + MINUTE

    office.keep_books(MINUTE)
    office.cycle()
    assert office.app.worker.state("books").next_run > office.clock.now() + 50 * MINUTE
    node.books.open("300x1x0", like=OURS, fee=1_500_000, at=office.clock.now())
    office.cycle(MINUTE)
    assert office.app.worker.state("books").next_run <= office.clock.now() + MINUTE


def test_what_cannot_be_told_is_logged(office: Office, node: FakeNode) -> None:
    """
    A list that the node refuses is a line in the log, and the loop goes on.
    """
    node.before["listchannelmoves"] = refusal(-1, "not now")
    office.cycle()
    office.keep_books()

    assert [line for _, line in office.logs if "not now" in line] == ["listchannelmoves: not now"]
    assert not office.app.worker.state("books").failing
