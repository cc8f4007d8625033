"""Names: what peers call themselves, asked for a few at a time and anew every day."""

from collections.abc import Iterable
from typing import Final

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.core.units import DAY, PeerId
from revops.shell.clock import Clock
from revops.shell.ports import NodePort

_AT_ONCE: Final = 100
_NEVER: Final = (float("-inf"), "")


class Names:
    """
    They decorate: a node that does not tell costs one call in a turn, and nothing else.
    """

    def __init__(self, node: NodePort, clock: Clock) -> None:
        self._node = node
        self._clock = clock
        self._known: dict[PeerId, tuple[float, str]] = {}

    def learn(self, peers: Iterable[PeerId]) -> None:
        """
        Ask for those of *peers* whose names are unknown, or old; forget all others.
        """
        now = self._clock.ticks()
        self._known = {peer: self._known.get(peer, _NEVER) for peer in peers}
        due = [peer for peer, (until, _) in self._known.items() if until <= now]
        for peer in due[:_AT_ONCE]:
            try:
                name = self._node.alias(peer)
            except NodeRefusedError:
                name = ""
            except NoAnswerError:
                return
            self._known[peer] = now + DAY, name

    def of(self, peer: PeerId) -> str:
        """
        Return what *peer* calls itself; empty when nobody knows.
        """
        return self._known.get(peer, _NEVER)[1]
