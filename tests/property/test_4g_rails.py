"""§4.6 Rails: how far a fee may go at once, and what is worth telling the network."""

import attrs
from hypothesis import assume, event, example, given
from hypothesis import strategies as st
from property.strategies import (
    OPEN,
    capacities,
    channels,
    configs,
    instants,
    msats,
    ppms,
    ratios,
    snapshots,
)
from property.trails import bounds, codes, fact, fee
from property.world import CLIMBING, START, World, decided, peer, quiet_channel

from revops.core.actions import Hold, SetFee
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.fees import posterior
from revops.core.fees.band import dead_band
from revops.core.fees.climb import TOLERANCE
from revops.core.fees.rails import ladder
from revops.core.memory import ClimbMemory, FeeMemory, Price, Window
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code
from revops.core.units import HOUR

dynamic = snapshots(min_channels=1, policy=st.just(Strategy.DYNAMIC), **OPEN)
AT_ONCE = {Code.CONGESTED, Code.CONGESTION_EASES, Code.NEW_CHANNEL}


def wanting(ppm, wanted, **fields):
    """
    Return a channel at *ppm* and the memory of a search that has come to *wanted*.
    """
    climb = ClimbMemory(base_ppm=wanted, window=Window(fee_ppm=wanted), seen_at=START - HOUR)
    known = Price(fee_ppm=ppm, base_fee_msat=0)
    return quiet_channel(fee_ppm=ppm, **fields), FeeMemory(known=known, climb=climb)


