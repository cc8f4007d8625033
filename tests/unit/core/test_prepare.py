"""Prepare: what the stages are shown of a node that is easy to look through by hand."""

import math

import attrs
import pytest
from property.world import HOUR_NOW, START, peer, quiet_channel

from revops.core.config import Config
from revops.core.decide import decide
from revops.core.fees.quote import Inflow, PeerView
from revops.core.memory import (
    Asked,
    BeliefMemory,
    Change,
    ChannelMemory,
    ClimbMemory,
    FeeMemory,
    FlowMemory,
    Memory,
    Pin,
    Price,
    VegasMemory,
    Window,
)
from revops.core.plan import ChannelState
from revops.core.policy import Policy
from revops.core.prepare import prepared
from revops.core.snapshot import FeePin, FeerateSample, Node, Slice, Snapshot, Traffic
from revops.core.units import DAY, HOUR

PRICE = Price(fee_ppm=500, base_fee_msat=0)
OTHER = Price(fee_ppm=700, base_fee_msat=0)
CLIMB = ClimbMemory(base_ppm=500, window=Window(fee_ppm=500), seen_at=START - HOUR)
BELIEF = BeliefMemory(
    base_ppm=500,
    window=Window(fee_ppm=500),
    quiet_s=DAY,
    judged_at=START - HOUR,
    seen_at=START - HOUR,
)


def known(number=0, **fields):
    """
    Return what is remembered of a channel that was first seen a day ago.
    """
    plain = {"first_seen_at": START - DAY, "last_seen_at": START - HOUR}
    return ChannelMemory(channel_id=f"{number:064x}", **(plain | fields))


def shown(*channels, config=None, memories=(), at=START - HOUR, **fields):
    """
    Return what the stages are shown of *channels*, with these *memories* of them.
    """
    memory = Memory(since=0, at=at, channels=memories, vegas=fields.pop("vegas", VegasMemory()))
    snapshot = Snapshot(
        now=START, node=Node(node_id=peer(99)), channels=channels, memory=memory, **fields
    )
    return prepared(snapshot, config or Config())


def traffic(*days, **fields):
    """
    Return the books of a month with these days.
    """
    return Traffic(**({"since": START - 30 * DAY, "until": START, "days": days} | fields))


def test_a_stage_is_told_when_it_is_and_under_which_options():
    """
    The time, the seed and the options are those of the snapshot and the config.
    """
    config = Config(min_fee_ppm=7)
    context = shown(quiet_channel(), config=config, seed=5).context

    assert (context.now, context.seed, context.config) == (START, 5, config)


@pytest.mark.parametrize(("at", "advanced"), [(None, True), (START - 1, True), (START, False)])
def test_time_goes_on_once_a_second(at, advanced):
    """
    Of a cycle in the same second nothing new is learned; before the first, all is new.
    """
    assert shown(quiet_channel(), at=at).context.advanced is advanced


def test_the_usual_feerate_is_the_mean_of_a_week_rounded_up():
    """
    What was sampled within seven days counts, to the second.
    """
    ages = ((7 * DAY, 9000), (7 * DAY - 1, 1000), (DAY, 2000), (0, 2001))
    samples = [FeerateSample(at=START - age, perkw=perkw) for age, perkw in ages]

    assert shown(feerates=samples).context.week_perkw == 1667
    assert shown(feerates=samples[:1]).context.week_perkw is None


def test_the_reflex_is_told_as_strong_as_it_is():
    """
    What is left of a spike is what the stages are told, what the node remembers and why.
    """
    held = VegasMemory(intensity=1.0, spiking=True, sample_at=START - 900)
    samples = [FeerateSample(at=START - 600 * n, perkw=2000) for n in range(12)]
    found = shown(vegas=held, feerates=samples)

    assert 0 < found.context.vegas == found.vegas.intensity < 1
    assert len(found.trail) == 1
    assert shown(config=Config(vegas_reflex=False)).trail == ()


def test_the_usual_price_is_the_middle_of_what_we_charge():
    """
    Of an even number it is the lower of the two in the middle; channels that cannot forward and
    those that nobody has priced yet do not count.
    """
    fresh = {"opened_at": START - HOUR, "traffic": traffic(out_count=0)}
    charged = [quiet_channel(n, fee_ppm=ppm) for n, ppm in enumerate((900, 100, 300, 200))]
    others = [
        quiet_channel(7, fee_ppm=1, state="CHANNELD_AWAITING_LOCKIN"),
        quiet_channel(8, fee_ppm=1, **fresh),
    ]

    assert shown(*charged, *others).context.node_ppm == 200
    assert shown(*others).context.node_ppm is None


