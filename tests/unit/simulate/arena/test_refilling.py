"""The core's refills in the arena: begun, tried, watched and settled as they are on a node."""

from collections.abc import Iterable
from functools import cache

import attrs

from revops.core.actions import StartRebalance
from revops.core.budget import Limits, Spend, room
from revops.core.config import Config
from revops.core.plan import RebalancePlan
from revops.core.rebalance import rebalance
from revops.core.snapshot import Snapshot
from revops.core.treasury import Attempt, Ending
from revops.core.units import HOUR, MILLION, Msat
from revops.simulate.arena.play import Observation, Orders, Run, Start, play
from revops.simulate.arena.refilling import RefillingPolicy
from revops.simulate.arena.scenarios import SCENARIOS, shortened
from revops.simulate.arena.tape import Tape, tape_of

DAYS = 9
FIXED = Config(min_fee_ppm=200, max_fee_ppm=200, rebalance_min_profit=1)
"""One price, at which some of the channels run dry."""


class Watched(RefillingPolicy):
    """
    The core's policy, which keeps what it was shown and what it planned.
    """

    def __init__(self, config: Config, start: Start) -> None:
        super().__init__(config, start)
        self.looks: list[Observation] = []
        self.orders: list[Orders] = []
        self.plans: list[tuple[Snapshot, RebalancePlan]] = []

    def step(self, seen: Observation) -> Orders:
        """
        Return the core's orders.
        """
        self.looks.append(seen)
        self.orders.append(super().step(seen))
        return self.orders[-1]

    def planned(self, snapshot: Snapshot) -> RebalancePlan:
        """
        Return the core's plan.
        """
        self.plans.append((snapshot, super().planned(snapshot)))
        return self.plans[-1][1]


@cache
def tape(level: float, seed: int = 0) -> Tape:
    scenario = shortened(SCENARIOS["mixed_20"], DAYS)
    return tape_of(attrs.evolve(scenario, luck="mixed_20", refill_level=level), seed)


@cache
def played(level: float, config: Config = FIXED) -> tuple[Watched, Run]:
    policies: list[Watched] = []

    def made(start: Start) -> Watched:
        policies.append(Watched(config, start))
        return policies[-1]

    run = play(tape(level), made)
    return policies[0], run


def starts(plans: Iterable[tuple[Snapshot, RebalancePlan]]) -> list[StartRebalance]:
    return [
        decision.action
        for _, plan in plans
        for decision in plan.decisions
        if isinstance(decision.action, StartRebalance)
    ]


def ended(policy: Watched, *endings: Ending) -> list[Attempt]:
    return [attempt for attempt in policy.purse.attempts if attempt.ending in endings]


def test_what_the_core_starts_is_begun_and_nothing_else() -> None:
    """
    Each attempt is a start that `rebalance` made of the snapshot it was shown, in its order.
    """
    policy, _ = played(0.3)
    begun = [(a.to_channel, a.amount_msat, a.limit_msat) for a in policy.purse.attempts]

    assert begun
    assert begun == [(s.channel_id, s.amount_msat, s.max_fee_msat) for s in starts(policy.plans)]
    for snapshot, plan in policy.plans[::100]:
        assert plan == rebalance(snapshot, FIXED)


def test_what_was_spent_is_what_the_books_hold() -> None:
    """
    The purse has the cost and the amounts of the world's own ledger, to the millisatoshi.
    """
    policy, run = played(0.3)
    ledger, attempts = run.world.ledger, policy.purse.attempts

    assert ledger.spent_msat > 0
    assert sum(attempt.fee_msat for attempt in attempts) == ledger.spent_msat
    assert sum(attempt.moved_msat for attempt in attempts) == sum(ledger.refilled_msat)
    assert sum(ledger.spent_by_day.values()) == ledger.spent_msat


def test_no_refill_costs_more_than_it_may() -> None:
    """
    What arrived cost at most the ppm that was offered, and what was reserved; by whole chunks.
    """
    policy, _ = played(0.3)
    offers = {(s.channel_id, s.to_us_msat): s.max_ppm for s in starts(policy.plans)}

    for attempt in policy.purse.attempts:
        most = offers[attempt.to_channel, attempt.before_msat]
        assert attempt.fee_msat * MILLION <= attempt.moved_msat * most
        assert attempt.fee_msat <= attempt.limit_msat
        assert attempt.moved_msat % attempt.chunk_msat == 0
        assert attempt.moved_msat <= attempt.amount_msat


