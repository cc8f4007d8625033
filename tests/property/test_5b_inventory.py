"""§5 Inventory: how much of a peer's channels should be ours, and what may be spared."""

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from property.accounts import demands
from property.attempts import tried
from property.money import (
    CAPACITY,
    READY,
    about,
    ample,
    books,
    holding,
    node,
    planned,
    short,
    starts,
    told,
)
from property.strategies import Some, capacities, ppms, ratios, traffics
from property.trails import fact
from property.world import START, peer, quiet_channel

from revops.core.config import Config
from revops.core.prepare import prepared
from revops.core.reasons import Code
from revops.core.rebalance.amounts import amounts
from revops.core.rebalance.case import cases, scene
from revops.core.rebalance.ev import cost_msat
from revops.core.rebalance.inventory import (
    KEPT,
    Inventory,
    hive_target_msat,
    inventory,
    moved_by,
    spare_msat,
    target_msat,
)
from revops.core.rebalance.roles import Casting
from revops.core.snapshot import Slice, Traffic
from revops.core.units import DAY, HOUR, from_sats
from revops.core.value import Demand, demand_of

PRICES = ppms(0, 5000) | ppms()
COSTS = st.none() | ppms(0, 5000) | ppms()
LOW, HIGH = 0.2, 0.8


def stocks(**fields: Some) -> Some:
    """
    Return what may be held with a peer.
    """
    shares = ratios(0, 1)
    plain = {
        "capacity_msat": capacities(),
        "demand": demands(),
        "in_msat": ratios(0, 1e12),
        "days": ratios(0, 90),
        "share": shares,
    }
    return st.fixed_dictionaries(plain | fields).map(held)


def held(fields: dict) -> Inventory:
    """
    Return the inventory of a peer of whose capacity a share is ours.
    """
    share, wanted = fields.pop("share"), fields["demand"]
    out = wanted.per_day * wanted.amount_msat if wanted else 0.0
    ours = int(fields["capacity_msat"] * share)
    return Inventory(to_us_msat=ours, out_msat=out, **fields)


@given(stocks(), PRICES, COSTS)
def test_there_is_always_room_left(stock, price, cost):
    """
    Nobody is filled beyond nine tenths, and what comes in on a day still fits, as long as that is
    no more than half of the capacity.
    """
    target = target_msat(stock, price, cost)
    room = min(stock.in_msat, stock.capacity_msat / 2)

    assert 0 <= target <= stock.capacity_msat * 0.9
    assert target == 0 or target <= stock.capacity_msat - room


@given(stocks(demand=demands(per_day=st.just(0.0))), PRICES, COSTS)
def test_where_nothing_leaves_nothing_is_stocked(stock, price, cost):
    """
    Without outflow no refill is wanted.
    """
    assert target_msat(stock, price, cost) == 0


@given(stocks(demand=st.none()), PRICES, COSTS)
def test_what_nobody_knows_is_not_stocked(stock, price, cost):
    """
    Nor is anything where nobody knows what leaves.
    """
    assert target_msat(stock, price, cost) == 0


def test_a_channel_that_turns_over_more_than_it_holds_has_room_for_half():
    """
    Where more than half of the capacity comes in on a day half of it is filled at most: it has it
    by turns.
    """
    wanted = Demand(per_day=10_000.0, amount_msat=10**6)
    for coming, target in ((3 * 10**8, 7 * 10**8), (6 * 10**8, 5 * 10**8), (2 * 10**9, 5 * 10**8)):
        stock = held(
            {
                "capacity_msat": 10**9,
                "demand": wanted,
                "in_msat": float(coming),
                "days": 7.0,
                "share": 0.0,
            }
        )
        assert target_msat(stock, 500, 100) == target


@given(stocks(), PRICES, PRICES, ppms(0, 5000))
def test_a_dearer_sat_is_stocked_deeper(stock, one, other, cost):
    """
    The target rises with the price that it will be sold at.
    """
    low, high = sorted((one, other))

    assert target_msat(stock, low, cost) <= target_msat(stock, high, cost)


@given(stocks(), PRICES, ppms(0, 5000), ppms(0, 5000))
def test_a_dearer_route_fills_less(stock, price, one, other):
    """
    The target falls with what a refill costs; a cost that nobody knows lets nothing be given away
    cheaply.
    """
    low, high = sorted((one, other))
    unknown = target_msat(stock, price, None)

    assert target_msat(stock, price, high) <= target_msat(stock, price, low)
    assert target_msat(stock, price, high) <= unknown or price == 0


@given(stocks(), PRICES, COSTS, ratios(1, 10))
def test_what_comes_in_need_not_be_bought(stock, price, cost, factor):
    """
    The target falls with what comes in by itself.
    """
    more = attrs.evolve(stock, in_msat=stock.in_msat * factor)

    assert target_msat(more, price, cost) <= target_msat(stock, price, cost)


