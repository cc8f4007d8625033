"""A predecessor's database: found, read whatever its version, and never written."""

import sqlite3
from contextlib import closing

import predecessors
import pytest
from predecessors import DAY, OTHER, PEER, SCID, TODAY, Rows, make, one_of_each
from unit.adapters.store_examples import channel, forward

from revops.adapters.errors import StoreError
from revops.adapters.store import Store
from revops.adapters.store.predecessor import NAMED, placed
from revops.core.costs import ChainCost, Closing
from revops.core.ledger import Cost
from revops.core.policy import RebalanceMode, Strategy
from revops.core.refills import Move
from revops.core.takeover import channel_id_of
from revops.core.tally import tally

NOW = TODAY + 3600
EVER = 2**40
TXID = "77" * 32
OURS = channel(1, scid=SCID)


@pytest.fixture
def theirs(tmp_path):
    """
    Where their database is.
    """
    return tmp_path / "revenue_ops.db"


@pytest.fixture
def store(tmp_path):
    """
    Books of ours beside it, with nothing in them.
    """
    with closing(Store.open(tmp_path / "revops.db")) as store:
        yield store


def bytes_of(directory):
    """
    Return every file there as it is, but for what SQLite keeps of its locks.
    """
    return {f.name: f.read_bytes() for f in directory.iterdir() if f.suffix != ".db-shm"}


def cost(store, channel_id, kind):
    """
    Return what a channel's transactions of one kind come to.
    """
    return store.costs.sums(0, EVER).get((channel_id, kind))


