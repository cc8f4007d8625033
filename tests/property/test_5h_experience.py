"""§5 Experience: what became of earlier rebalances, and what that makes of the next."""

from statistics import median

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from property.attempts import (
    AMOUNT,
    CHANNELS,
    CHUNK,
    NEITHER,
    PEERS,
    at_all,
    rebalances,
    rows,
    treasury,
    tried,
)
from property.strategies import configs, instants, ratios, whole
from property.world import START

from revops.core.budget import Spend
from revops.core.config import Config
from revops.core.rebalance.experience import ENOUGH, NO_RETURN_S, experienced
from revops.core.rebalance.past import fading
from revops.core.reputation import PRIOR, score
from revops.core.treasury import FAILURES, Ending, Reputation, Treasury
from revops.core.units import DAY, HOUR

PEER, OTHER = PEERS[:2]
CHANNEL = CHANNELS[0]
CONFIG = Config()

failed = rebalances(to_peer=st.just(PEER)).filter(lambda attempt: attempt.ending in FAILURES)
reputations = st.builds(
    Reputation,
    peer_id=st.just(PEER),
    hour=whole(START // HOUR - 48, START // HOUR - 1),
    successes=ratios(0, 1e9),
    failures=ratios(0, 1e9),
)
latest = rebalances(days=2)
resting = configs(rebalance_cooldown_hours=whole(0, 96))
cost_rows = rows(rebalances(to_peer=st.just(PEER)), max_size=12)
priors = st.none() | whole(0, 10**6)
within = pytest.approx


def learned(*row, now=START, config=CONFIG, **fields):
    """
    Return what attempts made one after the other teach.
    """
    return experienced(treasury(*row, **fields), now, config)


def rates_of(row):
    """
    Return what refills that moved something cost, in ppm rounded up.
    """
    return [-(-a.fee_msat * 10**6 // a.moved_msat) for a in row if a.moved_msat]


# The chance that it moves


@given(rows(at_all()), st.none() | reputations, instants(), configs())
def test_a_chance_is_between_never_and_always(row, reputation, now, config):
    """
    Whatever the books hold, at whatever time, chances of moving and of selling are above 0 and
    below 1.
    """
    found = learned(*row, now=now, config=config, reputations=[reputation] if reputation else [])

    for peer_id in PEERS:
        assert 0 < found.chance(peer_id) < 1
    for channel_id in CHANNELS:
        assert 0 < found.sale_chance(channel_id) < 1


@given(rows(), st.none() | reputations, st.data())
def test_successes_raise_a_chance_and_failures_lower_it(row, reputation, data):
    """
    One more refill that moved all makes the next to this peer look likelier, one that failed less
    likely; to others neither changes anything.
    """
    known = {"reputations": [reputation] if reputation else []}
    good, bad = tried(), data.draw(failed)
    plain, better, worse = (learned(*row, *more, **known) for more in ([], [good], [bad]))

    assert worse.chance(PEER) < plain.chance(PEER) < better.chance(PEER)
    assert worse.chance(OTHER) == plain.chance(OTHER) == better.chance(OTHER)


@given(rows(), st.integers(1, 9), st.integers(1, 9))
def test_what_moved_more_is_the_better_sign(row, one, two):
    """
    The more of a rebalance arrived before its time was over, the likelier the next looks.
    """
    less, more = (
        learned(*row, tried(ending=Ending.PARTIAL, moved_msat=chunks * CHUNK)).chance(PEER)
        for chunks in sorted((one, two))
    )

    assert less < more or one == two


@given(reputations, configs(reputation_decay=ratios(0.5, 1)))
def test_before_the_first_attempt_the_peers_record_is_all(reputation, config):
    """
    A peer that was never refilled is expected to do with our payments as it did with others'.
    """
    found = learned(config=config, reputations=[reputation])

    assert found.chance(PEER) == within(score(reputation, START, config))
    assert found.chance(OTHER) == PRIOR


@given(rows(), st.sampled_from(NEITHER), st.integers(0, len(CHANNELS)))
def test_what_was_ended_for_other_reasons_says_nothing(row, ending, place):
    """
    A rebalance that the operator stopped, or that went with its rebalancer, before anything moved
    changes no chance.
    """
    place = min(place, len(row))
    more = [*row[:place], tried(ending=ending, to_peer=PEER), *row[place:]]

    assert learned(*more).chance(PEER) == learned(*row).chance(PEER)


@given(rows(max_size=5), whole(0, 10**8), whole(0, 10**8))
def test_what_is_long_ago_counts_less(row, soon, longer):
    """
    Without news a chance moves toward what is expected without any, and a month takes half.
    """
    near, far = (
        abs(learned(*row, now=START + later).chance(PEER) - PRIOR)
        for later in (soon, soon + longer)
    )

    assert far <= near + 1e-12


@given(st.integers(0, 10**3))
def test_a_month_is_a_half_life(days):
    """
    A success of a month ago is worth half of one of now, of two months ago a quarter.
    """
    found = learned(tried(at=START - days * DAY)).chance(PEER)

    assert found == within((2 * PRIOR + 0.5 ** (days / 30)) / (2 + 0.5 ** (days / 30)))


# What it costs


@given(cost_rows, priors)
@example((tried(fee_msat=0),), 0)
def test_a_cost_is_between_what_was_expected_and_what_was_paid(row, prior):
    """
    The expected cost is no lower than the lowest and no higher than the highest of the prior and
    of what refills cost; nothing known is None.
    """
    found = learned(*row).cost_ppm(PEER, prior)
    said = [*rates_of(row), *([] if prior is None else [prior])]

    if said:
        assert min(said) <= found <= max(said)
    else:
        assert found is None


@given(cost_rows, whole(0, 10**6), whole(0, 10**6))
def test_enough_refills_need_no_prior(row, prior, another):
    """
    From five refills on the median is what is expected, whatever was thought before; below, each
    refill takes a fifth of the prior's say, and a prior that is higher never makes it cheaper.
    """
    found, rates = learned(*row), rates_of(row)
    share = min(len(rates), ENOUGH) / ENOUGH
    typical = median(rates) if rates else 0

    assert found.cost_ppm(PEER, prior) == within(typical * share + prior * (1 - share), abs=0.51)
    assert found.cost_ppm(PEER, min(prior, another)) <= found.cost_ppm(PEER, max(prior, another))
    if share == 1:
        assert found.cost_ppm(PEER, prior) == found.cost_ppm(PEER, None)


STRANGE = (
    {"to_peer": OTHER},
    {"state": Spend.IN_FLIGHT},
    {"ended_at": START - 91 * DAY},
)


@given(cost_rows, priors, st.sampled_from(STRANGE))
def test_only_what_is_settled_there_and_lately_tells_a_cost(row, prior, fields):
    """
    Refills toward other peers, of more than 90 days ago, or that have not ended change no cost.
    """
    more = tried(**({"fee_msat": AMOUNT} | fields))

    assert learned(*row, more).cost_ppm(PEER, prior) == learned(*row).cost_ppm(PEER, prior)


@pytest.mark.parametrize(("late", "cost"), [(0, 500), (1, None)])
def test_a_cost_is_remembered_for_ninety_days(late, cost):
    """
    What a refill cost is known until the last second of 90 days after it ended.
    """
    paid = tried(at=START - 90 * DAY - late)

    assert learned(paid).cost_ppm(PEER, None) == cost


# What rests


@given(rows(latest), resting, whole(0, 3 * DAY))
def test_a_channel_that_was_refilled_rests(row, config, later):
    """
    A channel rests for rebalance-cooldown-hours from when something last arrived, not longer, and
    not for what moved nothing.
    """
    now = START + later
    rest = config.rebalance_cooldown_hours * HOUR
    ends = [a.moved_at + rest for a in row if a.moved_msat and a.to_channel == CHANNEL]
    until = max(ends, default=0)

    found = learned(*row, now=now, config=config).rests_until(CHANNEL)
    assert found == (until if until > now else None)


@given(rows(latest), whole(0, 7 * DAY))
def test_no_pair_reverses_within_the_memory(row, later):
    """
    Where something moved one way within 7 days, nothing goes back, whichever of the channels that
    might have given did; every other pair is free.
    """
    now = START + later
    found = learned(*row, now=now)

    for gives in CHANNELS:
        for takes in CHANNELS:
            ends = [
                a.moved_at + NO_RETURN_S
                for a in row
                if a.moved_msat and a.to_channel == gives and takes in a.from_channels
            ]
            until = max(ends, default=0)
            assert found.forbids(gives, takes) == (until if until > now else None)


# Times that cannot be


@given(at_all(), instants(), configs())
def test_no_wrong_clock_bars_for_long(attempt, now, config):
    """
    Whatever an attempt is dated, it bars nothing for more than twice as long as it may, and
    nothing once that is over.
    """
    found = learned(attempt, now=now, config=config)
    ends = {found.rests_until(c): config.rebalance_cooldown_hours * HOUR for c in CHANNELS}
    ends |= {found.forbids(c, d): NO_RETURN_S for c in CHANNELS for d in CHANNELS}

    for until, memory in ends.items():
        assert until is None or now < until <= now + 2 * memory
    for until in filter(None, ends):
        then = learned(attempt, now=until, config=config)
        assert until not in {then.rests_until(c) for c in CHANNELS}
        assert until not in {then.forbids(c, d) for c in CHANNELS for d in CHANNELS}


@pytest.mark.parametrize(
    ("ahead", "rests"),
    [(-DAY, False), (1 - DAY, True), (0, True), (DAY, True), (DAY + 1, False), (2 * DAY, False)],
)
def test_a_clock_is_believed_as_far_as_it_bars(ahead, rests):
    """
    What bars for a day does so until a day has passed; dated a day ahead it does still, dated any
    further ahead no more.
    """
    refilled = tried(at=START + ahead)
    found = learned(refilled, config=Config(rebalance_cooldown_hours=24)).rests_until(CHANNEL)

    assert found == (START + ahead + DAY if rests else None)


@given(instants(), whole(0, 10**9))
def test_what_is_dated_ahead_counts_like_now(now, ahead):
    """
    What ended this second counts whole, and what a clock that was ahead dates later no more.
    """
    assert fading(now + ahead, now) == fading(now, now) == 1


@given(rebalances(days=1), st.integers(0, 6 * DAY))
def test_a_small_step_back_frees_nothing(attempt, back):
    """
    A clock that goes back by less than the memory leaves barred what it finds barred.
    """
    config = Config(rebalance_cooldown_hours=7 * 24)
    now, then = (learned(attempt, now=t, config=config) for t in (START, START - back))

    for channel_id in CHANNELS:
        assert now.rests_until(channel_id) == then.rests_until(channel_id)


@given(rows(at_all()), instants(), configs(), st.data())
def test_order_says_nothing(row, now, config, data):
    """
    The same attempts in any order teach the same.
    """
    shuffled = data.draw(st.permutations(row))

    assert experienced(Treasury(attempts=shuffled), now, config) == experienced(
        Treasury(attempts=row), now, config
    )


# What is sold


@given(rows(rebalances(to_channel=st.sampled_from(CHANNELS[1:])), max_size=12), ratios(0, 1))
def test_what_others_sold_speaks_for_a_channel_that_never_sold(row, lower):
    """
    A channel without refills of its own is expected to sell as all others did: the more they sold
    the more.
    """
    less = [a if a.sold is None else attrs.evolve(a, sold=a.sold * lower) for a in row]
    found, worse = learned(*row), learned(*less)
    knows_nothing = learned()

    assert found.sale_chance(CHANNEL) == within(found.sales.mean)
    assert worse.sale_chance(CHANNEL) <= found.sale_chance(CHANNEL) + 1e-12
    assert knows_nothing.sale_chance(CHANNEL) == within(PRIOR)


@given(rows(rebalances(to_channel=st.just(CHANNEL)) | rebalances(), max_size=12))
def test_its_own_sales_outweigh_the_others(row):
    """
    What is expected of a channel is between what it sold itself and what all sold.
    """
    found = learned(*row)
    record = found.sales.records.get(CHANNEL)
    if record:
        own, all_ = record.sold / record.count, found.sales.mean
        assert min(own, all_) - 1e-12 <= found.sale_chance(CHANNEL) <= max(own, all_) + 1e-12
