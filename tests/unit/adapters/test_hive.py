"""cl-hive as it is asked: what it says is read strictly, and what it is told it can take."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fake_hive import METHODS, FakeHive

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.hive import PATIENCE_S, Hive, Member, method_of, patience
from revops.core.hive import Balance, FeeObservation, Health, Liquidity, PeriodCosts, Report

US, PEER, OTHER = "02" + "aa" * 32, "03" + "bb" * 32, "02" + "cc" * 32
SHORT = Balance(peer_id=PEER, local_pct=0.04, capacity_sats=5_000_000)
REPORTS: list[Report] = [
    FeeObservation(
        peer_id=PEER,
        our_fee_ppm=250,
        their_fee_ppm=None,
        volume_sats=80_000,
        forward_count=3,
        period_hours=6.0,
        revenue_rate=3.3333,
    ),
    Health(
        profitable_channels=3,
        underwater_channels=1,
        stagnant_channels=0,
        total_channels=5,
        revenue_trend="improving",
        liquidity_score=60,
    ),
    Liquidity(
        depleted_channels=(SHORT,),
        saturated_channels=(),
        rebalancing_active=True,
        rebalancing_peers=(PEER,),
    ),
    PeriodCosts(rebalance_costs_sats=45),
]


@pytest.fixture
def fake() -> FakeHive:
    """
    A hive that we are a member of.
    """
    hive = FakeHive(US)
    hive.join()
    return hive


def reached(fake: FakeHive) -> Hive:
    """
    Return *fake* behind a socket.
    """

    def call(method: str, params: dict[str, object]) -> object:
        return json.loads(json.dumps(fake.answer(method, json.loads(json.dumps(params)))))

    return Hive(call)


def saying(reply: object) -> Hive:
    """
    Return a hive that answers *reply* to everything.
    """
    return Hive(lambda _method, _params: reply)


def refusing(code: int | None) -> Hive:
    """
    Return a hive of which lightningd refuses every call.
    """

    def call(method: str, _params: dict[str, object]) -> object:
        raise NodeRefusedError(method, code, "no")

    return Hive(call)


def test_who_we_are_in_it_is_read(fake: FakeHive) -> None:
    """
    Tier, governance and version; a node that is in no hive has no tier.
    """
    found = reached(fake).membership()
    fake.tiers.clear()
    alone = reached(fake).membership()

    assert (found.status, found.mode, found.tier) == ("active", "advisor", "member")
    assert (alone.status, alone.tier) == ("no_members", None)


def test_a_hive_that_is_not_there_is_none() -> None:
    """
    Only that lightningd does not know the command means so; other refusals are refusals.
    """
    assert refusing(-32601).membership() is None
    with pytest.raises(NodeRefusedError):
        refusing(-32602).membership()


def test_members_are_read_in_order(fake: FakeHive) -> None:
    """
    Whatever the order, and rows that cannot be read are left out.
    """
    fake.tiers |= {PEER: "neophyte", OTHER: "member", "nobody": "member"}

    assert reached(fake).members() == (
        Member(peer_id=US, tier="member"),
        Member(peer_id=OTHER, tier="member"),
        Member(peer_id=PEER, tier="neophyte"),
    )


def test_a_conflict_is_yes_or_no(fake: FakeHive) -> None:
    """
    Only what is said in so many words is a conflict.
    """
    fake.busy = {OTHER: {PEER}}

    assert reached(fake).contests(PEER) is True
    assert reached(fake).contests(OTHER) is False
    for reply in ({}, {"conflict": "yes"}, {"conflict": 1}, [], None):
        with pytest.raises(NoAnswerError):
            saying(reply).contests(PEER)


def test_a_no_within_an_answer_is_a_no(fake: FakeHive) -> None:
    """
    cl-hive answers with `error` where it refuses; what it says is cut to a line.
    """
    fake.tiers[US] = "neophyte"
    with pytest.raises(NodeRefusedError, match="permission_denied"):
        reached(fake).contests(PEER)
    with pytest.raises(NodeRefusedError) as refused:
        saying({"error": "bad\n" * 1000}).tell(REPORTS[0])
    assert len(str(refused.value)) < 300
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("reply", [None, [], "no", 7, {}, {"status": 7}, {"status": None}])
def test_what_makes_no_sense_is_no_answer(reply: object) -> None:
    """
    Nothing that it may answer is anything but an answer or none.
    """
    hive = saying(reply)
    asks: list[Callable[[], Any]] = [hive.membership, hive.members, hive.hints, hive.features]
    for ask in asks:
        with pytest.raises(NoAnswerError):
            ask()


def test_features_are_its_methods() -> None:
    """
    Told is which of those that revops calls it has, with or without their usage beside the name.
    """
    rows = [{"command": "hive-status"}, {"command": "hive-members x"}, {"command": "getinfo"}, 7]
    found = saying({"help": rows}).features()

    assert {name for name, there in found.items() if there} == {"hive-status", "hive-members"}
    assert set(found) == set(METHODS)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
def test_what_is_told_is_taken(fake: FakeHive, report: Report) -> None:
    """
    Every field is one that cl-hive knows, and numbers are what it takes.
    """
    reached(fake).tell(report)

    assert method_of(report) in METHODS
    stored = (fake.observations, fake.health, fake.liquidity, fake.period_costs)
    assert sum(bool(kept) for kept in stored) == 1


def test_it_is_waited_for_less_than_others() -> None:
    """
    Five seconds at most, and never longer than anybody else.
    """
    assert patience("hive-status", 15) == PATIENCE_S
    assert patience("hive-status", 1) == 1
    assert patience("getinfo", 15) == 15
