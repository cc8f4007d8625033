"""§5 Orders: what the operator wants moved is moved as far as it can be; force asks no profit."""

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from property.money import (
    READY,
    about,
    ample,
    anything,
    node,
    planned,
    short,
    starts,
    traders,
    wishes,
)
from property.obstacles import AMPLE, DRAIN, FAILED, FILL, NODE, SHORT, knowing
from property.trails import fact, reason
from property.world import peer

from revops.core.actions import Hold, StartRebalance
from revops.core.budget import limits, room
from revops.core.config import Config
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code, sentence
from revops.core.rebalance.keep import OWN_KEEP
from revops.core.rebalance.order import Order, ordered
from revops.core.snapshot import NORMAL
from revops.core.units import DAY, HOUR, MILLION, from_sats

SATS = st.sampled_from((1, 999, 50_000, 250_000, 1_234_567, 30_000_000))
FEES = st.none() | st.sampled_from((0, 1, 50, 5_000)).map(from_sats)
MEMBER = {"policies": [Policy(peer_id=peer(0), strategy=Strategy.HIVE)]}
BUDGET = Config(daily_budget_sats=1_000, proportional_budget=False)


@st.composite
def wanted(draw, nodes, configs, **fields):
    """
    Return an order to fill one of the peers of a node from others, the node, and a configuration.
    """
    snapshot = draw(nodes)
    by_peer = {}
    for channel in snapshot.channels:
        by_peer.setdefault(channel.peer_id, []).append(channel)
    assume(len(by_peer) > 1)
    to = draw(st.sampled_from(sorted(by_peer)))
    others = [c for peer_id, group in by_peer.items() if peer_id != to for c in group]
    givers = draw(st.lists(st.sampled_from(others), min_size=1, max_size=4))
    # What is nearly all that one has, so that it matters what has to be left.
    near = max(1, givers[0].to_us_msat // 1000 - draw(st.sampled_from((5_000, 15_000, 120_000))))
    drawn = {
        "amount_sats": draw(SATS | st.just(near)),
        "most_fee_msat": draw(FEES),
        "force": draw(st.booleans()),
    }
    order = Order(
        to_channels=frozenset(channel.channel_id for channel in by_peer[to]),
        from_channels=frozenset(giver.channel_id for giver in givers),
        **(drawn | fields),
    )
    return order, snapshot, draw(configs)


def likely(**fields):
    """
    Return orders of which many can be carried out.
    """
    return wanted(traders(most=2), wishes(), **fields)


ANY = anything().flatmap(lambda known: wanted(st.just(known[0]), st.just(known[1])))


def to_one_of(short_, *givers, sats=500_000, fee=None, force=False):
    """
    Return an order to fill *short_* from *givers*.
    """
    return Order(
        to_channels=frozenset({short_.channel_id}),
        from_channels=frozenset(giver.channel_id for giver in givers),
        amount_sats=sats,
        most_fee_msat=fee,
        force=force,
    )


@given(likely() | ANY)
def test_any_order_has_an_answer(order):
    """
    Whatever is asked of whatever node: one decision about a channel that was meant, which says in
    sentences what comes of it, the order first.
    """
    decision = ordered(*order)
    meant = {c.channel_id: c for c in order[1].channels}[decision.channel_id]

    assert decision.channel_id in order[0].to_channels
    assert (decision.scid, decision.peer_id) == (meant.scid, meant.peer_id)
    assert decision.area == "rebalance"
    assert decision.trail[0].code is Code.REFILL_ORDERED
    assert len(decision.trail) > 1
    said = "whatever it earns" if order[0].force else "if it pays"
    assert fact(decision, "terms", Code.REFILL_ORDERED) == said
    begun = isinstance(decision.action, StartRebalance)
    assert (decision.trail[-1].code is Code.REFILL) is begun
    assert all(sentence(step) for step in decision.trail)
    assert isinstance(decision.action, (StartRebalance, Hold))


@given(likely())
def test_an_order_is_for_what_was_meant(order):
    """
    Only channels that were named give, none of the peer that is filled; no more is moved than was
    said, in whole payments, and less by no more than a sat for each.
    """
    wish, snapshot, config = order
    action = ordered(wish, snapshot, config).action
    if not isinstance(action, StartRebalance):
        return
    peers = {channel.channel_id: channel.peer_id for channel in snapshot.channels}

    assert action.ordered
    assert {source.channel_id for source in action.sources} <= wish.from_channels
    assert action.peer_id not in {peers[source.channel_id] for source in action.sources}
    assert action.amount_msat % action.chunk_msat == action.chunk_msat % 1000 == 0
    count = action.amount_msat // action.chunk_msat
    assert 0 <= from_sats(wish.amount_sats) - action.amount_msat < from_sats(count)


@given(likely())
def test_no_force_spends_beyond_what_is_allowed(order):
    """
    What may be paid, one payment more than is meant to be made, stays within the operator's own
    limit, rebalance-max-ppm, the room in the budget and what is above the reserve.
    """
    wish, snapshot, config = order
    action = ordered(wish, snapshot, config).action
    if not isinstance(action, StartRebalance):
        return
    treasury = snapshot.treasury
    most = limits(config, treasury.revenue_day_msat, treasury.revenue_week_msat)
    ours = sum(c.to_us_msat for c in snapshot.channels if c.state == NORMAL)
    wealth = snapshot.onchain_msat + ours - treasury.spending.held_msat
    payments = action.amount_msat // action.chunk_msat + 1

    assert action.max_fee_msat == payments * -(-action.chunk_msat * action.max_ppm // MILLION)
    assert wish.most_fee_msat is None or action.max_fee_msat <= wish.most_fee_msat
    assert 0 < action.max_ppm <= config.rebalance_max_ppm
    assert action.max_fee_msat <= room(treasury.spending, most)
    assert wealth - action.max_fee_msat >= from_sats(config.min_wallet_reserve)
    assert not config.paused
    assert config.rebalancer == "sling"


@given(likely(force=False))
def test_without_force_it_pays(order):
    """
    What is begun reaches the least that is asked for, by the terms that are told.
    """
    decision = ordered(*order)
    if not isinstance(decision.action, StartRebalance):
        return

    assert fact(decision, "ev_msat", Code.PAIR) >= fact(decision, "least_msat", Code.PAIR)
    assert decision.action.max_ppm >= fact(decision, "cost_ppm", Code.PAIR)


@given(likely())
def test_force_opens_and_never_shuts(order):
    """
    What is begun because it pays would be begun with force as well, unless that asks for more
    money: for routes that would not have paid.
    """
    wish, snapshot, config = order
    plain = ordered(attrs.evolve(wish, force=False), snapshot, config)
    forced = ordered(attrs.evolve(wish, force=True), snapshot, config)
    if isinstance(plain.action, StartRebalance):
        shut = {reason.code for reason in forced.trail}
        assert isinstance(forced.action, StartRebalance) or Code.BUDGET_SHORT in shut


@given(likely())
def test_every_source_can_give_all_of_it(order):
    """
    Each of them alone has the whole amount, its fees and what sling leaves, above what it is told
    to keep; and its htlc_maximum lets twice a payment through.
    """
    wish, snapshot, config = order
    action = ordered(wish, snapshot, config).action
    if not isinstance(action, StartRebalance):
        return
    channels = {channel.channel_id: channel for channel in snapshot.channels}
    for source in action.sources:
        giver = channels[source.channel_id]
        paid = action.amount_msat + action.max_fee_msat * action.amount_msat // (
            action.amount_msat + action.chunk_msat
        )
        assert giver.connected
        assert giver.to_us_msat - paid >= OWN_KEEP
        assert giver.htlc_max_msat is None or giver.htlc_max_msat >= 2 * action.chunk_msat


STAYS = {Code.NOT_CARRYING, Code.NO_SCID, Code.ENGAGED, Code.OFFLINE, Code.FOREIGN_JOB}
"""Where nothing could be moved, or nobody could tell what it cost."""
UNKNOWN = {Code.FLOW_UNKNOWN, Code.NEVER_LIVE}


@pytest.mark.parametrize(("code", "fields", "more"), FILL)
@pytest.mark.parametrize("force", [False, True])
def test_force_opens_what_is_about_profit(code, fields, more, force):
    """
    What keeps a channel from being filled keeps an order from it; with force, only what makes it
    impossible. What it comes to is told then as well, unless nobody knows.
    """
    target = attrs.evolve(SHORT, **fields)
    decision = ordered(to_one_of(target, AMPLE, force=force), node(target, AMPLE, **more), Config())

    if force and code not in STAYS:
        assert isinstance(decision.action, StartRebalance)
        assert (fact(decision, "ev_msat", Code.PAIR) is None) is (code in UNKNOWN)
    else:
        assert decision.trail[-1].code is code


@pytest.mark.parametrize(("code", "fields", "more"), DRAIN)
@pytest.mark.parametrize("force", [False, True])
def test_who_gives_is_held_to_the_same(code, fields, more, force):
    """
    So it is with the channel that is to give.
    """
    giver = attrs.evolve(AMPLE, **fields)
    decision = ordered(to_one_of(SHORT, giver, force=force), node(SHORT, giver, **more), Config())

    if force and code not in STAYS:
        assert isinstance(decision.action, StartRebalance)
    else:
        assert [reason.code for reason in decision.trail[1:]] == [Code.NO_SOURCE, code]


def test_where_nobody_is_named_nobody_can_give():
    """
    An order without anybody who could give has no source, and says so once.
    """
    decision = ordered(to_one_of(SHORT), node(SHORT, AMPLE), Config())

    assert isinstance(decision.action, Hold)
    assert [step.code for step in decision.trail[1:]] == [Code.NO_SOURCE]


@pytest.mark.parametrize(("code", "config", "more"), NODE)
@pytest.mark.parametrize("force", [False, True])
def test_what_forbids_all_of_it_forbids_an_order(code, config, more, force):
    """
    What keeps the node from rebalancing at all holds for the operator too, but for the right to do
    so without being told.
    """
    assume_told = code is Code.NO_LIQUIDITY_RIGHT
    decision = ordered(
        to_one_of(SHORT, AMPLE, force=force), node(SHORT, AMPLE, **more), config or Config()
    )

    assert isinstance(decision.action, StartRebalance) is assume_told
    assert (decision.trail[-1].code is code) is not assume_told


@pytest.mark.parametrize("authority", ["fees", "observe", "liquidity"])
def test_an_order_needs_no_right(authority):
    """
    Authority says what is done without being told.
    """
    target, giver = short(0), ample(1)
    config = Config(authority=authority)
    action = ordered(to_one_of(target, giver), node(target, giver), config).action

    assert isinstance(action, StartRebalance)


@pytest.mark.parametrize(
    "more",
    [{}, knowing(attempts=FAILED[:3]), MEMBER],
    ids=["a stranger", "a peer that failed", "a member of the hive"],
)
def test_what_a_cycle_would_begin_can_be_ordered(more):
    """
    The amount that a cycle chose is begun on the same terms when it is ordered: what was learned of
    the peer counts, and what may be lost to a member of the hive.
    """
    target, giver = short(0, fee_ppm=900), ample(1, out=25)
    plan = planned(target, giver, **more)
    (own,) = starts(plan)
    order = to_one_of(target, giver, sats=own.amount_msat // 1000)
    decision = ordered(order, node(target, giver, **more), Config())
    action = decision.action

    assert reason(decision, Code.PAIR) == reason(about(plan, target), Code.PAIR)
    assert attrs.evolve(action, keep_share=own.keep_share, keep_msat=own.keep_msat) == (
        attrs.evolve(own, ordered=True)
    )


def test_the_number_in_a_refusal_passes():
    """
    The limit that a refusal names is enough, and one sat less is not.
    """
    target, giver = short(0), ample(1)
    seen = node(target, giver)
    refused = ordered(to_one_of(target, giver, fee=from_sats(1)), seen, Config())
    needed = fact(refused, "needed_sats", Code.FEE_TOO_LOW)

    for sats, begins in ((needed, True), (needed - 1, False)):
        answer = ordered(to_one_of(target, giver, fee=from_sats(sats)), seen, Config())
        assert isinstance(answer.action, StartRebalance) is begins


def test_of_a_peers_channels_the_roomiest_is_filled():
    """
    Whoever names a peer has its emptiest channel filled, if anything can move by that, and all of
    another's may give.
    """
    empty = short(0)
    fuller = short(1, share=0.15, peer_id=empty.peer_id)
    givers = ample(2), ample(3)
    order = attrs.evolve(
        to_one_of(empty, *givers), to_channels=frozenset({empty.channel_id, fuller.channel_id})
    )
    decision = ordered(order, node(empty, fuller, *givers), Config())

    assert decision.channel_id == empty.channel_id
    assert len(decision.action.sources) == 2
    unnamed = attrs.evolve(empty, scid=None)
    other = ordered(order, node(unnamed, fuller, *givers), Config())
    assert other.channel_id == fuller.channel_id


def test_an_order_may_fill_a_channel_to_the_last_sat():
    """
    There is room for all that can be received, and for nothing more.
    """
    giver = ample(1)
    for most, begins in ((500_000, True), (499_999, False)):
        target = short(0, receivable_msat=from_sats(most))
        decision = ordered(to_one_of(target, giver), node(target, giver), Config())
        assert isinstance(decision.action, StartRebalance) is begins
        assert begins or fact(decision, "most_sats", Code.NO_ROOM) == most


def test_a_forced_order_has_room_for_a_route():
    """
    With force the whole of rebalance-max-ppm has to fit into the budget: a limit that no route
    keeps would only hold the money.
    """
    target, giver = short(0), ample(1)
    seen = node(target, giver, treasury=READY)
    forced = ordered(to_one_of(target, giver, sats=1_000_000, force=True), seen, BUDGET)
    bounded = ordered(
        to_one_of(target, giver, sats=1_000_000, fee=from_sats(900), force=True), seen, BUDGET
    )

    enough = attrs.evolve(BUDGET, daily_budget_sats=1_100)
    just = ordered(to_one_of(target, giver, sats=1_000_000, force=True), seen, enough)
    assert just.action.max_fee_msat == from_sats(1_100)
    assert fact(forced, "reserve_sats", Code.BUDGET_SHORT) == 1_100
    assert fact(forced, "room_sats", Code.BUDGET_SHORT) == 1_000
    assert bounded.action.max_fee_msat <= from_sats(900)


def test_with_force_a_cheap_route_is_tried_for():
    """
    A limit below what a route is expected to take is begun with force, and not without; but one ppm
    has to be left for it.
    """
    target, giver = short(0), ample(1)
    answers = [
        ordered(
            to_one_of(target, giver, fee=from_sats(10), force=force), node(target, giver), Config()
        )
        for force in (False, True)
    ]

    assert fact(answers[0], "cost_ppm", Code.FEE_TOO_LOW) == 200
    assert 0 < answers[1].action.max_ppm < 200
    assert answers[1].action.expected_fee_msat == from_sats(100)
    for msat, begins in ((600, True), (599, False)):
        order = to_one_of(target, giver, fee=msat, force=True)
        decision = ordered(order, node(target, giver), Config())
        assert isinstance(decision.action, StartRebalance) is begins
        assert fact(decision, "cost_ppm", Code.FEE_TOO_LOW) == (None if begins else 1)


def test_what_sling_leaves_is_not_given():
    """
    Force gives all that a channel has but what sling leaves in it; a refusal says how much that is.
    """
    target, giver = short(0), ample(1, capacity_msat=from_sats(400_000))
    seen, ours = node(target, giver), giver.to_us_msat // 1000
    spare = ours - 10_001
    refused = ordered(to_one_of(target, giver, sats=spare, force=True), seen, Config())
    needed = fact(refused, "needed_sats", Code.CANNOT_GIVE)
    less = spare - (needed - spare)
    begun = ordered(to_one_of(target, giver, sats=less, force=True), seen, Config())

    assert fact(refused, "scid", Code.CANNOT_GIVE) == giver.scid
    assert fact(refused, "spare_sats", Code.CANNOT_GIVE) == spare < needed
    assert isinstance(begun.action, StartRebalance)


@pytest.mark.parametrize("most", [None, 150_000])
def test_who_cannot_give_is_told_the_largest_payment(most):
    """
    Beside what is ordered stands what a channel lets through: its htlc_maximum, or all that it has
    where it has none.
    """
    target, giver = short(0), ample(1, htlc_max_msat=from_sats(most) if most else None)
    decision = ordered(to_one_of(target, giver, sats=4_800_000), node(target, giver), Config())

    assert fact(decision, "htlc_max_sats", Code.CANNOT_GIVE) == (
        most or giver.spendable_msat // 1000
    )


def test_an_order_that_pays_says_when_there_is_too_little_money():
    """
    What it would come to is told, and what is left beside what it takes.
    """
    target, giver = short(0), ample(1)
    poor = Config(daily_budget_sats=3, proportional_budget=False)
    decision = ordered(to_one_of(target, giver), node(target, giver), poor)

    assert [step.code for step in decision.trail[-2:]] == [Code.PAIR, Code.BUDGET_SHORT]
    assert fact(decision, "room_sats", Code.BUDGET_SHORT) == 3


@pytest.mark.parametrize(
    ("earned", "known", "fields"),
    [
        ("revenue_day_msat", {}, {}),
        (
            "revenue_week_msat",
            {"revenue_day_msat": from_sats(5_000)},
            {"weekly_budget_sats": 1_000},
        ),
    ],
)
def test_an_order_has_the_budget_of_a_cycle(earned, known, fields):
    """
    What was earned in a day or a week raises what an order may spend of it, and what is unknown
    does not.
    """
    target, giver = short(0), ample(1)
    order = to_one_of(target, giver, sats=1_000_000, force=True)
    earning = attrs.evolve(BUDGET, proportional_budget=True, **fields)
    for revenue, begins in ((from_sats(5_000), True), (None, False)):
        treasury = attrs.evolve(READY, **known, **{earned: revenue})
        seen = node(target, giver, treasury=treasury)
        assert isinstance(ordered(order, seen, earning).action, StartRebalance) is begins


def test_while_money_is_lost_an_order_has_to_earn_more():
    """
    The least profit that an order without force has to promise rises with that of a cycle.
    """
    target, giver = short(0), ample(1)

    def enough(treasury):
        seen = node(target, giver, treasury=treasury)
        order = to_one_of(target, giver)
        wished = [Config(rebalance_min_profit=2**power) for power in range(12)]
        begun = [isinstance(ordered(order, seen, c).action, StartRebalance) for c in wished]
        return sum(begun)

    losing = attrs.evolve(
        READY, refill_cost_week_msat=from_sats(6_000), revenue_week_msat=from_sats(5_999)
    )
    assert 0 < enough(losing) < enough(READY) < 12


def test_where_costs_cannot_be_told_apart_an_order_is_one_payment():
    """
    On a node that lists no movements an order is made by one payment, where it is several else.
    """
    target, giver = short(0), ample(1)
    order = to_one_of(target, giver, sats=1_000_000)
    several, one = (
        ordered(order, node(target, giver, treasury=treasury), Config()).action
        for treasury in (READY, attrs.evolve(READY, one_at_a_time=True))
    )

    assert several.chunk_msat < several.amount_msat
    assert isinstance(one, Hold) or one.chunk_msat == one.amount_msat


@given(st.integers(1, 400 * DAY))
def test_what_was_remembered_by_a_clock_ahead_counts_as_of_now(ahead):
    """
    After a clock that was ahead is set right, an order is answered as if it had never been.
    """
    target, giver = short(0), ample(1)
    seen = node(target, giver)
    of_later = [
        attrs.evolve(
            known,
            last_seen_at=known.last_seen_at + ahead,
            flow=attrs.evolve(known.flow, hour=known.flow.hour + ahead // HOUR),
        )
        for known in seen.memory.channels
    ]
    memory = attrs.evolve(seen.memory, at=seen.now + ahead, channels=of_later)
    order = to_one_of(target, giver)

    assert ordered(order, attrs.evolve(seen, memory=memory), Config()) == (
        ordered(order, seen, Config())
    )
