"""Fit: what a node's own traffic tells of its demand, and how sure that is."""

import numpy as np
import pytest
from unit.simulate.forecast.nodes import (
    AMOUNT,
    DAYS,
    FIRST,
    NOW,
    channel,
    day,
    node,
    snapshot,
    traffic,
    truths,
)

from revops.core.memory import BeliefMemory, FeeMemory, Tried, Window
from revops.core.units import DAY, Ppm, from_sats
from revops.simulate.forecast.evidence import trials
from revops.simulate.forecast.fit import fitted

DRAWS = range(80)


@pytest.mark.parametrize(
    ("ppm", "least", "most"), [(60, 0.75, 0.95), (200, 0.75, 0.95), (400, 0.7, 0.95)]
)
def test_eighty_in_a_hundred_lie_in_the_band_of_eighty_percent(
    ppm: int, least: float, most: float
) -> None:
    """
    Of channels whose demand is known, the band from the 10th to the 90th percentile holds what
    truly comes in about 80 %, at the prices that were tried and at one that never was.
    """
    inside = []
    for seed in range(4):
        found = truths(seed, 40)
        fit = fitted(node(found, seed))
        markets = [fit.drawn(draw, 1) for draw in DRAWS]
        at = np.array([float(ppm)])
        for number, truth in enumerate(found):
            drawn = [m.per_day[number] * m.laws[number].share(at)[0] for m in markets]
            low, high = np.quantile(drawn, [0.1, 0.9])
            inside.append(low <= truth.coming(ppm) <= high)

    assert least <= np.mean(inside) <= most


def test_what_came_at_the_price_in_force_is_what_is_expected_at_it() -> None:
    """
    A channel that many paid keeps earning, in the middle of the draws, what it earned.
    """
    days = [day(FIRST + past, 20, 150, 20) for past in range(DAYS)]
    busy = [channel(n, fee_ppm=Ppm(150), traffic=traffic(days)) for n in range(4)]
    fit = fitted(snapshot(*busy))
    markets = [fit.drawn(seed, 1) for seed in DRAWS]
    drawn = [m.per_day[0] * m.laws[0].share(np.array([150.0]))[0] for m in markets]
    amounts = [m.sizes[0] * np.exp(m.amount_sat.sd**2 / 2) for m in markets]

    assert np.median(drawn) == pytest.approx(20, rel=0.05)
    assert np.median(amounts) == pytest.approx(AMOUNT / 1000, rel=0.2)


def test_the_price_of_a_day_is_what_those_paid_who_came() -> None:
    """
    Days are counted at the price that was paid on them, those without anybody at the next one
    that was, and only while the channel could pay.
    """
    books = traffic([day(FIRST, 5, 300), day(FIRST + 9, 2, 100)])
    found = trials(channel(0, traffic=books, fee_ppm=Ppm(70), live_share=0.5), FIRST)

    assert sorted(found) == [(70.0, 2.0, 0), (100.0, 4.5, 2), (300.0, 0.5, 5)]


def test_a_base_fee_is_part_of_the_price() -> None:
    """
    1000 msat on a usual payment of 50 000 sat are 20 ppm.
    """
    quiet = channel(0, fee_ppm=Ppm(100), base_fee_msat=1000, traffic=traffic([]))

    assert [trial.ppm for trial in trials(quiet, FIRST)] == [120.0]


def test_what_the_core_remembers_of_prices_tells_more_than_a_week_of_days() -> None:
    """
    The prices that were tried count, each with the time that it was in force and could be paid; a
    memory that began yesterday tells less than the books.
    """
    quiet = channel(0, fee_ppm=Ppm(100), traffic=traffic([]))

    def remembered(days: int) -> FeeMemory:
        tried = (Tried(fee_ppm=Ppm(400), live_s=days * DAY, count=2.5),)
        window = Window(fee_ppm=Ppm(100), live_s=DAY, count=3)
        belief = BeliefMemory(
            base_ppm=Ppm(100), tried=tried, window=window, judged_at=NOW, seen_at=NOW
        )
        return FeeMemory(belief=belief)

    assert sorted(trials(quiet, FIRST, remembered(20))) == [(100.0, 1.0, 3), (400.0, 20.0, 2.5)]
    assert trials(quiet, FIRST, remembered(2)) == trials(quiet, FIRST)


