"""§4.0 Standing: what is not ours to price, and where a price starts."""

import attrs
from hypothesis import assume, example, given
from hypothesis import strategies as st
from property.strategies import (
    OPEN,
    STATES,
    channels,
    configs,
    fee_memories,
    optimizers,
    policies,
    ppms,
    prices,
    snapshots,
    whole,
)
from property.trails import bounds, codes, fact, fee
from property.world import START, World, decided, looked, peer, quiet_channel

from revops.core.actions import Hold, SetFee
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import Asked, Change, FeeMemory, Memory, Pin, Price
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code
from revops.core.snapshot import NORMAL, FeePin, Traffic
from revops.core.units import DAY

LEARNED = [code for code in Code if code.value.startswith("climb") and code is not Code.CLIMB_QUIET]
open_channels = channels(START, **OPEN)


def strategy(kind, **fields):
    """
    Return the policy *kind* for the peer of a quiet channel.
    """
    return Policy(peer_id=peer(0), strategy=kind, **fields)


def price_of(channel):
    """
    Return the price that a channel shows.
    """
    return Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)


@given(snapshots(policy=st.just(Strategy.PASSIVE)), configs())
def test_passive_means_hands_off(snapshot, config):
    """
    A channel whose peer's policy is passive is never touched while that lasts, whatever its state
    and memory; an order by command speaks first.
    """
    passive = {
        policy.peer_id: policy.expires_at
        for policy in snapshot.policies
        if policy.expires_at is None or policy.expires_at > snapshot.now
    }
    for decision in decide(snapshot, config).decisions:
        if decision.peer_id in passive and codes(decision) != [Code.ORDERED]:
            assert decision.action == Hold(until=passive[decision.peer_id])
            assert codes(decision) == [Code.PASSIVE]


@given(
    channels(START, scid=OPEN["scid"], state=st.sampled_from(STATES).filter(lambda s: s != NORMAL)),
    configs(),
)
def test_fees_are_set_in_the_normal_state_only(channel, config):
    """
    A channel in any other state is held, and the state is named.
    """
    decision = decided(channel, config)

    assert isinstance(decision.action, Hold)
    assert fact(decision, "state", Code.NOT_NORMAL) == channel.state


@given(channels(START, state=st.just(NORMAL), scid=st.none()), configs())
def test_without_a_short_channel_id_nothing_is_set(channel, config):
    """
    A channel whose funding is not deep enough is held.
    """
    decision = decided(channel, config)

    assert isinstance(decision.action, Hold)
    assert codes(decision)[-1] is Code.NO_SCID


@given(open_channels, configs(paused=st.just(False), authority=st.just("fees")), ppms(0, 100_000))
def test_a_static_fee_is_set_as_it_is(channel, config, ppm):
    """
    Strategy static charges its fee at once: neither the bounds of the node, nor the step limit, nor
    the dead band, nor any learner changes it.
    """
    channel = attrs.evolve(channel, peer_id=peer(0))
    decision = decided(channel, config, policies=[strategy(Strategy.STATIC, fee_ppm=ppm)])

    assert fee(decision, channel.fee_ppm) == ppm
    assert not set(codes(decision)) & {*LEARNED, Code.STEP_LIMIT, Code.DEAD_BAND}


@given(open_channels, configs(), ppms(0, 100_000))
def test_a_fee_that_a_policy_merely_mentions_is_not_given(channel, config, ppm):
    """
    The fee of a policy is charged while its strategy is static, and under no other.
    """
    channel = attrs.evolve(channel, peer_id=peer(0))
    for kind in (Strategy.DYNAMIC, Strategy.HIVE):
        decision = decided(channel, config, policies=[strategy(kind, fee_ppm=ppm)])
        assert Code.STATIC not in codes(decision)


@given(ppms(10, 5000), st.integers(1, 3))
def test_a_static_fee_is_exact(ppm, more):
    """
    A static fee that differs from the one in force by a hair is worth telling.
    """
    channel = quiet_channel(fee_ppm=ppm)
    decision = decided(channel, policies=[strategy(Strategy.STATIC, fee_ppm=ppm + more)])

    assert fee(decision, ppm) == ppm + more


@given(
    open_channels,
    configs(paused=st.just(False), authority=st.just("fees"), hive_fee_ppm=whole(0, 100_000)),
)
def test_a_hive_member_pays_the_tariff(channel, config):
    """
    Toward members of the hive the fee is hive-fee-ppm with no base fee, below the minimum as well.
    """
    channel = attrs.evolve(channel, peer_id=peer(0))
    decision = decided(channel, config, policies=[strategy(Strategy.HIVE)])

    assert fee(decision, channel.fee_ppm) == config.hive_fee_ppm
    if isinstance(decision.action, SetFee):
        assert decision.action.new_base_msat == 0
    else:
        assert channel.base_fee_msat == 0


