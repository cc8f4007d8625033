"""The scenarios are what they say they are."""

import numpy as np
import pytest

from revops.simulate.arena.dice import Dice
from revops.simulate.arena.market import STEPS_A_DAY, market_of
from revops.simulate.arena.payments import Kind
from revops.simulate.arena.play import Observation, Orders, play
from revops.simulate.arena.rivals.still import Static
from revops.simulate.arena.scenarios import SCENARIOS
from revops.simulate.arena.tape import Tape, tape_of


def tape(name: str, seed: int = 0) -> Tape:
    return tape_of(SCENARIOS[name], seed)


def flows(name: str) -> tuple[np.ndarray, np.ndarray]:
    """
    Return what would leave and enter by each channel if nothing had a price, over six seeds.
    """
    volumes = sum(tape(name, seed).volumes.sum(axis=0) for seed in range(6))
    return volumes.sum(axis=0), volumes.sum(axis=1)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_has_its_size(name: str) -> None:
    """
    Twelve channels and 60 days, but for the large fleet; every one has payments for its channels.
    """
    scenario = SCENARIOS[name]
    found = tape(name)

    assert (found.channels, found.steps) == (scenario.channels, scenario.days * STEPS_A_DAY)
    assert scenario.channels == (200 if name == "large_fleet" else 12)
    assert len(found.payments) > 1000


def test_sinks_drain_and_sources_fill() -> None:
    """
    Eight channels would drain four to one in one scenario, and fill one to four in the other.
    """
    for name, low, high in (("steady_sink", 2.5, 6), ("steady_source", 1 / 6, 1 / 2.5)):
        left, entered = flows(name)
        assert low < left[:8].sum() / entered[:8].sum() < high


def test_balanced_flow_is_balanced_and_mixed_is_not() -> None:
    """
    Where flow is balanced what leaves comes back, within luck; where it is mixed channels differ.
    """
    (left, entered), (sent, came) = flows("bidirectional"), flows("mixed_20")

    assert np.abs(np.log(left / entered)).max() < 0.7
    assert np.abs(np.log(sent / came)).max() > 0.2


