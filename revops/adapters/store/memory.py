"""Memory on disk: a row a channel, and the fee each had before revops first touched it."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from revops.adapters import wire
from revops.core.memory import ChannelMemory, Memory
from revops.core.units import Instant

_NODE: Final = "node"


def save(
    connection: sqlite3.Connection,
    memory: Memory,
    changed: Sequence[ChannelMemory],
    at: Instant,
) -> None:
    """
    Write down *memory*, of whose channels only *changed* differ from what is there.
    """
    rows = [
        (_NODE, wire.write_node_memory(memory)),
        *((m.channel_id, wire.write_channel_memory(m)) for m in changed),
    ]
    connection.executemany("REPLACE INTO memory (owner, data) VALUES (?, ?)", rows)
    kept = {_NODE, *(channel.channel_id for channel in memory.channels)}
    owners = connection.execute("SELECT owner FROM memory").fetchall()
    connection.executemany(
        "DELETE FROM memory WHERE owner = ?", [owner for owner in owners if owner[0] not in kept]
    )
    _keep_original_fees(connection, at, changed)


def _keep_original_fees(
    connection: sqlite3.Connection, at: Instant, changed: Iterable[ChannelMemory]
) -> None:
    connection.executemany(
        "INSERT INTO original_fees (channel_id, fee_ppm, base_fee_msat, seen_at)"
        " VALUES (?, ?, ?, ?) ON CONFLICT (channel_id) DO NOTHING",
        [
            (m.channel_id, m.fee.known.fee_ppm, m.fee.known.base_fee_msat, at)
            for m in changed
            if m.first_seen_at == at and m.fee.known is not None
        ],
    )


def read(connection: sqlite3.Connection) -> Memory:
    """
    Return what the last cycle left; an empty memory before the first.
    """
    rows = dict(connection.execute("SELECT owner, data FROM memory"))
    node = rows.pop(_NODE, None)
    channels = tuple(wire.read_channel_memory(data) for data in rows.values())
    return attrs.evolve(wire.read_node_memory(node) if node else Memory(), channels=channels)
