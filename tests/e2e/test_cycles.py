"""Cycle after cycle on the recorded node: what is set, what is kept, and what goes wrong."""

import json
import sqlite3
import stat
from contextlib import closing
from typing import Any

import pytest
from e2e.office import Office
from fakes import FakeNode, HangUpError, RpcRefusalError

from revops.adapters.wire import read_snapshot, write_plan
from revops.core import Code, Hold, SetFee, decide

SCID = "150x6x0"
HALF_HOUR = 1800
HOUR = 3600
DAY = 86_400


def refuse() -> None:
    """
    Answer with an error, as a node does that is starting.
    """
    raise RpcRefusalError(-1, "not ready")


def hang_up() -> None:
    """
    Answer nothing.
    """
    raise HangUpError


def rows(office: Office, query: str) -> list[Any]:
    """
    Return what the books say.
    """
    with closing(sqlite3.connect(office.app.store.path)) as books:
        return books.execute(query).fetchall()


# What a cycle does ---------------------------------------------------------------------------


def test_a_second_cycle_holds(office: Office, node: FakeNode) -> None:
    """
    With nothing new, the second cycle sets no fee and says of each channel why.
    """
    office.cycle()
    first = node.called("setchannel")
    office.cycle(after_s=HALF_HOUR)
    plan = office.app.cycle.last.plan

    assert len(first) == len(node.channels)
    assert node.called("setchannel") == first
    assert all(isinstance(d.action, Hold) and d.trail for d in plan.decisions)


def test_a_cycle_asks_five_questions(office: Office, node: FakeNode) -> None:
    """
    Channels, feerates, forwards created and forwards updated, and what CLBOSS leaves alone: one
    call each.
    """
    office.cycle()
    node.calls.clear()
    office.cycle(after_s=HALF_HOUR)

    assert [method for method, _ in node.calls] == [
        "listpeerchannels",
        "feerates",
        "listforwards",
        "listforwards",
        "clboss-status",
    ]


def test_a_cycle_replays_from_its_snapshot_to_the_same_bytes(office: Office) -> None:
    """
    What `revenue-snapshot` exports decides to the plan that was made live, options included.
    """
    office.configure(min_fee_ppm="150", scarcity_threshold="0.5")
    for _ in range(3):
        office.cycle(after_s=HALF_HOUR)
    text = json.dumps(office.call("revenue-snapshot", redact="false"))

    assert write_plan(decide(*read_snapshot(text))) == write_plan(office.app.cycle.last.plan)


def test_the_first_cycle_moves_no_fee_without_a_reason(tmp_path, node: FakeNode) -> None:
    """
    First contact is no dice: learning starts from the fee in force, each step away from it is a
    stage that says so, and whoever starts on the same node comes to the same fees.
    """
    offices = [Office(tmp_path / name, FakeNode(now=node.now)) for name in ("one", "two")]
    fees = []
    for office in offices:
        office.cycle()
        for decision in office.app.cycle.last.plan.decisions:
            moved = [r for r in decision.trail if r.before != r.after]
            before = next(r.before for r in decision.trail if r.before is not None)
            assert (before, Code.FIRST_CONTACT) == (100, decision.trail[0].code)
            assert decision.action.new_ppm == (moved[-1].after if moved else 100)
        fees.append(office.node.fees())
        office.close()

    assert fees[0] == fees[1]


def test_forwards_are_counted_once_however_often_they_are_listed(
    office: Office, node: FakeNode
) -> None:
    """
    Cycles, restarts and a read that broke off count each forward once.
    """
    settled = [row for row in node.forwards if row["status"] == "settled"]
    failed = [row for row in node.forwards if row["status"] != "settled" and "out_channel" in row]
    office.cycle()
    node.forward("150x1x0", SCID, 5_000_000, office.clock.now() + 1)
    node.after["listforwards"] = hang_up
    office.cycle(after_s=HALF_HOUR)
    node.after.clear()
    office.restart()
    office.cycle(after_s=HALF_HOUR)
    counts = rows(
        office,
        "SELECT sum(in_count), sum(out_count), sum(failed_count + refused_count), sum(earned_msat)"
        " FROM forward_stats WHERE span = 'hour'",
    )
    earned = sum(row["fee_msat"] for row in node.forwards if row["status"] == "settled")

    assert counts == [(len(settled) + 1, len(settled) + 1, len(failed), earned)]