@given(
    open_channels,
    policies(strategy=st.sampled_from((Strategy.STATIC, Strategy.HIVE)), expires_at=st.none()),
    fee_memories(START),
)
def test_no_learner_has_a_say_about_a_given_fee(channel, policy, memory):
    """
    With strategy static or hive nothing is learned and what was learned is kept for later.
    """
    memory = attrs.evolve(memory, known=price_of(channel), asked=None)
    plan = looked(channel, policies=[attrs.evolve(policy, peer_id=channel.peer_id)], fee=memory)

    assert not set(codes(plan.decisions[0])) & set(LEARNED)
    assert plan.memory.channels[0].fee.climb == memory.climb


@given(open_channels, configs(), fee_memories(START), prices())
def test_a_fee_that_somebody_else_set_is_left_alone(channel, config, memory, known):
    """
    A fee in force that is neither what we knew nor what we asked for was set by a human or another
    tool: it is held for 24 hours, with what we believed in the reason, and learning begins anew.
    """
    asked = memory.asked and memory.asked.price
    assume(price_of(channel) not in (known, asked))
    plan = looked(channel, config, fee=attrs.evolve(memory, known=known))
    (decision,), (remembered,) = plan.decisions, plan.memory.channels

    assert decision.action == Hold(until=START + DAY)
    assert codes(decision) == [Code.MANUAL_CHANGE]
    assert fact(decision, "known_ppm", Code.MANUAL_CHANGE) == (asked or known).fee_ppm
    assert fact(decision, "fee_ppm", Code.MANUAL_CHANGE) == channel.fee_ppm
    assert remembered.fee.pin == Pin(price=price_of(channel), until=START + DAY)
    assert remembered.fee.search is None


@given(open_channels, configs(), fee_memories(START), st.integers(1, DAY))
def test_a_pin_holds_to_its_last_second(channel, config, memory, left):
    """
    Until it ends, a pinned fee stays, and the reason tells how long.
    """
    pinned = Pin(price=price_of(channel), until=START + left)
    memory = attrs.evolve(memory, known=price_of(channel), asked=None, pin=pinned)
    plan = looked(channel, config, fee=memory)

    assert plan.decisions[0].action == Hold(until=START + left)
    assert codes(plan.decisions[0]) == [Code.PINNED]
    assert plan.memory.channels[0].fee.pin == pinned


@given(ppms(10, 5000), st.integers(0, DAY), optimizers)
def test_after_a_pin_learning_starts_from_the_pinned_fee(ppm, ago, optimizer):
    """
    When the pin has ended, the fee that somebody set is where the search begins.
    """
    channel = quiet_channel(fee_ppm=ppm, traffic=Traffic(since=0, until=START, last_out_at=START))
    pinned = Pin(price=price_of(channel), until=START - ago)
    config = Config(fee_optimizer=optimizer)
    plan = looked(channel, config, fee=FeeMemory(known=price_of(channel), pin=pinned))
    remembered = plan.memory.channels[0].fee

    assert codes(plan.decisions[0])[0] is Code.FIRST_CONTACT
    assert remembered.search.base_ppm == ppm
    assert remembered.pin is None


@given(open_channels, configs(), fee_memories(START), prices())
def test_what_we_asked_for_is_no_change_by_somebody_else(channel, config, memory, known):
    """
    A price that was decided and is in force now came about, answered or not: it is counted as ours,
    once, and nobody is yielded to.
    """
    asked = Asked(price=price_of(channel), at=START - 60)
    memory = attrs.evolve(memory, known=known, asked=asked, pin=None)
    plan = looked(channel, config, fee=memory)
    remembered = plan.memory.channels[0].fee

    assert Code.MANUAL_CHANGE not in codes(plan.decisions[0])
    assert remembered.known == price_of(channel)
    assert asked.at in [change.at for change in remembered.changes]
    assert remembered.asked != asked
    assert remembered.pin is None


