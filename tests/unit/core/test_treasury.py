"""Treasury: what the books tell in any order is kept in one."""

import pytest

from revops.core.checks import FieldError
from revops.core.treasury import Attempt, Treasury

PEERS = ("02" + "aa" * 32, "03" + "bb" * 32)


def attempt(number):
    """
    Return a rebalance that was just decided.
    """
    return Attempt(
        rebalance_id=number,
        at=0,
        to_channel="ab" * 32,
        to_peer=PEERS[0],
        amount_msat=1,
        chunk_msat=1,
        limit_msat=0,
    )


def test_attempts_are_in_the_order_in_which_they_were_made():
    """
    By their numbers, of which none stands there twice.
    """
    numbers = [10, 9, 2]
    treasury = Treasury(attempts=[attempt(number) for number in numbers])

    assert [made.rebalance_id for made in treasury.attempts] == [2, 9, 10]
    with pytest.raises(FieldError, match="attempts: rebalance_id 2 stands there twice"):
        Treasury(attempts=[attempt(2), attempt(2)])


def test_peers_that_others_fill_are_in_order_and_once():
    """
    However many members say so, a peer is contested once.
    """
    assert Treasury(contested=[PEERS[1], *PEERS]).contested == PEERS
