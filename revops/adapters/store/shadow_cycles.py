"""Shadow cycles: what a config that is not obeyed decided, and the run that they belong to."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import attrs

from revops.adapters import wire
from revops.adapters.store import memory
from revops.core.actions import SetFee, StartRebalance
from revops.core.memory import ChannelMemory, Memory, Price
from revops.core.plan import Decision, Plan, RebalancePlan
from revops.core.shadow import Compared, Difference
from revops.core.units import Instant

_MEMORY: Final = "shadow_memory"


@attrs.frozen(kw_only=True)
class Run:
    """
    A config from when it began to decide beside the live one.
    """

    run_id: int
    config: str
    began_at: Instant


# Runs -----------------------------------------------------------------------------------------


def run(connection: sqlite3.Connection) -> Run | None:
    """
    Return the run under way.
    """
    row = connection.execute(
        "SELECT id, config, began_at FROM shadow_runs WHERE ended_at IS NULL"
    ).fetchone()
    return Run(run_id=row[0], config=row[1], began_at=row[2]) if row else None


def left(connection: sqlite3.Connection) -> Memory | None:
    """
    Return what the last cycle of the run under way left; `None` before that.
    """
    kept = memory.read(connection, _MEMORY)
    return None if kept.at is None else kept


def begin(connection: sqlite3.Connection, config: str, at: Instant) -> Run:
    """
    Return a new run of *config*, without memory; any other is over.
    """
    end(connection, at)
    run_id = connection.execute(
        "INSERT INTO shadow_runs (config, began_at) VALUES (?, ?)", (config, at)
    ).lastrowid
    assert run_id is not None  # noqa: S101 -- tells the type checker
    return Run(run_id=run_id, config=config, began_at=at)


def end(connection: sqlite3.Connection, at: Instant) -> None:
    """
    Have no run under way.
    """
    connection.execute("UPDATE shadow_runs SET ended_at = ? WHERE ended_at IS NULL", (at,))
    connection.execute("DELETE FROM shadow_memory")
    connection.execute("DELETE FROM shadow_decisions")


def _is_over(connection: sqlite3.Connection, run: Run) -> bool:
    # The two kinds of cycles run on threads of their own.
    rows = connection.execute(
        "SELECT 1 FROM shadow_runs WHERE id = ? AND ended_at IS NULL", (run.run_id,)
    )
    return rows.fetchone() is None


# Cycles ---------------------------------------------------------------------------------------


def write_prices(
    connection: sqlite3.Connection,
    run: Run,
    compared: Compared,
    plan: Plan,
    changed: Sequence[ChannelMemory],
) -> None:
    """
    Write down a fee cycle of *run* whole, unless that is over.
    """
    if _is_over(connection, run):
        return
    _compare(connection, run, compared)
    for decision in plan.decisions:
        action = decision.action
        if isinstance(action, SetFee) and _is_repriced(action):
            _enter(connection, run, decision, plan.at)
    memory.save(connection, plan.memory, changed, _MEMORY)


def _is_repriced(action: SetFee) -> bool:
    before = (action.old_ppm, action.old_base_msat)
    return before != (action.new_ppm, action.new_base_msat)


def write_refills(
    connection: sqlite3.Connection,
    run: Run,
    compared: Compared,
    plan: RebalancePlan,
    rested_since: Instant,
) -> None:
    """
    Write down a rebalancing cycle of *run* whole, unless that is over; of refills those of
    channels without one after *rested_since*.
    """
    if _is_over(connection, run):
        return
    _compare(connection, run, compared)
    for decision in plan.decisions:
        if isinstance(decision.action, StartRebalance):
            wanted = connection.execute(
                "SELECT 1 FROM shadow_journal"
                " WHERE (run, area, channel_id) = (?, 'rebalance', ?) AND at > ?",
                (run.run_id, decision.channel_id, rested_since),
            )
            if wanted.fetchone() is None:
                _enter(connection, run, decision, plan.at)


def _enter(connection: sqlite3.Connection, run: Run, decision: Decision, at: Instant) -> None:
    connection.execute(
        "INSERT INTO shadow_journal (run, at, channel_id, area, action, trail)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            run.run_id,
            at,
            decision.channel_id,
            decision.area,
            wire.write_action(decision.action),
            wire.write_trail(decision.trail),
        ),
    )


def _compare(connection: sqlite3.Connection, run: Run, compared: Compared) -> None:
    about = (run.run_id, compared.area, compared.at)
    connection.execute(
        "REPLACE INTO shadow_cycles (run, area, at, channels, differing, over_ppm, apart_ppm)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *about,
            compared.channels,
            len(compared.differences),
            compared.over_ppm,
            compared.apart_ppm,
        ),
    )
    connection.execute("DELETE FROM shadow_decisions WHERE area = ?", (compared.area,))
    connection.executemany(
        "INSERT INTO shadow_decisions (run, area, at, channel_id, scid, peer_id, action, trail,"
        " live_ppm, live_base_msat, shadow_ppm, shadow_base_msat)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(*about, *_row(difference)) for difference in compared.differences],
    )


def _row(difference: Difference) -> tuple[object, ...]:
    decision = difference.decision
    return (
        decision.channel_id,
        decision.scid,
        decision.peer_id,
        wire.write_action(decision.action),
        wire.write_trail(decision.trail),
        *_parts(difference.live),
        *_parts(difference.shadow),
    )


def _parts(price: Price | None) -> tuple[int | None, int | None]:
    return (price.fee_ppm, price.base_fee_msat) if price else (None, None)
