"""Whose a circular payment is: the rebalance that it looks like, or nobody's."""

import attrs
from unit.adapters.store_examples import NOW
from unit.adapters.treasury.examples import CHUNK, LIMIT, attempt, begin, paid, read, rows, sides

from revops.core.budget import Spend, Spending
from revops.core.treasury import Ending


def test_payments_are_of_the_rebalance_that_they_look_like(store):
    """
    Target, source and size say whose a payment is; what else moves in a circle is a cost of its
    channel and of no rebalance.
    """
    begin(store, 1)
    begin(store, 2)
    read(
        store,
        *sides(1, into=2, out_of=9, fee=1),
        *sides(3, into=1, out_of=8, fee=20),
        *sides(5, into=1, out_of=7, fee=300),
        *sides(7, into=3, out_of=8, fee=4000),
        *sides(9, into=1, out_of=8, fee=50_000, amount=CHUNK - 1),
    )

    assert [(attempt(store, n).moved_msat, attempt(store, n).fee_msat) for n in (1, 2)] == [
        (CHUNK, 20),
        (CHUNK, 1),
    ]
    assert attempt(store, 1).moved_at == NOW
    assert store.treasury.refill_cost_week(NOW) == 54_321
    assert store.treasury.settle(1, Ending.PARTIAL, "over", NOW + 9).state is Spend.SETTLED
    assert store.treasury.spending(NOW + 9) == Spending(day_msat=20, week_msat=20, held_msat=LIMIT)


def test_what_was_read_before_or_comes_after_is_nobodys(store):
    """
    Only what is first read while a rebalance is open can be of it.
    """
    read(store, *sides(1))
    begin(store, 1)
    read(store, *sides(3, fee=7))
    store.treasury.settle(1, Ending.DONE, "over", NOW)
    read(store, *sides(5))

    assert attempt(store, 1).fee_msat == 7
    assert rows(store, "SELECT count(*) FROM refills WHERE rebalance_id IS NULL") == [(2,)]


def test_a_payment_that_is_listed_again_stays_where_it_was(store):
    """
    After the node's database was restored the same payment may come again: of an older rebalance,
    or of none, it is no payment of the one that is open now.
    """
    read(store, *sides(1, payment="aa" * 32))
    begin(store, 1)
    read(store, *sides(3, payment="bb" * 32))
    store.treasury.settle(1, Ending.DONE, "over", NOW)
    begin(store, 1)
    store.costs.go_back(0)
    read(store, *sides(1, payment="bb" * 32), *sides(3, payment="aa" * 32))

    assert [attempt(store, n).fee_msat for n in (1, 2)] == [8500, 0]
    assert store.treasury.refill_cost_week(NOW) == 2 * 8500


def test_a_payment_without_ends_is_known_by_its_size(store):
    """
    Where the node keeps no list of what moved, what is as large as a chunk is of the rebalance
    that is open, and keeps that when the list appears: nothing is counted twice, or anew.
    """
    begin(store, 1)
    store.costs.take_payments([paid("aa" * 32), paid("cc" * 32, amount_msat=5)], 2, NOW)
    assert attempt(store, 1).fee_msat == 8500

    store.treasury.settle(1, Ending.PARTIAL, "over", NOW)
    begin(store, 1)
    read(store, *sides(1, payment="aa" * 32), *sides(3, payment="cc" * 32, amount=5))
    assert [attempt(store, n).fee_msat for n in (1, 2)] == [8500, 0]
    assert store.treasury.refill_cost_week(NOW) == 2 * 8500
    assert store.treasury.spending(NOW) == Spending(day_msat=8500, week_msat=8500, held_msat=LIMIT)


def test_one_side_of_a_payment_is_waited_for(store):
    """
    As long as only one side of what may be a payment of a rebalance is in the books, it is not to
    be settled; sides of other sizes or channels, and those from before, hold nothing up.
    """
    read(store, sides(1)[0])
    begin(store, 1)
    stranger, ours = sides(3, into=2), sides(5)
    read(store, stranger[0], sides(7, amount=5)[0])
    assert not store.treasury.unpaired(attempt(store, 1))

    read(store, ours[0])
    assert store.treasury.unpaired(attempt(store, 1))
    read(store, attrs.evolve(ours[1], index=20))
    assert not store.treasury.unpaired(attempt(store, 1))
    read(store, attrs.evolve(sides(30, out_of=9)[1]))
    assert store.treasury.unpaired(attempt(store, 1))


def test_sides_are_waited_for_where_a_restored_node_counts_anew(store):
    """
    The node's rows begin again below those that were read when the money was reserved.
    """
    read(store, *sides(100, into=3))
    begin(store, 1)
    store.costs.go_back(10)
    read(store, sides(11)[0])

    assert store.treasury.unpaired(attempt(store, 1))
