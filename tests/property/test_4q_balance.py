"""§4.4 Balance: the less of a channel is ours the dearer it is, beside what the others have."""

import math

import attrs
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import OPEN, channels, configs, msats, ppms, ratios, snapshots, whole
from property.trails import codes, fact, fee, reason
from property.world import START, World, decided, looked, peer, quiet_channel

from revops.core.config import Config
from revops.core.decide import decide
from revops.core.memory import BeliefMemory, ClimbMemory, FeeMemory, Price, Window
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code
from revops.core.snapshot import Traffic
from revops.core.units import DAY, HOUR

CAPACITY = 5_000_000_000
ALONE = Config(scarcity_pricing=False, htlc_max=False)
"""Nothing but balance multiplies a price."""
WIDE = attrs.evolve(ALONE, min_fee_ppm=1, max_fee_ppm=100_000)
strengths = ratios(1, 100)
sides = st.lists(st.tuples(msats(1, 10**12), ratios(0, 1), whole(0, 50)), min_size=1, max_size=4)


def factor(decision):
    """
    Return what balance multiplies the price by.
    """
    return fact(decision, "factor", Code.BALANCE) or 1.0


def of_share(share, number=0, **fields):
    """
    Return a channel of which *share* is ours.
    """
    return quiet_channel(number, to_us_msat=int(CAPACITY * share), **fields)


def believed(ppm, base):
    """
    Return books and the memory of a channel at *ppm* that *base* is believed to be best for.
    """
    belief = BeliefMemory(
        base_ppm=base,
        window=Window(fee_ppm=ppm),
        judged_at=START,
        seen_out_count=0,
        seen_at=START,
    )
    known = Price(fee_ppm=ppm, base_fee_msat=0)
    traffic = Traffic(since=0, until=START, last_out_at=START)
    return traffic, FeeMemory(known=known, belief=belief)


@given(configs(), ppms(100, 5000), ppms(1, 5000), ratios(0, 1), ratios(0, 1))
def test_less_on_our_side_is_never_cheaper(config, ppm, base, one, other):
    """
    All else equal, whoever has less on our side charges as much or more: not only the factor, the
    fee itself, under any options.
    """
    traffic, memory = believed(ppm, base)
    less, more = (
        decided(of_share(share, fee_ppm=ppm, traffic=traffic), config, fee=memory)
        for share in sorted((one, other))
    )

    assert factor(less) >= factor(more)
    assert fee(less, ppm) >= fee(more, ppm)


@given(strengths, sides)
def test_the_factor_is_what_the_shares_say(strength, rows):
    """
    The factor is B^(need - half of the need of the ways in): a need is a half less the share that
    is ours, and the other channels count by what comes in by each, and a little for nothing.
    """
    found = [
        quiet_channel(number, capacity_msat=size, to_us_msat=int(size * share))
        for number, (size, share, _) in enumerate(rows)
    ]
    world = World(found, attrs.evolve(ALONE, balance_factor=strength))
    for channel, (_, _, count) in zip(found, rows, strict=True):
        world.receive(channel.channel_id, count)
    world.wait(2 * HOUR)
    plan = world.cycle()
    shares = [channel.to_us_msat / channel.capacity_msat for channel in found]
    weights = [2 + state.flow.in_forwards for state in plan.states]

    for number, decision in enumerate(plan.decisions):
        others = [n for n in range(len(rows)) if n != number]
        total = sum(weights[n] for n in others)
        entry = sum(weights[n] * shares[n] for n in others) / total if others else 0.5
        expected = strength ** ((0.5 - shares[number]) - 0.5 * (0.5 - entry))
        assert math.isclose(factor(decision), expected, rel_tol=1e-6)


