"""Money: what lightningd and bookkeeper list of payments, transactions and closes is read."""

from typing import Any

import pytest
from contract.recorded import names, reply, with_msat_words

from revops.adapters.cln import Lightningd
from revops.adapters.errors import NodeRefusedError, WireError
from revops.adapters.replies_books import (
    account_of,
    closed_of,
    closing_of,
    moves_of,
    payment_moves_of,
    payments_of,
)
from revops.core.costs import chain_costs
from revops.core.refills import paired

SPLICED = "b15b3e"
CIRCULAR = "f1b9d0"


def us() -> str:
    """
    Return the recorded node's id.
    """
    return reply("getinfo.json")["id"]


@pytest.mark.parametrize("name", names("listchannelmoves.json"))
def test_the_sides_of_our_payments_are_read_as_they_are(name: str) -> None:
    """
    Each row tagged invoice keeps its channel, amounts, fee and number; the others are counted and
    passed over.
    """
    rows = reply(name)["channelmoves"]
    page = moves_of(reply(name))
    ours = [row for row in rows if row["primary_tag"] == "invoice"]

    assert (page.count, page.last, page.problems) == (len(rows), rows[-1]["created_index"], ())
    for row, move in zip(ours, page.rows, strict=True):
        assert move.index == row["created_index"]
        assert move.channel_id == row["account_id"]
        assert move.at == row["timestamp"]
        assert move.payment_hash == row["payment_hash"]
        assert move.part == f"{row.get('group_id', 0)}:{row.get('part_id', 0)}"
        assert move.credit_msat == row["credit_msat"]
        assert move.debit_msat == row["debit_msat"]
        assert move.fee_msat == row["fees_msat"]


def test_a_circular_payment_is_the_same_wherever_it_is_read() -> None:
    """
    The moves, the payments and bookkeeper's events tell of one refill, with the same fee.
    """
    (by_moves,), _ = paired((), moves_of(reply("after_close/listchannelmoves.json")).rows)
    (payment,) = payments_of(reply("after_close/listsendpays.json"), us()).rows
    events = reply("after_close/bkpr-listaccountevents.json")["events"]
    told = [row for row in events if row.get("payment_id", "").startswith(CIRCULAR)]
    (by_events,), _ = paired((), payment_moves_of({"events": told})[0])

    assert by_moves.payment_hash == payment.payment_hash == by_events.payment_hash
    assert by_moves.amount_msat == payment.amount_msat == by_events.amount_msat == 20_000_000
    assert by_moves.fee_msat == payment.sent_msat - payment.amount_msat == 44_022
    assert by_moves.from_channel == by_events.from_channel
    assert by_moves.to_channel == by_events.to_channel
    assert by_events.fee_msat == 44_022


def test_payments_to_others_and_those_that_failed_are_passed_over() -> None:
    """
    Of all payments only those to ourselves that arrived are read, and all are counted.
    """
    rows = reply("after_close/listsendpays.json")["payments"]
    page = payments_of(reply("after_close/listsendpays.json"), us())

    assert page.count == page.last == len(rows) == 7
    assert [payment.part for payment in page.rows] == ["0"]


@pytest.mark.parametrize("name", names("bkpr-listaccountevents*.json"))
def test_costs_are_bookkeepers_fees_by_transaction(name: str) -> None:
    """
    In every phase, and as v23.02 wrote amounts, each account's fees are read, debits taken off.
    """
    for recorded in (reply(name), with_msat_words(reply(name))):
        events, problems = account_of(recorded)
        assert problems == ()
        fees = [e for e in events if e.what == "fee"]
        listed = [row for row in reply(name)["events"] if row["type"] == "onchain_fee"]
        assert sum(e.credit_msat - e.debit_msat for e in fees) == sum(
            row["credit_msat"] - row["debit_msat"] for row in listed
        )
        assert len(fees) == len(listed)


def test_a_splice_is_neither_a_close_nor_an_opening() -> None:
    """
    Bookkeeper writes a splice as a close and an opening in one transaction, and takes the whole
    channel for its fee before it corrects itself.
    """
    rows = reply("splice/bkpr-listaccountevents.json")["events"]
    events, _ = account_of({"events": [r for r in rows if r["account"].startswith(SPLICED)]})

    costs = [(cost.kind, cost.amount_msat) for cost in chain_costs(events)]
    assert costs == [("open", 986_000), ("splice", 1_161_000)]