def test_hardly_anybody_pays_ten_times_what_everybody_can() -> None:
    """
    However steep demand may be, senders are not rich without end; but who was paid more keeps
    those who paid.
    """
    at_100, at_9000 = (
        fitted(
            snapshot(
                *(
                    channel(n, traffic=traffic([day(FIRST + d, 9, ppm, 9) for d in range(DAYS)]))
                    for n in range(2)
                )
            )
        )
        for ppm in (100, 9_000)
    )
    market = at_9000.drawn(0, 1)
    whole = slice(0, 48)

    assert at_100.drawn(0, 1).share(0, np.array([10_001.0]), whole) == 0
    assert market.per_day[0] * market.share(0, np.array([9_000.0]), whole)[0] == pytest.approx(
        9, rel=0.5
    )


def test_what_others_charge_moves_what_is_expected() -> None:
    """
    Without traffic of its own, a channel is expected to be worth what gossip says.
    """
    fit = fitted(snapshot(*(channel(n, market_ppm=ppm) for n, ppm in enumerate((20, 2000)))))
    markets = [fit.drawn(seed, 1) for seed in DRAWS]
    cheap, dear = (np.median([m.laws[n].middle_ppm for m in markets]) for n in (0, 1))

    assert cheap < 60
    assert dear > 400


def test_thin_data_is_said_to_be_thin() -> None:
    """
    Channels with fewer than 20 forwards are counted and named, those that cannot be used too.
    """
    busy = channel(0, traffic=traffic([day(FIRST, 30, 100)]))
    quiet = [channel(n, alias=f"Q{n}", traffic=traffic([])) for n in range(1, 6)]
    closing = channel(9, state="CHANNELD_SHUTTING_DOWN")

    thin, unusable = fitted(snapshot(busy, *quiet, closing)).warnings

    assert thin == (
        "thin data: fewer than 20 forwards by 5 of 6 channels (Q1, Q2, Q3 and 2 more), whose"
        " demand is little more than a guess"
    )
    assert unusable == "1 of 7 channels cannot be used now, and stay as they are"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_smallest_nodes_have_a_market_too(count: int) -> None:
    """
    Who has one channel forwards nothing; nobody at all has an empty market.
    """
    market = fitted(snapshot(*map(channel, range(count)))).drawn(0, 2)

    assert market.level.shape == (96, count)
    assert bool(market.per_day.any()) == (count > 1)


def test_a_seed_draws_the_same_market_each_time() -> None:
    """
    What is drawn depends on the snapshot and the seed alone.
    """
    one, same, other = (fitted(node(truths(0, 5), 0)).drawn(seed, 1) for seed in (3, 3, 4))

    assert one.laws == same.laws
    assert np.array_equal(one.ways, same.ways)
    assert one.laws != other.laws


def test_amounts_of_a_channel_are_its_own() -> None:
    """
    A channel of large payments is drawn large ones, and all together move what they moved.
    """
    sizes = (from_sats(10_000), from_sats(500_000))
    channels = [
        channel(n, traffic=traffic([day(FIRST + d, 40, 100, amount=sats) for d in range(DAYS)]))
        for n, sats in enumerate(sizes)
    ]
    fit = fitted(snapshot(*channels))

    small, large = fit.amounts.median_sat
    assert large / small == pytest.approx(50, rel=0.1)
    mean = np.exp(fit.amounts.sd**2 / 2)
    assert (small + large) / 2 * mean == pytest.approx(255_000, rel=0.05)
