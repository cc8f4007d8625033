"""What CLBOSS was told, in the books: what is saved is what is read, and empty claims are gone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from unit.adapters.store_examples import NOW, PEER

from revops.adapters.errors import StoreError
from revops.adapters.store import Store
from revops.core.clboss import Claim

OTHER = "03" + "cd" * 32
CLAIM = Claim(
    peer_id=PEER,
    theirs=frozenset({"close", "balance"}),
    ours=frozenset({"balance", "lnfee"}),
    ignored=frozenset({"open"}),
    remanaged=frozenset({"close"}),
    since=NOW,
)


def test_claims_survive_and_are_replaced_peer_by_peer(tmp_path: Path) -> None:
    """
    Each part of a claim is there after a restart; a later one about a peer takes its place, one of
    which nothing of ours is left takes it away, and other peers' stay.
    """
    path = tmp_path / "books.db"
    other = Claim(peer_id=OTHER, remanaged=frozenset({"lnfee"}), since=NOW)
    with closing(Store.open(path)) as store:
        store.clboss.save([])
        assert store.clboss.claims() == {}
        store.clboss.save([CLAIM, other])
    with closing(Store.open(path)) as store:
        assert store.clboss.claims() == {PEER: CLAIM, OTHER: other}
        assert store.clboss.peers() == 1
        store.clboss.save([Claim(peer_id=PEER, theirs=frozenset({"close"}), since=NOW)])
        assert store.clboss.claims() == {OTHER: other}


def test_a_row_that_somebody_changed_is_refused(tmp_path: Path) -> None:
    """
    A peer that can be none is not told to CLBOSS: the books say that a row was changed.
    """
    path = tmp_path / "books.db"
    with closing(Store.open(path)) as store:
        store.clboss.save([CLAIM])
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE ignored_peers SET peer_id = 'x'")

        with pytest.raises(StoreError, match="peer_id: expected 66"):
            store.clboss.claims()
