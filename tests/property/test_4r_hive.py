"""§4.0 Hive: what its members say is a hint, and what they charge each other is nothing."""

import math

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from property.accounts import ledgers
from property.strategies import (
    OPEN,
    belief_memories,
    channels,
    configs,
    fee_memories,
    hive_hints,
    peer_ids,
    prices,
    ratios,
    snapshots,
)
from property.trails import bounds, codes, fee
from property.world import START, decided, looked, peer, quiet_channel

from revops.core.config import Config
from revops.core.decide import decide
from revops.core.fees.posterior import prior_of
from revops.core.hive import (
    WINDOW_S,
    Balance,
    FeeObservation,
    Liquidity,
    health,
    liquidity,
    watched,
)
from revops.core.ledger import Account, Ledger
from revops.core.memory import FeeMemory, Pin, Price
from revops.core.pnl import Pnl
from revops.core.policy import Policy, Strategy
from revops.core.prepare import prepared
from revops.core.profit import ProfitClass, assessed
from revops.core.reasons import Code
from revops.core.snapshot import HiveHint, Node, Snapshot, Traffic
from revops.core.units import DAY, HOUR

open_channels = channels(START, **OPEN)
FREE = Price(fee_ppm=0, base_fee_msat=0)
MEMBER = [Policy(peer_id=peer(0), strategy=Strategy.HIVE)]


def prior(hint, config=None, **fields):
    """
    Return the price that is believed to be the middle, before anything is seen, with *hint*.
    """
    channel = quiet_channel(hive_hint=hint, **fields)
    node = Node(node_id=peer(99))
    seen = prepared(Snapshot(now=START, node=node, channels=[channel]), config or Config())
    return prior_of(seen.views[0], seen.context)


@given(snapshots(), configs(), st.integers(0, 2**32 - 1))
def test_a_hint_without_confidence_changes_nothing(snapshot, config, ppm):
    """
    Who is not sure at all is as good as silent: the plan is the same, to the last reason.
    """

    def hinted(hint):
        known = [attrs.evolve(channel, hive_hint=hint) for channel in snapshot.channels]
        return decide(attrs.evolve(snapshot, channels=known), config)

    assert hinted(HiveHint(fee_ppm=ppm, confidence=0.0)) == hinted(None)


@given(open_channels, configs(), belief_memories(START), hive_hints())
def test_no_hint_moves_a_price_out_of_its_bounds(channel, config, belief, hint):
    """
    Whatever the hive says, and however sure it is, the price is within what the operator allows.
    """
    known = Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)
    memory = FeeMemory(known=known, belief=belief)
    decision = decided(attrs.evolve(channel, hive_hint=hint), config, fee=memory)
    floor, ceiling = bounds(decision)
    price = fee(decision, channel.fee_ppm)

    assert min(floor, ceiling) <= price <= ceiling or price == channel.fee_ppm


@given(hive_hints(), st.none() | st.integers(0, 100_000))
def test_a_hint_pulls_half_way_at_most(hint, market):
    """
    What is believed beforehand leans toward the hint by half of its confidence, never makes more
    of it than the node's own bounds allow, and is no surer for it.
    """
    config = Config(min_fee_ppm=20, max_fee_ppm=3000)
    alone, told = prior(None, config, market_ppm=market), prior(hint, config, market_ppm=market)
    heard = math.log(max(20, min(hint.fee_ppm, 3000)))
    half_way = 0.5 * hint.confidence * (heard - alone.middle)

    assert math.isclose(told.middle - alone.middle, half_way, abs_tol=1e-9)
    assert attrs.evolve(told, middle=alone.middle) == alone


@given(ratios(0.1, 1), st.integers(10, 4000), st.integers(10, 4000))
def test_the_dearer_the_hint_the_dearer_the_belief(confidence, one, other):
    """
    Of two hints the higher one never makes a lower price likelier.
    """
    cheap, dear = sorted((one, other))

    assert (
        prior(HiveHint(fee_ppm=cheap, confidence=confidence)).middle
        <= prior(HiveHint(fee_ppm=dear, confidence=confidence)).middle
    )


def test_a_hint_is_told_and_tried():
    """
    Where next to nothing was seen, a hint of a dear peer makes it dearer, and the trail says so.
    """
    traffic = Traffic(since=START - 30 * DAY, until=START, out_count=1, last_out_at=START - 60)
    channel = quiet_channel(traffic=traffic)
    memory = FeeMemory(known=Price(fee_ppm=500, base_fee_msat=0))
    hint = HiveHint(fee_ppm=4000, confidence=1.0)
    plain = decided(channel, fee=memory)
    told = decided(attrs.evolve(channel, hive_hint=hint), fee=memory)

    assert Code.HIVE_HINT not in codes(plain)
    assert Code.HIVE_HINT in codes(told)


