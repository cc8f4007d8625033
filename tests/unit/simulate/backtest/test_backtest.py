"""A node's past is played again: as it was, it earns what it did."""

import statistics

import attrs
import numpy as np
from unit.simulate.backtest.pasts import SINCE, forward, past, place, there_and_back

from revops.core.config import configured
from revops.core.units import DAY, Instant, Msat, from_sats
from revops.simulate.backtest.backtest import AS_IT_WAS, AS_SET, Backtest, backtest
from revops.simulate.backtest.history import History, Moved
from revops.simulate.workers import alone

STILL = {"min-fee-ppm": "300", "max-fee-ppm": "300", "authority": "act"}


def played(history: History, runs: int = 3, **options: str) -> Backtest:
    """
    Return a backtest of *history* under some *options*.
    """
    config = configured({name.replace("_", "-"): text for name, text in options.items()})
    sides = {AS_SET: config, AS_IT_WAS: None}
    with alone() as executor:
        return backtest(history, sides, runs=runs, seed=0, executor=executor)


def earned(found: Backtest, side: str) -> list[int]:
    """
    Return what a side earned in each run.
    """
    (lives,) = [each.lives for each in found.replays.sides if each.name == side]
    return [sum(life.income_msat) for life in lives]


def test_as_it_was_the_node_earns_what_it_did() -> None:
    """
    Nothing is lost: each forward is played, at what it paid.
    """
    history = past(there_and_back())

    assert set(earned(played(history), AS_IT_WAS)) == {history.earned_msat}


def test_refills_are_played_and_paid_as_they_were() -> None:
    """
    What was moved moves on every side, and what it cost is in the books.
    """
    refill = Moved(Instant(SINCE + DAY), 2, 0, from_sats(100_000), from_sats(20))
    history = past(there_and_back(), moves=[refill])
    found = played(history)

    spent = {sum(life.spent_msat) for side in found.replays.sides for life in side.lives}
    assert spent == {from_sats(20)}


def test_the_same_seed_gives_the_same_answer() -> None:
    """
    A backtest is played again bit for bit.
    """
    history = past(there_and_back())

    assert played(history).replays == played(history).replays


def test_a_dearer_price_loses_forwards() -> None:
    """
    Not everybody who paid 100 ppm pays 300.
    """
    history = past(there_and_back(days=6), 6)
    found = played(history, runs=5, min_fee_ppm="300", max_fee_ppm="300")
    moved = {
        side.name: statistics.fmean(sum(p.out_msat for p in life.paths) for life in side.lives)
        for side in found.replays.sides
    }

    assert moved[AS_SET] < 0.9 * moved[AS_IT_WAS]


def test_thin_data_is_said_to_be_thin() -> None:
    """
    A few forwards at one price tell next to nothing, and the answer says so.
    """
    words = " ".join(played(past([forward(5, 0, 1)], days=2)).replays.warnings)

    assert "thin data: fewer than 20 forwards left by 3 of 3 channels" in words
    assert "the price hardly ever changed on 3 of 3 channels" in words
    assert "learning a price takes weeks" in words


def test_prices_that_changed_teach() -> None:
    """
    Where payments were seen to mind prices, less is taken from what is usual on the network.
    """
    cheap, dear = there_and_back(days=20, ppm=50), there_and_back(days=20, ppm=400)
    half = SINCE + 10 * DAY
    rows = [row for row in cheap if row.at < half]
    rows += [row for number, row in enumerate(dear) if row.at >= half and number % 3 == 0]
    places = [place(number, fee_ppm=400) for number in range(3)]
    varied, still = past(rows, 20, places=places), past(there_and_back(days=20), 20)

    assert played(varied, 1).learned > played(still, 1).learned + 0.2


def test_without_balances_each_run_draws_its_own() -> None:
    """
    What nobody knows is different from run to run.
    """
    history = past(there_and_back())
    blind = attrs.evolve(
        history,
        places=[p if p.outside else attrs.evolve(p, local_msat=None) for p in history.places],
    )
    lives = [side.lives for side in played(blind).replays.sides if side.name == AS_IT_WAS]

    assert len({life.paths[0].local_share[0] for life in lives[0]}) == 3


def test_a_channel_that_paid_for_itself_is_not_lost() -> None:
    """
    Amounts beyond all that is known of the channel's balance are played too.
    """
    history = past(
        [forward(1, 0, 1, amount=Msat(3_500_000_000)), forward(2, 0, 1, amount=from_sats(9000))],
        places=[place(0), place(1, local_msat=from_sats(50_000)), place(2)],
    )
    income = earned(played(history, 1), AS_IT_WAS)

    assert np.isfinite(income).all()
    assert income[0] <= history.earned_msat