@given(ratios(0, 1), ratios(0, 1), ratios(0, 1), strengths)
def test_fuller_ways_in_make_a_way_out_dearer(share, one, other, strength):
    """
    The more of the other channels is ours already, the less a sat that enters there is worth, and
    the dearer is the way out that makes it enter.
    """
    config = attrs.evolve(ALONE, balance_factor=strength)
    emptier, fuller = (
        World([of_share(share), of_share(entry, 1)], config).cycle().decisions[0]
        for entry in sorted((one, other))
    )

    assert factor(fuller) >= factor(emptier)


@given(ratios(0, 1), strengths, whole(0, 1000))
def test_of_one_channel_its_own_share_alone_decides(share, strength, count):
    """
    Where there is no other way in, whatever came in by this one, only its own share is asked.
    """
    channel = of_share(share)
    world = World([channel], attrs.evolve(ALONE, balance_factor=strength))
    world.receive(channel.channel_id, count)
    world.wait(2 * HOUR)
    expected = strength ** (0.5 - channel.to_us_msat / CAPACITY)

    assert math.isclose(factor(world.price()), expected)


@given(snapshots(min_channels=1, **OPEN), configs(balance_factor=strengths))
def test_no_factor_goes_beyond_three_quarters_of_the_strength(snapshot, config):
    """
    Whatever a node looks like, a price is multiplied and divided by B^(3/4) at the most.
    """
    most = config.balance_factor**0.75 * (1 + 1e-9)
    for decision in decide(snapshot, config).decisions:
        assert 1 / most <= factor(decision) <= most


@given(snapshots(min_channels=1, **OPEN), configs(balance_factor=st.just(1.0)))
def test_a_strength_of_one_leaves_balances_out(snapshot, config):
    """
    With balance-factor 1 no share says anything about a price.
    """
    for decision in decide(snapshot, config).decisions:
        assert Code.BALANCE not in codes(decision)


@given(ratios(0, 1), whole(0, 20 * DAY), whole(0, 5), st.sampled_from(("local", "remote")))
def test_a_channel_that_the_peer_opened_has_an_amnesty(share, age, count, opener):
    """
    A channel that the peer opened is not made dearer for being empty before three payments have
    left or 14 days have passed; our own channels have no such amnesty.
    """
    traffic = Traffic(since=0, until=START, out_count=count)
    fields = {"opener": opener, "opened_at": START - age, "traffic": traffic}
    decision = decided(of_share(share, **fields), ALONE)
    amnestied = opener == "remote" and age < 14 * DAY and count < 3

    assert (Code.BALANCE in codes(decision)) == (not amnestied)


@given(st.lists(st.tuples(msats(1, 10**12), ratios(0, 1)), min_size=2, max_size=4))
def test_balance_is_seen_on_all_channels_of_a_peer(rows):
    """
    Channels with one peer have one share, that of their sum: what one lacks another may give.
    """
    siblings = [
        quiet_channel(number, peer_id=peer(0), capacity_msat=size, to_us_msat=int(size * share))
        for number, (size, share) in enumerate(rows)
    ]
    decisions = World(siblings, ALONE).cycle().decisions
    ours = sum(channel.to_us_msat for channel in siblings)
    capacity = sum(channel.capacity_msat for channel in siblings)

    assert {fact(decision, "share", Code.BALANCE) for decision in decisions} == {ours / capacity}


@given(ratios(0, 1), strengths, ratios(0.1, 1), ratios(1, 5), ppms(50, 1000))
def test_a_policy_bounds_what_balance_makes_of_a_price(share, strength, low, high, base):
    """
    The multipliers of a policy bound the factor: where it is beyond them, the price is the learned
    one times the bound, and the reason says so.
    """
    policy = Policy(
        peer_id=peer(0),
        strategy=Strategy.DYNAMIC,
        fee_multiplier_min=low,
        fee_multiplier_max=high,
    )
    config = attrs.evolve(WIDE, balance_factor=strength)
    traffic, memory = believed(base, base)
    channel = of_share(share, fee_ppm=base, traffic=traffic)
    plan = looked(channel, config, fee=memory, policies=[policy])
    (decision,) = plan.decisions
    free = factor(decision)
    bounded = min(max(free, low), high)
    learned = next(found for found in decision.trail if found.code is Code.BELIEF_STANDS)

    assert (Code.MULTIPLIER in codes(decision)) == (bounded != free)
    assert abs(learned.after - base * bounded) <= 0.5


