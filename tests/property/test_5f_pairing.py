"""§5 Pairing: who is filled by whom, with how much, and never beyond what there is to spend."""

import random  # noqa: TID251 -- what sling may do is drawn here, not decisions
from itertools import pairwise

import attrs
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from property.attempts import tried
from property.money import (
    READY,
    about,
    ample,
    node,
    nodes,
    planned,
    short,
    starts,
    told,
    traders,
    wishes,
)
from property.strategies import LARGEST, configs, whole
from property.trails import fact
from property.world import START, peer

from revops.core.budget import Spending, limits, room
from revops.core.config import Config
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code
from revops.core.rebalance.amounts import amounts
from revops.core.rebalance.bets import staked
from revops.core.rebalance.case import cases, scene
from revops.core.rebalance.decide import _views, rebalance
from revops.core.rebalance.ev import cost_msat
from revops.core.rebalance.keep import gives
from revops.core.rebalance.market import market
from revops.core.rebalance.pair import paired
from revops.core.rebalance.pairing import Refused, Started, chosen
from revops.core.rebalance.roles import Casting, one_for_each_peer
from revops.core.units import DAY, from_sats

SEEDS = whole(0, LARGEST)
RICH = Config(daily_budget_sats=1_000_000, max_concurrent_jobs=100)


# What may be moved


@given(configs(), st.booleans())
@example(Config(rebalance_min_amount=150_000, rebalance_max_amount=150_000), False)
@example(
    Config(rebalance_min_amount=100_001, rebalance_max_amount=100_001, rebalance_chunk=50_000),
    False,
)
def test_amounts_are_whole_payments_within_the_operators_bounds(config, single):
    """
    Every amount is so many payments of whole satoshi, none larger than rebalance-chunk, and lies
    between the least and the most; they come in order, no two alike.
    """
    sizes = amounts(config, single=single)
    for size in sizes:
        assert size.total_msat == size.count * size.chunk_msat
        assert size.chunk_msat % 1000 == 0
        assert size.chunk_msat <= from_sats(config.rebalance_chunk)
        least, most = config.rebalance_min_amount, config.rebalance_max_amount
        assert from_sats(least) <= size.total_msat <= from_sats(most)
        assert size.count == 1 or not single
    totals = [size.total_msat for size in sizes]
    assert totals == sorted(set(totals))
    assert len(totals) < 300


@given(configs(), whole(0, 10**12), st.data())
def test_room_is_used_to_the_ppm(config, room, data):
    """
    What an amount may cost for some room to hold its reserve is whole ppm: so many are within it,
    one more is not.
    """
    size = data.draw(st.sampled_from(amounts(config, single=False)))
    most = size.within_ppm(room)

    assert isinstance(most, int)
    assert size.reserve_msat(most) <= room < size.reserve_msat(most + 1)


def test_amounts_leave_no_wide_gaps():
    """
    From the least to the most, each amount is at most a quarter more than the one before.
    """
    sizes = amounts(Config(), single=False)

    assert sizes[0].total_msat == from_sats(50_000)
    assert sizes[-1].total_msat == from_sats(5_000_000)
    assert all(other.total_msat < one.total_msat * 1.26 for one, other in pairwise(sizes))


# Whom, and with how much


def cast(snapshot, config):
    """
    Return who can be filled, who can give, and what may be moved.
    """
    treasury = snapshot.treasury
    most = limits(config, treasury.revenue_day_msat, treasury.revenue_week_msat)
    seen = scene(snapshot.channels, treasury, START, config)
    casting = Casting(
        scene=seen,
        amounts=amounts(config, single=False),
        losing=False,
        stake=staked(seen, treasury, most),
    )
    roles = one_for_each_peer(map(casting.role, cases(_views(snapshot, config), seen)))
    takers = [role.taker for role in roles if role.taker]
    givers = [role.giver for role in roles if role.giver]
    return takers, givers, casting.amounts, seen.experience.forbids


