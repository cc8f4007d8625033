"""Lightningd: asked in its own words, and never taken at less than its word."""

from typing import Any

import attrs
import pytest
from calling import calling
from fake_circular import Fate
from fakes import FakeNode
from unit.adapters.wire_examples import NOW, PEER

from revops.adapters.cln import Lightningd
from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.core.actions import SetFee
from revops.core.outcomes import Applied

SET_FEE = SetFee(
    channel_id="b08ca332ac05db8a4207d8ac625f69d0850d37a75c35c8b5722a532e8ca75563",
    scid="150x6x0",
    peer_id=PEER,
    old_ppm=100,
    new_ppm=321,
    old_base_msat=2,
    new_base_msat=0,
)


@pytest.fixture(name="node")
def _node() -> FakeNode:
    return FakeNode(NOW)


@pytest.fixture(name="lightningd")
def _lightningd(node: FakeNode) -> Lightningd:
    return Lightningd(calling(node))


def test_each_question_is_one_call(node: FakeNode, lightningd: Lightningd) -> None:
    """
    Node, channels and feerate are read in a call each, without asking channel by channel.
    """
    assert lightningd.info().network == "regtest"
    assert lightningd.channels(NOW)[1] == ()
    assert lightningd.feerate() == 1499
    assert [method for method, _ in node.calls] == ["getinfo", "listpeerchannels", "feerates"]


def test_the_channels_with_one_peer_are_one_small_call(
    node: FakeNode, lightningd: Lightningd
) -> None:
    """
    With a peer named, lightningd lists the channels with that one only.
    """
    peer_id = node.channel("150x6x0")["peer_id"]
    channels, _ = lightningd.channels(NOW, peer_id=peer_id)

    assert node.called("listpeerchannels") == [{"id": peer_id}]
    assert {channel.peer_id for channel in channels} == {peer_id}
    assert len(channels) < len(node.channels)


def test_onchain_funds_are_asked_of_listfunds() -> None:
    """
    What is confirmed and free is read off listfunds.
    """
    output = {"amount_msat": 5000, "status": "confirmed", "reserved": False}
    replies: dict[str, object] = {"listfunds": {"outputs": [output, output], "channels": []}}

    assert Lightningd(lambda method, _params: replies[method]).onchain() == 10_000


def test_forwards_come_in_pages(node: FakeNode, lightningd: Lightningd) -> None:
    """
    A page starts where it was told to and is as long as it was told to be, by either index.
    """
    created, _ = lightningd.forwards("created", 5, 3)
    updated, _ = lightningd.forwards("updated", 5, 3)

    assert [forward.created_index for forward in created] == [5, 6, 7]
    assert [forward.updated_index for forward in updated] == [5, 6, 7]
    assert node.called("listforwards")[0] == {"index": "created", "start": 5, "limit": 3}


def test_all_forwards_come_at_once_from_nodes_that_cannot_page() -> None:
    """
    Before v23.11, there are no pages and no indices.
    """
    node = FakeNode(NOW, counters=False)
    lightningd = Lightningd(calling(node))
    forwards, problems = lightningd.all_forwards()

    assert (len(forwards), problems) == (len(node.forwards), ())
    assert {forward.created_index for forward in forwards} == {None}
    with pytest.raises(NodeRefusedError, match="listforwards: unknown parameter: index"):
        lightningd.forwards("created", 1, 10)


