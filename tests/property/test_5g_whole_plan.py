"""§5 Rebalancing as a whole: a plan is a function of what is known, and says all it was made of."""

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from property.attempts import running, tried
from property.money import (
    READY,
    about,
    ample,
    anything,
    node,
    nodes,
    planned,
    short,
    starts,
    told,
    traders,
    wishes,
)
from property.obstacles import ELSEWHERE
from property.trails import fact
from property.world import START, peer

from revops.adapters.wire import write_plan
from revops.core.actions import Hold, StartRebalance
from revops.core.budget import Spending, limits
from revops.core.checks import MOST_MSAT
from revops.core.config import Config
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code, sentence
from revops.core.rebalance.decide import rebalance
from revops.core.snapshot import NORMAL, Node, Snapshot
from revops.core.treasury import Ending
from revops.core.units import DAY, HOUR, from_sats


@given(anything())
@example((Snapshot(now=START, node=Node(node_id=peer(1))), Config()))
def test_any_node_has_a_plan(known):
    """
    Whatever is known and wished for: each channel has one decision, about rebalancing, that is a
    sentence and a whole number of msat; nothing is started on a channel that is not open.
    """
    snapshot, config = known
    plan = rebalance(snapshot, config)

    assert [d.channel_id for d in plan.decisions] == [c.channel_id for c in snapshot.channels]
    for decision, channel in zip(plan.decisions, snapshot.channels, strict=True):
        assert decision.area == "rebalance"
        assert (decision.scid, decision.peer_id) == (channel.scid, channel.peer_id)
        assert all(sentence(step) for step in decision.trail)
        if isinstance(decision.action, StartRebalance):
            assert channel.state == NORMAL
            for name in ("amount_msat", "chunk_msat", "max_ppm", "max_fee_msat", "keep_msat"):
                assert 0 <= getattr(decision.action, name) <= MOST_MSAT
        else:
            assert isinstance(decision.action, Hold)
    assert all(sentence(step) for step in plan.node_trail)


@given(nodes() | traders(), wishes())
def test_the_same_knowledge_makes_the_same_plan(snapshot, config):
    """
    A plan is a function: made again it is the same, to the byte.
    """
    once, again = (rebalance(snapshot, config) for _ in range(2))

    assert once == again
    assert write_plan(once) == write_plan(again)


@given(nodes() | traders(), wishes(), st.randoms(use_true_random=False))
def test_shuffling_changes_nothing(snapshot, config, draw):
    """
    In whatever order channels, attempts, policies and memories come, the plan is the same.
    """

    def shuffled(items):
        mixed = list(items)
        draw.shuffle(mixed)
        return mixed

    money = attrs.evolve(snapshot.treasury, attempts=shuffled(snapshot.treasury.attempts))
    memory = attrs.evolve(snapshot.memory, channels=shuffled(snapshot.memory.channels))
    mixed = attrs.evolve(
        snapshot,
        channels=shuffled(snapshot.channels),
        policies=shuffled(snapshot.policies),
        memory=memory,
        treasury=money,
    )

    assert rebalance(mixed, config) == rebalance(snapshot, config)


@given(nodes() | traders(), wishes())
def test_names_say_nothing(snapshot, config):
    """
    What a channel and its peer are called changes nothing about who is started, but among equals.
    """
    renamed = attrs.evolve(
        snapshot,
        channels=[attrs.evolve(channel, alias="somebody") for channel in snapshot.channels],
        seed=snapshot.seed + 1,
    )

    assert rebalance(renamed, config) == rebalance(snapshot, config)


@given(nodes() | traders(), wishes())
def test_a_rehearsal_is_planned_like_the_real_thing(snapshot, config):
    """
    dry-run changes nothing about what is decided.
    """
    rehearsed = rebalance(snapshot, attrs.evolve(config, dry_run=True))

    assert rehearsed == rebalance(snapshot, config)


@given(nodes() | traders(), wishes())
def test_nothing_starts_while_paused(snapshot, config):
    """
    Paused, without the right to, without a rebalancer or money: nothing is ever started.
    """
    for changes in ({"paused": True}, {"authority": "fees"}, {"rebalancer": "none"}):
        assert starts(rebalance(snapshot, attrs.evolve(config, **changes))) == []
    for money in (None, attrs.evolve(snapshot.treasury, engine=None)):
        assert starts(rebalance(attrs.evolve(snapshot, treasury=money), config)) == []


@given(nodes() | traders(), wishes())
def test_the_limits_are_those_of_the_budget(snapshot, config):
    """
    The plan carries the limits that hold when it is written down.
    """
    treasury = snapshot.treasury
    most = limits(config, treasury.revenue_day_msat, treasury.revenue_week_msat)

    assert rebalance(snapshot, config).limits == most


