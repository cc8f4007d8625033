"""The walk along refills: threads take turns at it, and each row is read once."""

import threading
from pathlib import Path

from revops.adapters.store import Store
from revops.core.refills import Move, Page
from revops.shell.refills import RefillWalk

US = "02" + "00" * 32
NOW = 1_795_000_000


class SlowNode:
    """
    A node of which each answer takes until the test lets go, and that has one move.
    """

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def moves(self, start: int, limit: int) -> Page[Move]:
        """
        Return what comes from row *start* on.
        """
        del limit
        self.asked.append(start)
        self.begun.set()
        assert self.let_go.wait(5)
        last = 1 if start == 1 else None
        return Page(rows=(), last=last, count=1 if last else 0, problems=())

    def last_move(self) -> int:
        """
        Return the number of the last row.
        """
        return 1


def test_whoever_comes_second_reads_on_where_the_first_got_to(tmp_path: Path) -> None:
    """
    Money and the books walk the same list: the second waits for its turn, and does not take the
    same rows again.
    """
    store, node = Store.open(tmp_path / "books.db"), SlowNode()
    walk = RefillWalk(node, store)
    threads = [threading.Thread(target=walk.catch_up, args=(US, NOW)) for _ in range(2)]
    threads[0].start()
    assert node.begun.wait(5)
    threads[1].start()
    threads[1].join(0.1)
    assert node.asked == [1]

    node.let_go.set()
    for thread in threads:
        thread.join(5)

    assert node.asked == [1, 2]
    store.close()
