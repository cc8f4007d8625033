"""A soak: the longer revops runs, the more it has done, and not the more memory it takes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

DAYS: Final = os.environ.get("SOAK_DAYS", "0.5")
SOAK: Final = Path(__file__).with_name("soak.py")
MOST_KB: Final = 6_000


def test_memory_is_flat() -> None:
    """
    After a first quarter of the time, in which all is met for the first time, memory does not
    grow: not with cycles, with forwards or with rebalances.
    """
    command = [sys.executable, SOAK, "--days", DAYS, "--parts", "4"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    warm, *_, last = map(json.loads, run.stdout.splitlines())

    assert last["rss_kb"] - warm["rss_kb"] < MOST_KB
    assert last["forwards"] > warm["forwards"]
    assert last["fee changes"] > 0
    assert last["rebalances"] > 0
