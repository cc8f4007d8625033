"""The book of CLBOSS: what it was told about which peers, and what it is to hear when we go."""

import sqlite3
from collections.abc import Iterable

from revops.adapters.store.cost_book import Transaction
from revops.core.clboss import Claim, tags_of, text_of
from revops.core.units import PeerId


class ClbossBook:
    """
    A claim a peer. Every method is one transaction.
    """

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read = read
        self._write = write

    def claims(self) -> dict[PeerId, Claim]:
        """
        Return every claim, by peer.
        """
        return self._read(_claims)

    def peers(self) -> int:
        """
        Return of how many peers something is ours.
        """
        return self._read(_peers)

    def save(self, claims: Iterable[Claim]) -> None:
        """
        Write down *claims* in place of those about the same peers; empty ones are forgotten.
        """
        if claims := tuple(claims):
            self._write(_save, claims)


def _claims(connection: sqlite3.Connection) -> dict[PeerId, Claim]:
    rows = connection.execute(
        "SELECT peer_id, theirs, ours, ignored, remanaged, since FROM ignored_peers"
        " ORDER BY peer_id"
    )
    return {
        peer_id: Claim(
            peer_id=peer_id,
            theirs=tags_of(theirs),
            ours=tags_of(ours),
            ignored=tags_of(ignored),
            remanaged=tags_of(remanaged),
            since=since,
        )
        for peer_id, theirs, ours, ignored, remanaged, since in rows
    }


def _peers(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM ignored_peers WHERE ours != ''").fetchone()
    return int(count)


def _save(connection: sqlite3.Connection, claims: tuple[Claim, ...]) -> None:
    connection.executemany(
        "DELETE FROM ignored_peers WHERE peer_id = ?", ((claim.peer_id,) for claim in claims)
    )
    connection.executemany(
        "INSERT INTO ignored_peers (peer_id, theirs, ours, ignored, remanaged, since)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                claim.peer_id,
                *map(text_of, (claim.theirs, claim.ours, claim.ignored, claim.remanaged)),
                claim.since,
            )
            for claim in claims
            if not claim.empty
        ),
    )
