"""Options as operators write them: both spellings are read, everything else is named."""

from pathlib import Path

import pytest

from revops.core.option import ConfigError
from revops.simulate.settings import from_file, from_pairs


def test_pairs_go_by_the_option_s_own_name() -> None:
    """
    Dashes, underscores and the prefix name the same option, and the last value wins.
    """
    pairs = ["min_fee_ppm=1", "revenue-ops-min-fee-ppm=2", "min-fee-ppm = 3", "paused=true"]

    assert from_pairs(pairs) == {"min-fee-ppm": "3", "paused": "true"}


def test_every_wrong_pair_is_named() -> None:
    """
    What is no pair and what is no option get a sentence each, together.
    """
    with pytest.raises(ConfigError) as refused:
        from_pairs(["min-fee-ppm", "max-fee=7", "paused=true"])

    assert refused.value.problems == (
        "expected option=value, got 'min-fee-ppm'",
        "max-fee: there is no such option",
    )


def test_a_file_is_read_as_lightningd_does(tmp_path: Path) -> None:
    """
    Comments and empty lines are passed over; values keep their own equal signs.
    """
    file = tmp_path / "config"
    file.write_text(
        "# prices\n\nrevenue-ops-min-fee-ppm=25\n  revenue-ops-db-path=/data/a=b.db\n",
        encoding="utf-8",
    )

    assert from_file(file) == {"min-fee-ppm": "25", "db-path": "/data/a=b.db"}


def test_a_line_that_is_no_option_of_ours_is_refused(tmp_path: Path) -> None:
    """
    A file never changes less than it seems to: each line that sets nothing is named.
    """
    file = tmp_path / "config"
    file.write_text("min-fee-ppm=25\nrevenue-ops-paused\n", encoding="utf-8")

    with pytest.raises(ConfigError) as refused:
        from_file(file)

    assert refused.value.problems == (
        f"{file}: expected revenue-ops-option=value, got 'min-fee-ppm=25'",
        f"{file}: expected revenue-ops-option=value, got 'revenue-ops-paused'",
    )