def all_pairs(takers, givers, sizes, barred):
    """
    Return what any giver could do for any taker.
    """
    return [
        paired(taker, giver, size, -giver.worth(-size.total_msat))
        for taker in takers
        for giver in givers
        for size in sizes
        if size.total_msat <= taker.most_msat
        and gives(giver, size)
        and not barred(giver.channel.channel_id, taker.channel.channel_id)
    ]


def naively(takers, givers, sizes, barred, slots):
    """
    Return the pairs that a patient clerk would choose: he looks at every pair and every amount,
    takes the best that pays, crosses both out, and begins anew.
    """
    found = []
    while len(found) < slots:
        pairs = [pair for pair in all_pairs(takers, givers, sizes, barred) if pair.pays]
        if not pairs:
            return found
        best = max(
            pairs,
            key=lambda pair: (
                pair.terms.ev_msat,
                -int(pair.taker.channel.channel_id, 16),
                pair.amount.total_msat,
                -int(pair.giver.channel.channel_id, 16),
            ),
        )
        found.append(best)
        takers = [taker for taker in takers if taker is not best.taker]
        givers = [g for g in givers if g.channel.peer_id != best.giver.channel.peer_id]
    return found


@settings(max_examples=60)
@given(traders(), wishes(hive_rebalance_tolerance=st.just(0)), st.integers(1, 5))
def test_the_best_pairs_come_first(snapshot, config, slots):
    """
    All pairs are looked at, in all amounts, and taken in the order of their value: what is started
    is what a patient clerk would choose.
    """
    takers, givers, sizes, barred = cast(snapshot, config)
    choices = chosen(market(givers, sizes, barred), takers, slots, from_sats(10**12))

    expected = naively(takers, givers, sizes, barred, slots)
    pairs = [choice.pair for choice in choices.values() if isinstance(choice, Started)]

    def told_apart(pair):
        return (
            pair.taker.channel.scid,
            pair.giver.channel.scid,
            pair.amount,
            pair.terms.max_ppm,
        )

    assert list(map(told_apart, pairs)) == list(map(told_apart, expected))


MEMBER = [Policy(peer_id=peer(0), strategy=Strategy.HIVE)]


@given(traders(policies=MEMBER), st.sampled_from((5, 50, 500)), st.sampled_from((0, 300)))
def test_a_member_of_the_hive_gets_what_its_tolerance_pays_for(snapshot, tolerance, price):
    """
    Of the refills of a member at the loss that is accepted, the largest is the best; one that
    brings something is preferred by what it brings.
    """
    config = Config(hive_rebalance_tolerance=tolerance, hive_fee_ppm=price)
    takers, givers, sizes, barred = cast(snapshot, config)
    place = market(givers, sizes, barred)
    for taker in takers:
        if taker.channel.peer_id == peer(0) and (best := place.best(taker)):
            pairs = [pair for pair in all_pairs([taker], givers, sizes, barred) if pair.pays]
            worth = max((pair.terms.ev_msat for pair in pairs), default=0)
            largest = max((pair.amount.total_msat for pair in pairs), default=None)
            assert best.pays == bool(pairs)
            assert worth <= 0 or best.terms.ev_msat == worth
            assert worth >= 0 or best.amount.total_msat == largest


@given(traders(), wishes())
def test_what_there_is_just_room_for_is_made(snapshot, config):
    """
    Where all is left that the best refill has to reserve, and nothing more, and just as much is
    wanted as it moves, it is made as it is. If none pays, the one that comes nearest is told.
    """
    takers, givers, sizes, barred = cast(snapshot, config)
    place = market(givers, sizes, barred)
    for taker in takers:
        best = place.best(taker)
        if best and best.pays:
            made = place.best(taker, (), best.reserve_msat)
            assert (made.amount, made.giver) == (best.amount, best.giver)
            assert made.terms == best.terms
            just = attrs.evolve(taker, most_msat=best.amount.total_msat)
            assert place.best(just).amount == best.amount
        elif best:
            pairs = all_pairs([taker], givers, sizes, barred)
            assert best.terms.ev_msat == max(pair.terms.ev_msat for pair in pairs)


