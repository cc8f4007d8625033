"""Beside CLBOSS: it leaves alone what revops does, and no tag of its operator's is ever lost."""

import pytest
from e2e.office import Office
from fakes import FakeNode

HALF_HOUR = 1800
OURS = {"lnfee", "balance"}


@pytest.fixture
def node(node: FakeNode) -> FakeNode:
    """
    The recorded node, with CLBOSS on it.
    """
    node.clboss.there = True
    return node


def peers(node: FakeNode) -> list[str]:
    """
    Return the node's peers.
    """
    return sorted({channel["peer_id"] for channel in node.channels})


def tags(node: FakeNode) -> dict[str, set[str]]:
    """
    Return what CLBOSS leaves alone of whom.
    """
    return {peer: tags for peer, tags in node.clboss.tags.items() if tags}


# What a cycle does ---------------------------------------------------------------------------


def test_clboss_lets_go_of_every_peer_before_the_first_price(
    office: Office, node: FakeNode
) -> None:
    """
    Every peer is told once, with the operator's own tags beside ours, before any fee is set; the
    cycles after that ask once and tell nothing.
    """
    first, *_ = peers(node)
    node.clboss.unmanage(first, "open,close")
    office.cycle()
    methods = [method for method, _ in node.calls]
    assert tags(node) == dict.fromkeys(peers(node), OURS) | {first: OURS | {"open", "close"}}
    assert methods.index("setchannel") > max(
        at for at, method in enumerate(methods) if method == "clboss-unmanage"
    )
    node.calls.clear()
    office.cycle(after_s=HALF_HOUR)

    assert [m for m, _ in node.calls if m.startswith("clboss")] == ["clboss-status"]
