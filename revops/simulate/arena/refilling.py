"""Refilling: the live core's refills in the arena, begun, watched and stopped as it decides."""

from collections.abc import Iterable
from typing import Final

import attrs

from revops.core.actions import Source, StartRebalance
from revops.core.amend import amended
from revops.core.config import Config
from revops.core.plan import Plan, RebalancePlan
from revops.core.rebalance import rebalance
from revops.core.rebalance.ev import cost_msat
from revops.core.rebalance.keep import OWN_KEEP, Keep
from revops.core.rebalance.watch import Over, Stop, watch
from revops.core.snapshot import Channel, Refills, Snapshot
from revops.core.treasury import Attempt, Engine, Job, Progress
from revops.core.units import DAY, Instant, Msat
from revops.simulate.arena.core_policy import CorePolicy
from revops.simulate.arena.market import STEP_S
from revops.simulate.arena.play import Observation, Orders, Start
from revops.simulate.arena.purse import Purse, number_of
from revops.simulate.arena.world import Refill, Refilled

_NO_REFILL: Final = Refills(count=0, amount_msat=Msat(0), cost_msat=Msat(0))
_LOOKS: Final = 30 * DAY // STEP_S
_ENOUGH_LOOKS: Final = 24


@attrs.define(eq=False)
class _Work:
    """
    What the rebalancer is at.

    Attributes:
        progress: What came of it the last time that it tried.
    """

    action: StartRebalance
    progress: Progress = Progress.WORKING


@attrs.define(eq=False)
class _Looks:
    """
    At which of the last looks a channel could carry payments away.
    """

    live: list[bool] = attrs.field(factory=list)

    def add(self, *, live: bool) -> None:
        """
        Remember one more.
        """
        self.live.append(live)
        del self.live[:-_LOOKS]

    @property
    def share(self) -> float | None:
        """
        Return the share of them; `None` before there are enough.
        """
        return sum(self.live) / len(self.live) if len(self.live) >= _ENOUGH_LOOKS else None


class RefillingPolicy(CorePolicy):
    """
    The core's prices, and its refills: what `rebalance` starts is tried by chunks, once a step,
    until `watch` says that it is over.

    Attributes:
        purse: What became of all attempts.
    """

    def __init__(self, config: Config, start: Start) -> None:
        super().__init__(config, start)
        self.purse = Purse(config)
        self._work: dict[int, _Work] = {}
        self._looks = [_Looks() for _ in start.capacity]
        self._refills = dict[int, Refills]()
        self._planned_at: Instant | None = None

    def step(self, seen: Observation) -> Orders:
        """
        Return the fees that the core would set, and what its refills try now.
        """
        self._hear(seen)
        orders = super().step(seen)
        return orders._replace(refills=tuple(self._tries(seen)))

    def decided(self, snapshot: Snapshot) -> Plan:
        """
        Return what the core makes of *snapshot*, once it has begun the refills that it wants.
        """
        due = self._planned_at is None or (
            snapshot.now - self._planned_at >= self.config.rebalance_interval
        )
        if due:
            self._planned_at = snapshot.now
            self._begin(snapshot)
        return super().decided(snapshot)

    def planned(self, snapshot: Snapshot) -> RebalancePlan:
        """
        Return what the core would refill.
        """
        return rebalance(snapshot, self.config)

    def _channel(self, number: int, seen: Observation, digested: int) -> Channel:
        return amended(
            super()._channel(number, seen, digested),
            peer_uptime=1.0,
            live_share=self._looks[number].share,
            peer_fee_ppm=seen.peer_ppm[number],
            peer_base_fee_msat=Msat(0),
            refills=self._refills.get(number, _NO_REFILL),
        )

    # What became of what was tried -----------------------------------------------------------

    def _hear(self, seen: Observation) -> None:
        for ours, capacity, looks in zip(seen.local, seen.capacity, self._looks, strict=True):
            looks.add(live=ours >= self.config.low_liquidity_threshold * capacity)
        at = Instant(seen.now - STEP_S)
        results = {result.refill.target: result for result in seen.refilled}
        for attempt in self.purse.open:
            self._book(attempt, results.get(number_of(attempt.to_channel)), at)
        for attempt in self.purse.open:
            self._see_to(attempt, seen)
        self.purse.add(seen.passed, seen.now)
        self._refills = dict(self.purse.refills())

    def _book(self, attempt: Attempt, result: Refilled | None, at: Instant) -> None:
        number = attempt.rebalance_id
        if result and result.moved:
            self.purse.moved(number, result.moved_msat, result.cost_msat, at)
        self._work[number].progress = _progress(result)

    def _see_to(self, attempt: Attempt, seen: Observation) -> None:
        """
        Stop an attempt that is to go on no more; nothing of it is under way by then.
        """
        number = attempt.rebalance_id
        work, ours = self._work[number], seen.local[number_of(attempt.to_channel)]
        job = Job(scid=work.action.scid, progress=work.progress)
        verdict = watch(attempt, job, ours, seen.now, self.config)
        if not isinstance(verdict, Stop):
            return
        stopped = self.purse.stop(number, verdict.ending)
        over = watch(stopped, None, None, seen.now, self.config)
        assert isinstance(over, Over)  # noqa: S101 -- of what is not listed nothing else is said
        self.purse.settle(number, over.ending, seen.now)
        del self._work[number]

    # What is begun, and tried ----------------------------------------------------------------

    def _begin(self, snapshot: Snapshot) -> None:
        jobs = tuple(
            Job(scid=work.action.scid, progress=work.progress) for work in self._work.values()
        )
        engine = Engine(version=self.config.sling_min_version, jobs=jobs)
        treasury = self.purse.treasury(snapshot.now, engine)
        plan = self.planned(
            attrs.evolve(snapshot, treasury=treasury, onchain_msat=snapshot.onchain_msat or Msat(0))
        )
        for decision in plan.decisions:
            if isinstance(decision.action, StartRebalance):
                attempt = self.purse.begin(decision.action, plan.limits, snapshot.now)
                self._work[attempt.rebalance_id] = _Work(decision.action)

    def _tries(self, seen: Observation) -> Iterable[Refill]:
        for attempt in self.purse.open:
            action = self._work[attempt.rebalance_id].action
            target = number_of(action.channel_id)
            wanted = attempt.amount_msat - attempt.moved_msat
            able = min(wanted, seen.receivable[target]) // action.chunk_msat
            for source in action.sources:
                if count := min(_given(source, action, seen), able):
                    yield Refill(
                        number_of(source.channel_id),
                        target,
                        Msat(count * action.chunk_msat),
                        action.max_ppm,
                        action.chunk_msat,
                    )
                    break


def _progress(result: Refilled | None) -> Progress:
    """
    Return what the rebalancer says after a try; it made none where nobody can give.
    """
    if result and result.moved_msat == result.refill.amount_msat:
        return Progress.WORKING
    return Progress.TOO_EXPENSIVE if result and result.dear else Progress.NO_ROUTE


def _given(source: Source, action: StartRebalance, seen: Observation) -> int:
    """
    Return how many payments *source* makes: sling pays as long as there is more than is kept.
    """
    channel = number_of(source.channel_id)
    piece = action.chunk_msat + cost_msat(action.chunk_msat, action.max_ppm)
    keep = max(
        Keep(action.keep_share, action.keep_msat).of(seen.capacity[channel]),
        action.chunk_msat + OWN_KEEP,
    )
    above = max(seen.local[channel] - keep, 0)
    return min(-(-above // piece), seen.spendable[channel] // piece)
