"""The journal: what was decided is on the disk before it is done, and so is what became of it."""

from contextlib import closing

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import memories
from unit.adapters.store_examples import (
    NOW,
    channel_id,
    decision,
    plan,
    remembered,
    scid,
    set_fee,
)

from revops.adapters.errors import StoreError
from revops.adapters.store import FeeChange, JournalEntry, Store
from revops.core.actions import Hold
from revops.core.memory import Memory
from revops.core.outcomes import Applied, Refused, Rehearsed, Unknown

APPLIED = Applied(fee_ppm=120, base_fee_msat=0, htlc_max_msat=4_000_000)


@pytest.fixture
def store(tmp_path):
    """
    Return new books.
    """
    with closing(Store.open(tmp_path / "books.db")) as store:
        yield store


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    """
    Return books that many examples are written to, one after the other.
    """
    with closing(Store.open(tmp_path_factory.mktemp("books") / "books.db")) as store:
        yield store


def journal(store):
    """
    Return what an operator would see of the journal.
    """
    return store._read(
        lambda books: books.execute("SELECT id, at, state FROM journal ORDER BY id").fetchall()
    )


def decisions(store, subject):
    """
    Return the last decisions about *subject*.
    """
    return [row.decision for row in store.last_decisions(subject)]


def test_what_is_to_be_done_is_an_entry(store):
    """Every action gets an entry, and holding still is no action."""
    entries = store.write_down(plan(decision(1), decision(2, set_fee(2))), ())

    assert entries == (JournalEntry(entry_id=1, action=set_fee(2)),)
    assert journal(store) == [(1, NOW, "decided")]


def test_the_last_decision_can_be_told(store):
    """A decision is read as it was made, its trail included, until the next replaces it."""
    first, second = decision(1, set_fee(1)), decision(1)
    store.write_down(plan(first), ())
    assert decisions(store, channel_id(1)) == [first]

    store.write_down(plan(second, at=NOW + 1800), ())
    assert decisions(store, channel_id(1)) == [second]
    assert decisions(store, channel_id(2)) == []


def test_a_decision_is_found_by_any_name(store):
    """The short channel id, the channel id and the peer id all lead to a channel's decision."""
    both = [decision(1), decision(2)]
    store.write_down(plan(*both), ())

    assert decisions(store, scid(2)) == decisions(store, channel_id(2)) == [both[1]]
    assert both[0] in decisions(store, both[0].peer_id)


def test_a_decision_is_told_with_what_became_of_it(store):
    """The outcome of this cycle's action stands beside the decision; an older one does not."""
    (entry,) = store.write_down(plan(decision(1, set_fee(1))), ())
    assert [row.outcome for row in store.last_decisions(scid(1))] == [None]

    store.settle([(entry.entry_id, APPLIED)], NOW + 1)
    assert [row.outcome for row in store.last_decisions(scid(1))] == [APPLIED]

    store.write_down(plan(decision(1), at=NOW + 1800), ())
    assert [row.outcome for row in store.last_decisions(scid(1))] == [None]


def test_a_channel_without_an_id_to_pay_through_has_decisions_too(store):
    """A decision about a channel that has no short channel id yet is read as it was made."""
    waiting = attrs.evolve(decision(1), scid=None, action=Hold())
    store.write_down(plan(waiting), ())

    assert decisions(store, channel_id(1)) == [waiting]


@pytest.mark.parametrize("answer", [None, Unknown(error="timed out")], ids=["killed", "silent"])
@pytest.mark.parametrize(("in_force", "state"), [(150, "applied"), (100, "refused")])
def test_the_next_look_settles_what_was_left_open(store, answer, in_force, state):
    """What nobody confirmed is settled by the fee that the next cycle finds in force."""
    (entry,) = store.write_down(plan(decision(1, set_fee(1, new_ppm=150))), ())
    if answer is not None:
        store.settle([(entry.entry_id, answer)], NOW)

    seen = remembered(1, fee_ppm=in_force)
    store.write_down(plan(decision(1), at=NOW + 1800, channels=(seen,)), (seen,))

    assert journal(store) == [(1, NOW, state)]
    assert [change.new_ppm for change in store.fee_changes(10)] == [150] * (state == "applied")


def test_a_channel_that_is_not_seen_settles_nothing(store):
    """As long as a channel is not listed, what was asked for it stays open."""
    store.write_down(plan(decision(1, set_fee(1, new_ppm=150))), ())
    known = remembered(1, fee_ppm=150)
    store.write_down(plan(at=NOW + 1800, channels=(known,)), (known,))

    assert journal(store) == [(1, NOW, "decided")]