@given(demands(per_day=ratios(1, 50), amount_msat=st.just(10**8)), st.integers(0, 10**10))
def test_what_comes_in_is_subtracted(wanted, coming):
    """
    Where there is room for all of it, three days of what comes in are not stocked.
    """
    dry = held(
        {"capacity_msat": 10**16, "demand": wanted, "in_msat": 0.0, "days": 7.0, "share": 0.0}
    )
    wet = attrs.evolve(dry, in_msat=float(coming))

    assert target_msat(wet, 500, 100) == max(0, target_msat(dry, 500, 100) - 3 * coming)


@given(stocks(), PRICES, COSTS)
def test_giving_leaves_nobody_short(stock, price, cost):
    """
    What is spared is above the low threshold, and above the target or the high threshold.
    """
    target = target_msat(stock, price, cost)
    spare = spare_msat(stock, target, LOW, HIGH)
    left = stock.to_us_msat - spare

    assert spare >= 0
    if spare:
        assert left >= max(KEPT, int(stock.capacity_msat * LOW))
        assert left >= min(target, int(stock.capacity_msat * HIGH))


@given(stocks())
def test_a_member_of_the_hive_is_never_meant_to_be_short(stock):
    """
    Whatever it costs, and even if nothing leaves, the target is not below the low threshold.
    """
    target = hive_target_msat(stock, LOW)

    assert LOW <= target / stock.capacity_msat <= 1 or stock.capacity_msat < 10


@given(stocks(), PRICES, st.integers(0, 10**12), st.integers(0, 10**12))
def test_both_ends_are_valued_alike(stock, price, amount, more):
    """
    What is added and taken away again comes to nothing, but for a msat that we lose; the next sats
    are worth less than the last.
    """
    worth = moved_by(stock, price)
    back = moved_by(attrs.evolve(stock, to_us_msat=stock.to_us_msat + amount), price)

    assert worth(amount) + back(-amount) in (0, -1)
    assert back(more) <= worth(more) + 2 + more * price * 1e-19 * 1e6


@given(stocks(), PRICES, st.integers(0, 10**12), ratios(1, 10))
def test_what_comes_in_is_sold_first(stock, price, amount, factor):
    """
    The more comes in by itself, the less is a refill worth.
    """
    more = attrs.evolve(stock, in_msat=stock.in_msat * factor)
    slack = 2 + (stock.to_us_msat + more.in_msat * 7) * price * 1e-19

    assert moved_by(more, price)(amount) <= moved_by(stock, price)(amount) + slack


def test_what_comes_in_counts_as_if_it_were_there():
    """
    A week of what comes in is worth what as much on our side is, and can be sold beyond the
    capacity: it comes as room is made for it.
    """
    stock = inventory([short(out=20, into=5)], 7)
    there = attrs.evolve(stock, in_msat=0.0, to_us_msat=stock.to_us_msat + int(7 * stock.in_msat))
    dry = attrs.evolve(stock, in_msat=0.0)
    amount = from_sats(4_000_000)

    assert moved_by(stock, 500)(amount) == moved_by(there, 500)(amount)
    assert 0 < moved_by(stock, 500)(amount) < moved_by(dry, 500)(amount)
    assert there.to_us_msat > there.capacity_msat / 4


def test_the_value_of_the_unknown_is_unknown():
    """
    Demand that nobody knows has no value that could be asked for.
    """
    with pytest.raises(ValueError, match="unknown demand"):
        moved_by(held({"capacity_msat": 1, "demand": None, "in_msat": 0, "days": 1, "share": 1}), 1)


@given(traffics(now=START), st.sampled_from((1.0, 0.0, None, 0.3, 1e-9)), st.integers(1, 90))
def test_any_books_tell_a_demand_or_that_they_do_not(traffic, live, days):
    """
    Whatever the books hold: a channel that was never seen live says nothing, one that nobody looked
    at counts as live, since that expects less; books that could not be read say nothing at all.
    """
    channel = holding(0, 0.5, traffic, live_share=live)
    found = inventory([channel], days)

    assert (found.demand is None) == (live == 0)
    assert found.in_msat >= 0
    assert found.demand is not None or found.out_msat == 0
    assert inventory([channel, holding(1, 0.5, None)], days) is None
    always = inventory([attrs.evolve(channel, live_share=1.0)], days)
    if live is None:
        assert found == always
    elif live:
        assert found.out_msat >= always.out_msat