def life(store):
    """
    Return what the books hold of all channels, of all time.
    """
    ledger = store.reports.ledger(NOW, 0, NOW // DAY)
    return [*(account.life for account in ledger.accounts), ledger.stray_life]


def total(store, name):
    """
    Return one sum over all channels and all time.
    """
    return sum(getattr(part, name) for part in life(store))


def complete(store, *forwards, until=NOW):
    """
    Count *forwards* as all that the node lists.
    """
    store.take_forwards(tally(forwards), {"forwards.created": len(forwards)}, until)


# Found ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", predecessors.VERSIONS)
def test_every_version_is_recognised(theirs, version):
    """The predecessor's database is known by its tables, and the books go beside it."""
    make(theirs, {}, version)

    assert placed(theirs, None) == (theirs.with_name("revops.db"), theirs)


def test_nothing_else_is_taken_for_one(theirs, tmp_path):
    """A missing file, a letter, a directory, another program's database: none is theirs."""
    assert placed(theirs, tmp_path / "other") == (theirs, None)
    theirs.write_text("a letter")
    assert placed(theirs, None) == (theirs, None)
    assert placed(tmp_path, None) == (tmp_path, None)
    theirs.unlink()
    with closing(sqlite3.connect(theirs)) as connection:
        connection.execute("CREATE TABLE forwards (x)")
    assert placed(theirs, None) == (theirs, None)


def test_our_own_books_are_ours(theirs):
    """Books of ours stay where they are, whatever lies elsewhere."""
    above = theirs.parent / "above" / "revenue_ops.db"
    make(above, {})
    Store.open(theirs).close()

    assert placed(theirs, None) == (theirs, None)
    assert placed(theirs, above) == (theirs, above)


def test_books_beside_stay_in_use_when_the_predecessors_file_is_gone(theirs):
    """Deleting the old database loses nothing of OURS."""
    beside = theirs.with_name("revops.db")
    Store.open(beside).close()

    assert placed(theirs, None) == (beside, None)


@pytest.mark.parametrize("name", ["/", "x" * 300, "a\0b"])
def test_names_that_no_file_can_have_are_left_to_whoever_opens_them(name, tmp_path):
    """Looking for a predecessor raises nothing."""
    assert placed(tmp_path / name, None) == (tmp_path / name, None)


# Untouched -----------------------------------------------------------------------------------


def test_not_a_byte_changes(tmp_path, theirs, store):
    """Reading leaves the file, its time and its directory as they are."""
    make(theirs, one_of_each())
    theirs.chmod(0o444)
    before, at = theirs.read_bytes(), theirs.stat().st_mtime_ns
    beside = set(tmp_path.glob("revenue_ops*"))

    placed(theirs, None)
    store.imports.take(theirs, NOW)

    assert (theirs.read_bytes(), theirs.stat().st_mtime_ns) == (before, at)
    assert set(tmp_path.glob("revenue_ops*")) == beside


def test_a_pending_wal_is_read_and_left_pending(theirs, store):
    """What a killed predecessor left in its WAL counts; nothing is checkpointed."""
    directory = theirs.parent / "theirs"
    make(theirs, {})
    with closing(sqlite3.connect(theirs, isolation_level=None)) as connection:
        predecessors.insert(connection, Rows().add("peer_policies"))
        directory.mkdir()
        for suffix in ("", "-wal"):
            copy = directory / f"revenue_ops.db{suffix}"
            copy.write_bytes((theirs.parent / f"{theirs.name}{suffix}").read_bytes())
    before = bytes_of(directory)

    store.imports.take(directory / "revenue_ops.db", NOW)

    assert [policy.peer_id for policy in store.policies().policies] == [PEER]
    assert bytes_of(directory) == before


def test_what_cannot_be_read_at_all_is_an_error_with_advice(theirs, store):
    """A damaged database is named; nothing is taken, so that a better copy still can be."""
    make(theirs, one_of_each())
    theirs.write_bytes(b"SQLite format 3\0" + bytes(4080))

    with pytest.raises(StoreError, match=r"revenue_ops\.db: .*; name a new file with revenue-ops-"):
        store.imports.take(theirs, NOW)
    assert store.imports.report() is None


def test_a_damaged_page_costs_the_rows_on_it(theirs, store):
    """What comes before the damage in a table is taken, and the rest is named as lost."""
    rows = one_of_each()
    for number in range(2000):
        rows.add("forwards", timestamp=TODAY - number)
    make(theirs, rows)
    pages = bytearray(theirs.read_bytes())
    start = pages.rindex(SCID.encode())
    pages[start - start % 4096 : start - start % 4096 + 8] = b"\xff" * 8
    theirs.write_bytes(pages)

    report = store.imports.take(theirs, NOW)

    assert 0 < report["taken"]["forwards"] < 2001
    assert any("the rest" in problem for problem in report["refused"]["forwards"])
    assert report["taken"]["peer_policies"] == 1


# Once ----------------------------------------------------------------------------------------


def test_what_was_taken_is_taken_once(theirs, store):
    """A second time, and another file, change nothing, whatever is in them by then."""
    make(theirs, one_of_each())
    report = store.imports.take(theirs, NOW)
    other = theirs.with_name("other.db")
    make(other, Rows().add("channel_costs", channel_id=OTHER))

    assert store.imports.take(theirs, NOW) is None
    assert store.imports.take(other, NOW) is None
    assert store.imports.report() == report
    assert cost(store, OTHER, "open") is None


@pytest.mark.parametrize("version", predecessors.VERSIONS)
def test_tables_that_a_version_had_not_are_no_problem(theirs, store, version):
    """From each version comes what it has, and nothing is refused."""
    rows = {"forwards": Rows().add("forwards")["forwards"]}
    if version != "first":
        rows |= Rows().add("channel_costs").add("ignored_peers").add("config_overrides")
    make(theirs, rows, version)

    report = store.imports.take(theirs, NOW)

    assert report["refused"] == {}
    assert report["taken"]["forwards"] == 1
    assert len(store.policies().policies) == (version != "first")


def test_a_column_that_is_missing_leaves_out_its_table(theirs, store):
    """Money without an owner is not guessed at: the table is named with what it lacks."""
    make(theirs, one_of_each())
    with closing(sqlite3.connect(theirs)) as connection:
        connection.execute("ALTER TABLE rebalance_costs DROP COLUMN cost_sats")

    report = store.imports.take(theirs, NOW)

    assert report["refused"] == {"rebalance_costs": ["all: there is no column cost_sats"]}


# Row by row ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "values", "why"),
    [
        ("forwards", {"in_msat": -1, "fee_msat": -1_000_001}, "in_msat: expected"),
        ("forwards", {"in_channel": ""}, "in_channel: expected a short channel id"),
        ("forwards", {"out_msat": 10.5}, "out_msat: expected an integer"),
        ("forwards", {"out_msat": 2**62, "in_msat": 2**62 + 1000}, "in_msat: expected"),
        ("forwards", {"out_msat": 2_000_000}, "fee 1000 msat is not 1001000 msat in less 2000000"),
        ("forwards", {"timestamp": 0}, "timestamp: expected a time"),
        ("forwards", {"timestamp": NOW + 2 * DAY}, "timestamp: expected a time"),
        ("forwards", {"timestamp": "tomorrow"}, "timestamp: expected a time"),
        ("daily_forwarding_stats", {"total_fee_msat": 9}, "fee 9 msat is not"),
        ("daily_forwarding_stats", {"forward_count": 0}, "forward_count: expected"),
        ("daily_forwarding_stats", {"date": TODAY - 9 * DAY + 7}, "is no midnight"),
        ("daily_forwarding_stats", {"channel_id": "ab" * 32}, "channel_id: expected a short"),
        ("channel_costs", {"open_cost_sats": -5}, "open_cost_sats: expected"),
        ("channel_costs", {"channel_id": "1x2"}, "channel_id: expected a short channel id"),
        ("channel_costs", {"channel_id": "cafe"}, "channel_id: expected 64 hex digits"),
        ("channel_costs", {"channel_id": b"\xff\xfe"}, "channel_id: expected"),
        ("channel_closure_costs", {"total_closure_cost_sats": "x"}, "total_closure_cost_sats: exp"),
        ("splice_costs", {"fee_sats": 2**60}, "fee_sats: expected"),
        ("rebalance_costs", {"cost_sats": 1.5}, "cost_sats: expected an integer"),
        ("closed_channels", {"peer_id": "me"}, "peer_id: expected 66 hex digits"),
        ("closed_channels", {"closed_at": NOW + 9 * DAY}, "closed_at: expected a time"),
        ("closed_channels", {"capacity_sats": 0}, "capacity_sats: expected"),
        ("peer_policies", {"peer_id": "me"}, "peer_id: expected 66 hex digits"),
        ("peer_policies", {"strategy": "greedy"}, "strategy: expected one of dynamic, static,"),
        ("peer_policies", {"strategy": "static"}, "fee_ppm: strategy static needs it, got none"),
        ("peer_policies", {"strategy": "static", "fee_ppm_target": -5}, "fee_ppm: expected"),
        ("peer_policies", {"expires_at": "soon"}, "expires_at: expected an integer"),
        ("peer_policies", {"expires_at": NOW - 1}, "it has expired"),
    ],
)
def test_a_row_that_cannot_be_is_named_and_leaves_nothing(theirs, store, table, values, why):
    """Each refusal tells table, row and reason, and no other row goes with it."""
    make(theirs, Rows().add(table, **values))

    report = store.imports.take(theirs, NOW)
    complete(store)

    assert report["taken"] == {}
    assert [why in problem for problem in report["refused"][table]] == [True]
    assert store.policies().policies == ()
    assert store.costs.sums(0, EVER) == store.costs.refill_sums(0, EVER) == {}
    assert total(store, "earned_msat") == 0