def test_an_exchange_has_most_of_the_volume_in_bursts() -> None:
    """
    One channel has 60 % of what moves, and its days differ far more than chance alone allows.
    """
    left, _ = flows("bursty_exchange")
    found = tape("bursty_exchange")
    days = np.bincount([(p.at // 86_400) for p in found.payments if p.out == 0])
    daily = days[days.nonzero()[0][0] :]

    assert 0.4 < left[0] / left.sum() < 0.8
    assert daily.var() / daily.mean() > 3


def test_nobody_comes_to_a_dead_channel() -> None:
    """
    Four channels have no payment at all.
    """
    used = {channel for p in tape("dead_channel").payments for channel in (p.into, p.out)}

    assert used == set(range(4, 12))


def test_a_regime_changes_on_one_day() -> None:
    """
    Before day 30 nothing moves; from then on every price and number is another.
    """
    market = tape("regime_change").market
    day = 30 * STEPS_A_DAY

    assert (market.level[:day] == 1).all()
    assert (market.level[day:] == market.level[day]).all()
    assert (market.level[day] != 1).all()
    assert (market.tempo[day] != market.tempo[0]).all()


def test_a_rival_undercuts_and_comes_back() -> None:
    """
    In a fee war a cheap channel loses most of its payments, and only where there is a rival.
    """
    found = tape("fee_war")
    lone = tape_of(SCENARIOS["regime_change"], 0)
    run = play(found, lambda _: Static(5))

    assert [anchor is not None for anchor in found.anchor_ppm] == [True] * 6 + [False] * 6
    assert not any(lone.anchor_ppm)
    willing = [
        sum(p.out == channel and p.reservation_ppm >= 5 for p in found.payments)
        for channel in range(12)
    ]
    sold = run.world.ledger.out_count
    assert sum(sold[:6]) / sum(willing[:6]) < sum(sold[6:]) / sum(willing[6:])


def test_the_mempool_spikes_once_and_one_sample_is_wrong() -> None:
    """
    On-chain fees rise sixteenfold on day 20, are back on day 23, and are tenfold once on day 40.
    """
    perkw = np.array(tape("mempool_spike").perkw)
    calm = np.median(perkw)

    assert perkw[21 * STEPS_A_DAY] > 8 * calm
    assert perkw[24 * STEPS_A_DAY] < 2 * calm
    glitch = perkw[40 * STEPS_A_DAY - 1 : 40 * STEPS_A_DAY + 2] / calm
    assert (glitch > 5).tolist() == [False, True, False]


def test_attackers_probe_drain_and_siphon() -> None:
    """
    200 probes a day fail, a drain leaves by the cheapest channel, and slots are held for a while.
    """
    found = tape("drain_probe")
    kinds = np.bincount([payment.kind for payment in found.payments])
    run = play(found, lambda _: Cheap(5))

    assert kinds[Kind.PROBE] / 60 == pytest.approx(200, rel=0.1)
    assert kinds[Kind.DRAIN] / 60 == pytest.approx(2, rel=0.3)
    assert max(map(max, found.held_slots)) == 483
    assert (
        run.world.ledger.depleted[5]
        > max(steps for channel, steps in enumerate(run.world.ledger.depleted) if channel != 5)
        * 0.9
    )


class Cheap:
    """
    Next to nothing on one channel, a lot on the others.
    """

    def __init__(self, channel: int) -> None:
        self.channel = channel

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices once.
        """
        fees = dict.fromkeys(range(len(seen.capacity)), 2000)
        return Orders(fees | {self.channel: 1} if not seen.step else {})


def test_seasons_have_days_and_weeks() -> None:
    """
    More comes at the height of the day than at its low, three times as much at the least.
    """
    hours = np.bincount([p.at % 86_400 // 3600 for p in tape("seasonal").payments], minlength=24)

    assert hours[6] > 2 * hours[18]


def test_a_cold_start_tells_nothing() -> None:
    """
    Gossip is silent, and yet payments can flow: a third of the channels were bought.
    """
    found = tape("cold_start")

    assert {price for day in found.market_ppm for price in day} == {None}
    assert found.local == found.capacity[:8] + (0,) * 4
    assert play(found, lambda _: Static(50)).world.ledger.income_msat > 0


def test_misspecified_demand_is_no_logit() -> None:
    """
    Cliffs, two kinds of senders, and nobody who pays more than 500 ppm.
    """
    found = tape("misspecified")
    market = found.market
    cliff = market.laws[0]
    middle = cliff.going_ppm

    assert cliff.share(np.array([middle * 0.7]))[0] > 0.98
    assert cliff.share(np.array([middle * 1.4]))[0] < 0.02
    assert max(payment.reservation_ppm for payment in found.payments) == 500


@pytest.mark.parametrize("name", ["mixed_20", "misspecified", "held_out", "large_fleet"])
def test_payments_follow_their_law(name: str) -> None:
    """
    The share of payments that would pay a price is what the demand curve says, within luck.
    """
    found = tape(name)
    prices = np.array([3.0, 30.0, 100.0, 300.0, 900.0])
    per_day = found.market.per_day
    busy = int(np.argmax(per_day))
    mine = np.array([p.reservation_ppm for p in found.payments if p.out == busy])
    drawn = np.array([(mine >= price).mean() for price in prices])
    told = found.market.share(busy, prices, slice(0, found.steps))

    assert drawn == pytest.approx(told, abs=0.06)


@pytest.mark.parametrize("name", SCENARIOS)
def test_demand_only_falls(name: str) -> None:
    """
    No demand curve rises with the price.
    """
    market = market_of(SCENARIOS[name], Dice(name, 1))
    prices = np.geomspace(1, 5000, 80)

    for law in market.laws:
        assert (np.diff(law.share(prices)) <= 1e-12).all()