def test_a_node_without_counters_is_read_once_and_heard_from_then_on(
    tmp_path, node: FakeNode
) -> None:
    """
    Before v23.11 `listforwards` knows no index: one full read at start, then `forward_event`, and
    no forward is counted twice or lost in a restart.
    """
    office = Office(tmp_path / "old", FakeNode(now=node.now, counters=False))
    old = office.node
    settled = sum(row["status"] == "settled" for row in old.forwards)
    office.cycle()
    for after_s in (10, 20):
        row = old.forward("150x1x0", SCID, 5_000_000, office.clock.now() + after_s)
        office.app.cycle.observer.forwards.event(row)
    office.cycle(after_s=HALF_HOUR)
    office.cycle(after_s=HALF_HOUR)
    old.forward("150x1x0", SCID, 5_000_000, office.clock.now() + 10)
    office.clock.pass_by(HALF_HOUR)
    office.restart()
    office.cycle()
    [(counted,)] = rows(office, "SELECT sum(out_count) FROM forward_stats WHERE span = 'hour'")
    full_reads = [call for call in old.called("listforwards") if call == {}]
    office.close()

    assert counted == settled + 3
    assert len(full_reads) == 2


def test_a_splice_keeps_what_was_learned(office: Office, node: FakeNode) -> None:
    """
    A splice changes the short channel id: learning and traffic of the channel go on.
    """
    office.cycle()
    before = next(c for c in office.app.cycle.last.snapshot.channels if c.scid == SCID)
    node.channel(SCID)["short_channel_id"] = "163x1x1"
    office.cycle(after_s=HALF_HOUR)
    after = next(c for c in office.app.cycle.last.snapshot.channels if c.scid == "163x1x1")

    assert after.channel_id == before.channel_id
    assert after.traffic.out_count == before.traffic.out_count > 0
    assert Code.FIRST_CONTACT not in office.codes("163x1x1")


# What it does not do -------------------------------------------------------------------------


def test_a_dry_run_sets_nothing_and_writes_down_everything(office: Office, node: FakeNode) -> None:
    """
    A dry run decides and journals as if it were not; its fees are still to be set when it ends.
    """
    office.configure(dry_run="true")
    office.cycle()
    rehearsed = [d.action for d in office.app.cycle.last.plan.decisions]

    assert node.called("setchannel") == []
    assert rows(office, "SELECT DISTINCT state FROM journal") == [("rehearsed",)]

    office.configure(dry_run="false")
    office.cycle(after_s=HALF_HOUR)

    assert [call["feeppm"] for call in node.called("setchannel")] == [a.new_ppm for a in rehearsed]


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [("paused", "true", Code.PAUSED), ("authority", "observe", Code.AUTHORITY)],
)
def test_what_the_operator_withholds_is_not_done(
    office: Office, node: FakeNode, option: str, value: str, code: Code
) -> None:
    """
    Paused, or with authority to observe only, revops says what it would set and sets nothing.
    """
    office.configure(**{option: value})
    office.cycle()

    assert node.called("setchannel") == []
    assert code in office.codes(SCID)


def test_a_fee_set_by_hand_stays_for_a_day(office: Office, node: FakeNode) -> None:
    """
    A fee that somebody else set is theirs for 24 hours; then learning goes on from there.
    """
    office.cycle()
    node.channel(SCID)["fee_proportional_millionths"] = 777
    sets = len(node.called("setchannel"))
    office.cycle(after_s=HALF_HOUR)
    assert Code.MANUAL_CHANGE in office.codes(SCID)
    office.cycle(after_s=20 * HOUR)
    assert Code.PINNED in office.codes(SCID)

    assert SCID not in [call["id"] for call in node.called("setchannel")[sets:]]
    assert node.fees()[SCID][0] == 777

    office.cycle(after_s=5 * HOUR)

    assert Code.PINNED not in office.codes(SCID)