@given(st.permutations(range(8)))
def test_the_best_five_are_started_and_not_the_first_five(order):
    """
    Of eight that pay, those are started that are worth most, in whatever order they are listed; the
    others are told that they were outbid.
    """
    dear = [short(number, fee_ppm=400 + 100 * order[number]) for number in range(8)]
    givers = [ample(8 + number) for number in range(8)]
    plan = planned(*dear, *givers, config=Config(daily_budget_sats=1_000_000))

    started = {start.channel_id for start in starts(plan)}
    best = sorted(dear, key=lambda channel: -channel.fee_ppm)[:5]
    assert started == {channel.channel_id for channel in best}
    for channel in dear:
        assert (told(plan, channel)[-1] is Code.OUTBID) == (channel.channel_id not in started)


@given(nodes() | traders(), wishes())
def test_a_peer_has_one_part_in_a_cycle(snapshot, config):
    """
    A channel fills or is filled once at most, never by its own peer, and what one peer's channels
    give or get goes to or comes from one refill.
    """
    peers = {channel.channel_id: channel.peer_id for channel in snapshot.channels}
    roles = []
    for start in starts(rebalance(snapshot, config)):
        sources = {peers[source.channel_id] for source in start.sources}
        assert start.sources
        assert start.peer_id == peers[start.channel_id]
        assert start.peer_id not in sources
        assert len({source.channel_id for source in start.sources}) == len(start.sources) <= 5
        roles += [start.peer_id, *sources]

    assert len(roles) == len(set(roles))


def test_the_one_that_misses_it_least_gives_first():
    """
    Sources stand in the order of what they lose by it.
    """
    busy, idle = ample(1, out=25, fee_ppm=100), ample(2)
    (start,) = starts(planned(short(fee_ppm=2000), busy, idle))

    assert start.sources[0].channel_id == idle.channel_id


def test_each_source_alone_would_do():
    """
    Whoever else gives is one by whom alone the refill would pay at the same price; who would make
    it a loss is left out.
    """
    alike = [ample(number) for number in range(1, 9)]
    dear = ample(9, out=60, fee_ppm=3000, share=0.81)
    plan = planned(short(), *alike, dear)
    (start,) = starts(plan)

    assert len(start.sources) == 5
    few = planned(short(), *alike[:2], dear)
    for made in (plan, few):
        (start,) = starts(made)
        assert dear.channel_id not in {source.channel_id for source in start.sources}
        assert told(made, dear)[-1] is Code.CAN_GIVE


@settings(max_examples=60)
@given(traders(), wishes())
def test_every_source_pays_by_itself(snapshot, config):
    """
    If sling takes all of it from any one of the sources, at the most that it may take, the value is
    still what is asked for.
    """
    takers, givers, sizes, barred = cast(snapshot, config)
    choices = chosen(market(givers, sizes, barred), takers, 5, from_sats(config.daily_budget_sats))
    for choice in choices.values():
        if isinstance(choice, Started):
            total = choice.pair.amount.total_msat
            for giver in choice.sources:
                loss = -giver.worth(-total)
                alone = paired(choice.pair.taker, giver, choice.pair.amount, loss).terms
                assert alone.max_ppm >= choice.pair.terms.max_ppm


# What they keep


