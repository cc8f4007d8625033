"""Originals: what each channel charged before revops first touched it, kept for ever."""

import sqlite3
from collections.abc import Iterable

import attrs

from revops.core.memory import Price
from revops.core.snapshot import Channel
from revops.core.units import ChannelId, Instant, Msat


@attrs.frozen(kw_only=True)
class Original:
    """
    A channel as revops found it.

    Attributes:
        htlc_max_msat: `None` when nobody wrote it down.
    """

    price: Price
    htlc_max_msat: Msat | None


def unmet(connection: sqlite3.Connection, channels: Iterable[Channel]) -> list[Channel]:
    """
    Return those of *channels* that revops sees for the first time.
    """
    met = {met for (met,) in connection.execute("SELECT channel_id FROM original_fees")}
    return [channel for channel in channels if channel.channel_id not in met]


def keep(connection: sqlite3.Connection, channels: Iterable[Channel], at: Instant) -> None:
    """
    Write down what *channels* charge at first sight; at a later one, nothing.
    """
    connection.executemany(
        "INSERT INTO original_fees (channel_id, fee_ppm, base_fee_msat, htlc_max_msat, seen_at)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (channel_id) DO NOTHING",
        ((c.channel_id, c.fee_ppm, c.base_fee_msat, c.htlc_max_msat, at) for c in channels),
    )


def read(connection: sqlite3.Connection) -> dict[ChannelId, Original]:
    """
    Return every channel as revops found it.
    """
    rows = connection.execute(
        "SELECT channel_id, fee_ppm, base_fee_msat, htlc_max_msat FROM original_fees"
    )
    return {
        channel_id: Original(
            price=Price(fee_ppm=fee_ppm, base_fee_msat=base_fee_msat), htlc_max_msat=htlc_max_msat
        )
        for channel_id, fee_ppm, base_fee_msat, htlc_max_msat in rows
    }