@given(
    open_channels,
    fee_memories(START),
    st.lists(st.tuples(whole(0, 2 * DAY), st.booleans()), max_size=5),
    st.none() | st.booleans(),
    st.booleans(),
)
@example(quiet_channel(), FeeMemory(), [(DAY, False), (DAY - 1, True)], None, False)
@example(quiet_channel(), FeeMemory(), [(DAY, False), (DAY - 1, True)], True, False)
@example(quiet_channel(), FeeMemory(), [(DAY, False), (DAY - 1, True)], None, True)
def test_updates_are_remembered_for_a_day(channel, memory, made, asked, ordered):
    """
    Every update of the last day is remembered as what it was, urgent or not, with what was asked
    for and has come about; older ones are not.
    """
    known = price_of(channel)
    changes = tuple(Change(at=START - age, urgent=urgent) for age, urgent in made)
    wish = None if asked is None else Asked(price=known, at=START - 60, urgent=asked)
    memory = attrs.evolve(memory, known=known, asked=wish, changes=changes)
    order = FeePin(
        channel_id=channel.channel_id, price=known, set_at=START - DAY, until=START + DAY
    )
    plan = looked(channel, Config(paused=True), fee=memory, pins=[order] if ordered else [])
    kept = tuple(change for change in changes if change.at > START - DAY)
    came = () if wish is None else (Change(at=START - 60, urgent=asked),)

    assert plan.memory.channels[0].fee.changes == (*kept, *came)


@given(open_channels, configs(), fee_memories(START), prices())
def test_what_did_not_come_about_is_forgotten(channel, config, memory, wanted):
    """
    A price that was decided and is not in force after all is no update and no pin.
    """
    assume(wanted != price_of(channel))
    memory = attrs.evolve(
        memory, known=price_of(channel), asked=Asked(price=wanted, at=START - 60), pin=None
    )
    plan = looked(channel, config, fee=memory)
    remembered = plan.memory.channels[0].fee

    assert Code.MANUAL_CHANGE not in codes(plan.decisions[0])
    assert len(remembered.changes) <= len(memory.changes)
    assert remembered.asked != memory.asked
    assert remembered.pin is None


@given(channels(START, **OPEN, max_htlcs=st.none()), configs(scarcity_pricing=st.just(False)))
def test_first_contact_starts_from_the_fee_in_force(channel, config):
    """
    A channel that was there before revops is not re-priced: its fee stays unless it is out of
    bounds, and then becomes the nearest bound, as fast as the step limit lets it.
    """
    if config.fee_optimizer == "hill-climb":
        # Its base stays within the bounds, whatever the balance makes of them.
        config = attrs.evolve(config, balance_factor=1.0)
    channel = attrs.evolve(channel, opened_at=0)
    decision = decided(channel, config)
    floor, ceiling = bounds(decision)
    nearest = min(max(channel.fee_ppm, floor), ceiling)
    came = fee(decision, channel.fee_ppm)

    assert Code.FIRST_CONTACT in codes(decision)
    # Half a ppm of the base is what the factor makes of it.
    slack = fact(decision, "factor", Code.BALANCE) or 0
    assert min(channel.fee_ppm, nearest) - slack <= came <= max(channel.fee_ppm, nearest) + slack


def new_channel(age, **fields):
    """
    Return a channel opened *age* ago, at lightningd's own fee, by which nothing has left.
    """
    traffic = Traffic(since=0, until=START)
    return quiet_channel(fee_ppm=10, opened_at=START - age, traffic=traffic, **fields)


@given(ppms(), st.integers(0, 13 * DAY))
def test_a_new_channel_starts_at_the_markets_price(market, age):
    """
    A channel opened since revops runs here starts, in one step, at what others charge toward that
    peer, within the bounds.
    """
    decision = decided(new_channel(age, market_ppm=market))
    _, ceiling = bounds(decision)

    assert fact(decision, "source", Code.NEW_CHANNEL) == "market"
    assert fee(decision, 10) == min(max(market, 10), ceiling)


@given(st.lists(ppms(10, 5000), min_size=2, max_size=5), st.integers(0, 13 * DAY))
def test_without_a_market_a_new_channel_starts_like_its_siblings(fees, age):
    """
    Where gossip was not read, a new channel starts among the fees that the node charges.
    """
    old = [quiet_channel(number, fee_ppm=ppm) for number, ppm in enumerate(fees, 1)]
    snapshot = attrs.evolve(
        World([new_channel(age), *old]).snapshot(), memory=Memory(since=0, at=0)
    )
    traffic = Traffic(since=0, until=START)
    snapshot = attrs.evolve(
        snapshot, channels=[attrs.evolve(c, traffic=traffic) for c in snapshot.channels]
    )
    (decision, *_) = decide(snapshot, Config()).decisions

    assert fact(decision, "source", Code.NEW_CHANNEL) == "node's median"
    assert 10 <= fee(decision, 10) <= max(fees)


@given(st.integers(0, 13 * DAY), ppms(0, 2500))
def test_nobody_to_compare_with_is_twice_the_minimum(age, least):
    """
    The first channel of a node starts at twice the minimum fee.
    """
    decision = decided(new_channel(age), Config(min_fee_ppm=least))
    _, ceiling = bounds(decision)

    assert fact(decision, "source", Code.NEW_CHANNEL) == "least"
    assert fee(decision, 10) == min(2 * least, ceiling)
