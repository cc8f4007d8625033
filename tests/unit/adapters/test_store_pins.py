"""The operator's orders on disk, and what every channel charged before revops touched it."""

import attrs
import pytest
from unit.adapters.store_examples import (
    NOW,
    channel,
    channel_id,
    decision,
    plan,
    remembered,
    set_fee,
)

from revops.adapters.errors import StoreError
from revops.adapters.store import Original, Store
from revops.core.memory import Price
from revops.core.outcomes import Applied, Refused, Rehearsed, Unknown
from revops.core.snapshot import FeePin
from revops.core.units import HOUR

YES = Applied(fee_ppm=120, base_fee_msat=0)
NO = Refused(error="no")
SILENCE = Unknown(error="timed out")


@pytest.fixture
def store(tmp_path):
    """Return new books."""
    store = Store.open(tmp_path / "books.db")
    yield store
    store.close()


def pin(number, ppm=120, set_at=NOW, hours=24):
    """Return what stays of an order about a channel."""
    return FeePin(
        channel_id=channel_id(number),
        price=Price(fee_ppm=ppm, base_fee_msat=0),
        set_at=set_at,
        until=set_at + hours * HOUR,
    )


def order(store, number, ppm=120, at=NOW, hours=24):
    """Write down an order and return the number of its journal entry."""
    wish = decision(number, set_fee(number, ppm)), pin(number, ppm, at, hours)
    (entry,) = store.write_orders([wish], at)
    return entry.entry_id


def looked(store, at, *numbers):
    """Write down a cycle that saw these channels at 100 ppm and left them alone."""
    memory = tuple(remembered(number, at) for number in numbers)
    store.write_down(plan(*map(decision, numbers), at=at, channels=memory), memory)


def test_an_order_is_there_before_it_is_done(store):
    """Order and journal entry are written together, and explained as the last decision."""
    order(store, 1)
    (explained,) = store.last_decisions(channel_id(1))

    assert store.pins(NOW) == (pin(1),)
    assert (explained.at, explained.decision.action) == (NOW, set_fee(1))
    assert explained.outcome is None


def test_an_order_and_its_entry_are_written_both_or_neither(store):
    """When the order cannot be written, nothing is journalled."""
    wrong = attrs.evolve(pin(1), until=NOW - 1)

    with pytest.raises(StoreError, match="CHECK constraint failed"):
        store.write_orders([(decision(1, set_fee(1)), wrong)], NOW)
    assert store.last_decisions(channel_id(1)) == ()
    assert store.pins(NOW) == ()


@pytest.mark.parametrize("outcome", [NO, Rehearsed()])
def test_what_came_to_nothing_gives_way_to_the_order_before(store, outcome):
    """An order that was refused or rehearsed is as if it had never been given."""
    store.settle([(order(store, 1), YES)], NOW)
    store.settle([(order(store, 1, 500, NOW + 1), outcome)], NOW + 1)

    assert store.pins(NOW + 1) == (pin(1),)


def test_what_was_done_replaces_the_order_before_for_good(store):
    """When the later and shorter order has ended, the earlier one is no more."""
    store.settle([(order(store, 1, 300, NOW, hours=100), YES)], NOW)
    store.settle([(order(store, 1, 500, NOW + 1, hours=1), YES)], NOW + 1)
    assert store.pins(NOW + 1) == (pin(1, 500, NOW + 1, 1),)

    looked(store, NOW + 2 * HOUR, 1)
    assert store.pins(NOW + 2 * HOUR) == ()


def test_what_nobody_knows_is_settled_by_the_next_look(store):
    """The look that shows another fee takes the order back, and the one before it holds again."""
    store.settle([(order(store, 1), YES)], NOW)
    store.settle([(order(store, 1, 500, NOW + 1), SILENCE)], NOW + 1)
    assert store.pins(NOW + 1) == (pin(1, 500, NOW + 1),)

    looked(store, NOW + 60, 1)
    assert store.pins(NOW + 60) == (pin(1),)


