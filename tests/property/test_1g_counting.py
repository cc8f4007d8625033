"""§1 Counting: whatever happens to node, plugin and books, totals are those of a naive list."""

import copy
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from property.strategies import whole

from revops.adapters.errors import NoAnswerError
from revops.adapters.replies_forwards import forwards_of
from revops.adapters.store import Store
from revops.core.snapshot import Channel, Node
from revops.core.tally import size_of
from revops.core.units import DAY, HOUR
from revops.shell import forwards
from revops.shell.logs import logger

NOON = 20_000 * DAY + 12 * HOUR
HISTORY_DAYS = 8
CHANNELS = tuple(f"{number:064x}" for number in range(3))
SUMS = (
    *("in_count", "out_count", "in_msat", "out_msat", "earned_msat", "sourced_msat"),
    *("failed_count", "refused_count", "size_sum", "size_squares"),
)
AMOUNTS = whole(1, 10**9)
BETWEEN = st.permutations(range(3)).map(lambda order: order[:2])


class KilledError(BaseException):
    """
    The end of the process.
    """


class ListingNode:
    """
    A node that lists its forwards by their counters, and nothing else.
    """

    def __init__(self):
        self.rows = []
        self.last = {"created": 0, "updated": 0}
        self.trouble = None
        self.calls_left = 0

    def add(self, row):
        """
        List a new forward.
        """
        self.rows.append({**row, "created_index": self._next("created")})
        return self.rows[-1]

    def change(self, row, **fields):
        """
        Let a forward end.
        """
        row.update(fields, updated_index=self._next("updated"))

    def _next(self, index):
        self.last[index] += 1
        return self.last[index]

    def info(self):
        """
        Return who it is.
        """
        return Node(node_id="02" + "ab" * 32)

    def forwards(self, index, start, limit):
        """
        Return a page, unless there is trouble by now.
        """
        self.calls_left -= 1
        if self.trouble and self.calls_left < 0:
            raise self.trouble
        key = f"{index}_index"
        rows = [row for row in self.rows if row.get(key, 0) >= start]
        page = sorted(rows, key=lambda row: row[key])[:limit]
        return forwards_of({"forwards": copy.deepcopy(page)})

    def last_forward(self, index):
        """
        Return how far it has counted.
        """
        return self.last[index]


