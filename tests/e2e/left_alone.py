"""Left alone: what the fake CLBOSS was told to keep its hands off."""

from fakes import FakeNode


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
