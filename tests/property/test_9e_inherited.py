"""§9 Inherited policies: a wish means the same here, or is left out and said."""

from hypothesis import given
from hypothesis import strategies as st
from property.strategies import peer_ids, policies

from revops.core.policy import Policy, RebalanceMode, Strategy, allows_drain, allows_fill
from revops.core.takeover import channel_id_of, ignored, policy_of

WISHES = ("fee_ppm", "tags", "updated_at", "fee_multiplier_min", "fee_multiplier_max")
NONSENSE = {
    "fee_ppm": -1,
    "rebalance": "sometimes",
    "tags": "one",
    "updated_at": -5,
    "fee_multiplier_min": 99.0,
}


def wishes_of(policy):
    """
    Return the wishes that *policy* came of.
    """
    return {
        **{name: getattr(policy, name) for name in WISHES},
        "tags": list(policy.tags),
        "rebalance": policy.rebalance.value,
        "expires_at": policy.expires_at,
    }


@given(policies(min_fee_ppm=st.none(), max_fee_ppm=st.none()))
def test_a_policy_that_can_be_is_the_same_here(policy):
    """
    Whatever a predecessor may have let an operator wish for is taken as it is.
    """
    assert policy_of(policy.peer_id, policy.strategy.value, wishes_of(policy)) == (policy, ())


@given(policies(min_fee_ppm=st.none(), max_fee_ppm=st.none()), st.sampled_from([*NONSENSE]))
def test_a_wish_that_cannot_be_is_left_out_and_named(policy, name):
    """
    One value that cannot be costs that value alone, and is said; but without the fee of `static`
    it would be another policy: then there is none.
    """
    wishes = wishes_of(policy) | {name: NONSENSE[name]}
    found, (problem,) = policy_of(policy.peer_id, policy.strategy.value, wishes)

    assert problem.startswith(name)
    if policy.strategy is Strategy.STATIC and name == "fee_ppm":
        assert found is None
    else:
        gone = {"fee_multiplier_min", "fee_multiplier_max"} if "multiplier" in name else {name}
        for field in (*WISHES, "rebalance"):
            plain = getattr(Policy(peer_id=policy.peer_id), field)
            assert getattr(found, field) == (plain if field in gone else getattr(policy, field))
        assert found.expires_at == policy.expires_at


@given(policies(strategy=st.just(Strategy.DYNAMIC)))
def test_all_that_cannot_be_is_said_at_once(policy):
    """
    Who reads it needs to look once, however much is wrong.
    """
    _, problems = policy_of(policy.peer_id, "dynamic", wishes_of(policy) | NONSENSE)

    assert [problem.partition(":")[0] for problem in problems] == [*NONSENSE]


@given(policies(), st.sampled_from([[1], ["ok", None], {"a": 1}, "word", None]))
def test_tags_are_a_list_of_words(policy, tags):
    """
    What is no list of words tags nothing.
    """
    wishes = wishes_of(policy) | {"tags": tags}
    found, problems = policy_of(policy.peer_id, policy.strategy.value, wishes)

    assert found.tags == ()
    assert problems == (f"tags: expected a list of words, got {tags!r}",)


@given(peer_ids(), st.text().filter(lambda text: text not in [s.value for s in Strategy]))
def test_an_unknown_strategy_is_no_policy(peer_id, word):
    """
    Nobody guesses what a strategy was meant to be.
    """
    found, (problem,) = policy_of(peer_id, word, {"expires_at": None})

    assert found is None
    assert problem.startswith("strategy")


@given(peer_ids())
def test_an_ignored_peer_is_left_alone(peer_id):
    """
    Neither priced nor refilled nor drained, and tagged so that the operator sees why.
    """
    policy = ignored(peer_id)

    assert policy.peer_id == peer_id
    assert policy.strategy is Strategy.PASSIVE
    assert policy.rebalance is RebalanceMode.DISABLED
    assert not allows_fill(policy.rebalance)
    assert not allows_drain(policy.rebalance)
    assert policy.tags == ("migrated_ignore",)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 65_535))
def test_a_channel_id_is_its_funding_output(txid, output):
    """
    The id is the transaction's as the network orders its bytes, with the output's number in the
    last two (BOLT #2).
    """
    found = bytes.fromhex(channel_id_of(txid.hex(), f"700x1x{output}"))

    assert found[:30] == txid[::-1][:30]
    assert int.from_bytes(found[30:], "big") ^ int.from_bytes(txid[1::-1], "big") == output