class Counting(RuleBasedStateMachine):
    """
    Forwards between three channels, counted in small turns that break off, while they end in any
    order, channels are spliced, the node forgets and is restored, and the books are cleaned up.
    """

    def __init__(self):
        super().__init__()
        self.usual = forwards.PAGE, forwards.PAGES
        self.directory = tempfile.TemporaryDirectory()
        self.store = Store.open(Path(self.directory.name) / "books.db")
        self.node = ListingNode()
        self.now = NOON
        self.scids = [f"{700_000 + number}x1x0" for number in range(3)]
        self.owners = {}
        # By channel and hour, what ended, and how many rows cannot be.
        self.ended = {}
        self.odd = 0
        self.kept_from = 0
        self.complete = False
        self.saved = None
        self.restart()
        self.know()

    @initialize(page=st.integers(1, 4), pages=st.integers(2, 4))
    def pages(self, page, pages):
        """
        Turns are small, so that there are many.
        """
        forwards.PAGE, forwards.PAGES = page, pages

    def teardown(self):
        """
        Leave nothing behind.
        """
        forwards.PAGE, forwards.PAGES = self.usual
        self.store.close()
        self.directory.cleanup()

    # What the node does --------------------------------------------------------------------

    @rule(seconds=whole(1, 3 * HOUR) | whole(1, 20 * DAY))
    def time_passes(self, seconds):
        """
        The clock goes on.
        """
        self.now += seconds

    @rule(between=BETWEEN, amount=AMOUNTS, fee=whole(0, 10**6))
    def offer(self, between, amount, fee):
        """
        A forward begins.
        """
        self.complete = False
        enters, leaves = between
        self.node.add(
            {
                "in_channel": self.scids[enters],
                "out_channel": self.scids[leaves],
                "in_msat": amount + fee,
                "out_msat": amount,
                "fee_msat": fee,
                "status": "offered",
                "received_time": self.now + 0.5,
            }
        )

    def offered(self):
        """
        Return what is under way.
        """
        return [row for row in self.node.rows if row["status"] == "offered"]

    @precondition(lambda self: self.offered())
    @rule(data=st.data(), status=st.sampled_from(("settled", "settled", "failed", "local_failed")))
    def end(self, data, status):
        """
        One of those under way ends, whichever.
        """
        self.complete = False
        row = data.draw(st.sampled_from(self.offered()))
        self.node.change(row, status=status, resolved_time=self.now + 0.25)
        if not row.get("was_restored"):
            self.expect(row)

    @rule(between=BETWEEN, amount=AMOUNTS)
    def refuse(self, between, amount):
        """
        A forward is refused on the spot, and never changes.
        """
        self.complete = False
        row = {
            "in_channel": self.scids[between[0]],
            "out_channel": self.scids[between[1]],
            "in_msat": amount,
            "status": "local_failed",
            "received_time": self.now,
        }
        self.expect(self.node.add(row))

    @rule(
        spoilt=st.sampled_from(
            (
                {"out_msat": 10**12},
                {"fee_msat": None},
                {"received_time": 0},
                {"in_msat": "much"},
                {"status": "lost"},
                {"resolved_time": -1},
            )
        ),
        on_the_spot=st.booleans(),
    )
    def cannot_be(self, spoilt, on_the_spot):
        """
        The database holds a row that cannot be.
        """
        self.complete = False
        row = {
            "in_channel": self.scids[0],
            "out_channel": self.scids[1],
            "in_msat": 1001,
            "out_msat": 1000,
            "fee_msat": 1,
            "status": "settled",
            "received_time": self.now,
            "resolved_time": self.now,
        }
        row = self.node.add(row)
        if not on_the_spot:
            self.node.change(row)
        row.update(spoilt)
        self.odd += 1

    @precondition(lambda self: self.complete)
    @rule(share=st.integers(1, 3))
    def autoclean(self, share):
        """
        The node forgets what has ended.
        """
        self.node.rows = [
            row
            for row in self.node.rows
            if row["status"] == "offered" or row["created_index"] % 3 >= share
        ]

    @rule(number=st.integers(0, 2))
    def splice(self, number):
        """
        A channel gets another short channel id.
        """
        block, *rest = self.scids[number].split("x")
        self.scids[number] = "x".join((str(int(block) + 10), *rest))
        self.know()

    # What the operator does ----------------------------------------------------------------

    @precondition(lambda self: self.complete)
    @rule()
    def save(self):
        """
        The node's database is saved.
        """
        self.saved = copy.deepcopy((self.node.rows, self.node.last))

    @precondition(lambda self: self.complete and self.saved)
    @rule()
    def restore(self):
        """
        The node's database is set back; what was under way in there has been counted already, or
        nobody will ever know.
        """
        beyond = self.node.last != self.saved[1]
        self.node.rows, self.node.last = copy.deepcopy(self.saved)
        self.restart()
        self.count_all()
        assert bool(self.forwards.notice) == beyond
        if beyond:
            for row in self.offered():
                row["was_restored"] = True

    def restart(self):
        """
        The plugin starts, with nothing but the books.
        """
        self.forwards = forwards.Forwards(
            self.node, self.store, lambda: HISTORY_DAYS, logger(lambda *_: None)
        )

    @rule()
    def reopen(self):
        """
        The plugin is stopped and started.
        """
        path = self.store.path
        self.store.close()
        self.store = Store.open(path)
        self.restart()

    # What the plugin does ------------------------------------------------------------------

    def make_turn(self):
        """
        Count; what ended before the history that is kept goes to its day alone.
        """
        self.kept_from = max(self.kept_from, self.now // HOUR - HISTORY_DAYS * 24)
        return self.forwards.turn(self.now)

    @rule()
    def turn(self):
        """
        Some pages are counted.
        """
        self.node.trouble = None
        self.complete = self.make_turn()

    @rule(calls=st.integers(0, 5), killed=st.booleans())
    def turn_that_breaks_off(self, calls, killed):
        """
        The node falls silent in the middle of a turn, or the plugin is killed there.
        """
        self.node.trouble = KilledError() if killed else NoAnswerError("silence")
        self.node.calls_left = calls
        try:
            self.complete = self.make_turn()
        except (KilledError, NoAnswerError):
            if killed:
                self.restart()
        self.node.trouble = None

    @rule()
    def count_all(self):
        """
        Turn after turn is made until nothing is left.
        """
        self.node.trouble = None
        while not self.make_turn():
            pass
        self.complete = True

    @rule()
    def forget(self):
        """
        What is old is deleted.
        """
        while self.store.upkeep.forget(self.now - HISTORY_DAYS * DAY):
            pass
        self.kept_from = max(self.kept_from, self.now // HOUR - HISTORY_DAYS * 24)

    # What must hold ------------------------------------------------------------------------

    def know(self):
        """
        Tell the books whose the short channel ids are.
        """
        for number, scid in enumerate(self.scids):
            self.owners[scid] = CHANNELS[number]
        self.store.know_channels(
            [
                Channel(
                    channel_id=CHANNELS[number],
                    scid=scid,
                    peer_id="02" + "ab" * 32,
                    state="CHANNELD_NORMAL",
                    capacity_msat=10**12,
                    to_us_msat=0,
                    spendable_msat=0,
                    receivable_msat=0,
                    fee_ppm=1,
                    base_fee_msat=0,
                )
                for number, scid in enumerate(self.scids)
            ],
            self.now,
        )

    def expect(self, row):
        """
        Count *row*, naively.
        """
        hour = int(row.get("resolved_time", row["received_time"])) // HOUR
        enters, leaves = (self.owners[row[name]] for name in ("in_channel", "out_channel"))
        into = self.ended.setdefault((enters, hour), Counter())
        out = self.ended.setdefault((leaves, hour), Counter())
        if row["status"] == "settled":
            size = size_of(row["out_msat"])
            into.update(in_count=1, in_msat=row["in_msat"], sourced_msat=row["fee_msat"])
            out.update(out_count=1, out_msat=row["out_msat"], earned_msat=row["fee_msat"])
            out.update(size_sum=size, size_squares=size * size)
        else:
            out["failed_count" if row["status"] == "failed" else "refused_count"] += 1

    def naive(self, length, first=0):
        """
        Return the naive sums by channel and span of *length* hours, without those of nothing.
        """
        sums = {}
        for (channel_id, hour), counts in self.ended.items():
            if hour >= first:
                sums.setdefault((channel_id, hour // length), Counter()).update(counts)
        return {key: counts for key, counts in sums.items() if any(counts.values())}

    def booked(self, query, first=0):
        """
        Return what the books hold by channel and start.
        """
        columns = ", ".join(f"sum({name})" for name in SUMS)
        rows = self.store._read(
            lambda books: books.execute(
                f"SELECT channel_id, start, {columns} FROM forward_stats"  # noqa: S608 -- the test's own words
                " JOIN channel_scids USING (scid) WHERE span = ? AND start >= ?"
                " GROUP BY channel_id, start",
                (query, first),
            ).fetchall()
        )
        return {
            (owner, start): +Counter(dict(zip(SUMS, sums, strict=True)))
            for owner, start, *sums in rows
        }

    @invariant()
    def nothing_is_counted_twice(self):
        """
        At any moment, no sum of the books is above the naive one.
        """
        naive = self.naive(24)
        for key, counts in self.booked("day").items():
            assert counts <= naive[key]
        assert self.store.books().quarantined <= self.odd

    @precondition(lambda self: self.complete)
    @invariant()
    def complete_books_hold_everything_once(self):
        """
        Whenever the walk has come to its end, days and hours, totals and what was quarantined are
        the naive ones.
        """
        assert self.booked("day") == self.naive(24)
        kept = self.kept_from
        assert self.booked("hour", kept) == self.naive(1, kept)
        assert self.store.books().quarantined == self.odd
        (life,) = self.store._read(
            lambda books: books.execute(
                "SELECT sum(in_msat), sum(out_msat), sum(earned_msat), sum(sourced_msat),"
                " sum(out_count) FROM forward_totals"
            ).fetchall()
        )
        totals = sum(self.naive(24).values(), Counter())
        names = ("in_msat", "out_msat", "earned_msat", "sourced_msat", "out_count")
        assert tuple(value or 0 for value in life) == tuple(totals[name] for name in names)
        assert totals["in_msat"] - totals["out_msat"] == totals["earned_msat"]


TestCounting = Counting.TestCase
TestCounting.settings = settings(stateful_step_count=40)
