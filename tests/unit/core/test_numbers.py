"""Numbers: the formulas of the design, worked out by hand."""

import pytest
from property.trails import bounds, fact, fee
from property.world import START, decided, forwarded, quiet_channel

from revops.core.config import Config
from revops.core.fees import scarcity, vegas
from revops.core.fees.band import dead_band
from revops.core.fees.floors import expected_volume
from revops.core.fees.rails import ladder, rung_of
from revops.core.reasons import Code
from revops.core.snapshot import FeerateSample, Refills, Traffic
from revops.core.units import (
    DAY,
    HOUR,
    Scid,
    fee_msat,
    nearest_ppm,
    sats_down,
    sats_up,
    scid_key,
    split,
)


def test_the_fee_of_bolt_7():
    """
    The example of BOLT #7: 5 msat and 1000 ppm over 4 999 999 msat are 5004 msat.
    """
    assert fee_msat(4_999_999, 1000, 5) == 5004


def test_roundings_by_name():
    """
    1001 msat are 2 sat of cost and 1 sat of income; 0.5 ppm is 1 ppm.
    """
    assert (sats_up(1001), sats_down(1001)) == (2, 1)
    assert (sats_up(-1001), sats_down(-1001)) == (-1, -2)
    assert nearest_ppm(0.5) == 1


def test_a_split_gives_the_remainder_to_the_largest_fraction():
    """
    100 by 1:1:1 is 34, 33, 33; 10 by 1:2 is 3, 7.
    """
    assert split(100, [1, 1, 1]) == (34, 33, 33)
    assert split(10, [1, 2]) == (3, 7)
    assert split(0, [1, 2]) == (0, 0)
    assert split(2, [1, 2]) == (1, 1)
    assert split(7, [1]) == (7,)


def test_short_channel_ids_sort_by_their_numbers():
    """
    Block 9 is before block 10, and a channel without an id comes last.
    """
    scids = [None, Scid("10x1x0"), Scid("9x200x1"), Scid("9x30x1")]
    assert sorted(scids, key=scid_key) == ["9x30x1", "9x200x1", "10x1x0", None]
    assert sorted([None, "900000x1x0"], key=scid_key) == ["900000x1x0", None]


@pytest.mark.parametrize(
    ("share", "factor"), [(0.5, 1), (0.35, 1), (0.175, 3**0.5), (0.0, 3), (0.07, 3**0.8)]
)
def test_scarcity_by_share(share, factor):
    """
    With the threshold at 35 %: half of it left costs 1.73 times, nothing left three times.
    """
    assert scarcity.multiplier(share, 0.35) == pytest.approx(factor)


@pytest.mark.parametrize(("intensity", "factor"), [(0, 1), (0.25, 2), (1, 3)])
def test_the_reflex_by_intensity(intensity, factor):
    """
    The floor rises by 1 + 2·√intensity.
    """
    assert vegas.multiplier(intensity) == factor


@pytest.mark.parametrize(("ppm", "band"), [(0, 1), (10, 1), (99, 3), (100, 5), (500, 15)])
def test_the_dead_band_by_fee(ppm, band):
    """
    3 % rounded up, at least 1 ppm below 100 and 5 above.
    """
    assert dead_band(ppm) == band


def test_rungs_of_a_million():
    """
    The ladder halves every two rungs; what can be sent is rounded down to it.
    """
    assert [ladder(1_000_000, rung) for rung in range(5)] == [
        1_000_000,
        707_106,
        500_000,
        353_553,
        250_000,
    ]
    assert rung_of(1_000_000, 1_000_000) == 0
    assert rung_of(1_000_000, 999_999) == 1
    assert rung_of(1_000_000, 0) == 12


def test_the_volume_of_a_channel_without_history():
    """
    Without evidence a channel is expected to turn its capacity over once a month.
    """
    assert expected_volume(None, 5_000_000_000, 7) == pytest.approx(12 * 5_000_000_000)


def test_a_chain_floor_by_hand():
    """
    340 vB at 5 sat/vB are 1700 sat; a channel of 100 000 sat that is expected to route 1.2 M sat
    needs 1417 ppm for that.
    """
    channel = quiet_channel(capacity_msat=100_000_000)
    decision = decided(channel, feerates=[FeerateSample(at=START, perkw=1250)])

    assert fact(decision, "cost_msat", Code.CHAIN_FLOOR) == 1_700_000
    assert fact(decision, "floor", Code.CHAIN_FLOOR) == pytest.approx(1417, abs=1)


def test_a_refill_floor_by_hand():
    """
    Refills of 1 M sat that took 200 sat cost 200 ppm; a draining channel asks 240.
    """
    hours = [forwarded(START // HOUR - age, 5, 50_000_000) for age in range(1, 20)]
    channel = quiet_channel(
        fee_ppm=100,
        refills=Refills(count=4, amount_msat=1_000_000_000, cost_msat=200_000),
        traffic=Traffic(since=0, until=START, hours=hours, last_out_at=START - HOUR),
    )
    decision = decided(channel)

    assert bounds(decision) == (240, 5000)
    # Half of 100 ppm or 100 ppm a cycle, but the floor binds at once.
    assert fee(decision, 100) == 240


def test_a_stale_price_by_hand():
    """
    900 ppm that nobody paid for eight days, under a ceiling of 1000, come down to 500.
    """
    traffic = Traffic(since=0, until=START, out_count=1, last_out_at=START - 8 * DAY)
    decision = decided(quiet_channel(fee_ppm=900, traffic=traffic), Config(max_fee_ppm=1000))

    assert bounds(decision) == (10, 500)
    assert fee(decision, 900) == 500
