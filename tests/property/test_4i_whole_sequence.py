"""§4 The whole sequence: a decision is a function, and its trail is the whole of it."""

import attrs
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from property.strategies import OPEN, configs, snapshots
from property.trails import bounds, codes, fee
from property.world import CLIMBING

from revops.core.actions import Hold, SetFee
from revops.core.config import Config
from revops.core.decide import decide
from revops.core.fees.quote import HIGHEST
from revops.core.policy import Strategy
from revops.core.reasons import sentence

STRANGER = "02" + 64 * "f"
nodes = snapshots() | snapshots(**OPEN) | snapshots(policy=st.just(Strategy.DYNAMIC), **OPEN)


def carried_out(snapshot, plan):
    """
    Return *snapshot* after everything in *plan* was done, and nothing else happened.
    """
    actions = {decision.channel_id: decision.action for decision in plan.decisions}
    channels = [
        attrs.evolve(
            channel,
            fee_ppm=action.new_ppm,
            base_fee_msat=action.new_base_msat,
            htlc_max_msat=channel.htlc_max_msat
            if action.htlc_max_msat is None
            else action.htlc_max_msat,
        )
        if isinstance(action := actions[channel.channel_id], SetFee)
        else channel
        for channel in snapshot.channels
    ]
    return attrs.evolve(snapshot, channels=channels, memory=plan.memory)


@given(nodes, configs())
def test_every_channel_is_decided_once_and_explained(snapshot, config):
    """
    Each channel of the snapshot has exactly one decision with at least one reason, and each reason
    is a sentence.
    """
    plan = decide(snapshot, config)

    assert [d.channel_id for d in plan.decisions] == [c.channel_id for c in snapshot.channels]
    assert [s.channel_id for s in plan.states] == [c.channel_id for c in snapshot.channels]
    for decision in plan.decisions:
        assert decision.trail
        assert all(sentence(reason) for reason in decision.trail)
    assert all(sentence(reason) for reason in plan.node_trail)


@given(nodes, configs())
def test_same_snapshot_same_plan(snapshot, config):
    """
    Deciding twice is deciding once: no clock, no dice, no memory but the snapshot's.
    """
    assert decide(snapshot, config) == decide(attrs.evolve(snapshot), attrs.evolve(config))


@given(snapshots(min_channels=2), configs(), st.data())
def test_the_order_of_channels_changes_nothing(snapshot, config, data):
    """
    Channels listed in any order get the same plan.
    """
    shuffled = attrs.evolve(snapshot, channels=data.draw(st.permutations(snapshot.channels)))

    assert decide(shuffled, config) == decide(snapshot, config)


@given(nodes, configs())
def test_the_trail_is_an_unbroken_path_to_the_fee(snapshot, config):
    """
    Replayed step by step, the trail leads to the fee: every reason starts from the price that the
    one before it left, and the last one leaves what is set, or what stays in force.
    """
    for channel, decision in zip(
        snapshot.channels, decide(snapshot, config).decisions, strict=True
    ):
        for one, other in zip(decision.trail, decision.trail[1:], strict=False):
            assert one.after == other.before
        assert decision.trail[-1].after == fee(decision, channel.fee_ppm)


@given(nodes, configs())
def test_no_fee_leaves_its_bounds(snapshot, config):
    """
    Whatever came in, a fee that is set is within the floor and ceiling of its own trail where it is
    learned, and never beyond 0 to 100 000 ppm.
    """
    for decision in decide(snapshot, config).decisions:
        if isinstance(decision.action, SetFee):
            floor, ceiling = bounds(decision) or (0, HIGHEST)
            event(f"learned: {bounds(decision) is not None}")
            assert 0 <= floor <= decision.action.new_ppm <= ceiling <= HIGHEST


@given(nodes, configs())
def test_an_action_says_what_it_believed(snapshot, config):
    """
    A change carries the price that the snapshot showed, and names the channel as lightningd does.
    """
    for channel, decision in zip(
        snapshot.channels, decide(snapshot, config).decisions, strict=True
    ):
        action = decision.action
        if isinstance(action, SetFee):
            believed = (action.scid, action.old_ppm, action.old_base_msat)
            assert believed == (channel.scid, channel.fee_ppm, channel.base_fee_msat)
            assert channel.scid is not None


@given(nodes, configs())
def test_with_nothing_new_the_second_cycle_holds(snapshot, config):
    """
    A plan that was carried out is a fixed point: the next look at an unchanged world changes no
    fee.
    """
    plan = decide(snapshot, config)
    again = decide(carried_out(snapshot, plan), config)

    assert [d.action for d in again.decisions if isinstance(d.action, SetFee)] == []


@given(nodes, configs())
def test_memory_claims_nothing_that_has_yet_to_be_done(snapshot, config):
    """
    What is remembered as known is what the snapshot shows; a decided price is no more than asked
    for.
    """
    plan = decide(snapshot, config)
    remembered = {memory.channel_id: memory.fee for memory in plan.memory.channels}
    for channel, decision in zip(snapshot.channels, plan.decisions, strict=True):
        memory = remembered[channel.channel_id]
        assert memory.known.fee_ppm == channel.fee_ppm
        assert memory.known.base_fee_msat == channel.base_fee_msat
        assert (memory.asked is not None) == isinstance(decision.action, SetFee)


@given(nodes, configs(paused=st.just(True)) | configs(authority=st.just("observe")))
def test_who_may_not_act_still_says_what_it_would(snapshot, config):
    """
    When paused, or with authority observe, nothing is set; the trails are as long as ever, and one
    that would have set a fee names the option that holds it back.
    """
    free = decide(snapshot, attrs.evolve(config, paused=False, authority="fees"))
    for decision, unbound in zip(decide(snapshot, config).decisions, free.decisions, strict=True):
        assert isinstance(decision.action, Hold)
        if isinstance(unbound.action, SetFee):
            assert codes(decision)[:-1] == codes(unbound)[:-1]
            assert codes(decision)[-1].value in ("paused", "authority")


@given(snapshots(min_channels=2, policy=st.just(Strategy.DYNAMIC), **OPEN), configs())
def test_a_channel_is_nobody_elses_business(snapshot, config):
    """
    A channel is priced alike whether or not there are channels with other peers. There are four
    exceptions, all of them named: new channels look at what the node charges, the balance of the
    ways in counts, what others teach stands in for evidence, and the gossip budget makes wait.
    """
    config = attrs.evolve(config, max_node_updates_per_hour=100_000, **CLIMBING)
    ours, *others = snapshot.channels
    others = [attrs.evolve(channel, peer_id=STRANGER) for channel in others]
    alone = decide(attrs.evolve(snapshot, channels=[ours]), config)
    among = decide(attrs.evolve(snapshot, channels=[ours, *others]), config)
    (decision,) = alone.decisions

    if "new_channel" not in codes(decision):
        assert decision in among.decisions


@given(snapshots(min_channels=1))
def test_a_snapshot_is_only_read(snapshot):
    """
    Deciding changes nothing in what it was given: all of it is frozen.
    """
    for value in (snapshot, snapshot.memory, *snapshot.channels):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            value.channel_id = ""
    before = attrs.asdict(snapshot)
    decide(snapshot, Config())

    assert attrs.asdict(snapshot) == before
