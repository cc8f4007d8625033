"""§7 Policies: what the operator wants for a peer, changed within limits and never by halves."""

import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import GENESIS, instants, peer_ids, policies, ratios, snapshots, tags

from revops.core.config import Config
from revops.core.decide import decide
from revops.core.policy import (
    CHANGES_PER_MINUTE,
    MOST_UPDATES_AT_ONCE,
    Policy,
    PolicyBook,
    PolicyRefusedError,
    RebalanceMode,
    Strategy,
    allows_drain,
    allows_fill,
    in_force,
)
from revops.core.units import HOUR, MINUTE

nows = instants(GENESIS, 2**40)
PEERS = tuple(f"02{number:064x}" for number in range(3))
peers = st.sampled_from(PEERS)
fees = st.integers(0, 100_000)
multipliers = ratios(0.1, 5.0)


@st.composite
def wishes(draw):
    """
    Return fields of a policy as an operator may set them, all at once consistent.
    """
    policy = draw(policies(updated_at=st.none(), expires_at=st.none()))
    fields = attrs.asdict(policy, filter=lambda field, _: field.name != "peer_id")
    del fields["updated_at"], fields["expires_at"]
    fields |= {"strategy": policy.strategy.value, "rebalance": policy.rebalance.value}
    hours = draw(st.none() | ratios(0, 720).filter(bool))
    return fields | {"expires_in_hours": hours}


books = st.lists(policies(), max_size=3, unique_by=lambda policy: policy.peer_id).map(
    lambda found: PolicyBook(policies=found)
)


@given(books, peers, wishes(), nows)
def test_what_was_set_is_what_is_got(book, peer, fields, now):
    """
    Setting fields of a policy and getting it gives those fields, and the time of the change.
    """
    found = book.updated([(peer, fields)], now).get(peer, now)
    hours = fields.pop("expires_in_hours")

    assert found.updated_at == now or found == book.get(peer, now)
    assert found.expires_at == (None if hours is None else now + max(1, int(hours * HOUR)))
    for name, value in fields.items():
        assert getattr(found, name) == value


@given(books, peers, wishes(), nows)
def test_setting_one_peer_changes_no_other(book, peer, fields, now):
    """
    A change concerns the peer that it names.
    """
    changed = book.updated([(peer, fields)], now)
    for policy in book.policies:
        if policy.peer_id != peer:
            assert changed.get(policy.peer_id, now) == book.get(policy.peer_id, now)


@given(peers, wishes(), fees, nows)
def test_what_is_not_named_stays(peer, fields, fee, now):
    """
    Fields that an update does not name keep their value.
    """
    fields |= {"fee_ppm": 1}
    book = PolicyBook().updated([(peer, fields)], now)
    after = book.updated([(peer, {"fee_ppm": fee})], now).get(peer, now)

    assert after == attrs.evolve(book.get(peer, now), fee_ppm=fee, updated_at=now)


@given(peers, wishes(), nows)
def test_a_deleted_policy_is_the_default(peer, fields, now):
    """
    After a deletion the peer is priced as if nobody had ever set anything.
    """
    book = PolicyBook().updated([(peer, fields), (peer, None)], now)

    assert book.get(peer, now) == Policy(peer_id=peer)


@given(peers, wishes(), ratios(0, 720).filter(bool), nows)
def test_a_policy_expires_by_itself(peer, fields, hours, now):
    """
    A policy is in force until its time and not a second longer.
    """
    fields |= {"expires_in_hours": hours}
    book = PolicyBook().updated([(peer, fields)], now)
    ends = now + max(1, int(hours * HOUR))

    assert in_force(book.policies, ends - 1)
    assert not in_force(book.policies, ends)
    assert book.get(peer, ends) == Policy(peer_id=peer)


@given(st.integers() | ratios(None), nows)
def test_no_policy_is_set_for_longer_than_thirty_days(hours, now):
    """
    An expiry of nothing, of the past or beyond 720 hours is refused by name.
    """
    change = [(PEERS[0], {"expires_in_hours": hours})]
    if 0 < hours <= 720:
        assert now < PolicyBook().updated(change, now).get(PEERS[0], now).expires_at
    else:
        with pytest.raises(PolicyRefusedError, match="expires_in_hours: expected a number above 0"):
            PolicyBook().updated(change, now)


@given(snapshots(min_channels=1), st.data())
def test_an_expired_policy_decides_like_none(snapshot, data):
    """
    Policies whose time is over decide as if they were not there.
    """
    expired = [
        attrs.evolve(policy, expires_at=data.draw(instants(0, snapshot.now)))
        for policy in snapshot.policies
    ]
    with_them = attrs.evolve(snapshot, policies=expired)
    without = attrs.evolve(snapshot, policies=())

    assert decide(with_them, Config()) == decide(without, Config())


