"""The band of a backtest holds what truly happened: a small part of the calibration."""

from bench.calibrate_backtest import STILL, World, row, table, told

WORLDS = [World("balanced_20", 500 + number, *pair) for number in range(2) for pair in STILL]


def test_the_band_holds_the_truth_about_as_often_as_it_says() -> None:
    """
    Of four worlds, three or four: `docs/backtest.md` has the whole table.
    """
    found = [told(world, days=8, runs=9) for world in WORLDS]

    assert sum(one.held for one in found) in (3, 4), "\n".join(table(found))
    assert all(abs(one.replayed - 1) < 0.01 for one in found), row("all", found)