@given(traders(), wishes(), SEEDS)
def test_no_source_is_drained_below_what_it_needs(snapshot, config, seed):
    """
    Whichever of its candidates sling takes whichever payment from, as often as it finds one with
    more than it was told to leave, no source ends below the low threshold, below its target and the
    high threshold, or below what it has to keep; and each could give all of it.
    """
    draw = random.Random(seed)
    by_id = {channel.channel_id: channel for channel in snapshot.channels}
    plan = rebalance(snapshot, config)
    for start in starts(plan):
        piece = start.chunk_msat + cost_msat(start.chunk_msat, start.max_ppm)
        ours = {source.channel_id: by_id[source.channel_id] for source in start.sources}
        left = {key: channel.to_us_msat for key, channel in ours.items()}
        paid = dict.fromkeys(ours, 0)
        assert 0 <= start.keep_share < 1

        def takes(key, start=start, ours=ours, left=left):
            share = int(start.keep_share * ours[key].capacity_msat)
            keep = max(start.chunk_msat + from_sats(10_000), min(share, start.keep_msat))
            return left[key] > keep

        while able := [key for key in ours if takes(key)]:
            key = draw.choice(able)
            left[key] -= piece
            paid[key] += 1
        for key, channel in ours.items():
            target = from_sats(int(fact(about(plan, channel), "target_sats", Code.CAN_GIVE)))
            assert paid[key] * start.chunk_msat >= start.amount_msat
            assert left[key] >= int(0.2 * channel.capacity_msat)
            assert left[key] >= min(target, int(0.8 * channel.capacity_msat))


def test_sources_of_all_sizes_keep_their_own():
    """
    Where a large and a small channel give for one refill, what they are told to leave is enough for
    each: a share of the capacity for the small one, an amount for the large one.
    """
    sizes = [from_sats(sats) for sats in (2_000_000, 20_000_000)]
    givers = [ample(n, capacity_msat=size) for n, size in enumerate(sizes, 1)]
    channel = short(capacity_msat=from_sats(1_000_000))
    (start,) = starts(planned(channel, *givers))

    assert len(start.sources) == 2
    for size in sizes:
        keep = min(start.keep_share * size, start.keep_msat)
        assert keep >= 0.2 * size + start.chunk_msat
        assert keep < 0.5 * size


def test_no_source_is_added_that_would_stop_another():
    """
    What one source has to leave is told to all of them: one that has to leave nearly everything is
    not asked where another could then give nothing.
    """
    roomy = ample(1, share=0.25, capacity_msat=from_sats(20_000_000))
    size = from_sats(6_000_000)
    full = ample(2, share=1.0, capacity_msat=size, spendable_msat=from_sats(1_000_000))
    channel = short(capacity_msat=from_sats(1_000_000))
    for givers in ([roomy], [full]):
        assert starts(planned(channel, *givers))

    (start,) = starts(planned(channel, roomy, full))
    assert len(start.sources) == 1


@pytest.mark.parametrize(("spendable", "gives_"), [(101_000, False), (140_000, True)])
def test_no_source_is_told_to_keep_all(spendable, gives_):
    """
    Sling takes a share of the capacity below 1: who would have to be told more gives nothing.
    """
    full = ample(capacity_msat=from_sats(1_000_000), share=1.0, spendable_msat=from_sats(spendable))
    config = Config(rebalance_min_amount=100_000)
    started = starts(planned(short(), full, config=config))

    assert bool(started) is gives_
    assert all(start.keep_share < 1 for start in started)


def test_a_source_that_sling_would_not_use_is_none():
    """
    Sling takes it that half of htlc_maximum gets through: a channel that allows less than two
    payments gives smaller ones, or nothing.
    """
    allows = [from_sats(sats) for sats in (99_999, 150_000, 200_000)]
    chunks = []
    for most in allows:
        plan = planned(short(fee_ppm=900), ample(htlc_max_msat=most))
        chunks.append([start.chunk_msat for start in starts(plan)])

    assert chunks[0] == []
    assert from_sats(50_000) <= chunks[1][0] <= from_sats(75_000)
    assert from_sats(75_000) < chunks[2][0] <= from_sats(100_000)


# What is spent


