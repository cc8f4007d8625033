"""Ports: what the shell asks of lightningd, whoever answers."""

from collections.abc import Mapping
from typing import Literal, Protocol

from revops.core.actions import SetFee, StartRebalance
from revops.core.clboss import Tags
from revops.core.costs import ChainEvent, Closing
from revops.core.outcomes import Applied
from revops.core.refills import Move, Page, Payment, Pending
from revops.core.snapshot import Channel, Node
from revops.core.tally import Forward, Misfit
from revops.core.treasury import Engine
from revops.core.units import ChannelId, Instant, Msat, PeerId, Scid

Index = Literal["created", "updated"]
Unread = tuple[str, ...]
"""A sentence for each thing that was told and cannot be."""
Forwards = tuple[tuple[Forward, ...], tuple[Misfit, ...]]
"""Those that can be read, and the rows that cannot."""


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

    def alias(self, node_id: PeerId) -> str:
        """
        Return what a node calls itself; empty when nobody knows.
        """

    def feerate(self) -> int | None:
        """
        Return what confirms within 12 blocks, in sat per 1000 weight.
        """

    def forwards(self, index: Index, start: int, limit: int) -> Forwards:
        """
        Return at most *limit* rows from place *start* of *index* on.
        """

    def all_forwards(self) -> Forwards:
        """
        Return every forward it has, for nodes that keep no index.
        """

    def last_forward(self, index: Index) -> int:
        """
        Return how far *index* goes.
        """

    def set_fee(self, action: SetFee) -> Applied:
        """
        Change a fee and return what is in force then.
        """


class BooksPort(Protocol):
    """
    A node's own books; any of its answers may be a NodeRefusedError or a NoAnswerError instead.
    """

    def moves(self, start: int, limit: int) -> Page[Move] | None:
        """
        Return what moved in its channels, at most *limit* rows from *start* on; `None` where it
        keeps no such list.
        """

    def last_move(self) -> int:
        """
        Return the number of the latest row of that list.
        """

    def payments(self, to: PeerId, start: int, limit: int) -> Page[Payment] | None:
        """
        Return the payments to node *to* among at most *limit* changes from *start* on; `None`
        where it keeps no such list.
        """

    def payment_moves(self, payment_hash: str) -> tuple[tuple[Move, ...], Unread]:
        """
        Return what one payment moved; nothing where nobody knows.
        """

    def account(self, channel_id: ChannelId) -> tuple[tuple[ChainEvent, ...], Unread] | None:
        """
        Return what a channel had to do with the chain; `None` where nobody keeps account of it.
        """

    def closing_channels(self, peer_id: PeerId) -> tuple[tuple[Closing, ...], Unread]:
        """
        Return the channels with a peer that are over and are still listed.
        """

    def closed_channels(self, peer_id: PeerId | None = None) -> tuple[tuple[Closing, ...], Unread]:
        """
        Return the channels, all or those with one peer, that it has done with.
        """


class WalletPort(Protocol):
    """
    A node's wallet; its answer may be a NodeRefusedError or a NoAnswerError instead.
    """

    def onchain(self) -> Msat:
        """
        Return what is confirmed and unreserved.
        """


class MoneyPort(NodePort, BooksPort, WalletPort, Protocol):
    """
    All that a node tells about money.
    """

    def pending_to(self, to: PeerId) -> tuple[Pending, ...]:
        """
        Return the payments to node *to* that are under way.
        """

    def arriving(self, peer_id: PeerId, channel_id: ChannelId) -> tuple[Msat, ...]:
        """
        Return what is coming in by a channel, HTLC by HTLC, as long as it is not among what moved.
        """


class SlingPort(Protocol):
    """
    The plugin that moves liquidity.
    """

    def look(self) -> Engine:
        """
        Return how it was found, whatever that is.
        """

    def start(self, action: StartRebalance) -> None:
        """
        Have a channel filled, or raise a NodeRefusedError: nothing happened; or a NoAnswerError:
        nobody knows.
        """

    def stop(self, scid: Scid) -> None:
        """
        End what it is at on a channel, or raise one of these: it is not seen to have ended.
        """


class ClbossPort(Protocol):
    """
    The plugin that manages nodes by itself; its answers may be a NodeRefusedError, of which nothing
    happened, or a NoAnswerError instead.
    """

    def unmanaged(self) -> Mapping[PeerId, Tags] | None:
        """
        Return what it leaves alone of which peers; `None` when it is not there.
        """

    def unmanage(self, peer_id: PeerId, tags: Tags) -> None:
        """
        Have it leave *tags* of a peer alone, and nothing else of it.
        """