@given(traders(), wishes())
@example(node(short(), *map(ample, range(1, 4))), Config())
def test_an_order_is_said_in_words(snapshot, config):
    """
    Why a channel is filled names the amount, the sources, the most that the route may take and what
    is reserved, as they are in the order; each source is told whom it gives to.
    """
    plan = rebalance(snapshot, config)
    by_id = {decision.channel_id: decision for decision in plan.decisions}
    for start in starts(plan):
        said = dict(by_id[start.channel_id].trail[-1].facts)
        assert said == {
            "amount_sats": start.amount_msat // 1000,
            "sources": ", ".join(source.scid for source in start.sources),
            "max_ppm": start.max_ppm,
            "reserve_sats": -(-start.max_fee_msat // 1000),
        }
        for source in start.sources:
            told_ = dict(by_id[source.channel_id].trail[-1].facts)
            assert told_ == {"amount_sats": said["amount_sats"], "target": start.scid}


def test_a_start_says_where_its_sats_come_from_and_what_there_was():
    """
    Beside the terms stand the price at which the source would have sold, and what was ours before.
    """
    target, giver = short(0, fee_ppm=900), ample(1, out=25, fee_ppm=70)
    plan = planned(target, giver)
    (action,) = starts(plan)

    assert fact(about(plan, target), "source_price_ppm", Code.PAIR) == 70
    assert fact(about(plan, target), "amount_msat", Code.PAIR) == action.amount_msat
    assert action.to_us_msat == target.to_us_msat


def test_where_costs_cannot_be_told_apart_there_is_one_refill_of_one_payment():
    """
    On a node that lists no movements a refill is one payment, and the next waits for its end.
    """
    target, giver = short(0), ample(1)
    alone = attrs.evolve(READY, one_at_a_time=True)
    (action,) = starts(planned(target, giver, treasury=alone))
    busy = planned(target, giver, treasury=attrs.evolve(alone, attempts=(ELSEWHERE,)))

    assert action.chunk_msat == action.amount_msat
    assert starts(busy) == []
    assert fact(about(busy, target), "running", Code.ONE_AT_A_TIME) == 1


@given(traders(), wishes())
def test_what_runs_is_not_touched(snapshot, config):
    """
    A channel that a rebalance of ours fills or drains has no part in another, nor has any other
    channel with its peer; what is over has.
    """
    taker, *_, giver = snapshot.channels
    one = running(to_channel=taker.channel_id, to_peer=taker.peer_id, from_channels=())
    two = running(1, to_channel="ee" * 32, to_peer=peer(99), from_channels=(giver.channel_id,))
    money = attrs.evolve(snapshot.treasury, attempts=(one, two))
    plan = rebalance(attrs.evolve(snapshot, treasury=money), config)

    for start in starts(plan):
        touched = {start.channel_id, *(source.channel_id for source in start.sources)}
        assert not touched & {taker.channel_id, giver.channel_id}
    assert told(plan, taker)[-1] in (Code.ENGAGED, Code.NOT_SHORT)


@settings(max_examples=30)
@given(traders(), wishes())
def test_an_attempt_without_effect_teaches_nothing(snapshot, config):
    """
    What was stopped before anything moved, or never began, changes no later plan: no futility, no
    cool-down, no record.
    """
    start = next(iter(starts(rebalance(snapshot, config))), None)
    if start is None:
        return
    money = attrs.evolve(snapshot.treasury, attempts=())
    vain = tried(
        at=START - HOUR,
        ending=Ending.STOPPED,
        to_channel=start.channel_id,
        to_peer=start.peer_id,
        from_channels=tuple(source.channel_id for source in start.sources),
    )
    before = attrs.evolve(snapshot, treasury=money)
    after = attrs.evolve(snapshot, treasury=attrs.evolve(money, attempts=(vain,)))

    assert rebalance(after, config).decisions == rebalance(before, config).decisions


def test_a_refill_is_as_likely_as_its_own_peer_makes_it():
    """
    What failed toward a peer makes its next refill look less likely, and no other.
    """
    channels = [short(0), short(1), ample(2), ample(3)]
    failed = [tried(n, ending=Ending.NO_ROUTE, to_peer=peer(0)) for n in range(3)]
    before, after = (
        planned(*channels, treasury=attrs.evolve(READY, attempts=row)) for row in ([], failed)
    )
    one, other = (
        [fact(about(plan, channel), "chance", Code.PAIR) for plan in (before, after)]
        for channel in channels[:2]
    )

    assert one[0] > one[1]
    assert other[0] == other[1] == one[0]


# The hive


HIVE = [Policy(peer_id=peer(0), strategy=Strategy.HIVE)]


def test_members_of_the_hive_are_refilled_at_a_small_loss():
    """
    A member pays hive-fee-ppm 0 and brings nothing, and is filled all the same as long as it costs
    no more than hive-rebalance-tolerance. The predecessor refused 17 of 17 such channels.
    """
    members = [short(n, peer_fee_ppm=0) for n in range(5)]
    policies = [Policy(peer_id=peer(n), strategy=Strategy.HIVE) for n in range(5)]
    plan = planned(*members, *(ample(5 + n) for n in range(5)), policies=policies)

    assert len(starts(plan)) == 5
    for start in starts(plan):
        value = fact(about(plan, members[int(start.scid[7])]), "ev_msat", Code.PAIR)
        assert from_sats(-50) <= value < 0
        assert start.expected_fee_msat <= from_sats(50)


@given(traders(policies=HIVE), st.integers(0, 5000), st.integers(0, 300))
def test_what_the_hive_may_cost_is_bounded(snapshot, tolerance, price):
    """
    The exemption ends at the tolerance, the ceiling and the budget: a refill that is made loses no
    more than was accepted, whatever the route takes.
    """
    config = Config(hive_rebalance_tolerance=tolerance, hive_fee_ppm=price)
    plan = rebalance(snapshot, config)
    for start in starts(plan):
        decision = next(d for d in plan.decisions if d.channel_id == start.channel_id)
        value = fact(decision, "ev_msat", Code.PAIR)
        exempt = start.peer_id == peer(0)
        assert value >= (from_sats(-tolerance) if exempt else 1)
        assert start.max_ppm <= config.rebalance_max_ppm
        if exempt:
            gain = fact(decision, "gain_msat", Code.PAIR) - fact(decision, "loss_msat", Code.PAIR)
            dearest = start.amount_msat * start.max_ppm // 10**6
            assert gain - dearest >= from_sats(-tolerance)


def test_a_member_is_filled_to_be_short_no_more():
    """
    Even where nothing leaves, and with as much as the tolerance pays for.
    """
    member = short(0, out=0, peer_fee_ppm=0)
    amounts = []
    for tolerance in (20, 50, 500):
        config = Config(hive_rebalance_tolerance=tolerance)
        (start,) = starts(planned(member, ample(), policies=HIVE, config=config))
        amounts.append(start.amount_msat)

    assert amounts == sorted(set(amounts))
    assert amounts[-1] <= 0.2 * member.capacity_msat


def test_without_tolerance_nobody_is_exempt():
    """
    With a tolerance of 0 a member of the hive is filled when it pays, or not at all.
    """
    config = Config(hive_rebalance_tolerance=0)
    plan = planned(short(), ample(), policies=HIVE, config=config)

    assert told(plan, short())[-1] is Code.EARNS_TOO_LITTLE


# Never fails open, never fails shut for good


def test_what_is_not_known_now_may_be_known_soon():
    """
    A look that finds nothing, as while the node is starting, starts nothing; the next one that
    finds everything does.
    """
    blind = node(short(), ample(), treasury=None, onchain_msat=None)

    assert starts(rebalance(blind, Config())) == []
    assert starts(planned(short(), ample()))


@pytest.mark.parametrize("ahead", [DAY, 365 * DAY])
def test_a_clock_that_ran_ahead_stops_nothing_for_ever(ahead):
    """
    What a clock that was ahead dated later bars no refill for longer than it would have.
    """
    refilled = tried(
        at=START + ahead,
        to_channel=short().channel_id,
        to_peer=peer(9),
        from_channels=("ff" * 32,),
    )
    now = attrs.evolve(READY, attempts=(refilled,))
    later = attrs.evolve(
        node(short(), ample(), treasury=now), now=START + ahead + 2 * DAY, memory=node().memory
    )
    moved = [
        attrs.evolve(
            channel, traffic=attrs.evolve(channel.traffic, until=later.now, since=START - 100 * DAY)
        )
        for channel in later.channels
    ]

    assert Code.COOLING_DOWN not in told(
        rebalance(attrs.evolve(later, channels=moved), Config()), short()
    )


def test_money_that_is_held_is_not_spent_twice():
    """
    What is reserved elsewhere lowers what may be started, msat for msat.
    """
    whole = planned(short(), ample())
    held = attrs.evolve(READY, spending=Spending(held_msat=from_sats(4_500)))
    rest = planned(short(), ample(), treasury=held)

    assert starts(whole)[0].max_fee_msat > from_sats(500)
    assert starts(rest)[0].max_fee_msat <= from_sats(500)
