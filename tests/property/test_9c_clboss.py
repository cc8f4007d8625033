"""§9 CLBOSS: no tag of its operator's is lost, whatever is wanted, refused or cut off."""

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from property.strategies import configs, snapshots
from property.world import START, peer, quiet_channel

from revops.core.clboss import (
    NONE,
    OURS,
    Claim,
    due,
    hands_off,
    step,
    steps,
    tags_of,
    text_of,
)
from revops.core.config import Config
from revops.core.costs import SETTLING
from revops.core.policy import Policy, RebalanceMode, Strategy
from revops.core.snapshot import Node, Snapshot

PEERS = tuple(f"02{number:064x}" for number in range(3))
SINCE = 1_800_000_000
tags = st.frozensets(st.sampled_from(("lnfee", "open", "close", "balance", "splice")))
fates = st.sampled_from(("done", "refused", "unheard", "unanswered"))
"""What becomes of a call: it was not carried out or it was, and we know or not - or were killed."""
wants = st.tuples(st.just("revops"), st.frozensets(st.sampled_from(sorted(OURS))), fates)
orders = st.tuples(st.just("operator"), tags, st.none())
blanks = st.lists(st.sampled_from((",", " ", ", ", " ,,", "\t", ",\n")), min_size=1).map("".join)


class Life:
    """
    CLBOSS's tags of one peer, and what is written down about it.
    """

    def __init__(self, theirs):
        self.tags = theirs
        self.claim = None

    def wants(self, wanted, fate):
        """
        Make *wanted* ours, or try to.
        """
        claim = self.claim or Claim(peer_id=PEERS[0], since=SINCE)
        found = step(claim, self.tags, wanted)
        self.write(found.pending)
        if found.to_tell is None:
            self.write(found.then)
            return
        assert found.to_tell >= self.tags - claim.ours
        assert found.to_tell >= wanted
        if fate in ("done", "unanswered"):
            self.tags = found.to_tell
        if fate in ("done", "refused"):
            self.write(found.then if fate == "done" else found.seen)

    def write(self, claim):
        """
        Write *claim* down as the books do.
        """
        self.claim = None if claim.empty else claim

    def goes_on(self, events):
        """
        Let *events* happen.
        """
        for who, said, fate in events:
            if who == "operator":
                self.tags = said
            else:
                self.wants(said, fate)
        return self


@given(tags, blanks)
def test_tags_are_read_however_they_are_set_apart(found, between):
    """
    What CLBOSS shows, what it takes and what an operator types are the same tags.
    """
    words = sorted(found)

    assert tags_of(between.join(words)) == tags_of(text_of(found)) == found
    assert tags_of(between + between.join(words) + between) == found
    assert not set(text_of(found)) & {" ", "\t", "\n"}


@given(st.text(max_size=30))
def test_any_text_has_tags_that_clboss_can_be_told(text):
    """
    Whatever CLBOSS shows comes back to it as the same words, none of them empty.
    """
    found = tags_of(text)

    assert tags_of(text_of(found)) == found
    assert "" not in found


@given(tags, st.lists(wants, max_size=6))
@example(NONE, [("revops", OURS, "done"), ("revops", OURS - {"balance"}, "unheard")])
def test_what_was_there_before_comes_back(theirs, events):
    """
    Whatever revops wanted, and whatever became of each call, giving it back leaves the operator's
    tags, those among ours too, and nothing in the books.
    """
    life = Life(theirs).goes_on(events)
    life.wants(NONE, "done")

    assert life.tags == theirs
    assert life.claim is None


@given(tags, st.lists(wants | orders, max_size=8))
def test_what_the_operator_says_of_what_is_not_ours_holds(theirs, events):
    """
    Tags that revops never has a hand in are in the end what the operator said last, however often
    he changed his mind while ours stood beside them.
    """
    life = Life(theirs).goes_on(events)
    life.wants(NONE, "done")
    last = [said for who, said, _ in events if who == "operator"][-1:] or [theirs]

    assert life.tags - OURS == last[0] - OURS