@pytest.mark.parametrize(
    ("fields", "since", "is_new"),
    [
        ({}, 0, True),
        ({"traffic": traffic(out_count=1)}, 0, False),
        ({"traffic": None}, 0, False),
        ({"opened_at": START - 14 * DAY}, 0, False),
        ({}, START - HOUR, True),
        ({}, START - HOUR + 1, False),
        ({}, None, False),
        ({"opened_at": None}, START - 2 * DAY, True),
        ({"opened_at": None}, START - DAY + 1, False),
    ],
)
def test_new_is_who_came_while_we_watched_and_was_paid_for_by_nobody(fields, since, is_new):
    """
    A channel is new that was opened since revops runs, less than two weeks ago, before a payment
    left; one of unknown age is as old as it has been seen.
    """
    channel = quiet_channel(**({"opened_at": START - HOUR, "traffic": traffic()} | fields))
    memory = Memory(since=since, at=START - HOUR, channels=[known()])
    snapshot = Snapshot(now=START, node=Node(node_id=peer(99)), channels=[channel], memory=memory)
    (view,) = prepared(snapshot, Config()).views

    assert view.is_new is is_new
    assert view.age_s == START - (channel.opened_at or START - DAY)


def test_a_channel_that_nobody_has_seen_before_has_no_age():
    """
    Neither is one older than now that a clock which ran ahead dated later.
    """
    unseen = quiet_channel(0, opened_at=None)
    ahead = quiet_channel(1, opened_at=START + DAY)

    assert [view.age_s for view in shown(unseen, ahead).views] == [0, 0]


def test_updates_of_channels_that_are_gone_still_count():
    """
    What was in force or asked for on a channel that is not listed was an update all the same.
    """
    made = Change(at=START - DAY, urgent=True)
    asked = Asked(price=PRICE, at=START - HOUR, urgent=True)
    gone = known(1, fee=FeeMemory(changes=(made,), asked=asked))
    silent = known(2)
    here = known(0, fee=FeeMemory(changes=(made,)))

    assert shown(quiet_channel(), memories=[here, gone, silent]).context.absent == (
        made,
        Change(at=START - HOUR, urgent=True),
    )