@given(open_channels, configs(), fee_memories(START), prices())
def test_what_cl_hive_sets_is_nobodys_hand(channel, config, memory, known):
    """
    0 ppm and no base fee at a member of the hive is what cl-hive sets itself when a channel opens:
    revops yields to nobody for it, nor to what it took for somebody's hand before the policy was
    there.
    """
    assume(memory.pin is None or not memory.pin.ordered)
    channel = attrs.evolve(channel, peer_id=peer(0), fee_ppm=0, base_fee_msat=0)
    plan = looked(channel, config, policies=MEMBER, fee=attrs.evolve(memory, known=known))

    assert plan.memory.channels[0].fee.pin is None
    assert not {Code.MANUAL_CHANGE, Code.PINNED} & set(codes(plan.decisions[0]))
    assert codes(plan.decisions[0])[0] is Code.HIVE


@given(open_channels, configs(), prices())
def test_an_operators_price_for_a_member_is_left_alone(channel, config, known):
    """
    Any other price that somebody set counts for a member as for anybody else.
    """
    channel = attrs.evolve(channel, peer_id=peer(0))
    price = Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)
    assume(price not in (known, FREE))
    plan = looked(channel, config, policies=MEMBER, fee=FeeMemory(known=known))

    assert codes(plan.decisions[0]) == [Code.MANUAL_CHANGE]


@given(open_channels, configs())
def test_an_order_counts_for_a_member_too(channel, config):
    """
    A price that the operator ordered stays, be it that of the hive.
    """
    channel = attrs.evolve(channel, peer_id=peer(0), fee_ppm=0, base_fee_msat=0)
    pin = Pin(price=FREE, until=START + DAY, ordered=True)
    plan = looked(channel, config, policies=MEMBER, fee=FeeMemory(known=FREE, pin=pin))

    assert codes(plan.decisions[0]) == [Code.ORDERED]


# What the hive is told -----------------------------------------------------------------------


@given(ledgers(), st.lists(open_channels, max_size=5), configs())
def test_what_is_told_of_our_health_adds_up(ledger, listed, config):
    """
    No channel is counted twice and none that is closed; where nothing is to tell, nothing is told.
    """
    found = [assessed(account, ledger) for account in ledger.accounts]
    balances = liquidity(listed, [], config)
    told = health(found, Pnl(), Pnl(), balances)
    count = sum(account.closed_at is None for account in ledger.accounts)

    if told is None:
        kinds = {a.profit_class for a in found if a.account.closed_at is None}
        assert kinds <= {ProfitClass.LEARNING, ProfitClass.BREAK_EVEN, ProfitClass.UNKNOWN}
        return
    counted = told.profitable_channels + told.underwater_channels + told.stagnant_channels
    assert 0 < counted <= told.total_channels == count
    assert 0 <= told.liquidity_score <= 100


@given(st.lists(open_channels, max_size=5), st.lists(peer_ids(), max_size=3), configs())
def test_no_channel_is_short_and_full(listed, filled, config):
    """
    What is short is below the low threshold, what is full above the high one, as shares of one.
    """
    told = liquidity(listed, filled, config)

    assert all(b.local_pct <= config.low_liquidity_threshold for b in told.depleted_channels)
    assert all(b.local_pct >= config.high_liquidity_threshold for b in told.saturated_channels)
    assert len(told.depleted_channels) + len(told.saturated_channels) <= len(listed)
    assert (told.rebalancing_active, set(told.rebalancing_peers)) == (bool(filled), set(filled))


