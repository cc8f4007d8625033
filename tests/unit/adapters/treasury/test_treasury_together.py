"""The treasury book under many hands, over years, and from before it was there."""

import sqlite3
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context

from unit.adapters.store_examples import NOW
from unit.adapters.treasury.examples import LIMIT, about, attempt, begin, read, rows, sides

from revops.adapters.store import Store
from revops.core.budget import Limits


def compete(path, first, barrier=None):
    """
    Order rebalances of fifty channels, and return how many may begin.
    """
    with closing(Store.open(path)) as store:
        if barrier:
            barrier.wait()
        limits = Limits(day_msat=20 * LIMIT, week_msat=10**9)
        return sum(
            store.treasury.order(about(number), limits, NOW, dry_run=False) is not None
            for number in range(first, first + 50)
        )


def test_threads_that_race_reserve_no_more_than_there_is(store, path):
    """
    Four workers with books of their own together begin what fits, exactly.
    """
    begun = []
    barrier = threading.Barrier(4)
    workers = [
        threading.Thread(target=lambda n=n: begun.append(compete(path, n * 100, barrier)))
        for n in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(begun) == 20
    assert store.treasury.spending(NOW).held_msat == 20 * LIMIT


def test_processes_that_race_reserve_no_more_than_there_is(store, path):
    """
    So do two processes.
    """
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        begun = list(processes.map(compete, [path] * 2, [100, 200]))

    assert sum(begun) == 20
    assert store.treasury.spending(NOW).held_msat == 20 * LIMIT


def steps(store, ask):
    """
    Return how SQLite goes about what *ask* asks for.
    """

    def listen(books, statements=None):
        books.set_trace_callback(statements.append if statements is not None else None)

    asked = []
    store._read(listen, asked)
    ask()
    store._read(listen)
    queries = [query for query in asked if query.lstrip().startswith("SELECT")]
    assert queries
    return [step for query in queries for *_, step in rows(store, f"EXPLAIN QUERY PLAN {query}")]


def test_years_of_rebalances_are_no_burden(store):
    """
    What commands and cycles ask for is looked up: nothing goes through all that ever was.
    """
    begin(store, 1)
    book = store.treasury
    asked = [
        *steps(store, book.open),
        *steps(store, lambda: book.attempts(NOW)),
        *steps(store, lambda: book.spending(NOW)),
        *steps(store, lambda: book.unpaired(attempt(store, 1))),
    ]
    scans = {step for step in asked if step.startswith("SCAN")}

    assert scans == {"SCAN reservations USING INDEX reservations_open"}
    (scan,) = (s for s in steps(store, lambda: book.recent(5)) if s.startswith("SCAN"))
    assert scan == "SCAN rebalance_log"  # from its end, as far as it is asked


def test_books_from_before_rebalancing_know_no_rebalance(path):
    """
    Refills that were in the books belong to none, and stay what they were.
    """
    with closing(Store.open(path)) as store:
        read(store, *sides(1))
    with closing(sqlite3.connect(path)) as books:
        assert books.execute("SELECT rebalance_id, fee_msat FROM refills").fetchall() == [
            (None, 8500)
        ]
