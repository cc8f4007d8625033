"""§4.6 Gossip budget: how often the network is told, and who goes first."""

import attrs
from hypothesis import event, example, given
from hypothesis import strategies as st
from property.strategies import OPEN, configs, ppms, snapshots, whole
from property.trails import bounds, codes, fact
from property.world import START, World, looked, quiet_channel

from revops.core.actions import Hold, SetFee
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import Asked, Change, ChannelMemory, FeeMemory, Memory, Price
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code
from revops.core.units import DAY, HOUR, MINUTE

free = {"paused": st.just(False), "authority": st.just("fees")}
WAITS = (Code.GOSSIP_CHANNEL, Code.GOSSIP_NODE)


def budgets(most):
    """
    Return the budget of ordinary updates and the reserve for urgent ones beside it.
    """
    return {False: most, True: max(1, most // 2)}


def static_world(fees, config, made=()):
    """
    Return a world with a channel at 1000 ppm for each of *fees*, the static fee of its peer;
    *made* are the updates that each channel remembers.
    """
    channels = [quiet_channel(number, fee_ppm=1000) for number in range(len(fees))]
    policies = [
        Policy(peer_id=channel.peer_id, strategy=Strategy.STATIC, fee_ppm=ppm)
        for channel, ppm in zip(channels, fees, strict=True)
    ]
    known = Price(fee_ppm=1000, base_fee_msat=0)
    memory = Memory(
        since=0,
        at=0,
        channels=[
            ChannelMemory(
                channel_id=channel.channel_id,
                first_seen_at=0,
                last_seen_at=0,
                fee=FeeMemory(known=known, changes=tuple(changes)),
            )
            for channel, changes in zip(channels, made, strict=False)
        ],
    )
    return World(channels, config, policies=policies, memory=memory)


@given(snapshots(min_channels=1, max_channels=3, **OPEN), configs(**free))
def test_a_cycle_keeps_within_both_budgets(snapshot, config):
    """
    What is set now, with what was set in the last 24 hours on the channel and in the last hour on
    the node, is within both budgets, urgent updates within their reserve.
    """
    plan = decide(snapshot, config)
    remembered = {memory.channel_id: memory.fee.changes for memory in plan.memory.channels}
    listed = [remembered[channel.channel_id] for channel in snapshot.channels]
    for urgent in (False, True):
        now = [
            d.channel_id
            for d in plan.decisions
            if isinstance(d.action, SetFee) and d.action.urgent is urgent
        ]
        lately = [c for made in listed for c in made if c.urgent is urgent]
        hourly = sum(change.at > snapshot.now - HOUR for change in lately)
        if now:
            assert len(now) + hourly <= budgets(config.max_node_updates_per_hour)[urgent]
        for channel_id in now:
            daily = sum(
                change.at > snapshot.now - DAY and change.urgent is urgent
                for change in remembered[channel_id]
            )
            assert daily < budgets(config.max_fee_updates_per_day)[urgent]


@given(
    st.lists(ppms(0, 5000), min_size=1, max_size=8), whole(1, 8), st.lists(whole(0, 9), max_size=8)
)
def test_the_most_valuable_change_goes_first(fees, budget, flows):
    """
    When there are more changes than budget, those with the largest difference times outflow go;
    each of the others has its place in the queue and a time.
    """
    config = Config(max_node_updates_per_hour=budget)
    world = static_world(fees, config)
    world.now = START - START % DAY
    for number, count in enumerate(flows[: len(fees)]):
        world.forward(quiet_channel(number).channel_id, count)
    world.wait(DAY)
    plan = world.cycle()

    def value(decision):
        number = int(decision.channel_id, 16)
        state = next(s for s in plan.states if s.channel_id == decision.channel_id)
        return abs(fees[number] - 1000) * (state.flow.out_msat_per_day + 1)

    gone = [d for d in plan.decisions if isinstance(d.action, SetFee)]
    waiting = [d for d in plan.decisions if Code.GOSSIP_NODE in codes(d)]
    waiting.sort(key=lambda d: fact(d, "place", Code.GOSSIP_NODE))
    wanted = sum(ppm != 1000 for ppm in fees)

    assert len(gone) == min(budget, wanted)
    assert len(waiting) == wanted - len(gone)
    assert [fact(d, "place", Code.GOSSIP_NODE) for d in waiting] == list(range(1, len(waiting) + 1))
    values = [value(d) for d in waiting]
    assert values == sorted(values, reverse=True)
    assert not (gone and waiting) or min(map(value, gone)) >= values[0]
    for place, decision in enumerate(waiting, start=1):
        hours = -(-place // budget)
        assert repr(fact(decision, "minutes", Code.GOSSIP_NODE)) == str(60 * hours)
        assert decision.action.until == world.now + hours * HOUR


ages = st.lists(whole(0, 2 * HOUR), max_size=6)


@given(whole(1, 8), ages, ages, whole(1, 8), st.booleans())
@example(4, [HOUR, HOUR - 1], [], 8, False)
def test_each_update_of_this_hour_is_used_up_once(budget, listed, gone, count, asked):
    """
    The node's budget is what is left of it after the updates of the last hour, those of channels
    that are not listed any more and what was asked for them included.
    """
    made = [[Change(at=START - age) for age in ages] for ages in (listed, gone)]
    config = Config(max_node_updates_per_hour=budget, max_fee_updates_per_day=1000)
    world = static_world([700] * (count + 2), config, made)
    first, absent, *others = world.memory.channels
    if asked:
        price = Price(fee_ppm=700, base_fee_msat=0)
        wish = Asked(price=price, at=START - 60)
        absent = attrs.evolve(absent, fee=attrs.evolve(absent.fee, asked=wish))
    world.memory = attrs.evolve(world.memory, channels=[first, absent, *others])
    world.hidden = {absent.channel_id}
    plan = world.cycle()
    used = sum(age < HOUR for age in listed + gone) + asked
    went = sum(isinstance(decision.action, SetFee) for decision in plan.decisions)

    assert went == min(count + 1, max(0, budget - used))


@given(whole(1, 8), whole(1, 12))
def test_what_is_urgent_takes_the_reserve_first_and_then_its_turn(hourly, count):
    """
    Of channels that are congested at once, half as many as the ordinary budget is, and one at the
    least, go by the reserve; then as many as that budget allows; the others wait.
    """
    found = [quiet_channel(number, max_htlcs=10, htlcs_out=10) for number in range(count)]
    plan = World(found, Config(max_node_updates_per_hour=hourly)).cycle()
    went = [d.action.urgent for d in plan.decisions if isinstance(d.action, SetFee)]
    reserve = budgets(hourly)[True]

    assert went.count(True) == min(count, reserve)
    assert went.count(False) == min(count - went.count(True), hourly)
    asked = [memory.fee.asked for memory in plan.memory.channels if memory.fee.asked]
    assert sorted(wish.urgent for wish in asked) == sorted(went)


@given(whole(1, 8), whole(0, 10), whole(0, 10))
def test_a_channels_reserve_is_used_before_its_budget(most, urgent, ordinary):
    """
    An urgent update of a channel draws on the half that is kept for those, then on what serves all,
    and waits when both are spent.
    """
    config = Config(max_fee_updates_per_day=most)
    made = [Change(at=START - DAY + 1, urgent=kind < urgent) for kind in range(urgent + ordinary)]
    channel = quiet_channel(fee_ppm=1000, max_htlcs=10, htlcs_out=10)
    fee = FeeMemory(known=Price(fee_ppm=1000, base_fee_msat=0), changes=tuple(made))
    plan = looked(channel, config, fee=fee)
    action = plan.decisions[0].action

    if urgent < budgets(most)[True]:
        assert action.urgent
    elif ordinary < most:
        assert not action.urgent
    else:
        assert codes(plan.decisions[0])[-1] is Code.GOSSIP_CHANNEL


@given(whole(1, 6), st.lists(whole(0, DAY - 1), max_size=8), ppms(0, 999))
def test_a_channel_waits_until_its_oldest_update_is_a_day_old(most, ages, ppm):
    """
    A channel that has used its budget is held, and the reason says after how many minutes the next
    update may go - and then it does.
    """
    config = Config(max_fee_updates_per_day=most)
    made = [Change(at=START - age) for age in ages]
    world = static_world([ppm], config, [made])
    decision = world.price()
    event(f"waits: {len(ages) >= most}")
    if len(ages) < most:
        assert isinstance(decision.action, SetFee)
        return
    free_at = decision.action.until

    assert codes(decision)[-1] is Code.GOSSIP_CHANNEL
    assert fact(decision, "count", Code.GOSSIP_CHANNEL) == len(ages)
    minutes = fact(decision, "minutes", Code.GOSSIP_CHANNEL)
    assert minutes == -(-(free_at - START) // MINUTE)
    world.now = free_at - 1
    assert isinstance(world.price().action, Hold)
    world.now = free_at
    assert isinstance(world.price().action, SetFee)


@given(ppms(0, 999), st.integers(0, 1))
def test_an_update_counts_for_a_day_to_the_second(ppm, second):
    """
    What was asked for a day ago, and came into force, holds up nothing now; a second later would.
    """
    world = static_world([ppm], Config(max_fee_updates_per_day=1))
    (known,) = static_world([ppm], Config(), [[]]).memory.channels
    asked = Asked(price=Price(fee_ppm=1000, base_fee_msat=0), at=START - DAY + second)
    world.memory = Memory(
        since=0, at=0, channels=[attrs.evolve(known, fee=attrs.evolve(known.fee, asked=asked))]
    )

    assert isinstance(world.price().action, SetFee) == (not second)


@given(whole(1, 8), whole(1, 8))
def test_congestion_has_a_reserve_of_its_own(most, hourly):
    """
    A channel and a node that have used their ordinary budgets still set the ceiling at once.
    """
    config = Config(max_fee_updates_per_day=most, max_node_updates_per_hour=hourly)
    channel = quiet_channel(max_htlcs=10, htlcs_out=10)
    made = tuple(Change(at=START - 60) for _ in range(max(most, hourly)))
    known = Price(fee_ppm=500, base_fee_msat=0)
    memory = Memory(
        since=0,
        at=0,
        channels=[
            ChannelMemory(
                channel_id=channel.channel_id,
                first_seen_at=0,
                last_seen_at=0,
                fee=FeeMemory(known=known, changes=made),
            )
        ],
    )
    decision = World([channel], config, memory=memory).price()
    action = decision.action

    assert isinstance(action, SetFee)
    assert action.urgent
    assert action.new_ppm == bounds(decision)[1]


@given(st.lists(st.booleans(), min_size=1, max_size=12), ppms(0, 999))
def test_what_the_node_refused_costs_no_budget(answers, ppm):
    """
    Only updates that were seen in force count: however often the node refuses, the next try is
    free.
    """
    config = Config(max_fee_updates_per_day=1)
    world = static_world([ppm], config)
    for accepted in answers:
        action = world.price(lambda _action, answer=accepted: answer).action
        assert isinstance(action, SetFee)
        if accepted:
            break
        world.wait(HOUR)


@given(snapshots(min_channels=1, **OPEN), configs(**free))
def test_who_waits_keeps_the_price_in_force(snapshot, config):
    """
    An update that waits for budget leaves fee and memory of what is asked as they are.
    """
    plan = decide(snapshot, config)
    fees = {memory.channel_id: memory.fee for memory in plan.memory.channels}
    for decision in plan.decisions:
        if codes(decision)[-1] in WAITS:
            assert isinstance(decision.action, Hold)
            assert fees[decision.channel_id].asked is None


@given(whole(1, 5), whole(0, 20))
def test_an_update_that_came_into_force_counts_once(looks, minutes):
    """
    However often one looks, an update in force is one update in the budget.
    """
    channel = quiet_channel(fee_ppm=700)
    asked = Asked(price=Price(fee_ppm=700, base_fee_msat=0), at=START - minutes * MINUTE)
    memory = Memory(
        since=0,
        at=0,
        channels=[
            ChannelMemory(
                channel_id=channel.channel_id,
                first_seen_at=0,
                last_seen_at=0,
                fee=FeeMemory(known=Price(fee_ppm=500, base_fee_msat=0), asked=asked),
            )
        ],
    )
    world = World([channel], Config(paused=True), memory=memory)
    for _ in range(looks):
        world.cycle()

    assert world.memory.channels[0].fee.changes == (Change(at=asked.at),)
    assert attrs.evolve(world.memory.channels[0].fee).asked is None
