"""§4.4 Scarcity: the last sats on our side are the dearest."""

import math

import attrs
from hypothesis import assume, example, given
from hypothesis import strategies as st
from property.strategies import OPEN, channels, configs, msats, ppms, ratios, whole
from property.trails import codes, fact, reason
from property.world import CLIMBING, START, World, decided, peer, quiet_channel

from revops.core.config import Config
from revops.core.fees.scarcity import multiplier
from revops.core.policy import Policy
from revops.core.reasons import Code
from revops.core.snapshot import Traffic
from revops.core.units import DAY

CAPACITY = 5_000_000_000
thresholds = ratios(0.01, 1)
LEARNED = {Code.BELIEF, Code.BELIEF_STANDS, Code.CLIMB_PAUSED}


def factor(decision):
    """
    Return what scarcity multiplies the price by.
    """
    return fact(decision, "factor", Code.SCARCITY) or 1.0


def of_share(share, threshold, **fields):
    """
    Return the decision about a channel of which *share* is ours.
    """
    config = Config(scarcity_threshold=threshold)
    return decided(quiet_channel(to_us_msat=int(CAPACITY * share), **fields), config)


@given(thresholds, ratios(0, 1), ratios(0, 1))
def test_less_local_balance_never_lowers_the_factor(threshold, one, other):
    """
    The less of a channel is ours, the higher is what its price is multiplied by, or it is the same.
    """
    less, more = sorted((one, other))

    assert factor(of_share(less, threshold)) >= factor(of_share(more, threshold))


@given(thresholds, ratios(0, 1))
def test_the_factor_is_one_at_the_threshold_and_three_when_empty(threshold, share):
    """
    From the threshold up liquidity costs what was learned, with nothing left three times that, and
    the factor grows exponentially in between.
    """
    ours = int(CAPACITY * share) / CAPACITY
    expected = 3 ** ((threshold - ours) / threshold) if ours < threshold else 1.0

    assert math.isclose(multiplier(ours, threshold), expected)
    assert math.isclose(factor(of_share(share, threshold)), expected)
    assert math.isclose(factor(of_share(0.0, threshold)), 3.0)


@given(whole(1, 100))
def test_at_the_threshold_nothing_is_scarce(percent):
    """
    A channel of which just the threshold is ours is priced as if more of it were.
    """
    channel = quiet_channel(to_us_msat=CAPACITY * percent // 100)
    decision = decided(channel, Config(scarcity_threshold=percent / 100))

    assert Code.SCARCITY not in codes(decision)


@given(ppms(10, 1000), ratios(0, 0.34))
def test_what_is_scarce_is_dearer_at_once(ppm, share):
    """
    The factor multiplies the price there is, that of a first contact as well; only the step limit
    keeps it from being in force at once.
    """
    used = Traffic(since=0, until=START, out_count=9, last_out_at=START)
    channel = quiet_channel(fee_ppm=ppm, to_us_msat=int(CAPACITY * share), traffic=used)
    for optimizer in ("posterior", "hill-climb"):
        config = Config(fee_optimizer=optimizer, balance_factor=1.0)
        decision = decided(channel, config)
        learned = next(found for found in decision.trail if found.code in LEARNED)
        for found in (reason(decision, Code.SCARCITY), learned):
            assert abs(found.after - ppm * factor(decision)) <= 0.5
        assert reason(decision, Code.SCARCITY).before == ppm


@given(ratios(0, 0.34), ratios(0.1, 5))
def test_a_policy_bounds_what_scarcity_makes_of_a_price(share, most):
    """
    The highest multiplier of a policy bounds the factor, and the price is multiplied by no more.
    """
    channel = quiet_channel(fee_ppm=500, to_us_msat=int(CAPACITY * share))
    policy = Policy(peer_id=channel.peer_id, fee_multiplier_max=most)
    decision = decided(channel, Config(**CLIMBING), policies=[policy])
    bounded = min(factor(decision), most)

    assert (Code.MULTIPLIER in codes(decision)) == (bounded < factor(decision))
    if Code.MULTIPLIER in codes(decision):
        assert abs(reason(decision, Code.MULTIPLIER).after - 500 * bounded) <= 0.5


@given(channels(START, **OPEN), configs())
def test_the_factor_is_from_one_to_three(channel, config):
    """
    Whatever a channel looks like, scarcity neither discounts nor more than triples.
    """
    assert 1 <= factor(decided(channel, config)) <= 3


@given(channels(START, **OPEN), configs(scarcity_pricing=st.just(False)))
def test_switched_off_nothing_is_scarce(channel, config):
    """
    With scarcity-pricing off no price is multiplied.
    """
    assert not {Code.SCARCITY, Code.AMNESTY} & set(codes(decided(channel, config)))


@given(st.lists(st.tuples(msats(1, 10**12), ratios(0, 1)), min_size=1, max_size=4))
def test_scarcity_is_seen_on_all_channels_of_a_peer(sides):
    """
    Channels with one peer share one factor, that of their sum: what one lacks another may give.
    """
    siblings = [
        quiet_channel(number, peer_id=peer(0), capacity_msat=size, to_us_msat=int(size * share))
        for number, (size, share) in enumerate(sides)
    ]
    decisions = World(siblings).cycle().decisions
    ours = sum(channel.to_us_msat for channel in siblings)
    threshold = Config().scarcity_threshold
    share = ours / sum(channel.capacity_msat for channel in siblings)

    assert len({factor(decision) for decision in decisions}) == 1
    assert (factor(decisions[0]) > 1) == (3 ** ((threshold - share) / threshold) > 1)


@given(ratios(0, 1), whole(0, 20 * DAY), whole(0, 5), st.sampled_from(("local", "remote")))
@example(0.5, 14 * DAY - 1, 2, "remote")
@example(0.5, 14 * DAY, 0, "remote")
@example(0.5, DAY, 3, "remote")
def test_a_channel_that_the_peer_opened_has_an_amnesty(share, age, count, opener):
    """
    A channel that the peer opened, with all liquidity on its side, is not scarce before three
    payments have left or 14 days have passed; our own channels have no such amnesty.
    """
    traffic = Traffic(since=0, until=START, out_count=count)
    decision = of_share(share, 1.0, opener=opener, opened_at=START - age, traffic=traffic)
    assume(share < 1)
    amnestied = opener == "remote" and age < 14 * DAY and count < 3

    assert (Code.AMNESTY in codes(decision)) == amnestied
    assert (Code.SCARCITY in codes(decision)) == (not amnestied)


@given(ratios(0, 0.9), whole(0, 13 * DAY))
def test_unknown_traffic_earns_no_amnesty(share, age):
    """
    While the books cannot be read nobody knows that nothing has left, so scarce is scarce.
    """
    decision = of_share(share, 1.0, opener="remote", opened_at=START - age, traffic=None)

    assert Code.SCARCITY in codes(decision)


@given(channels(START, **OPEN), configs())
def test_a_channel_that_cannot_forward_offers_nothing(channel, config):
    """
    A closing channel with the same peer does not make liquidity plentiful: only channels that can
    forward are counted.
    """
    closing = quiet_channel(
        999, peer_id=channel.peer_id, state="CHANNELD_SHUTTING_DOWN", to_us_msat=CAPACITY
    )
    assume(closing.channel_id != channel.channel_id)
    world = World([channel], config)
    alone = factor(world.cycle().decisions[0])
    both = World([channel, closing], config).cycle().decisions
    (beside,) = [d for d in both if d.channel_id == channel.channel_id]

    assert factor(beside) == alone
    assert attrs.asdict(channel)["state"] == "CHANNELD_NORMAL"
