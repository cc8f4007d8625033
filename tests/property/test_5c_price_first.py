"""§5 Price: a refill is judged by the price after it, and a higher one is tried before it."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.money import about, ample, node, planned, remembered, short, starts, told
from property.strategies import fee_memories, policies, ppms, ratios, scids
from property.trails import codes, fact
from property.world import START, peer

from revops.core.config import Config
from revops.core.fees.scarcity import STEEPNESS
from revops.core.memory import FeeMemory, Pin, Price
from revops.core.policy import Policy, Strategy
from revops.core.prepare import prepared
from revops.core.reasons import Code
from revops.core.rebalance.case import cases, scene
from revops.core.rebalance.decide import rebalance
from revops.core.rebalance.price import price_after, scarce_price
from revops.core.snapshot import FeePin
from revops.core.units import HOUR, from_sats


def view(channel, fee=None, policy=None, **fields):
    """
    Return a channel as the rules see it.
    """
    memory = [remembered(channel, fee=fee)] if fee else None
    snapshot = node(channel, memory=memory, policies=[policy] if policy else [], **fields)
    (found,) = prepared(snapshot, Config()).views
    return found


@given(ratios(0, 1), ratios(0, 1), st.integers(0, 30), ppms(0, 5000))
def test_neither_scarcity_nor_congestion_makes_a_refill_worth_more(one, other, htlcs, base):
    """
    The price that a refill is judged by is the learned one, however little is ours now: the refill
    itself ends what it is raised for.
    """
    empty, full = (short(share=share, htlcs_in=htlcs, fee_ppm=base) for share in (one, other))

    assert price_after(view(empty), START, Config()) == price_after(view(full), START, Config())


@given(policies(peer_id=st.just(peer(0)), expires_at=st.none()), ppms(0, 100_000))
def test_the_learned_price_stays_within_what_the_operator_allows(policy, base):
    """
    The learned price is scaled by the policy's multipliers and stays within its bounds.
    """
    channel = short(fee_ppm=base)
    price = price_after(view(channel, policy=policy), START, Config())

    if policy.strategy is Strategy.DYNAMIC:
        low = 10 if policy.min_fee_ppm is None else policy.min_fee_ppm
        high = 5000 if policy.max_fee_ppm is None else policy.max_fee_ppm
        assert min(low, high) <= price <= high
        if low < price < high:
            factor = min(max(1.0, policy.fee_multiplier_min or 0), policy.fee_multiplier_max or 9)
            assert price == pytest.approx(base * factor, abs=0.51)
    else:
        given_ = {Strategy.STATIC: policy.fee_ppm, Strategy.PASSIVE: base, Strategy.HIVE: 0}
        assert price == given_[policy.strategy]


def test_a_price_that_somebody_set_is_the_price():
    """
    A pin counts before the policy if the operator ordered it, else before what is learned; not any
    more once its time is over.
    """
    price = Price(fee_ppm=77, base_fee_msat=0)
    channel = short(fee_ppm=77)
    pin = Pin(price=price, until=START + HOUR)
    static = Policy(peer_id=peer(0), strategy=Strategy.STATIC, fee_ppm=900)
    passive = attrs.evolve(static, strategy=Strategy.PASSIVE)

    def charged(pin, policy=None):
        found = view(channel, FeeMemory(known=price, pin=pin), policy)
        return price_after(found, START, Config())

    assert charged(pin) == charged(pin, static) == charged(pin, passive) == 77
    over = attrs.evolve(pin, until=START)
    assert charged(over, static) == 900
    assert charged(attrs.evolve(over, ordered=True), static) == 900


def test_an_order_counts_before_it_was_looked_at():
    """
    What the operator ordered a moment ago, and the next fee cycle will find, is the price.
    """
    channel = short(fee_ppm=77)
    order = FeePin(
        channel_id=channel.channel_id,
        price=Price(fee_ppm=77, base_fee_msat=0),
        set_at=START - 1,
        until=START + HOUR,
    )
    static = Policy(peer_id=peer(0), strategy=Strategy.STATIC, fee_ppm=900)
    memory = FeeMemory(known=Price(fee_ppm=900, base_fee_msat=0))

    found = view(channel, memory, static, pins=[order])
    assert price_after(found, START, Config()) == 77
    assert scarce_price(found, START, Config()) is None


@given(fee_memories(now=START), policies(peer_id=st.just(peer(0)), expires_at=st.none()), scids())
def test_any_memory_has_a_price(memory, policy, scid):
    """
    Whatever is remembered and wanted, there is a price; what raises it is never below it.
    """
    found = view(short(scid=scid), memory, policy)
    price, scarce = price_after(found, START, Config()), scarce_price(found, START, Config())

    assert type(price) is int
    assert scarce is None or scarce >= price


@given(st.integers(1, 40), st.integers(0, 40), ratios(0, 0.19))
def test_a_higher_price_goes_first_where_it_closes_the_gap(out, into, share):
    """
    A channel whose price holds back so many payers that what comes in makes up for the rest is not
    refilled; the numbers are said, and only then.
    """
    channel = short(out=out, into=into, share=share)
    plan = planned(channel, ample())
    held = fact(about(plan, channel), "kept_sats", Code.PRICE_CLOSES_GAP)
    factor = STEEPNESS ** ((0.35 - channel.to_us_msat / channel.capacity_msat) / 0.35)

    closes = into >= out / factor
    if abs(into - out / factor) > 0.01:
        assert (Code.PRICE_CLOSES_GAP in told(plan, channel)) == closes
    if held is not None:
        assert held == pytest.approx(out * 50_000 * 7.63 / 8 / factor * 8 / 7.63, rel=0.1)
        assert starts(plan) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"config": Config(scarcity_pricing=False)},
        {"policies": [Policy(peer_id=peer(0), strategy=Strategy.STATIC, fee_ppm=500)]},
        {"policies": [Policy(peer_id=peer(0), fee_multiplier_max=1.0)]},
        {"config": Config(max_fee_ppm=500)},
    ],
    ids=["switched off", "static", "multiplier", "ceiling"],
)
def test_a_price_that_does_not_rise_closes_no_gap(changes):
    """
    Where nothing raises the price of a short channel, a refill is thought about.
    """
    channel = short(out=20, into=15)

    assert told(planned(channel, ample()), channel)[-1] is Code.PRICE_CLOSES_GAP
    assert Code.PRICE_CLOSES_GAP not in told(planned(channel, ample(), **changes), channel)


def test_a_price_that_stays_closes_no_gap_until_it_may_rise():
    """
    While a price is pinned it does not rise, and a refill is thought about; once the pin's time is
    over the price goes first again.
    """
    channel = short(out=20, into=15)
    known = Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)
    for until, closes in ((START + 1, False), (START, True)):
        fee = attrs.evolve(remembered(channel).fee, pin=Pin(price=known, until=until))
        memory = [remembered(channel, fee=fee), remembered(ample())]
        said = told(planned(channel, ample(), memory=memory), channel)
        assert (Code.PRICE_CLOSES_GAP in said) == closes


ROUTES = [(0, 0, 500), (50, 0, 500), (600, 0, 500), (50, 1000, 500), (50, 0, 100), (50, 1000, 20)]


@pytest.mark.parametrize(("last_ppm", "last_msat", "price"), ROUTES)
def test_what_nobody_paid_for_is_guessed(last_ppm, last_msat, price):
    """
    A route is expected to take what the last peer charges for a payment and 50 ppm for each of
    three more, but beside the last no more than half of what a sat will be sold for; to a member of
    the hive, where the price is no measure, all of it.
    """
    channel = short(fee_ppm=price, peer_fee_ppm=last_ppm, peer_base_fee_msat=last_msat)
    last = last_ppm + last_msat * 10**6 / from_sats(100_000)

    def cost(policies=()):
        snapshot = node(channel, policies=policies)
        seen = scene(snapshot.channels, snapshot.treasury, START, Config())
        (case,) = cases(prepared(snapshot, Config()).views, seen)
        return case.cost_ppm

    assert cost() == min(last + 150, max(last, price / 2))
    assert cost([Policy(peer_id=peer(0), strategy=Strategy.HIVE)]) == last + 150


def test_a_dearer_channel_is_worth_a_dearer_refill():
    """
    What may be paid for a refill follows what the channel charges afterwards.
    """
    paid = []
    for ppm in (300, 500, 900):
        (start,) = starts(planned(short(fee_ppm=ppm), ample()))
        paid.append(start.max_ppm)

    assert paid == sorted(set(paid))
    assert all(most <= 0.9 * ppm for most, ppm in zip(paid, (300, 500, 900), strict=True))


def test_the_price_in_the_trail_is_the_one_that_counts():
    """
    A channel that is priced up while it is short is judged by its learned price.
    """
    channel = short(fee_ppm=1500)
    memory = [remembered(channel, base_ppm=500), remembered(ample())]
    plan = rebalance(
        node(channel, ample(), memory=memory, policies=[], onchain_msat=from_sats(10**6)), Config()
    )

    assert fact(about(plan, channel), "price_ppm", Code.WANTED) == 500
    assert Code.REFILL in codes(about(plan, channel))
