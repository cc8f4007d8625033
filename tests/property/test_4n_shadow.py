"""§4 Shadow: what a second config would do, as if it were obeyed, and what it knows of that."""

import attrs
from hypothesis import assume, given
from hypothesis import strategies as st
from property.money import anything
from property.strategies import (
    configs,
    fee_memories,
    memories,
    ppms,
    prices,
    ratios,
    snapshots,
    whole,
)
from property.test_4i_whole_sequence import carried_out
from property.trails import codes
from property.world import START, World, quiet_channel

from revops.core.actions import Hold, SetFee
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.fees.band import dead_band
from revops.core.memory import ChannelMemory, FeeMemory, Memory, Pin, Price
from revops.core.reasons import Code
from revops.core.rebalance.decide import rebalance
from revops.core.shadow import as_seen, prices_compared, refills_compared, second
from revops.core.snapshot import FeePin, Node, Snapshot
from revops.core.units import DAY, from_sats

CAPACITY = from_sats(5_000_000)
IN_FORCE = Price(fee_ppm=500, base_fee_msat=0)
YIELDED = {Code.MANUAL_CHANGE, Code.PINNED, Code.ORDERED}
NARROW = {
    "fee_interval": whole(600, 7200),
    "max_fee_updates_per_day": whole(1, 6),
    "max_node_updates_per_hour": whole(1, 4),
}
PAID = (1, 0.5, 0, None, None)


