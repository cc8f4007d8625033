"""Conservation: what the books add up to is what the node itself says that it earned and paid."""

from collections import defaultdict
from typing import Any

import pytest
from contract.recorded import reply
from desk_of_books import BookDesk, total
from fakes import FakeNode

from revops.core.units import HOUR
from revops.shell.forwards import Forwards
from revops.shell.logs import logger

PHASES = ("fresh/", "", "after_close/")
NOW = 1_800_000_000
BLOCK_OF_SPLICE = 163


def count_forwards(desk: BookDesk) -> None:
    """
    Count every forward of the node.
    """
    forwards = Forwards(desk.lightningd, desk.store, lambda: 365, logger(print))
    assert forwards.turn(desk.clock.now())


@pytest.fixture(scope="module", params=PHASES, ids=lambda phase: phase.strip("/") or "traffic")
def phase(request: pytest.FixtureRequest) -> str:
    """
    Return a moment at which the node's lists and bookkeeper's verdict were recorded together.
    """
    return request.param


@pytest.fixture(scope="module")
def desk(phase: str, tmp_path_factory: pytest.TempPathFactory) -> BookDesk:
    """
    Return books that were kept from what the node answered, and from that alone.
    """
    desk = BookDesk(tmp_path_factory.mktemp("books"), FakeNode(NOW, phase=phase))
    desk.clock.pass_by(HOUR)
    count_forwards(desk)
    desk.catch_up()
    desk.catch_up(HOUR)
    assert desk.problems == ()
    return desk


def income(phase: str, tag: str) -> list[dict[str, Any]]:
    """
    Return bookkeeper's own rows of one kind.
    """
    rows = reply(f"{phase}bkpr-listincome.json")["income_events"]
    return [row for row in rows if row["tag"] == tag]


def test_every_forward_is_earned_once(phase: str, desk: BookDesk) -> None:
    """
    Forwards come to bookkeeper's routing income, in number and to the msat.
    """
    ((earned, sourced, outs, ins),) = desk.sql(
        "SELECT ifnull(sum(earned_msat), 0), ifnull(sum(sourced_msat), 0),"
        " ifnull(sum(out_count), 0), ifnull(sum(in_count), 0)"
        " FROM forward_stats WHERE span = 'day'",
    )
    routed = income(phase, "routed")

    assert earned == sourced == sum(row["credit_msat"] for row in routed)
    assert outs == ins == len(routed)


def test_every_forward_belongs_to_a_channel(desk: BookDesk) -> None:
    """
    What was earned was earned by channels of the books, open or closed; but for one id that a
    splice ended before the books began, of which nothing tells any more whose it was.
    """
    desk.store.know_channels(desk.seen().channels, desk.clock.now())
    strangers = desk.sql(
        "SELECT DISTINCT scid FROM forward_stats WHERE in_count + out_count > 0"
        " AND scid NOT IN (SELECT scid FROM channel_scids)",
    )

    assert strangers == ([("150x7x0",)] if desk.node.info["blockheight"] > BLOCK_OF_SPLICE else [])


def test_every_circular_payment_costs_once(phase: str, desk: BookDesk) -> None:
    """
    Refills come to bookkeeper's rebalancing fees, in number and to the msat.
    """
    fees = income(phase, "rebalance_fee")
    refills = total(desk.refills())

    assert refills.count == len(fees)
    assert refills.cost_msat == sum(row["debit_msat"] for row in fees)


def test_every_transaction_costs_what_bookkeeper_says(phase: str, desk: BookDesk) -> None:
    """
    Costs are bookkeeper's on-chain fees by channel and transaction, and nothing else costs
    anything: what the peer paid for stands there as nothing.
    """
    fees: dict[tuple[str, str], int] = defaultdict(int)
    for row in income(phase, "onchain_fee"):
        fees[row["account"], row["txid"]] += row["debit_msat"] - row["credit_msat"]
    rows = desk.sql("SELECT channel_id, ref, msat, estimated FROM costs")

    assert {(channel_id, ref): msat for channel_id, ref, msat, _ in rows if msat} == dict(fees)
    assert not any(estimated for *_, estimated in rows)


def test_every_close_is_archived_once(phase: str, desk: BookDesk) -> None:
    """
    What `listclosedchannels` lists is archived as settled, at the time of its last transaction.
    """
    listed = {row["channel_id"]: row["final_to_us_msat"] for row in desk.node.books.closed}
    archived = desk.sql("SELECT channel_id, final_to_us_msat FROM closed_channels WHERE resolved")

    assert dict(archived) == listed
    assert len(listed) == (3 if phase == "after_close/" else 0)


def test_nothing_is_counted_twice(desk: BookDesk) -> None:
    """
    Read once more from the beginning of a new process, the books are as they were.
    """
    before = desk.contents()
    desk.restart()
    count_forwards(desk)
    desk.catch_up(2 * 24 * HOUR)

    assert desk.contents() == before