def test_time_without_liquidity_is_no_want_of_demand():
    """
    A channel that could serve a tenth of the time is in ten times the demand, but no rate is made
    of less than a day.
    """
    often, rarely, hardly = (
        inventory([short(out=5, live_share=share)], 7).out_msat for share in (1.0, 0.5, 0.001)
    )

    assert rarely == pytest.approx(2 * often)
    assert hardly == pytest.approx(often * inventory([short()], 7).days)


@given(st.integers(1, 60), st.integers(0, 5), ratios(0, 0.19), ratios(0.1, 0.9))
def test_channels_with_one_peer_are_one(out, into, share, part):
    """
    Two channels with a peer hold, want and spare together what one of their size does: what leaves
    may leave by either.
    """
    whole = holding(0, share, books(out, into))
    size = int(CAPACITY * part)
    idle = books()
    halves = [
        holding(1, share, books(out, into), capacity_msat=size),
        holding(2, share, idle, capacity_msat=CAPACITY - size),
    ]
    one, both = inventory([whole], 7), inventory(halves, 7)

    assert both.capacity_msat == one.capacity_msat
    assert abs(both.to_us_msat - one.to_us_msat) <= 1
    assert both.demand == one.demand
    assert (both.out_msat, both.in_msat) == (one.out_msat, one.in_msat)
    assert inventory(halves[::-1], 7) == both


def test_a_peer_with_enough_elsewhere_is_not_refilled():
    """
    An empty channel needs nothing while another one with the same peer has plenty.
    """
    empty = short(0, peer_id=peer(9))
    full = holding(1, 0.9, books(), peer_id=peer(9))
    plan = planned(empty, full, ample(2))

    assert starts(plan) == []
    assert told(plan, empty)[0] is Code.NOT_SHORT


def test_one_channel_of_a_peer_is_filled_at_a_time():
    """
    Of two short channels with a peer the one with more room is filled, and the other says which.
    """
    small = short(0, peer_id=peer(9), capacity_msat=from_sats(2_000_000))
    large = short(1, peer_id=peer(9))
    plan = planned(small, large, ample(2), ample(3))

    assert [start.channel_id for start in starts(plan)] == [large.channel_id]
    assert told(plan, small)[-1] is Code.SIBLING
    assert fact(about(plan, small), "scid", Code.SIBLING) == large.scid
    alike = [short(n, peer_id=peer(9)) for n in range(2)]
    (start,) = starts(planned(*alike, ample(2), ample(3)))
    assert start.channel_id == alike[0].channel_id


def test_what_is_there_is_enough():
    """
    A channel that is short of its share, but not of what it will sell, is not filled.
    """
    slow = short(share=0.15, out=1)
    plan = planned(slow, ample())

    assert starts(plan) == []
    assert told(plan, slow)[-1] is Code.COVERED


def test_what_a_refill_costs_decides_how_much_is_stocked():
    """
    A cheap route fills more than a dear one, and where a sat brings nothing none is stocked.
    """
    stock = inventory([short()], 7)

    assert target_msat(stock, 500, 50) > target_msat(stock, 500, 400) > target_msat(stock, 0, 0)
    assert target_msat(stock, 0, 0) == 0