def test_channels_weigh_by_what_comes_in():
    """
    Each channel that can forward weighs two, and one for each payment that came in by it.
    """
    day = Slice(start=START // DAY - 1, in_count=6)
    full = quiet_channel(0, to_us_msat=4_000_000_000, traffic=traffic(day))
    empty = quiet_channel(1, to_us_msat=0)
    closed = quiet_channel(2, state="ONCHAIN")

    assert shown(full, empty, closed).context.inflow == Inflow(weight=10.0, ours=8 * 0.8)


def test_channels_with_one_peer_are_seen_as_one():
    """
    What is ours of all that can forward counts; with none that can, that of all there are.
    """
    flow = FlowMemory(hour=HOUR_NOW - 1, in_sum=1.0, out_sum=2.0)
    pair = [
        quiet_channel(0, peer_id=peer(5), to_us_msat=1_000_000_000),
        quiet_channel(1, peer_id=peer(5), to_us_msat=4_000_000_000),
    ]
    shut = quiet_channel(2, peer_id=peer(5), state="ONCHAIN", to_us_msat=0)
    views = shown(*pair, shut, memories=[known(0, flow=flow)]).views
    mild = shown(*pair, memories=[known(0, flow=attrs.evolve(flow, out_sum=1.6))]).views

    assert {view.peer for view in views} == {PeerView(share=0.5, drains=True)}
    assert {view.peer for view in mild} == {PeerView(share=0.5, drains=False)}
    assert shown(shut).views[0].peer == PeerView(share=0.0, drains=False)


def test_flow_is_what_the_books_and_the_memory_say():
    """
    A view shows the flow of its own channel over the flow window; without books it shows none, and
    what was digested is kept.
    """
    flow = FlowMemory(hour=HOUR_NOW - 2, out_sum=5.0)
    hour = Slice(start=HOUR_NOW - 1, out_count=3, out_msat=10**8)
    days = [Slice(start=START // DAY - age, out_count=2, out_msat=10**8) for age in (0, 3, 20)]
    found = shown(
        quiet_channel(0, traffic=traffic(*days, hours=[hour])),
        quiet_channel(1),
        config=Config(flow_window_days=5),
        memories=[known(0, flow=flow), known(1, flow=flow)],
    )

    assert found.views[0].flow.forwards == 4
    assert found.flows[f"{0:064x}"].hour == HOUR_NOW - 1
    assert found.views[1].flow is None
    assert found.flows[f"{1:064x}"] == flow


def test_a_plan_shows_each_channel_as_it_was_seen():
    """
    Beside each decision stands what there was: the price, what is ours of how much, and its flow.
    """
    day = Slice(start=START // DAY - 1, in_count=3, out_count=4, out_msat=10**8)
    channels = [quiet_channel(0, fee_ppm=9, traffic=traffic(day)), quiet_channel(1)]
    node = Node(node_id=peer(99))
    snapshot = Snapshot(now=START, node=node, channels=channels, memory=Memory(since=0))
    views = prepared(snapshot, Config()).views
    plan = decide(snapshot, Config())

    assert views[0].flow.forwards == 7
    assert plan.states == tuple(
        ChannelState(
            channel_id=channel.channel_id,
            scid=channel.scid,
            peer_id=channel.peer_id,
            fee_ppm=channel.fee_ppm,
            capacity_msat=channel.capacity_msat,
            to_us_msat=channel.to_us_msat,
            congested=False,
            flow=view.flow,
        )
        for channel, view in zip(channels, views, strict=True)
    )


def test_the_pool_is_the_mean_of_all_that_is_believed():
    """
    Two channels' worth of what is usual, and each channel with evidence one: in logarithms.
    """
    sure = attrs.evolve(BELIEF, middle_ppm=200.0, per_day=20.0)
    none = attrs.evolve(BELIEF, middle_ppm=0.5, per_day=0.1)
    blind = attrs.evolve(BELIEF, middle_ppm=200.0)
    memories = [known(n, fee=FeeMemory(belief=b)) for n, b in enumerate((sure, none, blind))]
    channels = [quiet_channel(0, market_ppm=300), quiet_channel(1, market_ppm=0), quiet_channel(2)]
    pool = shown(*channels, memories=[*memories, known(3)]).context.pool
    plain = shown(quiet_channel()).context.pool

    assert math.exp(plain.middle) == pytest.approx(80)
    assert plain.per_day == pytest.approx(13 * 1.5)
    usual = math.log(300) / 2
    assert pool.middle == pytest.approx((2 * usual + math.log(200)) / 4)
    assert pool.per_day == pytest.approx((13 * 13 * 20 * 0.2) ** 0.25 * 1.5)


@pytest.mark.parametrize("search", [{"climb": CLIMB}, {"belief": BELIEF}])
@pytest.mark.parametrize("rests", [True, False])
def test_only_who_rests_is_woken(search, rests):
    """
    Asked to wake all, a search that rests goes on, with its silence counted anew; any other one,
    and each when nobody asked, is as it was.
    """
    ((name, told),) = search.items()
    search = attrs.evolve(told, resting=rests)
    fee = FeeMemory(known=PRICE, **{name: search})
    woken, left = (
        shown(quiet_channel(), memories=[known(fee=fee)], wake=wake).views[0]
        for wake in (True, False)
    )

    assert (woken.woken, left.woken) == (rests, False)
    assert left.memory == fee
    if not rests:
        assert woken.memory == fee
    elif name == "climb":
        assert (woken.memory.climb, woken.memory.belief) == (CLIMB, None)
        assert woken.memory.climb.resting is False
    else:
        assert woken.memory.belief == attrs.evolve(BELIEF, quiet_s=0)
        assert (woken.memory.belief.resting, woken.memory.climb) == (False, None)


@pytest.mark.parametrize(
    ("fee", "changed_from"),
    [
        (FeeMemory(known=OTHER), 700),
        (FeeMemory(known=PRICE, asked=Asked(price=OTHER, at=START - HOUR)), None),
        (FeeMemory(known=OTHER, asked=Asked(price=attrs.evolve(OTHER, fee_ppm=9), at=0)), 9),
        (FeeMemory(), None),
        (FeeMemory(known=PRICE), None),
        (FeeMemory(known=PRICE, pin=Pin(price=PRICE, until=START + DAY)), None),
    ],
)
def test_whoever_changes_a_price_is_told_what_it_was_believed_to_be(fee, changed_from):
    """
    It is the price that was asked for last, or that was known; where nobody changed it there is
    nothing to tell.
    """
    (view,) = shown(quiet_channel(), memories=[known(fee=fee)]).views

    assert view.changed_from == changed_from


def test_orders_and_policies_are_those_of_the_channel_and_its_peer():
    """
    An order is for one channel, a policy for all of a peer's, and for nobody else's.
    """
    order = FeePin(channel_id=f"{0:064x}", price=PRICE, set_at=START - HOUR, until=START + HOUR)
    policy = Policy(peer_id=peer(1), max_fee_ppm=77)
    first, second = shown(quiet_channel(0), quiet_channel(1), pins=[order], policies=[policy]).views

    assert first.memory.pin == Pin(price=PRICE, until=START + HOUR, ordered=True)
    assert second.memory.pin is None
    assert (first.policy.max_fee_ppm, second.policy.max_fee_ppm) == (None, 77)
