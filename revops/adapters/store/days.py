"""Days: how each one ended, a row a day for ever; balances as they were seen, or not at all."""

import sqlite3
from typing import Any, Final

from revops.core.ledger import Balance, Day
from revops.core.units import DAY

_SUMS: Final = (
    *("earned_msat", "volume_msat", "forward_count", "refill_cost_msat", "chain_cost_msat"),
)
_BALANCE: Final = ("at", "channel_msat", "onchain_msat", "capacity_msat", "channel_count")
# Column names are the books' own, so that nothing from outside gets into these statements. A cross
# join keeps its order: one look per channel, where a plain one may read all of the books.
_ADD_UP: Final = f"""
    INSERT INTO daily_snapshots (day, {", ".join(_SUMS)})
    SELECT day, sum(earned), sum(moved), sum(number), sum(filling), sum(chain) FROM (
    SELECT value AS day, 0 AS earned, 0 AS moved, 0 AS number, 0 AS filling, 0 AS chain
    FROM json_each(:days)
    UNION ALL SELECT start, sums.earned_msat, sums.out_msat, sums.out_count, 0, 0
    FROM forward_totals CROSS JOIN forward_stats AS sums USING (scid)
    WHERE span = 'day' AND start BETWEEN :first AND :last
    UNION ALL SELECT at / {DAY}, 0, 0, 0, fee_msat, 0 FROM refills
    WHERE at BETWEEN :first * {DAY} AND :last * {DAY} + {DAY - 1}
    UNION ALL SELECT at / {DAY}, 0, 0, 0, 0, msat FROM costs
    WHERE at BETWEEN :first * {DAY} AND :last * {DAY} + {DAY - 1}
    ) WHERE true GROUP BY day
    ON CONFLICT DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _SUMS)}
"""  # noqa: S608 -- see above
_SEE: Final = f"""
    UPDATE daily_snapshots SET {", ".join(f"{name} = :{name}" for name in _BALANCE)}
    WHERE day = :at / {DAY}
"""  # noqa: S608 -- see above
_READ: Final = f"""
    SELECT day, {", ".join((*_BALANCE, *_SUMS))} FROM daily_snapshots WHERE day >= ? ORDER BY day
"""  # noqa: S608 -- see above


def add_up(connection: sqlite3.Connection, first: int, last: int) -> None:
    """
    Write down what each of the days *first* to *last* came to, by what the books hold now.
    """
    days = f"[{','.join(map(str, range(first, last + 1)))}]"
    connection.execute(_ADD_UP, {"days": days, "first": first, "last": last})


def see(connection: sqlite3.Connection, balance: Balance) -> None:
    """
    Write down what the node held on a day that is added up.
    """
    connection.execute(_SEE, {name: getattr(balance, name) for name in _BALANCE})


def read(connection: sqlite3.Connection, first: int) -> tuple[Day, ...]:
    """
    Return the days from *first* on.
    """
    return tuple(map(_day, connection.execute(_READ, (first,))))


def _day(row: tuple[Any, ...]) -> Day:
    number, *values = row
    balance = dict(zip(_BALANCE, values[: len(_BALANCE)], strict=True))
    return Day(
        number=number,
        balance=None if balance["at"] is None else Balance(**balance),
        **dict(zip(_SUMS, values[len(_BALANCE) :], strict=True)),
    )