@given(ratios(0, 1), strengths, ppms(100, 3000), st.none() | ratios(0.1, 1))
def test_first_contact_with_a_balance_changes_no_price(share, strength, ppm, most):
    """
    A price that somebody found under whatever balance there was is where learning begins: it is
    not multiplied for that balance, with or without a policy.
    """
    policy = Policy(peer_id=peer(0), strategy=Strategy.DYNAMIC, fee_multiplier_max=most)
    config = attrs.evolve(WIDE, balance_factor=strength)
    traffic = Traffic(since=0, until=START, last_out_at=START)
    channel = of_share(share, fee_ppm=ppm, traffic=traffic)
    (decision,) = looked(channel, config, policies=[policy]).decisions

    assert fee(decision, ppm) == ppm


@given(ratios(0, 1), ratios(0, 1), st.booleans())
def test_a_switch_between_optimizers_multiplies_nothing_once_more(share, entry, climbed):
    """
    What another search came to has every factor in it already: where one takes over from the other
    the price stays, but for what the learned one is rounded by.
    """
    traffic, memory = believed(700, 700)
    if climbed:
        climb = ClimbMemory(base_ppm=700, window=Window(fee_ppm=700), seen_at=START)
        memory = attrs.evolve(memory, belief=None, climb=climb)
    optimizer = "posterior" if climbed else "hill-climb"
    config = Config(fee_optimizer=optimizer, min_fee_ppm=1, max_fee_ppm=100_000)
    found = [of_share(share, fee_ppm=700, traffic=traffic), of_share(entry, 1)]
    world = World(found, config)
    first = attrs.evolve(looked(found[0], config).memory.channels[0], fee=memory)
    world.memory = attrs.evolve(world.memory, channels=[first])
    snapshot = attrs.evolve(world.snapshot(), channels=found)
    decision = decide(snapshot, config).decisions[0]
    learned = reason(decision, Code.BELIEF_STANDS, Code.CLIMB_WAITING, Code.CLIMB_PAUSED)
    came = factor(decision) * (fact(decision, "factor", Code.SCARCITY) or 1.0)

    assert abs(learned.after - 700) <= came / 2 + 0.5


@given(ratios(0, 1), ratios(0, 1), ratios(0, 1), strengths)
def test_a_way_in_of_unknown_books_counts_like_one_that_nobody_comes_by(one, two, three, strength):
    """
    While the books of a channel cannot be read, nothing is known to come in by it, and it counts
    for no more than that.
    """
    found = [of_share(share, number) for number, share in enumerate((one, two, three))]
    config = attrs.evolve(ALONE, balance_factor=strength)
    quiet = World(found, config).snapshot()
    blind = attrs.evolve(quiet.channels[1], traffic=None)
    unread = attrs.evolve(quiet, channels=[quiet.channels[0], blind, quiet.channels[2]])

    assert factor(decide(unread, config).decisions[0]) == factor(decide(quiet, config).decisions[0])


@given(channels(START, **OPEN), configs(balance_factor=strengths))
def test_a_channel_that_cannot_forward_is_no_way_in(channel, config):
    """
    A closing channel with another peer makes no way out cheaper or dearer.
    """
    closing = quiet_channel(999, state="CHANNELD_SHUTTING_DOWN", to_us_msat=CAPACITY)
    (alone,) = World([channel], config).cycle().decisions
    both = World([channel, closing], config).cycle().decisions
    (beside,) = [found for found in both if found.channel_id == channel.channel_id]

    assert factor(beside) == factor(alone)