def test_what_is_above_the_high_threshold_is_spared():
    """
    Though more is wanted: what is above high-liquidity-threshold may be given, and no more.
    """
    stock = attrs.evolve(inventory([short()], 7), to_us_msat=CAPACITY * 85 // 100)

    assert spare_msat(stock, CAPACITY * 9 // 10, LOW, HIGH) == CAPACITY * 5 // 100


def test_who_has_just_what_is_wanted_is_covered():
    """
    At its target a channel needs nothing; of one that lacks a msat it is said how little that is.
    """
    slow = short(share=0.15, out=1)
    seen = scene([slow], READY, START, Config())
    (case,) = cases(prepared(node(slow), Config()).views, seen)
    for lacks, code in ((0, Code.COVERED), (1, Code.TOO_LITTLE)):
        channel = attrs.evolve(slow, to_us_msat=case.target_msat - lacks)
        assert told(planned(channel, ample()), channel)[-1] is code


def test_the_least_amount_is_enough():
    """
    A channel with room for just rebalance-min-amount is filled with that, and one that has no more
    than that to spare says that it can give.
    """
    least = from_sats(50_000)
    for room, filled in ((least, True), (least - 1, False)):
        channel = short(fee_ppm=900, receivable_msat=room)
        plan = planned(channel, ample())
        assert [start.amount_msat for start in starts(plan)] == [least] * filled
        assert (told(plan, channel)[-1] is Code.TOO_LITTLE) is not filled
        giver = ample(spendable_msat=room)
        assert (Code.CAN_GIVE in told(planned(short(), giver), giver)) is filled


@given(st.integers(0, 10**7), st.integers(1, 449))
def test_no_more_is_wanted_than_may_be_staked(stake, cost):
    """
    Where a stake limits what a refill may cost, as much is wanted as it pays for, to the msat; if
    that is not even the least amount the channel is told so.
    """
    channel = short(peer_fee_ppm=max(0, cost - 150))
    seen = scene([channel], READY, START, Config())
    (case,) = cases(prepared(node(channel), Config()).views, seen)
    sizes = amounts(Config(), single=False)
    free, bound = (
        Casting(scene=seen, amounts=sizes, losing=False, stake=lambda *_, s=s: s).role(case)
        for s in (None, stake)
    )

    if stake < cost_msat(sizes[0].total_msat, case.cost_ppm):
        assert bound.taker is None
        assert bound.trail[-1].code is Code.KELLY
    else:
        most = bound.taker.most_msat
        assert type(most) is int
        assert cost_msat(most, case.cost_ppm) <= stake
        assert most == free.taker.most_msat or cost_msat(most + 1, case.cost_ppm) > stake


def test_who_may_stake_too_little_is_told_its_own_chance():
    """
    The chance of a sale that is told is that of the channel: by what was sold of its own refills.
    """
    row = [
        tried(n, sold=sold, at=START - 3 * DAY, to_channel=channel_id, to_peer=peer(9))
        for n, (channel_id, sold) in enumerate([(short().channel_id, 0.0), ("ee" * 32, 1.0)] * 9)
    ]
    treasury = attrs.evolve(READY, attempts=row)
    plan = planned(short(), ample(9), treasury=treasury, config=Config(enable_kelly=True))
    seen = scene([short()], treasury, START, Config())

    assert fact(about(plan, short()), "chance", Code.KELLY) == seen.experience.sale_chance(
        short().channel_id
    )


def test_a_channel_gives_no_more_than_it_has():
    """
    What its peer's channels can spare together is given by one of them only as far as it has it,
    even if more is said to be spendable.
    """
    full = ample(1, peer_id=peer(9), capacity_msat=4 * CAPACITY)
    poor = holding(2, 0.1, books(), peer_id=peer(9), spendable_msat=CAPACITY)
    plan = planned(short(), full, poor)

    assert fact(about(plan, poor), "spare_sats", Code.CAN_GIVE) == poor.to_us_msat // 1000


def test_a_small_need_is_no_reason():
    """
    Less than rebalance-min-amount is not moved, and the number that would pass is said.
    """
    plan = planned(short(), ample(), config=Config(rebalance_min_amount=4_000_000))
    assert told(plan, short())[-1] is Code.TOO_LITTLE
    assert fact(about(plan, short()), "least_sats", Code.TOO_LITTLE) == 4_000_000

    wanted = int(fact(about(plan, short()), "most_sats", Code.TOO_LITTLE))
    whole_chunks = Config(rebalance_min_amount=wanted // 100_000 * 100_000)
    again = planned(short(), ample(), config=whole_chunks)
    assert Code.TOO_LITTLE not in told(again, short())


@given(st.integers(1, 60), ratios(0, 0.19))
def test_no_more_is_moved_than_is_needed(out, share):
    """
    A refill ends at the target.
    """
    channel = short(out=out, share=share)
    plan = planned(channel, ample(1), ample(2))
    assume(starts(plan))
    (start,) = starts(plan)
    target = fact(about(plan, channel), "target_sats", Code.WANTED)

    assert start.to_us_msat + start.amount_msat <= from_sats(int(target) + 1)


@pytest.mark.parametrize(("hours", "days"), [(0, 1), (12, 1), (24, 1), (36, 1.5), (48, 2)])
def test_a_rate_is_of_what_the_books_cover(hours, days):
    """
    What came in and left is divided by the days that the books cover, and by one at least.
    """
    day = Slice(start=START // DAY, out_count=2, out_msat=10**8, in_count=1, in_msat=10**8)
    traffic = Traffic(since=START - hours * HOUR, until=START, out_count=2, days=[day])
    found = inventory([holding(0, 0.5, traffic)], 7)

    assert found.in_msat == 10**8 / days
    assert found.demand == demand_of(traffic, days)
    assert found.out_msat == pytest.approx(found.demand.per_day * found.demand.amount_msat)


@pytest.mark.parametrize(
    ("since", "days"), [(0, 7.25), (8 * DAY, 2.25), (10 * DAY + 6 * HOUR, 0.0)]
)
def test_a_window_is_of_whole_days_and_today(since, days):
    """
    What is known of a peer's channels is of so many days, today as long as it has lasted, and no
    more than the books have.
    """
    channel = quiet_channel(traffic=Traffic(since=since, until=10 * DAY + 6 * HOUR))

    assert inventory([channel], 7).days == days
