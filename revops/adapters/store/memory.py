"""Memory on disk: a row a channel, and one for the node."""

import sqlite3
from collections.abc import Sequence
from typing import Final, Literal

import attrs

from revops.adapters import wire
from revops.core.memory import ChannelMemory, Memory

Table = Literal["memory", "shadow_memory"]
"""Whose memory it is: that of the live config, or of the one that decides beside it."""

_NODE: Final = "node"


def save(
    connection: sqlite3.Connection,
    memory: Memory,
    changed: Sequence[ChannelMemory],
    table: Table = "memory",
) -> None:
    """
    Write down *memory*, of whose channels only *changed* differ from what is there.
    """
    rows = [
        (_NODE, wire.write_node_memory(memory)),
        *((m.channel_id, wire.write_channel_memory(m)) for m in changed),
    ]
    connection.executemany(f"REPLACE INTO {table} (owner, data) VALUES (?, ?)", rows)  # noqa: S608 -- one of two words
    kept = {_NODE, *(channel.channel_id for channel in memory.channels)}
    owners = connection.execute(f"SELECT owner FROM {table}").fetchall()  # noqa: S608 -- see above
    connection.executemany(
        f"DELETE FROM {table} WHERE owner = ?",  # noqa: S608 -- see above
        [owner for owner in owners if owner[0] not in kept],
    )


def changed(before: Memory, after: Memory) -> list[ChannelMemory]:
    """
    Return what *after* has of channels that *before* has not, or otherwise.
    """
    known = {memory.channel_id: memory for memory in before.channels}
    return [memory for memory in after.channels if known.get(memory.channel_id) != memory]


def read(connection: sqlite3.Connection, table: Table = "memory") -> Memory:
    """
    Return what the last cycle left; an empty memory before the first.
    """
    rows = dict(connection.execute(f"SELECT owner, data FROM {table}"))  # noqa: S608 -- see save
    node = rows.pop(_NODE, None)
    channels = tuple(wire.read_channel_memory(data) for data in rows.values())
    return attrs.evolve(wire.read_node_memory(node) if node else Memory(), channels=channels)