def test_how_a_channel_closes_is_read_while_it_is_listed() -> None:
    """
    A channel that is over tells when that was, how, and what was ours; one that is not, is not
    among them.
    """
    closings, problems = closing_of(reply("closing/listpeerchannels_after_sweeps.json"))

    assert problems == ()
    assert {(c.scid, c.how, c.at, c.final_to_us_msat) for c in closings} == {
        ("150x2x0", "local_force", 1_795_331_706, 0),
        ("150x4x0", "remote_force", 1_795_331_711, 286_298_922),
        ("150x8x0", "mutual", 1_795_331_703, 735_869_216),
    }
    assert closing_of(reply("listpeerchannels.json")) == ((), ())


@pytest.mark.parametrize("name", names("listclosedchannels*.json"))
def test_what_the_node_has_done_with_is_read(name: str) -> None:
    """
    Each closed channel keeps its ids, capacity, final balance and the fee of its end.
    """
    rows = reply(name)["closedchannels"]
    closings, problems = closed_of(reply(name))

    assert problems == ()
    for row, closing in zip(rows, closings, strict=True):
        assert closing.channel_id == row["channel_id"]
        assert closing.scid == row["short_channel_id"]
        assert closing.peer_id == row["peer_id"]
        assert closing.capacity_msat == row["total_msat"]
        assert closing.final_to_us_msat == row["final_to_us_msat"]
        assert closing.fee_msat == row["last_commitment_fee_msat"]
        assert closing.at == row.get("last_stable_connection")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"account_id": "wallet"}, ".account_id: expected 64 hex digits, got 'wallet'"),
        ({"payment_hash": None}, ".payment_hash: expected 64 hex digits, got None"),
        (
            {"debit_msat": -5},
            ".debit_msat: expected an integer from 0 to 2100000000000000000, got -5",
        ),
        ({"timestamp": "now"}, ".timestamp: expected an integer ≥ 0, got 'now'"),
    ],
)
def test_a_move_that_cannot_be_is_named_and_the_others_are_read(
    row: dict[str, Any], expected: str
) -> None:
    """
    One row of ours holds what no move can: the sentence names field and value.
    """
    broken = reply("listchannelmoves.json")
    place = next(i for i, r in enumerate(broken["channelmoves"]) if r["primary_tag"] == "invoice")
    broken["channelmoves"][place] |= row
    page = moves_of(broken)

    assert page.problems == (f"listchannelmoves.channelmoves[{place}]{expected}",)
    assert len(page.rows) == len(moves_of(reply("listchannelmoves.json")).rows) - 1


@pytest.mark.parametrize(
    ("read", "broken", "problem"),
    [
        (moves_of, {}, r"listchannelmoves\.channelmoves: expected a list, got None"),
        (moves_of, {"channelmoves": [{}]}, r"channelmoves: no row has created_index"),
        (account_of, {"events": 5}, r"bkpr-listaccountevents\.events: expected a list, got 5"),
        (closed_of, [], r"listclosedchannels: expected an object, got \[\]"),
    ],
)
def test_a_reply_of_another_shape_is_refused_as_a_whole(
    read: Any, broken: object, problem: str
) -> None:
    """
    What is no such reply is not taken for a node to which nothing happened.
    """
    with pytest.raises(WireError, match=problem):
        read(broken)


def test_a_method_that_is_not_there_is_asked_for_once() -> None:
    """
    What the node does not have is no error, and not asked for again until the next start; other
    refusals are errors.
    """
    asked = []
    code = -32601

    def call(method: str, _params: dict[str, object]) -> object:
        asked.append(method)
        raise NodeRefusedError(method, code, "no")

    node = Lightningd(call)
    for _ in range(2):
        assert node.moves(1, 10) is None
        assert node.account("a" * 64) is None
        assert node.payment_moves("b" * 64) == ((), ())
        assert node.closed_channels() == ((), ())
    assert asked == ["listchannelmoves", "bkpr-listaccountevents", "listclosedchannels"]

    code = -1
    with pytest.raises(NodeRefusedError):
        Lightningd(call).moves(1, 10)