def test_no_budget_is_exceeded() -> None:
    """
    At no look is more spent and held than a budget of a few sats allows, and it is used.
    """
    config = attrs.evolve(FIXED, daily_budget_sats=30, proportional_budget=False)
    policy, run = played(0.3, config)
    limits = Limits(day_msat=Msat(30_000), week_msat=Msat(210_000))

    assert 0 < run.world.ledger.spent_msat <= 30_000 * DAYS
    for snapshot, plan in policy.plans:
        spent = snapshot.treasury and snapshot.treasury.spending
        assert spent is not None
        assert plan.limits == limits
        assert spent.day_msat + spent.held_msat <= limits.day_msat
        assert room(spent, limits) == limits.day_msat - spent.day_msat - spent.held_msat


def test_nothing_is_spent_where_the_market_refuses() -> None:
    """
    Where every route is dearer than any offer, refills are tried, fail, and cost nothing.
    """
    policy, run = played(1000.0)

    assert run.world.ledger.spent_msat == 0
    assert set(run.world.ledger.refills) == {0}
    assert all(attempt.state is Spend.RELEASED for attempt in policy.purse.attempts)


def test_what_is_too_dear_ends_as_such() -> None:
    """
    An attempt that the market asked too much of ends so, within the patience that it is watched
    with, and its money is free again.
    """
    policy, _ = played(1.2)
    dear = ended(policy, Ending.TOO_EXPENSIVE)

    assert dear
    for attempt in dear:
        assert (attempt.moved_msat, attempt.fee_msat) == (0, 0)
        assert attempt.ended_at is not None
        assert attempt.ended_at - attempt.at == HOUR // 2


def test_none_outlives_its_deadline() -> None:
    """
    An attempt is over two hours after it began, at the latest.
    """
    for level in (0.3, 1.2):
        for attempt in played(level)[0].purse.attempts:
            if attempt.ended_at is not None:
                assert attempt.ended_at - attempt.at <= 2 * HOUR


def test_a_channel_is_tried_once_at_a_time() -> None:
    """
    No channel is filled by two attempts at once, and none gives while it is filled.
    """
    policy, _ = played(0.3)
    for orders in policy.orders:
        targets = [refill.target for refill in orders.refills]
        assert len(set(targets)) == len(targets)
        assert not set(targets) & {refill.source for refill in orders.refills}


def test_what_was_sold_is_known_after_the_horizon() -> None:
    """
    A week after it ended, and not before, the books say which share of a refill left again.
    """
    policy, _ = played(0.3)
    last = policy.looks[-1].now

    for attempt in policy.purse.attempts:
        if attempt.ended_at is not None and attempt.moved_msat:
            known = attempt.ended_at <= last - 7 * 24 * HOUR - HOUR
            assert (attempt.sold is not None) == known


def test_the_core_knows_what_refills_did() -> None:
    """
    What was paid for a channel's refills is in every later snapshot of it, as is the share of
    looks at which it could carry payments away.
    """
    policy, run = played(0.3)
    last, _ = policy.plans[-1]

    for number, channel in enumerate(last.channels):
        assert channel.refills is not None
        assert channel.refills.cost_msat == run.world.ledger.spent[number]
        live = [look.local[number] >= 0.2 * look.capacity[number] for look in policy.looks]
        assert channel.live_share == sum(live) / len(live)


def test_a_core_that_may_not_refill_does_not() -> None:
    """
    With authority over fees alone, nothing is tried and nothing is spent.
    """
    config = attrs.evolve(FIXED, authority="fees")
    policy, run = played(0.3, config)

    assert policy.purse.attempts == ()
    assert run.world.ledger.spent_msat == 0


def test_it_replays() -> None:
    """
    The same tape and Config bring the same attempts, to the last field.
    """
    first, _ = played(0.3)
    again = Watched(FIXED, Start(0, tape(0.3).capacity, tape(0.3).local, is_new=False))
    play(tape(0.3), lambda _: again)

    assert again.purse.attempts == first.purse.attempts


def test_what_the_last_peer_takes_is_seen() -> None:
    """
    What peers charge toward us is what the tape says.
    """
    policy, _ = played(0.3)
    first, _ = policy.plans[0]

    assert tuple(channel.peer_fee_ppm for channel in first.channels) == tape(0.3).peer_ppm
