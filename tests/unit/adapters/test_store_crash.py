"""Crashes: after kill -9 at any moment the books hold whole transactions and nothing else."""

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from unit.adapters.store_examples import (
    NOW,
    channel,
    channel_id,
    decision,
    forward,
    plan,
    remembered,
    set_fee,
    take,
)

from revops.adapters.store import Store
from revops.core.memory import Memory
from revops.core.outcomes import Applied

CHANNELS = 40
PAGE = 10
DELAYS = (0.0, 0.011, 0.047)
_HERE = Path(__file__)
_TESTS = _HERE.parents[2]


def take_pages(path):
    """
    Enter page after page of forwards until killed.
    """
    with closing(Store.open(path)) as store:
        store.know_channels([channel(1), channel(2)], NOW)
        while True:
            done = store.cursors().get("forwards.updated", 0)
            page = [forward(done + index) for index in range(1, PAGE + 1)]
            take(store, page, **{"forwards.updated": done + PAGE})
            print(done, flush=True)  # noqa: T201 -- tells the test that it runs


def run_cycles(path):
    """
    Write down cycle after cycle, and settle what it decided, until killed.
    """
    with closing(Store.open(path)) as store:
        at = store.load_memory().at or 0
        while True:
            at += 1
            memory = [remembered(number, at=at) for number in range(CHANNELS)]
            decisions = [decision(n, set_fee(n, new_ppm=at)) for n in range(CHANNELS)]
            entries = store.write_down(plan(*decisions, at=at, channels=memory), memory)
            applied = Applied(fee_ppm=at, base_fee_msat=0)
            store.settle([(entry.entry_id, applied) for entry in entries], at)
            print(at, flush=True)  # noqa: T201 -- tells the test that it runs


def kill_amid(work, path, delay, module=_HERE.stem):
    """
    Start *work* of *module* on the books in a process of its own and kill it *delay* seconds into
    it.
    """
    code = (
        f"import sys; sys.path.insert(0, {str(_TESTS)!r});"
        f"from unit.adapters.{module} import {work.__name__} as work;"
        f"from pathlib import Path; work(Path({str(path)!r}))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline()
            time.sleep(delay)
        finally:
            process.kill()
    assert process.returncode == -9


def test_cursors_and_sums_agree(tmp_path):
    """A page is counted together with the cursor behind it, or neither is."""
    path = tmp_path / "books.db"
    for delay in DELAYS:
        kill_amid(take_pages, path, delay)

        with closing(Store.open(path)) as store:
            position = store.cursors()["forwards.updated"]
            traffic = store.traffic(NOW, 7, Memory())[channel_id(2)]
            assert traffic.out_count == position > 0
            assert sum(day.out_msat for day in traffic.days) == position * 1000
            assert sum(hour.out_count for hour in traffic.hours) == position


def test_a_cycle_is_written_down_whole(tmp_path):
    """Memory, decisions, journal and the time of the cycle are all of the same cycle."""
    path = tmp_path / "books.db"
    for delay in DELAYS:
        kill_amid(run_cycles, path, delay)

        with closing(Store.open(path)) as store:
            memory = store.load_memory()
            assert len(memory.channels) == CHANNELS
            assert {item.last_seen_at for item in memory.channels} == {memory.at}
            assert store.last_cycle()[0] == memory.at
            last = [store.last_decisions(channel_id(number)) for number in range(CHANNELS)]
            assert {row.decision.action.new_ppm for (row,) in last} == {memory.at}
            counts = store._read(_count)
            assert counts == (memory.at * CHANNELS, len(store.fee_changes(10**6)))


def _count(connection):
    return connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE state = 'applied') FROM journal"
    ).fetchone()
