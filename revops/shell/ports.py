"""Ports: what the shell asks of lightningd, whoever answers."""

from typing import Literal, Protocol

from revops.core.actions import SetFee
from revops.core.outcomes import Applied
from revops.core.snapshot import Channel, Node
from revops.core.tally import Forward
from revops.core.units import Instant, PeerId

Index = Literal["created", "updated"]
Unread = tuple[str, ...]
"""A sentence for each thing that was told and cannot be."""


class NodePort(Protocol):
    """
    A node; any of its answers may be a NodeRefusedError or a NoAnswerError instead.
    """

    def info(self) -> Node:
        """
        Return who it is.
        """

    def channels(
        self, now: Instant, blockheight: int | None, peer_id: PeerId | None = None
    ) -> tuple[tuple[Channel, ...], Unread]:
        """
        Return its channels, all or those with one peer, without their traffic.
        """

    def feerate(self) -> int | None:
        """
        Return what confirms within 12 blocks, in sat per 1000 weight.
        """

    def forwards(self, index: Index, start: int, limit: int) -> tuple[tuple[Forward, ...], Unread]:
        """
        Return at most *limit* forwards from place *start* of *index* on.
        """

    def all_forwards(self) -> tuple[tuple[Forward, ...], Unread]:
        """
        Return every forward it has, for nodes that keep no index.
        """

    def set_fee(self, action: SetFee) -> Applied:
        """
        Change a fee and return what is in force then.
        """
