"""Retention: what is old goes, piece by piece, and nothing that is added up anywhere changes."""

import sqlite3
from typing import Final

from revops.adapters.store import treasury_log
from revops.core.units import HOUR, Instant

PIECE: Final = 5000
"""How many rows go in one transaction."""

_OVER: Final = f"""
    SELECT id FROM journal WHERE at < :before
    AND state NOT IN ('decided', 'unknown')
    AND id NOT IN (SELECT journal_id FROM fee_pins WHERE journal_id IS NOT NULL)
    AND id NOT IN (SELECT journal_id FROM rebalance_log WHERE journal_id IS NOT NULL
    AND id IN ({treasury_log.IDS_OPEN}))
    ORDER BY at, id LIMIT :piece
"""  # noqa: S608 -- a constant


def _by_age(table: str, column: str) -> str:
    return (
        f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table}"  # noqa: S608 -- constants
        f" WHERE {column} < :before LIMIT :piece)"
    )


# The days hold what the hours do. Of actions, what is still open or in force stays. What money was
# spent is kept for ever: refills, and the rebalances they belong to.
# A cross join keeps its order: one look per channel, where a plain one may read all of the books.
_RULES: Final = (
    (
        """
        DELETE FROM forward_stats WHERE (scid, span, start) IN (
        SELECT scid, span, start FROM forward_totals CROSS JOIN forward_stats USING (scid)
        WHERE span = 'hour' AND start < :hour LIMIT :piece)
        """,
    ),
    (
        f"DELETE FROM fee_history WHERE journal_id IN ({_OVER})",  # noqa: S608 -- a constant
        f"UPDATE rebalance_log SET journal_id = NULL WHERE journal_id IN ({_OVER})",  # noqa: S608 -- a constant
        f"DELETE FROM journal WHERE id IN ({_OVER})",  # noqa: S608 -- a constant
    ),
    (_by_age("decisions", "at"),),
    (_by_age("feerates", "at"),),
    (_by_age("policy_changes", "at"),),
    (_by_age("quarantine", "seen_at"),),
    (_by_age("shadow_journal", "at"),),
    (_by_age("shadow_cycles", "at"),),
    (
        """
        DELETE FROM shadow_runs WHERE id IN (SELECT id FROM shadow_runs WHERE ended_at < :before
        AND id NOT IN (SELECT run FROM shadow_journal UNION SELECT run FROM shadow_cycles)
        LIMIT :piece)
        """,
    ),
)
TABLES: Final = len(_RULES)


def forget(connection: sqlite3.Connection, table: int, before: Instant) -> bool:
    """
    Delete a piece of what is older than *before* in one of the `TABLES`; return whether there may
    be more.
    """
    values = {"before": before, "hour": before // HOUR, "piece": PIECE}
    gone = [connection.execute(statement, values).rowcount for statement in _RULES[table]]
    return max(gone) == PIECE
