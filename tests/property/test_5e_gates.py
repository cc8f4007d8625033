"""§5 Gates: what keeps a channel from being filled or from giving, said by the first that does."""

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from property.money import (
    CAPACITY,
    about,
    ample,
    books,
    holding,
    nodes,
    planned,
    short,
    starts,
    told,
    traders,
    wishes,
)
from property.obstacles import (
    AMPLE,
    DRAIN,
    ELSEWHERE,
    FAILED,
    FILL,
    NODE,
    REFILLED,
    SHORT,
    knowing,
)
from property.strategies import ratios
from property.trails import codes, fact
from property.world import START, peer

from revops.core.actions import Hold
from revops.core.budget import Spending
from revops.core.config import Config
from revops.core.levers import REMEDIES
from revops.core.memory import FlowState
from revops.core.plan import decisive
from revops.core.policy import Policy, RebalanceMode, Strategy
from revops.core.reasons import Code, sentence
from revops.core.rebalance.decide import rebalance
from revops.core.rebalance.means import trusted
from revops.core.treasury import Engine
from revops.core.units import DAY, HOUR, from_sats


def test_nothing_else_keeps_these_from_each_other():
    """
    Without what the tables below change, the one channel fills the other.
    """
    (start,) = starts(planned(SHORT, AMPLE))

    assert start.channel_id == SHORT.channel_id
    assert [source.channel_id for source in start.sources] == [AMPLE.channel_id]


@pytest.mark.parametrize(("code", "fields", "node"), FILL, ids=lambda value: str(value)[:24])
def test_each_gate_keeps_a_channel_from_being_filled(code, fields, node):
    """
    Each alone is enough, and is what the decision says last.
    """
    channel = attrs.evolve(SHORT, **fields)
    plan = planned(channel, AMPLE, **node)

    assert starts(plan) == []
    assert decisive(about(plan, channel)).code is code


@pytest.mark.parametrize(("code", "fields", "node"), DRAIN, ids=lambda value: str(value)[:24])
def test_each_gate_keeps_a_channel_from_giving(code, fields, node):
    """
    Each alone is enough, and is what the decision says last; the other then has nobody to ask.
    """
    channel = attrs.evolve(AMPLE, **fields)
    plan = planned(SHORT, channel, **node)

    assert starts(plan) == []
    assert decisive(about(plan, channel)).code is code
    assert told(plan, SHORT)[-1] is Code.NO_SOURCE


BROKE = {Code.SPENDING_UNKNOWN, Code.RESERVE_UNKNOWN, Code.RESERVE_LOW, Code.BUDGET_SPENT}


@pytest.mark.parametrize(("code", "config", "node"), NODE, ids=lambda value: str(value)[:24])
def test_what_forbids_all_is_said_of_the_node_and_of_whom_it_concerns(code, config, node):
    """
    What keeps the node from rebalancing stands in its own trail, and is what a channel is told that
    would have been filled, after all that speaks for it; one that is not short is told that. Either
    the room in the budget is told or why there is none.
    """
    plan = planned(SHORT, AMPLE, config=config, **node)

    assert starts(plan) == []
    assert plan.node_trail[0].code is code
    said = {reason.code for reason in plan.node_trail}
    assert (Code.BUDGET in said) != bool(said & BROKE)
    assert told(plan, SHORT)[-2:] == [Code.PAIR, code]
    assert told(plan, AMPLE) == [Code.NOT_SHORT, Code.CAN_GIVE]


ENGINE = {Code.ENGINE_ABSENT, Code.ENGINE_OLD, Code.ENGINE_TROUBLE}


@pytest.mark.parametrize(("code", "config", "node"), NODE, ids=lambda value: str(value)[:24])
def test_what_is_wrong_with_the_rebalancer_is_one_thing(code, config, node):
    """
    Of a rebalancer that cannot be used one thing is said, though without it nothing else of it is
    right either; of one that the operator did without, nothing.
    """
    plan = planned(SHORT, AMPLE, config=config, **node)

    assert [r.code for r in plan.node_trail if r.code in ENGINE] == [code] * (code in ENGINE)


def test_a_rebalancer_that_is_too_old_is_told_by_its_version():
    """
    Both the version that there is and the one that is needed are said.
    """
    (said, *_) = planned(**knowing(engine=Engine(version="v4.2.1", jobs=()))).node_trail

    assert dict(said.facts) == {"version": "v4.2.1", "needed": "4.3.1"}