def test_a_thousand_refusals_are_named_and_the_others_counted(theirs, store):
    """The report stays readable, and bounded, however bad the database is."""
    rows = Rows()
    for _ in range(NAMED + 7):
        rows.add("forwards", timestamp=0)
    make(theirs, rows)

    report = store.imports.take(theirs, NOW)

    assert len(report["refused"]["forwards"]) == NAMED
    assert report["unnamed"] == {"forwards": 7}


# Policies ------------------------------------------------------------------------------------


def test_a_policy_keeps_what_the_operator_wished(theirs, store):
    """Strategy, mode, fee, multipliers, tags, end and time of change come over as they are."""
    make(
        theirs,
        Rows().add(
            "peer_policies",
            strategy="static",
            rebalance_mode="source_only",
            fee_ppm_target=250,
            tags=["friend", "big"],
            fee_multiplier_min=0.5,
            fee_multiplier_max=2.0,
            expires_at=NOW + DAY,
        ),
    )

    store.imports.take(theirs, NOW)
    (policy,) = store.policies().policies

    assert (policy.strategy, policy.fee_ppm) == (Strategy.STATIC, 250)
    assert policy.rebalance is RebalanceMode.SOURCE_ONLY
    assert (policy.fee_multiplier_min, policy.fee_multiplier_max) == (0.5, 2.0)
    assert policy.tags == ("big", "friend")
    assert (policy.expires_at, policy.updated_at) == (NOW + DAY, TODAY)
    assert [change.peer_id for change in store.policies(0).changes] == [PEER]


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"fee_ppm_target": 200_000}, "fee_ppm"),
        ({"rebalance_mode": "sometimes"}, "rebalance"),
        ({"tags": '"notalist"'}, "tags"),
        ({"tags": "not json"}, "tags"),
        ({"tags": ["", "good"]}, "tags"),
        ({"fee_multiplier_max": 99}, "fee_multiplier_max"),
        ({"fee_multiplier_min": 3, "fee_multiplier_max": 2}, "fee_multiplier_min"),
        ({"updated_at": -1}, "updated_at"),
    ],
)
def test_a_wish_that_cannot_be_is_left_out_of_its_policy(theirs, store, values, name):
    """A peer to be left alone is left alone, whatever else was written about it."""
    make(theirs, Rows().add("peer_policies", strategy="passive", **values))

    report = store.imports.take(theirs, NOW)
    (policy,) = store.policies().policies

    assert policy.strategy is Strategy.PASSIVE
    assert getattr(policy, name) in (None, (), RebalanceMode.ENABLED)
    assert [f" {name}: " in p for p in report["refused"]["peer_policies"]] == [True]