def test_what_is_under_way_is_asked_for_by_its_status(
    node: FakeNode, lightningd: Lightningd
) -> None:
    """
    Only what is pending is listed, and of that only what goes to ourselves and by which channel
    it comes in.
    """
    ways = node.channel("150x6x0"), node.channel("150x2x0")
    fate = Fate(arrives_s=0, credited_s=60, returns_s=30)
    node.sling.circulation.send(ways, (50_000_000, 5_000), fate, NOW, NOW)
    us, target = node.info["id"], ways[1]
    (pending,) = lightningd.pending_to(us)

    assert (pending.amount_msat, pending.sent_msat) == (50_000_000, 50_005_000)
    assert pending.created_at == NOW
    assert node.called("listsendpays") == [{"status": "pending"}]
    assert lightningd.pending_to(target["peer_id"]) == ()
    node.sling.pass_time(40)
    assert lightningd.pending_to(us) == ()
    assert lightningd.arriving(target["peer_id"], target["channel_id"]) == (50_000_000,)
    node.sling.pass_time(30)
    assert lightningd.arriving(target["peer_id"], target["channel_id"]) == ()
    assert node.called("listpeerchannels") == [{"id": target["peer_id"]}] * 2


def test_a_fee_is_set_by_scid_and_confirmed(node: FakeNode, lightningd: Lightningd) -> None:
    """
    One channel is priced, not every channel of the peer, and its limit is left as it is.
    """
    before = node.fees()
    applied = lightningd.set_fee(SET_FEE)

    assert applied == Applied(fee_ppm=321, base_fee_msat=0, htlc_max_msat=1980000000)
    assert node.called("setchannel") == [{"id": "150x6x0", "feebase": 0, "feeppm": 321}]
    assert node.fees() == before | {"150x6x0": (321, 0)}


def test_an_htlc_maximum_goes_along_and_may_be_lowered(lightningd: Lightningd) -> None:
    """
    The limit is set with the fee; more than the channel carries is lowered, and that is said.
    """
    some = lightningd.set_fee(attrs.evolve(SET_FEE, htlc_max_msat=500_000_000))
    much = lightningd.set_fee(attrs.evolve(SET_FEE, htlc_max_msat=5_000_000_000_000))

    assert some.htlc_max_msat == 500_000_000
    assert much.htlc_max_msat == 1_980_000_000


def test_a_channel_that_is_gone_is_a_refusal(lightningd: Lightningd) -> None:
    """
    What lightningd does not know, it refuses; its words are kept.
    """
    with pytest.raises(NodeRefusedError, match="Short channel id not found") as caught:
        lightningd.set_fee(attrs.evolve(SET_FEE, scid="1x1x1"))

    assert caught.value.code == -32602


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("fee_proportional_millionths", 320, r"asked for \(321, 0\) ppm and msat base on 150x6x0"),
        ("fee_base_msat", 2, r"in force is \(321, 2\)"),
        ("maximum_htlc_out_msat", 600_000_000, "asked for htlcmax 500000000 on 150x6x0"),
    ],
)
def test_another_price_than_asked_for_is_a_refusal(
    node: FakeNode, lightningd: Lightningd, field: str, value: int, words: str
) -> None:
    """
    A reply that shows something else than was asked for confirms nothing.
    """

    def other(reply: Any) -> Any:
        reply["channels"][0][field] = value
        return reply

    node.garbage["setchannel"] = other

    with pytest.raises(NodeRefusedError, match=words) as caught:
        lightningd.set_fee(attrs.evolve(SET_FEE, htlc_max_msat=500_000_000))

    assert caught.value.code is None


@pytest.mark.parametrize("reply", [None, {}, {"channels": []}, {"channels": [{"x": 1}]}])
def test_a_confirmation_that_cannot_be_read_leaves_it_open(
    node: FakeNode, lightningd: Lightningd, reply: object
) -> None:
    """
    After garbage, the fee may be set or not: that is no refusal.
    """
    node.garbage["setchannel"] = lambda _reply: reply

    with pytest.raises(NoAnswerError, match="setchannel"):
        lightningd.set_fee(SET_FEE)


def test_a_reply_of_another_shape_is_no_answer(node: FakeNode, lightningd: Lightningd) -> None:
    """
    A listpeerchannels without channels is not a node without channels.
    """
    node.garbage["listpeerchannels"] = lambda _reply: {"peers": []}

    with pytest.raises(NoAnswerError, match=r"listpeerchannels\.channels: expected a list"):
        lightningd.channels(NOW)