BAD = st.sampled_from(
    (
        ({"strategy": "greedy"}, "strategy: expected one of dynamic, static, passive, hive"),
        ({"strategy": "static", "fee_ppm": None}, "fee_ppm: strategy static needs it"),
        ({"rebalance": "both"}, "rebalance: expected one of"),
        ({"fee_ppm": -1}, "fee_ppm: expected"),
        ({"fee_ppm": 100_001}, "fee_ppm: expected"),
        ({"fee_ppm": "5k"}, "fee_ppm: expected"),
        ({"min_fee_ppm": 2, "max_fee_ppm": 1}, "min_fee_ppm: expected at most max_fee_ppm 1"),
        ({"fee_multiplier_max": 5.1}, "fee_multiplier_max: expected"),
        ({"fee_multiplier_min": 0.0}, "fee_multiplier_min: expected"),
        (
            {"fee_multiplier_min": 2, "fee_multiplier_max": 1},
            "fee_multiplier_min: expected at most",
        ),
        ({"tags": [""]}, "tags: expected"),
        ({"expires_in_hours": 721}, "expires_in_hours: expected"),
        ({"colour": "red"}, "colour: there is no such field"),
        ({"peer_id": PEERS[0]}, "peer_id: there is no such field"),
    )
)


@given(
    st.lists(st.tuples(peers, wishes()), max_size=4),
    st.lists(st.tuples(peers, wishes()), max_size=4),
    BAD,
    peers,
    nows,
)
def test_a_bad_batch_changes_nothing(good, more, bad, peer, now):
    """
    One update that cannot be refuses the whole batch, in a sentence that names the field; the book
    is as it was.
    """
    book = PolicyBook().updated(good, now)
    before = attrs.asdict(book)
    fields, sentence = bad
    with pytest.raises(PolicyRefusedError) as refused:
        book.updated([*more, (peer, fields), *more], now)

    assert str(refused.value).startswith(sentence)
    assert attrs.asdict(book) == before


@given(st.lists(st.tuples(peers, st.integers(0, 2 * MINUTE), st.integers(1, 4)), max_size=12), nows)
def test_no_peer_is_changed_more_than_ten_times_a_minute(attempts, now):
    """
    Over any sequence of updates and batches, no minute holds more than ten changes of one peer;
    what is within the limit is made.
    """
    book, made = PolicyBook(), []
    fees = itertools.count()
    for peer, pause, count in attempts:
        now += pause
        lately = sum(at > now - MINUTE for who, at in made if who == peer)
        try:
            book = book.updated([(peer, {"fee_ppm": next(fees)}) for _ in range(count)], now)
        except PolicyRefusedError:
            assert lately + count > CHANGES_PER_MINUTE
        else:
            assert lately + count <= CHANGES_PER_MINUTE
            made += [(peer, now)] * count

    assert [(change.peer_id, change.at) for change in book.changes] == made


@given(policies(expires_at=st.none()), st.integers(0, 100), nows)
def test_what_is_so_already_is_no_change(policy, times, now):
    """
    To say again what a policy is changes nothing, is not counted and never too often, as cl-hive
    does for every member whenever it starts.
    """
    names = ("strategy", "rebalance", "fee_ppm", "tags")
    again = {name: getattr(policy, name) for name in names}
    again |= {"strategy": policy.strategy.value, "rebalance": policy.rebalance.value}
    before = PolicyBook(policies=[policy])

    assert before.updated([(policy.peer_id, again)] * times, now) == before


@given(st.integers(MOST_UPDATES_AT_ONCE - 2, MOST_UPDATES_AT_ONCE + 3), nows)
def test_a_batch_has_at_most_a_hundred_updates(count, now):
    """
    A hundred updates at once are taken, one more is refused.
    """
    updates = [(f"03{number:064x}", {"fee_ppm": number}) for number in range(count)]
    if count <= MOST_UPDATES_AT_ONCE:
        assert len(PolicyBook().updated(updates, now).policies) == count
    else:
        with pytest.raises(PolicyRefusedError, match="at most 100 at once"):
            PolicyBook().updated(updates, now)


@given(st.lists(tags(), max_size=5), st.data())
def test_tags_are_a_set(words, data):
    """
    Tags in another order, or said twice, are the same tags.
    """
    again = data.draw(st.permutations(words + words))

    assert Policy(peer_id=PEERS[0], tags=again) == Policy(peer_id=PEERS[0], tags=words)


@given(policies(rebalance=st.sampled_from(RebalanceMode)))
def test_a_mode_says_what_may_be_drained_and_filled(policy):
    """
    source_only may be drained and not filled, sink_only the other way round; enabled allows both,
    disabled neither.
    """
    allowed = (allows_drain(policy.rebalance), allows_fill(policy.rebalance))

    assert (
        allowed
        == {
            RebalanceMode.ENABLED: (True, True),
            RebalanceMode.DISABLED: (False, False),
            RebalanceMode.SOURCE_ONLY: (True, False),
            RebalanceMode.SINK_ONLY: (False, True),
        }[policy.rebalance]
    )


@given(peer_ids(), st.sampled_from(Strategy))
def test_a_static_fee_has_a_value(peer, strategy):
    """
    Strategy static without a fee is refused; every other strategy needs none.
    """
    if strategy is Strategy.STATIC:
        with pytest.raises(ValueError, match="fee_ppm: strategy static needs it"):
            Policy(peer_id=peer, strategy=strategy)
    else:
        assert Policy(peer_id=peer, strategy=strategy).fee_ppm is None


@pytest.mark.parametrize("field", ["expires_at", "updated_at", "peer_id", "fee"])
def test_what_no_operator_sets_is_refused_by_name(field):
    """
    An end is given in hours from now, the other times are revops' own, and a typing error is told.
    """
    with pytest.raises(PolicyRefusedError, match=f"{field}: there is no such field"):
        PolicyBook().updated([(PEERS[0], {field: 1})], 1_750_000_000)
