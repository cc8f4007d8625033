"""sling with state: it pays in circles as v4.2.1 does, refuses and errs as that does."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import attrs
from fake_sling_orders import Order, SlingRefusalError, demand, order_of, scid_of
from fake_sling_work import READY, SlingAtWork, StillAtWorkError

if TYPE_CHECKING:
    from fakes import FakeNode


class SilentSlingError(Exception):
    """
    No answer: the call waits for the lock, and is carried out though nobody waits for it any more.
    """


@attrs.define(kw_only=True, eq=False)
class _Call:
    """
    A call before the lock, and what it came to.
    """

    method: str
    params: Any
    over: bool = False
    reply: Any = None
    refusal: SlingRefusalError | None = None


class FakeSling(SlingAtWork):
    """
    The plugin sling, on a node.

    Attributes:
        there: Whether lightningd knows it.
        version: As it tells it.
        patience_s: How long whoever asks waits for his turn, in sling's seconds.
        lock_held_until: Until then it carries nothing out; what is asked waits.
    """

    def __init__(self, node: "FakeNode") -> None:
        super().__init__(node)
        self.there = True
        self.version = "v4.3.1"
        self.patience_s = 0
        self.lock_held_until = node.now
        self._queue: deque[_Call] = deque()
        self._knows_channels = True

    def pass_time(self, seconds: int) -> None:
        """
        Let *seconds* go by.
        """
        with self._node.lock:
            for _ in range(seconds):
                self._second()

    @property
    def options(self) -> dict[str, Any]:
        """
        Return its options as `listconfigs` has them.
        """
        origin = {"source": "default", "plugin": "sling", "dynamic": True}
        return {"sling-timeoutpay": {"value_int": self.timeout_s, **origin}}

    @property
    def at_rest(self) -> bool:
        """
        Return whether time alone changes nothing: no order, no payment and no call is under way.
        """
        busy = self._runs or self._queue or self.circulation.under_way
        return self._knows_channels and not busy

    def die(self) -> None:
        """
        End without a word: what is in its memory is gone, and who waits for it waits in vain.
        """
        with self._node.lock:
            self.there = False
            self._forget_work()
            self._queue.clear()

    def begin(self) -> None:
        """
        Start; in its first second it knows no channels, and so none of its jobs.
        """
        with self._node.lock:
            self.there, self._knows_channels = True, False

    def _second(self) -> None:
        super()._second()
        self._knows_channels = True
        self._serve()

    def answer(self, method: str, params: Any) -> Any:
        """
        Return the reply to a call; raise what comes instead.
        """
        if method == "sling-version":
            return {"version": self.version}
        call = _Call(method=method, params=params)
        self._queue.append(call)
        self._serve()
        for _ in range(self.patience_s):
            if not call.over:
                self._second()
        if call.refusal:
            raise call.refusal
        if not call.over:
            raise SilentSlingError
        return call.reply

    def _serve(self) -> None:
        while self._queue and self.now >= self.lock_held_until:
            call = self._queue[0]
            try:
                call.reply = _METHODS[call.method](self, call.params)
            except StillAtWorkError:
                return
            except SlingRefusalError as refusal:
                call.refusal = refusal
            call.over = True
            self._queue.popleft()

    def _once(self, params: Any) -> Any:
        order = order_of(params, once=True)
        self._check_candidates(order)
        channel, scid = self._ready(order.scid), order.scid
        room = channel["receivable_msat" if order.direction == "pull" else "spendable_msat"]
        need = f"{order.direction} {order.once}msat"
        demand(room >= order.once, f"Channel {scid} has not enough capacity to {need}")
        demand(scid not in self._read_jobs(), "There is already a job for that scid!")
        task = self._tasks.get(scid)
        kept = task and not task.once
        demand(not kept, "There is already a job for that scid! Please delete it first.")
        runs = task and task.active
        demand(not runs, "There is already a job for that scid running!")
        self._run(order, once=True)
        return {"result": "started"}

    def _job(self, params: Any) -> Any:
        order = order_of(params, once=False)
        self._check_candidates(order)
        self._ready(order.scid)
        task = self._tasks.get(order.scid)
        runs = task and task.once and task.active
        demand(not runs, "Once-job is currently running for this channel")
        self._halt([order.scid])
        self.jobs = self._read_jobs() | {order.scid: order}
        return {"result": "success"}

    def _go(self, params: Any) -> Any:
        jobs = self._read_jobs()
        demand(jobs, "No jobs found")
        asked = _by_name(params, "scid")
        demand(not asked or "scid" in asked, "invalid scid")
        if asked:
            scid = scid_of(asked["scid"], "invalid scid")
            demand(scid in jobs, "Shortchannelid not found in jobs")
            jobs = {scid: jobs[scid]}
        idle = [scid for scid in jobs if scid not in self._tasks or not self._tasks[scid].active]
        for scid in idle:
            self._run(jobs[scid], once=False)
        return {"tasks_started": len(idle), "tasks_failed_start:": 0}

    def _stop(self, params: Any) -> Any:
        asked = _by_name(params, "scid")
        # At any other word it stops everything.
        scids = [scid_of(asked["scid"], "invalid scid")] if "scid" in asked else [*self._tasks]
        self._halt(scids)
        return {"stopped_count": sum(scid in self._tasks for scid in scids)}

    def _deletejob(self, params: Any) -> Any:
        problem = "invalid string for deleting job(s)"
        scid = scid_of(_by_name(params, "job", "delete_stats").get("job"), problem)
        self._halt([scid])
        # It writes down those that it can see.
        self.jobs = {name: job for name, job in self._read_jobs().items() if name != scid}
        self._tasks.pop(scid, None)
        return {"result": "success"}

    def _jobsettings(self, params: Any) -> Any:
        asked, jobs = _by_name(params, "scid"), self._read_jobs()
        demand(not asked or "scid" in asked, "Expected object with scid field")
        if asked:
            scid = scid_of(asked["scid"], "invalid scid, not a string")
            demand(scid in jobs, "channel not found")
            jobs = {scid: jobs[scid]}
        return {scid: job.shown() for scid, job in sorted(jobs.items())}

    def _stats(self, params: Any) -> Any:
        asked = _by_name(params, "scid", "json")
        if "scid" in asked:
            raise NotImplementedError(params)
        flag = type(asked.get("json", False)) is bool
        demand(flag, "invalid `json` flag, not a bool. Use `true` or `false`")
        once = [scid for scid, task in self._tasks.items() if task.once and self._is_ready(scid)]
        rows = [self._row(scid) for scid in (*sorted(self._read_jobs()), *once)]
        if asked.get("json"):
            return rows
        return {"format-hint": "simple", "result": "\n".join(str(row) for row in rows)}

    def _row(self, scid: str) -> dict[str, Any]:
        task, done = self._tasks.get(scid), self.successes.get(scid, [])
        moved = sum(circle.amount for circle in done)
        fees = sum(circle.fee for circle in done)
        last = _told(max((circle.row["completed_at"] for circle in done), default=None))
        return {
            "alias": "ALIAS_NOT_FOUND",
            "scid": scid,
            "pubkey": self._channel(scid)["peer_id"],
            "status": [f"1:{task.state if task else 'NotStarted'}"],
            "rebamount": f"{moved // 1000:,}",
            "w_feeppm": fees * 1_000_000 // moved if moved else 0,
            "last_route_taken": last,
            "last_success_reb": last,
        }

    def _check_candidates(self, order: Order) -> None:
        problem = f"{order.direction}-job that rebalances in the other direction!"
        for scid in order.candidates or ():
            demand(scid not in self._excluded(order), f"candidate {scid} has a {problem}")

    def _ready(self, scid: str) -> dict[str, Any]:
        self._knows_channels = True
        demand(self._channel(scid), "Channel not found")
        ready = self._is_ready(scid)
        demand(ready, "Not in CHANNELD_NORMAL or CHANNELD_AWAITING_SPLICE state!")
        return self._channel(scid)

    def _is_ready(self, scid: str) -> bool:
        channel = self._channel(scid) if self._knows_channels else None
        return channel is not None and channel["state"] in READY

    def _read_jobs(self) -> dict[str, Order]:
        return {scid: job for scid, job in self.jobs.items() if self._is_ready(scid)}


_METHODS: dict[str, Callable[[FakeSling, Any], Any]] = {
    "sling-once": FakeSling._once,
    "sling-job": FakeSling._job,
    "sling-go": FakeSling._go,
    "sling-stop": FakeSling._stop,
    "sling-deletejob": FakeSling._deletejob,
    "sling-jobsettings": FakeSling._jobsettings,
    "sling-stats": FakeSling._stats,
}
SLING = {"sling-version", *_METHODS}
"""What it answers to."""


def _by_name(params: Any, *names: str) -> dict[str, Any]:
    return dict(zip(names, params, strict=False)) if isinstance(params, list) else params


def _told(at: int | None) -> str:
    if at is None:
        return "Never"
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
