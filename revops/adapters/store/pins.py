"""Pins: what the operator ordered, a row an order, each as good as what became of it."""

import sqlite3
from collections.abc import Iterable

from revops.core.memory import Price
from revops.core.outcomes import Applied, Outcome, Refused, Rehearsed
from revops.core.plan import Plan
from revops.core.snapshot import FeePin
from revops.core.units import Instant


def read(connection: sqlite3.Connection) -> tuple[FeePin, ...]:
    """
    Return the last order about each channel.
    """
    rows = connection.execute(
        "SELECT channel_id, fee_ppm, base_fee_msat, set_at, until, max(id) FROM fee_pins"
        " GROUP BY channel_id"
    )
    return tuple(
        FeePin(
            channel_id=channel_id,
            price=Price(fee_ppm=fee_ppm, base_fee_msat=base_fee_msat),
            set_at=set_at,
            until=until,
        )
        for channel_id, fee_ppm, base_fee_msat, set_at, until, _ in rows
    )


def add(connection: sqlite3.Connection, pin: FeePin, entry_id: int | None = None) -> None:
    """
    Write down an order, which is journalled as *entry_id*, or in force without anything done.
    """
    price = pin.price
    connection.execute(
        "INSERT INTO fee_pins (journal_id, channel_id, fee_ppm, base_fee_msat, set_at, until)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (entry_id, pin.channel_id, price.fee_ppm, price.base_fee_msat, pin.set_at, pin.until),
    )


def save(connection: sqlite3.Connection, pins: Iterable[FeePin]) -> None:
    """
    Write down *pins* of prices that are in force, in place of what was ordered before.
    """
    for pin in pins:
        connection.execute("DELETE FROM fee_pins WHERE channel_id = ?", (pin.channel_id,))
        add(connection, pin)


def settle(connection: sqlite3.Connection, entry_id: int, outcome: Outcome) -> None:
    """
    Let the order journalled as *entry_id* replace those before it, or take it back so that they
    hold as before: as *outcome* says. What is unknown may be in force, and stays beside them.
    """
    if isinstance(outcome, (Refused, Rehearsed)):
        connection.execute("DELETE FROM fee_pins WHERE journal_id = ?", (entry_id,))
    elif isinstance(outcome, Applied):
        connection.execute(
            "DELETE FROM fee_pins"
            " WHERE channel_id = (SELECT channel_id FROM fee_pins WHERE journal_id = ?)"
            " AND id < (SELECT id FROM fee_pins WHERE journal_id = ?)",
            (entry_id, entry_id),
        )


def drop_ended(connection: sqlite3.Connection, plan: Plan) -> None:
    """
    Forget the orders whose time was over before *plan*, and of which it took note.
    """
    seen = {decision.channel_id for decision in plan.decisions}
    remembered = {memory.channel_id for memory in plan.memory.channels}
    rows = connection.execute("SELECT id, channel_id FROM fee_pins WHERE until < ?", (plan.at,))
    ended = [
        (row_id,)
        for row_id, channel_id in rows.fetchall()
        if channel_id in seen or channel_id not in remembered
    ]
    connection.executemany("DELETE FROM fee_pins WHERE id = ?", ended)


def recall(connection: sqlite3.Connection, now: Instant) -> None:
    """
    Let orders that a clock set in the future begin at *now*: they last as long as was said.
    """
    connection.execute(
        "UPDATE fee_pins SET until = until - set_at + ?, set_at = ? WHERE set_at > ?",
        (now, now, now),
    )
