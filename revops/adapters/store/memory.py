"""Memory on disk: a row a channel, and one for the node."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import attrs

from revops.adapters import wire
from revops.core.memory import ChannelMemory, Memory

_NODE: Final = "node"


def save(connection: sqlite3.Connection, memory: Memory, changed: Sequence[ChannelMemory]) -> None:
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


def read(connection: sqlite3.Connection) -> Memory:
    """
    Return what the last cycle left; an empty memory before the first.
    """
    rows = dict(connection.execute("SELECT owner, data FROM memory"))
    node = rows.pop(_NODE, None)
    channels = tuple(wire.read_channel_memory(data) for data in rows.values())
    return attrs.evolve(wire.read_node_memory(node) if node else Memory(), channels=channels)