@given(nodes() | traders(), wishes())
def test_no_more_is_reserved_than_there_is(snapshot, config):
    """
    What all starts together may cost is within the budget of the day and of the week and within
    what the wallet has above its reserve; each may cost its payments, and one more.
    """
    plan = rebalance(snapshot, config)
    started = starts(plan)
    spent = snapshot.treasury.spending
    for start in started:
        count = start.amount_msat // start.chunk_msat
        assert start.amount_msat == count * start.chunk_msat
        assert start.max_fee_msat == (count + 1) * cost_msat(start.chunk_msat, start.max_ppm)
        assert start.expected_fee_msat <= start.max_fee_msat
    if started:
        ours = sum(channel.to_us_msat for channel in snapshot.channels)
        above = snapshot.onchain_msat + ours - spent.held_msat
        reserved = sum(start.max_fee_msat for start in started)
        assert reserved <= room(spent, plan.limits)
        assert reserved <= above - from_sats(config.min_wallet_reserve)
        assert len(started) <= config.max_concurrent_jobs


@given(traders(treasury=attrs.evolve(READY, one_at_a_time=True)), wishes())
def test_where_costs_cannot_be_told_apart_one_payment_is_made(snapshot, config):
    """
    On a node that does not list what moves in its channels one refill is started, of one payment.
    """
    started = starts(rebalance(snapshot, config))

    assert len(started) <= 1
    assert all(start.amount_msat == start.chunk_msat for start in started)


@settings(max_examples=30)
@given(st.integers(1500, 20_000), st.integers(1, 200), st.integers(300, 3000))
def test_a_budget_is_used_where_there_is_work(budget, cost, price):
    """
    Where refills that pay are left out for want of money, nine tenths of it are reserved.
    """
    assume(cost + 150 < price * 0.6)
    takers = [short(n, fee_ppm=price + n, peer_fee_ppm=cost) for n in range(8)]
    givers = [ample(8 + n) for n in range(8)]
    config = Config(daily_budget_sats=budget, max_concurrent_jobs=100, proportional_budget=False)
    plan = planned(*takers, *givers, config=config)
    reserved = sum(start.max_fee_msat for start in starts(plan))
    left_out = any(told(plan, taker)[-1] is Code.BUDGET_SHORT for taker in takers)

    assert reserved <= from_sats(budget)
    assert reserved >= 0.9 * from_sats(budget) or not left_out


def test_the_last_of_a_budget_offers_less():
    """
    Where what is left holds no refill at the most that it is worth, it offers less, as long as that
    is what a route is expected to take.
    """

    def started(budget):
        config = Config(daily_budget_sats=budget, proportional_budget=False)
        return starts(planned(short(), ample(), config=config))

    (plenty,), (little,) = started(1_000), started(40)

    assert (plenty.max_ppm, started(20)) == (450, [])
    assert 200 <= little.max_ppm < 450
    assert little.max_fee_msat <= from_sats(40)


@settings(max_examples=6)
@given(st.integers(1_000, 5_000), st.integers(50, 300), st.integers(1, 5))
def test_a_day_spends_its_budget(budget, cost, slots):
    """
    Over the cycles of a day, each refill costing what was expected, nine tenths of the budget are
    spent and not a msat more than all of it.
    """
    channels = [short(n, fee_ppm=700 + n, peer_fee_ppm=cost) for n in range(20)]
    channels += [ample(20 + n) for n in range(20)]
    config = Config(daily_budget_sats=budget, max_concurrent_jobs=slots, proportional_budget=False)
    treasury = READY
    for _ in range(40):
        snapshot = node(*channels, treasury=treasury)
        started = starts(rebalance(snapshot, config))
        held = treasury.spending.day_msat + sum(start.max_fee_msat for start in started)
        assert held <= from_sats(budget)
        if not started:
            break
        treasury = settled(treasury, started)
        channels = [moved(channel, started) for channel in channels]
    spent = treasury.spending.day_msat

    assert from_sats(budget) * 0.9 <= spent <= from_sats(budget)


def settled(treasury, started):
    """
    Return the treasury after all of *started* cost what was expected.
    """
    spent = treasury.spending.day_msat + sum(start.expected_fee_msat for start in started)
    done = [
        tried(
            len(treasury.attempts) + n,
            at=START,
            to_channel=start.channel_id,
            to_peer=start.peer_id,
            from_channels=tuple(source.channel_id for source in start.sources),
            moved_msat=start.amount_msat,
            fee_msat=start.expected_fee_msat,
        )
        for n, start in enumerate(started)
    ]
    return attrs.evolve(
        treasury,
        spending=Spending(day_msat=spent, week_msat=spent),
        attempts=(*treasury.attempts, *done),
    )