@given(tags, st.lists(wants | orders, max_size=5), tags.map(lambda found: found & OURS))
def test_once_told_there_is_nothing_to_tell(theirs, events, wanted):
    """
    A second look finds everything as it should be.
    """
    life = Life(theirs).goes_on(events)
    life.wants(wanted, "done")
    again = steps({PEERS[0]: life.claim} if life.claim else {}, {PEERS[0]: life.tags}, {}, SINCE)
    same = steps(
        {PEERS[0]: life.claim} if life.claim else {},
        {PEERS[0]: life.tags},
        {PEERS[0]: wanted},
        SINCE,
    )

    assert same == ()
    assert bool(again) == bool(wanted)


@given(
    st.dictionaries(st.sampled_from(PEERS), tags),
    st.dictionaries(st.sampled_from(PEERS), tags.map(lambda found: found & OURS)),
)
def test_each_peer_is_seen_to_by_itself(found, wanted):
    """
    A peer of which nothing is wanted and nothing claimed is not touched, whatever CLBOSS says of
    it; of the others each is told at most once.
    """
    made = steps({}, found, wanted, SINCE)
    told = [s.then.peer_id for s in made if s.to_tell is not None]

    assert len(set(told)) == len(told)
    assert {s.then.peer_id for s in made} == {who for who, some in wanted.items() if some}
    assert all(s.then.since == SINCE for s in made)
    assert set(told) == {who for who, some in wanted.items() if some - found.get(who, NONE)}


@given(tags, tags, tags, tags)
def test_an_order_comes_before_what_revops_would_do(by_itself, ignored, remanaged, found):
    """
    What is ordered to be left alone is, what is ordered to be CLBOSS's is not ours, and an order to
    leave it alone taken back leaves what revops does itself.
    """
    claim = Claim(peer_id=PEERS[0], since=SINCE, ignored=ignored, remanaged=remanaged).after(found)

    assert claim.wanted(by_itself) >= ignored - remanaged
    assert not claim.wanted(by_itself) & remanaged
    assert attrs.evolve(claim, ignored=NONE, remanaged=NONE).wanted(by_itself) == by_itself


@given(snapshots(), configs())
def test_revops_claims_what_it_does_and_nothing_else(snapshot, config):
    """
    Only peers with a channel that is not over, only prices and refills, and nothing at all where it
    does nothing or is switched off.
    """
    found = due(snapshot, config)
    peers = {c.peer_id for c in snapshot.channels if c.state not in SETTLING}
    idle = hands_off(config) or not config.clboss_enabled

    assert set(found) == (set() if idle else peers)
    assert all(some <= OURS for some in found.values())


@pytest.mark.parametrize("rebalancer", ["sling", "none"])
@pytest.mark.parametrize("authority", ["fees", "liquidity"])
@pytest.mark.parametrize("mode", RebalanceMode)
@pytest.mark.parametrize("strategy", [Strategy.DYNAMIC, Strategy.HIVE, Strategy.PASSIVE])
def test_a_policy_says_what_is_claimed(strategy, mode, authority, rebalancer):
    """
    A passive peer is CLBOSS's, one that revops does not refill is so in that alone; a policy that
    is over says nothing.
    """
    config = Config(authority=authority, rebalancer=rebalancer)
    there, over = quiet_channel(0), quiet_channel(1)
    wish = Policy(peer_id=there.peer_id, strategy=strategy, rebalance=mode, expires_at=START + 1)
    past = attrs.evolve(wish, peer_id=over.peer_id, expires_at=START)
    node = Node(node_id=peer(2**200))
    snapshot = Snapshot(now=START, node=node, channels=[there, over], policies=[wish, past])
    refills = {"balance"} if (authority, rebalancer) == ("liquidity", "sling") else set()
    spared = {"balance"} if mode is RebalanceMode.DISABLED else set()
    passive = strategy is Strategy.PASSIVE

    assert due(snapshot, config) == {
        there.peer_id: set() if passive else {"lnfee"} | refills - spared,
        over.peer_id: {"lnfee"} | refills,
    }


@given(configs())
def test_who_may_act_by_itself_may_tell(config):
    """
    Hands are off exactly where no price is set.
    """
    assert hands_off(config) == (config.dry_run or config.paused or config.authority == "observe")