def test_fees_change_no_more_often_than_the_gossip_budget_allows(
    office: Office, node: FakeNode
) -> None:
    """
    Two days of hourly cycles with payments that come and go: no channel is re-announced more often
    than max-fee-updates-per-day in any 24 hours.
    """
    office.configure(fee_interval="3600")
    updates: dict[str, list[int]] = {scid: [] for scid in node.fees()}
    for step in range(48):
        done = len(node.called("setchannel"))
        office.cycle(after_s=HOUR)
        for call in node.called("setchannel")[done:]:
            updates[call["id"]].append(office.clock.now())
        ends = (SCID, "150x1x0") if step % 3 else ("150x1x0", SCID)
        node.forward(*ends, 1_000_000, office.clock.now() + 60)
    busiest = max(
        sum(at - DAY < other <= at for other in times) for times in updates.values() for at in times
    )

    assert busiest <= office.settings.config.max_fee_updates_per_day


# What the predecessor did not do -------------------------------------------------------------


def test_hive_and_static_policies_are_set(office: Office, node: FakeNode) -> None:
    """
    A hive member pays hive-fee-ppm and no base fee, below min-fee-ppm too; a static fee is set as
    it stands.
    """
    member, fixed = (node.channel(scid)["peer_id"] for scid in ("150x1x0", "150x7x0"))
    office.call("revenue-policy", action="set", peer_id=member, strategy="hive")
    office.call("revenue-policy", "set", fixed, "static", "enabled", "3")
    office.cycle()

    assert node.fees()["150x1x0"] == (0, 0)
    assert node.fees()["150x7x0"] == (3, 0)


def test_a_spike_of_chain_fees_raises_fees(office: Office, node: FakeNode) -> None:
    """
    The Vegas reflex reaches the channels: when on-chain fees jump, floors and fees rise with them.
    """
    for _ in range(12):
        office.cycle(after_s=HALF_HOUR)
    calm = node.fees()
    node.spike(6)
    for _ in range(3):
        office.cycle(after_s=HALF_HOUR)

    assert Code.VEGAS_FLOOR in office.codes(SCID)
    assert all(node.fees()[scid][0] >= ppm for scid, (ppm, _) in calm.items())
    assert node.fees()["150x8x0"][0] > calm["150x8x0"][0]


def test_a_quiet_channel_does_not_freeze(office: Office, node: FakeNode) -> None:
    """
    Where nobody comes for three days the fee comes down, though nothing else happens.
    """
    office.configure(fee_interval="7200")
    node.channel("150x8x0").update(fee_proportional_millionths=900)
    for _ in range(38):
        office.cycle(after_s=2 * HOUR)

    assert node.fees()["150x8x0"][0] < 900


# What goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [refuse, hang_up])
def test_channels_that_cannot_be_listed_cost_no_memory(
    office: Office, node: FakeNode, trouble
) -> None:
    """
    A cycle that cannot see the channels ends there: nothing is set or forgotten, the failure is
    told, and the next cycle goes on where the last one was.
    """
    office.cycle()
    memory, sets = office.app.cycle.memory, node.called("setchannel")
    node.before["listpeerchannels"] = trouble
    office.cycle(after_s=HALF_HOUR)

    state = office.app.worker.state("fees")
    assert state.last_error.split(":")[1].strip() == "listpeerchannels"
    assert state.next_run <= office.clock.now() + 60
    assert office.app.cycle.memory == memory == office.app.store.load_memory()

    node.before.clear()
    office.cycle(after_s=60)

    assert office.app.cycle.memory.at == office.clock.now()
    assert node.called("setchannel") == sets