def test_the_last_cycle_can_be_told(store):
    """When the last cycle was and what concerned all channels is known, once there was one."""
    assert store.last_cycle() is None

    decided = plan(at=NOW + 5)
    store.write_down(decided, ())
    assert store.last_cycle() == (NOW + 5, decided.node_trail)


def test_before_the_first_cycle_nothing_is_remembered(store):
    """New books hold an empty memory."""
    assert store.load_memory() == Memory()


@given(memories())
def test_memory_is_read_as_it_was_written(lasting, memory):
    """Whatever a cycle leaves is what the next one gets, in this process or after a restart."""
    lasting.write_down(plan(memory=memory), memory.channels)

    assert lasting.load_memory() == memory


@given(memories(), st.data())
def test_what_did_not_change_need_not_be_written(lasting, memory, data):
    """Writing the changed memories alone leaves the same as writing all of them."""
    lasting.write_down(plan(memory=memory), memory.channels)
    kept = data.draw(st.sets(st.sampled_from(memory.channels))) if memory.channels else set()
    changed = tuple(attrs.evolve(item, first_seen_at=7) for item in kept)
    after = attrs.evolve(memory, channels=(*changed, *set(memory.channels).difference(kept)))

    lasting.write_down(plan(memory=after), changed)
    assert lasting.load_memory() == after


def test_what_the_plan_forgets_is_forgotten(store):
    """A channel that is not in the plan's memory any more is in no later one either."""
    both = (remembered(1), remembered(2))
    store.write_down(plan(channels=both), both)
    store.write_down(plan(channels=both[:1]), ())

    assert store.load_memory().channels == both[:1]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (APPLIED, "applied"),
        (Refused(error="Channel is closing"), "refused"),
        (Unknown(error="timed out"), "unknown"),
        (Rehearsed(), "rehearsed"),
    ],
)
def test_what_became_of_it_is_told(store, outcome, state):
    """Each outcome is a state of its own in the journal."""
    (entry,) = store.write_down(plan(decision(1, set_fee(1))), ())
    store.settle([(entry.entry_id, outcome)], NOW + 1)

    assert journal(store) == [(1, NOW, state)]


def test_an_outcome_is_final(store):
    """An entry is settled once; one that was never made cannot be."""
    (entry,) = store.write_down(plan(decision(1, set_fee(1))), ())
    store.settle([(entry.entry_id, Refused(error="no"))], NOW + 1)

    for entry_id in (entry.entry_id, 77):
        with pytest.raises(StoreError, match=f"journal entry {entry_id}: there is none"):
            store.settle([(entry_id, APPLIED)], NOW + 2)
    assert journal(store) == [(1, NOW, "refused")]
    assert store.fee_changes(10) == ()


def test_confirmed_fees_enter_the_audit(store):
    """A fee change that the node confirmed is kept with the values in force and its trail."""
    made = decision(1, set_fee(1, new_ppm=150))
    (entry,) = store.write_down(plan(made), ())
    store.settle([(entry.entry_id, APPLIED)], NOW + 1)

    assert store.fee_changes(10) == (
        FeeChange(
            at=NOW + 1,
            channel_id=channel_id(1),
            scid=scid(1),
            peer_id=made.peer_id,
            old_ppm=100,
            new_ppm=120,
            old_base_msat=1,
            new_base_msat=0,
            htlc_max_msat=4_000_000,
            trail=made.trail,
        ),
    )


def test_only_what_happened_enters_the_audit(store):
    """What was refused, rehearsed or not answered is no fee change."""
    entries = store.write_down(plan(*(decision(n, set_fee(n)) for n in (1, 2, 3))), ())
    outcomes = (Refused(error="no"), Rehearsed(), Unknown(error="timed out"))
    ids = [entry.entry_id for entry in entries]
    store.settle(list(zip(ids, outcomes, strict=True)), NOW)

    assert store.fee_changes(10) == ()


def test_the_latest_fee_changes_come_first(store):
    """As many changes as asked for are told, beginning with the last."""
    for number in (1, 2, 3):
        (entry,) = store.write_down(plan(decision(number, set_fee(number))), ())
        store.settle([(entry.entry_id, APPLIED)], NOW)

    assert [change.scid for change in store.fee_changes(2)] == [scid(3), scid(2)]


def test_half_a_plan_is_never_written(store):
    """When a row cannot be written, neither is any other of that plan."""
    whole = plan(decision(1, set_fee(1)), channels=(remembered(1),))
    store.write_down(whole, whole.memory.channels)
    broken = attrs.evolve(set_fee(2), new_ppm=float("nan"))

    with pytest.raises(ValueError, match="not JSON compliant"):
        store.write_down(plan(decision(1), decision(2, broken), at=NOW + 1), ())
    assert journal(store) == [(1, NOW, "decided")]
    assert decisions(store, channel_id(1)) == list(whole.decisions)
    assert store.load_memory() == whole.memory