def test_an_ignored_peer_is_left_alone(theirs, store):
    """From before there were policies: passive, not rebalanced; a policy is newer than that."""
    other = "03" + "cd" * 32
    rows = Rows().add("ignored_peers").add("ignored_peers", peer_id=other)
    make(theirs, rows.add("peer_policies", peer_id=other, strategy="hive"))

    store.imports.take(theirs, NOW)
    found = {p.peer_id: (p.strategy, p.rebalance, p.tags) for p in store.policies().policies}

    assert found[PEER] == (Strategy.PASSIVE, RebalanceMode.DISABLED, ("migrated_ignore",))
    assert found[other][0] is Strategy.HIVE


def test_a_policy_of_ours_is_newer(theirs, store):
    """What the operator told revops stands."""
    before = store.policies()
    ours = before.updated([(PEER, {"strategy": "hive"})], NOW)
    store.save_policies(ours, before)
    make(theirs, Rows().add("peer_policies", strategy="passive"))

    report = store.imports.take(theirs, NOW)

    assert store.policies().policies == ours.policies
    assert report["refused"]["peer_policies"] == [f"{PEER}: these books have one of their own"]


# Costs ---------------------------------------------------------------------------------------


def test_costs_come_over_to_the_satoshi(theirs, store):
    """Openings, closes and splices by channel, in msat; refills with what arrived."""
    make(theirs, one_of_each())

    store.imports.take(theirs, NOW)
    refilled = store.costs.refill_sums(0, EVER)[SCID]

    assert cost(store, SCID, "open") == Cost(amount_msat=431_000)
    assert cost(store, SCID, "close") == Cost(amount_msat=212_000)
    assert cost(store, SCID, "splice") == Cost(amount_msat=333_000)
    assert (refilled.count, refilled.amount_msat, refilled.cost_msat) == (1, 50_000_000, 17_000)


@pytest.mark.parametrize(
    ("table", "column", "usual", "kind"),
    [
        ("channel_costs", "open_cost_sats", 5000, "open"),
        ("channel_closure_costs", "total_closure_cost_sats", 3000, "close"),
        ("splice_costs", "fee_sats", 2000, "splice"),
    ],
)
def test_what_the_predecessor_guessed_is_an_estimate(theirs, store, table, column, usual, kind):
    """The sums that it wrote down for lack of any other are marked."""
    make(theirs, Rows().add(table, **{column: usual}))

    store.imports.take(theirs, NOW)

    assert cost(store, SCID, kind) == Cost(amount_msat=usual * 1000, estimated=True)


@pytest.mark.parametrize("opened_at", [0, NOW + 300 * DAY])
def test_a_cost_that_nobody_can_date_is_before_every_window(theirs, store, opened_at):
    """Its sum is right for a lifetime, it is in no month, and the report says so."""
    make(theirs, Rows().add("channel_costs", opened_at=opened_at))

    report = store.imports.take(theirs, NOW)

    assert cost(store, SCID, "open") == Cost(amount_msat=431_000, estimated=True)
    assert store.costs.sums(1, EVER) == {}
    assert "opened_at: expected a time" in report["refused"]["channel_costs"][0]