def test_orders_of_other_channels_are_not_touched(store):
    """Whatever becomes of an order, those about other channels stay."""
    entries = [order(store, number) for number in (1, 2, 3)]
    store.settle(list(zip(entries, (SILENCE, NO, YES), strict=True)), NOW)

    assert store.pins(NOW) == (pin(1), pin(3))


def test_an_ended_order_is_kept_until_its_channel_was_seen(store):
    """A cycle in which the channel was not listed takes no note of its order."""
    store.settle([(order(store, 1, hours=0), YES)], NOW)
    absent = (remembered(1, NOW),)
    looked(store, NOW, 1)
    store.write_down(plan(at=NOW + 60, channels=absent), ())
    assert store.pins(NOW + 60) == (pin(1, hours=0),)

    looked(store, NOW + 120, 1)
    assert store.pins(NOW + 120) == ()


def test_an_ended_order_about_nobody_is_forgotten(store):
    """An order about a channel that revops remembers no more ends with its time."""
    store.settle([(order(store, 1), YES)], NOW)
    store.write_down(plan(at=NOW + HOUR), ())
    assert store.pins(NOW) == (pin(1),)

    store.write_down(plan(at=NOW + 25 * HOUR), ())
    assert store.pins(NOW) == ()


def test_a_price_that_is_in_force_is_pinned_without_an_entry(store):
    """It replaces every order before it for good, and nothing is journalled."""
    store.settle([(order(store, 1), YES)], NOW)
    store.save_pins([pin(1, 90, NOW + 1, hours=1), pin(2)])

    assert store.pins(NOW + 1) == (pin(1, 90, NOW + 1, hours=1), pin(2))
    assert store.last_decisions(channel_id(2)) == ()

    looked(store, NOW + 2 * HOUR, 1)
    assert store.pins(NOW + 2 * HOUR) == (pin(2),)


def test_an_order_of_the_future_begins_now(store):
    """A clock that is set back moves orders with it: they last as long as was said."""
    ahead = NOW + 1000 * HOUR
    store.settle([(order(store, 1, at=ahead, hours=3), YES)], ahead)

    assert store.pins(NOW) == (pin(1, set_at=NOW, hours=3),)
    assert store.pins(NOW + HOUR) == (pin(1, set_at=NOW, hours=3),)


# What was in force before ---------------------------------------------------------------------


def test_the_first_price_is_kept_for_ever(store):
    """What a channel charged at first sight is there, whatever was set since, scid or not."""
    first = channel(1, fee_ppm=100, base_fee_msat=5, htlc_max_msat=900)
    young = channel(2, scid=None, state="CHANNELD_AWAITING_LOCKIN", fee_ppm=7)
    store.know_channels([first], NOW)
    later = channel(1, fee_ppm=200, base_fee_msat=6, htlc_max_msat=800)
    store.know_channels([later, young], NOW + 1)
    store.know_channels([later, attrs.evolve(young, fee_ppm=8)], NOW + 2)

    assert store.original_fees() == {
        channel_id(1): Original(price=Price(fee_ppm=100, base_fee_msat=5), htlc_max_msat=900),
        channel_id(2): Original(price=Price(fee_ppm=7, base_fee_msat=0), htlc_max_msat=None),
    }


def test_what_older_books_kept_stays(store):
    """A price from before htlc_maximum was kept is not completed with one that we may have set."""
    store._write(
        lambda books: books.execute(
            "INSERT INTO original_fees (channel_id, fee_ppm, base_fee_msat, seen_at)"
            " VALUES (?, 42, 1, 0)",
            (channel_id(1),),
        )
    )
    store.know_channels([channel(1, htlc_max_msat=900)], NOW)

    assert store.original_fees() == {
        channel_id(1): Original(price=Price(fee_ppm=42, base_fee_msat=1), htlc_max_msat=None)
    }