@st.composite
def lives(draw, channels=2):
    """
    Return what happens between cycles: how long it takes, whether the node does what it is told,
    and for each channel how many payments leave, how much is ours, how many HTLC slots are in use,
    what somebody sets by hand and what the operator orders.
    """
    happening = st.tuples(
        whole(0, 40),
        ratios(0, 1),
        whole(0, 100),
        st.none() | st.none() | ppms(1, 5000),
        st.none() | st.none() | ppms(1, 5000),
    )
    between = st.tuples(whole(1, DAY // 2), st.booleans(), st.tuples(*[happening] * channels))
    return draw(st.lists(between, min_size=1, max_size=12))


class Beside:
    """
    A world, and a shadow that looks on.
    """

    def __init__(self, live, shadow):
        self.world = World(
            [
                quiet_channel(n, fee_ppm=ppm, max_htlcs=100, htlc_max_msat=CAPACITY)
                for n, ppm in enumerate((500, 800))
            ],
            live,
        )
        self.config = shadow
        self.own = None

    def cycle(self, does):
        """
        Run a cycle of both, and return what each saw and decided.
        """
        looked = self.world.snapshot()
        same = self.config.fee_optimizer == self.world.config.fee_optimizer
        seen = as_seen(looked, self.own, same_search=same)
        plan = decide(seen, self.config)
        self.own = plan.memory
        return looked, self.world.cycle(lambda _: does), seen, plan

    def live(self, life):
        """
        Let *life* happen; yield each cycle.
        """
        for seconds, does, happenings in life:
            self.world.wait(seconds)
            for channel_id, happened in zip(self.world.channels, happenings, strict=True):
                count, share, slots, by_hand, ordered = happened
                if count:
                    self.world.forward(channel_id, count)
                ours = int(CAPACITY * share)
                self.world.change(channel_id, to_us_msat=ours, spendable_msat=ours, htlcs_out=slots)
                if by_hand is not None:
                    self.world.change(channel_id, fee_ppm=by_hand)
                if ordered is not None:
                    self.world.order(channel_id, ordered, done=does)
            yield self.cycle(does)


@given(lives(), configs(**NARROW))
def test_a_shadow_like_the_live_config_never_differs(life, config):
    """
    Under the same options it decides the same and remembers the same, cycle after cycle, whether
    the node obeys or not and whoever else sets fees.
    """
    both = Beside(config, config)
    for looked, live, seen, shadow in both.live(life):
        assert (looked, live) == (seen, shadow)
        assert prices_compared(looked, live, seen, shadow).differences == ()


@given(lives(), configs(**NARROW), configs(**NARROW))
def test_a_shadow_yields_to_whom_the_live_config_yields(life, live, shadow):
    """
    A price that somebody else set is left alone by both, for the same time; that the price in
    force is not what the shadow asked for is nobody's doing.
    """
    for _, lives_, _, shadows in Beside(live, shadow).live(life):
        for one, other in zip(lives_.decisions, shadows.decisions, strict=True):
            assert YIELDED & set(codes(one)) == YIELDED & set(codes(other))


@given(lives(), configs(**NARROW), configs(**NARROW))
def test_a_shadow_sees_the_price_that_it_asked_for_last(life, live, shadow):
    """
    Where nobody else has a say, what it sees in force is what it decided in the cycle before; all
    else that it sees is as it is.
    """
    wanted = {}
    for looked, lives_, seen, plan in Beside(live, shadow).live(life):
        for channel, own, decision in zip(
            looked.channels, seen.channels, plan.decisions, strict=True
        ):
            price = {"fee_ppm": channel.fee_ppm, "base_fee_msat": channel.base_fee_msat}
            assert attrs.evolve(own, **price) == channel
            if own.fee_ppm != channel.fee_ppm:
                assert own.fee_ppm == wanted[own.channel_id]
            action = decision.action
            asks = isinstance(action, SetFee)
            wanted[own.channel_id] = action.new_ppm if asks else own.fee_ppm
        assert attrs.evolve(seen, channels=looked.channels, memory=looked.memory) == looked
        assert lives_.at == plan.at


@given(lives(), configs(**NARROW), configs(**NARROW))
def test_a_price_that_is_not_charged_teaches_nothing(life, live, shadow):
    """
    No time and no payment counts for a price that is not, within what is worth an update, the one
    in force.
    """
    for looked, _, seen, plan in Beside(live, shadow).live(life):
        before = {memory.channel_id: memory.fee.climb for memory in seen.memory.channels}
        for channel, own, memory in zip(
            looked.channels, seen.channels, plan.memory.channels, strict=True
        ):
            climb, known = memory.fee.climb, before.get(own.channel_id)
            far = abs(own.fee_ppm - channel.fee_ppm) >= dead_band(channel.fee_ppm)
            if far and climb and known:
                assert climb.window.live_s in (0, known.window.live_s)
                assert climb.window.count in (0, known.window.count)


@given(snapshots(), configs(), configs())
def test_with_nothing_new_a_shadow_holds(snapshot, live, shadow):
    """
    In an unchanged world a shadow that was obeyed in mind changes no price again, whatever became
    of the live one.
    """
    plan, own = decide(snapshot, live), decide(snapshot, shadow).memory
    again = as_seen(carried_out(snapshot, plan), own, same_search=True)

    for decision in decide(again, shadow).decisions:
        action = decision.action
        assert not isinstance(action, SetFee) or action.new_ppm == action.old_ppm


@given(snapshots(), memories(), configs(), configs())
def test_whatever_it_remembers_a_shadow_decides_once_about_each_channel(
    snapshot, own, live, shadow
):
    """
    Any memory makes a view that can be decided on, compared channel by channel.
    """
    seen = as_seen(snapshot, own, same_search=False)
    plan, other = decide(snapshot, live), decide(seen, shadow)
    compared = prices_compared(snapshot, plan, seen, other)

    assert compared.channels == len(snapshot.channels)
    apart = [d.shadow.fee_ppm - d.live.fee_ppm for d in compared.differences]
    assert (compared.over_ppm, compared.apart_ppm) == (sum(apart), sum(map(abs, apart)))
    assert (compared.area, compared.at) == ("fee", plan.at)
    for difference in compared.differences:
        assert difference.live != difference.shadow
        assert difference.decision in other.decisions


@given(anything(), configs())
def test_refills_differ_where_one_starts(trader, shadow):
    """
    Equal configs start the same refills; where another one starts nothing, or the like, there is a
    difference, and only there.
    """
    snapshot, config = trader
    live, other = rebalance(snapshot, config), rebalance(snapshot, shadow)

    assert refills_compared(live, rebalance(snapshot, config)).differences == ()
    compared = refills_compared(live, other)
    assert (compared.area, compared.at) == ("rebalance", live.at)
    assert compared.channels == len(snapshot.channels)
    told = {difference.decision for difference in compared.differences}
    for one, decision in zip(live.decisions, other.decisions, strict=True):
        alike = one.action == decision.action or not (
            {type(one.action).__name__, type(decision.action).__name__} & {"StartRebalance"}
        )
        assert (decision in told) is not alike


@given(st.none() | whole())
def test_who_starts_nothing_does_not_differ(until):
    """
    Until when either of two holds makes no difference between refills.
    """
    plan = rebalance(remembering(FeeMemory()), Config())

    def idle(until):
        held = [attrs.evolve(d, action=Hold(until=until)) for d in plan.decisions]
        return attrs.evolve(plan, decisions=held)

    assert refills_compared(idle(None), idle(until)).differences == ()


def remembering(fee, *orders):
    """
    Return a world of one channel at 500 ppm as it is seen with *fee* in memory.
    """
    channel = quiet_channel()
    known = ChannelMemory(
        channel_id=channel.channel_id, first_seen_at=0, last_seen_at=START, fee=fee
    )
    return Snapshot(
        now=START,
        node=Node(node_id="02" * 33),
        channels=[channel],
        memory=Memory(since=0, at=START, channels=[known]),
        pins=[
            FeePin(channel_id=channel.channel_id, price=price, set_at=START, until=START + DAY)
            for price in orders
        ],
    )


@given(fee_memories(START), fee_memories(START), st.sampled_from(("by hand", "order", "pin")))
def test_what_somebody_else_set_a_shadow_takes_as_the_live_config_does(live, own, who):
    """
    Where the price in force is somebody else's, was ordered or is yielded to, the shadow sees it
    and remembers of the search what the live config does; of its own it keeps which updates it had
    asked for and who waited for an HTLC slot.
    """
    assume((own.known, own.asked) != (live.known, live.asked))
    if who == "by hand":
        assume(IN_FORCE not in (live.known, live.asked and live.asked.price))
    else:
        pin = Pin(price=IN_FORCE, until=START + DAY) if who == "pin" else live.pin
        live = attrs.evolve(live, known=IN_FORCE, pin=pin)
        assume((own.known, own.asked) != (live.known, live.asked))
    snapshot = remembering(live, *([IN_FORCE] if who == "order" else []))
    seen = as_seen(snapshot, remembering(own).memory, same_search=True)

    assert seen.channels == snapshot.channels
    assert seen.memory.channels[0].fee == attrs.evolve(
        live, changes=own.changes, congested=own.congested, calm=own.calm
    )


@given(fee_memories(START), fee_memories(START), prices(), st.booleans())
def test_at_a_price_of_its_own_a_shadow_learns_nothing(live, own, wanted, same_search):
    """
    While the price that it asked for is another than the one in force, no search of a shadow is at
    a price that payments come at; a climber stands where the live one does.
    """
    assume(abs(wanted.fee_ppm - IN_FORCE.fee_ppm) >= dead_band(IN_FORCE.fee_ppm))
    live = attrs.evolve(live, known=IN_FORCE, pin=None)
    own = attrs.evolve(own, known=wanted, asked=None)
    seen = as_seen(remembering(live), remembering(own).memory, same_search=same_search)
    (channel,), (memory,) = seen.channels, seen.memory.channels
    climb = (live.climb if same_search else None) or own.climb

    assert (channel.fee_ppm, channel.base_fee_msat) == (wanted.fee_ppm, wanted.base_fee_msat)
    assert memory.fee.climb == (climb and attrs.evolve(climb, live=False))
    assert memory.fee.belief is None or not memory.fee.belief.live
    assert (memory.fee.belief is None) == (own.belief is None)
    assert (memory.fee.known, memory.fee.asked) == (wanted, None)


def test_a_price_of_its_own_is_kept_while_the_live_one_moves():
    """
    Under a ceiling of 300 ppm it sees 300 ppm from the first cycle on, whatever the node has.
    """
    both = Beside(Config(scarcity_pricing=False), Config(max_fee_ppm=300, scarcity_pricing=False))
    calm = [(1800, True, (PAID, PAID))] * 8
    plans = [plan for *_, plan in both.live(calm)]
    updates = [
        decision
        for plan in plans
        for decision in plan.decisions
        if isinstance(decision.action, SetFee)
        and decision.action.new_ppm != decision.action.old_ppm
    ]

    assert [d.trail[-1].after for plan in plans for d in plan.decisions] == [300] * 16
    assert len(updates) == 2
    assert [c.fee_ppm for c in both.world.channels.values()] == [500, 800]


@given(st.sampled_from(("observe", "fees", "liquidity")), st.booleans(), st.booleans())
def test_a_shadow_asks_for_no_limit_that_nobody_sets(authority, paused, sizes):
    """
    A shadow decides with the live options but for those it names; where nothing is set at all it
    asks for no size limit, which would be asked for anew in each cycle.
    """
    config = Config(authority=authority, paused=paused, htlc_max=sizes, min_fee_ppm=7)
    both = attrs.evolve(config, shadow_config="max-fee-ppm=900")
    idle = paused or authority == "observe"

    assert second(config) is None
    assert second(both) == attrs.evolve(config, max_fee_ppm=900, htlc_max=sizes and not idle)