@given(nodes(), wishes())
def test_nothing_that_is_unknown_reads_as_free_or_safe(snapshot, config):
    """
    Whoever is filled or gives has books that were read, a peer that was watched and slots that were
    counted; what is filled has a known way there; and the node knows its money and its rebalancer.
    """
    plan = rebalance(snapshot, config)
    by_id = {channel.channel_id: channel for channel in snapshot.channels}
    treasury = snapshot.treasury
    for start in starts(plan):
        filled = by_id[start.channel_id]
        assert filled.peer_fee_ppm is not None or treasury.attempts
        for channel in (filled, *(by_id[source.channel_id] for source in start.sources)):
            assert channel.traffic is not None
            assert channel.peer_uptime >= 0.9
            assert max(channel.htlcs_in, channel.htlcs_out) < channel.max_htlcs / 2
            assert channel.connected
            assert channel.scid
    if starts(plan):
        assert snapshot.onchain_msat is not None
        assert treasury.spending is not None
        assert treasury.engine.jobs is not None


@given(nodes(), wishes())
def test_the_operators_policy_is_kept(snapshot, config):
    """
    Only who may be filled is filled, only who may be drained gives: source_only peers are sources
    and nothing else, sink_only peers are filled and nothing else.
    """
    modes = {policy.peer_id: policy.rebalance for policy in snapshot.policies}
    peers = {channel.channel_id: channel.peer_id for channel in snapshot.channels}
    for start in starts(rebalance(snapshot, config)):
        filled = modes.get(start.peer_id, RebalanceMode.ENABLED)
        assert filled in (RebalanceMode.ENABLED, RebalanceMode.SINK_ONLY)
        for source in start.sources:
            gave = modes.get(peers[source.channel_id], RebalanceMode.ENABLED)
            assert gave in (RebalanceMode.ENABLED, RebalanceMode.SOURCE_ONLY)


def test_source_only_peers_are_sources_and_sink_only_peers_are_filled():
    """
    What the policy leaves is done: the predecessor dropped source_only peers from its sources.
    """
    policies = [
        Policy(peer_id=peer(0), rebalance=RebalanceMode.SINK_ONLY),
        Policy(peer_id=peer(1), rebalance=RebalanceMode.SOURCE_ONLY),
    ]

    (start,) = starts(planned(SHORT, AMPLE, policies=policies))
    assert start.channel_id == SHORT.channel_id


@given(nodes(), wishes())
def test_sinks_are_never_filled(snapshot, config):
    """
    A channel by which more comes in than leaves is never filled.
    """
    states = {memory.channel_id: memory.flow.state for memory in snapshot.memory.channels}
    plan = rebalance(snapshot, config)

    assert all(states[start.channel_id] is not FlowState.SINK for start in starts(plan))


@given(nodes(), wishes())
def test_who_is_not_short_is_told_so_first(snapshot, config):
    """
    Whatever the budget, the rebalancer or the clock say: a channel with enough of its peer's
    capacity on our side is not filled and says that first, one with less says that.
    """
    ours, sizes = {}, {}
    for channel in snapshot.channels:
        ours[channel.peer_id] = ours.get(channel.peer_id, 0) + channel.to_us_msat
        sizes[channel.peer_id] = sizes.get(channel.peer_id, 0) + channel.capacity_msat
    for decision in rebalance(snapshot, config).decisions:
        scarce = ours[decision.peer_id] / sizes[decision.peer_id] < 0.2
        assert codes(decision)[0] is (Code.SHORT if scarce else Code.NOT_SHORT)


@given(ratios(0, 1), st.sampled_from((0.1, 0.2, 0.35)), st.sampled_from((0.5, 0.8, 1.0)))
@example(0.2, 0.2, 0.8)
def test_the_thresholds_are_the_operators(share, low, high):
    """
    Filled is who is below low-liquidity-threshold, and gives who is above it by more than a payment
    and above its target or high-liquidity-threshold.
    """
    channel = holding(0, share, books(20))
    config = Config(low_liquidity_threshold=low, high_liquidity_threshold=high)
    plan = planned(channel, ample(), short(2), config=config)
    is_short = channel.to_us_msat / CAPACITY < low

    assert (Code.SHORT in told(plan, channel)) == is_short
    if Code.CAN_GIVE in told(plan, channel):
        target = from_sats(int(fact(about(plan, channel), "target_sats", Code.CAN_GIVE)))
        assert channel.to_us_msat > min(target, high * CAPACITY)
        assert channel.to_us_msat > low * CAPACITY


