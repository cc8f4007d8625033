"""§5 Keep: a channel that gives holds back what it cannot spare, whoever gives beside it."""

import math

import attrs
from hypothesis import example, given
from hypothesis import strategies as st
from property.world import quiet_channel

from revops.core.rebalance.amounts import Amount
from revops.core.rebalance.keep import MOST_SHARE, OWN_KEEP, SLACK, Keep, gives, kept, suffices
from revops.core.rebalance.pair import Giver
from revops.core.units import from_sats

CAPACITIES = st.integers(1_000_000, 1_000_000_000).map(from_sats)


@st.composite
def givers(draw):
    """
    Return a channel that can spare some of what is on our side of it.
    """
    capacity = draw(CAPACITIES)
    ours = draw(st.integers(0, capacity))
    channel = attrs.evolve(
        quiet_channel(capacity_msat=capacity),
        to_us_msat=ours,
        spendable_msat=ours,
        receivable_msat=0,
    )
    return Giver(channel, draw(st.integers(0, ours)), 0, lambda _: 0)


@st.composite
def amounts(draw):
    """
    Return so many payments of one size.
    """
    count, chunk = draw(st.integers(1, 12)), from_sats(draw(st.integers(1, 500_000)))
    return Amount(count, chunk, count * chunk, chunk + draw(st.integers(0, chunk // 100)))


def giver_of(spare, *, capacity=10**10, ours=None, htlc_max=None):
    """
    Return a channel that can spare *spare*.
    """
    channel = quiet_channel(capacity_msat=capacity, htlc_max_msat=htlc_max)
    ours = capacity // 2 if ours is None else ours
    channel = attrs.evolve(channel, to_us_msat=ours, spendable_msat=0, receivable_msat=0)
    return Giver(channel, spare, 0, lambda _: 0)


def paid(giver, amount, keep):
    """
    Return how many payments of *amount* sling makes from *giver* that is told to hold *keep* back,
    and what is left then.
    """
    left = giver.channel.to_us_msat
    for number in range(amount.count):
        share = math.ceil(keep.share * giver.channel.capacity_msat)
        if left <= max(min(share, keep.msat), amount.chunk_msat + OWN_KEEP):
            return number, left
        left -= amount.piece_msat
    return amount.count, left


@given(st.lists(givers(), min_size=1, max_size=4), amounts())
def test_nobody_gives_more_than_it_can_spare(several, amount):
    """
    However many give, and whoever of them gives all of it: what a channel cannot spare stays.
    """
    keep = kept(several, amount)
    for giver in several:
        number, left = paid(giver, amount, keep)
        assert not number or left >= giver.channel.to_us_msat - giver.spare_msat


@given(givers(), amounts())
def test_what_is_held_back_is_not_much_more_than_needed(giver, amount):
    """
    One that gives alone holds back what it cannot spare, one payment, and a satoshi at most for
    rounding; in a share of the capacity, a millionth.
    """
    keep, capacity = kept([giver], amount), giver.channel.capacity_msat
    needed = giver.channel.to_us_msat - giver.spare_msat + amount.piece_msat

    assert needed <= keep.msat < needed + 1000
    assert keep.msat <= math.ceil(keep.share * capacity) <= keep.msat + capacity // 10**6 + 2
    assert keep.of(capacity) == keep.msat


@given(st.lists(givers(), min_size=1, max_size=4), amounts())
@example([giver_of(10**9, ours=4 * 10**9)], Amount(2, 10**8, 2 * 10**8, 10**8))
def test_it_suffices_for_all_payments_or_it_does_not(several, amount):
    """
    Who suffices is taken by sling for every payment, and who does not is left before the last.
    """
    keep = kept(several, amount)
    for giver in several:
        number, _ = paid(giver, amount, keep)
        assert suffices(giver, amount, keep) == (number == amount.count)


def test_a_channel_suffices_from_one_millisatoshi_above():
    """
    A channel is taken that has more than it is to hold back, for the last payment too.
    """
    amount = Amount(3, 10**8, 3 * 10**8, 10**8 + 5)
    keep = Keep(0.5, 4 * 10**9)
    for least, held in ((4 * 10**9, keep), (10**8 + OWN_KEEP, Keep(0.0, 0))):
        just = least + 2 * amount.piece_msat
        assert not suffices(giver_of(0, ours=just), amount, held)
        assert suffices(giver_of(0, ours=just + 1), amount, held)


def test_a_channel_gives_what_it_can_spare_and_not_more():
    """
    All payments with what they cost, and two satoshi for what is rounded; half of its own
    htlc_maximum_msat gets through; and it holds back 99 % of its capacity at most.
    """
    amount = Amount(3, 10**8, 3 * 10**8, 10**8 + 5)
    needed = 3 * amount.piece_msat + SLACK

    assert gives(giver_of(needed), amount)
    assert not gives(giver_of(needed - 1), amount)
    assert gives(giver_of(needed, htlc_max=2 * 10**8), amount)
    assert not gives(giver_of(needed, htlc_max=2 * 10**8 - 1), amount)
    one, most = Amount(1, 10**6, 10**6, 10**6), int(10**10 * MOST_SHARE)
    assert gives(giver_of(10**6 + SLACK, ours=most + SLACK), one)
    assert not gives(giver_of(10**6 + SLACK, ours=most + SLACK + 1), one)


@given(givers(), amounts())
def test_who_gives_suffices_alone(giver, amount):
    """
    A channel that can give all of an amount is taken for all of it, if sling is left its own.
    """
    left = giver.channel.to_us_msat - (amount.count - 1) * amount.piece_msat
    if gives(giver, amount) and left > amount.chunk_msat + OWN_KEEP:
        assert suffices(giver, amount, kept([giver], amount))
