"""Orders: a fee set by command is in force now and stays; every fee can be put back."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from e2e.office import Office
from fakes import FakeNode, HangUpError, RpcRefusalError

from revops.core import Code
from revops.shell.commands.command import CommandError, NotDoneError

SCID = "150x6x0"
OTHER = "150x1x0"
HALF_HOUR = 1800
HOUR = 3600
DAY = 86_400
YIELDED = {Code.MANUAL_CHANGE, Code.PINNED}


def set_fee(office: Office, *positional: Any, **named: Any) -> Any:
    """
    Call `revenue-set-fee`.
    """
    return office.call("revenue-set-fee", *positional, **named)


def restore(office: Office, *positional: Any) -> Any:
    """
    Call `revenue-restore-fees`.
    """
    return office.call("revenue-restore-fees", *positional)


def hang_up() -> None:
    """
    Answer nothing.
    """
    raise HangUpError


def refuse() -> None:
    """
    Answer with an error.
    """
    raise RpcRefusalError(-1, "not ready")


def rows(office: Office, query: str) -> list[Any]:
    """
    Return what the books say.
    """
    with closing(sqlite3.connect(office.app.store.path)) as books:
        return books.execute(query).fetchall()


def prices(node: FakeNode) -> dict[str, tuple[int, int, int]]:
    """
    Return ppm, base and htlc_maximum of every channel.
    """
    return {
        c["short_channel_id"]: (
            c["fee_proportional_millionths"],
            c["fee_base_msat"],
            c["maximum_htlc_out_msat"],
        )
        for c in node.channels
    }


# revenue-set-fee -----------------------------------------------------------------------------


def test_an_order_is_in_force_at_once_and_stays_for_a_day(office: Office, node: FakeNode) -> None:
    """
    The fee is set before the command answers; for 24 hours every cycle leaves it and says why,
    across a restart too; then revops goes on from there.
    """
    office.cycle()
    before = node.fees()[SCID][0]
    answer = set_fee(office, SCID, 777)
    until = office.clock.now() + DAY

    assert node.fees()[SCID] == (777, 0)
    assert answer == {
        "status": "success",
        "success": True,
        "channel": SCID,
        "channel_id": SCID,
        "scid": SCID,
        "peer_id": node.channel(SCID)["peer_id"],
        "old_fee_ppm": before,
        "new_fee_ppm": 777,
        "fee_ppm": 777,
        "base_fee_msat": 0,
        "pinned_until": until,
        "message": "revops leaves it alone until then",
    }
    for after_s in (HALF_HOUR, 22 * HOUR):
        office.cycle(after_s=after_s)
        assert office.codes(SCID) == {Code.ORDERED}
        assert office.decision(SCID).action.until == until
        office.restart()
    office.cycle(after_s=2 * HOUR)

    assert Code.FIRST_CONTACT in office.codes(SCID)
    assert not {Code.ORDERED, *YIELDED} & office.codes(SCID)
    assert rows(office, "SELECT count(*) FROM fee_pins") == [(0,)]


def test_an_order_is_journalled_audited_and_explained(office: Office) -> None:
    """
    An order is written down like any other fee change, with the reason that the operator is.
    """
    office.cycle()
    office.clock.pass_by(60)
    set_fee(office, SCID, 777, "false", 2)
    [explained] = office.call("revenue-explain", SCID)["channels"]
    change = office.call("revenue-status")["recent_fee_changes"][0]
    steps = [(step["code"], step["facts"]) for step in explained["fee"]["steps"]]

    assert explained["fee"]["do"] == "set_fee"
    assert explained["fee"]["outcome"] == "applied"
    assert steps == [
        ("ordered", {"fee_ppm": 777, "hours": 2.0}),
        ("set", {"fee_ppm": 777, "base_fee_msat": 0}),
    ]
    assert (change["channel_id"], change["new_fee_ppm"]) == (SCID, 777)
    assert change["reason"].startswith("the operator set 777 ppm by a command")


def test_an_order_for_no_time_is_not_undone_and_not_kept(office: Office) -> None:
    """
    With `hours=0` the fee is set and not pinned: the next cycle prices on from there and takes it
    for nobody else's change.
    """
    office.cycle()
    answer = set_fee(office, scid=SCID, ppm=777, hours=0)
    office.cycle(after_s=HALF_HOUR)

    assert answer["pinned_until"] == office.clock.now() - HALF_HOUR
    assert answer["message"] == "revops goes on from there"
    assert not {Code.ORDERED, *YIELDED} & office.codes(SCID)
    assert Code.FIRST_CONTACT in office.codes(SCID)
    assert (777, 0) in office.node.fees().values()


def test_an_order_names_its_channel_by_either_id(office: Office, node: FakeNode) -> None:
    """
    Short channel id or channel id, by place or by the predecessor's names; before the first cycle,
    too, and the fee that was there before is known from then on.
    """
    channel, before = node.channel(SCID), prices(node)[SCID]
    set_fee(office, channel_id=channel["channel_id"], fee_ppm="300")
    kept = "SELECT channel_id, fee_ppm, base_fee_msat, htlc_max_msat FROM original_fees"

    assert node.fees()[SCID][0] == 300
    assert (channel["channel_id"], *before) in rows(office, kept)
    office.cycle()
    assert office.codes(SCID) == {Code.ORDERED}

    node.calls.clear()
    set_fee(office, SCID, 301)
    assert node.called("listpeerchannels") == [{"id": channel["peer_id"]}]


def test_the_base_fee_is_as_configured(office: Office, node: FakeNode) -> None:
    """
    An order sets the base fee that base-fee-msat says, and leaves it where that says keep.
    """
    base = node.fees()[SCID][1]
    office.configure(base_fee_msat="keep")
    set_fee(office, SCID, 300)
    assert node.fees()[SCID] == (300, base)

    office.configure(base_fee_msat="7")
    set_fee(office, SCID, 300)
    assert node.fees()[SCID] == (300, 7)


def test_an_order_keeps_within_the_bounds_unless_forced(office: Office, node: FakeNode) -> None:
    """
    The peer's own bounds count, else those of the node; `force` leaves them, but not 0 to 100000.
    """
    with pytest.raises(CommandError, match=r"ppm: expected 10 to 5000 \(min-fee-ppm, .*got 5001"):
        set_fee(office, SCID, 5001)
    peer = node.channel(SCID)["peer_id"]
    office.call("revenue-policy", action="set", peer_id=peer, min_fee_ppm=200, max_fee_ppm=9000)
    with pytest.raises(CommandError, match=r"expected 200 to 9000 \(the peer's policy\), got 199"):
        set_fee(office, SCID, 199)
    with pytest.raises(CommandError, match=r"ppm: expected a whole number from 0 to 100000"):
        set_fee(office, SCID, 100_001, force=True)
    assert node.called("setchannel") == []

    assert set_fee(office, SCID, 9000)["status"] == "success"
    assert set_fee(office, SCID, 0, True)["new_fee_ppm"] == 0
    office.cycle()
    assert node.fees()[SCID][0] == 0


def test_an_order_wins_over_every_policy(office: Office, node: FakeNode) -> None:
    """
    A static fee for the peer waits until the order has ended.
    """
    peer = node.channel(SCID)["peer_id"]
    office.call("revenue-policy", "set", peer, "static", "enabled", "50")
    set_fee(office, SCID, 777, hours=1)
    office.cycle()
    assert node.fees()[SCID][0] == 777

    office.cycle(after_s=HOUR)
    assert node.fees()[SCID][0] == 50


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("1x1x1", 100), "scid: expected a short channel id or channel id of ours, got '1x1x1'"),
        ((SCID, 10.5), "ppm: expected a whole number from 0 to 100000, got 10.5"),
        ((SCID, 100, "maybe"), "force: expected true or false, got 'maybe'"),
        ((SCID, 100, False, 8761), "hours: expected a whole number from 0 to 8760, got 8761"),
        ((SCID,), "ppm: it is missing"),
    ],
)
def test_a_wrong_order_names_field_and_value(
    office: Office, node: FakeNode, arguments: tuple[Any, ...], error: str
) -> None:
    """
    What cannot be ordered is refused with one sentence, and nothing is set or written down.
    """
    with pytest.raises(CommandError) as refused:
        set_fee(office, *arguments)

    assert str(refused.value).startswith(error)
    assert node.called("setchannel") == []
    assert rows(office, "SELECT * FROM journal") == rows(office, "SELECT * FROM fee_pins") == []


def test_a_channel_that_is_not_open_is_named(office: Office, node: FakeNode) -> None:
    """
    On a channel that is closing or too young no fee can be set: the state is told.
    """
    node.channel(SCID)["state"] = "CHANNELD_SHUTTING_DOWN"
    with pytest.raises(CommandError, match=f"scid: {SCID} is in state CHANNELD_SHUTTING_DOWN"):
        set_fee(office, SCID, 300)


def test_a_dry_run_orders_nothing(office: Office, node: FakeNode) -> None:
    """
    With dry-run set an order is written down and rehearsed: nothing is set, nothing stays.
    """
    office.cycle()
    sets = node.called("setchannel")
    office.configure(dry_run="true")
    answer = set_fee(office, SCID, 777)

    assert (answer["status"], answer["success"]) == ("rehearsed", False)
    assert answer["pinned_until"] is None
    assert node.called("setchannel") == sets
    assert rows(office, "SELECT state FROM journal ORDER BY id DESC LIMIT 1") == [("rehearsed",)]
    assert rows(office, "SELECT * FROM fee_pins") == []


def test_paused_keeps_the_operator_too_but_authority_does_not(
    office: Office, node: FakeNode
) -> None:
    """
    While paused is set no fee is set, and the answer names it; authority says what revops may do
    by itself, not what it may be told.
    """
    office.configure(paused="true", authority="observe")
    for command in (lambda: set_fee(office, SCID, 300), lambda: restore(office)):
        with pytest.raises(CommandError, match="set revenue-ops-paused to false"):
            command()
    assert node.called("setchannel") == []

    office.configure(paused="false")
    assert set_fee(office, SCID, 300)["success"]
    assert node.fees()[SCID][0] == 300


def test_a_refused_order_is_an_error_and_leaves_the_one_before(
    office: Office, node: FakeNode
) -> None:
    """
    When lightningd says no, so does the command; an earlier order holds as if nothing had been
    asked.
    """
    office.cycle()
    set_fee(office, SCID, 300, hours=48)
    until = office.clock.now() + 2 * DAY
    node.before["setchannel"] = refuse
    with pytest.raises(NotDoneError, match=r"777 ppm is not set and not pinned: setchannel: not r"):
        set_fee(office, SCID, 777)
    node.before.clear()
    office.cycle(after_s=HALF_HOUR)

    assert node.fees()[SCID][0] == 300
    assert office.codes(SCID) == {Code.ORDERED}
    assert office.decision(SCID).action.until == until


@pytest.mark.parametrize("done", [True, False])
def test_an_order_without_an_answer_is_settled_by_the_next_look(
    office: Office, node: FakeNode, *, done: bool
) -> None:
    """
    Silence is an error that says so; when the fee came into force after all it stays as ordered,
    and when not, the order is void. Neither is somebody else's change.
    """
    office.cycle()
    before = node.fees()[SCID][0]
    (node.after if done else node.before)["setchannel"] = hang_up
    with pytest.raises(NotDoneError, match=r"777 ppm may be set and pinned, or not; the next look"):
        set_fee(office, SCID, 777)
    node.after.clear()
    node.before.clear()
    office.cycle(after_s=HALF_HOUR)
    [(state, _)] = rows(office, "SELECT state, max(id) FROM journal")

    assert (node.fees()[SCID][0] == 777) == done
    assert state == ("applied" if done else "refused")
    assert (office.codes(SCID) == {Code.ORDERED}) == done
    assert not YIELDED & office.codes(SCID)
    assert len(rows(office, "SELECT * FROM fee_pins")) == done
    assert done or node.fees()[SCID][0] == before


def test_a_node_that_does_not_tell_its_channels_is_an_error(office: Office, node: FakeNode) -> None:
    """
    Without the channel there is no order; the sentence says that nothing was done.
    """
    node.before["listpeerchannels"] = hang_up
    with pytest.raises(NotDoneError, match="nothing was done"):
        set_fee(office, SCID, 777)
    assert rows(office, "SELECT * FROM journal") == []


class Listening(list[tuple[str, str]]):
    """
    A log that calls somebody at its first line.
    """

    def __init__(self, hear: Callable[[], None]) -> None:
        super().__init__()
        self._hear = hear

    def append(self, line: tuple[str, str]) -> None:
        """
        Keep a line.
        """
        super().append(line)
        if len(self) == 1:
            self._hear()


def test_a_plan_never_overwrites_a_newer_order(office: Office, node: FakeNode) -> None:
    """
    An order that comes while a cycle is setting fees stands: what the cycle had decided about that
    channel is not done, and the journal says why.
    """
    last = [c["short_channel_id"] for c in sorted(node.channels, key=lambda c: c["channel_id"])][-1]
    office.logs = Listening(lambda: set_fee(office, last, 777))
    office.cycle()
    outcomes = rows(office, "SELECT state, outcome FROM journal ORDER BY at, id")

    assert node.fees()[last][0] == 777
    assert [call["feeppm"] for call in node.called("setchannel") if call["id"] == last] == [777]
    assert [state for state, _ in outcomes].count("refused") == 1
    assert any("the operator has ordered another fee" in str(why) for _, why in outcomes)

    office.cycle(after_s=HALF_HOUR)
    assert office.codes(last) == {Code.ORDERED}


def test_a_look_waits_for_the_order_under_way(office: Office, node: FakeNode) -> None:
    """
    No cycle looks while an order is asked for and not answered: it would take the order for one
    that came to nothing.
    """
    office.cycle()
    office.clock.pass_by(HALF_HOUR)
    asked, answer = threading.Event(), threading.Event()
    node.before["setchannel"] = lambda: asked.set() or answer.wait(1)
    order = threading.Thread(target=set_fee, args=(office, SCID, 777))
    order.start()
    asked.wait()
    looks = len(node.called("listpeerchannels"))
    cycle = threading.Thread(target=office.cycle, args=(1,))
    cycle.start()
    cycle.join(0.2)
    assert len(node.called("listpeerchannels")) == looks

    answer.set()
    order.join()
    cycle.join()
    assert rows(office, "SELECT state, max(id) FROM journal")[0][0] == "applied"
    assert office.codes(SCID) == {Code.ORDERED}


def test_a_clock_that_was_ahead_holds_no_order_up(office: Office) -> None:
    """
    An order given while the clock was a year ahead lasts as long as was said from the moment at
    which the clock is right.
    """
    office.clock.pass_by(365 * DAY)
    set_fee(office, SCID, 777, hours=2)
    office.clock.pass_by(-365 * DAY)
    office.cycle()
    assert office.decision(SCID).action.until == office.clock.now() + 2 * HOUR

    office.cycle(after_s=3 * HOUR)
    assert Code.ORDERED not in office.codes(SCID)


# revenue-restore-fees ------------------------------------------------------------------------


def test_every_fee_is_put_back(office: Office, node: FakeNode) -> None:
    """
    ppm, base fee and htlc_maximum are as before revops first came, and left alone for a day; asked
    again, there is nothing to do.
    """
    before = prices(node)
    for _ in range(3):
        office.cycle(after_s=HALF_HOUR)
    set_fee(office, SCID, 777)
    assert prices(node) != before
    answer = restore(office)

    assert prices(node) == before
    assert (answer["status"], answer["restored"], answer["failed"]) == (
        "success",
        len(before),
        [],
    )
    assert answer["pinned_until"] == office.clock.now() + DAY
    assert "revenue-ops-authority" in answer["message"]

    calls = node.called("setchannel")
    for _ in range(3):
        office.cycle(after_s=7 * HOUR)
        assert office.codes(OTHER) == {Code.ORDERED}
    assert restore(office)["already"] == len(before)
    assert node.called("setchannel") == calls
    assert prices(node) == before


def test_what_is_as_before_stays_so(office: Office, node: FakeNode) -> None:
    """
    A fee that need not be put back is left alone for the day as well, without an update.
    """
    before = prices(node)
    assert restore(office)["already"] == len(before)
    office.cycle()

    assert node.called("setchannel") == []
    assert all(office.codes(scid) == {Code.ORDERED} for scid in before)


def test_one_channel_is_put_back(office: Office, node: FakeNode) -> None:
    """
    With a channel named, only that one is put back; one that nobody knows is an error.
    """
    before = node.fees()
    office.cycle()
    set_by_us = node.fees()
    answer = restore(office, SCID)

    assert answer["restored"] == 1
    assert node.fees() == set_by_us | {SCID: before[SCID]}
    with pytest.raises(CommandError, match=r"scid: expected a short channel id .* got '1x1x1'"):
        restore(office, "1x1x1")


def test_a_refusal_stops_no_other_fee_from_being_put_back(office: Office, node: FakeNode) -> None:
    """
    The others are put back, and the answer says which was not and why; nothing of it stays.
    """
    before = node.fees()
    office.cycle()
    ours = node.fees()[SCID]
    node.refuse_to_price(SCID)
    answer = restore(office)

    assert answer["status"] == "partial"
    assert [failure["scid"] for failure in answer["failed"]] == [SCID]
    assert "Short channel id not found" in answer["failed"][0]["error"]
    assert node.fees() == before | {SCID: ours}
    with pytest.raises(NotDoneError, match="no fee is restored: setchannel: "):
        restore(office, SCID)

    office.cycle(after_s=HALF_HOUR)
    assert Code.ORDERED not in office.codes(SCID)
    assert office.codes(OTHER) == {Code.ORDERED}


def test_a_silent_node_is_asked_no_further(office: Office, node: FakeNode) -> None:
    """
    Silence ends the restoring: the error says how far it came, and what was not tried is not
    ordered; called again, it goes on.
    """
    before = node.fees()
    office.cycle()
    calls = len(node.called("setchannel"))
    node.after["setchannel"] = hang_up
    with pytest.raises(NotDoneError, match=r"0 restored, 0 were as before, .* call again"):
        restore(office)
    node.after.clear()

    assert len(node.called("setchannel")) == calls + 1
    assert len(rows(office, "SELECT * FROM fee_pins")) == 1
    office.clock.pass_by(60)
    assert restore(office)["already"] == 1
    assert node.fees() == before
    office.cycle(after_s=HALF_HOUR)
    assert all(office.codes(scid) == {Code.ORDERED} for scid in before)


def test_closed_channels_are_not_spoken_of(office: Office, node: FakeNode) -> None:
    """
    A channel that is closing or gone is neither restored nor a failure.
    """
    office.cycle()
    node.channel(SCID)["state"] = "ONCHAIN"
    node.channels.remove(node.channel(OTHER))
    answer = restore(office)

    assert (answer["restored"], answer["failed"]) == (len(node.channels) - 1, [])


def test_restoring_can_be_rehearsed(office: Office, node: FakeNode) -> None:
    """
    With dry-run set nothing is put back or pinned, and the answer says so.
    """
    office.configure(dry_run="true")
    assert restore(office)["already"] == len(node.fees())
    office.configure(dry_run="false")
    office.cycle()
    fees = node.fees()
    office.configure(dry_run="true")
    answer = restore(office)

    assert (answer["status"], answer["restored"]) == ("rehearsed", len(fees))
    assert answer["pinned_until"] is None
    assert node.fees() == fees
    assert rows(office, "SELECT * FROM fee_pins") == []


# revenue-wake-all ----------------------------------------------------------------------------


def test_all_who_rest_are_woken(office: Office) -> None:
    """
    The answer counts those who rest; the next cycle, which is due in a minute at the latest, wakes
    them and says by whom, and the one after it nobody.
    """
    office.configure(fee_interval="7200", max_fee_updates_per_day="96")
    resting: set[str] = set()
    for _ in range(200):
        office.cycle(after_s=2 * HOUR)
        resting = {d.scid for d in office.app.cycle.last.plan.decisions if d.scid} & {
            scid for scid in office.node.fees() if Code.BELIEF_RESTING in office.codes(scid)
        }
        if resting:
            break
    answer = office.call("revenue-wake-all")

    assert answer["status"] == "success"
    assert answer["channels_woken"] == len(resting) > 0
    assert office.app.worker.state("fees").next_run <= office.clock.now() + 60

    office.cycle(after_s=60)
    for scid in resting:
        [woke] = [r for r in office.decision(scid).trail if r.code is Code.CLIMB_WOKE]
        assert dict(woke.facts)["by"] == "revenue-wake-all"
    assert office.call("revenue-wake-all")["message"] == "no channel rests"
    office.app.cycle.wake.clear()
    office.cycle(after_s=60)
    assert not office.app.cycle.last.snapshot.wake


def test_a_wish_to_wake_outlives_a_cycle_that_fails(office: Office, node: FakeNode) -> None:
    """
    A cycle that cannot see the channels wakes nobody; the next one does.
    """
    office.cycle()
    office.call("revenue-wake-all")
    node.before["listpeerchannels"] = hang_up
    office.cycle(after_s=60)
    node.before.clear()
    office.cycle(after_s=120)
    assert office.app.cycle.last.snapshot.wake

    office.cycle(after_s=60)
    assert not office.app.cycle.last.snapshot.wake


def test_originals_of_older_books_have_no_htlc_maximum(tmp_path: Path, node: FakeNode) -> None:
    """
    Where the htlc_maximum was not written down at first contact, it is not put back; the fee is.
    """
    office = Office(tmp_path / "old", node)
    before = node.fees()
    office.cycle()
    with closing(sqlite3.connect(office.app.store.path)) as books, books:
        books.execute("UPDATE original_fees SET htlc_max_msat = NULL")
    limits = {scid: limit for scid, (_, _, limit) in prices(node).items()}
    answer = restore(office)
    office.close()

    assert answer["restored"] == len(before)
    assert node.fees() == before
    assert {scid: limit for scid, (_, _, limit) in prices(node).items()} == limits