@pytest.mark.parametrize(
    ("version", "trust"),
    [
        ("v4.3.1", True),
        ("4.3.1", True),
        ("v4.3.2", True),
        ("v4.10.0", True),
        ("v5", True),
        ("v4.3.2-3-gabcdef", True),
        ("v4.3.1.0", True),
        ("v4.3.1.0-rc1", False),
        ("v4.3", False),
        ("v4.3.0", False),
        ("v4.2.9", False),
        ("v4.3.1-rc1", False),
        ("v4.3.1-dirty", False),
        ("latest", False),
        ("", False),
    ],
)
def test_a_version_is_trusted_from_the_one_that_was_named_on(version, trust):
    """
    Numbers are compared as numbers; what comes before the release, and what nobody can read, is not
    trusted.
    """
    assert trusted(version, "4.3.1") is trust


@given(st.text(max_size=12))
def test_any_version_is_an_answer(version):
    """
    Whatever the rebalancer calls itself, it is trusted or not.
    """
    assert trusted(version, "4.3.1") in (True, False)


def test_the_room_is_what_budget_and_wallet_both_leave():
    """
    Money that has to stay in the wallet is not spent, however large the budget.
    """
    wealth = SHORT.to_us_msat + AMPLE.to_us_msat + from_sats(2_000_000)
    keeps = Config(min_wallet_reserve=wealth // 1000 - 300)
    plan = planned(SHORT, AMPLE, config=keeps)

    assert dict(plan.node_trail[0].facts)["room_sats"] == 300
    assert sum(start.max_fee_msat for start in starts(plan)) <= from_sats(300)
    held = knowing(spending=Spending(held_msat=from_sats(100)))
    less = planned(SHORT, AMPLE, config=keeps, **held)
    assert dict(less.node_trail[0].facts)["room_sats"] == 200


def test_who_has_just_the_reserve_has_nothing_to_spend():
    """
    A wallet is not low as long as it holds min-wallet-reserve to the msat; what is above may be
    spent.
    """
    wealth = (SHORT.to_us_msat + AMPLE.to_us_msat) // 1000 + 2_000_000
    for more, code in ((-1, Code.BUDGET), (0, Code.BUDGET_SPENT), (1, Code.RESERVE_LOW)):
        plan = planned(SHORT, AMPLE, config=Config(min_wallet_reserve=wealth + more))
        assert plan.node_trail[0].code is code


@pytest.mark.parametrize("channel", ["short", "ample"])
def test_what_is_just_good_enough_is(channel):
    """
    A peer that was there for nine tenths of the time, and a channel with just under half of its
    slots in use, or what htlc-congestion-threshold leaves, has its part.
    """
    for fields, config in (
        ({"peer_uptime": 0.9}, Config()),
        ({"htlcs_in": 14, "htlcs_out": 14}, Config()),
        ({"htlcs_in": 5}, Config(htlc_congestion_threshold=0.2)),
    ):
        pair = {"short": SHORT, "ample": AMPLE}
        pair[channel] = attrs.evolve(pair[channel], **fields)
        assert len(starts(planned(*pair.values(), config=config))) == 1
    busy = attrs.evolve(SHORT, htlcs_in=6)
    crowded = planned(busy, AMPLE, config=Config(htlc_congestion_threshold=0.2))
    assert told(crowded, busy)[-1] is Code.SLOTS_BUSY


def test_what_runs_takes_a_place():
    """
    Of two places one is left while a rebalance runs.
    """
    channels = [short(n) for n in range(2)] + [ample(2 + n) for n in range(2)]
    config = Config(max_concurrent_jobs=2)

    assert len(starts(planned(*channels, config=config))) == 2
    assert len(starts(planned(*channels, config=config, **knowing(attempts=(ELSEWHERE,))))) == 1


def test_a_route_that_is_too_dear_is_said_to_be():
    """
    A channel that nobody would fill at its price is not told that it has enough.
    """
    dear = attrs.evolve(SHORT, peer_fee_ppm=3000)
    plan = planned(dear, AMPLE)

    assert told(plan, dear)[-1] is Code.DEARER_THAN_SOLD
    assert fact(about(plan, dear), "cost_ppm", Code.DEARER_THAN_SOLD) == 3000
    assert fact(about(plan, dear), "max_ppm", Code.DEARER_THAN_SOLD) == 450
    for ppm, too_dear in ((450, False), (451, True)):
        edge = attrs.evolve(SHORT, peer_fee_ppm=ppm)
        assert (Code.DEARER_THAN_SOLD in told(planned(edge, AMPLE), edge)) == too_dear


def losing(cost, revenue, **config):
    """
    Return the plan of a node whose refills cost so many sats in a week and earned so many.
    """
    money = knowing(
        refill_cost_week_msat=None if cost is None else from_sats(cost),
        revenue_week_msat=None if revenue is None else from_sats(revenue),
    )
    return planned(SHORT, AMPLE, config=Config(**config), **money)


@pytest.mark.parametrize(
    ("cost", "revenue", "asked"),
    [
        (6_000, 5_999, Code.LOSING),
        (6_000, 6_000, None),
        (5_000, 0, None),
        (None, 10_000, Code.PROFIT_UNKNOWN),
        (6_000, None, Code.PROFIT_UNKNOWN),
        (0, None, None),
    ],
)
def test_who_loses_money_asks_for_more(cost, revenue, asked):
    """
    When refills of a week cost more than was earned and more than a day's budget, or nobody can
    tell, three times the profit is asked for: only what promises that is started.
    """
    careful = asked is not None
    plan = losing(cost, revenue)
    assert [r.code for r in plan.node_trail if r.code is not Code.BUDGET] == [asked] * careful
    least = fact(about(plan, SHORT), "least_msat", Code.PAIR)
    assert least == from_sats(30 if careful else 10)

    value = fact(about(plan, SHORT), "ev_msat", Code.PAIR) // 1000
    assert starts(losing(cost, revenue, rebalance_min_profit=value // 3 - 1))
    much = losing(cost, revenue, rebalance_min_profit=value // 2)
    assert bool(starts(much)) is not careful


def test_nobody_is_exempt_while_money_is_lost():
    """
    A member of the hive is not refilled at a loss while refills cost more than is earned.
    """
    hive = [Policy(peer_id=peer(0), strategy=Strategy.HIVE)]
    config = Config(hive_rebalance_tolerance=500)
    lost = knowing(refill_cost_week_msat=from_sats(50_000))

    assert starts(planned(SHORT, AMPLE, config=config, policies=hive))
    assert starts(planned(SHORT, AMPLE, config=config, policies=hive, **lost)) == []


def test_what_waits_says_until_when():
    """
    A channel that rests after a refill, or a peer that nothing could be moved to, is held until the
    time that was said.
    """
    rests = about(planned(SHORT, AMPLE, **knowing(attempts=(REFILLED,))), SHORT)
    futile = about(planned(SHORT, AMPLE, **knowing(attempts=FAILED)), SHORT)

    assert rests.action == Hold(until=REFILLED.at + DAY)
    assert futile.action == Hold(until=FAILED[-1].at + 48 * HOUR)
    assert fact(rests, "hours", Code.COOLING_DOWN) == 23
    assert fact(futile, "hours", Code.FUTILE) == 47
    assert fact(futile, "failures", Code.FUTILE) == len(FAILED)


@given(traders(), wishes())
def test_each_refusal_can_be_said_and_changed(snapshot, config):
    """
    Whatever is decided is a sentence, and there is something that would change it.
    """
    plan = rebalance(snapshot, config)
    for said in (*plan.node_trail, *(step for d in plan.decisions for step in d.trail)):
        assert "{" not in sentence(said)
        assert REMEDIES[said.code].levers


def test_nothing_is_looked_at_that_lies_ahead():
    """
    Books that say more than there was time for, as after a clock that ran ahead, stop no plan.
    """
    ahead = attrs.evolve(books(20), since=START + DAY, until=START + 2 * DAY)

    assert about(planned(attrs.evolve(SHORT, traffic=ahead), AMPLE), SHORT)
