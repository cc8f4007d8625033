"""Means: what the node may spend on rebalancing now, and what forbids it to spend anything."""

import re
from typing import Final

import attrs

from revops.core.budget import Limits, Spending, room
from revops.core.config import Config
from revops.core.reasons import Code, Reason, because
from revops.core.rebalance.ev import CAUTION
from revops.core.snapshot import NORMAL, Snapshot
from revops.core.treasury import Engine, Treasury
from revops.core.units import Msat, from_sats, sats_down, sats_up

_VERSION: Final = re.compile(r"v?([0-9]{1,9}(?:\.[0-9]{1,9})*)(?![0-9.])")


@attrs.frozen(kw_only=True)
class Means:
    """
    What may be spent.

    Attributes:
        room_msat: The most that may be reserved.
        slots: How many rebalances may be started.
        losing: Rebalancing cost more than was earned, or nobody knows: only what promises much
            is started.
        trail: What says so.
        block: What forbids all of it; `None` when nothing does.
    """

    room_msat: Msat
    slots: int
    losing: bool
    trail: tuple[Reason, ...]
    block: Reason | None


def means(snapshot: Snapshot, treasury: Treasury, most: Limits, config: Config) -> Means:
    """
    Return what *snapshot* leaves to spend, where *treasury* may cost *most*.
    """
    wealth = _wealth_msat(snapshot, treasury)
    spendable = _spendable_msat(wealth, treasury, most, config)
    running = sum(attempt.open for attempt in treasury.attempts)
    slots = 1 if treasury.one_at_a_time else config.max_concurrent_jobs
    losing = _losing(treasury, most)
    blocks = [
        *_forbidden(config),
        *_unable(treasury.engine, config),
        *_broke(wealth, spendable, treasury, most, config),
        *_busy(running, slots, treasury),
    ]
    spent = treasury.spending
    said = [_budget(Code.BUDGET, spendable, spent, most)] if spent and spendable else []
    return Means(
        room_msat=spendable,
        slots=max(0, slots - running),
        losing=losing is not None,
        trail=(*blocks, *said, *([losing] if losing else [])),
        block=blocks[0] if blocks else None,
    )


def _forbidden(config: Config) -> list[Reason]:
    """
    Return what the operator forbids.
    """
    rules = (
        (config.rebalancer == "none", because(Code.NO_REBALANCER)),
        (
            config.authority != "liquidity",
            because(Code.NO_LIQUIDITY_RIGHT, authority=config.authority),
        ),
        (config.paused, because(Code.REBALANCING_PAUSED)),
    )
    return [reason for holds, reason in rules if holds]


def _unable(engine: Engine | None, config: Config) -> list[Reason]:
    """
    Return why the rebalancer cannot be used.
    """
    if config.rebalancer == "none":
        return []
    if engine is None:
        return [because(Code.ENGINE_TROUBLE, why="it was not asked")]
    version, needed = engine.version, config.sling_min_version
    # What is not there is known to be at nothing.
    absent = version is None and (engine.jobs is not None or not engine.trouble)
    rules = (
        (absent, because(Code.ENGINE_ABSENT)),
        (bool(engine.trouble), because(Code.ENGINE_TROUBLE, why=engine.trouble)),
        (
            not trusted(version or "", needed),
            because(Code.ENGINE_OLD, version=version or "", needed=needed),
        ),
        (engine.jobs is None, because(Code.ENGINE_TROUBLE, why="it did not tell its jobs")),
    )
    return [reason for holds, reason in rules if holds][:1]


def trusted(version: str, needed: str) -> bool:
    """
    Say whether *version* is *needed* or later; one that cannot be read is not, nor is what comes
    before a release.
    """
    found = _VERSION.match(version)
    if found is None:
        return False
    ours, least = ([int(part) for part in text.split(".")] for text in (found[1], needed))
    size = max(len(ours), len(least))
    padded = [parts + [0] * (size - len(parts)) for parts in (ours, least)]
    return padded[0] > padded[1] or (padded[0] == padded[1] and found[0] == version)


def _wealth_msat(snapshot: Snapshot, treasury: Treasury) -> Msat | None:
    """
    Return what is ours and promised to nobody.
    """
    if snapshot.onchain_msat is None or treasury.spending is None:
        return None
    ours = sum(channel.to_us_msat for channel in snapshot.channels if channel.state == NORMAL)
    return Msat(snapshot.onchain_msat + ours - treasury.spending.held_msat)


def _spendable_msat(wealth: Msat | None, treasury: Treasury, most: Limits, config: Config) -> Msat:
    if wealth is None or treasury.spending is None:
        return Msat(0)
    above = wealth - from_sats(config.min_wallet_reserve)
    return Msat(max(0, min(room(treasury.spending, most), above)))


def _broke(
    wealth: Msat | None, spendable: Msat, treasury: Treasury, most: Limits, config: Config
) -> list[Reason]:
    """
    Return why there is no money for it.
    """
    needed, spent = config.min_wallet_reserve, treasury.spending
    if spent is None:
        return [because(Code.SPENDING_UNKNOWN)]
    if wealth is None:
        return [because(Code.RESERVE_UNKNOWN, needed_sats=needed)]
    if wealth < from_sats(needed):
        return [because(Code.RESERVE_LOW, have_sats=sats_down(wealth), needed_sats=needed)]
    return [] if spendable else [_budget(Code.BUDGET_SPENT, spendable, spent, most)]


def _budget(code: Code, spendable: Msat, spent: Spending, most: Limits) -> Reason:
    return because(
        code,
        room_sats=sats_down(spendable),
        day_sats=sats_up(spent.day_msat),
        most_day_sats=sats_down(most.day_msat),
        week_sats=sats_up(spent.week_msat),
        most_week_sats=sats_down(most.week_msat),
        held_sats=sats_up(spent.held_msat),
    )


def _busy(running: int, slots: int, treasury: Treasury) -> list[Reason]:
    if running < slots:
        return []
    if treasury.one_at_a_time:
        return [because(Code.ONE_AT_A_TIME, running=running)]
    return [because(Code.JOBS_FULL, running=running, most=slots)]


def _losing(treasury: Treasury, most: Limits) -> Reason | None:
    """
    Return why more is asked of a rebalance than usual: of late they cost more than was earned and
    more than a day's budget, or nobody knows what they did.
    """
    cost, revenue = treasury.refill_cost_week_msat, treasury.revenue_week_msat
    if cost is not None and cost <= most.day_msat:
        return None
    if cost is None or revenue is None:
        return because(Code.PROFIT_UNKNOWN, times=CAUTION)
    if cost <= revenue:
        return None
    return because(
        Code.LOSING, cost_sats=sats_up(cost), revenue_sats=sats_down(revenue), times=CAUTION
    )