def test_costs_go_to_the_channel_when_the_node_tells_which_it_is(theirs, store):
    """Nothing of them is lost or doubled on the way, and until then the node's total has them."""
    make(theirs, one_of_each())
    store.imports.take(theirs, NOW)
    stray = life(store)[-1]
    assert stray.open_cost == Cost(amount_msat=431_000)

    store.costs.see([OURS], NOW)
    store.know_channels([OURS], NOW)
    (mine,) = (a for a in store.reports.ledger(NOW, 0, 30).accounts if a.scid == SCID)

    assert mine.life.open_cost == Cost(amount_msat=431_000)
    assert cost(store, SCID, "open") is None
    assert set(store.costs.refill_sums(0, EVER)) == {OURS.channel_id}


def test_what_bookkeeper_tells_takes_the_place_of_what_was_imported(theirs, store):
    """The node's own books are better evidence, and a cost counts once."""
    make(theirs, Rows().add("channel_costs"))
    store.imports.take(theirs, NOW)
    store.know_channels([OURS], NOW)
    told = ChainCost(kind="open", ref=TXID, at=TODAY, amount_msat=430_999)

    store.costs.take(OURS.channel_id, [told], NOW)

    assert cost(store, OURS.channel_id, "open") == Cost(amount_msat=430_999)


def test_refills_give_way_to_the_nodes_own_list(theirs, store):
    """From the first payment on that the node lists, its refills alone count."""
    rows = Rows().add("rebalance_costs", timestamp=TODAY - 5 * DAY)
    make(theirs, rows.add("rebalance_costs", timestamp=TODAY - 3 * DAY, cost_sats=40))
    store.imports.take(theirs, NOW)
    first = Move(
        index=1,
        channel_id=OURS.channel_id,
        at=TODAY - 4 * DAY,
        payment_hash="ab" * 32,
        part="1:0",
        credit_msat=0,
        debit_msat=1000,
        fee_msat=0,
    )

    store.costs.take_moves([first], 1, NOW)

    assert store.costs.refill_sums(0, EVER)[SCID].cost_msat == 17_000
    assert life(store)[-1].refill_cost == Cost(amount_msat=17_000, estimated=True)


# Closed channels -----------------------------------------------------------------------------


def test_a_closed_channel_is_archived_under_its_channel_id(theirs, store):
    """What funded it tells the id; its costs and its forwards are on its account."""
    rows = Rows().add("closed_channels", funding_txid=TXID)
    rows.add("daily_forwarding_stats", channel_id="140x3x1", date=TODAY - 40 * DAY)
    make(theirs, rows)

    store.imports.take(theirs, NOW)
    complete(store)
    (account,) = store.reports.ledger(NOW, 0, 30).accounts
    (closed,) = store.reports.closed()

    assert account.channel_id == TXID[:-1] + "6"
    assert (account.scid, account.opener) == ("140x3x1", "local")
    assert account.life.open_cost == Cost(amount_msat=300_000)
    assert account.life.close_cost == Cost(amount_msat=900_000)
    assert account.life.earned_msat == 7000
    assert (closed.closing.how, closed.closing.at) == ("local_force", TODAY - 30 * DAY)
    assert closed.resolved


def test_a_closed_channel_known_by_its_id_is_archived(theirs, store):
    """Some versions kept the channel id in place of the short one."""
    make(theirs, Rows().add("closed_channels", channel_id="ab" * 32, opened_at=NOW + 9 * DAY))

    store.imports.take(theirs, NOW)
    (account,) = store.reports.ledger(NOW, 0, 30).accounts

    assert (account.channel_id, account.scid, account.opened_at) == ("ab" * 32, None, None)


def test_a_closed_channel_without_any_id_leaves_its_costs(theirs, store):
    """Its money is in the node's total, and the report says why it has no account."""
    make(theirs, Rows().add("closed_channels", funding_txid=None))

    report = store.imports.take(theirs, NOW)

    assert "no funding_txid tells its channel id" in report["refused"]["closed_channels"][0]
    assert life(store)[-1].close_cost == Cost(amount_msat=900_000)


