"""What a fake sling works on: circles paid at a market's price, as its state tells them."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import attrs
from fake_circular import PAID, Circle, Circulation, Fate
from fake_sling_orders import Order

if TYPE_CHECKING:
    from fakes import FakeNode

Pair = tuple[str, str]
"""The channel that gives, and the one that is filled."""

READY = {"CHANNELD_NORMAL", "CHANNELD_AWAITING_SPLICE"}
MOST_HTLCS = 5
LONG, SHORT = 600, 1


class StillAtWorkError(Exception):
    """
    What is to be stopped waits for a payment.
    """


@attrs.define(kw_only=True, eq=False)
class Task:
    """
    What sling lists; *once* stays with it as long as it is listed, as does a word to stop.
    """

    once: bool
    state: str = "Starting"
    active: bool = True
    should_stop: bool = False


@attrs.define(kw_only=True, eq=False)
class Run:
    """
    What really works on an order, led by the task that is listed for its channel.

    Attributes:
        left: What a once-job has yet to move; `None` for ever.
        wakes: When it has slept.
        paying: Its payment under way.
    """

    order: Order
    left: int | None
    wakes: int
    paying: Circle | None = None


class SlingAtWork:
    """
    The half of sling that works.

    Attributes:
        now: Its seconds: they pass by `pass_time` alone.
        clock: What the node dates its rows by.
        market: What a route from one channel of ours to another costs, in ppm; `None` for none.
        usual_ppm: What it costs where the market says nothing.
        fate: What becomes of the next payment of a pair.
        timeout_s: How long a payment is waited for before it is forgotten.
        sendpay_fails: lightningd does not take its payments.
        forgets: It cannot write down what it moved.
        jobs: Those that it keeps for ever.
        sent: Every payment so far, with what ordered it.
        successes: What it believes to have moved, by channel.
    """

    def __init__(self, node: "FakeNode") -> None:
        self._node = node
        self.now = node.now
        self.clock: Callable[[], int] = lambda: self.now
        self.market: dict[Pair, int | None] = {}
        self.usual_ppm: int | None = 100
        self.fate: Callable[[Pair], Fate] = lambda _pair: PAID
        self.timeout_s = 120
        self.sendpay_fails = False
        self.forgets = False
        self.jobs: dict[str, Order] = {}
        self.sent: list[tuple[Order, Circle]] = []
        self.successes: dict[str, list[Circle]] = {}
        self.circulation = Circulation(node.info["id"], node.books)
        self._tasks: dict[str, Task] = {}
        self._runs: list[Run] = []
        self._bans: dict[str, int] = {}
        self._halting = False

    def _second(self) -> None:
        self.now += 1
        self.circulation.pass_by(self.now, self.clock())
        for run in list(self._runs):
            self._go_on(run)

    def _forget_work(self) -> None:
        for circle in self.circulation.under_way:
            circle.known = False
        self._tasks, self._runs, self._bans, self._halting = {}, [], {}, False

    def _run(self, order: Order, *, once: bool) -> None:
        if order.direction == "push" or (order.parallel or 1) > 1:
            raise NotImplementedError(order)
        task = self._tasks.setdefault(order.scid, Task(once=once))
        task.state, task.active, task.should_stop = "Starting", True, False
        self._runs.append(Run(order=order, left=order.once, wakes=self.now))

    def _halt(self, scids: Iterable[str]) -> None:
        """
        Stop the tasks of *scids*, asked again until they are; what sleeps says that it ended an
        instant before it does.
        """
        tasks = {scid: self._tasks[scid] for scid in scids if scid in self._tasks}
        for task in tasks.values() if not self._halting else ():
            task.state, task.should_stop = "Stopping", True
        for run in self._runs:
            task = tasks.get(run.order.scid)
            if task and task.active and not self._waits(run):
                if run.paying:
                    self._take(run, task)
                task.state, task.active = "Stopped", False
        self._halting = any(task.active for task in tasks.values())
        if self._halting:
            raise StillAtWorkError

    def _go_on(self, run: Run) -> None:
        task = self._tasks.get(run.order.scid)
        if task is None:
            self._runs.remove(run)
            return
        if self._waits(run):
            return
        if run.paying:
            self._take(run, task)
        if task.should_stop:
            task.state, task.active = "Stopped", False
            self._runs.remove(run)
        elif run.left is not None and run.left < run.order.amount:
            task.state, task.active = "Balanced", False
            self._runs.remove(run)
        elif self.now >= run.wakes:
            task.state, rest = self._try(run, task)
            run.wakes = self.now + rest

    def _waits(self, run: Run) -> bool:
        paying = run.paying
        if paying is None or paying.status != "pending":
            return False
        return self.now - paying.begun < self.timeout_s

    def _take(self, run: Run, task: Task) -> None:
        circle, run.paying = run.paying, None
        if circle.status != "complete":
            circle.known = False
            return
        if self.forgets:
            # What it cannot write down it counts as failed, and goes on though it says it ended.
            task.state, task.active = "Error", False
            return
        self.successes.setdefault(run.order.scid, []).append(circle)
        if run.left is None:
            run.wakes = self.now + SHORT
        else:
            run.left -= run.order.amount

    def _try(self, run: Run, task: Task) -> tuple[str, int]:
        order = run.order
        target = self._channel(order.scid)
        if target is None or target["state"] not in READY:
            task.should_stop = True
            return "Error", SHORT
        if target["receivable_msat"] < order.amount or self._is_full(run, target):
            return "Balanced", LONG
        if len(target.get("htlcs", ())) > MOST_HTLCS:
            return "HTLCcapped", 10
        if not target["peer_connected"]:
            return "Disconnected", 60
        if self.sendpay_fails:
            task.active = False
            return "Error", SHORT
        return self._pay(run, target)

    def _is_full(self, run: Run, target: dict[str, Any]) -> bool:
        share = 0.5 if run.order.target is None else run.order.target
        return run.left is None and target["to_us_msat"] >= int(target["total_msat"] * share)

    def _pay(self, run: Run, target: dict[str, Any]) -> tuple[str, int]:
        order = run.order
        rest = LONG if run.left is None else SHORT
        candidates = [channel for channel in self._node.channels if self._may_give(channel, order)]
        if not candidates:
            return "NoCandidates", rest
        routes = sorted(
            (ppm, channel["short_channel_id"])
            for channel in candidates
            if (ppm := self._cost(channel, order)) is not None
        )
        if not routes:
            return "NoRoutes", rest
        ppm, scid = routes[0]
        fee = -(-order.amount * ppm // 1_000_000)
        if -(-fee * 1_000_000 // order.amount) > order.maxppm:
            return "NoCheapRoute", LONG
        source = self._channel(scid)
        if source["spendable_msat"] < order.amount + fee:
            self._bans[scid] = self.now + LONG
        run.paying = self.circulation.send(
            (source, target),
            (order.amount, fee),
            self.fate((scid, order.scid)),
            self.now,
            self.clock(),
        )
        self.sent.append((order, run.paying))
        return "Rebalancing", 0

    def _cost(self, source: dict[str, Any], order: Order) -> int | None:
        # Nothing is known of what a channel holds: half of what it lets through is believed.
        if source["maximum_htlc_out_msat"] < 2 * order.amount:
            return None
        return self.market.get((source["short_channel_id"], order.scid), self.usual_ppm)

    def _may_give(self, channel: dict[str, Any], order: Order) -> bool:
        scid = channel.get("short_channel_id")
        if scid in (None, order.scid) or (order.candidates and scid not in order.candidates):
            return False
        if scid in self._excluded(order) or self._bans.get(scid, 0) > self.now:
            return False
        if channel["state"] not in READY or not channel["peer_connected"]:
            return False
        keep_share = 0.2 if order.keep_share is None else order.keep_share
        keep = 2_000_000_000_000 if order.keep is None else order.keep
        kept = min(int(keep_share * channel["total_msat"]), keep)
        return (
            "remote" in channel.get("updates", {})
            and channel["to_us_msat"] > max(order.amount + 10_000_000, kept)
            and len(channel.get("htlcs", ())) <= MOST_HTLCS
        )

    def _excluded(self, order: Order) -> set[str]:
        return {scid for scid, job in self.jobs.items() if job.direction == order.direction}

    def _channel(self, scid: str) -> dict[str, Any] | None:
        found = (c for c in self._node.channels if c.get("short_channel_id") == scid)
        return next(found, None)
