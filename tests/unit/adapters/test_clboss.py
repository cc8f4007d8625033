"""CLBOSS: asked in its words, understood however it shows tags, and never overwritten blindly."""

from typing import Any

import pytest
from calling import calling
from fakes import FakeNode
from unit.adapters.wire_examples import NOW

from revops.adapters.clboss import PATIENCE_S, Clboss, patience
from revops.adapters.errors import NoAnswerError, NodeRefusedError

PEER, OTHER = "02" + "ab" * 32, "03" + "cd" * 32


@pytest.fixture(name="node")
def _node() -> FakeNode:
    node = FakeNode(NOW)
    node.clboss.there = True
    return node


@pytest.fixture(name="clboss")
def _clboss(node: FakeNode) -> Clboss:
    return Clboss(calling(node))


def test_what_it_is_told_is_what_it_shows(node: FakeNode, clboss: Clboss) -> None:
    """
    Tags go without a blank, as it takes no other, and replace what it had; it shows them with
    blanks, beside a comment, and peers that it manages not at all.
    """
    clboss.unmanage(PEER, frozenset({"open", "balance"}))
    clboss.unmanage(PEER, frozenset({"lnfee", "balance"}))
    clboss.unmanage(OTHER, frozenset())

    assert node.clboss.told == [(PEER, "balance,open"), (PEER, "balance,lnfee"), (OTHER, "")]
    assert node.answer("clboss-status", {})["unmanaged"][PEER] == "balance, lnfee"
    assert clboss.unmanaged() == {PEER: {"lnfee", "balance"}}


def test_that_it_is_not_there_is_no_error(node: FakeNode, clboss: Clboss) -> None:
    """
    Where lightningd knows no such method there is no CLBOSS; any other refusal is one of its own.
    """
    node.clboss.ready = False
    with pytest.raises(NodeRefusedError, match="not open"):
        clboss.unmanaged()
    node.clboss.there = False

    assert clboss.unmanaged() is None
    with pytest.raises(NodeRefusedError, match="Unknown command"):
        clboss.unmanage(PEER, frozenset())


def test_what_clboss_refuses_changes_nothing(clboss: Clboss) -> None:
    """
    A tag that it does not know leaves the tags that it had.
    """
    clboss.unmanage(PEER, frozenset({"close"}))
    with pytest.raises(NodeRefusedError, match="Parameter error: Unknown tag: splice") as refused:
        clboss.unmanage(PEER, frozenset({"open", "splice"}))
    with pytest.raises(NodeRefusedError):
        clboss.unmanage("", frozenset({"open"}))

    assert refused.value.code == -32602
    assert clboss.unmanaged() == {PEER: {"close"}}


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        (None, "clboss-status.unmanaged"),
        ([], "clboss-status.unmanaged"),
        ({}, "clboss-status.unmanaged"),
        ({"unmanaged": "lnfee"}, "clboss-status.unmanaged"),
        ({"unmanaged": {PEER: ["lnfee"]}}, f"clboss-status.unmanaged.{PEER}"),
        ({"unmanaged": {OTHER: "open", PEER: None}}, f"clboss-status.unmanaged.{PEER}"),
    ],
)
def test_what_cannot_be_read_is_no_answer(
    node: FakeNode, clboss: Clboss, reply: Any, place: str
) -> None:
    """
    A reply that is not as it should be says so with the place: to take it for an empty one would
    overwrite the operator's tags.
    """
    node.garbage["clboss-status"] = lambda _: reply

    with pytest.raises(NoAnswerError, match=place):
        clboss.unmanaged()


def test_what_is_no_peer_is_left_out(node: FakeNode, clboss: Clboss) -> None:
    """
    Whatever else stands among the peers is not one.
    """
    node.garbage["clboss-status"] = lambda _: {
        "unmanaged": {"comment": 5, "note": "lnfee", PEER.upper(): "open", PEER: " lnfee ,, x "}
    }

    assert clboss.unmanaged() == {PEER: {"lnfee", "x"}}


def test_nobody_waits_long_for_clboss() -> None:
    """
    Its answers are waited for as those of others, and never for minutes.
    """
    assert patience("clboss-status", 300) == PATIENCE_S
    assert patience("clboss-unmanage", 1) == 1
    assert patience("listpeerchannels", 300) == 300