def moved(channel, started):
    """
    Return *channel* after all of *started* arrived, the first source giving.
    """
    came = sum(s.amount_msat for s in started if s.channel_id == channel.channel_id)
    went = sum(s.amount_msat for s in started if s.sources[0].channel_id == channel.channel_id)
    ours = channel.to_us_msat + came - went
    return attrs.evolve(
        channel,
        to_us_msat=ours,
        spendable_msat=max(0, channel.spendable_msat + came - went),
        receivable_msat=max(0, channel.receivable_msat - came + went),
    )


# What is refused


def test_what_is_left_out_for_want_of_money_says_how_much():
    """
    Who would have been filled is told what it takes, and what is left.
    """
    first, second = short(0, fee_ppm=900), short(1)
    config = Config(daily_budget_sats=3, proportional_budget=False)
    plan = planned(first, second, ample(2), ample(3), config=config)

    assert starts(plan) == []
    for channel in (first, second):
        assert told(plan, channel)[-2:] == [Code.PAIR, Code.BUDGET_SHORT]
        assert fact(about(plan, channel), "room_sats", Code.BUDGET_SHORT) == 3
        assert fact(about(plan, channel), "reserve_sats", Code.BUDGET_SHORT) > 3


def test_what_is_left_out_for_want_of_sources_says_so():
    """
    Who finds that the only source gives to somebody else is told that; who finds none at all, that.
    """
    first, second = short(0, fee_ppm=900), short(1)
    plan = planned(first, second, ample(2), config=RICH)

    assert [start.channel_id for start in starts(plan)] == [first.channel_id]
    assert told(plan, second)[-1] is Code.SOURCES_TAKEN
    assert told(planned(first, second), first)[-1] is Code.NO_SOURCE


@pytest.mark.parametrize("days", [1, 6.9, 7.1])
def test_what_went_one_way_does_not_go_back(days):
    """
    Within seven days of a refill, nothing goes back to any of those that may have given for it.
    """
    taker, giver = short(0), ample(1)
    before = tried(
        at=START - int(days * DAY),
        to_channel=giver.channel_id,
        to_peer=giver.peer_id,
        from_channels=(taker.channel_id,),
    )
    plan = planned(taker, giver, treasury=attrs.evolve(READY, attempts=(before,)))

    assert bool(starts(plan)) == (days > 7)
    if days == 6.9:
        assert told(plan, taker)[-1] is Code.NO_RETURN


@given(traders(), wishes())
def test_a_pair_never_reverses(snapshot, config):
    """
    After any plan was carried out, no later plan of that week takes from what was filled to give to
    what gave, whatever has become of their balances.
    """
    started = starts(rebalance(snapshot, config))
    assume(started)
    treasury = settled(snapshot.treasury, started)
    pairs = {(start.channel_id, source.channel_id) for start in started for source in start.sources}
    mirrored = [
        attrs.evolve(
            channel,
            to_us_msat=channel.capacity_msat - channel.to_us_msat,
            spendable_msat=channel.receivable_msat,
            receivable_msat=channel.spendable_msat,
        )
        for channel in snapshot.channels
    ]
    later = attrs.evolve(
        snapshot,
        channels=mirrored,
        treasury=attrs.evolve(treasury, spending=Spending()),
    )

    for start in starts(rebalance(later, config)):
        assert not pairs & {(source.channel_id, start.channel_id) for source in start.sources}


def test_the_refused_keep_their_numbers():
    """
    What is refused is the best there was: it names who would have given, and is no start.
    """
    takers, givers, sizes, barred = cast(node(short(), ample()), Config())
    (choice,) = chosen(market(givers, sizes, barred), takers, 0, from_sats(5_000)).values()

    assert isinstance(choice, Refused)
    assert choice.pair.pays
    assert choice.why is Code.OUTBID