def test_the_nodes_word_for_a_closed_channel_wins(theirs, store):
    """One that both sides funded has another id than was worked out; it is one channel still."""
    make(theirs, Rows().add("closed_channels", channel_id=SCID, funding_txid=TXID))
    store.imports.take(theirs, NOW)

    closing = Closing(
        channel_id=OURS.channel_id,
        scid=SCID,
        peer_id=PEER,
        opener="local",
        capacity_msat=OURS.capacity_msat,
        at=TODAY,
        how="mutual",
    )
    store.costs.archive([(closing, 1_000_000)], NOW, resolved=True)

    (account,) = store.reports.ledger(NOW, 0, 30).accounts
    assert account.channel_id == OURS.channel_id
    assert account.life.close_cost == Cost(amount_msat=900_000)


def test_the_id_of_a_channel_is_bolt_2s():
    """The funding transaction's id the other way round, xor the number of its output."""
    txid = "b86b8ceb24bf3e3553e5aee4f0f4dad2f606ae24ef2d54c6b2e18dfb67d8ae29"
    channel_id = "29aed867fb8de1b2c6542def24ae06f6d2daf4f0e4aee553353ebf24eb8c6bb8"

    assert channel_id_of(txid, "150x1x0") == channel_id
    assert channel_id_of(txid, "150x1x258") == channel_id[:-4] + "6aba"


# Forwards ------------------------------------------------------------------------------------


def test_forwards_wait_for_the_nodes_own_list(theirs, store):
    """Nothing of them counts before the books are complete; then what the node does not list."""
    rows = Rows().add("daily_forwarding_stats").add("forwards", timestamp=TODAY - 8 * DAY)
    make(theirs, rows.add("forwards", timestamp=TODAY))
    store.imports.take(theirs, NOW)
    assert total(store, "earned_msat") == 0
    assert store.imports.report()["forwards"] is None

    complete(store, forward(1, received_at=TODAY + 60, resolved_at=TODAY + 61))

    told = store.imports.report()["forwards"]
    assert total(store, "earned_msat") == 7000 + 1000 + forward(1).fee_msat
    assert total(store, "out_count") == 7 + 1 + 1
    assert (told["count"], told["earned_msat"]) == (8, 8000)
    assert (told["since"], told["until"]) == (TODAY - 20 * DAY, TODAY - 7 * DAY)


def test_the_day_of_the_nodes_first_forward_is_the_nodes(theirs, store):
    """A forward received before midnight and settled after it is not counted on both days."""
    make(theirs, Rows().add("forwards", timestamp=TODAY - 1))
    store.imports.take(theirs, NOW)

    complete(store, forward(1, received_at=TODAY - 1, resolved_at=TODAY + 1))

    assert total(store, "out_count") == 1


def test_single_forwards_of_a_day_that_is_summed_up_are_in_its_sum(theirs, store):
    """At a start the predecessor may enter old forwards anew that it has summed up before."""
    rows = Rows().add("daily_forwarding_stats", date=TODAY - 9 * DAY)
    make(theirs, rows.add("forwards", timestamp=TODAY - 10 * DAY))

    report = store.imports.take(theirs, NOW)
    complete(store)

    assert total(store, "out_count") == 7
    assert "summed up" in report["refused"]["forwards"][0]


def test_books_that_count_already_take_no_forwards(theirs, store):
    """Which of them are counted is not known by then; costs and policies come over."""
    complete(store, forward(1))
    make(theirs, one_of_each())

    report = store.imports.take(theirs, NOW)
    complete(store)

    assert total(store, "out_count") == 1
    assert set(report["refused"]) == {"forwards", "rebalance_costs"}
    assert report["taken"]["channel_costs"] == 1


def test_learning_sees_no_imported_day(theirs, store):
    """Of most imported days one side is known: they are in no window, and no size is learned."""
    make(theirs, Rows().add("daily_forwarding_stats", channel_id=SCID, date=TODAY - 2 * DAY))
    store.imports.take(theirs, NOW)
    store.know_channels([OURS], NOW)
    complete(store)

    traffic = store.traffic(NOW, 30, store.load_memory())[OURS.channel_id]
    ledger = store.reports.ledger(NOW, NOW // DAY - 30, NOW // DAY)

    assert traffic.days == ()
    assert traffic.out_count == 7
    assert sum(account.window.out_count for account in ledger.accounts) == 0


def test_settings_are_named_and_not_made(theirs, store):
    """Overrides go into the report; none goes into the books."""
    make(theirs, one_of_each())

    assert store.imports.take(theirs, NOW)["settings"] == {"min_fee_ppm": "25"}
