"""Policies: the operator's wishes as rows, so that what is saved is what is read."""

import sqlite3
from collections import defaultdict
from typing import Final

import attrs

from revops.core.policy import Policy, PolicyBook, PolicyChange, RebalanceMode, Strategy
from revops.core.units import Instant, PeerId

_COLUMNS: Final = tuple(f.name for f in attrs.fields(Policy) if f.name != "tags")
_SAVE: Final = (
    f"INSERT INTO policies ({', '.join(_COLUMNS)}) VALUES (?{', ?' * (len(_COLUMNS) - 1)})"  # noqa: S608 -- the names of fields
)
_READ: Final = f"SELECT {', '.join(_COLUMNS)} FROM policies"  # noqa: S608 -- see _SAVE


def read(connection: sqlite3.Connection, changes_after: Instant | None) -> PolicyBook:
    """
    Return every policy, and the changes after *changes_after*; none of them for `None`.
    """
    tags: dict[PeerId, list[str]] = defaultdict(list)
    for peer_id, tag in connection.execute("SELECT peer_id, tag FROM policy_tags"):
        tags[peer_id].append(tag)
    # Nothing is greater than NULL.
    changes = connection.execute(
        "SELECT peer_id, at, deleted FROM policy_changes WHERE at > ? ORDER BY id",
        (changes_after,),
    )
    return PolicyBook(
        policies=tuple(_policy(row, tags) for row in connection.execute(_READ)),
        changes=tuple(
            PolicyChange(peer_id=peer_id, at=at, deleted=bool(deleted))
            for peer_id, at, deleted in changes
        ),
    )


def _policy(row: tuple[object, ...], tags: dict[PeerId, list[str]]) -> Policy:
    fields = dict(zip(_COLUMNS, row, strict=True))
    fields["strategy"] = Strategy(fields["strategy"])
    fields["rebalance"] = RebalanceMode(fields["rebalance"])
    policy = Policy(**fields)  # type: ignore[arg-type]  # checked by its validators
    return attrs.evolve(policy, tags=tags[policy.peer_id]) if policy.peer_id in tags else policy


def save(connection: sqlite3.Connection, book: PolicyBook, before: PolicyBook) -> None:
    """
    Write what *book* has and *before* had not, and delete what it has no more.
    """
    kept = set(book.policies)
    connection.executemany(
        "DELETE FROM policies WHERE peer_id = ?",
        [(policy.peer_id,) for policy in before.policies if policy not in kept],
    )
    new = kept.difference(before.policies)
    connection.executemany(
        _SAVE, [tuple(getattr(policy, name) for name in _COLUMNS) for policy in new]
    )
    connection.executemany(
        "INSERT INTO policy_tags (peer_id, tag) VALUES (?, ?)",
        [(policy.peer_id, tag) for policy in new for tag in policy.tags],
    )
    connection.executemany(
        "INSERT INTO policy_changes (peer_id, at, deleted) VALUES (?, ?, ?)",
        [(c.peer_id, c.at, c.deleted) for c in book.changes[len(before.changes) :]],
    )