def test_forwards_that_cannot_be_listed_are_no_quiet_channels(
    office: Office, node: FakeNode
) -> None:
    """
    Without forwards, channels are still priced, nothing is learned, and nothing counts as silence.
    """
    office.cycle()
    node.before["listforwards"] = refuse
    office.cycle(after_s=HALF_HOUR)
    snapshot = office.app.cycle.last.snapshot

    assert all(channel.traffic is None for channel in snapshot.channels)
    assert Code.BELIEF_BLIND in office.codes(SCID)
    assert office.app.cycle.last.problems == ("listforwards: not ready",)


def test_feerates_that_cannot_be_asked_for_are_no_sample(office: Office, node: FakeNode) -> None:
    """
    A missing feerate is missing: the samples there are stay, and no zero is added.
    """
    office.cycle()
    node.before["feerates"] = hang_up
    office.cycle(after_s=HALF_HOUR)

    assert len(office.app.cycle.last.snapshot.feerates) == 1


def test_one_garbled_channel_costs_only_itself(office: Office, node: FakeNode) -> None:
    """
    A channel that cannot be read is left out and named, with the field and its value, in the log
    and in revenue-status; the others are priced.
    """

    def garble(reply: Any) -> Any:
        reply["channels"][2]["to_us_msat"] = "5k"
        return reply

    node.garbage["listpeerchannels"] = garble
    office.cycle()
    problems = office.call("revenue-status")["last_cycle"]["problems"]

    assert len(problems) == 1
    assert problems[0].startswith("listpeerchannels.channels[2].to_us_msat: expected")
    assert "'5k'" in problems[0]
    assert ("unusual", problems[0]) in office.logs
    assert len(node.called("setchannel")) == len(node.channels) - 1


def test_a_fee_that_is_refused_stops_no_other(office: Office, node: FakeNode) -> None:
    """
    When lightningd refuses one channel, the others get their fees, and the journal says which.
    """
    refused = node.channels[0]["short_channel_id"]
    node.refuse_to_price(refused)
    office.cycle()

    assert len(node.called("setchannel")) == len(node.channels)
    assert sorted(rows(office, "SELECT state, count(*) FROM journal GROUP BY state")) == [
        ("applied", len(node.channels) - 1),
        ("refused", 1),
    ]
    assert (
        "refused: setchannel"
        in office.call("revenue-explain", refused)["channels"][0]["fee"]["outcome"]
    )


def test_silence_ends_the_acting_and_the_next_cycle_settles_it(
    office: Office, node: FakeNode
) -> None:
    """
    No answer is no refusal: nothing further is asked of a node that is silent, and the next cycle
    finds out what happened - the change that did happen is ours, the others are made then.
    """
    node.after["setchannel"] = hang_up
    office.cycle()
    assert len(node.called("setchannel")) == 1
    assert rows(office, "SELECT state FROM journal ORDER BY id LIMIT 2") == [
        ("unknown",),
        ("decided",),
    ]

    node.after.clear()
    office.cycle(after_s=60)
    silent = node.called("setchannel")[0]["id"]

    assert Code.MANUAL_CHANGE not in office.codes(silent)
    assert sorted(call["id"] for call in node.called("setchannel")) == sorted(node.fees())


def test_a_stop_ends_between_two_fees(office: Office, node: FakeNode) -> None:
    """
    When the plugin is to stop, the fee under way is finished and no other is begun.
    """
    node.after["setchannel"] = office.app.worker.stop
    office.cycle()

    assert len(node.called("setchannel")) == 1
    assert isinstance(office.app.cycle.last.plan.decisions[0].action, SetFee)


def test_memory_survives_a_restart_whole(office: Office) -> None:
    """
    What the next cycle starts from is what the last one left, whether or not the plugin was
    restarted between them.
    """
    for _ in range(3):
        office.cycle(after_s=HALF_HOUR)
    memory = office.app.cycle.memory
    office.restart()

    assert office.app.cycle.memory == memory


def test_the_books_are_where_db_path_says_and_private(tmp_path, node: FakeNode) -> None:
    """
    A relative db-path starts in the lightning-dir of the network; the file is for us alone.
    """
    office = Office(tmp_path / "regtest", node, db_path="mine.db")
    office.cycle()
    file = office.app.store.path
    office.close()

    assert file == tmp_path / "regtest" / "mine.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