@given(st.lists(open_channels, max_size=5), configs())
def test_each_short_or_full_channel_is_told_with_its_share(listed, config):
    """
    Whoever has less of a channel than the low threshold, or more than the high one, is named, with
    what share of how much is ours.
    """
    told = liquidity(listed, [], config)
    low, high = config.low_liquidity_threshold, config.high_liquidity_threshold
    ours = [(channel, channel.to_us_msat / channel.capacity_msat) for channel in listed]

    for found, named in (
        (told.depleted_channels, [(c, share) for c, share in ours if share < low]),
        (told.saturated_channels, [(c, share) for c, share in ours if share > high]),
    ):
        assert [(b.peer_id, b.capacity_sats) for b in found] == [
            (c.peer_id, c.capacity_msat // 1000) for c, _ in named
        ]
        assert [b.local_pct for b in found] == pytest.approx([s for _, s in named], abs=5e-5)


@given(st.lists(st.sampled_from(ProfitClass), max_size=9), st.integers(0, 9), st.integers(0, 9))
def test_our_health_counts_who_earns_loses_and_rests(kinds, short, full):
    """
    Who earns, who loses and who rests are counted apart; the score is the percentage of channels
    that are neither short nor full, rounded up, and 0 at the least.
    """
    account = Account(channel_id="aa" * 32, peer_id=peer(0), capacity_msat=10**9, opened_at=0)
    ledger = Ledger(now=START, since=0, start=0, end=START, accounts=[account])
    one = assessed(account, ledger)
    gone = attrs.evolve(one, account=attrs.evolve(account, closed_at=START))
    balance = Balance(peer_id=peer(0), local_pct=0.5, capacity_sats=1)
    balances = Liquidity(
        depleted_channels=(balance,) * short,
        saturated_channels=(balance,) * full,
        rebalancing_active=False,
        rebalancing_peers=(),
    )
    open_ = [attrs.evolve(one, profit_class=kind) for kind in kinds]
    told = health([*open_, gone], Pnl(), Pnl(), balances)
    resting = sum(kind in (ProfitClass.STAGNANT, ProfitClass.ZOMBIE) for kind in kinds)
    counts = (
        kinds.count(ProfitClass.PROFITABLE),
        kinds.count(ProfitClass.UNDERWATER),
        resting,
        len(kinds),
    )

    assert (told is None) == (not any(counts[:3]))
    if told is not None:
        assert counts == (
            told.profitable_channels,
            told.underwater_channels,
            told.stagnant_channels,
            told.total_channels,
        )
        even = max(0, len(kinds) - short - full)
        assert told.liquidity_score == math.ceil(100 * even / len(kinds))


@pytest.mark.parametrize(
    ("week", "month", "trend"),
    [(700, 3000, "stable"), (771, 3000, "improving"), (629, 3000, "declining"), (0, 0, "stable")],
)
def test_a_trend_is_a_tenth_off_the_month(week, month, trend):
    """
    A week that earned a tenth more, or less, a day than the month is called a trend.
    """
    account = Account(channel_id="aa" * 32, peer_id=peer(0), capacity_msat=10**9, opened_at=0)
    ledger = Ledger(now=START, since=0, start=0, end=START, accounts=[account])
    told = health(
        [assessed(account, ledger)],
        Pnl(earned_msat=week),
        Pnl(earned_msat=month),
        liquidity([], [], Config()),
    )

    assert told.revenue_trend == trend


looks = st.lists(
    st.tuples(st.integers(60, 4 * HOUR), st.sampled_from((100, 200)), st.integers(0, 9))
)


@given(looks)
def test_every_forward_is_told_once_at_its_price(times):
    """
    Whatever the prices and the pauses: what is told adds up to what came, but for the price that is
    in force, and a price that was set after a look is credited with what came after it.
    """
    watch, _ = watched(None, quiet_channel(fee_ppm=100), START, 0, 0)
    now, count, told = START, 0, []
    came = {100: 0, 200: 0}
    for pause, ppm, more in times:
        now, count = now + pause, count + more
        came[ppm] += more
        watch, seen = watched(watch, quiet_channel(fee_ppm=ppm), now, 1000 * count, count)
        told += [seen] if seen else []
    for ppm, all_that_came in came.items():
        waiting = watch.seen_count - watch.out_count if watch.fee_ppm == ppm else 0
        assert sum(t.forward_count for t in told if t.our_fee_ppm == ppm) == (
            all_that_came - waiting
        )
    assert all(t.volume_sats == t.forward_count > 0 < t.period_hours for t in told)
    assert watch.seen_at - watch.since < WINDOW_S


def test_an_observation_by_hand():
    """
    Three payments of 80 000 sat in all, in six hours at 250 ppm, are 20 sat: 3.3333 sat an hour.
    """
    watch, _ = watched(None, quiet_channel(fee_ppm=250), START, 7_000_999, 5)
    later = quiet_channel(fee_ppm=250, peer_fee_ppm=9)
    _, told = watched(watch, later, START + 6 * HOUR, 87_000_999, 8)

    assert told == FeeObservation(
        peer_id=peer(0),
        our_fee_ppm=250,
        their_fee_ppm=9,
        volume_sats=80_000,
        forward_count=3,
        period_hours=6.0,
        revenue_rate=3.3333,
    )


def test_a_price_in_force_is_told_of_when_its_window_is_over():
    """
    Until then it waits, and what came is told of all at once.
    """
    channel = quiet_channel(fee_ppm=250)
    watch, _ = watched(None, channel, START, 0, 0)
    waiting, early = watched(watch, channel, START + WINDOW_S - 1, 5000, 1)
    begun, told = watched(waiting, channel, START + WINDOW_S, 9000, 2)

    assert early is None
    assert waiting.since == START
    assert told.forward_count == 2
    assert begun.since == START + WINDOW_S


@pytest.mark.parametrize(("now", "count"), [(START - 1, 5), (START + HOUR, 4)])
def test_a_step_back_begins_anew(now, count):
    """
    Where the clock was set back, or less has left than before, nothing is told of that time.
    """
    watch, _ = watched(None, quiet_channel(), START, 5000, 5)
    begun, told = watched(watch, quiet_channel(fee_ppm=600), now, 1000 * count, count)

    assert told is None
    assert (begun.since, begun.out_count) == (now, count)