@given(dynamic, configs(base_fee_msat=st.none()))
def test_no_learned_fee_jumps(snapshot, config):
    """
    In one cycle a learned fee moves by at most half, or by 100 ppm where that is more - except to
    the bounds, under congestion and on a new channel.
    """
    for channel, decision in zip(
        snapshot.channels, decide(snapshot, config).decisions, strict=True
    ):
        action = decision.action
        if not isinstance(action, SetFee) or AT_ONCE & set(codes(decision)) or action.urgent:
            continue
        most = max(channel.fee_ppm // 2, 100)
        event("set")
        assert abs(action.new_ppm - channel.fee_ppm) <= most or action.new_ppm in bounds(decision)


@given(ppms(10, 5000), ppms(10, 5000))
def test_a_long_way_is_gone_in_steps(ppm, wanted):
    """
    A price further away than a step is approached by exactly the step, and the reason says so.
    """
    channel, memory = wanting(ppm, wanted)
    decision = decided(channel, Config(**CLIMBING), fee=memory)
    most = max(ppm // 2, 100)

    assert (Code.STEP_LIMIT in codes(decision)) == (abs(wanted - ppm) > most)
    if abs(wanted - ppm) > most:
        assert abs(fee(decision, ppm) - ppm) == most
        assert decision.action.urgent is False


@given(ppms(10, 5000), st.integers(-400, 400))
@example(500, 40)
@example(500, -39)
def test_small_differences_are_not_worth_an_update(ppm, difference):
    """
    Within the dead band, or what the search tolerates, the fee in force stays, and the reason says
    what was wanted; beyond it the update is made.
    """
    wanted = min(max(ppm + difference, 10), 5000)
    assume(abs(wanted - ppm) <= max(ppm // 2, 100))
    channel, memory = wanting(ppm, wanted)
    decision = decided(channel, Config(**CLIMBING), fee=memory)

    if wanted == ppm:
        assert codes(decision)[-1] is Code.UNCHANGED
    elif abs(wanted - ppm) < max(dead_band(ppm), int(ppm * TOLERANCE)):
        assert isinstance(decision.action, Hold)
        assert fact(decision, "wanted_ppm", Code.DEAD_BAND) == wanted
    else:
        assert fee(decision, ppm) == wanted


@given(ppms(max_value=200) | ppms(max_value=100_000))
@example(99)
@example(100)
def test_the_dead_band_is_three_percent_or_a_few_ppm(ppm):
    """
    The band is the least number of whole ppm that is 3 % of the fee, and no less than 1 below 100
    and than 5 from there on.
    """
    band = dead_band(ppm)
    hundredfold = max(3 * ppm, 100 if ppm < 100 else 500)

    assert isinstance(band, int)
    assert 100 * (band - 1) < hundredfold <= 100 * band


@given(ppms(0, 100_000), ppms(0, 100_000), ppms(0, 100_000))
def test_out_of_bounds_is_always_worth_an_update(ppm, one, other):
    """
    A fee in force that the operator's bounds do not allow is changed, be the difference ever so
    small.
    """
    lowest, highest = sorted((one, other))
    assume(not lowest <= ppm <= highest)
    config = Config(min_fee_ppm=lowest, max_fee_ppm=highest)
    decision = decided(quiet_channel(fee_ppm=ppm), config)
    came = fee(decision, ppm)

    assert isinstance(decision.action, SetFee)
    assert came == (lowest if ppm < lowest else highest)


@given(ppms(2, 5000), st.booleans())
def test_at_a_bound_a_small_difference_is_not_worth_an_update(bound, lowest):
    """
    A fee in force that is just the operator's bound is allowed, and changed for no trifle.
    """
    fields = {"min_fee_ppm" if lowest else "max_fee_ppm": bound}
    config = Config(**({"min_fee_ppm": 1, "max_fee_ppm": 10_000} | fields), **CLIMBING)
    band = max(dead_band(bound), int(bound * TOLERANCE))
    inward = min(band - 1, bound - 1)
    channel, memory = wanting(bound, bound + inward if lowest else bound - inward)

    assert isinstance(decided(channel, config, fee=memory).action, Hold)


@given(channels(START, **OPEN), configs(), instants(START + 1))
def test_what_is_held_is_held_in_every_way(channel, config, until):
    """
    Where the price is not ours to set, the base fee and the size limit are not either, for as long.
    """
    policy = Policy(peer_id=channel.peer_id, strategy=Strategy.PASSIVE, expires_at=until)
    decision = decided(channel, config, policies=[policy])

    assert decision.action == Hold(until=until)
    assert codes(decision) == [Code.PASSIVE]


@given(channels(START, **OPEN), configs(paused=st.just(False), authority=st.just("fees")))
def test_the_base_fee_is_the_configured_one(channel, config):
    """
    Every channel that revops prices has the configured base fee; `keep` leaves each its own.
    """
    decision = decided(channel, config)
    wanted = channel.base_fee_msat if config.base_fee_msat is None else config.base_fee_msat
    action = decision.action

    if isinstance(action, SetFee):
        assert (action.old_base_msat, action.new_base_msat) == (channel.base_fee_msat, wanted)
    else:
        assert channel.base_fee_msat == wanted


@given(
    capacities(),
    ratios(0, 1),
    ratios(0, 1),
    configs(paused=st.just(False), authority=st.just("fees"), htlc_max=st.just(True)),
)
@example(63, 0.0, 1.0, Config())
def test_htlc_max_tells_the_balance_coarsely(capacity, share, allowed, config):
    """
    htlc_maximum_msat is a power of √2 of the capacity, the highest that can be sent - so that it
    tells no more than that - and never below 1/64 of the capacity.
    """
    spendable = int(capacity * share)
    channel = quiet_channel(
        capacity_msat=capacity,
        spendable_msat=spendable,
        htlc_max_msat=int(capacity * allowed),
        base_fee_msat=7,
    )
    decision = decided(channel, config)
    action = decision.action
    if isinstance(action, SetFee) and action.htlc_max_msat is not None:
        lowest = max(1, capacity // 64)
        assert lowest <= action.htlc_max_msat <= max(spendable, lowest)
        assert (
            action.htlc_max_msat
            in {
                max(1, int((capacity * capacity >> rung) ** 0.5) + error)
                for rung in range(13)
                for error in (-(2**12), -1, 0, 1, 2**12)
            }
            or capacity > 2**50
        )


@given(capacities(), ratios(0, 1), msats(max_value=10**6))
def test_htlc_max_is_never_below_htlc_min(capacity, share, least):
    """
    Payments that are allowed at all stay possible: the maximum is never below the minimum.
    """
    channel = quiet_channel(
        capacity_msat=capacity,
        spendable_msat=int(capacity * share),
        htlc_min_msat=least,
        htlc_max_msat=capacity,
        base_fee_msat=7,
    )
    action = decided(channel).action

    assert isinstance(action, SetFee)
    assert action.htlc_max_msat is None or action.htlc_max_msat >= least


@given(capacities(), st.integers(0, 12), ratios(0, 0.15), st.integers(1, 3))
def test_a_size_limit_that_the_node_lowered_a_little_is_still_its_rung(capacity, rung, cut, off):
    """
    The node takes the reserve off the highest rung: a limit that is a little lower than the one
    that is wanted is not asked for again, one that is on another rung is.
    """
    capacity += 10**6
    limit = ladder(capacity, rung)
    policy = Policy(peer_id=peer(0), strategy=Strategy.STATIC, fee_ppm=700)
    for allowed, asked in ((int(limit * (1 - cut)), None), (ladder(capacity, rung + off), limit)):
        channel = quiet_channel(capacity_msat=capacity, spendable_msat=limit, htlc_max_msat=allowed)
        assert decided(channel, policies=[policy]).action.htlc_max_msat == asked


@given(snapshots(**OPEN), configs(htlc_max=st.just(False)))
def test_switched_off_htlc_max_stays(snapshot, config):
    """
    With htlc-max off no channel's htlc_maximum_msat is touched.
    """
    for decision in decide(snapshot, config).decisions:
        assert not isinstance(decision.action, SetFee) or decision.action.htlc_max_msat is None
        assert Code.HTLC_MAX not in codes(decision)


@given(st.lists(ratios(0, 1), min_size=1, max_size=12))
def test_a_wandering_balance_is_not_gossip(shares):
    """
    htlc_maximum_msat alone is worth an update only when it is off by more than two rungs: a balance
    that stays within a factor of 1.4 of where it was makes none.
    """
    capacity = 5_000_000_000
    world = World([quiet_channel(htlc_max_msat=capacity // 2)])
    (channel_id,) = world.channels
    world.forward(channel_id)
    for share in shares:
        world.wait(600)
        world.change(channel_id, spendable_msat=int(capacity * (0.45 + 0.3 * share)))
        world.cycle()

    assert not world.set_at


@given(ppms(100, 5000), st.integers(-1, 1), st.integers(3, 9))
def test_a_size_limit_goes_alone_when_the_price_is_good_enough(ppm, difference, rungs):
    """
    Where the size limit is far off and the price is within the band, the update carries the price
    in force, and the trail tells the way there: from what was wanted to what stays.
    """
    channel, memory = wanting(ppm, ppm + difference, htlc_max_msat=5_000_000_000)
    channel = attrs.evolve(channel, spendable_msat=5_000_000_000 >> rungs)
    decision = decided(channel, Config(**CLIMBING), fee=memory)
    before = [found.before for found in decision.trail]
    after = [found.after for found in decision.trail]

    assert decision.action.new_ppm == ppm
    assert decision.action.htlc_max_msat == 5_000_000_000 >> min(rungs, 6)
    assert before[1:] == after[:-1]
    assert codes(decision)[-2:] == [Code.HTLC_MAX, Code.SET]
    assert (before[-2], after[-2]) == (ppm + difference, ppm)


@given(ppms(0, 100_000), ppms(0, 100_000))
@example(500, 501)
def test_given_fees_need_no_rails(ppm, wanted):
    """
    A static fee is set in one step and to the last ppm: the operator said so.
    """
    channel = quiet_channel(fee_ppm=ppm)
    policy = Policy(peer_id=channel.peer_id, strategy=Strategy.STATIC, fee_ppm=wanted)
    decision = decided(channel, policies=[policy])

    assert fee(decision, ppm) == wanted
    assert not {Code.STEP_LIMIT, Code.DEAD_BAND} & set(codes(decision))


@given(dynamic, configs())
def test_a_hold_for_small_differences_is_a_small_difference(snapshot, config):
    """
    What the dead band holds back is less than the band: the usual one, or what the search says is
    too little to be worth an update.
    """
    for channel, decision in zip(
        snapshot.channels, decide(snapshot, config).decisions, strict=True
    ):
        wanted = fact(decision, "wanted_ppm", Code.DEAD_BAND)
        if wanted is not None:
            band = max(dead_band(channel.fee_ppm), int(channel.fee_ppm * posterior.TOLERANCE))
            assert fact(decision, "band_ppm", Code.DEAD_BAND) <= band
            assert abs(wanted - channel.fee_ppm) < band
            assert channel.fee_ppm == decision.trail[-1].after
